"""Course: relapse, setback, plateau, resistance, life events, focus, safety, observations."""

from __future__ import annotations

from datetime import date

import pytest

from domain.course import (
    FocusShifted,
    InsightShared,
    LifeEventEased,
    LifeEventNoted,
    ObservationRecorded,
    PlateauAnswered,
    PlateauNoted,
    RelapseNoted,
    ResistanceExplored,
    ResistanceNoted,
    SafetyConcernNoted,
    SafetyConcernResolved,
    SelfReportRecorded,
    SetbackNoted,
)
from domain.entry import EntryData
from domain.errors import (
    InvalidDataError,
    ReasonRequiredError,
    TransitionError,
    UnknownReferenceError,
)
from domain.goals import GoalPaused
from domain.opening import ConcernIdentified
from domain.record import EntryMarkedInError
from domain.state import PlanState
from tests.domain.specs import (
    CONCERN,
    GOAL,
    NOWHERE,
    OTHER_GOAL,
    a_goal,
    an_id,
    day,
    entry_id,
    given,
    opened,
    said,
)

EVENT = an_id("event")
PANIC = ConcernIdentified(concern_id=CONCERN, description="Panic on the way out")
RELAPSE = RelapseNoted(what_resurfaced="Panic at the door", goal_ids=(GOAL,), severity="moderate")
PLATEAU = PlateauNoted(goal_id=GOAL, window="the last six weeks", detected_by="client")
HOLDING = ResistanceNoted(about="the tram", reason="not_ready", words="Not that")
FATHER = LifeEventNoted(
    life_event_id=EVENT,
    kind="bereavement",
    summary="Her father died",
    impact="high",
    affected_goal_ids=(GOAL,),
)
RISK = SafetyConcernNoted(
    concern="Thoughts of not waking up", level="high", actions_taken="Safety plan, phone list"
)


def test_a_relapse_opens_a_re_evaluation_and_puts_the_goals_named_at_risk() -> None:
    """A fact, not a failure; due at once, within seven days."""
    given(opened(), PANIC, a_goal(), a_goal(OTHER_GOAL)).when(
        RelapseNoted(
            what_resurfaced="Panic at the door",
            goal_ids=(GOAL,),
            concern_ids=(CONCERN,),
            severity="moderate",
            onset_on=date(2026, 1, 9),
            triggers=("a crowded tram",),
            indicators="She no longer opens the blinds",
        )
    ).then(
        {
            "/relapses": [
                {
                    "entry_id": entry_id(5),
                    "what_resurfaced": "Panic at the door",
                    "severity": "moderate",
                    "goal_ids": [GOAL],
                    "concern_ids": [CONCERN],
                    "onset_on": "2026-01-09",
                    "triggers": ["a crowded tram"],
                    "indicators": "She no longer opens the blinds",
                    "noted_at": "2026-01-09T09:00:00Z",
                    "status": "open",
                    "reviewed_at": None,
                }
            ],
            "/goals/0/at_risk": True,
            "/goals/1/at_risk": False,
        }
    ).owes("reevaluation", about=entry_id(5), due_on="2026-01-16").tells(
        "A moderate relapse was noted: “Panic at the door”."
    )


