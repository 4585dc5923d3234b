"""What was typed into a form: as JSON for the API's schemas, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from api.pages.forms import Typed
from api.pages.given import zone_of
from api.pages.language import say
from api.schemas import given_fields
from domain.fields import DurationRule, Field, New


def read(cls: type, typed: Typed, prefix: str) -> dict[str, Any]:
    """What was typed, as the JSON an API caller would send; what is empty is left out."""
    found = {}
    for held in given_fields(cls):
        given = _given(held, typed, f"{prefix}.{held.key}")
        if given not in (None, [], {}):
            found[held.key] = given
        elif held.nested and held.required and not held.many:
            found[held.key] = {}
    return found


def _given(declared: Field, typed: Typed, name: str) -> Any:
    values = [held.strip() for held in typed.get(name, ())]
    if declared.nested and declared.many:
        rows = sorted({int(row) for row in _rows_of(typed, name)})
        groups = (read(declared.type, typed, f"{name}.{row}") for row in rows)
        return [group for group in groups if group]
    if declared.nested:
        group = read(declared.type, typed, name)
        return group if group or declared.required else None
    if declared.link and declared.many:
        return [held for held in values if held]
    if declared.many:
        return [held.strip() for text in values for held in text.splitlines() if held.strip()]
    return as_json(declared, values[0], typed) if values and values[0] else None


def _rows_of(typed: Typed, name: str) -> Iterator[str]:
    for key in typed:
        row = key[len(name) + 1 :].partition(".")[0] if key.startswith(f"{name}.") else ""
        if row.isdecimal():
            yield row


def as_json(declared: Field, text: str, typed: Typed) -> Any:
    """A typed text as JSON; what cannot be read stays as it is, for the schema to refuse."""
    if declared.type is bool:
        return {"yes": True, "no": False}.get(text, text)
    if any(isinstance(rule, DurationRule) for rule in declared.rules):
        return _duration(text)
    if declared.type in (int, float):
        try:
            number = float(text.replace(",", "."))
        except ValueError:
            return text
        return int(number) if number.is_integer() else number
    return moment_of(text, typed) if declared.type is datetime else text


def _duration(text: str) -> str:
    """``2 months`` as ISO 8601; what is written so already stays."""
    spoken = re.fullmatch(r"(\d{1,4})\s*(day|week|month|year)s?", text.lower())
    return f"P{spoken[1]}{spoken[2][0].upper()}" if spoken else text.upper()


def moment_of(text: str, typed: Typed) -> str:
    """A moment from a control (local time, no zone) in the zone the browser told; UTC without."""
    try:
        held = datetime.fromisoformat(text)
    except ValueError:
        return text
    zone = zone_of((typed.get("zone") or ["UTC"])[0])
    aware = held if held.tzinfo else held.replace(tzinfo=zone)
    return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")


def flatten(data: Mapping[str, Any], prefix: str) -> dict[str, list[str]]:
    """JSON as what would have been typed: the way back, for corrections and defaults."""
    found: dict[str, list[str]] = {}
    for key, held in data.items():
        name = f"{prefix}.{key}"
        if isinstance(held, Mapping):
            found.update(flatten(held, name))
        elif isinstance(held, list) and held and isinstance(held[0], Mapping):
            for number, group in enumerate(held):
                found.update(flatten(group, f"{name}.{number}"))
        elif isinstance(held, list):
            found[name] = [str(item) for item in held]
        elif held is not None:
            found[name] = [
                {True: "yes", False: "no"}[held] if isinstance(held, bool) else str(held)
            ]
    return found


def joined(cls: type, found: dict[str, list[str]], prefix: str) -> dict[str, list[str]]:
    """Lists of texts go into one control, a line each."""
    for held in given_fields(cls):
        name = f"{prefix}.{held.key}"
        if held.many and not held.nested and not held.link and name in found:
            found[name] = ["\n".join(found[name])]
    return found


def fresh_ids(cls: type, prefix: str) -> dict[str, list[str]]:
    """Ids for what an entry brings into the plan, so that later entries of the form can name it."""
    found: dict[str, list[str]] = {}
    for held in given_fields(cls):
        if isinstance(held.link, New):
            found[f"{prefix}.{held.key}"] = [str(uuid4())]
        elif held.nested and not held.many:
            found.update(fresh_ids(held.type, f"{prefix}.{held.key}"))
    return found


def new_things(cls: type, typed: Typed, prefix: str) -> Iterable[tuple[str, str, str]]:
    """(kind, id, name) of what an entry of the form will bring into the plan."""
    for held in given_fields(cls):
        name = f"{prefix}.{held.key}"
        if isinstance(held.link, New) and typed.get(name):
            yield held.link.kind, typed[name][0], _named(typed, prefix)
        elif held.nested and not held.many:
            yield from new_things(held.type, typed, name)


def _named(typed: Typed, prefix: str) -> str:
    for key in (
        "statement",
        "technique",
        "description",
        "task",
        "summary",
        "text",
        "scope",
        "name",
    ):
        held = typed.get(f"{prefix}.{key}")
        if held and held[0].strip():
            return say("{} (new)").format(held[0].strip()[:70])
    return say("The one above (new)")
