"""Replay: each step is the plan as the one fold has it, on both clocks, whatever a life brings."""

from __future__ import annotations

from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from api.pages import changes, charts
from api.pages.wording import FOR_STAFF
from domain.checkpoints import Checkpoints
from domain.goals import MeasureRecorded
from domain.interventions import InterventionSwapped
from domain.plan import Plan
from domain.policy import DEFAULT_POLICY
from domain.release import Released, held_back, released_document
from domain.state import PlanState
from service.life import Clock, Point, life_of
from service.replay import seen_at
from tests.domain.lives import some_lives
from tests.domain.samples import a_life

LIVES = [held.plan for held in some_lives(12, 25)]
CLOCKS: tuple[Clock, ...] = ("recorded", "effective")


@pytest.mark.parametrize("plan", [a_life(), *LIVES], ids=range(len(LIVES) + 1))
def test_each_recorded_step_is_the_plan_as_it_was_known_then(plan: Plan) -> None:
    """Step n is version n, entry and document alike; a change is told by the entries behind it."""
    life = life_of(plan, "recorded", DEFAULT_POLICY)
    assert [step.version for step in life.steps] == list(range(1, plan.version + 1))
    for number in range(1, plan.version + 1):
        seen = seen_at(plan, "recorded", life, number, DEFAULT_POLICY)
        expected = plan.document(number)
        assert {**expected, **seen.document} == expected
        assert seen.entry is plan.entries[number - 1]
        assert all(number in change.entries for change in seen.changes)


@pytest.mark.parametrize("plan", [a_life(), *LIVES], ids=range(len(LIVES) + 1))
def test_each_effective_step_is_the_plan_as_it_was_true_then(plan: Plan) -> None:
    """Once everything of one moment counts, it is what ``effective_at`` answers."""
    life = life_of(plan, "effective", DEFAULT_POLICY)
    moments = [step.at for step in life.steps]
    assert moments == sorted(moments)
    for number, step in enumerate(life.steps, start=1):
        if number == len(moments) or moments[number] > step.at:
            seen = seen_at(plan, "effective", life, number, DEFAULT_POLICY)
            expected = plan.document(effective_at=step.at)
            if plan.settled.order[0].entry_id not in plan.settled.gone:
                assert {**expected, **seen.document} == expected


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("plan", [a_life(), *LIVES], ids=range(len(LIVES) + 1))
def test_whatever_a_life_brings_can_be_drawn_and_told(plan: Plan, clock: Clock) -> None:
    """As well-formed SVG without a style, and each change with a name for what changed."""
    life = life_of(plan, clock, DEFAULT_POLICY)
    window = charts.whole(life, life.steps[-1].at)
    cursor = life.steps[len(life.steps) // 2].at
    drawn = charts.replay(life, window, FOR_STAFF, cursor, life.steps[0].at, "?at={}")
    root = ET.fromstring(str(drawn))  # noqa: S314 - we made it ourselves
    assert not [held for held in root.iter() if "style" in held.attrib]
    table, count = charts.rows(life, window, FOR_STAFF, most=10_000)
    assert len(table) == count
    for number in range(1, len(life.steps) + 1):
        seen = seen_at(plan, clock, life, number, DEFAULT_POLICY)
        for one in changes.told(seen.changes, seen.document):
            assert one["thing"] or one["field"], one


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("plan", [a_life(), *LIVES], ids=range(len(LIVES) + 1))
def test_clients_walk_through_what_is_released(plan: Plan, clock: Clock) -> None:
    """No step is a working note; each recorded one is the plan as its client was shown it then."""
    released, back = Released(plan), held_back(plan.entries)
    life = life_of(released, clock, DEFAULT_POLICY)
    told = {entry.version for entry in plan.entries if entry.entry_id not in back}
    versions = [step.version for step in life.steps]
    assert set(versions) <= told
    assert {mark.version for mark in life.marks} <= told
    for number in range(1, len(versions) + 1):
        seen = seen_at(released, clock, life, number, DEFAULT_POLICY)
        assert seen.entry.entry_id not in back
        if clock == "recorded":
            expected = released_document(plan, versions[number - 1])
            assert {**expected, **seen.document} == expected
    if clock == "recorded":
        assert versions == sorted(told)


def test_what_is_kept_of_a_long_fold_changes_nothing() -> None:
    """Read again and again with the same checkpoints, a client's plan is the same."""
    plan, folds = a_life(), Checkpoints(PlanState)
    for version in (plan.version, 9, plan.version):
        known = Released(plan, folds).at(version).document()
        assert known == Released(plan).at(version).document()


def test_every_value_and_every_swap_is_in_the_picture() -> None:
    """As many points as values that stand, and both sides of each swap in one lane."""
    plan = a_life()
    life = life_of(plan, "effective", DEFAULT_POLICY)
    values = [held for held in plan.settled.order if isinstance(held.data, MeasureRecorded)]
    assert sum(len(line.points) for line in life.lines) == len(values)
    swaps = [held.data for held in plan.settled.order if isinstance(held.data, InterventionSwapped)]
    lanes = [{span.intervention_id for span in lane.spans} for lane in life.lanes]
    for swap in swaps:
        pair = {swap.from_intervention_id, swap.to.intervention_id}
        assert any(pair <= lane for lane in lanes)


def test_many_points_are_thinned_without_hiding_what_stands_out() -> None:
    """The lowest, the highest and the last stay; the last before the window leads into it."""
    begin = a_life().entries[0].recorded_at
    points = [Point(begin + timedelta(hours=n), float(n % 7), n, late=False) for n in range(5000)]
    points[2222] = Point(points[2222].at, 99.0, 2222, late=False)
    points[3333] = Point(points[3333].at, -99.0, 3333, late=False)
    every = charts.Window(points[0].at, points[-1].at)
    kept = charts.in_view(points, every)
    assert len(kept) <= charts.MOST_POINTS + 3
    assert {99.0, -99.0} <= {point.value for point in kept}
    assert kept[-1] is points[-1]
    part = charts.in_view(points, charts.Window(points[100].at, points[120].at))
    assert part[0] is points[99]
    assert len(part) == 22
