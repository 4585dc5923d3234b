"""What a FHIR request asks for: search parameters, counts, formats; refused where it is not understood."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask import request

from api.conventions import JSON, from_cursor, wanted_format
from api.errors import InvalidQueryError, NotAcceptableError
from api.fhir.outcome import FHIR_JSON
from api.queries import uuid_part, whole_part
from service.fhir.parameters import INCLUDES, PARAMETERS, Parameter
from service.fhir.search import Criterion, Wanted

MOST = 200
_COUNT = re.compile(r"[1-9]\d{0,8}", re.ASCII)
_UPDATED = Parameter("date", ("meta.lastUpdated",))
_COMMON = ("_id", "_lastUpdated", "_count", "_include", "_format", "cursor")
_FORMATS = ("json", JSON, FHIR_JSON, "application/fhir json")


def negotiate() -> None:
    """Refuse whoever wants anything but JSON."""
    asked = request.args.get("_format")
    if asked is not None and asked not in _FORMATS:
        raise NotAcceptableError(f"Offered here is {FHIR_JSON} alone.")
    if asked is None:
        wanted_format(FHIR_JSON, JSON)


def only_format() -> None:
    """Refuse any parameter but the format."""
    for name in request.args:
        if name != "_format":
            raise InvalidQueryError({name[:60]: "Is not known here; known is: _format."})


def pairs() -> list[tuple[str, str]]:
    """What was asked, in its order, from the query or a posted form."""
    return [
        (name, held)
        for source in (request.args, request.form)
        for name, values in source.lists()
        for held in values
    ]


def wanted(kind: str, asked: Sequence[tuple[str, str]]) -> Wanted:
    """The search that was asked for; raises InvalidQueryError, naming the parameter."""
    known = PARAMETERS.get(kind, {})
    criteria: list[Criterion] = []
    ids: list[str] = []
    include: list[str] = []
    for name, value in asked:
        values = tuple(filter(None, value.split(",")))
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
    single = dict(asked)
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
    """How many to answer with, at most ``MOST``."""
    if given is None:
        return 50
    if not _COUNT.fullmatch(given):
        raise InvalidQueryError({"_count": "Must be a whole number from 1."})
    return min(int(given), MOST)


def history_asked() -> tuple[int, int | None]:
    """How many versions, and before which."""
    for name in request.args:
        if name not in ("_count", "_format", "before"):
            raise InvalidQueryError({name[:60]: "Is not known here; known are: _count, before."})
    before: Any = request.args.get("before")
    if before is not None and not _COUNT.fullmatch(before):
        raise InvalidQueryError({"before": "Must be a version."})
    return count(request.args.get("_count")), int(before) if before else None
