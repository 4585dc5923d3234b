"""``measures``: every measured value that stands, for analysis across a clinic's plans."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson

from domain.entry import Entry
from domain.fold import AMENDING
from domain.goals import MeasureRecorded
from projections.projection import Batch, Cursor, Projection
from projections.replacing import Row, insert_rows, replace_rows
from projections.sealing import Seals

COLUMNS = {
    "plan_id": "uuid",
    "version": "int4",
    "goal_id": "uuid",
    "instrument": "text",
    "occurred_at": "timestamptz",
    "by": "text",
    "measured": "bytea",
}


class Measures(Projection):
    """One row per value, as corrected; goal, instrument and unit as its entry names them.

    Value and unit are the client's, and sealed.
    """

    name = "measures"
    version = 2
    SEALED = {"measured": "{version}"}  # noqa: RUF012 - as its base declares it
    shape = "057c9dc73f9b"

    def apply(self, batch: Batch, cursor: Cursor, table: str) -> None:
        """Add the batch's values; where something was corrected or taken out, look at the whole plan."""
        amended = {held.plan_id for held in batch.entries if isinstance(held.data, AMENDING)}
        plain = (
            held
            for held in batch.entries
            if isinstance(held.data, MeasureRecorded)
            and held.plan_id not in amended
            and held.entry_id in batch.plans[held.plan_id].settled.counts_at
        )
        insert_rows(cursor, table, COLUMNS, batch.clinic_id, _rows(batch.seals, plain))
        whole = (held for plan_id in amended for held in batch.plans[plan_id].settled.order)
        replace_rows(cursor, table, COLUMNS, batch.clinic_id, amended, _rows(batch.seals, whole))

    def told(self, column: str, text: bytes) -> dict[str, Any]:
        """Value and unit."""
        held: dict[str, Any] = orjson.loads(text)
        return held


def _rows(seals: Seals, entries: Iterable[Entry]) -> set[Row]:
    return {
        (
            held.plan_id,
            held.version,
            UUID(data.goal_id) if data.goal_id else None,
            data.instrument,
            held.occurred_at,
            data.by,
            seals.row(held.key_id, Measures.name, held.plan_id, held.version, _measured(data)),
        )
        for held in entries
        if isinstance(data := held.data, MeasureRecorded)
    }


def _measured(data: MeasureRecorded) -> bytes:
    return orjson.dumps({"value": float(data.value), "unit": data.unit})
