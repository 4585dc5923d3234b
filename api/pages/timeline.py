"""A plan's story: its entries told as sentences, grouped by day, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any
from uuid import UUID

import orjson
from flask import request
from werkzeug.wrappers import Response as AnyResponse

from api.conventions import from_cursor, principal, services, to_cursor
from api.pages.blueprint import names, pages, query, show
from api.pages.changes import plain
from api.pages.given import as_id
from api.pages.language import Words
from api.pages.plans import plan_facts, stands
from api.queries import moment_part, whole_part
from domain.entry import TYPES, VOICES, chapter_of
from service.timeline import Filter, Page

ORDERS = Words(
    {
        "-recorded": "Newest first",
        "recorded": "Oldest first",
        "-occurred": "As it happened, backwards",
        "occurred": "As it happened",
    }
)


@pages.get("/plans/<uuid:plan_id>/timeline")
def timeline(plan_id: UUID) -> AnyResponse:
    """The entries as sentences, with who and why; corrections and addenda under their entry."""
    services().gate.require(principal(), "plans.read", plan_id)  # the page tells what the plan says
    page = services().timeline.of_plan(principal(), plan_id, _filter())
    days = told(page, occurred="occurred" in _order())
    following = to_cursor(page.next)
    if request.headers.get("HX-Target") == "more":
        writes = stands("plans.record", plan_id) is not None
        plan = {"plan_id": str(plan_id)}
        return show("timeline_days", days=days, next=following, plan=plan, writes=writes)
    _, document = services().plans.current(principal(), plan_id)
    return show(
        "timeline",
        **plan_facts(orjson.loads(document)),
        days=days,
        next=following,
        wanted=query("type", "voiced_by", "goal_id", "order"),
        types=by_chapter(own=principal().role == "client"),
        voices=VOICES,
        orders=ORDERS,
    )


def _order() -> str:
    order = request.args.get("order", "-recorded")
    return order if order in ORDERS else "-recorded"


def _filter() -> Filter:
    asked = query("type", "voiced_by", "goal_id")
    place = from_cursor(request.args.get("cursor"), (moment_part, whole_part))
    return Filter(
        type=asked.get("type") if asked.get("type") in TYPES else None,
        voiced_by=asked.get("voiced_by") if asked.get("voiced_by") in VOICES else None,
        about=as_id(asked.get("goal_id")),
        order=_order(),
        limit=60,
        after=place,
    )


def told(page: Page, *, occurred: bool) -> list[tuple[str, list[dict[str, Any]]]]:
    """The entries of a page by day (of what happened, or of writing it down), and in each by session."""
    entries = [orjson.loads(held) for held in page.entries]
    for entry in entries:
        entry["threads"] = _threads(entry)
    clock = "occurred_at" if occurred else "recorded_at"
    days = groupby(entries, key=lambda entry: entry[clock][:10])
    return [
        (day, [_session([*held]) for _, held in groupby(found, key=_met)]) for day, found in days
    ]


def _met(entry: dict[str, Any]) -> tuple[str, str]:
    """What entries of one session share: the session and who wrote it down; alone without one."""
    return entry.get("session_id") or entry["entry_id"], entry["recorded_by"]["member_id"]


def _session(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Entries that belong together; ``at`` and ``by`` are what they need not repeat."""
    together = len(entries) > 1
    return {
        "entries": entries,
        "at": entries[0]["occurred_at"] if together else None,
        "by": entries[0]["recorded_by"] if together else None,
    }


def _threads(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """What was said about an entry afterwards: corrections, addenda, and that it was in error."""
    if not any(entry.get(name) for name in ("corrected_by", "addenda_by", "in_error_by")):
        return []
    who, plan_id, entry_id = principal(), UUID(entry["plan_id"]), UUID(entry["entry_id"])
    if plan_id == who.clinic_id:
        full = services().timeline.entry_of_clinics_own(who, entry_id)
    else:
        full = services().timeline.entry(who, plan_id, entry_id)
    mark = full["marked_in_error"]
    said = [*full["corrections"], *full["addenda"], *([mark] if mark else [])]
    return [_thread(entry, held) for held in sorted(said, key=lambda held: held["version"])]


def _thread(entry: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    known, now = names(), said["data"].get("data") or {}
    before, after = _in_words(entry["data"], known), _in_words(now, known)
    differing = [name for name in after if before.get(name, "") != after[name]]
    return {
        "sentence": said["sentence"],
        "text": said["data"].get("text"),
        "changes": [(name, before.get(name, ""), after[name]) for name in differing],
        "reason": said.get("reason", {}).get("text"),
        "by": said["recorded_by"]["name"],
        "recorded_at": said["recorded_at"],
    }


def _in_words(data: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, str]:
    return {name: plain(held, known) for name, held in data.items()}


def by_chapter(*, own: bool = False) -> dict[str, list[str]]:
    """Every type of entry under its chapter, for choosing; ``own``: those a client is shown."""
    found: dict[str, list[str]] = {}
    for name, cls in TYPES.items():
        if not (own and cls.PRIVATE):
            found.setdefault(chapter_of(cls), []).append(name)
    return found
