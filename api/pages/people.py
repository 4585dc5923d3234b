"""The clinic's people, what is proposed, holds, and the policy in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from flask import request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from api import errors
from api.conventions import from_cursor, principal, services, to_cursor
from api.pages import clinic_words, words
from api.pages.blueprint import names, pages, query, require, see_other, show
from api.pages.change import ways, within
from api.pages.language import say
from api.pages.sent import key_in
from api.queries import whole_part
from domain.approval import Approval
from domain.entry import Reason
from domain.errors import PlanHistoryError
from service.access import ROLES
from service.proposals import DOING, STATUSES, Asking
from service.recording import Moment, Request

MOST = 50
WAITING = 200
"""How many open proposals the page shows; nobody lets more wait."""


@pages.get("/people")
def people() -> AnyResponse:
    """Who belongs to the clinic, what waits for somebody's word, holds, and policy."""
    require("proposals.read")
    return _page()


def _page(refused: PlanHistoryError | None = None, about: UUID | None = None) -> AnyResponse:
    who = principal()
    _, clinic = services().clinic.at(who, Moment())
    waiting, _ = services().proposals.find(who, Asking(status="open", limit=WAITING))
    asked = query("role", "status", "q")
    return show(
        "people",
        errors.status_of(refused) if refused else 200,
        clinic=clinic,
        members=list(_found(clinic["members"], asked)),
        caseloads=services().clinic.caseloads(who),
        open=[told(held) for held in waiting],
        policy=list(clinic_words.policy(clinic["policy"])),
        asked=asked,
        roles=ROLES,
        names=names(),
        ways=ways(who, clinic["policy"]),
        changing=within(who, clinic),
        refused=refused,
        about=about,
        done=clinic_words.DONE.get(request.args.get("done", "")),
    )


def _found(members: list[dict[str, Any]], asked: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The members one looks for, by name; those who left only when they are asked for."""
    status = asked.get("status", "present")
    wanted = asked.get("q", "").casefold()
    for held in sorted(members, key=lambda held: (held["name"].casefold(), held["member_id"])):
        fits = asked.get("role") in (None, held["role"]) and status in ("all", held["status"])
        if fits and wanted in held["name"].casefold():
            yield held


@pages.get("/people/proposals")
def proposals() -> AnyResponse:
    """Every proposal, newest first, with what was said to it."""
    who = require("proposals.read")
    asked = query("status", "cursor")
    status = asked.get("status") if asked.get("status") in STATUSES else None
    place = from_cursor(asked.get("cursor"), (whole_part,))
    found, following = services().proposals.find(
        who, Asking(status=status, limit=MOST, after=place[0] if place else None)
    )
    return show(
        "proposals",
        found=[told(held) for held in found],
        next=to_cursor(None if following is None else [following]),
        wanted=status,
        statuses=STATUSES,
        names=names(),
    )


@pages.post("/people/proposals/<uuid:proposal_id>/<doing>")
def decide(proposal_id: UUID, doing: str) -> AnyResponse:
    """Approve, decline or withdraw; refused, the page says why."""
    if doing not in DOING:
        raise NotFound
    require("proposals.read")
    why = request.form.get("why", "").strip()
    key = key_in(request.form.get("key", ""))
    digest = sha256(f"{doing} {proposal_id} {why}".encode()).digest()
    try:
        getattr(services().proposals, doing)(
            principal(),
            proposal_id,
            Reason(text=why) if why else None,
            Request(key=key, digest=digest),
        )
    except PlanHistoryError as refused:
        return _page(refused, proposal_id)
    return see_other("pages.people", done=doing)


def told(held: dict[str, Any]) -> dict[str, Any]:
    """A proposal as the page tells it: for whom it waits, and what its sentences leave out."""
    entries = [
        {**entry, "facts": [fact for fact in facts(entry["data"]) if _adds(fact[1], entry)]}
        for entry in held["entries"]
    ]
    return {**held, "entries": entries, "waits_for": _waits_for(held), "key": str(uuid4())}


def _adds(value: str, entry: Mapping[str, Any]) -> bool:
    return value.casefold() not in entry["sentence"].casefold()


def _waits_for(held: Mapping[str, Any]) -> str:
    """Whose word it waits for; another one of them when somebody of that role stands behind it."""
    left = held["approvals_needed"] - len(held["approvals"])
    roles = held["approved_by"]
    counted = held["approvals"] or held["proposed"]["by"]["role"] in roles
    if left == 1 and counted and len(roles) == 1:
        return say("another {}").format(words.label(roles[0]).lower())
    return Approval(by=tuple(roles), people=max(left, 1)).words


def facts(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """What an entry says, field by field: whoever is named is told by name."""
    known = names()
    for key, held in data.items():
        label = words.label(key.removesuffix("_id"))
        if isinstance(held, Mapping):
            yield from facts(held, f"{prefix}{label}: ")
        else:
            plain = words.label(held) if key == "role" else clinic_words.plainly(held)
            yield f"{prefix}{label}", known.get(str(held), plain)
