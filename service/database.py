"""Connections: a bounded pool, one role per process, and transactions confined to one clinic."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg import conninfo
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from service.errors import StoreUnavailableError

T = TypeVar("T")
POLL = 0.1
API_ROLE, PROJECTOR_ROLE, OWNER_ROLE = (
    "plan_history_api",
    "plan_history_projector",
    "plan_history_owner",
)


class BoundedConnection(psycopg.Connection[TupleRow]):
    """A connection that never waits for the server longer than ``limit`` seconds at a stretch.

    The server's own time-outs do not help when the server itself is frozen or unplugged.
    """

    limit: float | None = 2.5

    def wait(self, gen: Any, interval: float = POLL, **kept: Any) -> Any:
        """Wait as psycopg does, with a deadline; past it the connection is closed."""
        if self.limit is None or kept:  # the caller has set a time-out of its own
            return super().wait(gen, interval, **kept)
        return super().wait(_until(gen, time.monotonic() + self.limit, self), POLL)


def _until(
    gen: Generator[Any, Any, T], deadline: float, conn: BoundedConnection
) -> Generator[Any, Any, T]:
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() > deadline:
                conn.pgconn.finish()
                raise psycopg.OperationalError("the database did not answer in time")
            wanted = gen.send(ready)
    except StopIteration as done:
        result: T = done.value
        return result


def dsn_as(url: str, role: str, *, seconds: float = 2.5, application: str = "plan-history") -> str:
    """``url`` with this service's role, search path and server-side time limits."""
    milliseconds = int(seconds * 1000)
    options = (
        f"-c role={role} -c search_path=plan_history -c TimeZone=UTC -c jit=off "
        f"-c statement_timeout={milliseconds} -c lock_timeout={max(milliseconds - 500, 500)} "
        f"-c idle_in_transaction_session_timeout=10000"
    )
    return conninfo.make_conninfo(
        url, options=options, application_name=application, connect_timeout="2"
    )


class Database:
    """A pool of connections in one role. Every wait is bounded; failures are StoreUnavailableError."""

    def __init__(self, url: str, role: str = API_ROLE, *, size: int = 8, seconds: float = 3.0) -> None:
        self.seconds = seconds
        self.pool: ConnectionPool[BoundedConnection] = ConnectionPool(
            dsn_as(url, role, seconds=seconds * 0.8),
            connection_class=BoundedConnection,
            min_size=1,
            max_size=size,
            timeout=seconds * 0.5,
            max_idle=300,
            reconnect_timeout=1.0,
            kwargs={"autocommit": True, "prepare_threshold": 1},
            open=False,
        )

    def open(self) -> Database:
        """Start filling the pool (in the background); returns itself."""
        self.pool.open(wait=False)
        return self

    def close(self) -> None:
        """Close every connection."""
        self.pool.close(timeout=1.0)

    def run(self, work: Callable[[BoundedConnection], T]) -> T:
        """Do ``work`` on a connection; once more on a fresh one when an idle one had died.

        Only for work that may be repeated: reads, and appends that can be looked up.
        """
        try:
            with self.connection() as conn:
                return work(conn)
        except StoreUnavailableError as refused:
            if not refused.facts.get("stale"):
                raise
        with self.connection() as conn:
            return work(conn)

    @contextlib.contextmanager
    def connection(self) -> Iterator[BoundedConnection]:
        """A connection in autocommit; a dead database becomes a StoreUnavailableError in time."""
        started = time.monotonic()
        try:
            with self.pool.connection() as conn:
                yield conn
        except (PoolTimeout, PoolClosed) as gone:
            raise StoreUnavailableError("The record is out of reach; try again shortly.") from gone
        except (
            psycopg.OperationalError,
            psycopg.InterfaceError,
            psycopg.errors.ReadOnlySqlTransaction,
        ) as gone:
            if isinstance(gone, psycopg.errors.ReadOnlySqlTransaction):
                conn.close()  # a demoted primary: this connection will never write again
            stale = time.monotonic() - started < self.seconds * 0.25
            raise StoreUnavailableError(
                "The record did not answer; try again shortly.", stale=stale
            ) from gone

    @contextlib.contextmanager
    def clinic(self, clinic_id: UUID) -> Iterator[BoundedConnection]:
        """A transaction confined to one clinic by row-level security."""
        with self.connection() as conn, conn.transaction():
            conn.execute(
                "SELECT set_config('plan_history.clinic_id', %s, true)", [str(clinic_id)]
            )
            yield conn

    def in_clinic(self, clinic_id: UUID, work: Callable[[BoundedConnection], T]) -> T:
        """Do ``work`` (reads only) in a transaction confined to one clinic; once more if it had died."""

        def confined(conn: BoundedConnection) -> T:
            with conn.transaction():
                conn.execute(
                    "SELECT set_config('plan_history.clinic_id', %s, true)", [str(clinic_id)]
                )
                return work(conn)

        return self.run(confined)
