"""The one fold, at every moment of random lives, against an oracle that does it the slow way."""

import os
import sys
from collections import Counter
from random import Random

import pytest
from hypothesis import given, seed, settings

from domain.entry import TYPES, Reason
from domain.goals import GoalRevised, GoalSet
from domain.record import EntryCorrected, EntryMarkedInError
from tests.domain import oracle
from tests.domain.lives import (
    OTHERS_EVERY_TIME,
    SAME_EVERY_TIME,
    Life,
    lives,
    play,
    some_lives,
)
from tests.domain.oracle_checks import (
    check_hashes,
    check_increments,
    check_moments,
    check_recorded_moments,
    check_stored,
)


@settings(SAME_EVERY_TIME, max_examples=50)
@given(life=lives(most=45))
def test_every_moment_by_both_clocks_is_what_the_oracle_says(life: Life) -> None:
    """Known until every version, and true until before, at and after every moment that counts."""
    assert check_moments(life.entries) > 0


@settings(SAME_EVERY_TIME, max_examples=45)
@given(life=lives())
def test_applying_entry_by_entry_gives_what_folding_anew_gives(life: Life) -> None:
    """As recorded, as learnt one by one, watched or not: the same plan."""
    check_increments(life)


@settings(SAME_EVERY_TIME, max_examples=30)
@given(life=lives())
def test_a_recorded_moment_is_the_newest_version_written_by_then(life: Life) -> None:
    """The other way to say what was known."""
    check_recorded_moments(life)


@settings(SAME_EVERY_TIME, max_examples=25)
@given(life=lives())
def test_what_a_version_said_has_one_hash_for_ever(life: Life) -> None:
    """So a signature can be checked against what was signed, whatever was recorded since."""
    check_hashes(life)


@settings(SAME_EVERY_TIME, max_examples=35)
@given(life=lives())
def test_every_entry_comes_back_from_the_store_as_it_was(life: Life) -> None:
    """Through JSON bytes and back nothing is lost, gained or changed."""
    check_stored(life.entries)


def test_a_goal_revised_to_have_no_concerns_comes_back_so() -> None:
    """To say “none” is not to say nothing."""
    life = play([0])
    goal = life.record(GoalSet(statement="An hour in the park")).data
    assert isinstance(goal, GoalSet)
    none = GoalRevised(goal_id=goal.goal_id, concern_ids=())
    life.record(none, reason=Reason(text="It is about something else"))
    life.confirm()
    check_stored(life.entries)


# What the lives are like


def test_the_lives_know_every_entry_and_everything_hard() -> None:
    """All types, and: late, undated, before the opening, corrected, taken out, taken back."""
    met: Counter[str] = Counter()
    for life in some_lives(50, requests=120):  # long ones: 11 are enough
        met.update(_features(life))
        if met.keys() >= TYPES.keys() | HARD:
            break
    assert met.keys() >= TYPES.keys() | HARD, (TYPES.keys() | HARD) - met.keys()


HARD = {
    "late",
    "undated",
    "before the opening",
    "same moment",
    "points at something later",
    "moved in time",
    "marked with dependents",
    "mark taken back",
    "correction taken back",
    "opening in error",
    "impossible-transition",
    "unknown-reference",
    "has-dependents",
    "circular-reference",
    "plan-closed",
    "reason-required",
    "occurred-in-future",
    "not-yours",
}


def _features(life: Life) -> set[str]:
    entries = life.entries
    by_id = {entry.entry_id: entry for entry in entries}
    maker = {held: entry for entry in entries for held in oracle.brought_by(entry)}
    met = {entry.type for entry in entries} | life.refused.keys()
    moments = [entry.occurred_at for entry in entries]
    found = {
        "late": any(entry.late() for entry in entries),
        "undated": not all(entry.dated for entry in entries),
        "before the opening": min(moments) < moments[0],
        "same moment": len(set(moments)) < len(moments),
        "points at something later": any(
            maker[held].version > entry.version
            for entry in oracle.standing(entries)
            for _, held in oracle.refers_to(entry)
        ),
    }
    for entry in entries:
        if isinstance(entry.data, EntryCorrected):
            found["moved in time"] = entry.data.occurred_at is not None
        if isinstance(entry.data, EntryMarkedInError):
            target = by_id[entry.data.entry_id]
            without = oracle.standing(entries[: entry.version - 1])
            with_it = oracle.standing(entries[: entry.version])
            met |= {"marked with dependents"} if len(without) - len(with_it) > 1 else set()
            met |= {"opening in error"} if target.version == 1 else set()
            met |= {"mark taken back"} if target.type == "EntryMarkedInError" else set()
            met |= {"correction taken back"} if target.type == "EntryCorrected" else set()
    return met | {name for name, there in found.items() if there}


# As many moments as one likes: pytest -m slow, or PLAN_HISTORY_ORACLE_STEPS=2000000


@pytest.mark.slow
def test_a_million_moments(
    request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other lives on every run, until so many moments agree; each batch prints its seed first."""
    wanted = os.environ.get("PLAN_HISTORY_ORACLE_STEPS")
    if wanted is None and not request.config.getoption("markexpr"):
        pytest.skip("takes minutes: pytest -m slow, or PLAN_HISTORY_ORACLE_STEPS=1000000")
    compared: Counter[str] = Counter()
    while compared["moments"] < int(wanted or 1_000_000):
        number = Random().getrandbits(32)
        with capsys.disabled():
            sys.stdout.write(f"\n{compared['moments']:,} moments; next seed {number}")
            sys.stdout.flush()
        _batch(number, compared)
    with capsys.disabled():
        sys.stdout.write(f"\n{dict(compared)} compared\n")


def _batch(number: int, compared: Counter[str]) -> None:
    @seed(number)
    @settings(OTHERS_EVERY_TIME)
    @given(life=lives(most=60))
    def agree(life: Life) -> None:
        compared["moments"] += check_moments(life.entries)
        check_increments(life)
        check_recorded_moments(life)
        check_hashes(life)
        check_stored(life.entries)
        compared["lives"] += 1
        compared["entries"] += len(life.entries)

    agree()
