"""Erasure: asking for everything that is kept of a client to be forgotten."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields

from api.blueprint import Blueprint
from api.conventions import principal, services, writing
from api.plans import recorded_answer
from api.proposals import PLACE, WordSchema

erasure = Blueprint("erasure", "erasure", description="Forgetting a client")


class ErasureSchema(WordSchema):
    """The body that asks for an erasure: why, and whether before the clinic's own retention ends."""

    before_retention_ends = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"description": "Although the clinic's policy keeps records longer."},
    )


@erasure.post(
    "/v1/clients/<client_ref>/erasure",
    "ask_for_erasure",
    action="erasure.ask",
    answer="Recorded",
    status=201,
    writes=True,
)
@erasure.body(ErasureSchema, "ErasureToAskFor")
def ask_for_erasure(body: dict[str, Any], client_ref: str) -> Response:
    """Ask for a client's records to be erased.

    It is a proposal: two privacy officers stand behind it before anything happens. Then the keys of their
    plans are destroyed, and nobody reads them again, in no backup either once the master key is rotated.
    That entries were there, and every proof, stays. Refused while a legal hold or the clinic's retention
    says that records are kept.
    """
    done = services().proposals.ask_for_erasure(
        principal(),
        client_ref,
        body.get("reason"),
        writing(),
        before_retention_ends=body["before_retention_ends"],
    )
    made = done.entries[0].data
    return recorded_answer(done, f"{PLACE}/{made.proposal_id}")  # type: ignore[attr-defined] # a ChangeProposed
