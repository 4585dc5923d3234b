"""Who is asking: bearer tokens, before any route is reached."""

from __future__ import annotations

from flask import g, request

from api.conventions import services
from service.errors import NotSignedInError

OPEN = frozenset(
    {
        "api-docs.openapi_json",
        "docs.page",
        "health.livez",
        "health.metrics",
        "health.readyz",
        "root.index",
        "static",
    }
)
"""Endpoints that need no token: they show nothing of any clinic."""


def sign_in() -> None:
    """Put the principal of the request's token on ``g``; raises NotSignedInError."""
    if request.endpoint is None or request.endpoint in OPEN:
        return
    given = request.headers.get("Authorization", "")
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotSignedInError("Send your token: Authorization: Bearer <token>.")
    g.principal = services().tokens.principal(token.strip())
