"""Lifecycle: a plan is paused, resumed, completed, discontinued, reopened, superseded."""

from __future__ import annotations

import pytest

from domain.course import SetbackNoted
from domain.entry import EntryData
from domain.errors import (
    InvalidDataError,
    PlanClosedError,
    ReasonRequiredError,
    TransitionError,
)
from domain.lifecycle import (
    PlanCompleted,
    PlanDiscontinued,
    PlanPaused,
    PlanReopened,
    PlanResumed,
    PlanSuperseded,
)
from domain.record import EntryMarkedInError
from domain.signatures import PlanAgreed
from tests.domain.specs import (
    PLAN,
    a_goal,
    an_id,
    day,
    entry_id,
    given,
    opened,
    said,
)

AGREED = PlanAgreed(by="client", of_version=1)
COMPLETED = PlanCompleted(outcome="goals_met", summary="She takes the tram")
DISCONTINUED = PlanDiscontinued(summary="She moved away")
SUPERSEDED = PlanSuperseded(by_plan_id=an_id("next plan"))
CLOSINGS = {"completed": COMPLETED, "discontinued": DISCONTINUED, "superseded": SUPERSEDED}


def test_a_paused_plan_rests() -> None:
    """With a word on it, or without."""
    given(opened()).when(PlanPaused(note="Six weeks at the sea")).then(
        {"/status": "paused", "/status_since": "2026-01-06T09:00:00Z"}
    ).tells("The plan was paused: “Six weeks at the sea”.")
    given(opened()).when(PlanPaused()).tells("The plan was paused.")


def test_a_plan_is_paused_once() -> None:
    """A paused plan cannot be paused."""
    given(opened(), PlanPaused()).when(PlanPaused()).refused(TransitionError, "/type")


def test_a_resumed_plan_is_what_it_was() -> None:
    """A draft is a draft again, an agreed plan is active."""
    given(opened(), PlanPaused()).when(PlanResumed(note="Back")).then(
        {"/status": "draft", "/status_since": "2026-01-07T09:00:00Z"}
    ).tells("Work on the plan was taken up again: “Back”.")
    given(opened(), AGREED, PlanPaused()).when(PlanResumed()).then({"/status": "active"}).tells(
        "Work on the plan was taken up again."
    )


def test_a_plan_agreed_while_paused_stays_paused_and_then_is_active() -> None:
    """The agreement is not lost."""
    spec = given(opened(), PlanPaused()).when(AGREED)
    spec.then({"/status": "paused", "/status_since": "2026-01-06T09:00:00Z"})
    spec.when(PlanResumed()).then({"/status": "active"})


@pytest.mark.parametrize(("before", "status"), [((), "draft"), ((AGREED,), "active")])
def test_only_a_paused_plan_is_resumed(before: tuple[EntryData, ...], status: str) -> None:
    """A plan at work cannot be resumed."""
    given(opened(), *before).when(PlanResumed()).refused(
        TransitionError, "/type", f"this one is {status}"
    )


def test_a_completed_plan_says_what_came_of_it() -> None:
    """Outcome and summary stand in the plan."""
    given(opened(), AGREED).when(COMPLETED).then(
        {
            "/status": "completed",
            "/outcome": "goals_met",
            "/outcome_summary": "She takes the tram",
        }
    ).tells("The plan was completed (goals met): “She takes the tram”.")


def test_a_discontinued_plan_ends_for_a_reason() -> None:
    """With a summary or without."""
    given(opened()).when(DISCONTINUED, reason="New job up north").then(
        {
            "/status": "discontinued",
            "/outcome": None,
            "/outcome_summary": "She moved away",
        }
    ).tells("The plan was discontinued: “She moved away”.")
    given(opened()).when(PlanDiscontinued(), reason="No word since May").tells(
        "The plan was discontinued."
    )


def test_a_superseded_plan_names_the_one_in_its_place() -> None:
    """The successor is a plan of its own."""
    given(opened()).when(SUPERSEDED).then(
        {"/status": "superseded", "/superseded_by": an_id("next plan")}
    ).tells("Another plan took this plan's place.")


