"""The ledger: what anybody needs to check a clinic's history without trusting the clinic or this service.

Addresses and contents of checkpoints and tiles are those of C2SP tlog-tiles (https://c2sp.org/tlog-tiles).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import ValidationError, validates_schema

from api.blueprint import Blueprint
from api.conventions import JSON, json_answer, principal, services, takes_query, wanted_format
from api.queries import CountField, Query
from service.ledger.books import ENTRIES, LOOKS

TEXT = "text/plain"
OCTETS = "application/octet-stream"
_FOR_EVER = "private, max-age=31536000, immutable"
ledger = Blueprint("ledger", "ledger", description="Proving what was recorded")


class ConsistencyQuery(Query):
    """Between which sizes of a tree."""

    from_ = CountField(
        0, 999_999_999, data_key="from", required=True, error_messages={"required": "Is required."},
        metadata={"description": "The size you know."},
    )  # fmt: skip
    to = CountField(
        0, 999_999_999, metadata={"description": "The size to compare with; left out, the newest."}
    )

    @validates_schema
    def _in_order(self, held: dict[str, Any], **_: Any) -> None:
        if "from_" in held and "to" in held and held["from_"] > held["to"]:
            raise ValidationError("Lies after `to`; give a smaller size.", "from")


@ledger.get("/v1/ledger", "read_ledger", action="ledger.read", answer="Ledger")
def read_ledger() -> Response:
    """How far both trees are sealed, what waits, and whether something is wrong."""
    shown = services().ledger.status(principal())
    return json_answer({"entries": shown[ENTRIES], "access_log": shown[LOOKS]})


@ledger.get("/v1/ledger/checkpoint", "read_checkpoint", action="ledger.read")
def read_checkpoint() -> Response:
    """The newest signed head of the clinic's entries: keep it, and nobody can rewrite what is before it."""
    return _text(services().ledger.checkpoint(principal()))


@ledger.get("/v1/ledger/access-log/checkpoint", "read_access_log_checkpoint", action="ledger.read")
def read_access_log_checkpoint() -> Response:
    """The newest signed head of the access log."""
    return _text(services().ledger.checkpoint(principal(), LOOKS))


@ledger.get("/v1/ledger/vkey", "read_verifier_keys", action="ledger.read")
def read_verifier_keys() -> Response:
    """The keys to check the checkpoint's signatures with, one a line; compare them with the operator's word."""
    return _text("".join(f"{key}\n" for key in services().ledger.vkeys(principal())))


@ledger.get("/v1/ledger/access-log/vkey", "read_access_log_verifier_keys", action="ledger.read")
def read_access_log_verifier_keys() -> Response:
    """The keys to check the access log's checkpoint with, one a line."""
    return _text("".join(f"{key}\n" for key in services().ledger.vkeys(principal(), LOOKS)))


@ledger.get(
    "/v1/ledger/tile/<level>/<path:number>",
    "read_tile",
    action="ledger.read",
    media_type=OCTETS,
)
def read_tile(level: str, number: str) -> Response:
    """A tile of the entries' tree, such as `0/x001/234` or, of one that is not full yet, `0/000.p/17`."""
    return _octets(services().ledger.tile(principal(), ENTRIES, level, number))


@ledger.get(
    "/v1/ledger/access-log/tile/<level>/<path:number>",
    "read_access_log_tile",
    action="ledger.read",
    media_type=OCTETS,
)
def read_access_log_tile(level: str, number: str) -> Response:
    """A tile of the access log's tree."""
    return _octets(services().ledger.tile(principal(), LOOKS, level, number))


@ledger.get(
    "/v1/ledger/tile/entries/<path:number>",
    "read_entry_bundle",
    action="ledger.entries",
    media_type=OCTETS,
)
def read_entry_bundle(number: str) -> Response:
    """What is sealed of 256 entries: ids, moments, kinds and hashes, no words."""
    return _octets(services().ledger.bundle(principal(), number))


@ledger.get(
    "/v1/ledger/proof/<uuid:entry_id>", "prove_entry", action="ledger.prove", answer="Proof"
)
def prove_entry(entry_id: UUID) -> Response:
    """That an entry is in the log, by the newest checkpoint.

    As JSON, or with `Accept: text/plain` as a C2SP tlog-proof. Younger than the last seal: 404
    `not-sealed-yet`, ask again after `Retry-After`.
    """
    kind = wanted_format(JSON, TEXT)
    proof = services().ledger.proof(principal(), entry_id)
    answer = json_answer(proof.document()) if kind == JSON else _text(proof.text())
    answer.vary.add("Accept")
    return answer


@ledger.get(
    "/v1/ledger/consistency", "prove_consistency", action="ledger.read", answer="Consistency"
)
@ledger.query(ConsistencyQuery)
@takes_query
def prove_consistency(query: Mapping[str, Any]) -> Response:
    """That the tree of `to` entries continues that of `from`: nothing before was rewritten."""
    return _consistency(ENTRIES, query)


@ledger.get(
    "/v1/ledger/access-log/consistency",
    "prove_access_log_consistency",
    action="ledger.read",
    answer="Consistency",
)
@ledger.query(ConsistencyQuery)
@takes_query
def prove_access_log_consistency(query: Mapping[str, Any]) -> Response:
    """The same of the access log's tree."""
    return _consistency(LOOKS, query)


def _consistency(tree: str, query: Mapping[str, Any]) -> Response:
    held = services().ledger.consistency(principal(), tree, query["from_"], query.get("to"))
    return json_answer(held)


def _text(held: str) -> Response:
    return Response(held, content_type=f"{TEXT}; charset=utf-8")


def _octets(held: bytes) -> Response:
    answer = Response(held, content_type=OCTETS)
    answer.headers["Cache-Control"] = _FOR_EVER
    return answer
