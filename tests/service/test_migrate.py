"""Migrations: forward only, once each, whoever runs them and however many at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from projections import ALL
from service.container import build
from service.database import API_ROLE, DELIVERER_ROLE, OWNER_ROLE, PROJECTOR_ROLE, SEALER_ROLE
from service.embedded import EmbeddedPostgres
from service.health import look
from service.migrate import Migration, MigrationError, migrate, migrations, pending
from tests.keys import settings
from tests.service.servers import reachable_folder

NAMES = [step.name for step in migrations()]
ROLES = (OWNER_ROLE, API_ROLE, PROJECTOR_ROLE, DELIVERER_ROLE, SEALER_ROLE)


@pytest.fixture
def bare_url(server: EmbeddedPostgres) -> Iterator[str]:
    """A database nobody has migrated."""
    name = f"bare_{uuid4().hex}"
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield server.dsn(name)
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def query(url: str, text: str, *given: Any) -> list[Any]:
    """The first column of a query's answer, asked as the superuser."""
    with psycopg.connect(url, autocommit=True) as conn:
        return [row[0] for row in conn.execute(text.encode(), given or None)]


def ledger(url: str) -> list[str]:
    """What was applied, in order."""
    return query(url, "SELECT name FROM plan_history.migrations ORDER BY applied_at, name")


# Once each


def test_a_second_run_applies_nothing(bare_url: str) -> None:
    """Everything is applied in order of its number, told one by one, and never again."""
    told: list[str] = []
    assert migrate(bare_url, told=told.append) == NAMES == told == ledger(bare_url)
    assert migrate(bare_url, told=told.append) == []
    assert told == NAMES


def test_several_at_once_apply_each_migration_once(bare_url: str) -> None:
    """Processes that start together wait for one another."""
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(migrate, [bare_url] * 4))
    assert sorted(map(len, applied)) == [0, 0, 0, len(NAMES)]
    assert ledger(bare_url) == NAMES


def test_only_what_is_missing_is_applied(bare_url: str) -> None:
    """A database from an older version is brought forward from where it is."""
    migrate(bare_url)
    added = Migration("999_more.sql", "CREATE TABLE more (held integer)")
    assert migrate(bare_url, steps=[*migrations(), added]) == [added.name]
    assert query(bare_url, "SELECT count(*) FROM plan_history.more") == [0]


def test_a_database_ahead_of_this_version_is_left_alone(bare_url: str) -> None:
    """There is no way back: an older program neither undoes nor repeats a newer one's migration."""
    added = Migration("999_more.sql", "CREATE TABLE more (held integer)")
    migrate(bare_url, steps=[*migrations(), added])
    assert migrate(bare_url) == []
    assert ledger(bare_url) == [*NAMES, added.name]


def test_a_changed_migration_is_refused(bare_url: str) -> None:
    """What ran must stay what is written; nothing that follows is applied either."""
    migrate(bare_url)
    first, *rest = migrations()
    changed = replace(first, sql=first.sql + "\n-- as it should have been")
    added = Migration("999_more.sql", "CREATE TABLE more (held integer)")
    with pytest.raises(MigrationError, match=f"{first.name} was applied in another form"):
        migrate(bare_url, steps=[changed, *rest, added])
    assert ledger(bare_url) == NAMES


def test_a_migration_that_fails_leaves_nothing(bare_url: str) -> None:
    """A migration is applied whole or not at all, and tried again the next time."""
    broken = Migration("998_broken.sql", "CREATE TABLE half (held integer); SELECT 1 / 0")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(bare_url, steps=[*migrations(), broken])
    assert ledger(bare_url) == NAMES
    assert query(bare_url, "SELECT to_regclass('plan_history.half')") == [None]
    mended = replace(broken, sql="CREATE TABLE half (held integer)")
    assert migrate(bare_url, steps=[*migrations(), mended]) == [mended.name]


def test_what_is_pending_is_known(bare_url: str) -> None:
    """Who looks knows what a database lacks, also while the first migration is under way."""
    with psycopg.connect(bare_url, autocommit=True) as conn:
        assert pending(conn) == NAMES
        with pytest.raises(psycopg.errors.DivisionByZero):
            migrate(bare_url, steps=[Migration(NAMES[0], "SELECT 1 / 0")])
        assert pending(conn) == NAMES
        conn.execute(f"SET ROLE {API_ROLE}".encode())
        assert pending(conn) == NAMES
        migrate(bare_url)
        assert pending(conn) == []


