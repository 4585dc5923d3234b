"""Suspected plateaus: values that stand still, told from noise, and every way the suspicion ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.course import PlateauAnswered, PlateauNoted
from domain.entry import EntryData
from domain.goals import (
    GoalAchieved,
    GoalDropped,
    GoalPaused,
    GoalResumed,
    GoalRevised,
    GoalSet,
    Measure,
    MeasureRecorded,
    ProgressNoted,
)
from domain.lifecycle import PlanCompleted
from domain.plateau import FINE, Reading, plateau_since, resolution, trend
from domain.record import EntryMarkedInError
from tests.domain import specs
from tests.domain.specs import GOAL, OTHER_GOAL, Said, Spec, a_goal, an_id, day, entry_id, opened

OUTINGS = Measure(name="Outings", unit="times", target=9, direction="increase", per="week")
ATTACKS = Measure(name="Attacks", unit="attacks", target=0, direction="decrease", per="week")
MOOD = replace(ATTACKS, name="PHQ-9", unit="points", instrument="phq9")
FEAR = replace(ATTACKS, name="GAD-7", unit="points", instrument="gad7")
PLATEAU = an_id("plateau")


def weekly(*values: float, days: float = 7) -> list[Reading]:
    """Values measured every week from day 0 on, or every so many days."""
    return [(day(number * days), value) for number, value in enumerate(values)]


# Still or moving


@pytest.mark.parametrize(
    "values",
    [
        pytest.param((3, 3, 3, 3, 3), id="all the same"),
        pytest.param((3, 2, 3, 2, 3), id="up and down"),
        pytest.param((3, 3, 3, 3, 7), id="one odd week at the end"),
        pytest.param((0, 3, 3, 3, 3), id="one odd week at the beginning"),
        pytest.param((3.5, 3.5, 3.5, 3.5, 3.5), id="halves"),
        pytest.param((-3, -3, -3, -3, -3), id="below nothing"),
    ],
)
def test_values_that_hardly_differ_stand_still(values: tuple[float, ...]) -> None:
    """Since the first of them; it makes no difference which way they were meant to go."""
    assert plateau_since(weekly(*values), OUTINGS) == day(0)
    assert plateau_since(weekly(*values), replace(ATTACKS, target=-9)) == day(0)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param((1, 2, 3, 4, 5), id="upwards"),
        pytest.param((5, 4, 3, 2, 1), id="downwards is no plateau either"),
        pytest.param((3, 3, 4, 4, 4), id="up by one and staying there"),
        pytest.param((3, 9, 4, 5, 6), id="upwards, with an odd week"),
        pytest.param((0.1, 0.2, 0.3, 0.4, 0.5), id="upwards in small steps"),
    ],
)
def test_values_that_move_do_not_stand_still(values: tuple[float, ...]) -> None:
    """Towards the target or away from it."""
    assert plateau_since(weekly(*values), OUTINGS) is None


def test_three_values_are_too_few() -> None:
    """However long they took."""
    assert plateau_since([], OUTINGS) is None
    assert plateau_since(weekly(3, 3, 3, days=60), OUTINGS) is None
    assert plateau_since(weekly(3, 3, 3, 3, days=60), OUTINGS) == day(0)


def test_less_than_28_days_are_too_short() -> None:
    """Between the first and the last, to the moment; 28 days are enough."""
    first, *rest = weekly(3, 3, 3, 3, 3)
    assert plateau_since([first, *rest], OUTINGS) == day(0)
    later = (first[0] + timedelta(microseconds=1), 3.0)
    assert plateau_since([later, *rest], OUTINGS) is None


def test_the_order_in_which_values_are_given_does_not_matter() -> None:
    """They count in the order in which they were true."""
    values = weekly(1, 2, 3, 3, 3, 2, 3, 3, 3)
    assert plateau_since(values, OUTINGS) == plateau_since(values[::-1], OUTINGS) == day(28)


def test_several_values_of_one_moment_have_no_slope_between_them() -> None:
    """They are values all the same."""
    held = [(day(0), 3.0), (day(0), 4.0), (day(28), 3.0), (day(28), 4.0)]
    assert plateau_since(held, OUTINGS) == day(0)
    assert plateau_since([(day(0), 3.0)] * 59 + [(day(28), 3.0)], OUTINGS) == day(0)


# What moved once, what moves again, what moves slowly


def test_what_moved_at_first_and_then_stopped_stands_still() -> None:
    """Since the values of the newer half."""
    assert plateau_since(weekly(1, 2, 3, 4, 5, 5, 5, 5, 5), OUTINGS) == day(28)


def test_what_stood_still_and_moves_again_does_not() -> None:
    """One better week may be chance, two are enough here."""
    still = (5, 5, 5, 5, 5)
    assert plateau_since(weekly(*still, 3), ATTACKS) is not None
    assert plateau_since(weekly(*still, 3, 2), ATTACKS) is None


def test_what_moves_slowly_but_steadily_does_not_stand_still() -> None:
    """Four points in the newer half would be noise; with all the others they are progress."""
    steady = [20 - number / 2 for number in range(17)]
    assert plateau_since(weekly(*map(math.floor, steady)), MOOD) is None


def test_what_moved_slowly_and_stopped_stands_still() -> None:
    """The newer half does not keep up the pace of the whole."""
    steady = [20 - number for number in range(9)]
    assert plateau_since(weekly(*steady, *[12] * 8), MOOD) == day(8 * 7)


def test_what_turned_round_stands_still_as_soon_as_it_is_where_it_was() -> None:
    """The newer half does not go the way of the whole."""
    assert plateau_since(weekly(2, 4, 6, 8, 8, 8, 7, 8, 8), replace(OUTINGS, target=12)) == day(28)


# Noise


def test_half_a_step_is_noise_for_values_in_whole_numbers() -> None:
    """A change of half a step is one, anything less is none."""
    straight = [(day(0), 3.0), (day(10), 3.0), (day(20), 3.0), (day(30), 3.0)]
    assert trend(straight, 0.5) == (0, 30, 0.5)
    assert not stands_still(straight, 0.5 / 30)
    assert stands_still(straight, 0.49 / 30)


def stands_still(readings: Sequence[Reading], slope: float) -> bool:
    """Whether values at that pace a day would stand still, half a step being noise."""
    return trend(readings, 0.5)._replace(slope=slope).still


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ((3, 4), 1),
        ((3.0, 4.0), 1),
        ((300, 400), 1),
        ((3, 4.5), 0.1),
        ((3.25, 4.5), 0.01),
        ((-0.125,), 0.001),
        ((1e-7, 1), 1e-7),
        ((1e12,), 1),
        ((), 1),
    ],
)
def test_the_resolution_is_the_step_in_which_values_are_written(
    values: tuple[float, ...], step: float
) -> None:
    """The finest of them counts; tens and hundreds are whole numbers."""
    assert resolution(weekly(*values)) == pytest.approx(step, rel=1e-12)


def test_scatter_is_noise() -> None:
    """A trend that is smaller than what single weeks differ by is no movement."""
    quiet, loud = weekly(4, 5, 6, 7, 8), weekly(4, 9, 2, 11, 8)
    assert trend(quiet) == pytest.approx((1 / 7, 28, 0))
    assert trend(loud) == pytest.approx((1 / 7, 28, 4 * 1.4826))
    far = replace(OUTINGS, target=20)
    assert plateau_since(quiet, far) is None
    assert plateau_since(loud, far) == day(0)


@pytest.mark.parametrize(("measure", "points"), [(MOOD, 5), (FEAR, 4)])
def test_an_instrument_has_its_published_difference(measure: Measure, points: int) -> None:
    """Anything below it over the period is no movement, the difference itself is."""

    def falling(by: float) -> list[Reading]:
        return [(day(number * 8), 15 - by * number / 4) for number in range(5)]

    assert plateau_since(falling(points - 0.3), measure) == day(0)
    assert plateau_since(falling(points), measure) is None
    counted = replace(measure, instrument=None)
    assert plateau_since(falling(points - 0.3), counted) is None


def test_an_instrument_that_has_no_published_difference_here_is_judged_by_its_values() -> None:
    """Like any other measure."""
    other = replace(MOOD, instrument="other")
    assert plateau_since(weekly(15, 14, 13, 12, 11), other) is None
    assert plateau_since(weekly(15, 15, 15, 15, 15), other) == day(0)


# Where standing still is as it should be


def test_a_goal_to_maintain_is_meant_to_stand_still() -> None:
    """Nothing is suspected."""
    maintained = replace(OUTINGS, direction="maintain")
    assert plateau_since(weekly(3, 3, 3, 3, 3), maintained) is None
    assert plateau_since(weekly(9, 9, 9, 9, 9), maintained) is None


@pytest.mark.parametrize(
    ("values", "target", "suspected"),
    [
        ((2, 2, 2, 2, 2), 2, False),
        ((2, 2, 2, 2, 2), 3, False),
        ((2, 2, 2, 2, 2), 1, True),
        ((2, 2, 2, 2, 3), 2, False),
        ((3, 3, 3, 3, 2), 2, False),
        ((3, 2, 3, 3, 3), 2, True),
    ],
)
def test_a_goal_at_its_target_may_stand_still(
    values: tuple[float, ...], target: float, *, suspected: bool
) -> None:
    """It is there when the newest or the middle value is; upwards and downwards alike."""
    down = plateau_since(weekly(*values), replace(ATTACKS, target=target))
    mirrored = weekly(*(-value for value in values))
    up = plateau_since(mirrored, replace(OUTINGS, target=-target))
    assert (down is not None) == (up is not None) == suspected


# Against a naive reference


def middle(values: list[float]) -> float:
    """The median by its definition."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def slope_by_definition(days: list[float], values: list[float]) -> float:
    """The median of all pairwise slopes, pair by pair."""
    pairs = [(one, other) for one in range(len(days)) for other in range(len(days))]
    return middle(
        [
            (values[other] - values[one]) / (days[other] - days[one])
            for one, other in pairs
            if days[other] > days[one]
        ]
    )


