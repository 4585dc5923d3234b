"""Reviews: scheduled and held, formal or called for, and check-ins."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.course import RelapseNoted, SafetyConcernNoted, SafetyConcernResolved, SetbackNoted
from domain.errors import (
    InvalidDataError,
    PlanHistoryError,
    TransitionError,
    UnknownReferenceError,
)
from domain.record import EntryMarkedInError
from domain.reviews import CheckInHeld, ReviewHeld, ReviewKind, ReviewScheduled
from tests.domain.specs import GOAL, NOWHERE, a_goal, an_id, day, entry_id, given, opened, said

REVIEW = an_id("review")
PLANNED = ReviewScheduled(review_id=REVIEW, kind="formal", due_on=date(2026, 7, 1))
HELD = ReviewHeld(
    kind="formal",
    participants=("Mira T.", "Dr Nadia Okafor"),
    client_participated=True,
    summary="Half the way",
)
RELAPSE = RelapseNoted(what_resurfaced="Panic at the door", goal_ids=(GOAL,), severity="moderate")
RISK = SafetyConcernNoted(
    concern="Thoughts of not waking up", level="high", actions_taken="Safety plan"
)


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("formal", "A formal review"),
        ("life_event", "A life event review"),
        ("ad_hoc", "An ad hoc review"),
    ],
)
def test_a_review_is_planned_for_a_day(kind: ReviewKind, named: str) -> None:
    """It stands among those to come."""
    given(opened()).when(
        ReviewScheduled(review_id=REVIEW, kind=kind, due_on=date(2026, 7, 1))
    ).then(
        {
            "/reviews/scheduled": [
                {
                    "review_id": REVIEW,
                    "kind": kind,
                    "in_words": None,
                    "due_on": "2026-07-01",
                    "status": "scheduled",
                }
            ]
        }
    ).tells(f"{named} was planned for 2026-07-01.")


def test_a_planned_review_says_what_is_to_be_looked_at() -> None:
    """Where the kind does not say it."""
    given(opened()).when(
        ReviewScheduled(
            review_id=REVIEW, kind="ad_hoc", in_words="The walks", due_on=date(2026, 7, 1)
        )
    ).then({"/reviews/scheduled/0/in_words": "The walks"}).tells(
        "An ad hoc review was planned for 2026-07-01: “The walks”."
    )


def test_a_formal_review_resets_the_clock() -> None:
    """The next one is due an interval after it, and the planned one is held."""
    given(opened(), PLANNED, a_goal()).when(
        replace(HELD, review_id=REVIEW, decisions=("Go on",), goals_reviewed=(GOAL,))
    ).then(
        {
            "/reviews/scheduled/0/status": "held",
            "/reviews/last_formal_at": "2026-01-08T09:00:00Z",
            "/reviews/next_due_on": None,
            "/reviews/held": [
                {
                    "entry_id": entry_id(4),
                    "at": "2026-01-08T09:00:00Z",
                    "kind": "formal",
                    "participants": ["Mira T.", "Dr Nadia Okafor"],
                    "client_participated": True,
                    "why_not": None,
                    "summary": "Half the way",
                    "decisions": ["Go on"],
                    "goals_reviewed": [GOAL],
                    "answers_entry_ids": [],
                }
            ],
        }
    ).owes("formal_review", due_on="2026-07-09").tells(
        "A formal review was held with the client: “Half the way”."
    )


def test_a_formal_review_can_name_the_day_of_the_next() -> None:
    """That day goes before the interval; a later formal review without one returns to it."""
    spec = given(opened()).when(replace(HELD, next_due_on=date(2026, 3, 1)))
    spec.then({"/reviews/next_due_on": "2026-03-01"}).owes("formal_review", due_on="2026-03-01")
    spec.when(HELD).then({"/reviews/next_due_on": None}).owes("formal_review", due_on="2026-07-08")


def test_another_review_does_not_reset_the_clock() -> None:
    """Only a formal one does, whatever day another names for the next of its own kind."""
    spec = given(opened()).when(replace(HELD, kind="progress"))
    spec.then({"/reviews/last_formal_at": None}).owes("formal_review", due_on="2026-07-06")
    spec.when(replace(HELD, kind="ad_hoc", next_due_on=date(2026, 2, 1))).then(
        {"/reviews/last_formal_at": None, "/reviews/next_due_on": None}
    ).owes("formal_review", due_on="2026-07-06")


def test_the_day_of_the_next_of_another_kind_is_planned() -> None:
    """Under the id of the review that named it, until one of that kind is held."""
    spec = given(opened()).when(replace(HELD, kind="progress", next_due_on=date(2026, 2, 1)))
    spec.then(
        {
            "/reviews/scheduled": [
                {
                    "review_id": entry_id(2),
                    "kind": "progress",
                    "in_words": None,
                    "due_on": "2026-02-01",
                    "status": "scheduled",
                }
            ]
        }
    )
    spec.when(replace(HELD, kind="ad_hoc")).then({"/reviews/scheduled/0/status": "scheduled"})
    spec.when(replace(HELD, kind="progress", next_due_on=date(2026, 3, 1))).then(
        {
            "/reviews/scheduled/0/status": "held",
            "/reviews/scheduled/1/status": "scheduled",
            "/reviews/scheduled/1/due_on": "2026-03-01",
        }
    )


def test_a_review_without_the_client_says_why() -> None:
    """Their absence is explained, and told."""
    alone = replace(HELD, client_participated=False)
    given(opened()).when(alone).refused(InvalidDataError, "/data/why_not")
    given(opened()).when(replace(alone, kind="ad_hoc", why_not="She was ill")).then(
        {"/reviews/held/0/why_not": "She was ill"}
    ).tells("An ad hoc review was held without the client: “Half the way”.")


@pytest.mark.parametrize(
    ("change", "kind", "pointer"),
    [
        ({"participants": ()}, InvalidDataError, "/data/participants"),
        ({"review_id": NOWHERE}, UnknownReferenceError, "/data/review_id"),
        ({"goals_reviewed": (NOWHERE,)}, UnknownReferenceError, "/data/goals_reviewed/0"),
        ({"answers_entry_ids": (NOWHERE,)}, UnknownReferenceError, "/data/answers_entry_ids/0"),
        ({"answers_entry_ids": (REVIEW,)}, UnknownReferenceError, "/data/answers_entry_ids/0"),
        (
            {"answers_entry_ids": (entry_id(1),)},
            InvalidDataError,
            "/data/answers_entry_ids/0",
        ),
        ({"next_due_on": date(2026, 1, 6)}, InvalidDataError, "/data/next_due_on"),
    ],
)
def test_a_review_names_only_what_it_can_be_about(
    change: dict[str, Any], kind: type[PlanHistoryError], pointer: str
) -> None:
    """Somebody took part; reviews, goals and entries exist; the next one lies ahead."""
    given(opened(), PLANNED).when(replace(HELD, **change)).refused(kind, pointer)


def test_the_next_review_may_be_due_the_same_day() -> None:
    """Its day does not lie before this review's."""
    given(opened()).when(replace(HELD, next_due_on=date(2026, 1, 6))).then(
        {"/reviews/next_due_on": "2026-01-06"}
    )


