"""The dispatcher's books: which webhook is due, what is behind, how attempts went."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from projections.sealing import Keys, Seals
from service.feed.scan import Interest, Look, look
from service.webhooks.errands import Errand

LANES = 16
"""Plans that are behind and taken along in one round."""
KEPT = timedelta(days=30)
"""How long the delivery log is kept."""
_LEASE = """
SELECT w.clinic_id, w.webhook_id, w.url, w.topics, w.plan_id, w.member_id, w.recipient, w.carries,
    w.replay_after,
    w.deleted_at IS NOT NULL, c.position, c.failures
FROM webhook_cursors c JOIN webhooks w USING (clinic_id, webhook_id) JOIN clinic_logs l USING (clinic_id)
WHERE w.deleted_at IS NOT NULL OR (w.disabled_at IS NULL AND (w.replay_after IS NOT NULL OR (
    c.quiet_until <= clock_timestamp() AND (c.position < l.position OR EXISTS (
        SELECT FROM webhook_lanes n WHERE n.clinic_id = c.clinic_id AND n.webhook_id = c.webhook_id
        AND n.parked_at IS NULL AND n.due_at <= clock_timestamp())))))
ORDER BY random() LIMIT 1 FOR UPDATE OF c SKIP LOCKED
"""
_CONFINE = "SELECT set_config('plan_history.clinic_id', %s, true)"
_SECRETS = """
SELECT secret FROM webhook_secrets WHERE clinic_id = %s AND webhook_id = %s
AND (expires_at IS NULL OR expires_at > clock_timestamp()) ORDER BY created_at DESC
"""
_DUE = """
SELECT plan_id, position, attempts FROM webhook_lanes WHERE clinic_id = %s AND webhook_id = %s
AND parked_at IS NULL AND due_at <= clock_timestamp() ORDER BY attempts, due_at LIMIT %s
"""
_BEHIND = """
SELECT plan_id::text FROM webhook_lanes WHERE clinic_id = %s AND webhook_id = %s AND plan_id = ANY(%s::uuid[])
"""
_MOVE = """
UPDATE webhook_cursors SET position = %s, failures = %s, updated_at = clock_timestamp(),
    quiet_until = clock_timestamp() + make_interval(secs => %s)
WHERE clinic_id = %s AND webhook_id = %s
"""
_KEEP = """
INSERT INTO webhook_lanes AS n (clinic_id, webhook_id, plan_id, position, attempts, due_at, parked_at, why)
VALUES (%s, %s, %s, %s, %s, clock_timestamp() + make_interval(secs => %s),
    CASE WHEN %s THEN clock_timestamp() END, %s)
ON CONFLICT (clinic_id, webhook_id, plan_id) DO UPDATE SET position = excluded.position,
    attempts = excluded.attempts, due_at = excluded.due_at, parked_at = excluded.parked_at,
    why = coalesce(excluded.why, n.why)
"""
_ATTEMPTS = """
INSERT INTO webhook_attempts (clinic_id, webhook_id, attempted_at, position, entry_id, plan_id, outcome,
    status, why, milliseconds)
SELECT %s, %s, clock_timestamp(), * FROM unnest(%s::bigint[], %s::uuid[], %s::uuid[], %s::text[],
    %s::int[], %s::text[], %s::int[])
