"""Saying who stands behind the plan, and setting the record straight."""

from __future__ import annotations

from typing import Any, Literal

from domain.emergency import EmergencyAccessReviewed, EmergencyAccessTaken
from domain.entry import Voice
from domain.record import AddendumAdded, EntryCorrected, EntryMarkedInError
from domain.signatures import PlanAgreed, PlanCosigned, PlanDisagreed, PlanReturned, PlanSigned
from service.demo.script import Draft


def signed(meaning: Literal["author", "reviewer"] = "author") -> Draft:
    """A signature under the plan as it stands."""
    return Draft(lambda known: PlanSigned(of_version=known.version, meaning=meaning))


def cosigned(signature: str) -> Draft:
    """The supervisor co-signs what the named signature stands under."""
    return Draft(
        lambda known: PlanCosigned(of_version=known.version_of(signature) - 1), cause=signature
    )


def returned(signature: str, what_to_change: str) -> Draft:
    """The supervisor returns what the named signature stands under."""
    return Draft(
        lambda known: PlanReturned(
            of_version=known.version_of(signature) - 1, what_to_change=what_to_change
        ),
        cause=signature,
    )


def agreed(statement: str, by: Voice = "client") -> Draft:
    """Agreement to the plan as it stands."""
    return Draft(
        lambda known: PlanAgreed(by=by, statement=statement, of_version=known.version),
        voiced_by=by,
    )


def disagreed(what: str, by: Voice = "client") -> Draft:
    """Disagreement with the plan as it stands."""
    return Draft(
        lambda known: PlanDisagreed(by=by, what=what, of_version=known.version), voiced_by=by
    )


def corrected(name: str, **data: Any) -> Draft:
    """The named entry should have said ``data``."""
    return Draft(lambda known: EntryCorrected(entry_id=known[name], data=data), cause=name)


def in_error(name: str) -> Draft:
    """The named entry should not be there."""
    return Draft(lambda known: EntryMarkedInError(entry_id=known[name]), cause=name)


def addendum(name: str, text: str) -> Draft:
    """Something is added to the named entry."""
    return Draft(lambda known: AddendumAdded(entry_id=known[name], text=text), cause=name)


def emergency(why: str, minutes: int) -> Draft:
    """Somebody from outside had to look in."""
    return Draft(EmergencyAccessTaken(why=why, minutes=minutes))


def emergency_justified(name: str, note: str) -> Draft:
    """The named emergency access was looked at, and was needed."""
    return Draft(
        lambda known: EmergencyAccessReviewed(
            access_entry_id=known[name], finding="justified", note=note
        ),
        cause=name,
    )