def still_by_definition(readings: list[Reading], least_noise: float) -> tuple[bool, float]:
    """Whether the change over the period is smaller than the noise; and the slope."""
    begin = readings[0][0]
    days = [(at - begin).total_seconds() / 86_400 for at, _ in readings]
    values = [value for _, value in readings]
    slope = slope_by_definition(days, values)
    residuals = [value - slope * at for at, value in zip(days, values, strict=True)]
    centre = middle(residuals)
    noise = max(least_noise, 1.4826 * middle([abs(held - centre) for held in residuals]))
    return abs(slope * days[-1]) < noise, slope


def plateau_by_definition(given_readings: list[Reading], least_noise: float) -> datetime | None:
    """The whole rule for values in whole numbers that are far from their target, step by step."""
    readings = sorted(given_readings)
    enough = [
        part
        for size in range(4, len(readings) + 1)
        if 2 * size >= len(readings)
        and (part := readings[-size:])[-1][0] - part[0][0] >= timedelta(days=28)
    ]
    if not enough:
        return None
    still, slope = still_by_definition(enough[0], least_noise)
    all_still, whole = still_by_definition(readings, least_noise)
    keeps_pace = (slope >= whole / 2) if whole > 0 else (slope <= whole / 2)
    return enough[0][0][0] if still and (all_still or not keeps_pace) else None


