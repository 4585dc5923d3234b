"""What an auditor asks: who recorded what, and who looked at what, across the clinic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from flask import request
from werkzeug.wrappers import Response as AnyResponse

from api.conventions import from_cursor, principal, services, to_cursor
from api.pages.blueprint import names, pages, query, require, show
from api.pages.timeline import by_chapter
from api.queries import moment_part, whole_part
from domain.entry import TYPES
from service.access import Asked
from service.timeline import Filter

MOST = 60


@pages.get("/audit")
def audit() -> AnyResponse:
    """Search what was recorded in the clinic, newest first."""
    who = require("clinic.timeline")
    asked = query("type", "recorded_by", "plan_id", "since", "until")
    place = from_cursor(request.args.get("cursor"), (moment_part, whole_part))
    wanted = Filter(
        type=asked.get("type") if asked.get("type") in TYPES else None,
        recorded_by=as_id(asked.get("recorded_by")),
        plan_id=as_id(asked.get("plan_id")),
        since=as_day(asked.get("since")),
        until=as_day(asked.get("until"), days=1),
        order="-recorded",
        limit=MOST,
        after=place,
    )
    page = services().timeline.of_clinic(who, wanted)
    return show(
        "audit",
        entries=[orjson.loads(held) for held in page.entries],
        next=to_cursor(page.next),
        asked=asked,
        types=by_chapter(),
        people=names(),
        looks=who.may("access-log.read"),
    )


@pages.get("/audit/looks")
def looks() -> AnyResponse:
    """Who looked at what, newest first; refused attempts, too."""
    who = require("access-log.read")
    asked = query("member_id", "plan_id", "refused", "since", "until", "after")
    after = asked.get("after", "")
    wanted = Asked(
        member_id=as_id(asked.get("member_id")),
        plan_id=as_id(asked.get("plan_id")),
        allowed=False if asked.get("refused") else None,
        since=as_day(asked.get("since")),
        until=as_day(asked.get("until"), days=1),
        limit=MOST,
        after=int(after) if after.isdecimal() and len(after) < 16 else None,
    )
    found, following = services().access.looks(who, wanted)
    return show("looks", looks=found, next=following, asked=asked, people=names())


def as_id(text: str | None) -> UUID | None:
    """An id from an address, or None for what is none."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def as_day(text: str | None, *, days: int = 0) -> datetime | None:
    """The beginning (UTC) of a day from an address, or of a later one; None for what is no day."""
    try:
        held = datetime.fromisoformat(text or "").replace(tzinfo=UTC) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return held


def whose(plan_id: str) -> dict[str, Any]:
    """A plan of a list, as far as one may know it."""
    return {"plan_id": plan_id, "mine": principal().may("plans.read")}


pages.add_app_template_filter(whose, "whose")
