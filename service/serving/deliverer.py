"""The deliverer process: sends webhooks, through restarts of the database and lost wake-ups."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg

from service.database import DELIVERER_ROLE, dsn_as
from service.feed.showing import Showing
from service.serving.projector import PatientConnection
from service.settings import Settings
from service.wake import CHANNEL
from service.webhooks.dispatcher import Dispatcher, Terms

POLL = 0.5
GATHER = 0.01
STATEMENT_SECONDS = 30.0
DESKS = 4
"""Webhooks served at a time: a slow receiver keeps one desk busy, not the others."""
SIDE_BY_SIDE = 8
"""Plans delivered at a time for one webhook."""
log = logging.getLogger("plan_history.deliverer")


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection in the deliverer's role, in autocommit."""
    # A round waits for receivers inside its transaction, so this may be idle there for a while.
    seconds = STATEMENT_SECONDS + 60
    dsn = dsn_as(url, DELIVERER_ROLE, seconds=seconds, application="plan-history-deliverer")
    return PatientConnection.connect(dsn, autocommit=True)


def terms(settings: Settings) -> Terms:
    """How deliveries are made, by the settings."""
    return Terms(
        attempts=settings.webhook_attempts,
        pause=settings.webhook_pause,
        seconds=settings.webhook_seconds,
        private=settings.webhook_private_targets,
    )


def deliver(
    url: str, held: Terms, showing: Showing, stop: threading.Event, desks: int = DESKS
) -> None:
    """Deliver until ``stop``; what is being sent then is noted first."""
    threads = [
        threading.Thread(target=_desk, args=(url, held, showing, stop), name=f"desk-{number}")
        for number in range(desks)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _desk(url: str, held: Terms, showing: Showing, stop: threading.Event) -> None:
    """One webhook at a time; connects again by itself, at the latest every second."""
    pause = 0.05
    with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="delivery") as side_by_side:
        while not stop.is_set():
            begun = time.monotonic()
            try:
                with connect(url) as conn:
                    conn.execute(f"LISTEN {CHANNEL}")
                    _work(conn, Dispatcher(conn, held, showing, side_by_side), stop)
            except psycopg.Error as lost:
                log.warning("deliverer lost the database (%s), trying again", type(lost).__name__)
            except Exception as failed:  # noqa: BLE001 - the other webhooks go on, whatever this was
                log.error("a round of deliveries failed: %s", type(failed).__name__)
            stop.wait(pause)
            pause = 0.05 if time.monotonic() - begun > 5 else min(pause * 2, 1.0)


def _work(
    conn: psycopg.Connection[tuple[object, ...]], dispatcher: Dispatcher, stop: threading.Event
) -> None:
    while not stop.is_set():
        if dispatcher.round():
            continue
        for _ in conn.notifies(timeout=POLL, stop_after=1):
            pass
        stop.wait(GATHER)  # let the next few entries gather: one round of many costs little more
