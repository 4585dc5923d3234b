"""Goals: SMART goals, their objectives, measures and progress."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.course import LifeEventNoted, RelapseNoted
from domain.entry import EntryData
from domain.errors import (
    InvalidDataError,
    ReasonRequiredError,
    TransitionError,
    UnknownReferenceError,
)
from domain.goals import (
    KEPT_VALUES,
    SUGGESTIONS,
    GoalAchieved,
    GoalDropped,
    GoalPaused,
    GoalRegressed,
    GoalReprioritised,
    GoalResumed,
    GoalRevised,
    GoalSustained,
    Instrument,
    Measure,
    MeasureRecorded,
    ObjectiveAdded,
    ObjectiveMet,
    ProgressNoted,
)
from domain.interventions import (
    Agreement,
    Consent,
    InterventionAdjusted,
    InterventionSwapped,
)
from domain.opening import ConcernIdentified
from domain.state import PlanState
from tests.domain.specs import (
    CONCERN,
    GOAL,
    INTERVENTION,
    NOWHERE,
    OTHER_GOAL,
    OTHER_INTERVENTION,
    a_goal,
    an_id,
    an_intervention,
    day,
    given,
    opened,
    said,
)

STEP, EVENT = an_id("step"), an_id("event")
PANIC = ConcernIdentified(concern_id=CONCERN, description="Panic on the way out")
OUTINGS = Measure(
    name="outings", unit="times", baseline=0, target=2, direction="increase", per="week"
)
ADDED = ObjectiveAdded(goal_id=GOAL, objective_id=STEP, text="To the gate", due_on=date(2026, 2, 1))
ACHIEVED = GoalAchieved(goal_id=GOAL, evidence="Three weeks in a row")
DROPPED = GoalDropped(goal_id=GOAL)
PAUSED = GoalPaused(goal_id=GOAL)

STATUSES: dict[str, tuple[EntryData, ...]] = {
    "active": (),
    "paused": (PAUSED,),
    "achieved": (ACHIEVED,),
    "dropped": (DROPPED,),
}
POSSIBLE: list[tuple[EntryData, set[str]]] = [
    (GoalRevised(goal_id=GOAL, owner="couple"), {"active", "paused"}),
    (ADDED, {"active", "paused"}),
    (MeasureRecorded(goal_id=GOAL, value=1, by="client"), {"active", "paused", "achieved"}),
    (ProgressNoted(goal_id=GOAL, direction="mixed", evidence="Up, down"), {"active", "paused"}),
    (PAUSED, {"active"}),
    (GoalPaused(goal_id=GOAL, resume_check_on=date(2026, 3, 1)), {"active", "paused"}),
    (GoalResumed(goal_id=GOAL), {"paused"}),
    (ACHIEVED, {"active"}),
    (GoalSustained(goal_id=GOAL, evidence="Still going"), {"achieved"}),
    (GoalRegressed(goal_id=GOAL, evidence="Back indoors"), {"achieved"}),
    (DROPPED, {"active", "paused"}),
]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(("data", "possible"), POSSIBLE)
def test_what_can_be_done_with_a_goal_depends_on_its_status(
    data: EntryData, possible: set[str], status: str
) -> None:
    """Every entry about a goal is taken in exactly the statuses it makes sense in."""
    spec = given(opened(), a_goal(), *STATUSES[status]).when(data, reason="Because")
    if status in possible:
        spec.then({"/version": 3 + len(STATUSES[status])})
    else:
        spec.refused(TransitionError, "/data/goal_id", f"{status}")


@pytest.mark.parametrize("data", [data for data, _ in POSSIBLE])
def test_only_goals_of_this_plan_are_worked_on(data: EntryData) -> None:
    """A goal that was never set is refused by kind."""
    given(opened(), PANIC).when(data, reason="Because").refused(
        UnknownReferenceError, "/data/goal_id", "no goal of that id"
    )


@pytest.mark.parametrize(
    "data",
    [
        GoalRevised(goal_id=GOAL, owner="couple"),
        GoalReprioritised(goal_ids=(GOAL,)),
        PAUSED,
        DROPPED,
    ],
)
def test_changing_what_was_agreed_about_a_goal_needs_its_reason(data: EntryData) -> None:
    """Revising, reordering, pausing and dropping say why."""
    given(opened(), a_goal()).when(data).refused(ReasonRequiredError, "/reason")


def test_a_bare_statement_is_a_goal_with_its_missing_parts_shown() -> None:
    """Missing SMART parts are shown and block nothing."""
    given(opened()).when(a_goal()).then(
        {
            "/goals": [
                {
                    "goal_id": GOAL,
                    "statement": "Half an hour in the park, twice a week",
                    "status": "active",
                    "status_since": "2026-01-06T09:00:00Z",
                    "priority": None,
                    "owner": "client",
                    "measure": None,
                    "attainable_because": None,
                    "relevant_because": None,
                    "start_on": "2026-01-06",
                    "target_on": None,
                    "within": None,
                    "concern_ids": [],
                    "follows_goal_id": None,
                    "latest": None,
                    "progress": None,
                    "objectives": [],
                    "paused_because_of": None,
                    "resume_check_on": None,
                    "evidence": None,
                    "replaced_by": None,
                    "interventions": [],
                    "due_on": None,
                    "baseline": None,
                    "target": None,
                    "at_risk": False,
                    "smart": {
                        "specific": "present",
                        "measurable": "missing",
                        "attainable": "missing",
                        "relevant": "missing",
                        "time_limited": "missing",
                    },
                    "suggestions": [
                        {"part": part, "suggestion": SUGGESTIONS[part]}
                        for part in ("measurable", "attainable", "relevant", "time_limited")
                    ],
                }
            ],
            "/signatures/last_material_version": 2,
        }
    ).tells("A goal was set: “Half an hour in the park, twice a week”.")


def test_a_whole_goal_shows_every_smart_part_as_present() -> None:
    """Measure, reasons, concerns and period are kept as given."""
    goal = a_goal(
        measure=OUTINGS,
        attainable_because="She manages the stairs",
        relevant_because="The dog needs it",
        start_on=date(2025, 12, 31),
        within="P2M",
        owner="family",
        concern_ids=(CONCERN,),
        follows_goal_id=OTHER_GOAL,
        priority=1,
    )
    given(opened(), PANIC, a_goal(OTHER_GOAL)).when(goal).then(
        {
            "/goals/1/measure": {
                "name": "outings",
                "unit": "times",
                "baseline": 0,
                "target": 2,
                "direction": "increase",
                "per": "week",
            },
            "/goals/1/baseline": 0,
            "/goals/1/target": 2,
            "/goals/1/attainable_because": "She manages the stairs",
            "/goals/1/relevant_because": "The dog needs it",
            "/goals/1/start_on": "2025-12-31",
            "/goals/1/within": "P2M",
            "/goals/1/due_on": "2026-02-28",
            "/goals/1/owner": "family",
            "/goals/1/concern_ids": [CONCERN],
            "/goals/1/follows_goal_id": OTHER_GOAL,
            "/goals/1/priority": 1,
            "/goals/1/smart": {
                "specific": "present",
                "measurable": "present",
                "attainable": "present",
                "relevant": "present",
                "time_limited": "present",
            },
            "/goals/1/suggestions": [],
        }
    )


@pytest.mark.parametrize(("end", "offered"), [((), 4), ((PAUSED,), 4), ((ACHIEVED,), 0)])
def test_what_is_missing_is_suggested_while_a_goal_is_worked_on(
    end: tuple[EntryData, ...], offered: int
) -> None:
    """An offer, never a demand; a goal that is over gets none."""
    spec = given(opened(), a_goal(), *end)
    suggestions = spec.document()["goals"][0]["suggestions"]
    assert len(suggestions) == offered
    assert all(held["suggestion"] for held in suggestions)


@pytest.mark.parametrize("part", [{"relevant_because": "The dog"}, {"concern_ids": (CONCERN,)}])
def test_a_goal_is_relevant_by_a_reason_or_by_its_concerns(part: dict[str, Any]) -> None:
    """Either makes the R in SMART present."""
    given(opened(), PANIC).when(a_goal(**part)).then({"/goals/0/smart/relevant": "present"})


def test_a_target_day_makes_a_goal_time_limited() -> None:
    """A day is as good as a period."""
    given(opened()).when(a_goal(target_on=date(2026, 3, 1))).then(
        {"/goals/0/due_on": "2026-03-01", "/goals/0/smart/time_limited": "present"}
    )


@pytest.mark.parametrize(
    ("period", "pointer"),
    [
        ({"target_on": date(2026, 3, 1), "within": "P2M"}, "/data/within"),
        ({"start_on": date(2026, 3, 2), "target_on": date(2026, 3, 1)}, "/data/target_on"),
        ({"target_on": date(2026, 1, 5)}, "/data/target_on"),
        ({"within": "two months"}, "/data/within"),
    ],
)
def test_a_goals_period_is_given_one_way_and_runs_forward(
    period: dict[str, Any], pointer: str
) -> None:
    """Two ends, an end before the beginning (the day it was set, if none is given): refused."""
    given(opened()).when(a_goal(**period)).refused(InvalidDataError, pointer)


def test_a_goal_may_last_a_single_day() -> None:
    """The period may end on the day it begins."""
    given(opened()).when(a_goal(target_on=date(2026, 1, 6))).then({"/goals/0/due_on": "2026-01-06"})


@pytest.mark.parametrize(
    ("link", "pointer"),
    [
        ({"concern_ids": (NOWHERE,)}, "/data/concern_ids/0"),
        ({"follows_goal_id": NOWHERE}, "/data/follows_goal_id"),
        ({"follows_goal_id": CONCERN}, "/data/follows_goal_id"),
    ],
)
def test_a_goal_names_only_concerns_and_goals_of_this_plan(
    link: dict[str, Any], pointer: str
) -> None:
    """Unknown ids and ids of another kind are refused."""
    given(opened(), PANIC).when(a_goal(**link)).refused(UnknownReferenceError, pointer)


@pytest.mark.parametrize("priority", [0, 101])
def test_a_priority_goes_from_1_to_100(priority: int) -> None:
    """Numbers outside are refused."""
    given(opened()).when(a_goal(priority=priority)).refused(InvalidDataError, "/data/priority")


def test_a_revised_goal_takes_the_fields_given_and_keeps_the_others() -> None:
    """Only what is given changes; the sentence names it."""
    given(opened(), a_goal(attainable_because="She can"), PANIC).when(
        GoalRevised(
            goal_id=GOAL,
            statement="An hour in the park",
            measure=OUTINGS,
            relevant_because="The dog",
            concern_ids=(CONCERN,),
            owner="couple",
            priority=2,
        ),
        reason="She wants more",
    ).then(
        {
            "/goals/0/statement": "An hour in the park",
            "/goals/0/measure/name": "outings",
            "/goals/0/attainable_because": "She can",
            "/goals/0/relevant_because": "The dog",
            "/goals/0/concern_ids": [CONCERN],
            "/goals/0/owner": "couple",
            "/goals/0/priority": 2,
            "/signatures/last_material_version": 4,
        }
    ).tells(
        "The goal “An hour in the park” was revised "
        "(statement, measure, relevant because, owner, concern ids, priority)."
    )


def test_a_revision_of_something_else_keeps_the_period() -> None:
    """Whether it was given as a day or as a length of time."""
    revised = GoalRevised(goal_id=GOAL, statement="An hour in the park")
    for period in ({"within": "P1M"}, {"target_on": date(2026, 2, 6)}):
        given(opened(), a_goal(**period)).when(revised, reason="She wants more").then(
            {"/goals/0/due_on": "2026-02-06"}
        )


def test_a_revision_can_take_all_concerns_off_a_goal() -> None:
    """An empty list is a change, also when read back."""
    given(opened(), PANIC, a_goal(concern_ids=(CONCERN,))).when(
        GoalRevised(goal_id=GOAL, concern_ids=()), reason="It is not about panic"
    ).then({"/goals/0/concern_ids": [], "/goals/0/smart/relevant": "missing"})


def test_a_revision_changes_something() -> None:
    """A revision without any field is refused."""
    given(opened(), a_goal()).when(GoalRevised(goal_id=GOAL), reason="Because").refused(
        InvalidDataError, "/data", "Say what changes"
    )


def test_a_revised_period_replaces_the_target_day_and_the_other_way_round() -> None:
    """A goal has one end: the one given last."""
    spec = given(opened(), a_goal(target_on=date(2026, 3, 1))).when(
        GoalRevised(goal_id=GOAL, within="P1M"), reason="Less time"
    )
    spec.then({"/goals/0/target_on": None, "/goals/0/due_on": "2026-02-06"})
    spec.when(GoalRevised(goal_id=GOAL, target_on=date(2026, 4, 1)), reason="More time").then(
        {"/goals/0/within": None, "/goals/0/due_on": "2026-04-01"}
    )


@pytest.mark.parametrize(
    ("period", "pointer"),
    [
        ({"target_on": date(2026, 4, 1), "within": "P2M"}, "/data/within"),
        ({"target_on": date(2026, 1, 5)}, "/data/target_on"),
        ({"start_on": date(2026, 3, 2)}, "/data/start_on"),
        ({"start_on": date(2026, 5, 1), "target_on": date(2026, 4, 1)}, "/data/target_on"),
    ],
)
def test_a_revised_period_still_runs_forward(period: dict[str, Any], pointer: str) -> None:
    """What is given is checked together with what the goal keeps."""
    given(opened(), a_goal(target_on=date(2026, 3, 1))).when(
        GoalRevised(goal_id=GOAL, **period), reason="Because"
    ).refused(InvalidDataError, pointer)


def test_a_period_can_begin_later_when_its_end_moves_too() -> None:
    """A new beginning with a new end is checked by itself."""
    given(opened(), a_goal(target_on=date(2026, 3, 1))).when(
        GoalRevised(goal_id=GOAL, start_on=date(2026, 3, 2), within="P1M"), reason="She was away"
    ).then({"/goals/0/start_on": "2026-03-02", "/goals/0/due_on": "2026-04-02"})


def test_reordered_goals_come_first_in_the_order_given() -> None:
    """The goals named get 1, 2, 3 …; the others follow as they were; those without stay without."""
    third, fourth = an_id("third"), an_id("fourth")
    given(
        opened(),
        a_goal(priority=2),
        a_goal(OTHER_GOAL, priority=1),
        a_goal(third, statement="Sleep through"),
        a_goal(fourth),
    ).when(GoalReprioritised(goal_ids=(third,)), reason="Nights are worst").then(
        {
            "/goals/0/priority": 3,
            "/goals/1/priority": 2,
            "/goals/2/priority": 1,
            "/goals/3/priority": None,
        }
    ).tells("The goals were put in a new order; first comes “Sleep through”.")


def test_an_order_touches_only_goals_whose_place_changes() -> None:
    """A goal that keeps its place was not changed by the new order."""
    spec = given(opened(), a_goal(priority=1), a_goal(OTHER_GOAL, priority=2)).when(
        GoalReprioritised(goal_ids=(GOAL, OTHER_GOAL)), reason="Said again"
    )
    assert [goal.touched for goal in spec.plan.state.goals.goals] == [2, 3]


@pytest.mark.parametrize("goal_ids", [(GOAL, GOAL), ()])
def test_an_order_names_each_goal_once(goal_ids: tuple[str, ...]) -> None:
    """No goal and the same goal twice are refused."""
    given(opened(), a_goal()).when(GoalReprioritised(goal_ids=goal_ids), reason="Because").refused(
        InvalidDataError, "/data/goal_ids"
    )


def test_an_order_names_only_goals_of_this_plan() -> None:
    """An unknown goal is refused where it stands."""
    given(opened(), a_goal()).when(
        GoalReprioritised(goal_ids=(GOAL, NOWHERE)), reason="Because"
    ).refused(UnknownReferenceError, "/data/goal_ids/1")


def test_a_step_towards_a_goal_is_agreed_and_made() -> None:
    """Objectives stand in their goal, open and then met."""
    spec = given(opened(), a_goal()).when(ADDED)
    spec.then(
        {
            "/goals/0/objectives": [
                {
                    "objective_id": STEP,
                    "text": "To the gate",
                    "due_on": "2026-02-01",
                    "met_at": None,
                    "note": None,
                }
            ]
        }
    ).tells("A step towards “Half an hour in the park, twice a week” was agreed: “To the gate”.")
    spec.when(ObjectiveMet(objective_id=STEP, note="In the rain")).then(
        {
            "/goals/0/objectives/0/met_at": "2026-01-08T09:00:00Z",
            "/goals/0/objectives/0/note": "In the rain",
        }
    ).tells("A step was made: “To the gate”.")
    assert spec.plan.state.goals.goals.touched == 4


def test_a_step_is_made_once() -> None:
    """Meeting it again is refused."""
    met = ObjectiveMet(objective_id=STEP)
    given(opened(), a_goal(OTHER_GOAL), a_goal(), ADDED, met).when(met).refused(
        TransitionError, "/data/objective_id"
    )


@pytest.mark.parametrize("objective_id", [NOWHERE, GOAL])
def test_only_agreed_steps_are_made(objective_id: str) -> None:
    """Unknown ids and ids of another kind are refused."""
    given(opened(), a_goal(), ADDED).when(ObjectiveMet(objective_id=objective_id)).refused(
        UnknownReferenceError, "/data/objective_id", "no objective of that id"
    )


def test_a_step_that_is_not_there_is_still_spoken_of() -> None:
    """A sentence can be told on a plan in which the step does not stand."""
    assert ObjectiveMet(objective_id=STEP).tell(PlanState()) == "A step was made."


def test_a_measured_value_is_the_goals_latest() -> None:
    """The value carries the measure's unit, who gave it and when."""
    given(opened(), a_goal(measure=OUTINGS)).when(
        MeasureRecorded(goal_id=GOAL, value=1.5, by="client", note="Half an outing")
    ).then(
        {
            "/goals/0/latest": {
                "value": 1.5,
                "unit": "times",
                "by": "client",
                "at": "2026-01-07T09:00:00Z",
            },
            "/scores": {},
        }
    ).tells("Measured (outings): 1.5 times.")


