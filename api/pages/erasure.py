"""Being forgotten: asked for by the client, or by those who look after the clinic's records."""

from __future__ import annotations

from hashlib import sha256
from uuid import uuid4

from flask import request
from werkzeug.wrappers import Response as AnyResponse

from api import errors
from api.conventions import principal, services
from api.pages.blueprint import pages, query, require, see_other, show
from api.pages.clinic_words import ERASURE_ASKED
from api.pages.language import say
from api.pages.people import told
from api.pages.sent import key_in
from domain.entry import Reason
from domain.errors import PlanHistoryError
from service.proposals import Asking
from service.recording import Request


@pages.get("/erasure")
def erasure() -> AnyResponse:
    """What it means, the form to ask, and what one has asked for already."""
    require("erasure.ask")
    return _page(query("client_ref"))


def _page(typed: dict[str, str], refused: PlanHistoryError | None = None) -> AnyResponse:
    who = principal()
    open_now, _ = services().proposals.find(who, Asking(status="open", limit=200))
    mine = [held for held in open_now if held["entries"][0]["type"] == "ClientErased"]
    return show(
        "erasure",
        errors.status_of(refused) if refused else 200,
        asked=[told(held) for held in mine],
        typed={"key": str(uuid4()), **typed},
        refused=refused,
        at={held.pointer: held.detail for held in refused.problems} if refused else {},
        done="done" in request.args,
    )


@pages.post("/erasure")
def ask_for_erasure() -> AnyResponse:
    """Ask; refused, the form comes back with the sentence beside the field."""
    who = require("erasure.ask")
    typed = {name: held.strip().replace("\0", "\ufffd") for name, held in request.form.items()}
    mine = who.role == "client"
    ref = _own_ref() if mine else typed.get("client_ref", "")
    why = typed.get("why", "") or (say(ERASURE_ASKED) if mine else "")
    early = mine or typed.get("early") == "yes"  # a client asks; whether it is time others decide
    digest = sha256(f"{ref} {why} {early}".encode()).digest()
    try:
        services().proposals.ask_for_erasure(
            who,
            ref,
            Reason(text=why) if why else None,
            Request(key=key_in(typed.get("key", "")), digest=digest),
            before_retention_ends=early,
        )
    except PlanHistoryError as refused:
        return _page(typed, refused)
    return see_other("pages.erasure", done="")


@pages.post("/erasure/withdraw")
def withdraw_erasure() -> AnyResponse:
    """Think again: what one asked for is not asked for any more."""
    require("erasure.ask")
    who = principal()
    open_now, _ = services().proposals.find(who, Asking(status="open", limit=200))
    for held in open_now:
        if held["proposal_id"] == request.form.get("proposal_id") and "withdraw" in held["may"]:
            services().proposals.withdraw(who, held["proposal_id"], None, Request())
    return see_other("pages.erasure")


def _own_ref() -> str:
    who = principal()
    return services().gate.rosters(who.clinic_id).client_ref(who.member_id) or ""
