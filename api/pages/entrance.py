"""Signing in and out."""

from __future__ import annotations

from flask import g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from api import errors
from api.conventions import principal, services
from api.pages import session
from api.pages.blueprint import home, pages, see_other, show
from api.pages.issuer import farewell, issuers_name
from api.pages.language import say
from service.errors import NotSignedInError


@pages.get("/sign-in")
def sign_in() -> AnyResponse:
    """The form that takes a token."""
    return _form()


def _form(problem: NotSignedInError | None = None) -> AnyResponse:
    status = errors.status_of(problem) if problem else 200
    wanted = session.way_back(request.values.get("next"))
    idle, issuer = request.args.get("idle"), issuers_name()
    return show("sign_in", status, problem=problem, next=wanted, idle=idle, issuer=issuer)


@pages.post("/sign-in")
def take_token() -> AnyResponse:
    """Begin a session with a token."""
    try:
        secret = services().sessions.begin(request.form.get("token", ""), request.remote_addr)
    except NotSignedInError as problem:
        return _form(problem)
    wanted = session.way_back(request.form.get("next")) or url_for("pages.at_home")
    return session.keep(redirect(wanted, 303), secret)


@pages.get("/sign-in/<link>")
def see_link(link: str) -> AnyResponse:
    """Ask before a one-time link is used up: programs that look at links must not follow it."""
    name = services().sessions.whose_link(link)
    if name is None:
        return _form(NotSignedInError(say("This link was used before, or is too old.")))
    return show("follow_link", name=name)


@pages.post("/sign-in/<link>")
def follow_link(link: str) -> AnyResponse:
    """Begin a session with a one-time link."""
    try:
        secret = services().sessions.follow(link)
    except NotSignedInError as problem:
        return _form(problem)
    return session.keep(see_other("pages.at_home"), secret)


@pages.post("/sign-out")
def sign_out() -> AnyResponse:
    """End the session."""
    secret = session.secret_of_request()
    by_issuer = services().sessions.end(secret) if secret else False
    at = {"at": "issuer"} if by_issuer else {}
    return session.forget(see_other("pages.signed_out", **at))


@pages.get("/signed-out")
def signed_out() -> AnyResponse:
    """A page to leave open: nothing of any client is on it."""
    asked = request.args.get("at") == "issuer"
    return show("signed_out", issuer=issuers_name() if asked and farewell() else None)


@pages.get("/home")
def at_home() -> AnyResponse:
    """The page somebody's day begins with."""
    return see_other(home())


@pages.get("/account")
def account() -> AnyResponse:
    """Who am I, and what may I do here."""
    return show("account", me=principal(), seconds=g.get("seconds"))


@pages.post("/stay")
def stay() -> AnyResponse:
    """Somebody is still there: being asked has kept the session awake."""
    return show("stay")
