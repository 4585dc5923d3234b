"""``timeline``: each entry with its sentence, what it is about, and what was later said about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from domain.entry import Entry, created_ids, references
from domain.fold import AMENDING
from domain.history import History
from domain.record import AddendumAdded
from projections.projection import Batch, Cursor, Erased, Projection
from projections.sealing import Seals

_INSERT = """
INSERT INTO {table} (clinic_id, position, plan_id, occurred_at, recorded_by, version, type, voiced_by,
    about, sentence)
SELECT %s, position, plan_id, occurred_at, recorded_by, version, type, voiced_by, about::uuid[], sentence
FROM unnest(%b::int8[], %b::uuid[], %b::timestamptz[], %b::uuid[], %b::int4[], %s::text[], %s::text[],
    %s::text[], %b::bytea[]) AS given (position, plan_id, occurred_at, recorded_by, version, type,
    voiced_by, about, sentence)
"""
_CLEAR = """
UPDATE {table} SET corrected_by = NULL, addenda = NULL, in_error_by = NULL
WHERE clinic_id = %s AND plan_id = %s
AND (corrected_by IS NOT NULL OR addenda IS NOT NULL OR in_error_by IS NOT NULL)
"""
_AMEND = """
UPDATE {table} SET corrected_by = %s, addenda = %s, in_error_by = %s
WHERE clinic_id = %s AND plan_id = %s AND version = %s
"""
THREADED = (*AMENDING, AddendumAdded)


class Timeline(Projection):
    """One row per entry; its words stay in the record, here is what it is found and told by."""

    name = "timeline"
    version = 2
    SEALED = {"sentence": "{version}"}  # noqa: RUF012 - as its base declares it
    shape = "b8801231956a"

    def apply(self, batch: Batch, cursor: Cursor, table: str) -> None:
        """Add the batch's entries, and thread corrections, marks and addenda under what they are about."""
        said = [*zip(batch.entries, batch.told, strict=True)]
        said += zip(batch.clinic_entries, batch.clinic_told, strict=True)
        if not said:
            return
        rows = (_row(batch.seals, *held) for held in said)
        columns = [list(column) for column in zip(*rows, strict=True)]
        cursor.execute(_INSERT.format(table=table).encode(), [batch.clinic_id, *columns])
        amended = {held.plan_id for held in batch.entries if isinstance(held.data, THREADED)}
        for plan_id in amended:
            _thread(batch.clinic_id, batch.plans[plan_id], cursor, table)
        if batch.clinic is not None and any(
            isinstance(held.data, THREADED) for held in batch.clinic_entries
        ):
            _thread(batch.clinic_id, batch.clinic, cursor, table)

    def forget(self, erased: Erased, cursor: Cursor, table: str) -> None:
        """Neither of the plans nor of what the clinic's own log said about their client."""
        super().forget(erased, cursor, table)
        query = (
            f"DELETE FROM {table} t USING entries e WHERE e.clinic_id = %(clinic)s "
            "AND e.entry_id = ANY(%(entries)s) AND t.clinic_id = e.clinic_id AND t.position = e.position"
        )
        given = {"clinic": erased.clinic_id, "entries": list(erased.entry_ids)}
        cursor.execute(query.encode(), given)


def _row(seals: Seals, entry: Entry, told: str) -> tuple[Any, ...]:
    held = sorted(set(about(entry)))
    place = (Timeline.name, entry.plan_id, entry.version)
    return (
        entry.position,
        entry.plan_id,
        entry.occurred_at,
        UUID(entry.recorded_by.member_id),
        entry.version,
        entry.type,
        entry.voiced_by,
        f"{{{','.join(held)}}}" if held else None,
        seals.row(entry.key_id, *place, told.encode()),
    )


def about(entry: Entry) -> Iterator[str]:
    """The ids of the things in the plan that an entry makes or refers to."""
    for _, created, _ in created_ids(entry):
        yield created
    for _, held, _ in references(entry):
        yield held


def threads(plan: History) -> dict[int, tuple[list[int], list[int], int | None]]:
    """For each entry's version that something was said about: corrections, addenda, mark in error."""
    version_of = {entry.entry_id: entry.version for entry in plan.entries}
    said: dict[int, tuple[list[int], list[int], int | None]] = {}
    for entry in plan.entries:
        if isinstance(entry.data, THREADED) and entry.entry_id not in plan.settled.gone:
            corrections, addenda, _ = said.setdefault(
                version_of[entry.data.entry_id], ([], [], None)
            )
            if isinstance(entry.data, AddendumAdded):
                addenda.append(entry.version)
            elif entry.data.TOPIC == "plan.entry-corrected":
                corrections.append(entry.version)
    for entry_id, by in plan.settled.gone.items():
        corrections, addenda, _ = said.get(version_of[entry_id], ([], [], None))
        said[version_of[entry_id]] = (corrections, addenda, by)
    return {version: held for version, held in said.items() if any(held)}


def _thread(clinic_id: UUID, plan: History, cursor: Cursor, table: str) -> None:
    cursor.execute(_CLEAR.format(table=table).encode(), [clinic_id, plan.id])
    rows = [
        (corrections or None, addenda or None, in_error_by, clinic_id, plan.id, version)
        for version, (corrections, addenda, in_error_by) in threads(plan).items()
    ]
    cursor.executemany(_AMEND.format(table=table).encode(), rows)
