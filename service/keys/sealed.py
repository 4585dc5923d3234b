"""Whether a database holds anything that is sealed: then it needs the keys it was sealed with, not new ones."""

from __future__ import annotations

from typing import Any

import psycopg

from service.database import OWNER_ROLE, PROJECTOR_ROLE

_SEEING = (OWNER_ROLE, PROJECTOR_ROLE)
"""Who sees the entries of every clinic."""


def is_sealed(url: str) -> bool:
    """Whether an entry of this database is sealed with a key.

    False also where nobody can tell: before the first migration, and for a login that may not see the
    entries of every clinic. Raises psycopg.OperationalError for a database out of reach.
    """
    with psycopg.connect(url, autocommit=True, connect_timeout=2) as conn:
        if not any(_took(conn, role) for role in _SEEING):
            return False
        query = "SELECT EXISTS (SELECT FROM plan_history.entries WHERE key_id IS NOT NULL)"
        try:
            row = conn.execute(query).fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return False
    return row is not None and bool(row[0])


def _took(conn: psycopg.Connection[Any], role: str) -> bool:
    try:
        conn.execute("SELECT set_config('role', %s, false)", [role])
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue):
        return False
    return True
