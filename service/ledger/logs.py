"""What comes next in a clinic's two logs, as leaves – each computed from its row, not taken from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from service.ledger.books import Connection, Head
from service.ledger.leaves import Entry, Look
from service.ledger.tree import leaf_hash

ENTRY_COLUMNS = (
    "e.position, e.entry_id, e.plan_id, e.version, e.topic, e.recorded_at, e.key_id, e.state"
)
LOOK_COLUMNS = ", ".join(f"a.{name}" for name in Look._fields)
_LAST = "SELECT position FROM clinic_logs WHERE clinic_id = %s"
_ENTRIES = f"""
SELECT {ENTRY_COLUMNS}, e.leaf, p.position, substring(t.hashes FROM ((p.position - 1) %% 256 * 32 + 1)::int FOR 32)
FROM entries e
LEFT JOIN entries p ON p.clinic_id = e.clinic_id AND p.plan_id = e.plan_id AND p.version = e.version - 1
LEFT JOIN log_tiles t ON t.clinic_id = e.clinic_id AND t.tree = 'entries' AND t.level = 0
    AND t.number = (p.position - 1) / 256 AND p.position <= %s
WHERE e.clinic_id = %s AND e.position > %s AND e.position <= %s ORDER BY e.position
"""
_SETTLED = """
SELECT look_id FROM access_log WHERE clinic_id = %s AND looked_at < clock_timestamp() - make_interval(secs => %s)
ORDER BY look_id DESC LIMIT 1
"""
_SEALED = "SELECT look_id FROM sealed_looks WHERE clinic_id = %s ORDER BY look_id DESC LIMIT 1"
_LOOKS = f"""
SELECT {LOOK_COLUMNS} FROM access_log a WHERE a.clinic_id = %s AND a.look_id > %s
AND NOT EXISTS (SELECT FROM sealed_looks s WHERE s.clinic_id = a.clinic_id AND s.look_id = a.look_id)
ORDER BY a.look_id LIMIT %s
"""
_PLACE = "INSERT INTO sealed_looks (clinic_id, look_id, index) SELECT %s, * FROM unnest(%s::bigint[], %s::bigint[])"


class TamperedError(Exception):
    """Something is not as it was recorded, or as it was sealed: where, and what."""

    def __init__(self, at: int, why: str) -> None:
        super().__init__(why)
        self.at = at


def next_entries(conn: Connection, head: Head, limit: int) -> list[bytes]:
    """The leaves of the entries after those that are sealed; raises TamperedError at the first bad one.

    Each is computed from its row and from the sealed leaf of its plan's entry before.
    """
    row = conn.execute(_LAST, [head.clinic_id]).fetchone()
    last = int(row[0]) if row else 0
    if last < head.size:
        raise TamperedError(
            last + 1, f"{head.size} entries were sealed, and the log ends at {last}"
        )
    reach = min(last, head.size + limit)
    parameters = [head.size, head.clinic_id, head.size, reach]
    leaves: list[bytes] = []
    for found in conn.execute(_ENTRIES, parameters, binary=True).fetchall():
        leaves.append(_entry_leaf(head, leaves, found))
    if head.size + len(leaves) < reach:
        at = head.size + len(leaves) + 1
        raise TamperedError(at, f"the entry at position {at} is missing")
    return leaves


def _entry_leaf(head: Head, leaves: Sequence[bytes], found: Sequence[Any]) -> bytes:
    *columns, stored, before, sealed = found
    entry, at = Entry(*columns), head.size + len(leaves) + 1
    if entry.position != at:
        raise TamperedError(at, f"the entry at position {at} is missing")
    if before is None:
        previous = None
    elif before <= head.size:
        previous = sealed
    else:
        previous = leaves[before - head.size - 1] if before < at else None
    if previous is None and entry.version > 1:
        raise TamperedError(
            at, f"position {at}: its plan's version {entry.version - 1} is not before it"
        )
    leaf = leaf_hash(entry.data(head.clinic_id, previous))
    if leaf != stored:
        raise TamperedError(at, f"the entry at position {at} is not as it was recorded")
    return leaf


class Lateness:
    """From which look on to look for unsealed ones: looks may be committed out of order, seconds late.

    Usually those after the newest sealed one. Every ten seconds, while a clinic is busy, those of the last five
    minutes; and all of them the first time this process meets the clinic.
    """

    SETTLED, EVERY = 300.0, 10.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._widely: dict[UUID, float] = {}
        self._busy: dict[UUID, float] = {}

    def due(self) -> list[UUID]:
        """The clinics whose last minutes are to be looked through again."""
        now = self.clock()
        self._busy = {
            clinic: seen for clinic, seen in self._busy.items() if now - seen < self.SETTLED
        }
        return [clinic for clinic in self._busy if now - self._widely[clinic] >= self.EVERY]

    def busy(self, clinic_id: UUID) -> None:
        """A clinic's looks were sealed just now."""
        self._busy[clinic_id] = self.clock()

    def begin(self, conn: Connection, clinic_id: UUID) -> int:
        """The number of the look after which to look now."""
        now, before = self.clock(), self._widely.get(clinic_id)
        if before is not None and now - before < self.EVERY:
            row = conn.execute(_SEALED, [clinic_id]).fetchone()
            return int(row[0]) if row else 0
        self._widely[clinic_id] = now
        if before is None:
            return 0
        row = conn.execute(_SETTLED, [clinic_id, self.SETTLED]).fetchone()
        return int(row[0]) if row else 0


def next_looks(conn: Connection, head: Head, after: int, limit: int) -> list[bytes]:
    """The leaves of looks that are not sealed yet, each given its place in the tree."""
    rows = conn.execute(_LOOKS, [head.clinic_id, after, limit], binary=True).fetchall()
    looks = [Look(*row) for row in rows]
    places = range(head.size, head.size + len(looks))
    if looks:
        given = [[look.look_id for look in looks], list(places)]
        conn.execute(_PLACE, [head.clinic_id, *given])
    return [leaf_hash(look.data(head.clinic_id)) for look in looks]