def test_a_value_can_bring_its_own_unit() -> None:
    """The unit given goes before that of the measure."""
    given(opened(), a_goal(measure=OUTINGS)).when(
        MeasureRecorded(goal_id=GOAL, value=90, unit="minutes", by="therapist")
    ).then({"/goals/0/latest/unit": "minutes"}).tells("Measured (outings): 90 minutes.")


def test_a_large_value_is_told_in_full() -> None:
    """Seven digits are not rounded to six."""
    given(opened(), a_goal()).when(
        MeasureRecorded(goal_id=GOAL, value=1_234_567, unit="steps", by="client")
    ).tells("Measured: 1234567 steps.")


def test_a_goal_without_a_measure_can_be_measured() -> None:
    """The value stands without a unit."""
    given(opened(), a_goal()).when(MeasureRecorded(goal_id=GOAL, value=3, by="client")).then(
        {"/goals/0/latest/unit": None}
    ).tells("Measured: 3.")


def test_the_newest_values_of_a_goal_are_kept() -> None:
    """A series is kept for the trend, and it does not grow without end."""
    values = [MeasureRecorded(goal_id=GOAL, value=value, by="client") for value in range(65)]
    spec = given(opened(), a_goal(), *values)
    kept = spec.plan.state.goals[GOAL].values
    assert len(kept) == KEPT_VALUES
    assert (kept[0].value, kept[-1].value) == (5, 64)
    assert (kept[-1].by, kept[-1].version, kept[-1].at) == ("client", 67, day(66))