def test_a_planned_review_is_held_once() -> None:
    """Naming it again is refused."""
    held = replace(HELD, review_id=REVIEW)
    given(opened(), PLANNED, held).when(held).refused(TransitionError, "/data/review_id")


def test_a_review_whose_plan_was_in_error_stays() -> None:
    """It only mentioned the planned one."""
    given(opened(), PLANNED, replace(HELD, review_id=REVIEW)).when(
        EntryMarkedInError(entry_id=entry_id(2)), reason="Twice"
    ).then({"/reviews/scheduled": [], "/reviews/held/0/summary": "Half the way"})


def test_a_review_closes_the_relapse_it_names() -> None:
    """The re-evaluation is held, and the goal is no longer at risk from that relapse."""
    spec = given(opened(), a_goal(), RELAPSE, RELAPSE).when(
        replace(HELD, kind="relapse", answers_entry_ids=(entry_id(3),))
    )
    spec.then(
        {
            "/relapses/0/status": "reviewed",
            "/relapses/0/reviewed_at": "2026-01-09T09:00:00Z",
            "/relapses/1/status": "open",
            "/goals/0/at_risk": True,
        }
    ).owes("reevaluation", about=entry_id(4))
    spec.when(replace(HELD, kind="relapse", answers_entry_ids=(entry_id(4),))).then(
        {"/goals/0/at_risk": False}
    ).owes_no("reevaluation")


