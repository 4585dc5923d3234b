"""Who is asking: bearer tokens, before any route is reached."""

from __future__ import annotations

import contextlib
from typing import cast
from uuid import UUID

from flask import Flask, current_app, g, request

from api.conventions import services
from service.access import Origin, said_from
from service.errors import NotSignedInError

OPEN = frozenset(
    {
        "api-docs.openapi_json",
        "docs.page",
        "fhir.metadata",
        "health.livez",
        "health.metrics",
        "health.readyz",
        "root.index",
        "static",
    }
)
"""Endpoints that need no token: they show nothing of any clinic."""


def refuse_undeclared(app: Flask) -> None:
    """Raise RuntimeError when a route is neither open nor in the access table: nobody may forget one."""
    forgotten = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in OPEN
        and getattr(app.view_functions[rule.endpoint], "action", None) is None
    ]
    if forgotten:
        raise RuntimeError(f"No access is declared for {', '.join(sorted(forgotten))}.")


def sign_in() -> None:
    """Put the principal of the request's token on ``g`` and see that their role has the route's action.

    Raises NotSignedInError and NotAllowedError.
    """
    if request.endpoint is None or request.endpoint in OPEN:
        return
    given = request.headers.get("Authorization", "")
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotSignedInError("Send your token: Authorization: Bearer <token>.")
    said_from(Origin(address=request.remote_addr, request_id=g.request_id))
    held = services()
    found = held.tokens.principal(token.strip())
    g.principal = held.gate.rosters(found.clinic_id).present(found)
    action: str = vars(current_app.view_functions[request.endpoint])["action"]
    held.gate.require(g.principal, action, _plan_named())


def _plan_named() -> UUID | None:
    """The plan that the address names, by itself or in the id of a FHIR resource."""
    named = request.view_args or {}
    if "plan_id" in named:
        return cast("UUID", named["plan_id"])
    with contextlib.suppress(ValueError):
        return UUID(named.get("resource_id", "").partition(".")[0])
    return None
