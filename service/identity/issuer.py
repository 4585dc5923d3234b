"""JWTs of the configured issuer: who they stand for, once everything about them holds."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from service.errors import NotSignedInError
from service.identity.keys import KeyRing, PublicKey
from service.identity.reading import take_apart
from service.kept import Kept

LEEWAY = 30.0
LONGEST = 24 * 3600.0
"""A JWT cannot be taken back, so none is taken that is good for longer, in seconds."""
REMEMBERED = 0.8
RECORD = "record:"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerRules:
    """What a token of the issuer must say. ``types``: of the header's ``typ``, in lower case."""

    issuer: str
    audience: str
    algorithms: frozenset[str]
    types: frozenset[str] = frozenset({"at+jwt", "jwt"})
    clinic_claim: str = "clinic_id"
    member_claim: str = "sub"


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who a good JWT says it stands for; whether they are a member is for the clinic's log to say."""

    clinic_id: UUID
    member_id: UUID
    token_id: UUID
    scopes: frozenset[str]
    expires: float


def member_id_of(issuer: str, subject: str) -> UUID:
    """The member somebody is whom the issuer calls ``subject``: that UUID, or one made from it."""
    try:
        return UUID(subject)
    except ValueError:
        return uuid5(uuid5(NAMESPACE_URL, issuer), f"sub {subject}")


class Issuer:
    """Checks JWTs. A good one is remembered for less than a second."""

    def __init__(
        self,
        rules: IssuerRules,
        keys: KeyRing,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.rules, self.keys, self.clock = rules, keys, clock
        self._known: Kept[bytes, tuple[float, Claimed]] = Kept(10_000)

    def claimed(self, token: str) -> Claimed:
        """Who the token stands for; raises NotSignedInError saying what is wrong with it."""
        digest = hashlib.sha256(token.encode()).digest()
        known, now = self._known.get(digest), self.clock().timestamp()
        if known and time.monotonic() - known[0] < REMEMBERED and now < known[1].expires + LEEWAY:
            return known[1]
        said = take_apart(token)
        kind = said.header.get("typ")
        if not isinstance(kind, str):
            raise NotSignedInError("The token does not say what it is (typ).")
        if kind.lower().removeprefix("application/") not in self.rules.types:
            raise NotSignedInError("The token is of a kind (typ) that is not taken here.")
        verify(token, said.header, self.rules.algorithms, self.keys)
        claimed = self._checked(said.claims, now)
        self._known.put(digest, (time.monotonic(), claimed))
        return claimed

    def _checked(self, claims: Mapping[str, Any], now: float) -> Claimed:
        expires = check_times(claims, now)
        subject = text_of(claims, "sub")
        if text_of(claims, "iss") != self.rules.issuer:
            raise NotSignedInError("The token comes from another issuer.")
        audience = claims.get("aud")
        meant = audience if isinstance(audience, list) else [audience]
        if not all(isinstance(held, str) for held in meant) or self.rules.audience not in meant:
            raise NotSignedInError("The token is meant for another service (aud).")
        clinic_id, member_id = whom(self.rules, claims)
        origin = uuid5(NAMESPACE_URL, self.rules.issuer)
        name = f"jti {text_of(claims, 'jti')}" if "jti" in claims else f"sub {subject}"
        return Claimed(clinic_id, member_id, uuid5(origin, name), _scopes(claims), expires)


def whom(rules: IssuerRules, claims: Mapping[str, Any]) -> tuple[UUID, UUID]:
    """The clinic and the member that claims are about."""
    try:
        clinic_id = UUID(text_of(claims, rules.clinic_claim))
    except ValueError as wrong:
        raise NotSignedInError(
            f"The token's {rules.clinic_claim} is not the id of a clinic."
        ) from wrong
    return clinic_id, member_id_of(rules.issuer, text_of(claims, rules.member_claim))


def verify(
    token: str, header: Mapping[str, Any], algorithms: frozenset[str], keys: KeyRing
) -> None:
    """See that a JWT is signed by one of the algorithms with a key of the issuer's."""
    alg, kid = header.get("alg"), header.get("kid")
    if not isinstance(alg, str) or alg not in algorithms:
        raise NotSignedInError("The token is not signed by an algorithm that is taken here.")
    if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= 200):
        raise NotSignedInError("The token names its key (kid) in a way that cannot be read.")
    key = keys.key(kid, alg)
    if key is None:
        raise NotSignedInError("The token is signed with a key its issuer does not publish.")
    _verify(token, key, alg)


def _verify(token: str, key: PublicKey, alg: str) -> None:
    registry = JWSRegistry(algorithms=[alg], strict_check_header=False)
    try:
        jws.deserialize_compact(token, key, registry=registry)
    except (JoseError, ValueError, TypeError) as wrong:
        raise NotSignedInError("The token's signature does not hold.") from wrong


def check_times(claims: Mapping[str, Any], now: float) -> float:
    """When the token ends; raises NotSignedInError when it has, or has not begun, or lasts too long."""
    expires, issued = _moment(claims, "exp"), _moment(claims, "iat")
    begins = _moment(claims, "nbf") if "nbf" in claims else issued
    if expires + LEEWAY <= now:
        raise NotSignedInError("The token has expired; ask its issuer for a new one.")
    if begins > now + LEEWAY or issued > now + LEEWAY:
        raise NotSignedInError("The token is not good yet; check the clocks.")
    if expires - issued > LONGEST:
        raise NotSignedInError("The token is good for more than a day; ask for a shorter one.")
    return expires


def _moment(claims: Mapping[str, Any], name: str) -> float:
    held = claims.get(name)
    if isinstance(held, bool) or not isinstance(held, int | float):
        raise NotSignedInError(f"The token does not say a time as its {name}.")
    if not (math.isfinite(held) and 0 <= held < 1e11):
        raise NotSignedInError(f"The token's {name} is no time.")
    return float(held)


def text_of(claims: Mapping[str, Any], name: str) -> str:
    """A claim that is text and not too long."""
    held = claims.get(name)
    if not isinstance(held, str) or not 0 < len(held) <= 500:
        raise NotSignedInError(f"The token does not say its {name}.")
    return held


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    """The entry types an integration may record: ``record:FeedbackGiven`` in ``scope``."""
    held = claims.get("scope", "")
    words = held.split() if isinstance(held, str) else []
    return frozenset(word.removeprefix(RECORD) for word in words if word.startswith(RECORD))
