"""What a FHIR request asks for: search parameters, counts, formats; refused where it is not understood."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import request
from werkzeug.datastructures import MultiDict

from api.conventions import JSON, from_cursor, wanted_format
from api.errors import (
    InvalidQueryError,
    MalformedRequestError,
    NotAcceptableError,
    UnsupportedMediaTypeError,
)
from api.fhir.outcome import FHIR_JSON
from api.parsing import check_parameter
from api.queries import uuid_part, whole_part
from service.fhir.parameters import INCLUDES, PARAMETERS, Parameter
from service.fhir.search import Criterion, Wanted

MOST = 200
FORM = "application/x-www-form-urlencoded"
_COUNT = re.compile(r"[1-9]\d{0,8}", re.ASCII)
_UPDATED = Parameter("date", ("meta.lastUpdated",))
_COMMON = ("_id", "_lastUpdated", "_count", "_include", "_format", "cursor")
_FORMATS = ("json", JSON, FHIR_JSON, "application/fhir json")


class NoFormError(UnsupportedMediaTypeError):
    """The body of a search is no form."""

    title = "Send a form"


def negotiate() -> None:
    """Refuse whoever wants anything but JSON."""
    asked = [value for name, value in pairs() if name == "_format"]
    if any(value not in _FORMATS for value in asked):
        raise NotAcceptableError(f"Offered here is {FHIR_JSON} alone.")
    if not asked:
        wanted_format(FHIR_JSON, JSON)


def only_format() -> None:
    """Refuse any parameter but the format."""
    for name in request.args:
        if name != "_format":
            raise InvalidQueryError({name[:60]: "Is not known here; known is: _format."})


def pairs() -> list[tuple[str, str]]:
    """What was asked, in its order, from the query or a posted form; nothing of it is passed over.

    Raises NoFormError or MalformedRequestError for a body that cannot be read, InvalidQueryError, naming
    the parameter, for broken text and for a value that is empty.
    """
    asked = [
        (name, held)
        for source in (request.args, _form())
        for name, values in source.lists()
        for held in values
    ]
    for name, value in asked:
        check_parameter(name, value)
        if not all(value.split(",")):
            raise InvalidQueryError({name[:60]: "Has an empty value; give one, or leave it out."})
    return asked


def _form() -> MultiDict[str, str]:
    """The posted form. A body that cannot be read is refused: Flask takes it for an empty one."""
    if request.method != "POST":
        return MultiDict()
    body = request.get_data()
    if request.mimetype != FORM and (body or request.mimetype):
        raise NoFormError(f"Send parameters as a form with Content-Type: {FORM}.")
    try:
        body.decode()
    except UnicodeDecodeError as broken:
        raise MalformedRequestError("The form is not UTF-8; encode it so.") from broken
    return request.form


def once(asked: Sequence[tuple[str, str]], *names: str) -> dict[str, str]:
    """The parameters by name; raises InvalidQueryError if one of ``names`` stands twice."""
    for name in names:
        if [held for held, _ in asked].count(name) > 1:
            raise InvalidQueryError({name: "Stands twice; give it once."})
    return dict(asked)


def as_answered(asked: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """What was asked as it is answered: with no more at once than there is."""
    return [(name, str(count(held)) if name == "_count" else held) for name, held in asked]


def wanted(kind: str, asked: Sequence[tuple[str, str]]) -> Wanted:
    """The search that was asked for; raises InvalidQueryError, naming the parameter."""
    known = PARAMETERS.get(kind, {})
    criteria: list[Criterion] = []
    ids: list[str] = []
    include: list[str] = []
    for name, value in asked:
        values = tuple(value.split(","))
        if name == "_id":
            ids += values
        elif name == "_include":
            include.append(_include(kind, value))
        elif name in known or name == "_lastUpdated":
            criteria.append(Criterion(name, known.get(name, _UPDATED), values))
        elif name not in _COMMON:
            told = ", ".join([*sorted(known), *_COMMON])
            raise InvalidQueryError({name[:60]: f"Is not known here; known are: {told}."})
    for criterion in criteria:
        _check(criterion)
    single = once(asked, "_count", "cursor")
    if kind == "Practitioner" and not ids:
        raise InvalidQueryError({"_id": "Practitioners are found by _id alone; give it."})
    return Wanted(
        kind,
        criteria,
        frozenset(ids),
        include,
        count(single.get("_count")),
        from_cursor(single.get("cursor"), (uuid_part, whole_part)),
    )


def _check(criterion: Criterion) -> None:
    try:
        criterion.check()
    except ValueError as wrong:
        raise InvalidQueryError({criterion.name: str(wrong)}) from wrong


def _include(kind: str, value: str) -> str:
    source, _, name = value.partition(":")
    known = INCLUDES.get(kind, {})
    if source != kind or name.partition(":")[0] not in known:
        told = ", ".join(f"{kind}:{held}" for held in known) or "none"
        raise InvalidQueryError({"_include": f"Is not known here; known are: {told}."})
    return name.partition(":")[0]


def count(given: str | None) -> int:
    """How many to answer with: more than ``MOST`` is taken for ``MOST``."""
    if given is None:
        return 50
    if not _COUNT.fullmatch(given):
        raise InvalidQueryError({"_count": "Must be a whole number from 1."})
    return min(int(given), MOST)


def history_asked() -> tuple[int, int | None]:
    """How many versions, and before which."""
    asked = once(pairs(), "_count", "before")
    for name in asked:
        if name not in ("_count", "_format", "before"):
            raise InvalidQueryError({name[:60]: "Is not known here; known are: _count, before."})
    before = asked.get("before")
    if before is not None and not _COUNT.fullmatch(before):
        raise InvalidQueryError({"before": "Must be a version."})
    return count(asked.get("_count")), int(before) if before else None
