"""Emergency access: taken for an hour at most, seen by everybody in the plan, reviewed in three days."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.emergency import EmergencyAccessReviewed, EmergencyAccessTaken
from domain.entry import Author
from domain.errors import InvalidDataError, NotYoursError, TransitionError, UnknownReferenceError
from domain.lifecycle import PlanCompleted
from domain.obligations import obligations
from domain.policy import Policy
from domain.record import EntryCorrected, EntryMarkedInError
from tests.domain.specs import (
    COLLEAGUE,
    NOWHERE,
    SUPERVISOR,
    THERAPIST,
    a_goal,
    an_id,
    day,
    entry_id,
    given,
    opened,
    said,
)

OFFICER = Author(member_id=an_id("officer"), name="Sasha Reed", role="privacy_officer")
AUDITOR = Author(member_id=an_id("auditor"), name="Kim Sample", role="auditor")
ADMIN = Author(member_id=an_id("admin"), name="Robin Sample", role="admin")
TAKEN = said(EmergencyAccessTaken(why="She is at the desk", minutes=30), by=COLLEAGUE)
JUSTIFIED = EmergencyAccessReviewed(access_entry_id=entry_id(2), finding="justified")
COMPLETED = PlanCompleted(outcome="goals_met", summary="Done")


def test_an_emergency_access_stands_in_the_plan_with_its_end() -> None:
    """Who looked in, why, when, and until when they could."""
    given(opened()).when(TAKEN.data, by=COLLEAGUE).then(
        {
            "/emergency_access": [
                {
                    "entry_id": entry_id(2),
                    "at": "2026-01-06T09:00:00Z",
                    "by": {"member_id": COLLEAGUE.member_id, "name": "Jo Marsh"},
                    "why": "She is at the desk",
                    "expires_at": "2026-01-06T09:30:00Z",
                    "status": "open",
                    "finding": None,
                    "reviewed_at": None,
                }
            ]
        }
    ).tells("Emergency access was taken for 30 minutes: “She is at the desk”.")


def test_it_lasts_an_hour_unless_less_is_asked_for() -> None:
    """Longer than an hour is refused, and so is no time at all."""
    given(opened()).when(EmergencyAccessTaken(why="The desk"), by=COLLEAGUE).then(
        {"/emergency_access/0/expires_at": "2026-01-06T10:00:00Z"}
    )
    for minutes in (0, 61):
        longer = EmergencyAccessTaken(why="The desk", minutes=minutes)
        given(opened()).when(longer, by=COLLEAGUE).refused(InvalidDataError, "/data/minutes")


def test_it_is_active_for_its_minutes_and_its_member_alone() -> None:
    """From the moment it was taken until just before its end, for nobody else."""
    state = given(opened(), TAKEN).plan.state
    ends = day(1) + timedelta(minutes=30)
    tick = timedelta(microseconds=1)
    member = COLLEAGUE.member_id
    moments = (day(1) - tick, day(1), ends - tick, ends)
    held = [state.emergency.active(member, moment) for moment in moments]
    assert held == [False, True, True, False]
    assert not state.emergency.active(THERAPIST.member_id, day(1))


def test_an_access_entered_in_error_gives_no_access() -> None:
    """Nor is a review owed."""
    mark = said(EntryMarkedInError(entry_id=entry_id(2)), by=OFFICER)
    spec = given(opened(), TAKEN, mark)
    assert not spec.plan.state.emergency.active(COLLEAGUE.member_id, day(1))
    spec.then({"/emergency_access": []}).owes_no("emergency_review")


@pytest.mark.parametrize("author", [OFFICER, AUDITOR, ADMIN], ids=lambda who: who.role)
def test_it_is_for_those_who_treat_people(author: Author) -> None:
    """Whoever else has to see a plan has other ways."""
    given(opened()).when(TAKEN.data, by=author).refused(NotYoursError, "/type", "clinicians")


@pytest.mark.parametrize("author", [THERAPIST, SUPERVISOR], ids=lambda who: who.role)
def test_who_is_part_of_the_plan_needs_no_emergency(author: Author) -> None:
    """The plan's therapist and supervisor see it anyway."""
    plan = given(opened(supervisor_id=SUPERVISOR.member_id))
    plan.when(TAKEN.data, by=author).refused(TransitionError, "/type", "is yours")