def test_every_projection_has_its_table(bare_url: str) -> None:
    """After a migration the projector finds all tables it writes to."""
    migrate(bare_url)
    tables = query(bare_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'plan_history'")
    assert {projection.table() for projection in ALL} <= set(tables)


# By whom


@pytest.fixture(scope="module")
def own_server() -> Iterator[EmbeddedPostgres]:
    """A server whose roles these tests may make and drop."""
    with reachable_folder() as folder, EmbeddedPostgres(folder / "home", fast=True) as started:
        yield started


@dataclass(frozen=True)
class Host:
    """A server as its administrator sees it: one database, and users without any rights."""

    server: EmbeddedPostgres
    admin: psycopg.Connection[Any]

    def user(self, name: str, rights: str = "") -> str:
        """A new user, who signs in with a password; the URL they use."""
        self.admin.execute(f"CREATE ROLE {name} LOGIN {rights} PASSWORD 'secret'".encode())
        return self.url(name)

    def url(self, name: str) -> str:
        """How a user signs in."""
        return make_conninfo(self.server.dsn("clinic"), user=name, password="secret")

    def run_roles_sql(self) -> None:
        """What the error message asks an administrator to do."""
        roles = resources.files("service.migrations").joinpath("roles.sql").read_bytes()
        with psycopg.connect(self.server.dsn("clinic"), autocommit=True) as conn:
            conn.execute(roles)


@pytest.fixture
def host(own_server: EmbeddedPostgres) -> Iterator[Host]:
    """A server that knows nothing of the service yet."""
    with psycopg.connect(own_server.dsn(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE clinic")
        yield Host(own_server, admin)
        admin.execute("DROP DATABASE clinic WITH (FORCE)")
        made = admin.execute("SELECT rolname FROM pg_roles WHERE oid >= 16384").fetchall()
        for (name,) in made:
            admin.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
            admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def can_serve(url: str) -> bool:
    """Whether the service finds a database in order at ``url``."""
    container = build(settings(url))
    try:
        return look(container.database).ready
    finally:
        container.close()


def test_a_user_who_may_not_create_roles_is_told_what_to_do(host: Host) -> None:
    """Missing rights are a sentence with the next step, and nothing is half done."""
    url = host.user("clerk")
    for _ in range(2):
        with pytest.raises(
            MigrationError, match=r"administrator run service/migrations/roles\.sql"
        ):
            migrate(url)
    assert query(url, "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'plan_history%%'") == [0]


def test_a_user_may_work_with_roles_made_for_them(host: Host) -> None:
    """After the administrator did as told, the user needs no right to create roles."""
    url = host.user("clerk")
    host.run_roles_sql()
    with pytest.raises(MigrationError, match="grant the five roles to this user"):
        migrate(url)
    host.admin.execute(f"GRANT {', '.join(ROLES)} TO clerk".encode())
    assert migrate(url) == NAMES
    assert can_serve(url)


def test_a_user_who_may_create_roles_needs_no_administrator(host: Host) -> None:
    """The right to create roles, and objects in the database, is enough."""
    url = host.user("builder", "CREATEROLE")
    host.admin.execute("GRANT CREATE ON DATABASE clinic TO builder")
    assert migrate(url) == NAMES
    assert can_serve(url)


def test_each_role_may_sign_in_for_itself(host: Host) -> None:
    """Where the five roles have passwords of their own, none needs to be able to be another."""
    owner, api, *_ = (host.user(role) for role in ROLES)
    host.admin.execute("ALTER DATABASE clinic OWNER TO plan_history_owner")
    assert migrate(owner) == NAMES
    assert can_serve(api)
    with psycopg.connect(api) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("SET ROLE plan_history_owner")


def test_a_half_prepared_server_is_completed(host: Host) -> None:
    """Roles that another database of the server has brought along are used here, too."""
    host.run_roles_sql()
    with psycopg.connect(host.server.dsn("clinic"), autocommit=True) as conn:
        conn.execute("DROP SCHEMA plan_history")
    assert migrate(host.server.dsn("clinic")) == NAMES
