"""Taking a JWT apart before anything in it is believed: strictly, and no further than needed."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from service.errors import NotSignedInError

MOST_CHARACTERS = 8_000
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.ASCII)
_REFUSED = frozenset(
    {"b64", "crit", "cty", "enc", "epk", "jku", "jwk", "x5c", "x5u", "zip"},
)
"""Header parameters that bring a key along, or change what is signed: nothing good needs them."""


@dataclass(frozen=True, slots=True)
class Unverified:
    """What a JWT says, before its signature was looked at."""

    header: dict[str, Any]
    claims: dict[str, Any]


def looks_like_a_jwt(token: str) -> bool:
    """Whether it has a JWT's three parts and is not too long to read."""
    return len(token) <= MOST_CHARACTERS and _COMPACT.fullmatch(token) is not None


def take_apart(token: str) -> Unverified:
    """Header and claims of a JWT; raises NotSignedInError for anything but plain JWS."""
    match = _COMPACT.fullmatch(token) if len(token) <= MOST_CHARACTERS else None
    if match is None:
        raise NotSignedInError("This is no token of this service; ask for a new one.")
    header, claims, signature = match.groups()
    _decoded(signature)
    held = Unverified(_object(header), _object(claims))
    foreign = sorted(_REFUSED & held.header.keys())
    if foreign:
        raise NotSignedInError(f"The token's header holds {foreign[0]}, which is not taken here.")
    return held


def _decoded(part: str) -> bytes:
    """The bytes of a part, of which there is one spelling only."""
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error:
        _unreadable()
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
        _unreadable()
    return raw


def _object(part: str) -> dict[str, Any]:
    try:
        held = json.loads(
            _decoded(part).decode("utf-8"), object_pairs_hook=_once, parse_constant=_unreadable
        )
    except (ValueError, RecursionError):
        _unreadable()
    return held if isinstance(held, dict) else _unreadable()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    return made if len(made) == len(pairs) else _unreadable()


def _unreadable(_: object = None) -> NoReturn:
    raise NotSignedInError("The token cannot be read; ask its issuer for a new one.")
