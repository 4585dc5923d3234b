"""Whether a database holds anything that is sealed: then it needs the keys it was sealed with, not new ones."""

from __future__ import annotations

from typing import Any

import psycopg

from service.database import API_ROLE, DELIVERER_ROLE, OWNER_ROLE, PROJECTOR_ROLE

_ASKING = (API_ROLE, PROJECTOR_ROLE, DELIVERER_ROLE, OWNER_ROLE)
"""Whose processes work with keys."""
_MIGRATED = """
SELECT EXISTS (
    SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'plan_history' AND c.relname = 'entries'
)
"""


def is_sealed(url: str) -> bool:
    """Whether an entry of this database is sealed with a key; False before the first migration.

    Raises psycopg.OperationalError for a database out of reach, and psycopg.ProgrammingError for one that
    is not of this version, or a login that is none of the service's roles.
    """
    with psycopg.connect(url, autocommit=True, connect_timeout=2) as conn:
        if not _answer(conn, _MIGRATED):
            return False
        any(_took(conn, role) for role in _ASKING)
        return _answer(conn, "SELECT plan_history.anything_sealed()")


def _answer(conn: psycopg.Connection[Any], question: str) -> bool:
    row = conn.execute(question.encode()).fetchone()
    return row is not None and bool(row[0])


def _took(conn: psycopg.Connection[Any], role: str) -> bool:
    try:
        conn.execute("SELECT set_config('role', %s, false)", [role])
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue):
        return False
    return True
