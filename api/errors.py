"""Refusals as RFC 9457 problems. The only place that knows status codes."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

import orjson
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from api.fhir.outcome import BASE, FHIR_JSON, operation_outcome
from domain.errors import PlanHistoryError
from domain.fields import plain_moment

log = logging.getLogger("plan_history.api")
PROBLEM = "application/problem+json"

STATUS: dict[str, int] = {
    "invalid-data": 422,
    "unknown-entry-type": 422,
    "unknown-reference": 422,
    "duplicate-id": 422,
    "reason-required": 422,
    "occurred-in-future": 422,
    "circular-reference": 422,
    "impossible-transition": 409,
    "plan-closed": 409,
    "has-dependents": 409,
    "plan-already-open": 409,
    "recorded-elsewhere": 422,
    "approval-required": 409,
    "change-not-possible": 409,
    "proposal-not-found": 404,
    "not-yours": 403,
    "plan-not-found": 404,
    "moment-not-found": 404,
    "entry-not-found": 404,
    "resource-not-found": 404,
    "unknown-clinic": 404,
    "plan-erased": 410,
    "kept-unsealed": 409,
    "retention": 409,
    "key-missing": 503,
    "store-unavailable": 503,
    "not-yet-visible": 503,
    "beyond-the-log": 404,
    "not-sealed-yet": 404,
    "tile-not-found": 404,
    "beyond-the-tree": 404,
    "too-many-readers": 503,
    "unknown-place": 400,
    "webhook-not-found": 404,
    "target-refused": 422,
    "plan-changed": 412,
    "precondition-required": 428,
    "idempotency-key-reused": 422,
    "not-a-rehearsal": 422,
    "not-signed-in": 401,
    "issuer-unavailable": 503,
    "quota-exceeded": 429,
    "not-allowed": 403,
    "malformed-request": 400,
    "invalid-query": 400,
    "unsupported-media-type": 415,
    "not-acceptable": 406,
}
"""Every published code and its status. A conflict without If-Match is a 409."""


class MalformedRequestError(PlanHistoryError):
    """The request cannot be read."""

    code = "malformed-request"
    title = "The request cannot be read"


class InvalidQueryError(PlanHistoryError):
    """A query parameter or header is unknown or malformed."""

    code = "invalid-query"
    title = "A parameter needs another look"

    def __init__(self, parameters: Mapping[str, str]) -> None:
        said = "; ".join(f"{name}: {detail}" for name, detail in parameters.items())
        super().__init__(said)
        self.parameters = dict(parameters)


class UnsupportedMediaTypeError(PlanHistoryError):
    """The body is not JSON."""

    code = "unsupported-media-type"
    title = "Send JSON"


class NotAcceptableError(PlanHistoryError):
    """The answer cannot be given in the format asked for."""

    code = "not-acceptable"
    title = "That format is not offered here"


def register(app: Flask) -> None:
    """Let every failure of ``app`` leave as a problem."""
    app.register_error_handler(PlanHistoryError, _refused)
    app.register_error_handler(HTTPException, http_problem)
    app.register_error_handler(Exception, _unexpected)


def status_of(refused: PlanHistoryError) -> int:
    """The status a refusal is answered with."""
    if refused.code == "plan-changed" and "If-Match" not in request.headers:
        return 409
    return STATUS.get(refused.code, 422)


def _refused(refused: PlanHistoryError) -> Response:
    status = status_of(refused)
    answer = _problem(status, refused.code, refused.title, refused.detail, _facts(refused))
    if status == HTTPStatus.SERVICE_UNAVAILABLE or refused.code == "not-sealed-yet":
        answer.headers["Retry-After"] = "1"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        answer.headers["Retry-After"] = str(refused.facts["retry_after"])
    if status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="plan-history"'
    return answer


def _facts(refused: PlanHistoryError) -> dict[str, Any]:
    facts: dict[str, Any] = {
        name: _plain(held) for name, held in refused.facts.items() if name not in ("seen", "stale")
    }
    if isinstance(refused, InvalidQueryError):
        facts["errors"] = [
            {"parameter": name, "detail": detail} for name, detail in refused.parameters.items()
        ]
    elif refused.problems:
        facts["errors"] = [{"pointer": p.pointer, "detail": p.detail} for p in refused.problems]
    return facts


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(held) for held in value]
    if isinstance(value, datetime):
        return plain_moment(value)
    return str(value) if isinstance(value, UUID | date) else value


def http_problem(failed: HTTPException) -> Response:
    """What the framework refuses, as a problem."""
    status = failed.code or 500
    code, detail = _HTTP.get(status, (f"http-{status}", str(failed.description)))
    answer = _problem(status, code, failed.name, detail)
    for name, value in failed.get_headers():
        if name.lower() in ("allow", "retry-after", "location"):
            answer.headers[name] = value
    return answer


_HTTP = {
    400: ("malformed-request", "The request cannot be read; check its syntax."),
    404: ("not-found", "There is nothing at this address; /docs lists every route."),
    405: ("method-not-allowed", "This address does not take that method; see the Allow header."),
    408: ("request-timeout", "The request did not arrive in time; send it again."),
    413: ("too-large", "The body is larger than 1 MiB; record fewer entries at once."),
    415: ("unsupported-media-type", "Send JSON with Content-Type: application/json."),
}


def log_unexpected(failed: Exception) -> None:
    """Something nobody foresaw: the log says what kind and where, never what it was about."""
    place = failed.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_qualname}:{place.tb_lineno}" if place else "?"
    log.error("request %s failed: %s in %s", g.get("request_id"), type(failed).__name__, where)


def _unexpected(failed: Exception) -> Response:
    log_unexpected(failed)
    detail = "Something went wrong on our side; tell the operator the request_id."
    return _problem(500, "internal-error", "Something went wrong", detail)


def _problem(
    status: int, code: str, title: str, detail: str, facts: Mapping[str, Any] | None = None
) -> Response:
    body = {
        **(facts or {}),  # first: a fact never takes the place of what every problem says
        "type": f"urn:plan-history:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "request_id": g.get("request_id"),
        "code": code,
    }
    if request.path.startswith(f"{BASE}/"):
        return Response(orjson.dumps(operation_outcome(body)), status, content_type=FHIR_JSON)
    return Response(orjson.dumps(body), status, content_type=PROBLEM)


def pointers(messages: object, pointer: str = "") -> Iterator[tuple[str, str]]:
    """(JSON pointer, detail) of every message in marshmallow's tree of messages."""
    if isinstance(messages, str):
        yield pointer, messages
    elif isinstance(messages, Mapping):
        for key, held in messages.items():
            yield from pointers(held, pointer if key == "_schema" else below(pointer, key))
    elif isinstance(messages, list | tuple):
        for held in messages:
            yield from pointers(held, pointer)


def below(pointer: str, key: object) -> str:
    """The JSON pointer (RFC 6901) of what ``pointer`` holds under ``key``."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
