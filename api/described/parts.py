"""What the descriptions are made of."""

from __future__ import annotations

from typing import Any

WHOLE = {"type": "integer", "minimum": 0}
VERSION = {"type": "integer", "minimum": 1}
TEXT = {"type": "string"}
OBJECT = {"type": "object"}
WHY = {"text": "Decided in the team meeting"}
DAY = {"type": "string", "format": "date"}


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def many(schema: dict[str, Any]) -> dict[str, Any]:
    """A list."""
    return {"type": "array", "items": schema}


def group(optional: dict[str, Any] | None = None, **required: Any) -> dict[str, Any]:
    """An object: what it always has, and what it may have."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
    }


def ref(name: str) -> dict[str, str]:
    """A component by its name."""
    return {"$ref": f"#/components/schemas/{name}"}
