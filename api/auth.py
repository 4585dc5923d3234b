"""Who is asking: bearer tokens, before any route is reached."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import cast
from uuid import UUID

from flask import Flask, current_app, g, request
from flask.globals import request_ctx

from api.conventions import services
from service.access import Principal
from service.errors import NoMemberError, NotSignedInError

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,8000}=*", re.ASCII)
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
PAGES = "pages"
"""The blueprint with sessions instead of tokens (api/pages/blueprint.py); each page asks services that decide."""


def refuse_undeclared(app: Flask) -> None:
    """Raise RuntimeError when a route is neither open nor in the access table: nobody may forget one."""
    forgotten = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in OPEN
        and not rule.endpoint.startswith(f"{PAGES}.")
        and getattr(app.view_functions[rule.endpoint], "action", None) is None
    ]
    if forgotten:
        raise RuntimeError(f"No access is declared for {', '.join(sorted(forgotten))}.")


def admit(found: Principal) -> None:
    """Put the principal of a session on ``g`` as the clinic knows them now.

    Raises NoMemberError for a leaver.
    """
    with _noting_who_is_turned_away("session"):
        g.principal = services().gate.rosters(found.clinic_id).present(found)
    services().quota.take(g.principal)


def sign_in() -> None:
    """Put the principal of the request's token on ``g`` and see that their role has the route's action.

    Raises NotSignedInError and NotAllowedError.
    """
    asked = request_ctx.request
    if asked.endpoint is None or asked.endpoint in OPEN or asked.blueprint == PAGES:
        return
    token, held = token_of_request(), services()
    with _noting_who_is_turned_away("token"):
        who = g.principal = held.identity.principal(token, asked.remote_addr)
    held.quota.take(who)
    action: str = vars(current_app.view_functions[asked.endpoint])["action"]
    held.gate.require(who, action, _plan_named())


@contextlib.contextmanager
def _noting_who_is_turned_away(how: str) -> Iterator[None]:
    """Whoever is turned away in here although they are known is kept in the access log."""
    try:
        yield
    except NoMemberError as refused:
        services().door.turned_away(refused.who, how)
        raise


def token_of_request() -> str:
    """The request's bearer token; of several Authorization headers a server makes one, with commas.

    Raises NotSignedInError when there is none, or what is there can be none.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip(" "):
        raise NotSignedInError("Send your token: Authorization: Bearer <token>.")
    if not _TOKEN.fullmatch(token.strip(" ")):
        raise NotSignedInError(
            "Send one token, as it was given to you: Authorization: Bearer <token>."
        )
    return token.strip(" ")


def _plan_named() -> UUID | None:
    """The plan that the address names, by itself or in the id of a FHIR resource."""
    named = request.view_args or {}
    if "plan_id" in named:
        return cast("UUID", named["plan_id"])
    with contextlib.suppress(ValueError):
        return UUID(named.get("resource_id", "").partition(".")[0])
    return None
