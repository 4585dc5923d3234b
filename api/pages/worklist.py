"""The worklist: what the day begins with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import orjson
from flask import request
from werkzeug.wrappers import Response as AnyResponse

from api.conventions import services
from api.pages import words
from api.pages.blueprint import names, pages, require, show
from api.pages.language import Words, later
from api.worklist import cursor_of, place_of
from service.access import Principal
from service.worklist import Page, Wanted

MOST = 200
WEEK = 7
AWAITED = "cosignature"
"""What a colleague waits for: shown first, with its button, however far its day is."""
SPANS = Words({"overdue": "Overdue", "week": "Due this week", "later": "Later"})
GRAVEST = (
    "safety_review", "reevaluation", "emergency_review", "answer_discomfort", "answer_mismatch",
    "answer_resistance", "answer_plateau", "cosignature", "client_agreement", "first_signature",
    "formal_review", "resume_check", "plateau_suspected",
)  # fmt: skip
"""The kinds of obligation, the gravest first."""
NEXT_STEP: dict[str, tuple[str, str]] = {
    "safety_review": ("ReviewHeld", later("Record a safety review")),
    "reevaluation": ("ReviewHeld", later("Record the review")),
    "answer_discomfort": ("DiscomfortAnswered", later("Answer it")),
    "answer_resistance": ("ResistanceExplored", later("Explore it")),
    "answer_mismatch": ("MismatchDiscussed", later("Talk about it")),
    "answer_plateau": ("PlateauAnswered", later("Answer it")),
    "resume_check": ("GoalResumed", later("Take it up again")),
    "formal_review": ("ReviewHeld", later("Record the review")),
    "first_signature": ("PlanSigned", later("Sign the plan")),
    "cosignature": ("PlanCosigned", later("Co-sign")),
    "client_agreement": ("PlanAgreed", later("Record the client’s word")),
    "plateau_suspected": ("PlateauNoted", later("Note a plateau")),
}
"""For each kind of obligation: the entry that answers it, and how a button says so.

A kind without one is answered by somebody else.
"""
Owed = dict[str, Any]


@pages.get("/worklist")
def worklist() -> AnyResponse:
    """What is owed: by kind, the gravest first, or plan by plan; soonest due first."""
    who = require("worklist.read")
    supervises = who.role == "supervisor"
    team = supervises and request.args.get("team", "1") == "1"
    span = request.args.get("due") if request.args.get("due") in SPANS else None
    by_plan = request.args.get("by") == "plan"
    page = services().worklist.find(who, _wanted(span, team=team))
    owed = _told(who, page, _and_awaited(who, page, team=team, span=span))
    due = [held for held in owed if span or not _can_wait(held)]
    return show(
        "worklist",
        groups=_by_plan(due) if by_plan else _by_kind(due, first=AWAITED if team else None),
        later=[held for held in owed if not span and _can_wait(held)],
        counts=services().worklist.counts(who, team=team, days=WEEK),
        spans=SPANS,
        span=span,
        by_plan=by_plan,
        team=team,
        supervises=supervises,
        today=page.today.isoformat(),
        next=cursor_of(page.next),
        names=names(),
    )


def _wanted(span: str | None, *, team: bool) -> Wanted:
    """The list that is looked at, or the part of it that is due then."""
    place, today = place_of(request.args.get("cursor")), services().clock().date()
    wanted = Wanted(mine=not team, team=team, limit=MOST, after=place)
    after = today + timedelta(days=WEEK + 1)
    if span == "overdue":
        return replace(wanted, overdue=True)
    if span == "week":
        return replace(wanted, overdue=False, due_before=after)
    return replace(wanted, due_from=after) if span == "later" else wanted


def _and_awaited(who: Principal, page: Page, *, team: bool, span: str | None) -> Iterable[bytes]:
    """What a page has, and what a colleague waits for even where that is far down the list."""
    if page.next is None or span or request.args.get("cursor"):
        return page.obligations
    waiting = Wanted(mine=not team, team=team, kind=AWAITED, limit=MOST)
    return dict.fromkeys([*page.obligations, *services().worklist.find(who, waiting).obligations])


def _told(who: Principal, page: Page, obligations: Iterable[bytes]) -> list[Owed]:
    """Obligations with when they are due, why, and what to do."""
    owed = [orjson.loads(held) for held in obligations]
    reasons = services().worklist.reasons(who, owed)
    for held in owed:
        held["span"] = _span(held["due_on"], page.today)
        held["due"] = words.due(held["due_on"], page.today.isoformat())
        held["reason"] = reasons.get((held["plan_id"], held["about"]))
        held["step"] = NEXT_STEP.get(held["kind"])
    return owed


def _can_wait(held: Owed) -> bool:
    return bool(held["span"] == "later" and held["kind"] != AWAITED)


def _span(due_on: str | None, today: date) -> str:
    if due_on is None:
        return "later"
    due = date.fromisoformat(due_on)
    if due < today:
        return "overdue"
    return "week" if due <= today + timedelta(days=WEEK) else "later"


def _gravity(held: Owed) -> int:
    return GRAVEST.index(held["kind"])


def _by_kind(owed: Sequence[Owed], first: str | None) -> list[tuple[str, list[Owed]]]:
    """By kind, the gravest first; before it what waits for the reader in person."""
    found: dict[str, list[Owed]] = {}
    for held in sorted(owed, key=lambda held: (held["kind"] != first, _gravity(held))):
        found.setdefault(held["kind"], []).append(held)
    return [*found.items()]


def _by_plan(owed: Sequence[Owed]) -> list[tuple[str, list[Owed]]]:
    """Plan by plan, in the order of what is due soonest; in each the gravest first."""
    found: dict[str, list[Owed]] = {}
    for held in owed:
        found.setdefault(held["plan_id"], []).append(held)
    return [(plan_id, sorted(held, key=_gravity)) for plan_id, held in found.items()]
