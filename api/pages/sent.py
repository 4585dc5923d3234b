"""What a sheet of entries sent: mended where it was tampered with, loaded as an API caller's would be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import uuid4

import orjson
from flask import request
from marshmallow import Schema, ValidationError

from api.errors import pointers
from api.pages.sheet import Held, entries_of, first
from api.pages.typed import moment_of, read
from api.plans import EntriesSchema
from api.schemas import given_fields
from domain.entry import TYPES, EntryData
from domain.errors import InvalidDataError, PlanHistoryError, Problem
from domain.record import EntryCorrected
from service.errors import KeyReusedError, PlanChangedError
from service.plans import Draft, Request

_KEY = re.compile(r"[0-9a-f-]{36}", re.ASCII)
Types = Mapping[str, type[EntryData]]


def sent_form(types: Types = TYPES) -> Held:
    """What the form sent; entries of a type there is not are left out."""
    sent = {name: request.form.getlist(name) for name in request.form if name != "csrf"}
    return mended(sent, types)


def mended(typed: Held, types: Types = TYPES) -> Held:
    """A form or draft that can be shown: without entries of no known type, with a key and what was seen."""
    gone = {held for held in entries_of(typed) if typed[f"{held}.type"][0] not in types}
    kept = {name: held for name, held in typed.items() if name.partition(".")[0] not in gone}
    return {
        **kept,
        "key": [key_in(first(kept, "key")) or str(uuid4())],
        "seen": [first(kept, "seen")],
    }


def again(typed: Held, refused: PlanHistoryError, version: int) -> None:
    """Make a refused form ready to be sent again, beside what stands at a version.

    What came meanwhile counts as seen once it is shown, which only this refusal does; a slip at a field
    shows nothing of it.
    """
    if isinstance(refused, PlanChangedError):
        typed["seen"] = [str(version)]
    if isinstance(refused, KeyReusedError):
        typed["key"] = [str(uuid4())]


def key_in(text: str) -> str | None:
    """A key that a page of ours made, or None for what is none."""
    return text if _KEY.fullmatch(text) else None


def holds(typed: Held, name: str) -> bool:
    """Whether an entry of that type is on the sheet."""
    return any(typed[f"{prefix}.type"] == [name] for prefix in entries_of(typed))


def next_prefix(typed: Held) -> str:
    """The prefix of the next entry."""
    used = entries_of(typed)
    return f"e{int(used[-1][1:]) + 1 if used else 0}"


def load(
    typed: Held,
    voice: str | None = None,
    *,
    types: Types = TYPES,
    schema: type[Schema] = EntriesSchema,
) -> list[Draft]:
    """The entries of a form, in that voice unless one was chosen.

    Raises InvalidDataError with every field at fault.
    """
    sent = [_as_sent(typed, prefix, voice, types) for prefix in entries_of(typed)]
    try:
        loaded: list[Draft] = schema().load({"entries": sent})["entries"]
    except ValidationError as wrong:
        raise InvalidDataError([Problem(*held) for held in pointers(wrong.messages)]) from wrong
    return loaded


def _as_sent(typed: Held, prefix: str, voice: str | None, types: Types) -> dict[str, Any]:
    """One entry as an API caller would send it."""
    name = typed[f"{prefix}.type"][0]
    cls = types.get(name)
    sent: dict[str, Any] = {"type": name, "data": read(cls, typed, f"{prefix}.data") if cls else {}}
    if cls is EntryCorrected:
        target = types.get(first(typed, f"{prefix}.of"))
        sent["data"]["data"] = _corrected(target, typed, f"{prefix}.data.data") if target else {}
    occurred = first(typed, f"{prefix}.occurred_at") or first(typed, "occurred_at")
    if occurred:
        sent["occurred_at"] = moment_of(occurred, typed)
    if chosen := first(typed, f"{prefix}.voiced_by") or voice:
        sent["voiced_by"] = chosen
    if why := first(typed, f"{prefix}.reason"):
        sent["reason"] = {"text": why}
    return sent


def _corrected(cls: type, typed: Held, prefix: str) -> dict[str, Any]:
    """The fields as they should have been; what was emptied is taken out."""
    gone = {held.key: None for held in given_fields(cls) if held.nullable}
    return {**gone, **read(cls, typed, prefix)}


def request_of(typed: Held) -> Request:
    """Stands for this very form: sent twice it is the same, changed it is another."""
    told = orjson.dumps(typed, option=orjson.OPT_SORT_KEYS)
    seen = first(typed, "seen")
    return Request(
        expected=int(seen) if seen.isdecimal() and len(seen) < 10 else None,
        key=first(typed, "key") or None,
        digest=sha256(b"form " + told).digest(),
    )
