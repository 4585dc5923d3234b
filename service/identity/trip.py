"""A trip to the issuer and back: everything that must match comes from one thing the browser keeps.

State, nonce and PKCE verifier are digests of it, so the service keeps nothing meanwhile, any of its
processes can finish what another began, and who changes a part of it changes them all.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

LASTS = 600
"""Seconds within which one comes back."""
_KEPT = re.compile(r"([A-Za-z0-9_-]{43})\.(\d{1,11})\.([A-Za-z0-9_-]{0,2000})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Trip:
    """``secret``: 256 random bits. ``begun``: seconds since 1970. ``wanted``: where to go afterwards."""

    secret: str
    begun: int
    wanted: str

    @classmethod
    def beginning(cls, now: float, wanted: str | None) -> Trip:
        """A new trip; an address too long to remember is not."""
        return cls(
            secrets.token_urlsafe(32), int(now), wanted if wanted and len(wanted) <= 1000 else ""
        )

    @classmethod
    def of(cls, kept: str | None) -> Trip | None:
        """The trip a browser kept, or None for what is none."""
        match = _KEPT.fullmatch(kept or "")
        if match is None:
            return None
        secret, begun, wanted = match.groups()
        try:
            raw = base64.urlsafe_b64decode(wanted + "=" * (-len(wanted) % 4))
            held = cls(secret, int(begun), raw.decode())
        except (binascii.Error, UnicodeDecodeError):
            return None
        return held if held.kept == kept else None

    @property
    def kept(self) -> str:
        """What the browser is to keep."""
        wanted = base64.urlsafe_b64encode(self.wanted.encode()).decode().rstrip("=")
        return f"{self.secret}.{self.begun}.{wanted}"

    @property
    def state(self) -> str:
        """What comes back from the issuer unchanged."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """What the ID token repeats."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """What proves to the issuer that who redeems the code is who asked for it (PKCE)."""
        return self._derived("verifier")

    @property
    def once(self) -> bytes:
        """What of it may end in a session once."""
        return hashlib.sha256(self._derived("once").encode()).digest()

    def is_answered_by(self, state: str | None) -> bool:
        """Whether an answer from the issuer is one to this trip."""
        return hmac.compare_digest((state or "").encode(), self.state.encode())

    def is_over(self, now: float) -> bool:
        """Whether it has taken too long."""
        return not -LASTS < now - self.begun < LASTS

    def _derived(self, purpose: str) -> str:
        digest = hashlib.sha256(f"{purpose} {self.kept}".encode()).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
