"""The feed as readers use it: what is there, what comes next, and waiting for it."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg.rows import TupleRow

from service.access import Principal
from service.database import BoundedConnection, Database
from service.errors import UnknownPlaceError
from service.feed.events import Event, cloud_event
from service.feed.scan import Interest, Look, look
from service.feed.showing import Showing
from service.feed.wakes import TICK, Place, Places, Wakes

LATEST = "latest"
PATIENCE = 1.0
"""Seconds that one request looks for rare entries before it says how far it came."""
_POSITION = "SELECT position FROM entries WHERE clinic_id = %s AND entry_id = %s"
_HEAD = "SELECT position FROM clinic_logs WHERE clinic_id = %s"


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries as CloudEvents, the position read up to, and whether the log ends there."""

    events: list[Event]
    position: int
    at_end: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads on for a while: asked again and again who they are, and whether they have gone."""

    principal: Callable[[], Principal]
    gone: Callable[[], bool] = lambda: False


@dataclass(slots=True)
class FeedService:
    """Reads a clinic's log for programs that follow it."""

    database: Database
    showing: Showing
    wakes: Wakes
    places: Places
    ending: Callable[[], bool] = field(default=lambda: False)
    """Whether this process is asked to end: then nobody waits any longer."""

    def close(self) -> None:
        """Let nobody wait any longer."""
        self.ending = lambda: True
        self.wakes.close()

    def position(self, principal: Principal, place: str) -> int:
        """The position a reader has come to; see ``place``."""
        principal.require("feed.read")
        return self.place(principal.clinic_id, place)

    def place(self, clinic_id: UUID, place: str) -> int:
        """A place in a clinic's feed, given as an entry's id, a position or ``latest``; its position.

        Raises UnknownPlaceError.
        """
        head = self._one(clinic_id, _HEAD, [clinic_id]) or 0
        if place == LATEST:
            return head
        found = int(place) if place.isdecimal() else self._of_entry(clinic_id, place)
        if found is None or found > head:
            raise UnknownPlaceError(
                "No entry here has that id or position; begin at 0, or at the last one you have."
            )
        return found

    def _of_entry(self, clinic_id: UUID, entry_id: str) -> int | None:
        with contextlib.suppress(ValueError):
            return self._one(clinic_id, _POSITION, [clinic_id, UUID(entry_id)])
        return None

    def _one(self, clinic_id: UUID, query: str, parameters: list[Any]) -> int | None:
        def read(conn: BoundedConnection) -> TupleRow | None:
            return conn.execute(query.encode(), parameters).fetchone()

        row = self.database.in_clinic(clinic_id, read)
        return None if row is None else int(row[0])

    def read(self, principal: Principal, wanted: Interest, after: int, limit: int) -> Batch:
        """What is there after a position: at most ``limit`` entries, in the clinic's order."""
        principal.require("feed.read")
        until = time.monotonic() + PATIENCE
        while True:
            batch = self._look(principal, wanted, after, limit)
            if batch.events or batch.at_end or time.monotonic() > until:
                return batch
            after = batch.position

    def _look(self, principal: Principal, wanted: Interest, after: int, limit: int) -> Batch:
        clinic_id = principal.clinic_id
        seals = self.showing.gate.plans.seals(clinic_id)

        def read(conn: BoundedConnection) -> Look:
            return look(conn, seals, after, wanted, limit)

        found = self.database.in_clinic(clinic_id, read)
        seen = self.showing.shown(principal, found.rows, "feed").plans
        events = [cloud_event(clinic_id, row) for row in found.rows if row.plan_id in seen]
        return Batch(events, found.reached, found.reached >= found.head)

    def poll(
        self, reader: Reader, wanted: Interest, after: int, limit: int, seconds: float
    ) -> Batch:
        """What is there after a position, or else what comes within so many seconds.

        Raises TooManyReadersError when it would have to wait and there is no place to.
        """
        batch = self.read(reader.principal(), wanted, after, limit)
        if batch.events or not seconds:
            return batch
        with self.places.take().held():
            end = time.monotonic() + seconds
            for further in self._follow(reader, wanted, batch.position, limit, end):
                batch = further
                if batch.events or time.monotonic() >= end:
                    break
        return batch

    def follow(
        self, reader: Reader, wanted: Interest, after: int, limit: int
    ) -> tuple[Place, Iterator[Batch]]:
        """A place to wait at, and batches as they come for as long as the reader stays.

        An empty batch says that nothing came for half a second. Raises TooManyReadersError.
        """
        reader.principal().require("feed.read")
        return self.places.take(), self._follow(reader, wanted, after, limit)

    def _follow(
        self, reader: Reader, wanted: Interest, after: int, limit: int, end: float = math.inf
    ) -> Iterator[Batch]:
        while not reader.gone():
            heard = self.wakes.count
            batch = self.read(reader.principal(), wanted, after, limit)
            yield batch
            after = batch.position
            if self.ending():  # what was there is given; nothing more is waited for
                return
            if batch.at_end:
                self.wakes.wait(heard, max(min(TICK, end - time.monotonic()), 0))
