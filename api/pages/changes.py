"""What changed in a plan, in words: a path of the diff becomes a thing and its field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from api.pages import words
from domain.trace import Change

_SILENT = frozenset(
    {
        "at", "since", "status_since", "focus_since", "changed_at", "by", "entry_id", "version",
        "last_material_version", "last_material_at", "current", "unit", "smart", "suggestions",
        "touched", "of_version", "start_on",
    }
)  # fmt: skip
"""Fields that only follow from what is told anyway."""
_NAMES: dict[str, str] = {
    "goals": "Goal",
    "interventions": "Intervention",
    "concerns": "Concern",
    "context": "Context",
    "practice": "Practice",
    "discomforts": "Discomfort",
    "feedback": "Feedback",
    "relapses": "Relapse",
    "setbacks": "Setback",
    "plateaus": "Plateau",
    "resistances": "Holding back",
    "life_events": "Life event",
    "safety_concerns": "Safety concern",
    "observations": "Observation",
    "self_reports": "In the client’s words",
    "insights": "Insight",
    "rapport": "Rapport",
    "mismatches": "Mismatch",
    "skills": "Skill",
    "celebrations": "Celebrated",
    "look_backs": "Looking back",
    "strengths": "Strength",
    "preferences": "Preference",
    "expectations": "Expectation",
    "readiness": "Readiness",
    "prior_therapy": "Earlier therapy",
    "scores": "Questionnaire",
    "consents": "Consent",
    "disclosures": "Disclosure",
    "orientation": "Orientation",
    "concern_links": "Linked concerns",
    "emergency_access": "Emergency access",
    "people": "Person",
    "intake": "Intake",
    "signed": "Signature",
    "held": "Review held",
    "scheduled": "Review planned",
    "check_ins": "Check-in",
}
_NESTED = frozenset({"reviews", "signatures"})
"""Sections whose groups are named, not they themselves."""
_SAYS = (
    "statement", "technique", "description", "task", "what_resurfaced", "summary", "what", "words",
    "text", "skill", "about", "concern", "scope", "dimension", "expectation", "instrument", "area",
    "recipient", "basis", "for", "how", "label", "working", "insight", "meaning", "kind",
)  # fmt: skip
"""The fields that say what a thing is, the best first."""
_PLAINLY = {
    "last_formal_at": "last formal review",
    "next_due_on": "next review",
    "due_on": "until",
    "within": "agreed period",
}
_ABOVE = {"latest": "latest value", "client": "client’s word"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_PERIOD = re.compile(r"P(\d+)([DWMY])", re.ASCII)
_UNITS = {"D": "day", "W": "week", "M": "month", "Y": "year"}


def told(
    changes: Sequence[Change], document: dict[str, Any], other: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """The changes worth telling: ``thing``, ``field``, ``kind``, ``before``, ``after``, ``entries``."""
    found = []
    for change in changes:
        path = change.path.split("/")[1:]
        path = path[1:] if path[0] in _NESTED and len(path) > 1 else path
        if path[-1] in _SILENT or "smart" in path or "suggestions" in path:
            continue
        whole = change.before if isinstance(change.before, dict) else change.after
        named = _thing(path, document) or _thing(path, other or {})
        named = named or (says(whole) if isinstance(whole, dict) else "")
        group = _NAMES.get(path[0], "")
        told_whole = isinstance(whole, dict)
        found.append(
            {
                "thing": f"{group}: {named}" if group and named else named or group,
                "field": "" if told_whole and (named or group) else words.label(_field(path)),
                "kind": change.kind,
                "before": plain(change.before),
                "after": plain(change.after),
                "entries": change.entries,
            }
        )
    return found


def grouped(
    told: Sequence[dict[str, Any]], most: int = 14
) -> list[tuple[str, list[dict[str, Any]]]]:
    """The first changes by the thing they are about, so that it is named once."""
    return [(thing, [*held]) for thing, held in groupby(told[:most], key=lambda one: one["thing"])]


def _field(path: Sequence[str]) -> str:
    """The field's name; what says nothing alone takes what stands before it along."""
    if path[-1] in ("last_formal_at", "next_due_on", "due_on", "within"):
        return _PLAINLY[path[-1]]
    above = path[-2] if len(path) > 1 else ""
    if path[-1] in ("value", "answer", "words", "status") and above in _ABOVE:
        return _ABOVE[above]
    return path[-1]


def _thing(path: Sequence[str], document: dict[str, Any]) -> str:
    """What the thing at a path is called."""
    if len(path) < 2 or path[0] not in _NAMES:
        return ""
    inside = (document.get(name, {}) for name in _NESTED)
    group = document.get(path[0]) or next(
        (held[path[0]] for held in inside if path[0] in held), None
    )
    if isinstance(group, dict):
        held = group.get(path[1])
        return says(held) if isinstance(held, dict) else ""
    for item in group or ():
        if isinstance(item, dict) and path[1] in item.values():
            return says(item)
    return ""


def says(thing: dict[str, Any]) -> str:
    """A thing of the plan in a few words."""
    for name in _SAYS:
        if isinstance(thing.get(name), str):
            text = " ".join(thing[name].split())
            return text if len(text) < 80 else text[:78].rstrip() + "…"
    return ""


def plain(value: Any) -> str:
    """A value in a few words; nothing for nothing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float | int):
        return words.number(value)
    if isinstance(value, list):
        return ", ".join(filter(None, map(plain, value)))
    if isinstance(value, dict):
        return says(value)
    return _text(str(value)) if value is not None else ""


def _text(text: str) -> str:
    """A day, a period or a word of the vocabulary as people write it; any other text as it is."""
    if _DAY.fullmatch(text[:10]) and text[10:11] in ("", "T"):
        day = date.fromisoformat(text[:10])
        return f"{day.day} {day:%b %Y}"
    if spoken := _PERIOD.fullmatch(text):
        return words.plural(int(spoken[1]), _UNITS[spoken[2]])
    return words.label(text) if text.isidentifier() and text.islower() else text


def touched(changes: Sequence[Change]) -> set[str]:
    """The ids of the things that changed, to point them out in the plan."""
    return set(_ids(changes))


def _ids(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        yield from change.path.split("/")[1:3]