def test_a_relapse_does_not_begin_after_it_was_noted() -> None:
    """Its onset lies on the day it occurred or before."""
    given(opened(), a_goal()).when(
        RelapseNoted(what_resurfaced="Panic", severity="mild", onset_on=date(2026, 1, 8))
    ).refused(InvalidDataError, "/data/onset_on")


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        (RELAPSE, "/data/goal_ids/0"),
        (
            RelapseNoted(what_resurfaced="Panic", concern_ids=(NOWHERE,), severity="mild"),
            "/data/concern_ids/0",
        ),
        (PLATEAU, "/data/goal_id"),
        (FATHER, "/data/affected_goal_ids/0"),
        (LifeEventEased(life_event_id=EVENT), "/data/life_event_id"),
        (InsightShared(text="It was never the tram", goal_ids=(GOAL,)), "/data/goal_ids/0"),
        (PlateauAnswered(plateau_entry_id=NOWHERE, answer="wait"), "/data/plateau_entry_id"),
        (
            ResistanceExplored(resistance_entry_id=NOWHERE, understanding="Fear"),
            "/data/resistance_entry_id",
        ),
        (
            SafetyConcernResolved(safety_entry_id=NOWHERE, summary="Over"),
            "/data/safety_entry_id",
        ),
    ],
)
def test_the_course_names_only_what_this_plan_has(data: EntryData, pointer: str) -> None:
    """Unknown goals, concerns, life events and entries are refused where they stand."""
    given(opened()).when(data).refused(UnknownReferenceError, pointer)


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        (
            PlateauAnswered(plateau_entry_id=entry_id(3), answer="wait"),
            "/data/plateau_entry_id",
        ),
        (
            ResistanceExplored(resistance_entry_id=entry_id(3), understanding="Fear"),
            "/data/resistance_entry_id",
        ),
        (
            SafetyConcernResolved(safety_entry_id=entry_id(3), summary="Over"),
            "/data/safety_entry_id",
        ),
    ],
)
def test_an_answer_belongs_to_its_own_question(data: EntryData, pointer: str) -> None:
    """A relapse is neither a plateau nor resistance nor a safety concern."""
    given(opened(), a_goal(), RELAPSE).when(data).refused(UnknownReferenceError, pointer)


def test_a_relapse_stays_when_a_goal_it_mentions_was_in_error() -> None:
    """Mentioning is not being about: the relapse is still noted."""
    given(opened(), a_goal(), RELAPSE).when(
        EntryMarkedInError(entry_id=entry_id(2)), reason="Wrong chart"
    ).then({"/goals": [], "/relapses/0/goal_ids": [GOAL]})


def test_a_setback_is_noted_and_opens_nothing() -> None:
    """A step back is neutral."""
    spec = given(opened(), a_goal())
    before = spec.document()["obligations"]
    spec.when(SetbackNoted(what="Two days indoors", meaning="Rain wears her out")).then(
        {
            "/setbacks": [
                {
                    "entry_id": entry_id(3),
                    "at": "2026-01-07T09:00:00Z",
                    "what": "Two days indoors",
                    "meaning": "Rain wears her out",
                }
            ],
            "/obligations": before,
        }
    ).tells("A setback: “Two days indoors”.")


def test_a_plateau_is_owed_an_answer() -> None:
    """It names the goal, since when, and who saw it."""
    given(opened(), a_goal()).when(PLATEAU).then(
        {
            "/plateaus": [
                {
                    "entry_id": entry_id(3),
                    "goal_id": GOAL,
                    "window": "the last six weeks",
                    "detected_by": "client",
                    "raised_at": "2026-01-07T09:00:00Z",
                    "status": "open",
                    "answered_at": None,
                }
            ]
        }
    ).owes("answer_plateau", about=entry_id(3), due_on="2026-01-21").tells(
        "A plateau with “Half an hour in the park, twice a week” (the last six weeks)."
    )


def test_an_answered_plateau_owes_nothing() -> None:
    """The answer stands beside the plateau."""
    given(opened(), a_goal(), PLATEAU).when(
        PlateauAnswered(plateau_entry_id=entry_id(3), answer="go_deeper", note="Ask about May")
    ).then(
        {
            "/plateaus/0/status": "answered",
            "/plateaus/0/answered_at": "2026-01-08T09:00:00Z",
            "/plateaus/0/answer": "go_deeper",
            "/plateaus/0/note": "Ask about May",
        }
    ).owes_no("answer_plateau").tells("The plateau was answered: go deeper.")


def test_holding_back_is_to_be_explored() -> None:
    """What it is about, what may be behind it, and the words."""
    given(opened()).when(HOLDING).then(
        {
            "/resistances/0/about": "the tram",
            "/resistances/0/reason": "not_ready",
            "/resistances/0/words": "Not that",
            "/resistances/0/status": "open",
        }
    ).owes("answer_resistance", about=entry_id(2), due_on="2026-01-20").tells(
        "Holding back was noticed about the tram (not ready)."
    )


