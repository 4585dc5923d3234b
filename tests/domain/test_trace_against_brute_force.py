"""Trace and diff against brute force: fold entry by entry, flatten the whole document, compare."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from domain.course import FocusShifted
from domain.entry import Entry, EntryData
from domain.goals import GoalAchieved
from domain.plan import Plan
from domain.practice import PracticeReported
from domain.state import PlanState
from tests.domain.lives import OTHERS_EVERY_TIME, SAME_EVERY_TIME, Life, lives, some_lives
from tests.domain.oracle_checks import (
    check_diff,
    check_neighbours,
    check_trace,
    check_traces,
    difference,
    learnt,
    moment_for,
)

picks = st.lists(st.integers(0, 2**20), min_size=8, max_size=8)


@settings(SAME_EVERY_TIME, max_examples=20)
@given(life=lives(most=35))
def test_the_trace_of_every_version_is_what_brute_force_finds(life: Life) -> None:
    """Every leaf that an entry made is traced to it, or to its correction; no other leaf is."""
    assert check_traces(learnt(life.entries)) > 0


@settings(SAME_EVERY_TIME, max_examples=25)
@given(life=lives(), chosen=picks)
def test_the_trace_of_any_moment_is_what_brute_force_finds(life: Life, chosen: list[int]) -> None:
    """By both clocks."""
    plan = learnt(life.entries)
    for pick in chosen:
        check_trace(plan, *moment_for(plan, pick))


@settings(SAME_EVERY_TIME, max_examples=15)
@given(life=lives(most=35))
def test_what_changed_from_one_version_to_the_next_its_entry_changed(life: Life) -> None:
    """Exactly that one: a late entry, a correction, a mark and all that falls, a mark undone."""
    check_neighbours(learnt(life.entries))


@settings(SAME_EVERY_TIME, max_examples=25)
@given(life=lives(), chosen=picks)
def test_the_difference_of_any_two_moments_is_that_of_their_documents(
    life: Life, chosen: list[int]
) -> None:
    """Each change once, with what stood there before and after, and put down to who made it."""
    plan = learnt(life.entries)
    moments = [moment_for(plan, pick) for pick in chosen]
    for one, other in pairwise(moments):
        check_diff(plan, one, other)


@settings(SAME_EVERY_TIME, max_examples=8)
@given(life=lives(), chosen=picks)
def test_a_moment_does_not_differ_from_itself(life: Life, chosen: list[int]) -> None:
    """Nothing changed."""
    plan = learnt(life.entries)
    for pick in chosen:
        moment = moment_for(plan, pick)
        assert difference(plan, moment, moment) == []


# Negative controls: handlers that change a part without taking it for writing


def achieve(self: GoalAchieved, plan: PlanState, entry: Entry) -> None:
    """The goal is achieved, behind everybody's back."""
    plan.goals[self.goal_id].status = "achieved"


def shift(self: FocusShifted, plan: PlanState, entry: Entry) -> None:
    """Another focus, behind everybody's back."""
    plan.course.focus.focus = self.to


def report(self: PracticeReported, plan: PlanState, entry: Entry) -> None:
    """One report more, behind everybody's back."""
    if self.practice_id in plan.practice.practice:
        plan.practice.practice[self.practice_id].reports += 1


HANDLERS = [(GoalAchieved, achieve), (FocusShifted, shift), (PracticeReported, report)]


@pytest.mark.parametrize("check", [check_traces, check_neighbours])
@pytest.mark.parametrize(("cls", "handler"), HANDLERS)
def test_a_part_changed_without_edit_is_noticed(
    cls: type[EntryData], handler: Callable[..., None], check: Callable[[Plan], int]
) -> None:
    """What no entry has touched, no entry can be named for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cls, "apply", handler)
        concerned = (life for life in some_lives(100) if cls in map(type, _data_of(life)))
        assert any(_refutes(check, life) for life in concerned)


def _data_of(life: Life) -> Iterator[EntryData]:
    return (entry.data for entry in life.entries)


def _refutes(check: Callable[[Plan], int], life: Life) -> bool:
    try:
        check(learnt(life.entries))
    except AssertionError:
        return True
    return False


# As many leaves as one likes: pytest -m slow, or PLAN_HISTORY_ORACLE_STEPS=2000000


@pytest.mark.slow
def test_a_million_leaves(
    request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other lives on every run, until so many leaves agree; each batch prints its seed first."""
    wanted = os.environ.get("PLAN_HISTORY_ORACLE_STEPS")
    if wanted is None and not request.config.getoption("markexpr"):
        pytest.skip("takes minutes: pytest -m slow, or PLAN_HISTORY_ORACLE_STEPS=1000000")
    compared: Counter[str] = Counter()
    while compared["leaves"] < int(wanted or 1_000_000):
        number = Random().getrandbits(32)
        with capsys.disabled():
            sys.stdout.write(f"\n{compared['leaves']:,} leaves; next seed {number}")
            sys.stdout.flush()
        _batch(number, compared)
    with capsys.disabled():
        sys.stdout.write(f"\n{dict(compared)} compared\n")


def _batch(number: int, compared: Counter[str]) -> None:
    @seed(number)
    @settings(OTHERS_EVERY_TIME)
    @given(life=lives(), chosen=picks)
    def agree(life: Life, chosen: list[int]) -> None:
        plan = learnt(life.entries)
        compared["leaves"] += check_traces(plan)
        compared["changes"] += check_neighbours(plan)
        moments = [moment_for(plan, pick) for pick in chosen]
        for one, other in pairwise(moments):
            compared["leaves"] += check_trace(plan, *one)
            compared["changes"] += check_diff(plan, one, other)

    agree()
