"""How the answers of a route are described: status, media types, headers, and the problems it may answer with."""

from __future__ import annotations

from typing import Any

from api.errors import PROBLEM

Described = dict[str, Any]
HEADERS: dict[str, Described] = {
    "ETag": {
        "description": "The version, in quotes: for If-Match and If-None-Match.",
        "schema": {"type": "string", "pattern": '^"\\d+"$'},
    },
    "Location": {
        "description": "Where what was made can be read.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Idempotent-Replay": {
        "description": "There when this request was answered before: it is the same answer.",
        "schema": {"type": "string", "const": "true"},
    },
    "Link": {
        "description": 'With `rel="next"`: where the list goes on.',
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds to wait before trying again.",
        "schema": {"type": "string", "pattern": "^\\d+$"},
    },
}
"""The headers that answers of this API have beside HTTP's own."""
_PAGED = frozenset(
    {"TimelinePage", "PlansFound", "Worklist", "AccessLog", "Deliveries", "CloudEvents"}
)
"""The components of answers that may have a next page."""


def _headers(*names: str) -> Described:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


PROBLEM_ANSWER: Described = {
    "description": "A problem (RFC 9457)",
    "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
LATER: Described = {
    **PROBLEM_ANSWER,
    "description": "Not now: Retry-After says when to try again",
    "headers": _headers("Retry-After"),
}


def answers(
    answer: str,
    status: int,
    media_type: str,
    *,
    media: tuple[str, ...] = (),
    creates: bool = False,
    conditional: bool = False,
    streams: bool = False,
) -> dict[str, Described]:
    """What a route answers, by status; the parameters are those of ``Blueprint._declare``."""
    found: dict[str, Described] = {str(status): {"description": "Done"}, "default": PROBLEM_ANSWER}
    if answer != "nothing":
        found[str(status)]["content"] = _content(answer, media_type, media, streams=streams)
    names = ["ETag"] if conditional or (creates and answer == "Recorded") else []
    names += ["Location"] if status == 201 else []
    names += ["Idempotent-Replay"] if creates else []
    names += ["Link"] if answer in _PAGED else []
    if names:
        found[str(status)]["headers"] = _headers(*names)
    if conditional:
        found["304"] = {"description": "You have the newest version", "headers": _headers("ETag")}
    return found


def _content(answer: str, media_type: str, media: tuple[str, ...], *, streams: bool) -> Described:
    if media:
        kinds = {kind: "object" if kind.endswith("json") else "string" for kind in media}
        return {kind: {"schema": {"type": held}} for kind, held in kinds.items()}
    if answer == "text":
        return {media_type or "text/plain": {"schema": {"type": "string"}}}
    schema = {"$ref": f"#/components/schemas/{answer}"}
    content: Described = {media_type or "application/json": {"schema": schema}}
    if streams:
        content["application/x-ndjson"] = {"schema": {"type": "string"}}
        content["text/csv"] = {"schema": {"type": "string"}}
    return content