@pytest.mark.parametrize(
    ("instrument", "name"),
    [("phq9", " (PHQ-9)"), ("gad7", " (GAD-7)"), ("other", "")],
)
def test_a_total_without_a_goal_is_kept_by_its_instrument(
    instrument: Instrument, name: str
) -> None:
    """The newest total of each instrument stands in the plan."""
    spec = given(opened(), MeasureRecorded(instrument=instrument, value=14, by="instrument"))
    spec.when(MeasureRecorded(instrument=instrument, value=11, unit="points", by="instrument"))
    spec.then(
        {
            f"/scores/{instrument}": {
                "instrument": instrument,
                "in_words": None,
                "value": 11,
                "unit": "points",
                "by": "instrument",
                "at": "2026-01-07T09:00:00Z",
            }
        }
    ).tells(f"Measured{name}: 11 points.")


def test_other_instruments_are_told_apart_by_their_names() -> None:
    """Each keeps its newest total."""
    who5 = MeasureRecorded(instrument="other", in_words="WHO-5", value=60, by="instrument")
    isi = MeasureRecorded(instrument="other", in_words="ISI", value=9, by="instrument")
    given(opened(), who5, isi).when(replace(who5, value=64)).then(
        {
            "/scores/other: WHO-5/value": 64,
            "/scores/other: WHO-5/in_words": "WHO-5",
            "/scores/other: ISI/value": 9,
        }
    ).tells("Measured (WHO-5): 64.")


