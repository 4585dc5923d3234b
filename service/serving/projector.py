"""The projector process: keeps the read models up, through restarts of the database and lost wake-ups."""

from __future__ import annotations

import logging
import threading
from typing import Any

import psycopg

from projections import ALL
from projections.runner import CHANNEL, Runner, live
from projections.sealing import Keys
from service.database import PROJECTOR_ROLE, BoundedConnection, dsn_as

POLL = 0.25
GATHER = 0.03
STATEMENT_SECONDS = 30.0
log = logging.getLogger("plan_history.projector")


class PatientConnection(BoundedConnection):
    """A connection for batches: it waits longer than a request would."""

    limit = STATEMENT_SECONDS + 5


def connect(url: str) -> psycopg.Connection[Any]:
    """A connection in the projector's role, in autocommit."""
    dsn = dsn_as(
        url, PROJECTOR_ROLE, seconds=STATEMENT_SECONDS, application="plan-history-projector"
    )
    return PatientConnection.connect(dsn, autocommit=True)


def project(url: str, stop: threading.Event, keys: Keys) -> None:
    """Take in entries until ``stop``; reconnects by itself, at the latest every second."""
    pause = 0.05
    while not stop.is_set():
        try:
            with connect(url) as conn:
                conn.execute(f"LISTEN {CHANNEL}")
                log.info("projector connected")
                pause = 0.05
                _work(conn, stop, keys)
        except psycopg.Error as lost:
            log.warning("projector lost the database (%s), trying again", type(lost).__name__)
            stop.wait(pause)
            pause = min(pause * 2, 1.0)


def _work(conn: psycopg.Connection[Any], stop: threading.Event, keys: Keys) -> None:
    runner = Runner(conn, live(ALL), keys)
    runner.enrol()
    while not stop.is_set():
        taken = runner.round()
        if taken >= runner.batch:
            continue
        if (
            taken
        ):  # let the next few entries gather: one batch of many costs little more than one of one
            stop.wait(GATHER)
            continue
        for _ in conn.notifies(timeout=POLL, stop_after=1):
            pass
