"""What an issuer says of itself: where one signs in, where codes are redeemed, where its keys are."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from service.errors import SignInUnavailableError
from service.identity.sources import ask, in_time, trusted

log = logging.getLogger("plan_history.identity")
WELL_KNOWN = "/.well-known/openid-configuration"
BASIC, POST = "client_secret_basic", "client_secret_post"
FRESH, STALE = 300.0, 24 * 3600.0
"""Seconds after which it is asked again, and for which it serves on while the issuer is out of reach."""
PAUSE, PATIENCE = 5.0, 3.0
"""Seconds between two failed attempts, and which one of them may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What of it is used. ``names_itself``: whether its answers say ``iss`` (RFC 9207)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None = None
    names_itself: bool = False
    secret_by: str = BASIC


def announced(issuer: str, said: Mapping[str, Any]) -> Announced:
    """What a discovery document says; raises ValueError for one of somebody else, or with gaps."""
    if said.get("issuer") != issuer:
        raise ValueError("it speaks of another issuer")
    ways = said.get("token_endpoint_auth_methods_supported")
    by_post = isinstance(ways, list) and BASIC not in ways and POST in ways
    leaving = said.get("end_session_endpoint")
    return Announced(
        authorization_endpoint=_address(said, "authorization_endpoint"),
        token_endpoint=_address(said, "token_endpoint"),
        jwks_uri=_address(said, "jwks_uri"),
        end_session_endpoint=_address(said, "end_session_endpoint") if leaving else None,
        names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        secret_by=POST if by_post else BASIC,
    )


def _address(said: Mapping[str, Any], name: str) -> str:
    held = said.get(name)
    if not isinstance(held, str) or "#" in held:
        raise ValueError(f"it has no {name}")
    return trusted(held)


class Discovery:
    """What the issuer says of itself, kept and asked again now and then; for any thread."""

    def __init__(self, issuer: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.issuer, self.clock = issuer, clock
        self._known: tuple[float, Announced] | None = None
        self._failed_at = float("-inf")
        self._lock = Lock()

    def __call__(self) -> Announced:
        """What it says; raises SignInUnavailableError when it cannot be had, or only too old."""
        known = self._fresh()
        if known is not None:
            return known
        with self._lock:
            return self._fresh() or self._renewed()

    def _fresh(self) -> Announced | None:
        return self._known[1] if self._known and self._age() < FRESH else None

    def _age(self) -> float:
        return self.clock() - self._known[0] if self._known else float("inf")

    def _renewed(self) -> Announced:
        if self.clock() - self._failed_at >= PAUSE:
            try:
                found = self.load()
            except (OSError, ValueError) as failed:
                self._failed_at = self.clock()
                log.warning("the issuer's discovery was not loaded: %s", type(failed).__name__)
            else:
                self._known = (self.clock(), found)
                return found
        if self._known and self._age() < STALE:
            return self._known[1]
        raise SignInUnavailableError(
            "Your clinic's sign-in does not answer just now. Try again in a moment, or use a token."
        )

    def load(self) -> Announced:
        """Ask the issuer itself; raises OSError or ValueError when it does not say what it must."""
        place = self.issuer.rstrip("/") + WELL_KNOWN
        return in_time(lambda: announced(self.issuer, ask(place).document()), PATIENCE)
