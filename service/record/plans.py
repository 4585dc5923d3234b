"""Loading histories for decisions and reads: kept for a while, never trusted without the database.

A kept history is worked with under its own lock, and only while it holds exactly what is recorded;
whoever leaves it otherwise lets it go. So nobody ever sees one half-changed, and a failed save leaves
no trace.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from threading import Lock, RLock
from typing import cast
from uuid import UUID

from psycopg.rows import TupleRow

from domain.aggregates import shell
from domain.errors import PlanHistoryError, PlanNotFoundError
from domain.history import History
from projections.rows import COLUMNS, Row, entry_from_row
from projections.sealing import NO_KEYS, Keys, Seals
from service.database import BoundedConnection, Database
from service.errors import StoreUnavailableError

_READ = f"SELECT {COLUMNS} FROM read_entries(%s, %s, %s, NULL)"
Key = tuple[UUID, UUID]


class Slot:
    """The place of one history: its lock, and the history while one is kept."""

    __slots__ = ("counted", "history", "lock")

    def __init__(self) -> None:
        self.lock = RLock()
        self.history: History | None = None
        self.counted = 0

    @property
    def version(self) -> int:
        """The version kept, 0 for none."""
        return self.history.version if self.history else 0


class Plans:
    """The histories of every clinic. ``size`` and ``entries``: how many are kept at most."""

    def __init__(
        self,
        database: Database,
        size: int = 512,
        entries: int = 100_000,
        keys: Keys = NO_KEYS,
    ) -> None:
        self.database = database
        self.keys = keys
        self.size = size
        self.most_entries = entries
        self._slots: OrderedDict[Key, Slot] = OrderedDict()
        self._held = 0
        self._lock = Lock()

    def seals(self, clinic_id: UUID) -> Seals:
        """What opens and seals the texts of a clinic."""
        return Seals(self.keys, clinic_id)

    def drop(self, clinic_id: UUID, history_id: UUID) -> None:
        """Keep a history no longer: it is read anew."""
        with self._lock:
            slot = self._slots.pop((clinic_id, history_id), None)
            if slot is not None:
                self._held -= slot.counted

    def forget_erased(self, clinic_id: UUID, history_id: UUID) -> None:
        """Keep nothing of a history that was read before it was erased, nor its key."""
        slot = self._slots.get((clinic_id, history_id))
        known = slot.history if slot is not None else None
        if known is not None and not known.erased:
            self.drop(clinic_id, history_id)
            self.keys.forget([known.key_id] if known.key_id else [])

    def _slot(self, key: Key) -> Slot:
        with self._lock:
            slot = self._slots.get(key)
            if slot is not None:
                self._slots.move_to_end(key)
                return slot
            slot = self._slots[key] = Slot()
            self._let_go_of_oldest()
            return slot

    def _count(self, key: Key, slot: Slot) -> None:
        """Count what is held now, after work with one history."""
        with self._lock:
            if self._slots.get(key) is slot:
                self._held += slot.version - slot.counted
                slot.counted = slot.version
                self._let_go_of_oldest()

    def _let_go_of_oldest(self) -> None:
        while len(self._slots) > 1 and (
            len(self._slots) > self.size or self._held > self.most_entries
        ):
            self._held -= self._slots.popitem(last=False)[1].counted

    @contextlib.contextmanager
    def holding(self, key: Key) -> Iterator[Slot]:
        """The place of a history, for this thread alone; a failure nobody foresaw lets the history go."""
        with self._alone(key) as slot:
            try:
                yield slot
            except PlanHistoryError as refused:
                if isinstance(refused, StoreUnavailableError):
                    slot.history = None
                raise  # refused by a rule: the history is as it was
            except BaseException:
                slot.history = None
                raise

    @contextlib.contextmanager
    def _alone(self, key: Key) -> Iterator[Slot]:
        """The place of a history, once nobody else works with it; waiting for it counts as time spent."""
        slot = self._slot(key)
        with self.database.time_limit():
            if not slot.lock.acquire(timeout=self.database.time_left()):
                raise StoreUnavailableError("Many work with this plan at once; try again shortly.")
            try:
                yield slot
            finally:
                slot.lock.release()
                if slot.counted != slot.version:
                    self._count(key, slot)

    def keep(self, key: Key, history: History) -> None:
        """Keep a history that holds exactly what is recorded."""
        with self.holding(key) as slot:
            if slot.version <= history.version:
                slot.history = history

    def _recorded_since(self, key: Key, version: int) -> list[TupleRow]:
        clinic_id, history_id = key

        def read(conn: BoundedConnection) -> list[TupleRow]:
            return conn.execute(_READ, [clinic_id, history_id, version], binary=True).fetchall()

        return self.database.run(read)

    def refresh(self, key: Key, slot: Slot, rows: list[TupleRow] | None = None) -> History:
        """The history with what was recorded since (``rows``, when they were read already).

        Raises PlanNotFoundError if there is nothing at all. The slot must be held.
        """
        if rows is None:
            rows = self._recorded_since(key, slot.version)
        history, known, seals = slot.history, slot.version, self.seals(key[0])
        entries = [
            entry_from_row(cast("Row", row), key[1], seals) for row in rows if row[1] > known
        ]
        if history is None:
            if not entries:
                raise PlanNotFoundError("There is no such plan here; check its id.")
            history = shell(entries[0])
        history.learn_all(entries)
        slot.history = history
        return history

    @contextlib.contextmanager
    def reading(
        self,
        clinic_id: UUID,
        history_id: UUID,
        enough: Callable[[History], bool] | None = None,
    ) -> Iterator[History]:
        """The history as it is recorded now, for reading; the database is asked before others wait.

        It is not asked when what is kept is ``enough``: what was known at a past moment never changes.
        """
        key = (clinic_id, history_id)
        known = self._slot(key).version
        if enough is not None and known:
            with self._alone(key) as slot:
                if slot.history is not None and enough(slot.history):
                    yield slot.history
                    return
        with self.database.time_limit():
            rows = self._recorded_since(key, known)
            with self._alone(key) as slot:
                changed = slot.version < known  # let go, or a write that failed was counted
                yield self.refresh(key, slot, None if changed else rows)