MOMENTS = st.integers(0, 70).map(float)
SERIES = st.lists(st.tuples(MOMENTS, st.integers(0, 12)), min_size=1, max_size=FINE - 1)


def readings_of(series: list[tuple[float, int]]) -> list[Reading]:
    """The series as moments and values."""
    return [(day(number), float(value)) for number, value in series]


@settings(deadline=None, derandomize=True)
@given(SERIES, st.sampled_from([None, "phq9", "gad7"]))
@example([(0, 5), (10, 5), (20, 5), (28, 5)], None)
@example([(0, 5), (0, 6), (28, 5), (28, 6)], None)
@example([(0, 12), (7, 10), (14, 8), (21, 6), (28, 6), (35, 6), (42, 6), (49, 6)], None)
def test_it_says_what_the_definition_says(series: list[tuple[float, int]], instrument: Any) -> None:
    """For any values in whole numbers, short of a target far away."""
    readings = readings_of(series)
    measure = replace(ATTACKS, target=-100, instrument=instrument)
    least = {None: 0.5, "phq9": 5, "gad7": 4}[instrument]
    assert plateau_since(readings, measure) == plateau_by_definition(readings, least)


@settings(deadline=None, derandomize=True)
@given(SERIES)
def test_the_slope_is_the_median_of_all_pairs(series: list[tuple[float, int]]) -> None:
    """Whatever the moments and values, as long as there are two moments."""
    readings = sorted(readings_of(series))
    if readings[-1][0] > readings[0][0]:
        days = [(at - readings[0][0]) / timedelta(days=1) for at, _ in readings]
        values = [value for _, value in readings]
        assert trend(readings).slope == pytest.approx(slope_by_definition(days, values))


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(MOMENTS, st.integers(0, 12)), min_size=1, max_size=60), MOMENTS)
def test_it_makes_no_difference_when_the_series_was(
    series: list[tuple[float, int]], later: float
) -> None:
    """There is no clock in it: moved as a whole, the same series is judged the same."""
    measure = replace(ATTACKS, target=-100)
    readings = readings_of(series)
    moved = [(at + timedelta(days=later), value) for at, value in readings]
    since = plateau_since(readings, measure)
    assert plateau_since(moved, measure) == (since and since + timedelta(days=later))


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(MOMENTS, st.floats(-1e12, 1e12)), max_size=60))
def test_it_copes_with_any_values(series: list[tuple[float, float]]) -> None:
    """What is owed is worked out whenever a plan is shown; it never fails."""
    plateau_since([(day(number), value) for number, value in series], ATTACKS)