@pytest.mark.parametrize(
    ("instrument", "value", "fits"),
    [
        ("phq9", 0, True),
        ("phq9", 27, True),
        ("phq9", 28, False),
        ("phq9", -1, False),
        ("phq9", 9.5, False),
        ("gad7", 21, True),
        ("gad7", 22, False),
        ("gad7", 21.0, True),
        ("other", -400.5, True),
    ],
)
@pytest.mark.parametrize("with_goal", ["named", "by measure", "none"])
def test_a_total_lies_in_its_instruments_range(
    instrument: Instrument, value: float, fits: bool, with_goal: str
) -> None:
    """PHQ-9 0 to 27, GAD-7 0 to 21, whole; whether named here or by the goal's measure."""
    measure = Measure(
        name="mood", unit="points", target=4, direction="decrease", instrument=instrument
    )
    spec = given(opened(), a_goal(measure=measure)).when(
        MeasureRecorded(
            goal_id=None if with_goal == "none" else GOAL,
            instrument=None if with_goal == "by measure" else instrument,
            value=value,
            by="instrument",
        )
    )
    if fits:
        spec.then({"/version": 3})
    else:
        spec.refused(InvalidDataError, "/data/value", "totals are whole numbers from 0 to 2")


def test_a_value_belongs_to_a_goal_or_an_instrument() -> None:
    """Neither is refused."""
    given(opened()).when(MeasureRecorded(value=3, by="client")).refused(
        InvalidDataError, "/data/goal_id"
    )


