"""Where an answer leads: the description's links from what was just made to what can be done with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Held = Mapping[str, str]
"""Path parameters of other routes, and where an answer (or its request) holds their values."""

_PLAN: Held = {"plan_id": "$response.body#/plan_id"}
_THERE: Held = {"plan_id": "$request.path.plan_id"}
_FIRST = "$response.body#/entries/0/entry_id"
LEADS: Mapping[str, tuple[Held, ...]] = {
    "open_plan": (_PLAN,),
    "read_plan": (_THERE,),
    "record_entries": (_THERE, {**_THERE, "entry_id": _FIRST}),
    "take_emergency_access": (_PLAN, {"entry_id": _FIRST}),
    "create_webhook": ({"webhook_id": "$response.body#/webhook_id"},),
}
"""Operation → what its answer is good for: routes that take just these parameters."""
_VERSIONED = frozenset({"open_plan", "read_plan", "record_entries"})
"""The operations whose ETag is a version to record on."""
_PARAMETER = re.compile(r"\{(\w+)\}")


def add_links(paths: Mapping[str, Any]) -> None:
    """Add to the described paths what their answers lead to."""
    known = {held["operationId"]: (path, held) for path, held in _operations(paths)}
    for operation_id, holds in LEADS.items():
        _, source = known[operation_id]
        links = {
            target: _link(operation_id, target, told, held)
            for held in holds
            for target, (path, told) in known.items()
            if target != operation_id and set(_PARAMETER.findall(path)) == set(held)
        }
        status = next(code for code in source["responses"] if code.startswith("2"))
        source["responses"][status]["links"] = links


def _operations(paths: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for path, methods in paths.items():
        for held in methods.values():
            if isinstance(held, dict) and "operationId" in held:
                yield path, held


def _link(source: str, target: str, told: Any, held: Held) -> dict[str, Any]:
    parameters = dict(held)
    takes = {parameter.get("name") for parameter in told.get("parameters", ())}
    if source in _VERSIONED and "If-Match" in takes:
        parameters["header.If-Match"] = "$response.header.ETag"
    return {"operationId": target, "parameters": parameters, "description": told["summary"]}