def test_explored_holding_back_owes_nothing() -> None:
    """What was understood stands beside it."""
    given(opened(), HOLDING).when(
        ResistanceExplored(resistance_entry_id=entry_id(2), understanding="She fainted there once")
    ).then(
        {
            "/resistances/0/status": "answered",
            "/resistances/0/understanding": "She fainted there once",
        }
    ).owes_no("answer_resistance").tells("The holding back was explored: “She fainted there once”.")


@pytest.mark.parametrize(
    ("raised", "answer", "pointer"),
    [
        (
            PLATEAU,
            PlateauAnswered(plateau_entry_id=entry_id(3), answer="wait"),
            "/data/plateau_entry_id",
        ),
        (
            HOLDING,
            ResistanceExplored(resistance_entry_id=entry_id(3), understanding="Fear"),
            "/data/resistance_entry_id",
        ),
        (
            RISK,
            SafetyConcernResolved(safety_entry_id=entry_id(3), summary="Over"),
            "/data/safety_entry_id",
        ),
        (
            FATHER,
            LifeEventEased(life_event_id=EVENT),
            "/data/life_event_id",
        ),
    ],
)
def test_what_is_answered_is_answered_once(
    raised: EntryData, answer: EntryData, pointer: str
) -> None:
    """A second answer is refused."""
    given(opened(), a_goal(), raised, answer).when(answer).refused(TransitionError, pointer)


def test_a_life_event_is_present_until_it_eases() -> None:
    """It names what it weighs on."""
    spec = given(opened(), a_goal()).when(FATHER)
    spec.then(
        {
            "/life_events": [
                {
                    "life_event_id": EVENT,
                    "kind": "bereavement",
                    "summary": "Her father died",
                    "impact": "high",
                    "affected_goal_ids": [GOAL],
                    "since": "2026-01-07T09:00:00Z",
                    "status": "present",
                    "eased_at": None,
                    "eased": None,
                }
            ]
        }
    ).tells("A life event (bereavement, high impact): “Her father died”.")
    spec.when(LifeEventEased(life_event_id=EVENT, summary="She sleeps again")).then(
        {
            "/life_events/0/status": "eased",
            "/life_events/0/eased_at": "2026-01-08T09:00:00Z",
            "/life_events/0/eased": "She sleeps again",
        }
    ).tells("The life event “Her father died” has eased.")


def test_a_life_event_that_eased_in_hindsight_warns_of_what_still_rests_on_it() -> None:
    """A later pause because of it is named."""
    given(
        opened(), a_goal(), FATHER, said(GoalPaused(goal_id=GOAL, because_of=EVENT), now=day(10))
    ).when(LifeEventEased(life_event_id=EVENT), now=day(11), occurred_at=day(5)).warns("GoalPaused")


def test_a_life_event_that_is_not_there_is_still_spoken_of() -> None:
    """A sentence can be told on a plan in which the event does not stand."""
    eased = LifeEventEased(life_event_id=EVENT)
    assert eased.tell(PlanState()) == "The life event has eased."


def test_the_focus_turns_with_its_reason() -> None:
    """The newest focus is current, since when it turned."""
    spec = given(opened()).when(FocusShifted(to="coping"), reason="First things first")
    spec.then({"/focus": "coping", "/focus_since": "2026-01-06T09:00:00Z"})
    spec.tells("The focus turned to coping.")
    spec.when(FocusShifted(from_="coping", to="space_to_think"), reason="She is calmer").then(
        {"/focus": "space_to_think", "/focus_since": "2026-01-07T09:00:00Z"}
    ).tells("The focus turned from coping to space to think.")


def test_the_focus_can_be_put_in_words() -> None:
    """They go with the next turn."""
    spec = given(opened()).when(
        FocusShifted(to="practical", in_words="Finding a flat"), reason="The house is sold"
    )
    spec.then({"/focus": "practical", "/focus_in_words": "Finding a flat"})
    spec.tells("The focus turned to practical: “Finding a flat”.")
    spec.when(FocusShifted(to="coping"), reason="Found").then({"/focus_in_words": None})


