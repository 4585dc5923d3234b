"""A plan as it stands, and finding plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from flask import request
from werkzeug.wrappers import Response as AnyResponse

from api.conventions import from_cursor, principal, services, to_cursor
from api.pages import words
from api.pages.blueprint import names, pages, query, require, show
from api.pages.language import later
from api.queries import moment_part, uuid_part
from service.access.table import EMERGENCY
from service.finding import STATUSES, PlanFilter, find_plans

TABS = (
    ("pages.plan", later("Plan"), "plans.read"),
    ("pages.replay", later("Replay"), "plans.read"),
    ("pages.timeline", later("Timeline"), "plans.timeline"),
    ("pages.record", later("Record"), "plans.record"),
    ("pages.evidence", later("Evidence"), "plans.export"),
)
"""The pages of a plan, and what one must be able to do with this very plan to be offered them."""
OWN_TABS = (
    ("pages.plan", later("My plan")),
    ("pages.replay", later("My way so far")),
    ("pages.timeline", later("My story")),
    ("pages.record", later("What I want to say")),
    ("pages.evidence", later("On paper")),
)
"""What a client has of their own plan."""


@pages.get("/plans")
def find() -> AnyResponse:
    """Plans, most recently changed first."""
    who = require("plans.find")
    wanted = query("q", "status", "cursor")
    place = from_cursor(wanted.pop("cursor", None), (moment_part, uuid_part))
    if wanted.get("status") not in STATUSES:
        wanted.pop("status", None)
    found, following = find_plans(services().gate, who, PlanFilter(**wanted, after=place))  # type: ignore[arg-type] # only q and status are left
    return show(
        "plans",
        found=found,
        next=to_cursor(following),
        wanted=wanted,
        statuses=STATUSES,
        names=names(),
    )


@pages.get("/plans/<uuid:plan_id>")
def plan(plan_id: UUID) -> AnyResponse:
    """The plan as it stands, as a clinician would print it."""
    who = principal()
    version, document = services().plans.current(who, plan_id)
    shown = orjson.loads(document)
    if who.role == "client":
        return show("own", **plan_facts(shown))
    return show("plan", **plan_facts(shown), version=version, measures=_measures(plan_id))


def _measures(plan_id: UUID) -> dict[str, dict[str, Any]]:
    """For each goal its own series."""
    _, held = services().measures.of_plan(principal(), plan_id)
    found: dict[str, dict[str, Any]] = {}
    for series in held["series"]:
        if series["goal_id"]:
            found.setdefault(series["goal_id"], series)
    return found


def plan_facts(document: dict[str, Any]) -> dict[str, Any]:
    """What every page about a plan shows: the plan, the way to its other pages, who is who."""
    owed, plan_id = document["obligations"], UUID(document["plan_id"])
    today = services().clock().date().isoformat()
    standing = {action: stands(action, plan_id) for _, _, action in TABS}
    return {
        "plan": document,
        "tabs": _tabs(standing),
        "names": names(),
        "owed": [
            {
                **held,
                "due": words.due(held["due_on"], today),
                "late": bool(held["due_on"] and held["due_on"] < today),
            }
            for held in sorted(owed, key=lambda held: held["due_on"] or "9999")
        ],
        "today": today,
        "goals_by_id": {held["goal_id"]: held for held in document["goals"]},
        "recorded": request.args.get("recorded"),
        "writes": standing["plans.record"] is not None,
        "looking_in": _looking_in(document) if standing["plans.read"] == EMERGENCY else None,
    }


def stands(action: str, plan_id: UUID) -> str | None:
    """The relation by which somebody has an action with this plan."""
    who = principal()
    return services().gate.relation(who, action, plan_id) if who.may(action) else None


def _tabs(standing: Mapping[str, str | None]) -> Sequence[tuple[str, str]]:
    if principal().role == "client":
        return OWN_TABS
    return [(endpoint, name) for endpoint, name, action in TABS if standing[action]]


def _looking_in(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Until when somebody may look in because of an emergency, and how many seconds are left."""
    mine = [
        held["expires_at"]
        for held in document["emergency_access"]
        if held["by"]["member_id"] == str(principal().member_id)
    ]
    if not mine:
        return None
    left = datetime.fromisoformat(max(mine)) - services().clock()
    return {"until": max(mine), "left": max(int(left.total_seconds()), 0)}


def progress(goal: dict[str, Any]) -> int | None:
    """How far a goal has come from its baseline to its target, in per cent; None when nobody can say."""
    latest, base, target = goal.get("latest"), goal.get("baseline"), goal.get("target")
    if not latest or base is None or target is None or base == target:
        return None
    if goal["measure"] and latest.get("unit") not in (None, goal["measure"]["unit"]):
        return None
    share: float = (latest["value"] - base) / (target - base)
    return round(100 * min(max(share, 0.0), 1.0))


pages.add_app_template_filter(progress, "progress")