def test_the_newest_progress_is_current() -> None:
    """Direction and what it is seen from."""
    given(
        opened(), a_goal(), ProgressNoted(goal_id=GOAL, direction="unchanged", evidence="At home")
    ).when(ProgressNoted(goal_id=GOAL, direction="improving", evidence="Twice out")).then(
        {
            "/goals/0/progress": {
                "direction": "improving",
                "evidence": "Twice out",
                "at": "2026-01-08T09:00:00Z",
            }
        }
    ).tells("“Half an hour in the park, twice a week”: improving – “Twice out”.")


def test_a_paused_goal_rests_for_a_life_event_until_a_date() -> None:
    """Pausing names the event and the day to look again; that day is owed."""
    event = LifeEventNoted(
        life_event_id=EVENT, kind="bereavement", summary="Her father died", impact="high"
    )
    given(opened(), a_goal(), event).when(
        GoalPaused(goal_id=GOAL, because_of=EVENT, resume_check_on=date(2026, 3, 1)),
        reason="No strength for it now",
    ).then(
        {
            "/goals/0/status": "paused",
            "/goals/0/status_since": "2026-01-08T09:00:00Z",
            "/goals/0/paused_because_of": EVENT,
            "/goals/0/resume_check_on": "2026-03-01",
            "/signatures/last_material_version": 4,
        }
    ).owes("resume_check", about=GOAL, due_on="2026-03-01").tells(
        "The goal “Half an hour in the park, twice a week” was paused, "
        "to be looked at again on 2026-03-01."
    )


