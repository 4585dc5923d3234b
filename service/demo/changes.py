"""What the demo's clinic itself goes through: who joins and leaves, by whose word, and what still waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.clinic import PolicySet
from domain.entry import EntryData, Reason
from domain.holds import LegalHoldLifted, LegalHoldPlaced
from domain.people import (
    MemberJoined,
    MemberLeft,
    MemberRoleChanged,
    SupervisionAssigned,
    SupervisionEnded,
)
from domain.proposals import ChangeProposed
from service.access import Principal
from service.container import Container
from service.demo.people import PEOPLE, Person, name_id
from service.recording import Draft, Request

ASTER = name_id("people", "aster")
HELD = "c-1028"
"""The client whose plan is completed; a court asked for their records."""


class Changes:
    """Tells the clinic's own story through the use cases, each step under a key of its own."""

    def __init__(
        self,
        container: Container,
        request: Callable[[datetime], Request],
        become: Callable[[Person], Principal],
    ) -> None:
        self.container = container
        self._request, self._become = request, become

    def begin(self, founded: datetime) -> None:
        """Long before: somebody joins and leaves, something is declined, something taken back."""

        def after(days: float) -> Request:
            return self._request(founded + timedelta(days=days))

        rowan, hazel = PEOPLE["rowan"].member_id, PEOPLE["hazel"].member_id
        aster = MemberJoined(
            member_id=ASTER,
            name="Aster Lark",
            role="clinician",
            credential="Psychotherapist in training",
        )
        guided = SupervisionAssigned(member_id=ASTER, supervisor_id=rowan)
        joins = self._proposed(
            "rowan", [aster, guided], "She begins her training with us.", after(2)
        )
        self._say("approve", "juniper", joins, "Her contract is signed.", after(3))
        alone = self._proposed(
            "rowan", [SupervisionEnded(member_id=hazel)], "She works with great care.", after(20)
        )
        why = "Her training contract has her supervised until her examination."
        self._say("decline", "birch", alone, why, after(21))
        late = self._proposed(
            "birch", [PolicySet(late_after_hours=48)], "Notes come on Mondays.", after(40)
        )
        self._say("withdraw", "birch", late, "The teams manage within a day.", after(44))
        leaves = self._proposed(
            "rowan", [MemberLeft(member_id=ASTER)], "She moves away.", after(120)
        )
        self._say("approve", "birch", leaves, None, after(121))

    def end(self, now: datetime) -> None:
        """Just now: a hold, and what waits for the privacy officers."""
        hazel = PEOPLE["hazel"].member_id
        licensed = MemberRoleChanged(member_id=hazel, credential="Licensed psychotherapist")
        alone = SupervisionEnded(member_id=hazel)
        why = "She passed her examination last week."
        self._proposed("rowan", [licensed, alone], why, self._request(now - timedelta(days=2)))
        hold = Draft(
            data=LegalHoldPlaced(client_ref=HELD), reason=Reason(text="A court has asked for them.")
        )
        officer = self._become(PEOPLE["juniper"])
        self.container.clinic.record(officer, [hold], self._request(now - timedelta(days=30)))
        why = "The court has decided and needs them no longer."
        lifted = LegalHoldLifted(client_ref=HELD)
        self._proposed("juniper", [lifted], why, self._request(now - timedelta(days=1)))

    def _proposed(self, by: str, asked: Sequence[EntryData], why: str, request: Request) -> UUID:
        drafts = [Draft(data=data) for data in asked]
        who = self._become(PEOPLE[by])
        done = self.container.proposals.propose(who, drafts, Reason(text=why), request)
        data: Any = done.entries[0].data
        assert isinstance(data, ChangeProposed)
        return UUID(data.proposal_id)

    def _say(
        self, doing: str, by: str, proposal_id: UUID, why: str | None, request: Request
    ) -> None:
        say = getattr(self.container.proposals, doing)
        say(self._become(PEOPLE[by]), proposal_id, Reason(text=why) if why else None, request)
