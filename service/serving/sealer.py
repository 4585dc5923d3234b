"""The sealer process: signs what was recorded within a second, through restarts of the database."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.database import SEALER_ROLE, BoundedConnection, dsn_as
from service.ledger.keys import new_key, read_keys
from service.ledger.sealer import Sealer
from service.ledger.seen import Seen
from service.serving.restarts import through_restarts
from service.settings import Settings

POLL = 0.25
GATHER = 0.2
KEPT_EVERY = 5.0
STATEMENT_SECONDS = 60.0
log = logging.getLogger("plan_history.ledger")


class PatientConnection(BoundedConnection):
    """A connection for batches: it waits longer than a request would."""

    limit = STATEMENT_SECONDS + 5


def connect(url: str) -> psycopg.Connection[Any]:
    """A connection in the sealer's role, in autocommit."""
    dsn = dsn_as(url, SEALER_ROLE, seconds=STATEMENT_SECONDS, application="plan-history-sealer")
    return PatientConnection.connect(dsn, autocommit=True)


def seal(url: str, keys: Sequence[Ed25519PrivateKey], seen: Seen, stop: threading.Event) -> None:
    """Seal until ``stop``; reconnects by itself, at the latest every second."""
    try:
        through_restarts(
            lambda: connect(url), lambda conn: _work(conn, keys, seen, stop), stop, log, "sealer"
        )
    finally:
        seen.keep()


def _work(
    conn: psycopg.Connection[Any],
    keys: Sequence[Ed25519PrivateKey],
    seen: Seen,
    stop: threading.Event,
) -> None:
    sealer, kept = Sealer(conn, keys, seen), time.monotonic()
    while not stop.is_set():
        taken = sealer.round()
        if time.monotonic() - kept >= KEPT_EVERY:
            seen.keep()
            kept = time.monotonic()
        if taken >= sealer.batch:
            continue
        # Let the next few entries gather: one seal of many costs little more than one of one.
        if taken and stop.wait(GATHER):
            return
        for _ in conn.notifies(timeout=POLL, stop_after=1):
            pass


def prepare(held: Settings) -> None:
    """Make a key if there is none; raises KeyFileError and SeenFileError when one could not seal."""
    if not held.sealer_key.exists():
        new_key(held.sealer_key)
    read_keys(held.sealer_key)
    Seen(held.sealer_seen)
