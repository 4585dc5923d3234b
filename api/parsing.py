"""Reading requests strictly: JSON without surprises, queries without unknown parameters."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NoReturn

from flask import Request, request
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser

from api.errors import (
    InvalidQueryError,
    MalformedRequestError,
    UnsupportedMediaTypeError,
    below,
    pointers,
)
from domain.errors import InvalidDataError, Problem

DEPTH = 20
MOST_PROBLEMS = 100
"""How many problems one answer names: enough to mend a form, too few to flood a caller."""
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_TOO_DEEP = f"The body is nested more than {DEPTH} levels deep; flatten it."
_BAD_TEXT = "Holds a NUL character or a lone surrogate, which cannot be stored; remove it."


def strict_json(body: bytes) -> object:
    """The JSON value of ``body``; refuses duplicate keys, NaN, too deep nesting, broken text.

    Raises MalformedRequestError, saying what to mend and where.
    """
    try:
        value: object = json.loads(
            body.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant
        )
    except UnicodeDecodeError as broken:
        raise MalformedRequestError("The body is not UTF-8; encode it so.") from broken
    except RecursionError as deep:
        raise MalformedRequestError(_TOO_DEEP) from deep
    except json.JSONDecodeError as broken:
        where = f"line {broken.lineno}, column {broken.colno}"
        raise MalformedRequestError(
            f"The body is not JSON: {broken.msg} ({where}); mend it there."
        ) from broken
    except ValueError as broken:  # Python's own limit on digits
        raise MalformedRequestError("The body holds a number too long to read.") from broken
    _check(value, 1, "")
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        shown = _UNSTORABLE.sub("\ufffd", twice[:60])
        raise MalformedRequestError(f"The key “{shown}” stands twice in one object; keep one.")
    return made


def _no_constant(name: str) -> NoReturn:
    raise MalformedRequestError(f"{name} is not JSON; send a number or null.")


def _check(value: object, depth: int, pointer: str) -> None:
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            raise MalformedRequestError(_BAD_TEXT, pointer)
    elif isinstance(value, dict | list):
        if depth > DEPTH:
            raise MalformedRequestError(_TOO_DEEP, pointer)
        for key, held in value.items() if isinstance(value, dict) else enumerate(value):
            _check(key, depth + 1, pointer)
            _check(held, depth + 1, below(pointer, key))


def moment(text: str) -> datetime:
    """An RFC 3339 moment as aware UTC; raises ValueError with what to do about it."""
    if not _MOMENT.fullmatch(text):
        raise ValueError("Must be a moment with its offset, such as 2026-03-31T09:30:00Z.")
    try:
        return datetime.fromisoformat(text.upper().replace(" ", "T")).astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise ValueError("There is no such moment; check day, month and time.") from wrong


def check_parameter(name: str, value: str) -> None:
    """Refuse a parameter that no text of the record can be like, naming it."""
    if _UNSTORABLE.search(name + value):
        raise InvalidQueryError({_UNSTORABLE.sub("\ufffd", name[:60]): _BAD_TEXT})


class StrictParser(FlaskParser):
    """webargs, strictly: unknown parameters are refused, bodies go through ``strict_json``."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"query": RAISE, "json": None}  # noqa: RUF012 - webargs' own name and type

    def load_json(self, req: Request, schema: Schema) -> dict[str, Any]:
        """The body as a JSON object."""
        if req.mimetype != "application/json":
            raise UnsupportedMediaTypeError("Send JSON with Content-Type: application/json.")
        value = strict_json(req.get_data())
        if not isinstance(value, dict):
            raise MalformedRequestError("The body must be a JSON object; put it in braces.")
        return value

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """The query; a parameter given twice is refused."""
        for name, held in req.args.lists():
            if len(held) > 1:
                raise InvalidQueryError({name[:60]: "Stands twice; give it once."})
            check_parameter(name, held[0])
        return super().load_querystring(req, schema)

    def handle_error(
        self,
        error: ValidationError,
        req: Request,
        schema: Schema,
        *,
        error_status_code: int | None,
        error_headers: Mapping[str, str] | None,
    ) -> NoReturn:
        """Refuse with the fields or parameters at fault."""
        messages: dict[str, Any] = error.messages  # type: ignore[assignment] # webargs nests them by location
        if "query" in messages:
            raise InvalidQueryError(_parameters(messages["query"], schema))
        found = islice(pointers(messages.get("json", messages)), MOST_PROBLEMS)
        raise InvalidDataError([Problem(place, detail) for place, detail in found])


def _parameters(messages: Mapping[str, Any], schema: Schema) -> dict[str, str]:
    """What is wrong with each parameter at fault."""
    known = ", ".join(sorted(held.data_key or name for name, held in schema.fields.items()))
    return {
        name[:60]: f"Is not known here; known are: {known}."
        if held == ["Unknown field."]
        else " ".join(detail for _, detail in pointers(held))
        for name, held in islice(messages.items(), MOST_PROBLEMS)
    }


def digest_of_request() -> bytes:
    """SHA-256 of what makes two requests the same: method, path and body."""
    told = f"{request.method} {request.path}\n".encode() + request.get_data()
    return hashlib.sha256(told).digest()
