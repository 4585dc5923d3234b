"""Consents: what others may see of the plan, and what was disclosed to whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

from domain.course import Note
from domain.entry import Entry, EntryData, recorded
from domain.errors import InvalidDataError, Problem, TransitionError
from domain.fields import Line, New, Ref, Text
from domain.parts import Part, Parts, Section, short

if TYPE_CHECKING:
    from domain.state import PlanState

NewConsent = Annotated[str, New("consent")]
ConsentRef = Annotated[str, Ref("consent")]


@dataclass(slots=True, kw_only=True)
class Permission(Part):
    """What the client consented to: ``given`` until it is revoked, good through ``expires_on``."""

    scope: str
    recipient: str | None
    expires_on: date | None
    status: str = "given"
    since: datetime
    revoked_at: datetime | None = None


class Consents(Section):
    """Consents by id, and the newest disclosures; the timeline keeps them all."""

    def __init__(self) -> None:
        self.consents: Parts[Permission] = Parts(keyed=True)
        self.disclosures: Parts[Note] = Parts()


@recorded("plan.disclosure-made")
class DisclosureMade(EntryData):
    """Something of the plan was told to somebody outside.

    What is kept are the facts of an accounting of disclosures (45 CFR 164.528(b)(2)).
    """

    WHEN_CLOSED = True

    recipient: Annotated[Line, "Who received it."]
    address: Annotated[Text | None, "Where they are, as far as known."] = None
    what: Annotated[Text, "What was disclosed, in short."]
    purpose: Annotated[Text, "What it was disclosed for."]
    legal_basis: Annotated[Text | None, "What allows it, e.g. the client's consent."] = None

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The note is kept."""
        plan.course.note(
            plan.consents.disclosures,
            entry,
            recipient=self.recipient,
            address=self.address,
            what=self.what,
            purpose=self.purpose,
            legal_basis=self.legal_basis,
        )

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"Disclosed to {self.recipient}: {short(self.what)}, for {short(self.purpose)}."


@recorded("plan.consent-recorded")
class ConsentRecorded(EntryData):
    """The client consents to somebody seeing something of the plan."""

    WHEN_CLOSED = True

    consent_id: NewConsent = ""
    scope: Annotated[Text, "What may be seen or told, and what not."]
    recipient: Annotated[Line | None, "Who may see it."] = None
    expires_on: Annotated[date | None, "The last day it is good; until revoked when left out."] = (
        None
    )

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """It is good for a day at least."""
        if self.expires_on is not None and self.expires_on < entry.occurred_at.date():
            detail = "Lies before the day the consent was given; give a later day or leave it out."
            raise InvalidDataError([Problem("/data/expires_on", detail)])

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The consent is given."""
        held = Permission(
            scope=self.scope,
            recipient=self.recipient,
            expires_on=self.expires_on,
            since=entry.occurred_at,
        )
        plan.consents.consents.add(self.consent_id, held, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        whom = f" for {self.recipient}" if self.recipient else ""
        until = f" until {self.expires_on}" if self.expires_on else ""
        return f"Consent was given{whom}{until}: {short(self.scope)}."


@recorded("plan.consent-revoked")
class ConsentRevoked(EntryData):
    """The client takes a consent back; what was disclosed before stays disclosed."""

    WHEN_CLOSED = True

    consent_id: ConsentRef

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """A consent is taken back once."""
        if plan.consents.consents[self.consent_id].status != "given":
            raise TransitionError("That consent is revoked already.", "/data/consent_id")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The consent is no longer good."""
        held = plan.consents.consents.edit(self.consent_id, entry)
        held.status, held.revoked_at = "revoked", entry.occurred_at

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        held = plan.consents.consents.get(self.consent_id)
        return f"The consent{f' {short(held.scope, 60)}' if held else ''} was revoked."

    def ends(self) -> tuple[str, ...]:
        """The consent."""
        return (self.consent_id,)