def test_turning_the_focus_needs_its_reason() -> None:
    """Why the sessions turn has to be said."""
    given(opened()).when(FocusShifted(to="coping")).refused(ReasonRequiredError, "/reason")


def test_a_late_note_of_an_earlier_focus_does_not_override_the_newer_one() -> None:
    """The plan is true by when things happened, not by when they were written down."""
    given(opened(), said(FocusShifted(to="grief"), now=day(10))).when(
        FocusShifted(to="skills"), now=day(11), occurred_at=day(4), reason="Noted late"
    ).then({"/focus": "grief", "/focus_since": "2026-01-15T09:00:00Z"})


def test_a_high_safety_concern_is_owed_a_review_within_a_day() -> None:
    """What was done at once stands beside it."""
    given(opened()).when(RISK).then(
        {
            "/safety_concerns": [
                {
                    "entry_id": entry_id(2),
                    "concern": "Thoughts of not waking up",
                    "level": "high",
                    "actions_taken": "Safety plan, phone list",
                    "raised_at": "2026-01-06T09:00:00Z",
                    "status": "open",
                    "answered_at": None,
                }
            ]
        }
    ).owes("safety_review", about=entry_id(2), due_on="2026-01-07").tells(
        "A high safety concern: “Thoughts of not waking up”."
    )


def test_a_resolved_safety_concern_owes_no_review() -> None:
    """Its end is told beside it."""
    given(opened(), RISK).when(
        SafetyConcernResolved(safety_entry_id=entry_id(2), summary="No such thoughts for weeks")
    ).then(
        {
            "/safety_concerns/0/status": "answered",
            "/safety_concerns/0/answered_at": "2026-01-07T09:00:00Z",
            "/safety_concerns/0/summary": "No such thoughts for weeks",
        }
    ).owes_no("safety_review").tells(
        "The safety concern was resolved: “No such thoughts for weeks”."
    )


def test_an_observation_is_the_therapists_view() -> None:
    """Kind and words."""
    given(opened()).when(
        ObservationRecorded(kind="deeper_issue", text="She apologises for everything")
    ).then(
        {
            "/observations/0/kind": "deeper_issue",
            "/observations/0/text": "She apologises for everything",
        }
    ).tells("Observed (deeper issue): “She apologises for everything”.")


def test_a_self_report_is_the_clients_view() -> None:
    """Words, and mood when it is given – 0 is a mood, too."""
    spec = given(opened()).when(SelfReportRecorded(text="A grey week", mood=0))
    spec.then({"/self_reports/0/text": "A grey week", "/self_reports/0/mood": 0})
    spec.tells("In the client's own words (mood 0 of 10): “A grey week”.")
    spec.when(SelfReportRecorded(text="Better")).tells("In the client's own words: “Better”.")


@pytest.mark.parametrize("mood", [-1, 11])
def test_mood_goes_from_0_to_10(mood: int) -> None:
    """Numbers outside are refused."""
    given(opened()).when(SelfReportRecorded(text="A grey week", mood=mood)).refused(
        InvalidDataError, "/data/mood"
    )


def test_an_insight_is_kept_with_the_goals_it_bears_on() -> None:
    """A breakthrough."""
    given(opened(), a_goal()).when(
        InsightShared(text="It was never the tram", goal_ids=(GOAL,))
    ).then({"/insights/0/text": "It was never the tram", "/insights/0/goal_ids": [GOAL]}).tells(
        "An insight: “It was never the tram”."
    )


def test_the_plan_shows_the_newest_twenty_notes_of_a_kind() -> None:
    """The timeline keeps them all."""
    notes = [SetbackNoted(what=f"Setback {n}") for n in range(22)]
    shown = given(opened(), *notes).document()["setbacks"]
    assert [held["what"] for held in shown] == [f"Setback {n}" for n in range(2, 22)]
