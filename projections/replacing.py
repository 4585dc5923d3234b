"""Replacing plans' rows only where they changed: what is there is compared first, in one query a batch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from projections.projection import Cursor

Row = tuple[Any, ...]
_HELD = """
SELECT held.* FROM unnest(%b::uuid[]) AS touched (plan_id)
CROSS JOIN LATERAL (
    SELECT ctid::text, {names} FROM {table} WHERE clinic_id = %s AND plan_id = touched.plan_id OFFSET 0
) AS held
"""
"""``OFFSET 0``: plan by plan through the primary key, also while the table has no statistics yet.

A row is deleted by its place: nobody else writes the rows of this clinic before the batch is committed.
"""


Columns = Mapping[str, str]
"""The columns of a table beside ``clinic_id``: the type of each by its name."""


def replace_rows(
    cursor: Cursor,
    table: str,
    columns: Columns,
    clinic_id: UUID,
    plans: Collection[UUID],
    rows: set[Row],
) -> None:
    """Let ``table`` hold exactly ``rows`` for ``plans``; rows that are there already stay untouched."""
    if not plans:
        return
    query = _HELD.format(table=table, names=", ".join(columns))
    held = cursor.execute(query.encode(), [list(plans), clinic_id], binary=True).fetchall()
    there = {row[1:]: row[0] for row in held}
    gone = [place for row, place in there.items() if row not in rows]
    if gone:
        delete = f"DELETE FROM {table} WHERE clinic_id = %s AND ctid = ANY(%s::tid[])"
        cursor.execute(delete.encode(), [clinic_id, gone])
    insert_rows(cursor, table, columns, clinic_id, rows - there.keys())


def insert_rows(
    cursor: Cursor, table: str, columns: Columns, clinic_id: UUID, rows: Collection[Row]
) -> None:
    """Add ``rows``, which are not there."""
    if not rows:
        return
    names = ", ".join(columns)
    given = ", ".join(f"%s::{kind}[]" for kind in columns.values())
    query = (
        f"INSERT INTO {table} (clinic_id, {names}) "
        f"SELECT %s, {names} FROM unnest({given}) AS given ({names})"
    )
    cursor.execute(query.encode(), [clinic_id, *_arrays(rows)])


def _arrays(rows: Any) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
