"""The component that describes a plan's document, derived from what an empty plan's state shows."""

from __future__ import annotations

from typing import Any

from api.schemas import MOMENT_FORMAT, UUID_FORMAT
from domain.state import PlanState
from service.finding import STATUSES

VERSION: dict[str, Any] = {"type": "integer", "minimum": 1}
SURELY: dict[str, Any] = {
    "plan_id": UUID_FORMAT,
    "version": VERSION,
    "position": {"type": "integer", "minimum": 0},
    "status": {"type": "string", "enum": list(STATUSES)},
    "opened_at": MOMENT_FORMAT,
    "therapist_id": UUID_FORMAT,
    "obligations": {"type": "array", "items": {"type": "object"}},
}
"""What is known of the fields that every plan has filled in, and of those around its state."""


def plan_component() -> dict[str, Any]:
    """The JSON Schema of a plan: everything its state shows, and the trace when it was asked for."""
    shown = {name: _described(held) for name, held in PlanState().document().items()}
    lists = {
        name: {"type": "array", "items": {"type": "object"}} for name in shown if _many(shown[name])
    }
    pointers = {"type": "object", "additionalProperties": VERSION}
    entries = {**pointers, "description": "JSON pointer → version; with `trace=true`."}
    known = {**shown, **lists, **SURELY}
    return {
        "type": "object",
        "properties": {**known, "entries": entries},
        "required": list(known),
    }


def _many(described: dict[str, Any]) -> bool:
    return described.get("type") == "array"


def _described(held: object) -> dict[str, Any]:
    """What can be told from an empty plan: which fields a group has, and what is a list."""
    if isinstance(held, list):
        return {"type": "array"}
    if not isinstance(held, dict):
        return {}
    if not held:  # things by their key
        return {"type": "object", "additionalProperties": {"type": "object"}}
    fields = {name: _described(value) for name, value in held.items()}
    return {"type": "object", "properties": fields, "required": list(fields)}
