"""Use cases of proposals: ask for a change of the clinic, approve or decline it, take it back, read them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.approving import objection_to
from domain.clinic import Clinic
from domain.entry import EntryData, Reason
from domain.errors import (
    ChangeNotPossibleError,
    PlanHistoryError,
    ProposalNotFoundError,
)
from domain.fields import plain_moment, to_plain
from domain.history import with_new_ids
from domain.proposals import (
    ChangeProposed,
    Proposal,
    ProposalApproved,
    ProposalDeclined,
    ProposalWithdrawn,
    ProposedEntry,
    Word,
    sentences,
)
from service.access import Gate, Principal
from service.access.looks import CLIENT
from service.access.recording import refuse_foreign_proposal
from service.access.table import CLINIC
from service.clinic import ClinicService
from service.erasure import Eraser
from service.errors import NotAllowedError
from service.recording import Draft, Recorded, Request

STATUSES = ("open", "approved", "declined", "withdrawn", "expired")
DOING: dict[str, type[EntryData]] = {
    "approve": ProposalApproved,
    "decline": ProposalDeclined,
    "withdraw": ProposalWithdrawn,
}
_TAKES: dict[type[EntryData], str] = {ProposalWithdrawn: "proposals.withdraw"}
log = logging.getLogger("plan_history.security")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Which proposals to list, newest first; ``after``: the version of the last one of a page."""

    status: str | None = None
    limit: int = 50
    after: int | None = None


@dataclass(frozen=True, slots=True)
class ProposalService:
    """Changes of the clinic that take more than one person."""

    clinic: ClinicService
    gate: Gate
    eraser: Eraser

    def propose(
        self,
        principal: Principal,
        drafts: Sequence[Draft],
        reason: Reason | None,
        request: Request,
    ) -> Recorded:
        """Ask for entries to be recorded, all or none, once they are approved.

        Each is decided now as if it were recorded. Raises PlanHistoryError naming entry and field.
        """
        self.gate.require(principal, "proposals.make")
        new_id = self.clinic.recording.new_id
        asked = [Draft(data=with_new_ids(held.data, new_id), reason=held.reason) for held in drafts]
        with self.gate.noting_refusals(principal, "proposals.make"):
            try:
                refuse_foreign_proposal(self.gate, principal, asked)
            except NotAllowedError:  # the team may be another since this very request was recorded
                return self.clinic.recording.replayed_or_raise(principal, request)
        proposed = [ProposedEntry.of(held.data, held.reason) for held in asked]
        return self._put(principal, proposed, reason, request)

    def ask_for_erasure(
        self,
        principal: Principal,
        client_ref: str,
        reason: Reason | None,
        request: Request,
        *,
        before_retention_ends: bool = False,
    ) -> Recorded:
        """Ask for everything that is kept of a client to be erased; privacy officers approve it.

        Raises what ``Eraser.asked`` does, and TransitionError while there is a legal hold.
        """
        self.gate.require(principal, "erasure.ask")
        try:
            data = self.eraser.asked(
                principal, client_ref, before_retention_ends=before_retention_ends
            )
            return self._put(principal, [ProposedEntry.of(data)], reason, request)
        except PlanHistoryError as refused:
            refused.inside("", out_of="/entries/0/data")
            return self.clinic.recording.replayed_or_raise(principal, request)

    def _put(
        self,
        principal: Principal,
        proposed: Sequence[ProposedEntry],
        reason: Reason | None,
        request: Request,
    ) -> Recorded:
        done = self._said(principal, ChangeProposed(entries=tuple(proposed)), reason, request)
        if not done.replayed:
            log.info(
                "a proposal waits: clinic %s entry %s",
                principal.clinic_id,
                done.entries[0].entry_id,
            )
        return done

    def approve(
        self, principal: Principal, proposal_id: UUID, reason: Reason | None, request: Request
    ) -> Recorded:
        """Agree to a proposal; with the last approval it needs, what was proposed is recorded, too.

        Raises ChangeNotPossibleError, and nothing is recorded, when that cannot be any more.
        """
        return self._decided(principal, proposal_id, ProposalApproved, reason, request)

    def decline(
        self, principal: Principal, proposal_id: UUID, reason: Reason | None, request: Request
    ) -> Recorded:
        """Do not follow a proposal, and say why."""
        return self._decided(principal, proposal_id, ProposalDeclined, reason, request)

    def withdraw(
        self, principal: Principal, proposal_id: UUID, reason: Reason | None, request: Request
    ) -> Recorded:
        """Take one's own proposal back."""
        return self._decided(principal, proposal_id, ProposalWithdrawn, reason, request)

    def _decided(
        self,
        principal: Principal,
        proposal_id: UUID,
        kind: type[ProposalApproved | ProposalDeclined | ProposalWithdrawn],
        reason: Reason | None,
        request: Request,
    ) -> Recorded:
        action = _TAKES.get(kind, "proposals.decide")
        self.gate.require(principal, action)
        with self.gate.noting_refusals(principal, action), self.clinic.reading(principal) as clinic:
            held = self._held(principal, clinic, proposal_id)
        if kind is ProposalApproved and held.status == "open":
            self.eraser.refuse_changed(principal.clinic_id, held)
        done = self._said(principal, kind(proposal_id=str(proposal_id)), reason, request)
        self.eraser.finish(principal.clinic_id, done.entries)
        return done

    def _said(
        self, principal: Principal, data: EntryData, reason: Reason | None, request: Request
    ) -> Recorded:
        """Record a word about a proposal; a refusal points into what was sent, not into the entry."""
        if principal.role == "client":  # their name is not to outlive what they ask for
            principal = replace(principal, name=CLIENT, credential=None)
        try:
            return self.clinic.append(principal, [Draft(data=data, reason=reason)], request)
        except ChangeNotPossibleError:
            raise
        except PlanHistoryError as refused:
            inside = any(held.pointer.startswith(_DATA) for held in refused.problems)
            refused.inside("", out_of=_DATA if inside else _ENTRY)
            raise

    # Reading

    def find(self, principal: Principal, asking: Asking) -> tuple[list[dict[str, Any]], int | None]:
        """A page of the proposals within the principal's reach, newest first, and where the next begins."""
        self.gate.require(principal, "proposals.read")
        now = self.gate.clock()
        with self.clinic.reading(principal) as clinic:
            found = [
                held
                for held in reversed([*clinic.state.proposals])
                if asking.status in (None, held.standing(now))
                and (asking.after is None or held.version < asking.after)
                and self._sees(principal, held)
            ]
            shown = [_document(held, clinic, principal, now) for held in found[: asking.limit]]
        self.gate.looked_through(principal, "proposals.read", asked="proposals")
        more = len(found) > asking.limit
        return shown, shown[-1]["version"] if more else None

    def show(self, principal: Principal, proposal_id: UUID) -> dict[str, Any]:
        """One proposal; raises ProposalNotFoundError."""
        self.gate.require(principal, "proposals.read")
        with self.clinic.reading(principal) as clinic:
            held = self._held(principal, clinic, proposal_id)
            shown = _document(held, clinic, principal, self.gate.clock())
        self.gate.looked_through(principal, "proposals.read", asked="proposal")
        return shown

    def waiting(self, principal: Principal) -> int:
        """How many proposals wait for the principal's word."""
        if not principal.may("proposals.decide"):
            return 0
        return self.gate.rosters(principal.clinic_id).waiting_for(
            principal.author, self.gate.clock()
        )

    def _held(self, principal: Principal, clinic: Clinic, proposal_id: UUID) -> Proposal:
        held = clinic.state.proposals.get(str(proposal_id))
        if held is None or not self._sees(principal, held):
            raise ProposalNotFoundError("There is no such proposal here; check its id.")
        return held

    def _sees(self, principal: Principal, held: Proposal) -> bool:
        """All of the clinic's, or their own."""
        grant = principal.grant("proposals.read") or {}
        return CLINIC in grant or held.is_by(principal.author)


