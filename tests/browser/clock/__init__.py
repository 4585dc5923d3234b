"""The service on another day: ``CLOCK=2027-03-28T00:30 script/test tests/browser`` tests the pages as of then.

The service, its database and everything they start are told a time that is moved by the same span (the
browser and the tests are not). libfaketime would do, but keeps a semaphore that the account which runs
PostgreSQL for root may not open, and then waits for ever; so ``shift.c``, which keeps nothing.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from service.embedded import EmbeddedPostgres, children

SOURCE = Path(__file__).with_name("shift.c")


def _asked() -> timedelta:
    """How far the clock is moved: to a moment (UTC), or by days such as ``+33d``; whole seconds."""
    given = os.environ.get("CLOCK", "")
    if days := re.fullmatch(r"([+-]\d+)d", given):
        return timedelta(days=int(days[1]))
    if not given:
        return timedelta()
    span = datetime.fromisoformat(given).replace(tzinfo=UTC) - datetime.now(UTC)
    return timedelta(seconds=int(span.total_seconds()))


SHIFT = _asked()


def now() -> datetime:
    """What time it is to the service."""
    return datetime.now(UTC) + SHIFT


@contextlib.contextmanager
def moved(folder: Path) -> Iterator[dict[str, str]]:
    """What the service's environment has to hold, with a database that lives at the same time."""
    if not SHIFT:
        yield {}
        return
    environment = _compiled(folder)
    kept = children.ENVIRONMENT
    children.ENVIRONMENT = {**kept, **environment}
    try:
        with EmbeddedPostgres(folder / "database", fast=True) as server:
            with psycopg.connect(server.dsn(), autocommit=True) as conn:
                conn.execute("CREATE DATABASE plan_history")
            yield {**environment, "DATABASE_URL": server.dsn("plan_history")}
    finally:
        children.ENVIRONMENT = kept


def _compiled(folder: Path) -> dict[str, str]:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.exit("To move the clock a C compiler is needed: apt-get install gcc.")
    library = folder / "shift.so"
    command = [compiler, "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)  # noqa: S603 - our own source
    library.chmod(0o755)
    return {
        "LD_PRELOAD": str(library),
        "CLOCK_SHIFT_SECONDS": str(int(SHIFT.total_seconds())),
    }