@pytest.mark.parametrize("many", [FINE - 1, FINE, 2 * FINE - 1, 60])
def test_long_series_are_judged_alike(many: int) -> None:
    """Of many values not every pair is compared; still is still, slow is slow."""
    flat = [3 + (number % 3 == 0) - (number % 5 == 0) for number in range(many)]
    assert plateau_since(weekly(*flat), OUTINGS) == day(7 * (many // 2))
    slow = [20 - number * 9 / many for number in range(many)]
    assert plateau_since(weekly(*map(math.floor, slow)), MOOD) is None


# As an obligation of a plan


def value(number: float, at: float, goal_id: str = GOAL) -> Said:
    """A value measured on a day."""
    data = MeasureRecorded(goal_id=goal_id, value=number, by="client")
    return specs.said(data, occurred_at=day(at), now=day(at))


def on(number: float, data: EntryData, **envelope: Any) -> Said:
    """An entry recorded on a day."""
    return specs.said(data, occurred_at=day(number), now=day(number), **envelope)


def stalled(*more: EntryData | Said, goal: GoalSet | None = None) -> Spec:
    """A plan whose goal has stood at three outings from day 7 to day 35, and what came then."""
    values = [value(3, at) for at in (7, 14, 21, 28, 35)]
    begun = on(0, goal or a_goal(measure=OUTINGS))
    return specs.given(on(0, opened()), begun, *values, *more)


def test_a_plateau_is_suspected_of_the_goal_without_a_due_day() -> None:
    """Since the first of the values that stand still."""
    stalled().owes(
        "plateau_suspected",
        about=GOAL,
        since="2026-01-12T09:00:00Z",
        due_on=None,
        words="A suspected plateau: the values hardly move",
    )


def test_each_goal_is_looked_at_by_itself() -> None:
    """One moves, one does not."""
    other = [value(number, 7 * number, OTHER_GOAL) for number in range(1, 6)]
    spec = stalled(on(36, a_goal(OTHER_GOAL, measure=OUTINGS)), *other)
    assert [owed["about"] for owed in spec.owed("plateau_suspected")] == [GOAL]


@pytest.mark.parametrize(
    "goal",
    [
        pytest.param(a_goal(), id="no measure"),
        pytest.param(a_goal(measure=replace(OUTINGS, direction="maintain")), id="to maintain"),
        pytest.param(a_goal(measure=replace(OUTINGS, target=3)), id="target reached"),
    ],
)
def test_nothing_is_suspected_where_standing_still_is_fine(goal: GoalSet) -> None:
    """Or where nothing says which way it was meant to go."""
    stalled(goal=goal).owes_no("plateau_suspected")


def test_a_noted_plateau_is_no_longer_suspected() -> None:
    """Its answer is owed instead, however many values come before it."""
    noted = on(36, PlateauNoted(goal_id=GOAL, window="a month", detected_by="measures"))
    later = [value(3, at) for at in (42, 49, 56, 63, 70)]
    stalled(noted).owes_no("plateau_suspected").owes("answer_plateau")
    stalled(noted, *later).owes_no("plateau_suspected").owes("answer_plateau")


def test_an_answered_plateau_may_be_followed_by_another() -> None:
    """By the values from the answer on."""
    noted = PlateauNoted(goal_id=GOAL, window="a month", detected_by="measures")
    answer = on(63, PlateauAnswered(plateau_entry_id=PLATEAU, answer="adjust"))
    waiting = [value(3, at) for at in (42, 49, 56)]
    spec = stalled(on(36, noted, entry_id=PLATEAU), *waiting, answer)
    spec.owes_no("plateau_suspected").owes_no("answer_plateau")
    later = [value(3, at) for at in (70, 77, 84, 98)]
    spec = stalled(on(36, noted, entry_id=PLATEAU), *waiting, answer, *later)
    spec.owes("plateau_suspected", since="2026-03-16T09:00:00Z")


def test_a_plateau_of_another_goal_changes_nothing() -> None:
    """Each goal is looked at by itself."""
    noted = PlateauNoted(goal_id=OTHER_GOAL, window="a month", detected_by="client")
    stalled(on(35, a_goal(OTHER_GOAL)), on(36, noted)).owes("plateau_suspected", about=GOAL)


@pytest.mark.parametrize("direction", ["improving", "unchanged", "worsening", "mixed"])
def test_a_later_word_on_progress_dismisses_the_suspicion(direction: Any) -> None:
    """Whatever it says: somebody has looked. Values from then on count anew."""
    word = on(36, ProgressNoted(goal_id=GOAL, direction=direction, evidence="She dances again"))
    later = [value(3, at) for at in (42, 49, 56, 63)]
    stalled(word).owes_no("plateau_suspected")
    stalled(word, *later).owes_no("plateau_suspected")
    stalled(word, *later, value(3, 70)).owes("plateau_suspected", since="2026-02-16T09:00:00Z")


def test_the_value_a_word_on_progress_was_said_about_counts_on() -> None:
    """Value and word of one session: the next plateau may begin there."""
    word = on(35, ProgressNoted(goal_id=GOAL, direction="unchanged", evidence="As she likes it"))
    later = [value(3, at) for at in (42, 49, 63)]
    stalled(word, *later).owes("plateau_suspected", since="2026-02-09T09:00:00Z")


def test_an_earlier_word_on_progress_dismisses_nothing() -> None:
    """True before the values, whenever it was recorded."""
    word = ProgressNoted(goal_id=GOAL, direction="improving", evidence="She dances again")
    stalled(specs.said(word, occurred_at=day(6), now=day(40))).owes("plateau_suspected")


def test_movement_ends_the_suspicion() -> None:
    """By itself."""
    stalled(value(5, 42), value(6, 49)).owes_no("plateau_suspected")


def test_a_new_measure_is_a_new_beginning() -> None:
    """Values of the old one are no comparison; other revisions change nothing."""
    anew = GoalRevised(goal_id=GOAL, measure=replace(OUTINGS, per="month"))
    stalled(on(36, anew)).owes_no("plateau_suspected")
    stalled(on(36, GoalRevised(goal_id=GOAL, owner="family"))).owes("plateau_suspected")


def test_a_goal_that_rests_is_not_suspected() -> None:
    """Taken up again, it begins anew."""
    spec = stalled(on(36, GoalPaused(goal_id=GOAL)))
    spec.owes_no("plateau_suspected")
    spec = stalled(on(36, GoalPaused(goal_id=GOAL)), on(37, GoalResumed(goal_id=GOAL)))
    spec.owes_no("plateau_suspected")


def test_what_was_measured_before_the_goal_was_set_does_not_count() -> None:
    """A baseline from memory is no stretch of work."""
    values = [value(3, at) for at in (7, 14, 21, 28, 35)]
    spec = specs.given(on(0, opened()), on(30, a_goal(measure=OUTINGS)), *values)
    spec.owes_no("plateau_suspected")


@pytest.mark.parametrize(
    "ending",
    [
        GoalAchieved(goal_id=GOAL, evidence="It is enough for her"),
        GoalDropped(goal_id=GOAL),
        PlanCompleted(outcome="partly_met", summary="She goes on alone"),
    ],
)
def test_what_is_over_owes_nothing(ending: EntryData) -> None:
    """Neither a goal nor a plan."""
    stalled(on(36, ending)).owes_no("plateau_suspected")


@pytest.mark.parametrize("other", [{"unit": "minutes"}, {"instrument": "phq9"}])
def test_values_of_something_else_do_not_count(other: dict[str, Any]) -> None:
    """Another unit, another instrument: they neither stand still with the others nor move them."""
    climb = [(42.0, 4), (49.0, 5), (56.0, 6), (63.0, 7)]
    strange = [MeasureRecorded(goal_id=GOAL, value=held, by="client", **other) for _, held in climb]
    told = [on(at, data) for (at, _), data in zip(climb, strange, strict=True)]
    stalled(*told).owes("plateau_suspected", since="2026-01-12T09:00:00Z")
    own = [replace(data, unit="times", instrument=None) for data in strange]
    told = [on(at, data) for (at, _), data in zip(climb, own, strict=True)]
    stalled(*told).owes_no("plateau_suspected")


def test_a_value_entered_in_error_is_no_value() -> None:
    """Four over less than four weeks remain: too short."""
    mark = EntryMarkedInError(entry_id=entry_id(3))
    stalled().owes("plateau_suspected")
    stalled(on(36, mark)).owes_no("plateau_suspected")
