"""Consents: given, good for a time, taken back; and what was disclosed to whom."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain.consents import ConsentRecorded, ConsentRevoked, DisclosureMade
from domain.entry import EntryData
from domain.errors import InvalidDataError, TransitionError, UnknownReferenceError
from domain.lifecycle import PlanCompleted
from domain.parts import NEWEST
from domain.record import EntryCorrected, EntryMarkedInError
from tests.domain.specs import GOAL, NOWHERE, a_goal, an_id, day, entry_id, given, opened, said

CONSENT, OTHER_CONSENT = an_id("consent"), an_id("other consent")
GIVEN = ConsentRecorded(
    consent_id=CONSENT,
    scope="The current plan, without the timeline",
    recipient="Dr Sam Field",
    expires_on=date(2026, 6, 30),
)
TAKEN_BACK = ConsentRevoked(consent_id=CONSENT)
LETTER = DisclosureMade(
    recipient="Dr Sam Field",
    address="3 Mill Lane",
    what="A letter of one page",
    purpose="the referral",
    legal_basis="Her consent",
)
COMPLETED = PlanCompleted(outcome="goals_met", summary="Done")


# Consents


def test_a_consent_is_kept_by_its_id() -> None:
    """With what it covers, for whom, and its last day; it begins on the day it was given."""
    given(opened()).when(GIVEN, voiced_by="client").then(
        {
            f"/consents/{CONSENT}": {
                "scope": "The current plan, without the timeline",
                "recipient": "Dr Sam Field",
                "expires_on": "2026-06-30",
                "status": "given",
                "since": "2026-01-06T09:00:00Z",
                "revoked_at": None,
            }
        }
    ).tells(
        "Consent was given for Dr Sam Field until 2026-06-30: "
        "“The current plan, without the timeline”."
    )


def test_a_consent_may_be_for_anybody_and_without_end() -> None:
    """Until it is taken back."""
    given(opened()).when(ConsentRecorded(consent_id=CONSENT, scope="Dates of sessions")).then(
        {f"/consents/{CONSENT}/recipient": None, f"/consents/{CONSENT}/expires_on": None}
    ).tells("Consent was given: “Dates of sessions”.")


def test_a_consent_is_good_for_the_day_it_was_given_at_least() -> None:
    """An earlier last day is refused; given long ago and written down now, it may be over."""
    over = ConsentRecorded(scope="Dates", expires_on=date(2026, 1, 5))
    given(opened()).when(over, occurred_at=day(0)).then({"/version": 2})
    given(opened()).when(over, occurred_at=day(1)).refused(
        InvalidDataError, "/data/expires_on", "before the day"
    )


def test_a_consent_is_taken_back_with_its_moment() -> None:
    """It stays visible."""
    given(opened(), GIVEN).when(TAKEN_BACK, voiced_by="client").then(
        {
            f"/consents/{CONSENT}/status": "revoked",
            f"/consents/{CONSENT}/revoked_at": "2026-01-07T09:00:00Z",
            f"/consents/{CONSENT}/expires_on": "2026-06-30",
        }
    ).tells("The consent “The current plan, without the timeline” was revoked.")


@pytest.mark.parametrize("consent_id", [NOWHERE, GOAL, OTHER_CONSENT])
def test_only_a_consent_of_this_plan_can_be_taken_back(consent_id: str) -> None:
    """Unknown ids and ids of other things are refused."""
    given(opened(), a_goal(), GIVEN).when(ConsentRevoked(consent_id=consent_id)).refused(
        UnknownReferenceError, "/data/consent_id", "no consent of that id"
    )


def test_a_consent_is_taken_back_once() -> None:
    """Another one can be given."""
    spec = given(opened(), GIVEN, TAKEN_BACK)
    spec.when(TAKEN_BACK).refused(TransitionError, "/data/consent_id", "revoked already")
    spec.when(ConsentRecorded(consent_id=OTHER_CONSENT, scope="Dates")).then(
        {f"/consents/{CONSENT}/status": "revoked", f"/consents/{OTHER_CONSENT}/status": "given"}
    )


def test_a_consent_that_ran_out_can_still_be_taken_back() -> None:
    """The client's word is written down whenever it is said."""
    spec = given(opened(), GIVEN)
    spec.when(TAKEN_BACK, now=day(300)).then({f"/consents/{CONSENT}/status": "revoked"})


def test_a_corrected_day_is_the_last_day() -> None:
    """By the same rule as a new one."""
    spec = given(opened(), GIVEN)
    later = EntryCorrected(entry_id=entry_id(2), data={"expires_on": "2026-12-31"})
    spec.when(later, reason="Misheard").then({f"/consents/{CONSENT}/expires_on": "2026-12-31"})
    early = EntryCorrected(entry_id=entry_id(2), data={"expires_on": "2025-12-31"})
    spec.when(early, reason="Misheard").refused(InvalidDataError, "/data/data/expires_on")


def test_a_consent_entered_in_error_is_none() -> None:
    """Nor is its revocation; a revocation in error leaves the consent as it was."""
    spec = given(opened(), GIVEN, TAKEN_BACK)
    spec.when(EntryMarkedInError(entry_id=entry_id(3)), reason="Not said")
    spec.then({f"/consents/{CONSENT}/status": "given"})
    mark = EntryMarkedInError(entry_id=entry_id(2), including_dependents=True)
    spec.when(mark, reason="Another client").then({"/consents": {}})


def test_a_consent_taken_back_earlier_warns_of_what_still_uses_it() -> None:
    """As with anything that is over."""
    spec = given(opened(), GIVEN, said(TAKEN_BACK, now=day(9)))
    spec.when(TAKEN_BACK, occurred_at=day(5), now=day(10)).warns("ConsentRevoked")


# Disclosures


def test_a_disclosure_is_kept_with_its_facts() -> None:
    """To whom, where they are, what, what for, and what allows it."""
    given(opened()).when(LETTER).then(
        {
            "/disclosures": [
                {
                    "entry_id": entry_id(2),
                    "at": "2026-01-06T09:00:00Z",
                    "recipient": "Dr Sam Field",
                    "address": "3 Mill Lane",
                    "what": "A letter of one page",
                    "purpose": "the referral",
                    "legal_basis": "Her consent",
                }
            ]
        }
    ).tells("Disclosed to Dr Sam Field: “A letter of one page”, for “the referral”.")


def test_the_plan_shows_the_newest_disclosures() -> None:
    """The timeline keeps them all."""
    told = [
        DisclosureMade(recipient=f"No. {n}", what="Dates", purpose="Billing") for n in range(25)
    ]
    shown = given(opened(), *told).document()["disclosures"]
    assert len(shown) == NEWEST
    assert shown[0]["recipient"] == "No. 5"
    assert shown[-1] == {**shown[-1], "recipient": "No. 24", "address": None, "legal_basis": None}


# When a plan is over


@pytest.mark.parametrize("data", [GIVEN, LETTER, TAKEN_BACK], ids=lambda data: type(data).__name__)
def test_a_plan_that_is_over_takes_them(data: EntryData) -> None:
    """The record goes on when the work is done."""
    before: list[Any] = [] if data is GIVEN else [GIVEN]
    given(opened(), *before, COMPLETED).when(data).then({"/status": "completed"})
