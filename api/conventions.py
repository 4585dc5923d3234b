"""Conventions every route shares: ETags, preconditions, idempotency keys, cursors, JSON answers."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

import orjson
from flask import Response, current_app, g, request

from api.errors import InvalidQueryError, NotAcceptableError
from api.parsing import digest_of_request
from service.access import Principal
from service.container import Container
from service.plans import Request

JSON = "application/json"
_KEY = re.compile(r'"([\x21\x23-\x7e ]{1,200})"|([\x21\x23-\x7e]{1,200})')
_VERSION_TAG = re.compile(r'(?:W/)?"(\d{1,9})"')
F = TypeVar("F", bound=Callable[..., Any])


def services() -> Container:
    """What the service room offers to this request."""
    held: Container = current_app.extensions["plan-history"]
    return held


def principal() -> Principal:
    """Who is asking (api/auth.py has seen to it that there is somebody)."""
    held: Principal = g.principal
    return held


def takes_query(view: F) -> F:
    """Mark a view that has query parameters of its own; any other refuses them all."""
    view.takes_query = True  # type: ignore[attr-defined] # read in api/app.py
    return view


def json_answer(
    body: object,
    status: int = 200,
    *,
    version: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """``body`` (JSON types, or JSON bytes) as an answer, with the version as its ETag."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    answer = Response(raw, status, content_type=JSON)
    if version is not None:
        answer.headers["ETag"] = f'"{version}"'
    for name, value in (headers or {}).items():
        answer.headers[name] = value
    return answer


def not_modified(version: int) -> Response | None:
    """The 304 for a caller who already has this version, else None."""
    tags = request.headers.get("If-None-Match")
    if tags is None:
        return None
    known = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
    if "*" not in known and f'"{version}"' not in known:
        return None
    answer = Response(status=304)
    answer.headers["ETag"] = f'"{version}"'
    return answer


def writing(*, alongside: bool = False) -> Request:
    """If-Match and Idempotency-Key of a request that writes; InvalidQueryError if malformed."""
    key = idempotency_key()
    return Request(
        expected=expected_version(),
        seen="If-Match" in request.headers,
        key=key,
        digest=digest_of_request() if key else None,
        alongside=alongside,
    )


def expected_version() -> int | None:
    """The version in If-Match, None without one or with ``*``."""
    tag = request.headers.get("If-Match")
    if tag is None or tag.strip() == "*":
        return None
    match = _VERSION_TAG.fullmatch(tag.strip())
    if match is None:
        raise InvalidQueryError({"If-Match": 'Must be one version in quotes, such as "12".'})
    return int(match[1])


def idempotency_key() -> str | None:
    """The Idempotency-Key, quoted or bare."""
    given = request.headers.get("Idempotency-Key")
    if given is None:
        return None
    match = _KEY.fullmatch(given.strip())
    if match is None:
        raise InvalidQueryError(
            {"Idempotency-Key": "Must be 1 to 200 visible ASCII characters, such as a UUID."}
        )
    return match[1] or match[2]


def to_cursor(place: Sequence[Any] | None) -> str | None:
    """An opaque cursor for the place where the next page of this very list begins."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(orjson.dumps([*place, _list_asked()])).decode().rstrip("=")


def _list_asked() -> str:
    """What tells the list asked for from any other: its clinic, address and filters."""
    filters = sorted(held for held in request.args.items() if held[0] not in ("cursor", "limit"))
    told = f"{principal().clinic_id} {request.path} {urlencode(filters)}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def from_cursor(
    cursor: str | None, kinds: tuple[Callable[[object], Any], ...]
) -> tuple[Any, ...] | None:
    """The place behind a cursor; raises InvalidQueryError for one this list did not give."""
    if cursor is None:
        return None
    try:
        *place, asked = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        known = tuple(kind(part) for kind, part in zip(kinds, place, strict=True))
    except (ValueError, TypeError) as wrong:
        raise InvalidQueryError({"cursor": _NO_CURSOR}) from wrong
    if asked != _list_asked():
        raise InvalidQueryError({"cursor": _NO_CURSOR})
    return known


_NO_CURSOR = "Is not one this list gave; start without it, or ask with the same filters."


def next_link(cursor: str | None) -> dict[str, str]:
    """The Link header to the next page, if there is one."""
    if cursor is None:
        return {}
    query = {name: held for name, held in request.args.items() if name != "cursor"}
    return {"Link": f'<{request.path}?{urlencode({**query, "cursor": cursor})}>; rel="next"'}


def wanted_format(*offered: str) -> str:
    """The best of the offered media types for the caller's Accept header; the first by default."""
    given = request.headers.get("Accept", "").strip()
    if given in offered or not given:
        return given or offered[0]
    best = request.accept_mimetypes.best_match(offered)
    if best is None:
        raise NotAcceptableError(f"Offered here are: {', '.join(offered)}.")
    return best
