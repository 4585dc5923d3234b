"""Reading requests strictly: JSON without surprises, queries without unknown parameters."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any, NoReturn

from flask import Request, request
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser

from api.errors import (
    InvalidQueryError,
    MalformedRequestError,
    UnsupportedMediaTypeError,
    pointers,
)
from domain.errors import InvalidDataError, Problem

DEPTH = 20
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def strict_json(body: bytes) -> Any:
    """The JSON value of ``body``; refuses duplicate keys, NaN, too deep nesting, broken text.

    Raises MalformedRequestError, saying what to mend.
    """
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant
        )
    except UnicodeDecodeError as broken:
        raise MalformedRequestError("The body is not UTF-8; encode it so.") from broken
    except RecursionError as deep:
        raise MalformedRequestError(_TOO_DEEP) from deep
    except ValueError as broken:
        where = f" (line {broken.lineno}, column {broken.colno})" if isinstance(broken, json.JSONDecodeError) else ""
        said = broken.msg if isinstance(broken, json.JSONDecodeError) else "a number is too long"
        raise MalformedRequestError(f"The body is not JSON: {said}{where}.") from broken
    _check(value, 1)
    return value


_TOO_DEEP = f"The body is nested more than {DEPTH} levels deep; flatten it."


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedRequestError(f"The key “{twice[:60]}” stands twice in one object.")
    return made


def _no_constant(name: str) -> NoReturn:
    raise MalformedRequestError(f"{name} is not JSON; send a number or null.")


def _check(value: Any, depth: int) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict | list):
        if depth > DEPTH:
            raise MalformedRequestError(_TOO_DEEP)
        for held in value:
            _check(held, depth + 1)
        for held in value.values() if isinstance(value, dict) else ():
            _check(held, depth + 1)


def _check_text(text: str) -> None:
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text if letter > "\ud7ff"):
        raise MalformedRequestError(
            "A text holds a NUL character or a lone surrogate; remove it."
        )


def moment(text: str) -> datetime:
    """An RFC 3339 moment as aware UTC; raises ValueError with what to do about it."""
    if not _MOMENT.fullmatch(text):
        raise ValueError("Must be a moment with its offset, such as 2026-03-31T09:30:00Z.")
    try:
        return datetime.fromisoformat(text.upper().replace(" ", "T")).astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise ValueError("There is no such moment; check day, month and time.") from wrong


class StrictParser(FlaskParser):  # type: ignore[type-arg] # generic over Flask's request only in its stubs
    """webargs, strictly: unknown query parameters are refused, bodies go through ``strict_json``."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"query": RAISE, "json": None}  # noqa: RUF012 - webargs' own name and type

    def load_json(self, req: Request, schema: Schema) -> Any:  # noqa: ARG002 - webargs' signature
        """The body as JSON."""
        if req.mimetype != "application/json":
            raise UnsupportedMediaTypeError("Send JSON with Content-Type: application/json.")
        value = strict_json(req.get_data())
        if not isinstance(value, dict):
            raise MalformedRequestError("The body must be a JSON object.")
        return value

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """The query; a parameter given twice is refused."""
        for name, held in req.args.lists():
            if len(held) > 1:
                raise InvalidQueryError({name: "Stands twice; give it once."})
            for text in (name, *held):
                _check_text(text)
        return super().load_querystring(req, schema)

    def handle_error(
        self,
        error: ValidationError,
        req: Request,  # noqa: ARG002 - webargs' signature
        schema: Schema,
        *,
        error_status_code: int | None,  # noqa: ARG002 - as above
        error_headers: Any,  # noqa: ARG002 - as above
    ) -> NoReturn:
        """Refuse with every field or parameter at fault."""
        messages: dict[str, Any] = error.messages  # type: ignore[assignment] # webargs nests them by location
        if "query" in messages:
            known = ", ".join(sorted(schema.fields)) or "none"
            said = {
                name: f"Is not known here; known are: {known}." if _unknown(held) else " ".join(
                    detail for _, detail in pointers(held)
                )
                for name, held in messages["query"].items()
            }
            raise InvalidQueryError(said)
        found = [Problem(place, detail) for place, detail in pointers(messages.get("json", messages))]
        raise InvalidDataError(found)


def _unknown(held: Any) -> bool:
    return held == ["Unknown field."]


def digest_of_request() -> bytes:
    """SHA-256 of what makes two requests the same: method, path and body."""


    told = f"{request.method} {request.path}\n".encode() + request.get_data()
    return hashlib.sha256(told).digest()
