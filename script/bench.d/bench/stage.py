"""Everything a run needs, started here and ended here: database, migrations, projector, web, no-op."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bench.keys import PLACE
from projections import ALL
from service.database import OWNER_ROLE, dsn_as
from service.embedded import EmbeddedPostgres
from service.migrate import migrate

PACKAGE = Path(__file__).resolve().parent.parent
_BEHIND = """
SELECT count(*) FROM clinic_logs l CROSS JOIN unnest(%s::text[], %s::int[]) AS live (name, version)
LEFT JOIN projection_positions p
    ON p.projection = live.name AND p.version = live.version AND p.clinic_id = l.clinic_id
WHERE coalesce(p.position, 0) < l.position
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A PostgreSQL of our own with full durability, in a data home that is gone afterwards."""

    home: Path
    server: EmbeddedPostgres

    @contextlib.contextmanager
    def database(self, name: str, *, migrated: bool = True) -> Iterator[str]:
        """A fresh database, dropped afterwards; gives its URL."""
        with psycopg.connect(self.server.dsn(), autocommit=True) as conn:
            conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            try:
                if migrated:
                    migrate(self.server.dsn(name))
                yield self.server.dsn(name)
            finally:
                drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
                conn.execute(drop.format(sql.Identifier(name)))

    @contextlib.contextmanager
    def hasty(self, name: str) -> Iterator[None]:
        """While material is loaded, commits do not wait for the disk; afterwards all is on it."""
        with psycopg.connect(self.server.dsn(name), autocommit=True) as conn:
            setting = sql.SQL("ALTER DATABASE {} {} synchronous_commit")
            alter = sql.SQL("ALTER DATABASE {} SET synchronous_commit = off")
            conn.execute(alter.format(sql.Identifier(name)))
            try:
                yield
            finally:
                conn.execute(setting.format(sql.Identifier(name), sql.SQL("RESET")))
                conn.execute("VACUUM ANALYZE")
                conn.execute("CHECKPOINT")


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """Start the database; end it and remove the data home, however this ends."""
    with (
        tempfile.TemporaryDirectory(prefix="plan-history-bench-") as home,
        EmbeddedPostgres(Path(home)) as server,
    ):
        os.environ[PLACE] = str(Path(home) / "keys")
        yield Stage(Path(home), server)


def owner(url: str) -> psycopg.Connection[Any]:
    """A connection as the owner."""
    return psycopg.connect(
        dsn_as(url, OWNER_ROLE, seconds=600, application="bench"), autocommit=True
    )


def wait_for_projections(url: str, *, patience: float = 300) -> float:
    """Wait until every read model is up to date; returns how many seconds that took."""
    started = time.perf_counter()
    names, versions = [held.name for held in ALL], [held.version for held in ALL]
    with owner(url) as conn:
        while time.perf_counter() - started < patience:
            behind = conn.execute(_BEHIND, [names, versions]).fetchone()
            if behind == (0,):
                return time.perf_counter() - started
            time.sleep(0.02)
    raise RuntimeError(f"The projections were not up to date after {patience:g} s.")
