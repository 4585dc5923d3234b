"""The runner: keeps read models up with the record, any number of processes beside each other.

It picks a clinic that is behind by locking its position rows (that lock is the lease), takes in a
batch, moves the positions and commits, all in one transaction. It wakes on NOTIFY and polls as well.
A poison entry stops that projection for that clinic alone, loudly, until it is resumed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from projections.erasing import destroy_keys, erasures
from projections.projection import Batch, Erased, Projection
from projections.reading import PoisonError, Reader
from projections.sealing import Keys

BATCH = 1_000
log = logging.getLogger("plan_history.projections")

_ENROL = """
INSERT INTO projection_positions (projection, version, clinic_id)
SELECT p.name, p.version, c.clinic_id FROM clinics c, unnest(%s::text[], %s::int[]) AS p (name, version)
WHERE NOT EXISTS (
    SELECT FROM projection_positions o WHERE o.projection = p.name AND o.version <> p.version
) ON CONFLICT DO NOTHING
"""
_BEHIND = """
SELECT l.clinic_id FROM clinic_logs l WHERE l.position > 0 AND EXISTS (
    SELECT FROM unnest(%s::text[], %s::int[]) AS live (name, version)
    LEFT JOIN projection_positions p
        ON p.projection = live.name AND p.version = live.version AND p.clinic_id = l.clinic_id
    WHERE coalesce(p.position, 0) < l.position AND p.stopped_at IS NULL
) ORDER BY random() LIMIT 64
"""
_LEASE = """
SELECT projection, position FROM projection_positions
WHERE clinic_id = %s AND (projection, version) IN (SELECT * FROM unnest(%s::text[], %s::int[]))
AND stopped_at IS NULL ORDER BY projection FOR UPDATE SKIP LOCKED
"""
_MOVE = """
UPDATE projection_positions SET position = %s, updated_at = clock_timestamp()
WHERE projection = ANY(%s) AND version = ANY(%s) AND clinic_id = %s
"""
_STOP = """
UPDATE projection_positions SET stopped_at = %s, stopped_why = %s, updated_at = clock_timestamp()
WHERE projection = %s AND version = %s AND clinic_id = %s
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A projection and the table and position key it is written under."""

    projection: Projection
    key: str
    table: str


def live(projections: Sequence[Projection]) -> list[Target]:
    """The live tables of ``projections``."""
    return [Target(held, held.name, held.table()) for held in projections]


def rebuilding(projection: Projection) -> Target:
    """The table a rebuild of ``projection`` fills beside the live one."""
    return Target(projection, f"{projection.name}:new", projection.table(fresh=True))


class Runner:
    """Takes in entries for a set of targets over one connection (autocommit, as the projector)."""

    def __init__(
        self,
        conn: psycopg.Connection[Any],
        targets: Sequence[Target],
        keys: Keys,
        batch: int = BATCH,
    ) -> None:
        self.conn = conn
        self.targets = list(targets)
        self.batch = batch
        self.reader = Reader(keys)
        self._keys = [target.key for target in self.targets]
        self._versions = [target.projection.version for target in self.targets]

    def enrol(self) -> None:
        """Give every clinic its position rows.

        But not while the tables are those of another version: they serve as they are until a rebuild.
        """
        self.conn.execute(_ENROL, [self._keys, self._versions])

    def catch_up(self) -> int:
        """Take in everything there is; returns how many entries."""
        total = 0
        while taken := self.round():
            total += taken
        return total

    def round(self) -> int:
        """One batch for each clinic that is behind and not leased by another; returns how many entries."""
        behind = self.conn.execute(_BEHIND, [self._keys, self._versions]).fetchall()
        if behind:
            self.enrol()
        return sum(self.step(row[0]) for row in behind)

    def step(self, clinic_id: UUID) -> int:
        """One batch for one clinic; returns how many entries were taken in (0 if leased by another)."""
        try:
            with self.conn.transaction():
                return self._step(clinic_id, self.targets, self.batch)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            self.reader.forget(clinic_id)
            raise
        except Exception:  # noqa: BLE001 - whatever failed, find the entry and stop there, not here
            self.reader.forget(clinic_id)
            return self._one_by_one(clinic_id)

    def _step(self, clinic_id: UUID, targets: Sequence[Target], size: int) -> int:
        keys = [target.key for target in targets]
        versions = [target.projection.version for target in targets]
        with self.conn.cursor() as cursor:
            leased = dict(cursor.execute(_LEASE, [clinic_id, keys, versions]).fetchall())
            if not leased:
                return 0
            after = min(leased.values())
            batch = self.reader.batch(cursor, clinic_id, after, size)
            if batch is None:
                return 0
            moved = [t for t in targets if leased.get(t.key) == after]
            for target in moved:
                target.projection.apply(batch, cursor, target.table)
            for erased in erasures(batch):
                self._erase(cursor, erased, moved)
            self._move(cursor, batch, moved)
            return batch.size

    def _erase(self, cursor: psycopg.Cursor[Any], erased: Erased, moved: Sequence[Target]) -> None:
        """Destroy the keys, should nobody have done so yet, and forget what was made with them."""
        destroy_keys(cursor, self.reader.keys, erased)
        for target in moved:
            target.projection.forget(erased, cursor, target.table)
        self.reader.forget(erased.clinic_id)

    def _move(self, cursor: psycopg.Cursor[Any], batch: Batch, moved: Sequence[Target]) -> None:
        keys = [target.key for target in moved]
        versions = [target.projection.version for target in moved]
        cursor.execute(_MOVE, [batch.position, keys, versions, batch.clinic_id])

    def _one_by_one(self, clinic_id: UUID) -> int:
        """Take in entry by entry, projection by projection; stop those that fail where they fail."""
        total = 0
        for target in self.targets:
            for _ in range(self.batch):
                try:
                    with self.conn.transaction():
                        taken = self._step(clinic_id, [target], 1)
                except (psycopg.OperationalError, psycopg.InterfaceError):
                    raise
                except Exception as failed:  # noqa: BLE001 - this is where the poison is
                    self.reader.forget(clinic_id)
                    self._stop(clinic_id, target, failed)
                    break
                if not taken:
                    break
                total += taken
        return total

    def _stop(self, clinic_id: UUID, target: Target, failed: Exception) -> None:
        row = self.conn.execute(
            "SELECT position + 1 FROM projection_positions "
            "WHERE projection = %s AND version = %s AND clinic_id = %s",
            [target.key, target.projection.version, clinic_id],
        ).fetchone()
        position = failed.position if isinstance(failed, PoisonError) else (row[0] if row else 0)
        cause = failed.__cause__ if isinstance(failed, PoisonError) else failed
        why = f"{type(cause).__name__} in {target.key} at position {position}"
        key = [target.key, target.projection.version, clinic_id]
        self.conn.execute(_STOP, [position, why, *key])
        log.error("projection stopped: %s, clinic %s", why, clinic_id)
