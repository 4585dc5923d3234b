"""Connections: a bounded pool, one role per process, and transactions confined to one clinic."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TypeVar
from uuid import UUID

import psycopg
from psycopg import conninfo
from psycopg.abc import PQGen
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from service.errors import StoreUnavailableError

T = TypeVar("T")
POLL = 0.1
API_ROLE, PROJECTOR_ROLE, DELIVERER_ROLE, SEALER_ROLE, OWNER_ROLE = (
    "plan_history_api",
    "plan_history_projector",
    "plan_history_deliverer",
    "plan_history_sealer",
    "plan_history_owner",
)
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Let all that is asked of the database in here end within ``seconds`` altogether.

    Inside another limit, the earlier end counts.
    """
    mine, outer = time.monotonic() + seconds, _deadline.get()
    token = _deadline.set(mine if outer is None else min(mine, outer))
    try:
        yield
    finally:
        _deadline.reset(token)


class BoundedConnection(psycopg.Connection[TupleRow]):
    """A connection that never waits for the server past the time limit.

    Where none is set, ``limit`` seconds at a stretch. The server's own time-outs do not help when
    the server itself is frozen or unplugged.
    """

    limit: float = 2.5

    def wait(self, gen: PQGen[T], interval: float = POLL, timeout: float | None = None) -> T:
        """Wait as psycopg does, with a deadline; past it the connection is closed."""
        if timeout is not None:  # the caller is content with an answer later
            return super().wait(gen, interval, timeout)
        deadline = _deadline.get() or time.monotonic() + self.limit
        return super().wait(_until(gen, deadline, self), POLL)


def _until(gen: PQGen[T], deadline: float, conn: BoundedConnection) -> PQGen[T]:
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
        f"-c idle_in_transaction_session_timeout={max(milliseconds, 10_000)}"
    )
    return conninfo.make_conninfo(
        url, options=options, application_name=application, connect_timeout="2"
    )


class Database:
    """A pool of connections in one role.

    Every call ends within ``seconds``, however many waits it has; a failure is a
    StoreUnavailableError.
    """

    def __init__(
        self, url: str, role: str = API_ROLE, *, size: int = 8, seconds: float = 3.0
    ) -> None:
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

    def time_limit(self) -> contextlib.AbstractContextManager[None]:
        """Let several calls share the time that one may take."""
        return time_limit(self.seconds - 2 * POLL)  # a wait notices its end after at most one POLL

    def time_left(self) -> float:
        """How many seconds of the current limit are left (of a whole one where none is set)."""
        deadline = _deadline.get()
        return self.seconds if deadline is None else max(deadline - time.monotonic(), 0.0)

    def run(self, work: Callable[[BoundedConnection], T]) -> T:
        """Do ``work`` on a connection; again on another one for as long as idle ones prove dead.

        Only for work that may be repeated: reads.
        """
        with self.time_limit():
            while True:
                try:
                    with self.connection() as conn:
                        return work(conn)
                except StoreUnavailableError as refused:
                    if not refused.facts.get("stale"):
                        raise

    @contextlib.contextmanager
    def connection(self) -> Iterator[BoundedConnection]:
        """A connection in autocommit; a dead database becomes a StoreUnavailableError in time.

        Its fact ``stale`` says that the connection had died, and that there is time for another.
        """
        with self.time_limit(), self._lent() as conn:
            try:
                yield conn
            except psycopg.errors.ReadOnlySqlTransaction as demoted:
                self.pool.drain()  # no connection to a demoted primary will ever write again
                raise _no_answer() from demoted
            except (psycopg.OperationalError, psycopg.InterfaceError) as gone:
                raise _no_answer(stale=conn.closed and _remaining() > 0) from gone

    @contextlib.contextmanager
    def _lent(self) -> Iterator[BoundedConnection]:
        try:
            with self.pool.connection(min(self.pool.timeout, _remaining())) as conn:
                yield conn
        except (PoolTimeout, PoolClosed) as gone:
            raise StoreUnavailableError("The record is out of reach; try again shortly.") from gone

    @contextlib.contextmanager
    def clinic(self, clinic_id: UUID) -> Iterator[BoundedConnection]:
        """A transaction confined to one clinic by row-level security."""
        with self.connection() as conn, confined(conn, clinic_id):
            yield conn

    def in_clinic(self, clinic_id: UUID, work: Callable[[BoundedConnection], T]) -> T:
        """Do ``work``, repeated like ``run``, in a transaction confined to one clinic."""

        def inside(conn: BoundedConnection) -> T:
            with confined(conn, clinic_id):
                return work(conn)

        return self.run(inside)


@contextlib.contextmanager
def confined(conn: psycopg.Connection[TupleRow], clinic_id: UUID) -> Iterator[None]:
    """A transaction on ``conn`` that sees and touches the rows of one clinic only."""
    with conn.transaction():
        conn.execute("SELECT set_config('plan_history.clinic_id', %s, true)", [str(clinic_id)])
        yield


def _remaining() -> float:
    return max((_deadline.get() or 0.0) - time.monotonic(), 0.0)


def _no_answer(*, stale: bool = False) -> StoreUnavailableError:
    return StoreUnavailableError("The record did not answer; try again shortly.", stale=stale)
