"""Working at the database for days, through its restarts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import psycopg

from service.wake import CHANNEL

Connection = psycopg.Connection[Any]
FIRST, LAST = 0.05, 1.0
"""Seconds until it is tried again: after the first failure, and at the most."""


def through_restarts(
    connect: Callable[[], Connection],
    work: Callable[[Connection], None],
    stop: threading.Event,
    log: logging.Logger,
    name: str,
) -> None:
    """Work over a connection that hears of new entries until ``stop``; over another when it is lost."""
    pause = FIRST
    while not stop.is_set():
        try:
            with connect() as conn:
                conn.execute(f"LISTEN {CHANNEL}")
                log.info("%s connected", name)
                pause = FIRST
                work(conn)
        except psycopg.Error as lost:
            log.warning("%s lost the database (%s), trying again", name, type(lost).__name__)
            stop.wait(pause)
            pause = min(pause * 2, LAST)
