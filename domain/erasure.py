"""Erasure: a client is forgotten by destroying the keys of what was recorded about them.

What stays is that it was there – ids, times, types of entry –, so that every proof still holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from domain.approval import TWO_OFFICERS
from domain.entry import Entry, EntryData, links_of, recorded
from domain.errors import EntryNotFoundError, TransitionError
from domain.fields import IdRule, ManyRule, Opaque, PlanId, Ref
from domain.fold import AMENDING
from domain.parts import Part
from domain.proposals import ChangeProposed, ProposalApproved, ProposalDeclined, ProposalWithdrawn
from domain.record import AddendumAdded

if TYPE_CHECKING:
    from domain.clinic import Clinic

ASKING = "POST /v1/clients/{client_ref}/erasure"
MOST = 500
AnyId = Annotated[str, IdRule()]
_ON_PROPOSALS = (ProposalApproved, ProposalDeclined, ProposalWithdrawn)


@dataclass(slots=True, kw_only=True)
class Erasure(Part):
    """That a client was erased, when, and which plans and members that were."""

    client_ref: str
    at: datetime
    plan_ids: tuple[str, ...]
    member_ids: tuple[str, ...]


@recorded("clinic.client-erased")
class ClientErased(EntryData):
    """What was recorded about a client is forgotten for good; that it was there stays known."""

    WHY = True
    APPROVAL = TWO_OFFICERS
    ONLY_BY = ASKING

    client_ref: Opaque
    plan_ids: Annotated[
        tuple[PlanId, ...], ManyRule(0, MOST), "Their plans; found by the service."
    ] = ()
    entry_ids: Annotated[
        tuple[AnyId, ...], ManyRule(0, MOST), "What the clinic's own log says of them; as above."
    ] = ()
    member_ids: Annotated[
        tuple[AnyId, ...], ManyRule(0, MOST), "As whom they signed in; as above."
    ] = ()
    before_retention_ends: Annotated[
        bool, "That it is done although the clinic keeps records longer (`retention_days`)."
    ] = False

    def decide(self, plan: Any, entry: Entry) -> None:
        """Not while a legal hold says that all is kept, and only where there is something."""
        if self.client_ref in plan.legal_holds:
            raise TransitionError(
                "A legal hold keeps this client's records; have it lifted first.",
                "/data/client_ref",
            )
        if not (self.plan_ids or self.entry_ids):
            raise TransitionError(
                "Nothing is recorded about this client; check the reference.", "/data/client_ref"
            )

    def decide_amendment(self, amendment: Entry) -> None:
        """What is gone does not come back by saying so."""
        raise TransitionError(
            "Erasing cannot be taken back; add to it if need be.", "/data/entry_id"
        )

    def apply(self, plan: Any, entry: Entry) -> None:
        """It is known that they were erased."""
        held = Erasure(
            client_ref=self.client_ref,
            at=entry.occurred_at,
            plan_ids=self.plan_ids,
            member_ids=self.member_ids,
        )
        plan.erasures.add(entry.entry_id, held, entry)

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        plans = "1 plan" if len(self.plan_ids) == 1 else f"{len(self.plan_ids)} plans"
        return f"The records of client {self.client_ref} were erased ({plans})."


def clients_in(clinic: Clinic, data: EntryData) -> frozenset[str]:
    """The clients, by reference, whose erasure takes an entry of the clinic's own log along.

    Whatever names a client or a member who is one, and what is said about such an entry. That
    somebody was erased is kept.
    """
    if isinstance(data, ClientErased):
        return frozenset()
    if isinstance(data, (*AMENDING, AddendumAdded)):
        try:
            return clients_in(clinic, clinic.entry(data.entry_id).data)
        except EntryNotFoundError:
            return frozenset()  # the clinic itself says that there is none
    if isinstance(data, ChangeProposed):
        return frozenset().union(*(clients_in(clinic, held.revived) for held in data.entries))
    if isinstance(data, _ON_PROPOSALS):
        held = clinic.state.proposals.get(data.proposal_id)
        entries = held.entries if held else ()
        return frozenset().union(*(clients_in(clinic, one.revived) for one in entries))
    return frozenset(_named(clinic, data))


def _named(clinic: Clinic, data: EntryData) -> Iterator[str]:
    if (ref := getattr(data, "client_ref", None)) is not None:
        yield ref
    for rule, getter in links_of(type(data)):
        if isinstance(rule, Ref) and rule.kind == "member":
            for _, member_id in getter(data, ""):
                member = clinic.state.members.get(member_id)
                if member is not None and member.client_ref is not None:
                    yield member.client_ref


def what_is_about(clinic: Clinic, client_ref: str) -> tuple[list[Entry], list[str]]:
    """The entries of the clinic's own log about a client, and the ids of the members they are."""
    entries = [held for held in clinic.entries if client_ref in clients_in(clinic, held.data)]
    members = [held for held in clinic.state.members if held.client_ref == client_ref]
    return entries, [held.member_id for held in members]