def test_a_paused_goal_can_get_a_new_date_and_stays_paused_since() -> None:
    """A new date keeps the event behind the pause and the day it began."""
    event = LifeEventNoted(life_event_id=EVENT, kind="job", summary="Night shifts", impact="low")
    given(
        opened(),
        a_goal(),
        event,
        GoalPaused(goal_id=GOAL, because_of=EVENT, resume_check_on=date(2026, 3, 1)),
    ).when(
        GoalPaused(goal_id=GOAL, resume_check_on=date(2026, 4, 1)), reason="Still on nights"
    ).then(
        {
            "/goals/0/status_since": "2026-01-08T09:00:00Z",
            "/goals/0/paused_because_of": EVENT,
            "/goals/0/resume_check_on": "2026-04-01",
        }
    )


def test_a_goal_is_paused_for_a_life_event_of_this_plan() -> None:
    """Something that is no life event is refused."""
    given(opened(), a_goal()).when(
        GoalPaused(goal_id=GOAL, because_of=GOAL), reason="Because"
    ).refused(UnknownReferenceError, "/data/because_of", "no life event of that id")


def test_a_resumed_goal_is_active_without_its_pause() -> None:
    """Nothing of the pause is left in the current plan."""
    given(
        opened(),
        a_goal(),
        LifeEventNoted(life_event_id=EVENT, kind="job", summary="Night shifts", impact="low"),
        GoalPaused(goal_id=GOAL, because_of=EVENT, resume_check_on=date(2026, 3, 1)),
    ).when(GoalResumed(goal_id=GOAL)).then(
        {
            "/goals/0/status": "active",
            "/goals/0/status_since": "2026-01-09T09:00:00Z",
            "/goals/0/paused_because_of": None,
            "/goals/0/resume_check_on": None,
            "/signatures/last_material_version": 5,
        }
    ).owes_no("resume_check").tells(
        "The goal “Half an hour in the park, twice a week” was taken up again."
    )


