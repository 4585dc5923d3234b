"""ID tokens: what an issuer says about who just signed in, believed once everything about it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError

from service.errors import (
    IssuerUnavailableError,
    NotSignedInError,
    SignInRefusedError,
    SignInUnavailableError,
)
from service.identity.issuer import LEEWAY, IssuerRules, check_times, text_of, verify
from service.identity.keys import KeyRing
from service.identity.reading import take_apart

_KIND = (None, "jwt", "application/jwt")
"""What an ID token may say of its own kind. Others, such as at+jwt, were made for something else."""


@dataclass(frozen=True, slots=True)
class IdTokens:
    """Checks the ID tokens of an issuer.

    ``rules``: with the client as the audience. ``asked``: whether the issuer was to ask who comes, so
    that a password typed before does not count.
    """

    rules: IssuerRules
    keys: KeyRing
    clock: Callable[[], datetime]
    asked: bool = True

    def claims(
        self, token: str, *, nonce: str, access_token: str | None, since: float
    ) -> Mapping[str, Any]:
        """What it says; ``since``: when the sign-in was begun, before which it was not made.

        Raises SignInRefusedError, saying what is wrong with it.
        """
        try:
            return self._checked(token, nonce, access_token, since)
        except NotSignedInError as wrong:
            raise SignInRefusedError(wrong.detail) from wrong
        except IssuerUnavailableError as away:
            raise SignInUnavailableError(
                "The keys of your clinic's sign-in are out of reach. Begin again in a moment."
            ) from away
        except JoseError as wrong:
            name = getattr(wrong, "claim", None) or type(wrong).__name__
            raise SignInRefusedError(f"The token's {name} does not hold.") from wrong

    def _checked(
        self, token: str, nonce: str, access_token: str | None, since: float
    ) -> Mapping[str, Any]:
        said = take_apart(token)
        kind = said.header.get("typ")
        if (kind.lower() if isinstance(kind, str) else kind) not in _KIND:
            raise NotSignedInError("The token is of a kind (typ) that is not taken here.")
        verify(token, said.header, self.rules.algorithms, self.keys)
        now = self.clock().timestamp()
        check_times(said.claims, now)
        _refuse_old(said.claims, since, ("iat", "auth_time") if self.asked else ("iat",))
        text_of(said.claims, "sub")
        options = {
            "iss": {"essential": True, "value": self.rules.issuer},
            "aud": {"essential": True, "value": self.rules.audience},
            "nonce": {"essential": True, "value": nonce},
        }
        known = {"nonce": nonce, "client_id": self.rules.audience, "access_token": access_token}
        held = CodeIDToken(said.claims, _as_authlib_says(said.header), options, known)
        held.validate(now=int(now), leeway=int(LEEWAY))
        return said.claims


def _refuse_old(claims: Mapping[str, Any], since: float, times: Sequence[str]) -> None:
    """Refuse a token, or a password typed, from before the sign-in was begun."""
    for name in times:
        at = claims.get(name)
        if isinstance(at, int | float) and at < since - LEEWAY:
            raise NotSignedInError(f"The token is about an earlier sign-in ({name}).")


def _as_authlib_says(header: Mapping[str, Any]) -> dict[str, Any]:
    """The header with the older of two names for one algorithm: at_hash is made by it."""
    return {**header, "alg": "EdDSA"} if header["alg"] == "Ed25519" else dict(header)
