"""Sessions of the pages: begun with a token or a one-time link, ended by leaving or by being idle.

The browser holds 256 random bits, the database their SHA-256. A session stands on a token and ends
with it; for somebody who signed in at the clinic's issuer that is a token nobody holds.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg.rows import TupleRow

from service.access import Principal
from service.database import BoundedConnection, Database
from service.door import Door
from service.errors import NoMemberError, NotSignedInError
from service.identity import Identity
from service.tokens import Tokens, digest

IDLE = timedelta(minutes=20)
"""After this long without a request a session is over (auto-logoff)."""
LASTS = timedelta(hours=12)
"""No session is longer than a long day."""
LINK_LASTS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Sessions:
    """Begins, uses and ends sessions."""

    database: Database
    tokens: Tokens
    identity: Identity
    door: Door

    def begin(self, token: str, address: str | None = None) -> str:
        """A new session's secret for the owner of one of this service's tokens.

        ``address``: from where they sign in. Raises NotSignedInError, and QuotaExceededError after too
        many failures there.
        """
        try:
            found = self.identity.principal(token.strip(), address)
        except NoMemberError as refused:
            self.door.turned_away(refused.who, "token")
            raise
        secret = self._begin(self.tokens.principal(token.strip()).token_id)
        self.door.came_in(found, "token")
        return secret

    def follow(self, link: str) -> str:
        """A new session's secret for a one-time link; raises NotSignedInError when it is used up."""
        with self.database.connection() as conn:
            row = conn.execute("SELECT use_sign_in_link(%s)", [digest(link)]).fetchone()
        if row is None or row[0] is None:
            raise NotSignedInError(
                "This link was used before, or is too old. Sign in with a token."
            )
        secret = self._begin(row[0])
        found = self.principal(secret)
        try:
            self.door.came_in(self.identity.rosters(found.clinic_id).present(found), "link")
        except NoMemberError as refused:
            self.end(secret)
            self.door.turned_away(refused.who, "link")
            raise
        return secret

    def whose_link(self, link: str) -> str | None:
        """The name of whom a link signs in; None when it does so no more."""

        def read(conn: BoundedConnection) -> TupleRow | None:
            return conn.execute("SELECT find_sign_in_link(%s)", [digest(link)]).fetchone()

        row = self.database.run(read)
        return row[0] if row else None

    def principal(self, secret: str) -> Principal:
        """Who is signed in; raises NotSignedInError when the session is over."""

        def read(conn: BoundedConnection) -> TupleRow | None:
            return conn.execute(
                "SELECT clinic_id, member_id, name, role, credential, token_id "
                "FROM use_session(%s, %s)",
                [digest(secret), IDLE],
            ).fetchone()

        row = self.database.run(read)
        if row is None:
            raise NotSignedInError("You were signed out; sign in again.")
        return Principal(*row)

    def vouched(self, who: Principal, issuer: str, once: bytes) -> str | None:
        """A new session's secret for somebody an issuer vouches for; None when its word was used before.

        ``who``: the member, with the id the session's token is to have. ``once``: what the issuer's
        word is recognised by.
        """
        held = (who.clinic_id, once, issuer, who.member_id, who.name, who.role, who.credential)
        with self.database.connection() as conn:
            row = conn.execute(
                "SELECT vouch(%s, %s, %s, %s, %s, %s, %s, %s, %s)", [who.token_id, *held, LASTS]
            ).fetchone()
        return self._begin(who.token_id) if row and row[0] else None

    def end(self, secret: str) -> bool:
        """The session is over; whether it was begun at the clinic's issuer."""
        with self.database.connection() as conn:
            row = conn.execute("SELECT end_session(%s)", [digest(secret)]).fetchone()
        return bool(row and row[0])

    def _begin(self, token_id: UUID) -> str:
        secret = secrets.token_urlsafe(32)
        with self.database.connection() as conn:
            conn.execute(
                "SELECT begin_session(%s, %s, %s, %s)", [uuid4(), digest(secret), token_id, LASTS]
            )
        return secret


def make_link(conn: Any, token_id: UUID) -> str:
    """The secret of a new one-time link for the owner of a token (as the owner of the database)."""
    secret = secrets.token_urlsafe(32)
    conn.execute(
        "INSERT INTO sign_in_links (digest, clinic_id, token_id, expires_at) "
        "SELECT %s, clinic_id, token_id, clock_timestamp() + %s FROM tokens WHERE token_id = %s",
        [digest(secret), LINK_LASTS, token_id],
    )
    return secret
