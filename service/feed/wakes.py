"""Waking readers who wait: one connection a process hears of new entries for all of them.

Whoever waits looks again by itself, too, so a lost wake-up costs half a second and never an entry.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator

import psycopg

from service.database import API_ROLE, BoundedConnection, dsn_as
from service.errors import TooManyReadersError
from service.wake import CHANNEL

TICK = 0.5
"""Seconds after which whoever waits looks by itself."""
log = logging.getLogger("plan_history.feed")


class Wakes:
    """Counts the wake-ups of the database, from a thread that starts with the first who waits."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._count = 0
        self._news = threading.Condition()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def count(self) -> int:
        """How many wake-ups there were. Ask before you look, then wait for one more."""
        return self._count

    def wait(self, count: int, seconds: float = TICK) -> None:
        """Wait for a wake-up beyond ``count``, at most so long."""
        with self._news:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="feed-wakes", daemon=True)
                self._thread.start()
            self._news.wait_for(lambda: self._count != count, seconds)

    def wake(self) -> None:
        """Let everybody look."""
        with self._news:
            self._count += 1
            self._news.notify_all()

    def close(self) -> None:
        """Stop listening."""
        self._stop.set()
        self.wake()
        if self._thread is not None:
            self._thread.join(2)

    def _run(self) -> None:
        dsn = dsn_as(self.url, API_ROLE, application="plan-history-feed")
        while not self._stop.is_set():
            try:
                with BoundedConnection.connect(dsn, autocommit=True) as conn:
                    self._listen(conn)
            except psycopg.Error as lost:
                log.warning("feed lost the database (%s), trying again", type(lost).__name__)
                self._stop.wait(1.0)

    def _listen(self, conn: psycopg.Connection[tuple[object, ...]]) -> None:
        conn.execute(f"LISTEN {CHANNEL}")
        while not self._stop.is_set():
            for _ in conn.notifies(timeout=TICK, stop_after=1):
                self.wake()


class Places:
    """The places for readers who wait. Each keeps a thread of the web server busy."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """How many wait just now."""
        return self._taken

    def take(self) -> Place:
        """A place until it is left; raises TooManyReadersError when all are taken."""
        with self._lock:
            if self._taken >= self.most:
                raise TooManyReadersError(
                    "As many readers wait here as may wait at a time; try again shortly, or ask "
                    "without a timeout."
                )
            self._taken += 1
        return Place(self)

    def left(self) -> None:
        """Somebody left their place."""
        with self._lock:
            self._taken -= 1


class Place:
    """A reader's place; left once, however often that is said."""

    def __init__(self, places: Places) -> None:
        self._places: Places | None = places

    def leave(self) -> None:
        """Make room for another."""
        places, self._places = self._places, None
        if places is not None:
            places.left()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Leave it at the end of the block."""
        try:
            yield
        finally:
            self.leave()
