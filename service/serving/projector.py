"""The projector process: keeps the read models up, through restarts of the database and lost wake-ups."""

from __future__ import annotations

import logging
import threading
from typing import Any

import psycopg

from projections import ALL
from projections.runner import Runner, live
from projections.sealing import Keys
from service.database import PROJECTOR_ROLE, BoundedConnection, dsn_as
from service.serving.restarts import through_restarts

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
    through_restarts(
        lambda: connect(url), lambda conn: _work(conn, stop, keys), stop, log, "projector"
    )


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
