"""``measures``: every measured value that stands, for analysis across a clinic's plans."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from domain.entry import Entry
from domain.fold import AMENDING
from domain.goals import MeasureRecorded
from projections.projection import Batch, Cursor, Projection
from projections.replacing import Row, insert_rows, replace_rows

COLUMNS = {
    "plan_id": "uuid",
    "version": "int4",
    "goal_id": "uuid",
    "instrument": "text",
    "occurred_at": "timestamptz",
    "value": "float8",
    "unit": "text",
    "by": "text",
}


class Measures(Projection):
    """One row per value, as corrected; goal, instrument and unit as its entry names them."""

    name = "measures"
    version = 1
    shape = "d6ef09b66257"

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
        insert_rows(cursor, table, COLUMNS, batch.clinic_id, _rows(plain))
        whole = (held for plan_id in amended for held in batch.plans[plan_id].settled.order)
        replace_rows(cursor, table, COLUMNS, batch.clinic_id, amended, _rows(whole))


def _rows(entries: Iterable[Entry]) -> set[Row]:
    return {
        (
            held.plan_id,
            held.version,
            UUID(data.goal_id) if data.goal_id else None,
            data.instrument,
            held.occurred_at,
            float(data.value),
            data.unit,
            data.by,
        )
        for held in entries
        if isinstance(data := held.data, MeasureRecorded)
    }
