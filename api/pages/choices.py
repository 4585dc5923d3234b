"""What a form's references can be chosen from: the plan's own things, by kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api.pages import changes, words
from api.pages.language import say

_GROUPS: dict[str, tuple[str, str]] = {
    "goal": ("goals", "goal_id"),
    "intervention": ("interventions", "intervention_id"),
    "concern": ("concerns", "concern_id"),
    "life_event": ("life_events", "life_event_id"),
    "practice": ("practice", "practice_id"),
    "consent": ("consents", "consent_id"),
    "DiscomfortVoiced": ("discomforts", "entry_id"),
    "ResistanceNoted": ("resistances", "entry_id"),
    "PlateauNoted": ("plateaus", "entry_id"),
    "MismatchRaised": ("mismatches", "entry_id"),
    "SafetyConcernNoted": ("safety_concerns", "entry_id"),
}
"""Kind of thing → its group in the plan's document, and its id there."""
_DONE = frozenset({"answered", "resolved", "eased", "revoked"})


def of_plan(plan: Mapping[str, Any], people: Mapping[str, str]) -> dict[str, list[tuple[str, str]]]:
    """Everything in the plan that an entry can be about; what is still open first."""
    found = {kind: [*_named(plan.get(group) or (), key)] for kind, (group, key) in _GROUPS.items()}
    found["objective"] = [
        (step["objective_id"], step["text"])
        for goal in plan["goals"]
        for step in goal["objectives"]
    ]
    found["review"] = [
        (held["review_id"], f"{words.label(held['kind'])}, {held['due_on']}")
        for held in plan["reviews"]["scheduled"]
        if held["status"] == "scheduled"
    ]
    found["answers_entry_ids"] = [
        *_open(plan["relapses"], say("Relapse")),
        *_open(plan["safety_concerns"], say("Safety concern")),
    ]
    found["member"] = sorted(people.items(), key=lambda held: held[1])
    return found


def _open(things: Any, kind: str) -> Iterator[tuple[str, str]]:
    """What a review can answer."""
    for held in things:
        if held["status"] == "open":
            yield held["entry_id"], f"{kind}: {changes.says(held)}"


def _named(things: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(things, dict):  # shown by id, without it inside
        things = [{key: held_id, **held} for held_id, held in things.items()]
    for held in sorted(things, key=lambda thing: thing.get("status") in _DONE):
        status = held.get("status", "active")
        told = changes.says(held) or "…"
        plain = status in ("active", "open", "given", "present")
        yield held[key], told if plain else f"{told} ({words.label(status).lower()})"


def of_entries(entries: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Entries, newest first, as one finds them again."""
    return [
        (
            held["entry_id"],
            f"{held['version']} · {held['occurred_at'][:10]} · {held['sentence'][:90]}",
        )
        for held in entries
    ]
