"""What changed in a plan, in words: a path of the diff becomes a thing and its field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from types import MappingProxyType
from typing import Any

from api.pages import words
from api.pages.language import count_of, say
from api.pages.wording import FOR_STAFF, Wording
from domain.trace import Change, id_of

_SILENT = frozenset(
    {
        "at", "since", "status_since", "focus_since", "changed_at", "by", "entry_id", "version",
        "last_material_version", "last_material_at", "current", "unit", "smart", "suggestions",
        "touched", "of_version", "start_on",
    }
)  # fmt: skip
"""Fields that only follow from what is told anyway."""
_NESTED = frozenset({"reviews", "signatures"})
"""Sections whose groups are named, not they themselves."""
_SAYS = (
    "statement", "technique", "description", "task", "what_resurfaced", "summary", "what", "words",
    "text", "skill", "about", "concern", "scope", "dimension", "expectation", "instrument", "area",
    "recipient", "basis", "for", "how", "label", "working", "insight", "meaning", "kind",
)  # fmt: skip
"""The fields that say what a thing is, the best first."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_PERIOD = re.compile(r"P(\d+)([DWMY])", re.ASCII)


def told(
    changes: Sequence[Change], *documents: dict[str, Any], wording: Wording = FOR_STAFF
) -> list[dict[str, Any]]:
    """The changes worth telling: ``thing``, ``field``, ``kind``, ``before``, ``after``, ``entries``.

    ``documents``: the plan at the moments that are compared, for the names of what is in it.
    """
    names = _names(documents)
    return [one for change in changes if (one := _told(change, names, wording))]


def _told(change: Change, names: Mapping[str, str], wording: Wording) -> dict[str, Any] | None:
    """A change in words; None when it only follows from what is told anyway."""
    path = change.path.split("/")[1:]
    path = path[1:] if path[0] in _NESTED and len(path) > 1 else path
    if path[-1] in _SILENT or "smart" in path or "suggestions" in path:
        return None
    whole = change.before if isinstance(change.before, dict) else change.after
    is_whole = isinstance(whole, dict)
    group = wording.things.get(path[0], "")
    named = names.get(path[1], "") if group and len(path) > 1 else ""
    named = named or (says(whole) if is_whole else "")
    before, after = plain(change.before, names), plain(change.after, names)
    if not (is_whole or before or after):
        return None
    return {
        "thing": f"{group}: {named}" if group and named else named or group,
        "field": "" if is_whole and (named or group) else words.label(_field(path, wording)),
        "kind": change.kind,
        "before": before,
        "after": after,
        "entries": change.entries,
    }


def _names(documents: Iterable[dict[str, Any]]) -> dict[str, str]:
    """What everything in a plan is called, by its id or, where a group goes by words, by its word."""
    found: dict[str, str] = {}
    for document in documents:
        nested = [document.get(name, {}) for name in _NESTED]
        for group in [held for part in (document, *nested) for held in part.values()]:
            if isinstance(group, dict):
                found.update(
                    {key: says(one) for key, one in group.items() if isinstance(one, dict)}
                )
            elif isinstance(group, list):
                found.update({held: says(one) for one in group if (held := id_of(one))})
    return found


def grouped(told: Sequence[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The changes by the thing they are about, so that it is named once."""
    return [(thing, [*held]) for thing, held in groupby(told, key=lambda one: one["thing"])]


def _field(path: Sequence[str], wording: Wording) -> str:
    """The field's name; what says nothing alone takes what stands before it along."""
    if path[-1] in words.PLAINLY:
        return words.PLAINLY[path[-1]]
    above = path[-2] if len(path) > 1 else ""
    if path[-1] in ("value", "answer", "words", "status") and above in wording.above:
        return wording.above[above]
    return path[-1]


def says(thing: dict[str, Any]) -> str:
    """A thing of the plan in a few words."""
    for name in _SAYS:
        if isinstance(thing.get(name), str):
            text = _text(" ".join(thing[name].split()))
            return text if len(text) < 80 else text[:78].rstrip() + "…"
    return ""


def plain(value: Any, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """A value in a few words, an id as the name of what it stands for; nothing for nothing."""
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, float | int):
        return words.number(value)
    if isinstance(value, list):
        return ", ".join(filter(None, (plain(held, names) for held in value)))
    if isinstance(value, dict):
        return says(value)
    if isinstance(value, str) and _ID.fullmatch(value):
        return names.get(value, "")
    return _text(str(value)) if value is not None else ""


def _text(text: str) -> str:
    """A day, a period or a word of the vocabulary as people write it; any other text as it is."""
    if _DAY.fullmatch(text[:10]) and text[10:11] in ("", "T"):
        return words.spoken(date.fromisoformat(text[:10]))
    if spoken := _PERIOD.fullmatch(text):
        return count_of(int(spoken[1]), *words.PERIODS[spoken[2]])
    return words.label(text) if text.isidentifier() and text.islower() else text


def touched(changes: Sequence[Change]) -> set[str]:
    """The ids of the things that changed, to point them out in the plan."""
    return set(_ids(changes))


def _ids(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        yield from change.path.split("/")[1:3]
