"""From a bearer token to the member it stands for, as the clinic's log knows them now."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

from service.access import Principal, Roster, stranger
from service.errors import NotSignedInError
from service.identity.brake import Brake
from service.identity.issuer import Issuer
from service.identity.reading import looks_like_a_jwt
from service.kept import Kept
from service.tokens import Tokens, digest

GOOD_FOR = 600.0
"""So many seconds a token that was good is looked at again, however many others fail from its address."""


class Identity:
    """Signs requests in. Name, role and whether somebody belongs here come from the clinic's log."""

    def __init__(
        self,
        tokens: Tokens,
        rosters: Callable[[UUID], Roster],
        issuer: Issuer | None = None,
        brake: Brake | None = None,
    ) -> None:
        self.tokens, self.rosters, self.issuer = tokens, rosters, issuer
        self.brake = brake or Brake(0)
        self._good: Kept[bytes, float] = Kept(10_000)

    def principal(self, token: str, address: str | None = None) -> Principal:
        """Who the token stands for; raises NotSignedInError when it is not (or no longer) good.

        ``address``: from where it came. After too many failures there QuotaExceededError is raised,
        but not for tokens that were good a moment ago.
        """
        key, now = digest(token), time.monotonic()
        good_at = self._good.get(key)
        if good_at is None or now - good_at > GOOD_FOR:
            self.brake.refuse(address)
        try:
            found = self._found(token)
        except NotSignedInError:
            self.brake.failed(address)
            raise
        self._good.put(key, now)
        return found

    def _found(self, token: str) -> Principal:
        if self.issuer is not None and looks_like_a_jwt(token):
            return self._of_jwt(self.issuer, token)
        held = self.tokens.principal(token)
        return self.rosters(held.clinic_id).present(held)

    def _of_jwt(self, issuer: Issuer, token: str) -> Principal:
        claimed = issuer.claimed(token)
        return self.rosters(claimed.clinic_id).member(
            stranger(claimed.clinic_id, claimed.member_id, claimed.token_id, claimed.scopes),
            "The token is good, but the clinic has no such member; ask its administrator.",
        )
