"""Tables as CSV which no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import psycopg
from psycopg import sql

from domain.fields import plain_moment
from projections.projection import Projection
from projections.sealing import Seals

TIMELINE = (
    "position", "version", "plan_id", "entry_id", "type", "occurred_at", "recorded_at", "late",
    "recorded_by", "role", "voiced_by", "reason", "sentence", "corrected_by", "addenda_by",
    "in_error_by",
)  # fmt: skip
"""The columns of a timeline."""
_COLUMNS = """
SELECT column_name FROM information_schema.columns
WHERE table_schema = 'plan_history' AND table_name = %s AND column_name <> 'clinic_id'
AND (data_type <> 'bytea' OR column_name = ANY(%s))
ORDER BY ordinal_position
"""


def lines(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV (RFC 4180)."""
    out = io.StringIO()
    csv.writer(out).writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


def cell(value: object) -> str:
    """A cell no spreadsheet takes for a formula (OWASP: CSV injection)."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | UUID):
        return str(value)
    if isinstance(value, datetime):
        return plain_moment(value)
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def timeline_row(shown: dict[str, Any]) -> list[object]:
    """An entry as the timeline shows it, as a row of ``TIMELINE``."""
    flat = {
        **shown,
        "recorded_by": shown["recorded_by"]["name"],
        "role": shown["recorded_by"]["role"],
        "reason": shown.get("reason", {}).get("text"),
    }
    return [flat.get(name) for name in TIMELINE]


def timeline(entries: Iterable[str]) -> Iterator[str]:
    """Entries, each as JSON text, as CSV with its heading."""
    yield lines([TIMELINE])
    for held in entries:
        yield lines([timeline_row(orjson.loads(held))])


def read_model(
    conn: psycopg.Connection[Any], seals: Seals, projection: Projection
) -> Iterator[str]:
    """A clinic's rows of a read model as CSV: one row a thing, one column a fact, UTC throughout."""
    table, sealed = projection.table(), [*projection.SEALED]
    names = [row[0] for row in conn.execute(_COLUMNS, [table, sealed]).fetchall()]
    query = sql.SQL("SELECT {} FROM {} WHERE clinic_id = %s ORDER BY {}").format(
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.Identifier(table),
        sql.SQL(", ").join(sql.Literal(place) for place in range(1, len(names) + 1)),
    )
    heading: list[str] | None = None
    with conn.transaction(), conn.cursor("table") as cursor:
        cursor.itersize = 2_000
        for row in cursor.execute(query, [seals.clinic_id]):
            told = _opened(seals, projection, dict(zip(names, row, strict=True)))
            if heading is None:
                yield lines([heading := [*told]])
            yield lines([[*told.values()]])
    if heading is None:
        yield lines([names])


def _opened(seals: Seals, projection: Projection, row: dict[str, Any]) -> dict[str, Any]:
    """A row with its sealed columns told."""
    told: dict[str, Any] = {}
    for name, held in row.items():
        about = projection.SEALED.get(name)
        if about is None:
            told[name] = held
            continue
        text = seals.read(projection.name, row["plan_id"], about.format(**row), bytes(held))
        told.update({name: None} if text is None else projection.told(name, text))
    return told
