"""The worklist: what the day begins with."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import orjson
from flask import request
from werkzeug.wrappers import Response as AnyResponse

from api.conventions import services
from api.pages import words
from api.pages.blueprint import names, pages, require, show
from service.worklist import KINDS, Wanted

MOST = 200
AWAITED = frozenset({"cosignature"})
"""What a colleague waits for: shown with its button, however far its day is."""
SPANS = {"overdue": "Overdue", "week": "Due this week", "later": "Later"}
NEXT_STEP: dict[str, tuple[str, str]] = {
    "safety_review": ("ReviewHeld", "Record a safety review"),
    "reevaluation": ("ReviewHeld", "Record the review"),
    "answer_discomfort": ("DiscomfortAnswered", "Answer it"),
    "answer_resistance": ("ResistanceExplored", "Explore it"),
    "answer_mismatch": ("MismatchDiscussed", "Talk about it"),
    "answer_plateau": ("PlateauAnswered", "Answer it"),
    "resume_check": ("GoalResumed", "Take it up again"),
    "formal_review": ("ReviewHeld", "Record the review"),
    "first_signature": ("PlanSigned", "Sign the plan"),
    "cosignature": ("PlanCosigned", "Co-sign"),
    "client_agreement": ("PlanAgreed", "Record the client’s word"),
    "plateau_suspected": ("PlateauNoted", "Note a plateau"),
}
"""For each kind of obligation: the entry that answers it, and how a button says so.

A kind without one is answered by somebody else.
"""


@pages.get("/worklist")
def worklist() -> AnyResponse:
    """What is owed, grouped by kind, soonest due first."""
    who = require("worklist.read")
    team = request.args.get("team", "1" if who.role == "supervisor" else "0") == "1"
    page = services().worklist.find(who, Wanted(mine=not team, team=team, limit=MOST))
    owed = [orjson.loads(held) for held in page.obligations]
    reasons = services().worklist.reasons(who, owed)
    for held in owed:
        held["span"] = _span(held["due_on"], page.today)
        held["due"] = words.due(held["due_on"], page.today.isoformat())
        held["reason"] = reasons.get((held["plan_id"], held["about"]))
        held["step"] = NEXT_STEP.get(held["kind"])
    counts = {span: sum(held["span"] == span for held in owed) for span in SPANS}
    span = request.args.get("due") if request.args.get("due") in SPANS else None
    shown = [held for held in owed if span in (None, held["span"])]
    return show(
        "worklist",
        groups=_groups([held for held in shown if span or not _can_wait(held)]),
        later=[held for held in shown if not span and _can_wait(held)],
        counts=counts,
        spans=SPANS,
        span=span,
        team=team,
        total=len(owed),
        more=page.next is not None,
        names=names(),
    )


def _can_wait(held: dict[str, Any]) -> bool:
    return held["span"] == "later" and held["kind"] not in AWAITED


def _span(due_on: str | None, today: date) -> str:
    if due_on is None:
        return "later"
    due = date.fromisoformat(due_on)
    if due < today:
        return "overdue"
    return "week" if due <= today + timedelta(days=7) else "later"


def _groups(owed: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """By kind, the gravest kind first."""
    found = [(kind, [held for held in owed if held["kind"] == kind]) for kind in KINDS]
    return [(kind, held) for kind, held in found if held]
