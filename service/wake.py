"""Waking projectors: one NOTIFY for many commits, off the write path. Whoever listens also polls."""

from __future__ import annotations

import logging
import threading

import psycopg

from service.database import Database
from service.errors import StoreUnavailableError

CHANNEL = "plan_history_entries"
"""Where it is said that entries were recorded."""
EVERY = 0.02
log = logging.getLogger("plan_history.wake")


class Waker:
    """Sends at most one NOTIFY every 20 ms per process, from a thread of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._asked = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def __call__(self, _clinic_id: object = None) -> None:
        """Ask for a wake-up soon."""
        if self._thread is None:
            self._start()
        self._asked.set()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._asked.wait()
            self._asked.clear()
            if self._stop.wait(EVERY):
                return
            try:
                with self.database.connection() as conn:
                    conn.execute(f"NOTIFY {CHANNEL}")
            except (StoreUnavailableError, psycopg.Error) as failed:
                log.debug("no wake-up sent: %s", type(failed).__name__)

    def close(self) -> None:
        """Stop the thread."""
        self._stop.set()
        self._asked.set()
        if self._thread is not None:
            self._thread.join(1)
