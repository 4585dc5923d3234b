"""Opening a plan: the intake, in the client's words."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from uuid import uuid4

import orjson
from flask import request
from marshmallow import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from api import errors
from api.conventions import principal, services
from api.errors import pointers
from api.pages.blueprint import names, pages, require, see_other, show
from api.pages.forms import Form
from api.pages.typed import read
from api.plans import OpeningSchema
from domain.errors import InvalidDataError, PlanHistoryError, Problem
from domain.opening import PlanOpened
from service.plans import Request

Held = dict[str, list[str]]
PREFIX = "opening"


@pages.get("/plans/new")
def new_plan() -> AnyResponse:
    """The intake's form."""
    who = require("plans.open")
    return _page({"key": [str(uuid4())], f"{PREFIX}.therapist_id": [str(who.member_id)]})


@pages.post("/plans/new")
def open_plan() -> AnyResponse:
    """Open the plan; refused, the form comes back with everything that was typed."""
    typed = {name: request.form.getlist(name) for name in request.form if name != "csrf"}
    try:
        body = _loaded(typed)
        done = services().plans.open_plan(principal(), body["opening"], (), _request(typed, body))
    except PlanHistoryError as refused:
        return _page(typed, refused)
    return see_other("pages.plan", plan_id=done.plan_id, recorded=1)


def _loaded(typed: Held) -> dict[str, Any]:
    sent = read(PlanOpened, typed, PREFIX)
    try:
        loaded: dict[str, Any] = OpeningSchema().load(
            {**sent, "alongside": typed.get("alongside") == ["yes"]}
        )
    except ValidationError as wrong:
        raise InvalidDataError([Problem(*held) for held in pointers(wrong.messages)]) from wrong
    return loaded


def _request(typed: Held, body: dict[str, Any]) -> Request:
    told = orjson.dumps(typed, option=orjson.OPT_SORT_KEYS)
    key = (typed.get("key") or [""])[0]
    return Request(
        key=key or None, digest=sha256(b"opening " + told).digest(), alongside=body["alongside"]
    )


def _page(typed: Held, refused: PlanHistoryError | None = None) -> AnyResponse:
    """The form; a client who has an open plan already can have another beside it, if that is meant."""
    found: dict[str, list[str]] = {}
    for problem in refused.problems if refused else ():
        name = f"{PREFIX}{problem.pointer.replace('/', '.')}"
        found.setdefault(name, []).append(problem.detail)
    form = Form(typed, {"member": sorted(names().items(), key=lambda held: held[1])}, found)
    return show(
        "new_plan",
        errors.status_of(refused) if refused else 200,
        controls=sorted(form.controls(PlanOpened, PREFIX), key=lambda held: not held.required),
        typed=typed,
        refused=refused,
        twice=refused is not None and refused.code == "plan-already-open",
    )
