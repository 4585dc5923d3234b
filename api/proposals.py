"""Proposals: changes of the clinic that take more than one person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import RAISE, Schema

from api.blueprint import Blueprint
from api.conventions import (
    from_cursor,
    json_answer,
    next_link,
    principal,
    services,
    takes_query,
    to_cursor,
    writing,
)
from api.plans import recorded_answer
from api.queries import ProposalsQuery, whole_part
from api.schemas import EnvelopeSchema, ListField, ProposedEntryField
from domain.fields import ManyRule
from domain.proposals import MOST
from service.proposals import Asking
from service.recording import Recorded

proposals = Blueprint("proposals", "proposals", description="Changes that take two people")
PLACE = "/v1/clinic/proposals"


class WordSchema(Schema):
    """What somebody says to a proposal: why, if they say so."""

    class Meta:
        """Nothing slips through."""

        unknown = RAISE

    reason = EnvelopeSchema._declared_fields["reason"]  # noqa: SLF001 - the same field


class ProposalSchema(WordSchema):
    """The body that proposes entries, in order, all or none, and says why."""

    entries = ListField(ProposedEntryField(), first=ManyRule(1, MOST), required=True)


def _answer(done: Recorded, proposal_id: str | UUID) -> Response:
    return recorded_answer(done, f"{PLACE}/{proposal_id}")


@proposals.post(
    PLACE, "propose", action="proposals.make", answer="Recorded", status=201, writes=True
)
@proposals.body(ProposalSchema, "ProposalToMake")
def propose(body: dict[str, Any]) -> Response:
    """Propose entries of the clinic itself, to be recorded once others have approved them.

    Each is decided now as if it were recorded; nothing but the proposal is. Who approves, and how many
    of them, follows from the types.
    """
    done = services().proposals.propose(principal(), body["entries"], body.get("reason"), writing())
    return _answer(done, done.entries[0].data.proposal_id)  # type: ignore[attr-defined] # a ChangeProposed


@proposals.get(PLACE, "list_proposals", action="proposals.read", answer="Proposals")
@proposals.query(ProposalsQuery)
@takes_query
def list_proposals(query: Mapping[str, Any]) -> Response:
    """Proposals with who, why, what and what came of them, newest first; supervisors see their own."""
    place = from_cursor(query.get("cursor"), (whole_part,))
    asking = Asking(
        status=query.get("status"), limit=query["limit"], after=place[0] if place else None
    )
    found, following = services().proposals.find(principal(), asking)
    cursor = to_cursor(None if following is None else [following])
    return json_answer({"proposals": found, "next_cursor": cursor}, headers=next_link(cursor))


@proposals.get(
    f"{PLACE}/<uuid:proposal_id>", "read_proposal", action="proposals.read", answer="Proposal"
)
def read_proposal(proposal_id: UUID) -> Response:
    """One proposal."""
    return json_answer(services().proposals.show(principal(), proposal_id))


@proposals.post(
    f"{PLACE}/<uuid:proposal_id>/approve",
    "approve_proposal",
    action="proposals.decide",
    answer="Recorded",
    status=201,
    writes=True,
)
@proposals.body(WordSchema, "WordOnProposal")
def approve_proposal(body: dict[str, Any], proposal_id: UUID) -> Response:
    """Approve what somebody else proposed.

    With the last approval it needs, the proposed entries are recorded in the same moment, decided against
    the clinic as it stands then. If one is not possible any more, nothing is recorded and the proposal
    stays open. Once it has expired (`expires_at`), nothing is said to it any more.
    """
    done = services().proposals.approve(principal(), proposal_id, body.get("reason"), writing())
    return _answer(done, proposal_id)


@proposals.post(
    f"{PLACE}/<uuid:proposal_id>/decline",
    "decline_proposal",
    action="proposals.decide",
    answer="Recorded",
    status=201,
    writes=True,
)
@proposals.body(WordSchema, "ReasonedWordOnProposal")
def decline_proposal(body: dict[str, Any], proposal_id: UUID) -> Response:
    """Do not follow a proposal, and say why."""
    done = services().proposals.decline(principal(), proposal_id, body.get("reason"), writing())
    return _answer(done, proposal_id)


@proposals.post(
    f"{PLACE}/<uuid:proposal_id>/withdraw",
    "withdraw_proposal",
    action="proposals.withdraw",
    answer="Recorded",
    status=201,
    writes=True,
)
@proposals.body(WordSchema, "WordOnProposal")
def withdraw_proposal(body: dict[str, Any], proposal_id: UUID) -> Response:
    """Take your own proposal back."""
    done = services().proposals.withdraw(principal(), proposal_id, body.get("reason"), writing())
    return _answer(done, proposal_id)
