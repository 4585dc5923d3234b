"""A clinic being told about: entries recorded one an hour, each by somebody, as the service does it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.clinic import Clinic, ClinicFounded
from domain.entry import Author, Entry, EntryData, Reason
from domain.errors import PlanHistoryError
from domain.people import MemberJoined
from domain.proposals import (
    ChangeProposed,
    Proposal,
    ProposalApproved,
    ProposalDeclined,
    ProposalWithdrawn,
    ProposedEntry,
)
from tests.domain.specs import an_id

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
WHY = Reason(text="It is time.")


def somebody(name: str, role: str) -> Author:
    """Somebody of that name, always with the same id."""
    return Author(member_id=an_id(name), name=name, role=role)


ADMIN = Author(member_id=str(uuid4()), name="Robin Sample", role="admin")
OTHER_ADMIN = somebody("Olive Sample", "admin")
ROWAN = somebody("Rowan Sample", "supervisor")
OFFICER = somebody("Juniper Sample", "privacy_officer")
DEPUTY = somebody("Elder Sample", "privacy_officer")
THIRD = somebody("Yew Sample", "privacy_officer")
CLIENT = somebody("Maple Sample", "client")


class Told:
    """A clinic to which entries are told one after the other, an hour apart."""

    def __init__(self) -> None:
        self.clinic = Clinic.new(uuid4())
        self.now = START
        self.tell(ClinicFounded(name="The Clinic"))

    def tell(
        self, data: EntryData, why: Reason | None = WHY, by: Author = ADMIN, **more: Any
    ) -> Entry:
        """Record ``data`` with what it brings along, all or none."""
        self.now += timedelta(hours=1)
        shared: dict[str, Any] = {
            "now": self.now,
            "recorded_by": by,
            "new_id": lambda: str(uuid4()),
        }
        position = self.clinic.version
        try:
            entry = self.clinic.decide(data, **shared, reason=why, **more)
            self.clinic.expect(entry)
            entries = [entry, *self.clinic.follow(entry, **shared)]
        except BaseException:
            self.clinic.forget_pending()
            raise
        self.clinic.collect_events()
        self.clinic.confirm(entries, self.now, position + len(entries))
        return entry

    def join(self, name: str, role: Any) -> str:
        """Somebody joins; their id."""
        entry = self.tell(MemberJoined(name=name, role=role))
        assert isinstance(entry.data, MemberJoined)
        return entry.data.member_id

    def arrive(self, *people: Author) -> None:
        """They join as who they are."""
        for who in people:
            role: Any = who.role
            ref = "c-1" if role == "client" else None
            self.tell(
                MemberJoined(member_id=who.member_id, name=who.name, role=role, client_ref=ref)
            )

    def refused(
        self, data: EntryData, why: Reason | None = WHY, by: Author = ADMIN, **more: Any
    ) -> PlanHistoryError:
        """The refusal of ``data``; nothing was recorded, and the clinic is as it was."""
        before = self._standing()
        with pytest.raises(PlanHistoryError) as refused:
            self.tell(data, why, by, **more)
        assert self._standing() == before
        return refused.value

    def _standing(self) -> tuple[Any, ...]:
        clinic = self.clinic
        proposals = [replace(held) for held in clinic.state.proposals]
        return clinic.version, clinic.modified_on, clinic.document(), proposals

    # Proposals

    def propose(self, *data: EntryData, by: Author = ROWAN, why: Reason | None = WHY) -> Proposal:
        """Somebody proposes these."""
        entry = self.tell(proposed(*data), why, by)
        assert isinstance(entry.data, ChangeProposed)
        return self.proposal(entry.data.proposal_id)

    def proposal(self, proposal_id: str) -> Proposal:
        """A proposal as it stands."""
        return self.clinic.state.proposals[proposal_id]

    def approve(self, held: Proposal, by: Author) -> list[Entry]:
        """Somebody approves it: the approval, and what it brought along."""
        version = self.clinic.version
        self.tell(ProposalApproved(proposal_id=held.proposal_id), None, by)
        return self.clinic.entries[version:]

    def decline(self, held: Proposal, by: Author) -> Entry:
        """Somebody declines it."""
        return self.tell(ProposalDeclined(proposal_id=held.proposal_id), WHY, by)

    def withdraw(self, held: Proposal, by: Author) -> Entry:
        """Whoever proposed it takes it back."""
        return self.tell(ProposalWithdrawn(proposal_id=held.proposal_id), None, by)

    def not_approved(self, held: Proposal, by: Author) -> PlanHistoryError:
        """The refusal of an approval."""
        return self.refused(ProposalApproved(proposal_id=held.proposal_id), None, by)


def proposed(*data: EntryData) -> ChangeProposed:
    """A proposal of these."""
    return ChangeProposed(entries=tuple(ProposedEntry.of(held) for held in data))
