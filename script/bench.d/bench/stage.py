"""Everything a run needs, started here and ended here: database, migrations, projector, web, no-op."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psycopg
from psycopg import sql

from bench.processes import megabytes, tree
from projections import ALL
from service.database import OWNER_ROLE, dsn_as
from service.embedded import EmbeddedPostgres
from service.migrate import migrate
from service.serving import supervise
from service.settings import Settings

PACKAGE = Path(__file__).resolve().parent.parent
WORKERS = Settings().workers
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
        yield Stage(Path(home), server)


@dataclass(frozen=True, slots=True)
class Serving:
    """The running service and the no-op beside it, as `serve` runs its processes."""

    address: str
    noop: str
    web: supervise.Child
    beside: supervise.Child
    projector: supervise.Child
    postgres: int
    url: str
    memory: dict[str, list[float]] = field(default_factory=lambda: {"web": [], "projector": []})

    def note_memory(self) -> None:
        """Note what the largest API worker and the projector hold now, in MB."""
        _, *workers = tree(self.web.process.pid)
        self.memory["web"].append(max(map(megabytes, workers)))
        self.memory["projector"].append(megabytes(self.projector.process.pid))

    @property
    def parts(self) -> dict[str, int]:
        """The process each part's CPU time is counted from."""
        return {
            "web": self.web.process.pid,
            "projector": self.projector.process.pid,
            "postgres": self.postgres,
        }


@contextlib.contextmanager
def serving(held: Stage, url: str) -> Iterator[Serving]:
    """Projector, web workers and no-op on free ports of 127.0.0.1."""
    environment = supervise.environment_for(url, held.home)
    environment["PLAN_HISTORY_WORKERS"] = str(WORKERS)
    environment.setdefault("PLAN_HISTORY_LOG_LEVEL", "WARNING")
    with contextlib.ExitStack() as ending:
        socket, other = (
            ending.enter_context(contextlib.closing(supervise.listen("127.0.0.1", 0)))
            for _ in range(2)
        )
        projector = ending.enter_context(supervise.projector(environment))
        web = ending.enter_context(supervise.web(environment, socket))
        beside = supervise.Child(
            "no-op",
            [*supervise.WEB, "--bind", f"fd://{other.fileno()}", "bench.noop:app"],
            {
                **environment,
                "PYTHONPATH": os.pathsep.join([str(PACKAGE), str(PACKAGE.parent.parent)]),
            },
            pass_fds=[other.fileno()],
        )
        ending.callback(beside.stop)
        address, noop = (f"http://127.0.0.1:{one.getsockname()[1]}" for one in (socket, other))
        wait_for(f"{address}/readyz", web)
        wait_for(noop, beside)
        yield Serving(address, noop, web, beside, projector, held.server.pid, url)


def wait_for(address: str, child: supervise.Child, *, patience: float = 30) -> None:
    """Wait until an address answers; raises RuntimeError when its process has ended, or takes too long."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            with urlopen(address, timeout=2):  # noqa: S310 - our own address
                return
        except OSError:
            if child.process.poll() is not None:
                break
            time.sleep(0.01)
    raise RuntimeError(f"{child.name} does not answer at {address}; what it said is above.")


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
