"""Every wait has an end: a frozen, stopped or locked database is a refusal within three seconds."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from service.access import Principal
from service.clinics import create_clinic
from service.container import Container, build
from service.database import OWNER_ROLE, BoundedConnection, Database, dsn_as, time_limit
from service.embedded import EmbeddedPostgres
from service.errors import StoreUnavailableError
from service.finding import PlanFilter, find_plans
from service.health import look
from service.migrate import migrate
from service.plans import Moment
from tests.conftest import Clinic
from tests.keys import settings
from tests.service.recording import asked, open_plan, set_goal
from tests.service.servers import family, frozen, reachable_folder, soon

pytestmark = pytest.mark.fault
IN_TIME = 4.0  # three, and what a busy machine adds
BACK = 15.0


@dataclass(frozen=True)
class Store:
    """The service on a server that a test may stop or freeze."""

    server: EmbeddedPostgres
    container: Container
    who: Principal
    plan_id: UUID

    @property
    def url(self) -> str:
        """How the superuser connects."""
        return self.server.dsn("clinic")

    def works(self) -> bool:
        """Whether an entry can be recorded and read back."""
        try:
            recorded = set_goal(self.container, self.who, self.plan_id)
            return self.container.plans.current(self.who, self.plan_id)[0] == recorded.version
        except StoreUnavailableError:
            return False

    def superuser(self, query: str, *given: Any) -> None:
        """Do something as the superuser, on a connection of its own that may always write."""
        options = "-c default_transaction_read_only=off"
        with psycopg.connect(self.url, autocommit=True, options=options) as conn:
            conn.execute(query.encode(), given or None)


@pytest.fixture(scope="module")
def own_server() -> Iterator[EmbeddedPostgres]:
    """A server of this module's own, migrated."""
    with reachable_folder() as folder, EmbeddedPostgres(folder / "home", fast=True) as started:
        with psycopg.connect(started.dsn(), autocommit=True) as conn:
            conn.execute("CREATE DATABASE clinic")
        migrate(started.dsn("clinic"))
        yield started


@pytest.fixture
def store(own_server: EmbeddedPostgres) -> Iterator[Store]:
    """The service with a plan, in working order and with several connections open."""
    url = own_server.dsn("clinic")
    with psycopg.connect(dsn_as(url, OWNER_ROLE), autocommit=True) as owner:
        who = Clinic(create_clinic(owner, "Test clinic"), owner).member()
    container = build(settings(url))
    store = Store(own_server, container, who, open_plan(container, who).plan_id)
    occupy(store.container.database, 4)
    yield store
    container.close()


def occupy(database: Database, connections: int) -> None:
    """Have so many connections in the pool, by using them at once."""
    with contextlib.ExitStack() as held:
        for _ in range(connections):
            held.enter_context(database.connection())


def attempts(store: Store) -> dict[str, Callable[[], object]]:
    """Everything a request asks of the store."""
    container, who, plan_id = store.container, store.who, store.plan_id
    return {
        "record": lambda: set_goal(container, who, plan_id),
        "record again": lambda: set_goal(container, who, plan_id, asked("k-1", expected=1)),
        "open": lambda: open_plan(container, who, str(uuid4())),
        "read": lambda: container.plans.current(who, plan_id),
        "look back": lambda: container.plans.at(who, plan_id, Moment(version=1)),
        "find": lambda: find_plans(container.gate, who, PlanFilter()),
        "sign in": lambda: container.tokens.principal("ph_unknown"),
    }


def refused(attempt: Callable[[], object]) -> float:
    """How long an attempt takes to be refused, in seconds."""
    started = time.monotonic()
    with pytest.raises(StoreUnavailableError):
        attempt()
    return time.monotonic() - started


def assert_all_refused_in_time(store: Store) -> None:
    """Whatever is asked, all at once, is refused in time; and whoever looks is told why."""
    asked_for = attempts(store)
    with ThreadPoolExecutor(len(asked_for) + 1) as pool:
        looked = pool.submit(look, store.container.database)
        taken = dict(zip(asked_for, pool.map(refused, asked_for.values()), strict=True))
        assert looked.result().document()["database"] == "out of reach"
    late = {name: seconds for name, seconds in taken.items() if seconds > IN_TIME}
    assert late == {}


def test_a_frozen_server_is_refused_in_time(store: Store) -> None:
    """Nothing answers, nothing closes: still every call ends, and works again after the thaw."""
    with frozen(family(store.server.pid)):
        assert_all_refused_in_time(store)
    assert soon(store.works, BACK)


def test_frozen_sessions_are_left_behind(store: Store) -> None:
    """Sessions that hang while the server takes new ones cost a refusal, then new ones are used."""
    postmaster, *sessions = family(store.server.pid)
    with frozen(sessions):
        attempt = attempts(store)["read"]
        assert refused(attempt) <= IN_TIME
    assert postmaster
    assert soon(store.works, BACK)


def test_a_server_that_takes_no_new_sessions_is_no_trouble(store: Store) -> None:
    """Who has a connection goes on while the server cannot give another."""
    postmaster, *_ = family(store.server.pid)
    with frozen([postmaster]):
        assert store.works()