def test_an_achieved_goal_keeps_its_evidence_and_is_no_longer_at_risk() -> None:
    """Reaching a goal ends the risk a relapse put it in."""
    given(
        opened(),
        a_goal(),
        RelapseNoted(what_resurfaced="Panic", goal_ids=(GOAL,), severity="mild"),
    ).when(GoalAchieved(goal_id=GOAL, evidence="Three weeks in a row")).then(
        {
            "/goals/0/status": "achieved",
            "/goals/0/evidence": "Three weeks in a row",
            "/goals/0/at_risk": False,
            "/signatures/last_material_version": 4,
        }
    ).tells(
        "The goal “Half an hour in the park, twice a week” was reached: “Three weeks in a row”."
    )


def test_the_value_a_goal_was_reached_with_is_its_latest() -> None:
    """In the unit of its measure."""
    measure = Measure(name="outings", unit="times", target=2, direction="increase")
    given(opened(), a_goal(measure=measure)).when(
        GoalAchieved(goal_id=GOAL, evidence="Three weeks in a row", value=2)
    ).then(
        {
            "/goals/0/latest": {
                "value": 2,
                "unit": "times",
                "by": "therapist",
                "at": "2026-01-07T09:00:00Z",
            }
        }
    )


def test_a_goal_is_reached_with_a_value_of_its_measure() -> None:
    """Without a measure a value says nothing; an instrument's total keeps to its range."""
    reached = GoalAchieved(goal_id=GOAL, evidence="Three weeks in a row", value=28)
    given(opened(), a_goal()).when(reached).refused(InvalidDataError, "/data/value", "no measure")
    total = Measure(name="PHQ-9", unit="points", target=9, direction="decrease", instrument="phq9")
    given(opened(), a_goal(measure=total)).when(reached).refused(
        InvalidDataError, "/data/value", "from 0 to 27"
    )


