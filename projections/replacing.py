"""Replacing plans' rows only where they changed: what is there is compared first, in one query a batch."""

from __future__ import annotations

from collections.abc import Collection, Set
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from projections.projection import Cursor

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table beside ``clinic_id``: name and type of each, ``plan_id`` first.

    The first ``keys`` of them are, with the clinic, the table's primary key.
    """

    types: tuple[tuple[str, str], ...]
    keys: int

    @property
    def names(self) -> str:
        """Their names, as SQL lists them."""
        return ", ".join(name for name, _ in self.types)


def replace_rows(
    cursor: Cursor,
    table: str,
    columns: Columns,
    clinic_id: UUID,
    plans: Collection[UUID],
    rows: Set[Row],
) -> None:
    """Let ``table`` hold exactly ``rows`` for ``plans``; rows that are there already stay untouched."""
    if not plans:
        return
    held = f"SELECT {columns.names} FROM {table} WHERE clinic_id = %s AND plan_id = ANY(%b::uuid[])"
    there = cursor.execute(held.encode(), [clinic_id, list(plans)], binary=True).fetchall()
    gone = set(there) - rows
    if gone:
        _delete(cursor, table, columns, clinic_id, gone)
    insert_rows(cursor, table, columns, clinic_id, rows - set(there))


def insert_rows(
    cursor: Cursor, table: str, columns: Columns, clinic_id: UUID, rows: Collection[Row]
) -> None:
    """Add ``rows``, which are not there."""
    if not rows:
        return
    given = ", ".join(f"%s::{kind}[]" for _, kind in columns.types)
    query = (
        f"INSERT INTO {table} (clinic_id, {columns.names}) "
        f"SELECT %s, {columns.names} FROM unnest({given}) AS given ({columns.names})"
    )
    cursor.execute(query.encode(), [clinic_id, *_arrays(rows)])


def _delete(
    cursor: Cursor, table: str, columns: Columns, clinic_id: UUID, rows: Collection[Row]
) -> None:
    keys = columns.types[: columns.keys]
    names = ", ".join(name for name, _ in keys)
    given = ", ".join(f"%s::{kind}[]" for _, kind in keys)
    query = (
        f"DELETE FROM {table} WHERE clinic_id = %s AND ({names}) IN (SELECT * FROM unnest({given}))"
    )
    cursor.execute(query.encode(), [clinic_id, *_arrays(row[: columns.keys] for row in rows)])


def _arrays(rows: Any) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
