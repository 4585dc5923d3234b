"""How often somebody may ask: one bucket per member, shared by all workers through the database.

A worker takes a slice of the bucket at a time and serves from it, so most requests cost no round trip.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from uuid import UUID

from psycopg.rows import TupleRow

from service.access import Principal
from service.database import BoundedConnection, Database, time_limit
from service.errors import QuotaExceededError, StoreUnavailableError
from service.kept import Kept

SLICES = 20
PATIENCE = 0.5
OPEN = 1.0
"""So many seconds everybody passes when the bucket could not be asked: it protects the service from a
script that runs away, and is not to stand in the way of therapy."""
log = logging.getLogger("plan_history.quota")
_TAKE = "SELECT granted, seconds FROM take_quota(%s, %s, %s::integer, %s, %s::integer)"


@dataclass(slots=True)
class _Slice:
    """What a worker has taken for a member, and until when there is nothing to ask for."""

    lock: Lock = field(default_factory=Lock)
    left: int = 0
    refused_until: float = 0.0
    open_until: float = 0.0


class Quota:
    """Counts requests. ``per_minute``: 0 for no quota. ``burst``: as many may come at once."""

    def __init__(
        self,
        database: Database,
        per_minute: int,
        burst: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.database = database
        self.per_second, self.burst = per_minute / 60, max(burst, 1)
        self.clock = clock
        self._slices: Kept[tuple[UUID, UUID], _Slice] = Kept(10_000)
        self._lock = Lock()

    def take(self, principal: Principal) -> None:
        """Count a request; raises QuotaExceededError, with ``retry_after`` in seconds, if it is too many."""
        if not self.per_second:
            return
        held = self._slice((principal.clinic_id, principal.member_id))
        with held.lock:
            if not held.left and self.clock() >= held.open_until:
                self._refill(principal, held)
            held.left = max(held.left - 1, 0)

    def _slice(self, key: tuple[UUID, UUID]) -> _Slice:
        with self._lock:
            held = self._slices.get(key)
            if held is None:
                held = _Slice()
                self._slices.put(key, held)
            return held

    def _refill(self, principal: Principal, held: _Slice) -> None:
        if self.clock() < held.refused_until:
            raise _too_many(held.refused_until - self.clock())
        try:
            with time_limit(PATIENCE):
                held.left, wait = self._ask(principal)
        except StoreUnavailableError:
            log.warning("the quota could not be asked; it is open for a moment")
            held.open_until = self.clock() + OPEN
            return
        if not held.left:
            held.refused_until = self.clock() + wait
            raise _too_many(wait)

    def _ask(self, principal: Principal) -> tuple[int, float]:
        wanted = max(self.burst // SLICES, 1)
        asked = [principal.clinic_id, principal.member_id, wanted, self.per_second, self.burst]

        def take(conn: BoundedConnection) -> TupleRow | None:
            return conn.execute(_TAKE, asked).fetchone()

        row = self.database.run(take)
        assert row is not None
        return int(row[0]), float(row[1])


def _too_many(wait: float) -> QuotaExceededError:
    seconds = max(math.ceil(wait), 1)
    return QuotaExceededError(
        f"That was more than your quota; go on in {seconds} s.", retry_after=seconds
    )