"""
_OF = "WHERE clinic_id = %s AND webhook_id = %s"


@dataclass(frozen=True, slots=True)
class Leased:
    """A webhook whose turn it is, held until the round is over."""

    clinic_id: UUID
    webhook_id: UUID
    url: str
    topics: tuple[str, ...]
    plan_id: UUID | None
    member_id: UUID
    recipient: str
    carries: str
    replay_after: int | None
    deleted: bool
    position: int
    failures: int

    @property
    def key(self) -> list[Any]:
        """Its key in every table."""
        return [self.clinic_id, self.webhook_id]


@dataclass(frozen=True, slots=True)
class Lane:
    """A plan behind the cursor: delivered up to ``position``, tried ``attempts`` times since."""

    plan_id: UUID
    position: int
    attempts: int


class Ledger:
    """Reads and writes the books over one connection, within the transaction of a lease."""

    def __init__(self, conn: psycopg.Connection[Any], keys: Keys) -> None:
        self.conn = conn
        self.keys = keys

    @contextlib.contextmanager
    def lease(self) -> Iterator[Leased | None]:
        """A webhook that has something due, until the end of the block; then all is committed."""
        with self.conn.transaction():
            row = self.conn.execute(_LEASE).fetchone()
            if row is None:
                yield None
                return
            self.conn.execute(_CONFINE, [str(row[0])])
            clinic_id, webhook_id, url, topics, *rest = row
            yield Leased(clinic_id, webhook_id, url, tuple(topics), *rest)

    def purge(self, held: Leased) -> None:
        """Remove a deleted webhook and all its books."""
        self.conn.execute(f"DELETE FROM webhooks {_OF}", held.key)

    def rewind(self, held: Leased) -> None:
        """Begin again where a replay was asked for; what was behind is part of that."""
        replayed = held.replay_after or 0
        self.conn.execute(f"DELETE FROM webhook_lanes {_OF}", held.key)
        self.conn.execute(_MOVE, [replayed, 0, 0, *held.key])
        self.conn.execute(f"UPDATE webhooks SET replay_after = NULL {_OF}", held.key)

    def secrets(self, held: Leased) -> list[bytes]:
        """What to sign with, the newest first."""
        return [bytes(row[0]) for row in self.conn.execute(_SECRETS, held.key).fetchall()]

    def window(self, held: Leased, wanted: Interest, limit: int) -> Look:
        """The next new entries."""
        return look(self.conn, Seals(self.keys, held.clinic_id), held.position, wanted, limit)

    def due_lanes(self, held: Leased) -> list[Lane]:
        """The plans that are behind and due, the least troubled first; as many as one round takes along."""
        rows = self.conn.execute(_DUE, [*held.key, LANES]).fetchall()
        return [Lane(*row) for row in rows]

    def behind(self, held: Leased, plan_ids: set[str]) -> set[str]:
        """Those of the plans that are behind, due or not."""
        rows = self.conn.execute(_BEHIND, [*held.key, list(plan_ids)]).fetchall()
        return {row[0] for row in rows}

    def rest(
        self, held: Leased, lane: Lane, wanted: Interest, until: int, limit: int
    ) -> tuple[list[Any], bool]:
        """A lane's next entries up to a position, and whether they are all there are."""
        mine, seals = Interest(wanted.topics, lane.plan_id), Seals(self.keys, held.clinic_id)
        found = look(self.conn, seals, lane.position, mine, limit, until)
        return found.rows, len(found.rows) < limit

    def close_lane(self, held: Leased, errand: Errand) -> None:
        """The plan is level with the cursor again."""
        if errand.waited:
            query = f"DELETE FROM webhook_lanes {_OF} AND plan_id = %s"
            self.conn.execute(query, [*held.key, errand.plan_id])

    def keep_lane(
        self, held: Leased, errand: Errand, attempts: int, pause: float, *, parked: bool = False
    ) -> None:
        """The plan is behind: what comes next of it waits ``pause`` seconds, or for somebody's help."""
        why = errand.failed.why if errand.failed else None
        where = [*held.key, errand.plan_id, errand.reached]
        self.conn.execute(_KEEP, [*where, attempts, pause, parked, why])

    def note_attempts(self, held: Leased, errands: Sequence[Errand], most: int) -> None:
        """Write the delivery log."""
        rows = [
            (row.position, UUID(row.entry_id), errand.plan_id,
             _outcome(errand, reply, most), reply.status, reply.why, reply.milliseconds)
            for errand in errands for row, reply in errand.tried
        ]  # fmt: skip
        if rows:
            self.conn.execute(_ATTEMPTS, [*held.key, *map(list, zip(*rows, strict=True))])

    def move(self, held: Leased, position: int, failures: int, pause: float) -> None:
        """The cursor has come so far; leave the receiver alone for ``pause`` seconds."""
        self.conn.execute(_MOVE, [position, failures, pause, *held.key])

    def forget_old(self, held: Leased) -> None:
        """Remove from the delivery log what nobody asks for any more."""
        query = f"DELETE FROM webhook_attempts {_OF} AND attempted_at < clock_timestamp() - %s"
        self.conn.execute(query, [*held.key, KEPT])

    def disable(self, held: Leased, why: str) -> None:
        """Send nothing any more until somebody enables it again."""
        query = f"UPDATE webhooks SET disabled_at = %s, disabled_why = %s {_OF}"
        self.conn.execute(query, [datetime.now(UTC), why, *held.key])


def _outcome(errand: Errand, reply: Any, most: int) -> str:
    if reply.delivered:
        return "delivered"
    attempts = 1 if errand.done else errand.attempts + 1
    return "parked" if attempts >= most and not reply.gone else "failed"
