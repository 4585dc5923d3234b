"""Loading plans for decisions and reads: a small cache that is never trusted without the database.

A cached plan is taken out while somebody works with it, and put back when it again holds exactly
what is recorded. Whoever finds it taken loads the plan from its entries. So nobody ever sees a plan
half-changed, and a failed save leaves no trace.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Iterator
from threading import Lock
from uuid import UUID

from psycopg.rows import TupleRow

from domain.aggregates import shell
from domain.errors import PlanNotFoundError
from domain.history import History
from projections.rows import Row, entry_from_row
from service.database import BoundedConnection, Database

_READ = """
SELECT position, version, recorded_at, entry_id, command_id, topic, state
FROM read_entries(%s, %s, %s, NULL)
"""
Key = tuple[UUID, UUID]


class Plans:
    """The plans of every clinic, loaded and kept for a while. ``size``: how many are kept."""

    def __init__(self, database: Database, size: int = 512, entries: int = 100_000) -> None:
        self.database = database
        self.size = size
        self.most_entries = entries
        self._held: OrderedDict[Key, History] = OrderedDict()
        self._entries = 0
        self._lock = Lock()

    def take(self, key: Key) -> History | None:
        """The kept plan, taken out; None if there is none."""
        with self._lock:
            plan = self._held.pop(key, None)
            if plan is not None:
                self._entries -= len(plan.entries)
            return plan

    def put(self, key: Key, plan: History) -> None:
        """Keep a plan that holds exactly what is recorded; the longest unused are let go."""
        with self._lock:
            before = self._held.pop(key, None)
            if before is not None:
                self._entries -= len(before.entries)
                plan = max(before, plan, key=lambda held: held.version)
            self._held[key] = plan
            self._entries += len(plan.entries)
            while len(self._held) > 1 and (
                len(self._held) > self.size or self._entries > self.most_entries
            ):
                _, old = self._held.popitem(last=False)
                self._entries -= len(old.entries)

    def refreshed(self, key: Key, plan: History | None) -> History:
        """``plan`` with the entries recorded since; raises PlanNotFoundError if there are none at all."""
        clinic_id, plan_id = key
        known = plan.version if plan else 0

        def read(conn: BoundedConnection) -> list[TupleRow]:
            return conn.execute(_READ, [clinic_id, plan_id, known], binary=True).fetchall()

        for row in self.database.run(read):
            stored: Row = row
            entry = entry_from_row(stored, plan_id)
            if plan is None:
                plan = shell(entry)
            plan.learn(entry)
        if plan is None:
            raise PlanNotFoundError("There is no such plan here; check its id.")
        return plan

    @contextlib.contextmanager
    def reading(self, clinic_id: UUID, plan_id: UUID) -> Iterator[History]:
        """The plan as it is recorded now, for reading."""
        key = (clinic_id, plan_id)
        plan = self.refreshed(key, self.take(key))
        try:
            yield plan
        finally:
            self.put(key, plan)
