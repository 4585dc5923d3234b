"""Emergency access: taking it, with what it means said before; and looking at what was made of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import orjson
from flask import request
from marshmallow import Schema, ValidationError
from werkzeug.wrappers import Response as AnyResponse

from api import errors
from api.access import ReviewingSchema, TakingSchema
from api.conventions import principal, services
from api.errors import pointers
from api.pages import words
from api.pages.blueprint import pages, require, see_other, show
from api.pages.given import as_id
from api.pages.language import say
from domain.errors import InvalidDataError, PlanHistoryError, PlanNotFoundError, Problem
from service.access import Asked
from service.plans import Request

MINUTES = (15, 30, 60)
"""How long one can choose to look in; an hour is the most there is."""
MOST_LOOKS = 200
FINDINGS = ("justified", "not_justified", "unclear")
STATUSES = ("open", "reviewed")


@pages.get("/emergency")
def emergency() -> AnyResponse:
    """What emergency access means, and the form that takes it."""
    require("emergency.take")
    return _taking({"key": str(uuid4()), "plan": request.args.get("plan_id", ""), "minutes": "30"})


@pages.post("/emergency")
def take_emergency() -> AnyResponse:
    """Look in; refused, the form comes back with what was typed."""
    who = require("emergency.take")
    typed = _typed("plan", "why", "minutes")
    try:
        body = _loaded(TakingSchema(), _sent(typed))
        done = services().emergency.take(who, body["plan"], body["data"], _request(typed))
    except PlanHistoryError as refused:
        if seen := refused.facts.get("plan_id"):  # they are in already: there is the plan
            return see_other("pages.plan", plan_id=seen)
        return _taking(typed, refused)
    return see_other("pages.plan", plan_id=done.plan_id)


def _sent(typed: Mapping[str, str]) -> dict[str, Any]:
    """The form as an API caller would send it: a plan by its id, or by the client's reference."""
    name = "plan_id" if as_id(typed["plan"]) else "client_ref"
    minutes = int(typed["minutes"]) if typed["minutes"].isdecimal() else typed["minutes"]
    sent = {name: typed["plan"], "why": typed["why"], "minutes": minutes}
    return {key: held for key, held in sent.items() if held not in ("", None)}


def _taking(typed: Mapping[str, str], refused: PlanHistoryError | None = None) -> AnyResponse:
    found = _faults(refused)
    if found.pop("plan_id", None) or found.pop("client_ref", None):
        found["plan"] = [say(words.WHOSE_PLAN)]
    if isinstance(refused, PlanNotFoundError):
        found["plan"] = [refused.detail]
    policy = services().timeline.policy(principal().clinic_id)
    return show(
        "emergency",
        errors.status_of(refused) if refused else 200,
        typed=typed,
        refused=refused,
        faults=found,
        minutes=MINUTES,
        days=policy.emergency_review_days,
    )


@pages.get("/audit/emergencies")
def emergencies() -> AnyResponse:
    """Every emergency access of the clinic, those that wait to be looked at first."""
    who = require("emergency.review")
    status = request.args.get("status")
    wanted = status if status in STATUSES else None
    found = services().emergency.taken(who, status=wanted)
    found.sort(key=lambda held: held["status"] != "open")  # newest first in each
    return show(
        "emergencies",
        found=found,
        only=wanted,
        statuses=STATUSES,
        reviewed=request.args.get("reviewed"),
    )


@pages.get("/audit/emergencies/<uuid:entry_id>")
def emergency_access(entry_id: UUID) -> AnyResponse:
    """One emergency access: why, what was looked at meanwhile, and the form for what one makes of it."""
    require("emergency.review")
    return _reviewing(entry_id, {"key": str(uuid4())})


@pages.post("/audit/emergencies/<uuid:entry_id>")
def review_emergency(entry_id: UUID) -> AnyResponse:
    """Keep what was made of it."""
    who = require("emergency.review")
    typed = _typed("finding", "note")
    try:
        said = {name: typed[name] for name in ("finding", "note") if typed[name]}
        body = _loaded(ReviewingSchema(), said)
        finding, note = body["finding"], body.get("note")
        services().emergency.review(who, entry_id, finding, note, _request(typed))
    except PlanHistoryError as refused:
        return _reviewing(entry_id, typed, refused)
    return see_other("pages.emergencies", reviewed=1)


def _reviewing(
    entry_id: UUID, typed: Mapping[str, str], refused: PlanHistoryError | None = None
) -> AnyResponse:
    who = principal()
    held = services().emergency.access(who, entry_id)
    meanwhile = Asked(
        member_id=UUID(held["by"]["member_id"]),
        plan_id=UUID(held["plan_id"]),
        since=datetime.fromisoformat(held["at"]),
        until=datetime.fromisoformat(held["expires_at"]),
        limit=MOST_LOOKS,
    )
    looks, more = services().access.looks(who, meanwhile)
    return show(
        "emergency_access",
        errors.status_of(refused) if refused else 200,
        held=held,
        looks=looks[::-1],
        more=more,
        findings=FINDINGS,
        typed=typed,
        refused=refused,
        faults=_faults(refused),
        own=held["by"]["member_id"] == str(who.member_id),
    )


@pages.app_context_processor
def _shared() -> dict[str, Any]:
    return {"unreviewed": lambda: services().emergency.waiting(principal())}


def _typed(*names: str) -> dict[str, str]:
    return {name: request.form.get(name, "").strip() for name in (*names, "key")}


def _loaded(schema: Schema, sent: Mapping[str, Any]) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = schema.load(dict(sent))
    except ValidationError as wrong:
        raise InvalidDataError([Problem(*held) for held in pointers(wrong.messages)]) from wrong
    return loaded


def _request(typed: Mapping[str, str]) -> Request:
    """Stands for this very form: sent twice it is done once."""
    told, key = orjson.dumps(typed, option=orjson.OPT_SORT_KEYS), as_id(typed["key"])
    return Request(key=str(key) if key else None, digest=sha256(b"emergency " + told).digest())


def _faults(refused: PlanHistoryError | None) -> dict[str, list[str]]:
    """What is wrong with each field, by its name."""
    found: dict[str, list[str]] = {}
    for problem in refused.problems if refused else ():
        found.setdefault(problem.pointer.split("/")[-1], []).append(problem.detail)
    return found