def test_a_plan_cannot_supersede_itself() -> None:
    """Its own id is refused."""
    given(opened()).when(PlanSuperseded(by_plan_id=PLAN)).refused(
        TransitionError, "/data/by_plan_id"
    )


def test_a_successor_is_named_by_uuid() -> None:
    """Anything else is refused."""
    given(opened()).when(PlanSuperseded(by_plan_id="the next one")).refused(
        InvalidDataError, "/data/by_plan_id"
    )


@pytest.mark.parametrize("data", [DISCONTINUED, PlanReopened()])
def test_ending_early_and_reopening_need_their_reason(data: EntryData) -> None:
    """Why has to be said."""
    before = (COMPLETED,) if isinstance(data, PlanReopened) else ()
    given(opened(), *before).when(data).refused(ReasonRequiredError, "/reason")


@pytest.mark.parametrize("closing", CLOSINGS.values(), ids=CLOSINGS)
def test_a_reopened_plan_is_at_work_without_its_end(closing: EntryData) -> None:
    """Outcome and successor are gone from the current plan; what was agreed may have changed."""
    given(opened(), AGREED, closing).when(PlanReopened(), reason="It came back").then(
        {
            "/status": "active",
            "/outcome": None,
            "/outcome_summary": None,
            "/superseded_by": None,
            "/signatures/last_material_version": 4,
        }
    ).tells("The plan was reopened.")


def test_a_reopened_draft_is_a_draft() -> None:
    """It never was agreed or signed."""
    given(opened(), COMPLETED).when(PlanReopened(), reason="Too early").then({"/status": "draft"})


def test_only_a_plan_that_is_over_is_reopened() -> None:
    """Neither a draft nor a paused plan is."""
    given(opened()).when(PlanReopened(), reason="Hm").refused(TransitionError, "/type")
    given(opened(), PlanPaused()).when(PlanReopened(), reason="Hm").refused(
        TransitionError, "/type"
    )


@pytest.mark.parametrize("status", CLOSINGS)
@pytest.mark.parametrize(
    "data", [a_goal(), PlanPaused(), COMPLETED, DISCONTINUED, SUPERSEDED, SetbackNoted(what="x")]
)
def test_a_plan_that_is_over_takes_no_more_work(data: EntryData, status: str) -> None:
    """It has to be reopened first."""
    given(opened(), CLOSINGS[status]).when(data, reason="Because").refused(
        PlanClosedError, "/type", f"The plan is {status}"
    )


def test_a_plan_whose_opening_was_in_error_takes_nothing_but_the_record() -> None:
    """Not even a reopening: the mark is to be marked in error."""
    spec = given(opened(), EntryMarkedInError(entry_id=entry_id(1)))
    spec.then({"/status": "entered_in_error"})
    for data in (PlanReopened(), AGREED, a_goal()):
        spec.when(data, reason="Hm").refused(PlanClosedError, "/type", "entered in error")
    spec.when(EntryMarkedInError(entry_id=entry_id(2)), reason="It is the right chart").then(
        {"/status": "draft"}
    )


def test_what_happened_before_the_end_can_still_be_noted_late() -> None:
    """A late entry is decided against the plan as it was then."""
    spec = given(opened(), said(COMPLETED, now=day(10)))
    spec.when(a_goal(), now=day(11), occurred_at=day(5)).then(
        {"/status": "completed", "/goals/0/status": "active"}
    )


@pytest.mark.parametrize("closing", CLOSINGS.values(), ids=CLOSINGS)
def test_a_plan_ended_in_hindsight_warns_of_everything_later(closing: EntryData) -> None:
    """Whatever counts after its end still uses the plan."""
    given(opened(), said(a_goal(), now=day(10)), said(SetbackNoted(what="Rain"), now=day(11))).when(
        closing, now=day(12), occurred_at=day(5), reason="Because"
    ).warns("GoalSet", "SetbackNoted")
