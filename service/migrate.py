"""Migrations: forward-only numbered SQL files, applied once each, under an advisory lock.

A file that was applied and has changed since is refused: what ran must stay what is written.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import psycopg

from projections import ALL as PROJECTIONS

LOCK = 7_243_901_886_511_204
_LEDGER = """
CREATE TABLE IF NOT EXISTS migrations (
    name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
)
"""
_PREPARED = """
SELECT count(*) = 5 AND to_regnamespace('plan_history') IS NOT NULL FROM pg_roles
WHERE rolname IN ('plan_history_owner', 'plan_history_api', 'plan_history_projector',
    'plan_history_deliverer', 'plan_history_sealer')
"""


class MigrationError(Exception):
    """The database cannot be brought to this version; says why and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered SQL file."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 (hex) of the file's text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """Every migration in order of its number."""
    folder = resources.files("service.migrations")
    names = sorted(file.name for file in folder.iterdir() if file.name[:3].isdigit())
    return [Migration(name, folder.joinpath(name).read_text("utf-8")) for name in names]


def migrate(
    url: str,
    *,
    told: Callable[[str], None] = lambda _: None,
    steps: Sequence[Migration] | None = None,
) -> list[str]:
    """Bring the database at ``url`` to this version; returns the names of what was applied.

    Safe to run by several at once: they wait for one another. ``url`` needs a user who may create
    roles, or roles and schema made before by ``service/migrations/roles.sql``.
    """
    applied = []
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        _become_owner(conn)
        conn.execute("SET search_path = plan_history")
        conn.execute(_LEDGER)
        ledger = conn.execute("SELECT name, checksum FROM migrations").fetchall()
        done: dict[str, str] = dict(ledger)
        for step in migrations() if steps is None else steps:
            if step.name in done:
                _refuse_changed(step, done[step.name])
                continue
            with conn.transaction():
                conn.execute(step.sql.encode())
                conn.execute(
                    "INSERT INTO migrations (name, checksum) VALUES (%s, %s)",
                    [step.name, step.checksum],
                )
            told(step.name)
            applied.append(step.name)
        for projection in PROJECTIONS:
            with conn.transaction():
                projection.ensure_tables(conn)
    return applied


def _become_owner(conn: psycopg.Connection) -> None:
    """Take the owner's role; what of roles and schema is missing is made first."""
    try:
        there = conn.execute(_PREPARED).fetchone()
        if there != (True,):
            sql = resources.files("service.migrations").joinpath("roles.sql").read_bytes()
            conn.execute(sql)
        conn.execute("SET ROLE plan_history_owner")
    except psycopg.errors.InsufficientPrivilege as refused:
        raise MigrationError(
            "This database user may not create the service's roles and schema. Let an "
            "administrator run service/migrations/roles.sql in this database and grant the five "
            "roles to this user."
        ) from refused


def _refuse_changed(step: Migration, applied: str) -> None:
    if step.checksum != applied:
        raise MigrationError(
            f"Migration {step.name} was applied in another form than it has here. Restore the file "
            "as it was, and put the change into a new migration."
        )


def pending(conn: psycopg.Connection[Any]) -> list[str]:
    """The migrations the database still lacks (all of them when it was never migrated)."""
    done: set[str] = set()
    there = conn.execute("SELECT to_regclass('plan_history.migrations')").fetchone()
    if there is not None and there[0] is not None:
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege):  # the first is under way
            done = {row[0] for row in conn.execute("SELECT name FROM plan_history.migrations")}
    return [step.name for step in migrations() if step.name not in done]