def test_without_a_limit_a_frozen_server_is_waited_for(store: Store) -> None:
    """Control: psycopg alone waits on, past the three seconds, until the server moves again."""
    with (
        psycopg.connect(dsn_as(store.url, OWNER_ROLE)) as conn,
        ThreadPoolExecutor(1) as pool,
        frozen(family(store.server.pid)),
    ):
        answer = pool.submit(conn.execute, "SELECT 1")
        with pytest.raises(TimeoutError):
            answer.result(IN_TIME + 0.5)


def test_a_stopped_server_is_refused_in_time(store: Store) -> None:
    """While it is away every call is refused in time; when it is back the same pool serves again."""
    store.server.stop()
    try:
        assert_all_refused_in_time(store)
    finally:
        store.server.start()
    assert soon(store.works, BACK)


def test_a_restart_between_two_calls_goes_unnoticed(store: Store) -> None:
    """Connections that died with the old server are replaced without a refusal."""
    store.server.stop()
    store.server.start()
    assert store.works()


@pytest.mark.parametrize("job", ["record", "record again", "open", "read", "find"])
def test_killed_idle_connections_go_unnoticed(store: Store, job: str) -> None:
    """A call whose idle connections were killed, all of them, is answered on a new one."""
    store.superuser(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE application_name = 'plan-history' AND datname = current_database()"
    )
    attempts(store)[job]()


@contextlib.contextmanager
def holding(store: Store, lock: str) -> Iterator[None]:
    """Somebody else holds a lock in a transaction they do not end."""
    with psycopg.connect(dsn_as(store.url, OWNER_ROLE, seconds=60)) as other:
        other.execute(lock.encode())
        yield
        other.rollback()


def test_a_held_counter_row_is_refused_in_time(store: Store) -> None:
    """An append behind somebody who holds the clinic's queue is refused, and not stored later."""
    lock = f"SELECT FROM clinic_logs WHERE clinic_id = '{store.who.clinic_id}' FOR UPDATE"
    with holding(store, lock):
        assert refused(attempts(store)["record"]) <= IN_TIME
        assert store.container.plans.current(store.who, store.plan_id)[0] == 1
    assert store.works()
    assert store.container.plans.current(store.who, store.plan_id)[0] == 2


def test_a_locked_table_is_refused_in_time(store: Store) -> None:
    """A read behind a lock on the whole table is refused as well."""
    with holding(store, "LOCK TABLE entries IN ACCESS EXCLUSIVE MODE"):
        assert refused(attempts(store)["read"]) <= IN_TIME
    assert store.works()


def test_a_demoted_primary_is_left(store: Store) -> None:
    """A server that has become read-only is a refusal; its connections are never used again."""
    before = sessions(store.container.database)
    store.superuser("ALTER SYSTEM SET default_transaction_read_only = on")
    store.superuser("SELECT pg_reload_conf()")
    try:
        assert soon(lambda: not store.works(), BACK)
        assert refused(attempts(store)["record"]) <= IN_TIME
    finally:
        store.superuser("ALTER SYSTEM RESET default_transaction_read_only")
        store.superuser("SELECT pg_reload_conf()")
    assert soon(store.works, BACK)
    assert sessions(store.container.database).isdisjoint(before)


def sessions(database: Database) -> set[int]:
    """The server's process of each connection in the pool."""
    with contextlib.ExitStack() as held:
        lent = [held.enter_context(database.connection()) for _ in range(4)]
        return {conn.info.backend_pid for conn in lent}


# Time limits


@pytest.fixture
def hasty(store: Store) -> Iterator[Database]:
    """A database of which every call ends within one second."""
    database = Database(store.url, size=2, seconds=1.0).open()
    database.run(lambda conn: conn.execute("SELECT 1"))
    yield database
    database.close()


def nap(conn: BoundedConnection, times: int = 10) -> None:
    """A few statements, each short enough."""
    for _ in range(times):
        conn.execute("SELECT pg_sleep(0.4)")


def test_many_short_waits_have_one_limit(hasty: Database) -> None:
    """Statements that are short one by one do not add up past the limit of the call."""
    assert refused(lambda: hasty.run(nap)) <= 2.0  # of four, were they not added up
    hasty.run(lambda conn: nap(conn, 1))


def test_several_calls_may_share_one_limit(hasty: Database) -> None:
    """Within one limit the second call has only what the first has left."""
    with hasty.time_limit():
        hasty.run(lambda conn: nap(conn, 1))
        assert refused(lambda: hasty.run(nap)) <= 0.95  # 0.6, and never a whole one


def test_the_earlier_end_counts(hasty: Database) -> None:
    """A call inside a shorter limit does not get its own longer one."""
    with time_limit(0.3):
        assert refused(lambda: hasty.run(nap)) <= 0.9  # of its own it has one


def test_a_full_pool_is_refused_in_time(hasty: Database) -> None:
    """Who finds every connection in use waits for one, but not forever."""
    with hasty.connection(), hasty.connection(), ThreadPoolExecutor(1) as pool:
        third = pool.submit(refused, lambda: hasty.run(nap))
        assert third.result() <= 2.0


def test_a_closed_pool_is_refused(hasty: Database) -> None:
    """A process that is ending refuses as it would for a database out of reach."""
    hasty.close()
    with pytest.raises(StoreUnavailableError):
        hasty.run(nap)


def test_an_error_of_the_work_itself_is_no_refusal(hasty: Database) -> None:
    """A wrong statement is a mistake in the program; it is not hidden behind “try again”."""
    with pytest.raises(psycopg.errors.UndefinedTable):
        hasty.run(lambda conn: conn.execute("SELECT FROM nowhere"))
