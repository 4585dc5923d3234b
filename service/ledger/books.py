"""The ledger's books: the newest checkpoint of each tree, and its tiles."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from service.ledger.notes import LOG, Checkpoint, Note, Vkey
from service.ledger.tiles import Place

Connection = psycopg.Connection[Any]
ENTRIES, LOOKS = "entries", "access-log"
TREES = (ENTRIES, LOOKS)
_HEAD = (
    "clinic_id, tree, generation, size, note, keys, sealed_at, stopped_at, stopped_why "
    "FROM checkpoints WHERE clinic_id = %s AND tree = %s"
)
_ENROL = """
INSERT INTO checkpoints (clinic_id, tree) SELECT l.clinic_id, t.tree FROM clinic_logs l, unnest(%s::text[]) AS t (tree)
WHERE NOT EXISTS (SELECT FROM checkpoints c WHERE c.clinic_id = l.clinic_id AND c.tree = t.tree)
ON CONFLICT DO NOTHING
"""
_BEHIND = """
SELECT clinic_id, tree FROM (
    SELECT c.clinic_id, c.tree FROM checkpoints c JOIN clinic_logs l USING (clinic_id)
    WHERE c.tree = 'entries' AND c.stopped_why IS NULL AND (c.note IS NULL OR c.size <> l.position)
    UNION ALL
    SELECT c.clinic_id, c.tree FROM checkpoints c
    LEFT JOIN LATERAL (SELECT look_id FROM access_log a WHERE a.clinic_id = c.clinic_id
                       ORDER BY look_id DESC LIMIT 1) AS newest ON true
    LEFT JOIN LATERAL (SELECT look_id FROM sealed_looks s WHERE s.clinic_id = c.clinic_id
                       ORDER BY look_id DESC LIMIT 1) AS sealed ON true
    WHERE c.tree = 'access-log' AND c.stopped_why IS NULL
        AND (c.note IS NULL OR newest.look_id > coalesce(sealed.look_id, 0))
) AS behind ORDER BY random() LIMIT 64
"""
_TILES = """
SELECT t.level, t.number, t.hashes FROM log_tiles t
JOIN unnest(%s::int[], %s::bigint[]) AS wanted (level, number) USING (level, number)
WHERE t.clinic_id = %s AND t.tree = %s
"""
_KEEP_TILES = """
INSERT INTO log_tiles (clinic_id, tree, level, number, hashes)
SELECT %s, %s, * FROM unnest(%s::int[], %s::bigint[], %s::bytea[])
ON CONFLICT (clinic_id, tree, level, number) DO UPDATE SET hashes = excluded.hashes
"""
_KEEP = """
UPDATE checkpoints SET size = %s, note = %s, keys = %s, sealed_at = clock_timestamp()
WHERE clinic_id = %s AND tree = %s
"""
_STOP = (
    "UPDATE checkpoints SET stopped_at = %s, stopped_why = %s WHERE clinic_id = %s AND tree = %s"
)


def origin_of(clinic_id: UUID, tree: str, generation: int = 1) -> str:
    """The name of a log, by which its checkpoints and keys go; anew each time it is begun anew."""
    again = f"/{generation}" if generation > 1 else ""
    return f"plan-history/{clinic_id}/{tree}{again}"


@dataclass(frozen=True, slots=True)
class Head:
    """How far a tree is sealed: its newest checkpoint, or none yet, and what is wrong if it stands still."""

    clinic_id: UUID
    tree: str
    generation: int
    size: int
    note: str | None
    keys: Sequence[bytes]
    sealed_at: datetime | None
    stopped_at: int | None
    stopped_why: str | None

    @property
    def key(self) -> list[Any]:
        """Its key in every table."""
        return [self.clinic_id, self.tree]

    @property
    def origin(self) -> str:
        """The name of the log."""
        return origin_of(self.clinic_id, self.tree, self.generation)

    @property
    def vkeys(self) -> list[Vkey]:
        """What its signatures are checked with, the newest key first."""
        return [Vkey(self.origin, LOG, bytes(public)) for public in self.keys]

    def checkpoint(self) -> Checkpoint | None:
        """What its note says; raises MalformedNoteError for a note that is none."""
        return None if self.note is None else Checkpoint.parse(Note.parse(self.note.encode()).text)


def head_of(conn: Connection, clinic_id: UUID, tree: str) -> Head | None:
    """The head of a clinic's tree; None before the sealer has met the clinic."""
    row = conn.execute(f"SELECT {_HEAD}", [clinic_id, tree]).fetchone()
    return Head(*row) if row else None


def tiles_of(conn: Connection, head: Head, places: Collection[Place]) -> dict[Place, bytes]:
    """Those of a tree's tiles that are there."""
    if not places:
        return {}
    wanted = [list(column) for column in zip(*places, strict=True)]
    rows = conn.execute(_TILES, [*wanted, *head.key], binary=True).fetchall()
    return {(level, number): hashes for level, number, hashes in rows}


class Books:
    """The books as the sealer keeps them, over one connection."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn

    def enrol(self) -> None:
        """Give the trees of new clinics their rows."""
        self.conn.execute(_ENROL, [list(TREES)])

    def behind(self) -> list[tuple[UUID, str]]:
        """Some of the trees that are behind their logs, or not as long as they."""
        return self.conn.execute(_BEHIND).fetchall()

    def lease(self, clinic_id: UUID, tree: str) -> Head | None:
        """A tree, to oneself until the transaction ends; None when it stands still or is another's."""
        query = f"SELECT {_HEAD} AND stopped_why IS NULL FOR UPDATE SKIP LOCKED"
        row = self.conn.execute(query, [clinic_id, tree]).fetchone()
        return Head(*row) if row else None

    def keep(
        self, head: Head, size: int, note: str, keys: Iterable[bytes], tiles: Mapping[Place, bytes]
    ) -> None:
        """A tree has grown to ``size`` and is sealed by ``note``."""
        if tiles:
            levels, numbers = zip(*tiles, strict=True)
            given = [list(levels), list(numbers), list(tiles.values())]
            self.conn.execute(_KEEP_TILES, [*head.key, *given])
        self.conn.execute(_KEEP, [size, note, list(keys), *head.key])

    def stop(self, clinic_id: UUID, tree: str, at: int, why: str) -> None:
        """Sign nothing more of a tree until somebody has looked after it."""
        self.conn.execute(_STOP, [at, why, clinic_id, tree])