def test_a_goal_lists_the_interventions_that_serve_it() -> None:
    """Agreed, swapped in, or adjusted to serve it; not those that were adjusted to serve another."""
    other = an_intervention(OTHER_INTERVENTION, goal_ids=(GOAL, OTHER_GOAL))
    spec = given(opened(), a_goal(), a_goal(OTHER_GOAL), an_intervention(), other)
    spec.then(
        {
            "/goals/0/interventions": [INTERVENTION, OTHER_INTERVENTION],
            "/goals/1/interventions": [OTHER_INTERVENTION],
        }
    )
    moved = InterventionAdjusted(intervention_id=INTERVENTION, goal_ids=(OTHER_GOAL,))
    spec.when(moved, reason="It fits there").then(
        {
            "/goals/0/interventions": [OTHER_INTERVENTION],
            "/goals/1/interventions": [OTHER_INTERVENTION, INTERVENTION],
        }
    )
    swap = InterventionSwapped(
        from_intervention_id=INTERVENTION,
        to=Agreement(
            intervention_id=an_id("third"),
            technique="walks",
            orientation="narrative",
            goal_ids=(GOAL,),
            format="individual",
            consent=Consent(given=True, explained_by="Dr Nadia Okafor"),
        ),
        decided_with="client",
    )
    spec.when(swap, reason="She asked for it").then(
        {"/goals/0/interventions": [OTHER_INTERVENTION, an_id("third")]}
    )


def test_what_was_reached_can_last() -> None:
    """The newest evidence is current; the goal stays achieved."""
    given(opened(), a_goal(), ACHIEVED).when(
        GoalSustained(goal_id=GOAL, evidence="All summer")
    ).then({"/goals/0/status": "achieved", "/goals/0/evidence": "All summer"}).tells(
        "“Half an hour in the park, twice a week” is holding: “All summer”."
    )


def test_what_was_reached_can_need_work_again() -> None:
    """A regressed goal is active."""
    given(opened(), a_goal(), ACHIEVED).when(
        GoalRegressed(goal_id=GOAL, evidence="Back indoors")
    ).then(
        {
            "/goals/0/status": "active",
            "/goals/0/evidence": "Back indoors",
            "/signatures/last_material_version": 4,
        }
    ).tells("“Half an hour in the park, twice a week” needs work again: “Back indoors”.")


def test_a_dropped_goal_names_its_successor_and_is_no_longer_at_risk() -> None:
    """Another goal may take its place."""
    given(
        opened(),
        a_goal(),
        a_goal(OTHER_GOAL),
        RelapseNoted(what_resurfaced="Panic", goal_ids=(GOAL,), severity="mild"),
    ).when(GoalDropped(goal_id=GOAL, replaced_by=OTHER_GOAL), reason="Too big").then(
        {
            "/goals/0/status": "dropped",
            "/goals/0/replaced_by": OTHER_GOAL,
            "/goals/0/at_risk": False,
            "/signatures/last_material_version": 5,
        }
    ).tells("The goal “Half an hour in the park, twice a week” was let go.")


def test_a_goal_cannot_replace_itself() -> None:
    """That would say nothing."""
    given(opened(), a_goal()).when(
        GoalDropped(goal_id=GOAL, replaced_by=GOAL), reason="Because"
    ).refused(InvalidDataError, "/data/replaced_by")


def test_a_replacement_is_a_goal_of_this_plan() -> None:
    """An unknown one is refused."""
    given(opened(), a_goal()).when(
        GoalDropped(goal_id=GOAL, replaced_by=NOWHERE), reason="Because"
    ).refused(UnknownReferenceError, "/data/replaced_by")


@pytest.mark.parametrize("end", [ACHIEVED, DROPPED])
def test_a_goal_ended_in_hindsight_warns_of_what_still_uses_it(end: EntryData) -> None:
    """Later entries stay as recorded and are named."""
    given(
        opened(),
        a_goal(),
        said(ProgressNoted(goal_id=GOAL, direction="mixed", evidence="So so"), now=day(10)),
    ).when(end, now=day(11), occurred_at=day(5), reason="Because").warns("ProgressNoted")


def test_a_goal_that_is_not_there_is_still_spoken_of() -> None:
    """A sentence can be told on a plan in which the goal does not stand."""
    assert GoalResumed(goal_id=GOAL).tell(PlanState()) == "The goal “…” was taken up again."
    told = MeasureRecorded(goal_id=GOAL, value=2, by="client").tell(PlanState())
    assert told == "Measured: 2."


def test_a_goal_can_be_looked_up_in_the_state() -> None:
    """By its id, or not at all."""
    goals = given(opened(), a_goal()).plan.state.goals
    assert goals[GOAL] is goals.get(GOAL)
    assert goals.get(NOWHERE) is None
    assert goals.get(None) is None