def test_a_review_closes_the_safety_concern_it_names() -> None:
    """What the review came to stands beside the concern."""
    given(opened(), RISK).when(replace(HELD, kind="safety", answers_entry_ids=(entry_id(2),))).then(
        {
            "/safety_concerns/0/status": "answered",
            "/safety_concerns/0/summary": "Half the way",
        }
    ).owes_no("safety_review")


def test_another_review_is_no_safety_review() -> None:
    """Unless it names the concern, it is still owed."""
    given(opened(), RISK).when(HELD).owes("safety_review", about=entry_id(2))


def test_a_review_touches_only_the_goals_whose_risk_it_ends() -> None:
    """Other goals were not changed by it."""
    spec = given(opened(), a_goal(), a_goal(an_id("other")), RELAPSE)
    spec.when(replace(HELD, kind="relapse", answers_entry_ids=(entry_id(4),)))
    assert [goal.touched for goal in spec.plan.state.goals.goals] == [5, 3]


def test_a_safety_review_is_one_even_if_it_closes_no_concern() -> None:
    """The concern stays open, the review owed for it was held; a newer concern owes a new one."""
    spec = given(opened(), RISK).when(replace(HELD, kind="safety"))
    spec.then({"/safety_concerns/0/status": "open"}).owes_no("safety_review")
    spec.when(RISK).owes("safety_review", about=entry_id(4))


@pytest.mark.parametrize(
    ("raised", "closing"),
    [
        (RELAPSE, replace(HELD, kind="relapse", answers_entry_ids=(entry_id(3),))),
        (RISK, replace(HELD, kind="safety", answers_entry_ids=(entry_id(3),))),
        (RISK, SafetyConcernResolved(safety_entry_id=entry_id(3), summary="Over")),
    ],
)
def test_what_is_closed_is_not_closed_again(
    raised: RelapseNoted | SafetyConcernNoted, closing: ReviewHeld | SafetyConcernResolved
) -> None:
    """A review names what is open; what closed it first stays beside it."""
    given(opened(), a_goal(), raised, closing).when(
        replace(HELD, answers_entry_ids=(entry_id(3),))
    ).refused(TransitionError, "/data/answers_entry_ids/0", "answered already")


def test_what_a_review_closed_can_turn_out_to_be_in_error() -> None:
    """The review stays, though the relapse it named is gone."""
    given(
        opened(),
        a_goal(),
        RELAPSE,
        replace(HELD, kind="relapse", answers_entry_ids=(entry_id(3),)),
    ).when(EntryMarkedInError(entry_id=entry_id(3)), reason="Wrong chart").then(
        {"/relapses": [], "/reviews/held/0/answers_entry_ids": [entry_id(3)]}
    )


def test_a_review_closed_in_hindsight_counts_from_its_own_day() -> None:
    """A late review of last week resets the clock from last week."""
    given(opened(), said(SetbackNoted(what="A step back"), now=day(10))).when(
        HELD, now=day(11), occurred_at=day(4)
    ).owes("formal_review", since="2026-01-09T09:00:00Z", due_on="2026-07-10")


@pytest.mark.parametrize(
    ("check_in", "sentence"),
    [
        (CheckInHeld(working="Walking", not_working="Trams"), "A check-in: “Walking”."),
        (CheckInHeld(not_working="Trams", insight="Crowds"), "A check-in: “Trams”."),
        (CheckInHeld(insight="Crowds, not trams"), "A check-in: “Crowds, not trams”."),
    ],
)
def test_a_check_in_is_kept_and_does_not_reset_the_clock(
    check_in: CheckInHeld, sentence: str
) -> None:
    """Whatever was said of the three is told."""
    given(opened()).when(check_in).then(
        {
            "/reviews/check_ins": [
                {
                    "entry_id": entry_id(2),
                    "at": "2026-01-06T09:00:00Z",
                    "working": check_in.working,
                    "not_working": check_in.not_working,
                    "insight": check_in.insight,
                }
            ],
            "/reviews/last_formal_at": None,
        }
    ).owes("formal_review", due_on="2026-07-06").tells(sentence)


def test_a_check_in_says_something() -> None:
    """None of the three is refused."""
    given(opened()).when(CheckInHeld()).refused(InvalidDataError, "/data/working")