_ENTRY, _DATA = "/entries/0", "/entries/0/data"
"""Where a refusal points that was made for the one entry which holds the request."""


def _document(
    held: Proposal, clinic: Clinic, principal: Principal, now: datetime
) -> dict[str, Any]:
    """A proposal as the API shows it: what would be recorded, in sentences, and what one may say to it."""
    told = sentences(clinic.state, held.entries)
    return {
        "proposal_id": held.proposal_id,
        "entry_id": held.entry_id,
        "version": held.version,
        "status": held.standing(now),
        "expires_at": plain_moment(held.expires_at) if held.expires_at else None,
        "proposed": _word(held.proposed),
        "entries": [
            {
                "type": proposed.kind.__name__,
                "sentence": sentence,
                **({"reason": to_plain(proposed.reason)} if proposed.reason else {}),
                "data": to_plain(proposed.revived),
            }
            for proposed, sentence in zip(held.entries, told, strict=True)
        ],
        "approved_by": list(held.approved_by),
        "approvals_needed": held.needed,
        "approvals": [_word(word) for word in held.approvals],
        "closed": _word(held.closing) if held.closing else None,
        "may": [
            doing
            for doing, kind in DOING.items()
            if principal.may(_TAKES.get(kind, "proposals.decide"))
            and objection_to(held, kind, principal.author, now) is None
        ],
    }


def _word(word: Word) -> dict[str, Any]:
    said = {"reason": to_plain(word.reason)} if word.reason else {}
    return {"by": to_plain(word.by), "at": plain_moment(word.at), **said}
