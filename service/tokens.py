"""Bearer tokens: 256 random bits, shown once, kept as SHA-256, expiring and revocable.

A good token is remembered for less than a second, so a revocation works within a second everywhere.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Lock, Thread
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import TupleRow

from domain.entry import TYPES
from service.access import ROLES, Principal
from service.database import BoundedConnection, Database
from service.errors import NotSignedInError, StoreUnavailableError

PREFIX = "ph_"
REMEMBERED = 0.8
NOTED_EVERY = 60.0
log = logging.getLogger("plan_history.tokens")
_FIND = """
SELECT clinic_id, member_id, name, role, credential, token_id, scopes, expires_at, revoked_at
FROM find_token(%s)
"""


def digest(token: str) -> bytes:
    """What of a token is kept."""
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token; its text is shown this once."""

    token: str
    token_id: UUID
    expires_at: datetime


class LastUses:
    """Notes when tokens were last used, each once a minute at most; no request waits for it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._noted: dict[UUID, float] = {}
        self._due: list[UUID] = []
        self._working = False
        self._lock = Lock()

    def note(self, token_id: UUID) -> None:
        """The token is in use."""
        now = time.monotonic()
        with self._lock:
            if now - self._noted.get(token_id, now - NOTED_EVERY) < NOTED_EVERY:
                return
            if len(self._noted) > 10_000:
                self._noted.clear()
            self._noted[token_id] = now
            self._due.append(token_id)
            if self._working:
                return
            self._working = True
        Thread(target=self._work, name="last-uses", daemon=True).start()

    def _work(self) -> None:
        while due := self._take():
            try:
                with self.database.connection() as conn:
                    conn.execute("SELECT touch_token(t) FROM unnest(%s::uuid[]) AS t", [due])
            except (StoreUnavailableError, psycopg.Error) as failed:
                log.debug("last use not noted: %s", type(failed).__name__)

    def _take(self) -> list[UUID]:
        with self._lock:
            due, self._due = self._due, []
            self._working = bool(due)
            return due


class Tokens:
    """Looks tokens up for requests."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.database = database
        self.clock = clock
        self.last_uses = LastUses(database)
        self._known: dict[bytes, tuple[float, datetime, Principal]] = {}
        self._lock = Lock()

    def principal(self, token: str) -> Principal:
        """Who the token stands for; raises NotSignedInError when it is unknown, expired or revoked."""
        if not token.startswith(PREFIX) or len(token) > 200 or not token.isascii():
            raise NotSignedInError("This is no token of this service; ask for a new one.")
        key = digest(token)
        known = self._known.get(key)
        if known and time.monotonic() - known[0] < REMEMBERED and known[1] > self.clock():
            return known[2]
        return self._look_up(key)

    def _look_up(self, key: bytes) -> Principal:
        def find(conn: BoundedConnection) -> TupleRow | None:
            return conn.execute(_FIND, [key], binary=True).fetchone()

        row = self.database.run(find)
        if row is None:
            raise NotSignedInError("This token is not known; ask for a new one.")
        *held, scopes, expires_at, revoked_at = row
        if revoked_at is not None:
            raise NotSignedInError("This token was revoked; ask for a new one.")
        if expires_at <= self.clock():
            raise NotSignedInError("This token has expired; ask for a new one.")
        principal = replace(Principal(*held), scopes=frozenset(scopes))
        with self._lock:
            if len(self._known) > 10_000:
                self._known.clear()
            self._known[key] = (time.monotonic(), expires_at, principal)
        self.last_uses.note(principal.token_id)
        return principal


def issue(
    conn: Any,
    clinic_id: UUID,
    *,
    name: str,
    role: str,
    member_id: UUID | None = None,
    credential: str | None = None,
    days: int = 90,
    scopes: Iterable[str] = (),
) -> Issued:
    """Issue a token for a member of a clinic (as the owner).

    ``scopes``: the types of entry an integration may record with it. Raises ValueError for an unknown
    role or type.
    """
    if role not in ROLES:
        raise ValueError(f"Unknown role {role!r}; choose one of {', '.join(ROLES)}.")
    granted = sorted(set(scopes))
    unknown = [name for name in granted if name not in TYPES]
    if unknown:
        raise ValueError(f"There is no type of entry {', '.join(unknown)}: see docs/entries.md.")
    token = PREFIX + secrets.token_urlsafe(32)
    token_id, expires_at = uuid4(), datetime.now(UTC) + timedelta(days=days)
    conn.execute(
        "INSERT INTO tokens (token_id, clinic_id, digest, prefix, member_id, name, role, credential, "
        "expires_at, scopes) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            token_id,
            clinic_id,
            digest(token),
            token[:9],
            member_id or uuid4(),
            name,
            role,
            credential,
            expires_at,
            granted,
        ],
    )
    return Issued(token, token_id, expires_at)


def revoke(conn: Any, token_id: UUID) -> bool:
    """Revoke a token (as the owner); False if there is none that was still good."""
    done = conn.execute(
        "UPDATE tokens SET revoked_at = clock_timestamp() WHERE token_id = %s AND revoked_at IS NULL",
        [token_id],
    )
    return bool(done.rowcount)


def revoke_all(conn: Any, clinic_id: UUID, member_id: UUID) -> int:
    """Revoke every token of a member (as the owner); how many were still good."""
    done = conn.execute(
        "UPDATE tokens SET revoked_at = clock_timestamp() WHERE clinic_id = %s AND member_id = %s "
        "AND revoked_at IS NULL",
        [clinic_id, member_id],
    )
    return int(done.rowcount)


def listed(conn: Any, clinic_id: UUID | None = None) -> list[dict[str, Any]]:
    """Every token (as the owner), of one clinic or of all, oldest first; never its text.

    Of those that somebody's sign-in at an issuer made, the ones that still work.
    """
    names = (
        "token_id",
        "prefix",
        "name",
        "role",
        "member_id",
        "scopes",
        "expires_at",
        "revoked_at",
        "last_used_at",
        "issuer",
    )
    rows = conn.execute(
        f"SELECT {', '.join(names)} FROM tokens WHERE (%s::uuid IS NULL OR clinic_id = %s) "
        "AND (issuer IS NULL OR (revoked_at IS NULL AND expires_at > clock_timestamp())) "
        "ORDER BY created_at",
        [clinic_id, clinic_id],
    ).fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]
