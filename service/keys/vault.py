"""The vault: keys in a SQLite file beside the data, for one machine."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from threading import RLock
from uuid import UUID

from service.errors import StoreUnavailableError
from service.keys.store import DESTROYED, Found, Wrapped

_TABLES = """
CREATE TABLE IF NOT EXISTS keys (key_id BLOB PRIMARY KEY, epoch INTEGER NOT NULL, wrapped BLOB NOT NULL,
    made_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ'))) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS destroyed (key_id BLOB PRIMARY KEY,
    destroyed_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ'))) WITHOUT ROWID;
"""
_PATIENCE = 2.0


class Vault:
    """Keys in a file that only its owner may read; any number of processes may share it.

    What is destroyed is overwritten (``secure_delete``) before the call returns.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = RLock()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(path)
        self._held = sqlite3.connect(
            path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        with self._answering() as conn:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
                conn.execute(f"PRAGMA {pragma}")
            conn.executescript(_TABLES)

    @contextlib.contextmanager
    def _answering(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread at a time."""
        try:
            with self._lock:
                yield self._held
        except sqlite3.Error as failed:
            raise StoreUnavailableError(
                "The keys cannot be reached; try again shortly."
            ) from failed

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._answering() as conn:
            conn.execute("BEGIN IMMEDIATE")
            try:
                yield conn
            except BaseException:
                conn.execute("ROLLBACK")
                raise
            conn.execute("COMMIT")

    def add(self, keys: Mapping[UUID, Wrapped]) -> None:
        """Keep keys whose ids are new; one that is there already stays as it is."""
        rows = [(key_id.bytes, held.epoch, held.text) for key_id, held in keys.items()]
        with self._writing() as conn:
            conn.executemany(
                "INSERT OR IGNORE INTO keys (key_id, epoch, wrapped) VALUES (?, ?, ?)", rows
            )

    def find(self, key_id: UUID) -> Found:
        """The key of that id, DESTROYED, or None when it was never here."""
        with self._answering() as conn:
            query = "SELECT epoch, wrapped FROM keys WHERE key_id = ?"
            row = conn.execute(query, [key_id.bytes]).fetchone()
            if row is not None:
                return Wrapped(*row)
            query = "SELECT 1 FROM destroyed WHERE key_id = ?"
            return DESTROYED if conn.execute(query, [key_id.bytes]).fetchone() else None

    def destroy(self, key_ids: Iterable[UUID]) -> int:
        """Destroy keys and keep that it happened; how many there were."""
        count = 0
        with self._writing() as conn:
            for key_id in key_ids:
                done = conn.execute("DELETE FROM keys WHERE key_id = ?", [key_id.bytes])
                count += done.rowcount
                conn.execute("INSERT OR IGNORE INTO destroyed (key_id) VALUES (?)", [key_id.bytes])
        with self._answering() as conn:  # or the key would be read in the journal
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return count

    def wrapped(self, *, before: int) -> Iterator[tuple[UUID, Wrapped]]:
        """Every key wrapped in an epoch before that one."""
        with self._answering() as conn:
            query = "SELECT key_id, epoch, wrapped FROM keys WHERE epoch < ?"
            rows = conn.execute(query, [before]).fetchall()
        for key_id, epoch, text in rows:
            yield UUID(bytes=key_id), Wrapped(epoch, text)

    def sample(self) -> list[tuple[UUID, Wrapped]]:
        """One key of those there are."""
        with self._answering() as conn:
            rows = conn.execute("SELECT key_id, epoch, wrapped FROM keys LIMIT 1").fetchall()
        return [(UUID(bytes=key_id), Wrapped(epoch, text)) for key_id, epoch, text in rows]

    def rewrap(self, keys: Mapping[UUID, Wrapped]) -> None:
        """Keep these keys, wrapped anew, in place of what is there."""
        rows = [(held.epoch, held.text, key_id.bytes) for key_id, held in keys.items()]
        with self._writing() as conn:
            conn.executemany("UPDATE keys SET epoch = ?, wrapped = ? WHERE key_id = ?", rows)
        with self._answering() as conn:
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def counts(self) -> tuple[int, int]:
        """How many keys there are, and how many were destroyed."""
        with self._answering() as conn:
            query = "SELECT (SELECT count(*) FROM keys), (SELECT count(*) FROM destroyed)"
            there, gone = conn.execute(query).fetchone()
        return there, gone

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._held.close()


def _make(path: Path) -> None:
    """Make the file for its owner alone, if it is not there; raises OSError for a link.

    A vault that is there is left to SQLite: closing any other descriptor of the file would take from this
    process every lock that SQLite holds on it (POSIX advisory locks), and with them the order between processes.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    if path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
