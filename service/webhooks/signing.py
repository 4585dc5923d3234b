"""Signing deliveries so that the receiver knows who sent them, and when (Standard Webhooks 1.0)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"


def new_secret() -> bytes:
    """256 random bits."""
    return secrets.token_bytes(32)


def shown(secret: bytes) -> str:
    """A secret as its receiver keeps it."""
    return PREFIX + base64.b64encode(secret).decode()


def signed(event_id: str, moment: int, body: bytes, held: Sequence[bytes]) -> dict[str, str]:
    """The headers of a delivery sent at ``moment`` (seconds since 1970 UTC), signed with each secret."""
    said = f"{event_id}.{moment}.".encode() + body
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(moment),
        "webhook-signature": " ".join(f"v1,{_signature(secret, said)}" for secret in held),
    }


def _signature(secret: bytes, said: bytes) -> str:
    return base64.b64encode(hmac.digest(secret, said, hashlib.sha256)).decode()
