"""Reading the log onwards from a place, in the clinic's order, without ever passing over an entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from projections.sealing import Seals
from service.feed.events import Row

SPAN = 5_000
"""How many positions one look covers at most where most entries may be left out."""

# Counter and entries come from one statement, so from one snapshot: what lies up to the counter is there.
_LOOK = """
SELECT l.position, e.* FROM clinic_logs l LEFT JOIN LATERAL (
    SELECT position, plan_id::text, version, recorded_at, entry_id::text, command_id::text, topic, state
    FROM entries WHERE clinic_id = l.clinic_id AND position > %(after)s AND {which} LIMIT %(limit)s
) e ON true WHERE l.clinic_id = %(clinic)s ORDER BY e.position
"""
_ALL = "position <= %(until)s ORDER BY position"
_OF_TYPES = "position <= %(until)s AND topic = ANY(%(topics)s) ORDER BY position"
# A plan's own index leads to its entries; their order by version is that by position.
_OF_PLAN = "plan_id = %(plan)s AND position <= %(until)s ORDER BY version"
_OF_PLAN_AND_TYPES = (
    "plan_id = %(plan)s AND topic = ANY(%(topics)s) AND position <= %(until)s ORDER BY version"
)


@dataclass(frozen=True, slots=True)
class Interest:
    """Which entries are wanted: all, those of some types (by topic), those of one plan, or both."""

    topics: tuple[str, ...] = ()
    plan_id: UUID | None = None

    @property
    def _which(self) -> str:
        if self.plan_id is None:
            return _OF_TYPES if self.topics else _ALL
        return _OF_PLAN_AND_TYPES if self.topics else _OF_PLAN

    @property
    def query(self) -> sql.SQL:
        """The statement of one look, from a closed list."""
        return sql.SQL(_LOOK.replace("{which}", self._which))


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found: the entries, the place it reached, and where the log ended just then."""

    rows: list[Row]
    reached: int
    head: int


def look(
    conn: psycopg.Connection[TupleRow],
    seals: Seals,
    after: int,
    wanted: Interest,
    limit: int,
    until: int | None = None,
) -> Look:
    """The next at most ``limit`` wanted entries after a place, and how far that is.

    ``until``: the last position to look at. Everything up to the place reached has been seen.
    """
    sparse = wanted.topics and wanted.plan_id is None
    last = min(until or _END, after + SPAN if sparse else _END)
    found: list[Any] = conn.execute(
        wanted.query,
        {
            "clinic": seals.clinic_id,
            "after": after,
            "until": last,
            "limit": limit,
            "plan": wanted.plan_id,
            "topics": list(wanted.topics),
        },
        binary=True,
    ).fetchall()
    rows = [_row(seals, row[1:]) for row in found if row[1] is not None]
    head = found[0][0] if found else 0
    reached = rows[-1].position if len(rows) == limit else max(after, min(head, last))
    return Look(rows, reached, head)


def _row(seals: Seals, found: Any) -> Row:
    """A row with its state opened; without any where its key was destroyed: nobody is shown that."""
    position, plan_id, version, recorded_at, entry_id, command_id, topic, kept = found
    state = seals.state(plan_id, version, entry_id, kept) or b""
    return Row(position, plan_id, version, recorded_at, entry_id, command_id, topic, state)


_END = 2**62