@pytest.mark.parametrize("author", [OFFICER, AUDITOR], ids=lambda who: who.role)
def test_it_is_reviewed_by_a_privacy_officer_or_auditor(author: Author) -> None:
    """With what they found; then nothing is owed any more."""
    spec = given(opened(), TAKEN).owes("emergency_review", due_on="2026-01-09", about=entry_id(2))
    spec.when(JUSTIFIED, by=author).then(
        {
            "/emergency_access/0/status": "reviewed",
            "/emergency_access/0/finding": "justified",
            "/emergency_access/0/reviewed_at": "2026-01-07T09:00:00Z",
        }
    ).owes_no("emergency_review").tells("An emergency access was reviewed: justified.")


def test_a_review_may_say_more() -> None:
    """In words of its own."""
    data = EmergencyAccessReviewed(
        access_entry_id=entry_id(2), finding="not_justified", note="She knew the number"
    )
    given(opened(), TAKEN).when(data, by=OFFICER).tells(
        "An emergency access was reviewed: not justified: “She knew the number”."
    )


def test_it_is_reviewed_once_and_by_nobody_else() -> None:
    """Not by those who treat, and not by whoever looked in, whatever they are by now."""
    given(opened(), TAKEN).when(JUSTIFIED, by=THERAPIST).refused(NotYoursError, "/type")
    promoted = Author(member_id=COLLEAGUE.member_id, name="Jo Marsh", role="auditor")
    given(opened(), TAKEN).when(JUSTIFIED, by=promoted).refused(NotYoursError, "/type", "own")
    given(opened(), TAKEN, said(JUSTIFIED, by=OFFICER)).when(JUSTIFIED, by=AUDITOR).refused(
        TransitionError, "/data/access_entry_id", "already"
    )


@pytest.mark.parametrize("access_entry_id", [NOWHERE, entry_id(1)])
def test_a_review_is_of_an_emergency_access_of_this_plan(access_entry_id: str) -> None:
    """Unknown ids and other entries are refused."""
    data = EmergencyAccessReviewed(access_entry_id=access_entry_id, finding="unclear")
    given(opened(), TAKEN).when(data, by=OFFICER).refused(
        UnknownReferenceError, "/data/access_entry_id"
    )


def test_the_review_is_owed_by_the_clinics_own_number_of_days() -> None:
    """Three days unless its policy says otherwise."""
    (owed,) = given(opened(), TAKEN).owed("emergency_review", Policy(emergency_review_days=1))
    assert owed["due_on"] == "2026-01-07"


def test_a_plan_that_is_over_takes_both_and_still_owes_the_review() -> None:
    """It is owed for the record's sake, not for the work's; nothing else is."""
    spec = given(opened(), COMPLETED).when(TAKEN.data, by=COLLEAGUE)
    assert [held.kind for held in obligations(spec.plan.state)] == ["emergency_review"]
    reviewed = EmergencyAccessReviewed(access_entry_id=entry_id(3), finding="unclear")
    spec.when(reviewed, by=OFFICER).owes_no("emergency_review")


def test_who_looked_in_does_not_rewrite_it() -> None:
    """Corrections and marks are for those who review it; the therapist cannot take it out either."""
    spec = given(opened(), TAKEN, a_goal())
    correction = EntryCorrected(entry_id=entry_id(2), data={"minutes": 60})
    mark = EntryMarkedInError(entry_id=entry_id(2))
    for author in (COLLEAGUE, THERAPIST):
        for data in (correction, mark):
            spec.when(data, by=author, reason="A slip").refused(
                NotYoursError, "/data/entry_id", "addendum"
            )
    spec.when(correction, by=OFFICER, reason="A slip").then(
        {"/emergency_access/0/expires_at": "2026-01-06T10:00:00Z"}
    )
