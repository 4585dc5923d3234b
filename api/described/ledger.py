"""The ledger: how far it is sealed, and what proves that."""

from __future__ import annotations

from typing import Any

from api.described.parts import TEXT, VERSION, WHOLE, group, many, or_null, ref
from api.schemas import MOMENT_FORMAT, UUID_FORMAT

_ENCODED = {**TEXT, "contentEncoding": "base64"}


def _tree() -> dict[str, Any]:
    return group(
        origin=or_null(TEXT),
        size=WHOLE,
        checkpoint=or_null({**TEXT, "description": "A C2SP signed note (tlog-checkpoint)."}),
        sealed_at=or_null(MOMENT_FORMAT),
        behind=WHOLE,
        waiting_since=or_null(MOMENT_FORMAT),
        stopped_at=or_null(WHOLE),
        stopped_why=or_null(TEXT),
        vkeys=many(TEXT),
    )


def _proof() -> dict[str, Any]:
    made_of = "What the leaf is the hash of, without the 0x00 before it."
    return group(
        entry_id=UUID_FORMAT,
        plan_id=UUID_FORMAT,
        version=VERSION,
        position=VERSION,
        index=WHOLE,
        size=VERSION,
        leaf=_ENCODED,
        leaf_data={**_ENCODED, "description": made_of},
        path=many(_ENCODED),
        checkpoint=TEXT,
        vkeys=many(TEXT),
    )


def components() -> dict[str, dict[str, Any]]:
    """By name."""
    consistency: dict[str, Any] = {"from": WHOLE, "to": WHOLE, "path": many(_ENCODED)}
    return {
        "Ledger": group(entries=ref("LedgerTree"), access_log=ref("LedgerTree")),
        "LedgerTree": _tree(),
        "Proof": _proof(),
        "Consistency": group(**consistency),
    }


def examples() -> dict[str, dict[str, Any]]:
    """Of what is sent, by component."""
    return {}
