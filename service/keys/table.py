"""The key table: keys in a PostgreSQL database of their own, for several machines."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import RLock
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg import conninfo

from service.database import BoundedConnection
from service.errors import StoreUnavailableError
from service.keys.store import DESTROYED, Found, Wrapped

T = TypeVar("T")
_TABLES = """
CREATE SCHEMA IF NOT EXISTS plan_history_keys;
CREATE TABLE IF NOT EXISTS plan_history_keys.keys (key_id uuid PRIMARY KEY, epoch integer NOT NULL,
    wrapped bytea NOT NULL, made_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE IF NOT EXISTS plan_history_keys.destroyed (key_id uuid PRIMARY KEY,
    destroyed_at timestamptz NOT NULL DEFAULT clock_timestamp());
"""
_FIND = """
SELECT epoch, wrapped FROM plan_history_keys.keys WHERE key_id = %(key)s
UNION ALL SELECT NULL, NULL FROM plan_history_keys.destroyed WHERE key_id = %(key)s LIMIT 1
"""
_OPTIONS = "-c TimeZone=UTC -c statement_timeout=2000 -c lock_timeout=1500 -c search_path="


class KeyTable:
    """Keys in the schema ``plan_history_keys``; it connects anew by itself."""

    def __init__(self, url: str) -> None:
        self._dsn = conninfo.make_conninfo(
            url, options=_OPTIONS, application_name="plan-history-keys", connect_timeout="2"
        )
        self._lock = RLock()
        self._held: psycopg.Connection[Any] | None = None

    def make(self) -> None:
        """Make the tables unless they are there; needs a user who may."""
        self._do(lambda conn: conn.execute(_TABLES))

    @contextlib.contextmanager
    def _answering(self) -> Iterator[psycopg.Connection[Any]]:
        with self._lock:
            try:
                if self._held is None or self._held.closed:
                    self._held = BoundedConnection.connect(self._dsn, autocommit=True)
                yield self._held
            except psycopg.Error as failed:
                stale = self._held is None or self._held.closed
                raise StoreUnavailableError(
                    "The keys cannot be reached; try again shortly.", stale=stale
                ) from failed

    def _do(self, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Do ``work``; once more on a fresh connection when the one that was kept had died."""
        kept = self._held is not None
        try:
            with self._answering() as conn:
                return work(conn)
        except StoreUnavailableError as failed:
            if not (kept and failed.facts.get("stale")):
                raise
        with self._answering() as conn:
            return work(conn)

    def add(self, keys: Mapping[UUID, Wrapped]) -> None:
        """Keep keys whose ids are new; one that is there already stays as it is."""
        rows = [(key_id, held.epoch, held.text) for key_id, held in keys.items()]

        def write(conn: psycopg.Connection[Any]) -> None:
            query = (
                "INSERT INTO plan_history_keys.keys (key_id, epoch, wrapped) "
                "SELECT * FROM unnest(%s::uuid[], %s::int[], %s::bytea[]) ON CONFLICT DO NOTHING"
            )
            conn.execute(query, [list(column) for column in zip(*rows, strict=True)])

        self._do(write)

    def find(self, key_id: UUID) -> Found:
        """The key of that id, DESTROYED, or None when it was never here."""
        row = self._do(lambda conn: conn.execute(_FIND, {"key": key_id}).fetchone())
        if row is None:
            return None
        return DESTROYED if row[0] is None else Wrapped(row[0], bytes(row[1]))

    def destroy(self, key_ids: Iterable[UUID]) -> int:
        """Destroy keys and keep that it happened; how many there were."""
        wanted = list(key_ids)

        def write(conn: psycopg.Connection[Any]) -> int:
            with conn.transaction():
                query = "DELETE FROM plan_history_keys.keys WHERE key_id = ANY(%s)"
                count = conn.execute(query, [wanted]).rowcount
                query = (
                    "INSERT INTO plan_history_keys.destroyed (key_id) SELECT unnest(%s::uuid[]) "
                    "ON CONFLICT DO NOTHING"
                )
                conn.execute(query, [wanted])
            return count

        count = self._do(write)
        with contextlib.suppress(
            StoreUnavailableError
        ):  # it is destroyed; this only tidies the file
            self._do(lambda conn: conn.execute("VACUUM plan_history_keys.keys"))
        return count

    def wrapped(self, *, before: int) -> Iterator[tuple[UUID, Wrapped]]:
        """Every key wrapped in an epoch before that one."""
        query = "SELECT key_id, epoch, wrapped FROM plan_history_keys.keys WHERE epoch < %s"
        for key_id, epoch, text in self._do(lambda conn: conn.execute(query, [before]).fetchall()):
            yield key_id, Wrapped(epoch, bytes(text))

    def sample(self) -> list[tuple[UUID, Wrapped]]:
        """One key of those there are."""
        query = "SELECT key_id, epoch, wrapped FROM plan_history_keys.keys LIMIT 1"
        rows = self._do(lambda conn: conn.execute(query).fetchall())
        return [(key_id, Wrapped(epoch, bytes(text))) for key_id, epoch, text in rows]

    def rewrap(self, keys: Mapping[UUID, Wrapped]) -> None:
        """Keep these keys, wrapped anew, in place of what is there."""
        rows = [(key_id, held.epoch, held.text) for key_id, held in keys.items()]
        query = (
            "UPDATE plan_history_keys.keys k SET epoch = given.epoch, wrapped = given.wrapped "
            "FROM unnest(%s::uuid[], %s::int[], %s::bytea[]) AS given (key_id, epoch, wrapped) "
            "WHERE k.key_id = given.key_id"
        )
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            self._do(lambda conn: conn.execute(query, columns))

    def counts(self) -> tuple[int, int]:
        """How many keys there are, and how many were destroyed."""
        query = (
            "SELECT (SELECT count(*) FROM plan_history_keys.keys), "
            "(SELECT count(*) FROM plan_history_keys.destroyed)"
        )
        row = self._do(lambda conn: conn.execute(query).fetchone())
        assert row is not None
        return row[0], row[1]

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._held is not None:
                self._held.close()
