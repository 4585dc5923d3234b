"""How the service is doing, and what is told when something goes wrong."""

from __future__ import annotations

from typing import Any

from api.described.parts import TEXT, WHOLE, group, many, or_null


def _problem() -> dict[str, Any]:
    where = {"pointer": TEXT, "parameter": TEXT}
    return group(
        {"errors": many(group(where, detail=TEXT))},
        type=TEXT,
        title=TEXT,
        status={"type": "integer"},
        detail=TEXT,
        instance=TEXT,
        request_id=or_null(TEXT),
        code=TEXT,
    )


def components() -> dict[str, dict[str, Any]]:
    """By name."""
    lag = group(entries_behind=WHOLE, clinics_behind=WHOLE, stopped=WHOLE)
    seals = group(behind=WHOLE, clinics_behind=WHOLE, stopped=WHOLE)
    return {
        "Alive": group(alive={"type": "boolean"}),
        "Ready": group(
            ready={"type": "boolean"},
            database=TEXT,
            migrations_pending=many(TEXT),
            projections={"type": "object", "additionalProperties": lag},
            projections_stopped=WHOLE,
            ledger={"type": "object", "additionalProperties": seals},
            ledger_stopped=WHOLE,
        ),
        "Problem": _problem(),
    }


def examples() -> dict[str, dict[str, Any]]:
    """Of what is sent, by component."""
    return {}
