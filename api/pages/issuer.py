"""Signing in at the clinic's own sign-in: off to the issuer, back, and on to the page one wanted."""

from __future__ import annotations

from flask import abort, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from api import errors
from api.conventions import services
from api.pages import session
from api.pages.blueprint import pages, see_other, show
from service.errors import IssuerUnavailableError, SignInFailedError
from service.vouched import VouchedSignIn


def issuers_name() -> str | None:
    """What the clinic's sign-in is called on its button; None when there is none."""
    held = services()
    return held.settings.oidc_name if held.vouched else None


def farewell() -> str | None:
    """Where one signs out at the issuer, too; None when there is no such place just now."""
    held = services().vouched
    try:
        return held.farewell(url_for("pages.signed_out", _external=True)) if held else None
    except IssuerUnavailableError:
        return None


def _configured() -> VouchedSignIn:
    held = services().vouched
    if held is None:
        abort(404)
    return held


def _back() -> str:
    return url_for("pages.from_issuer", _external=True)


def _trouble(problem: SignInFailedError | IssuerUnavailableError, wanted: str) -> AnyResponse:
    status = errors.status_of(problem)
    return show("issuer_trouble", status, problem=problem, next=wanted, issuer=issuers_name())


@pages.get("/sign-in/oidc")
def to_issuer() -> AnyResponse:
    """Off to the clinic's sign-in."""
    wanted = session.way_back(request.args.get("next"))
    try:
        place, kept = _configured().depart(_back(), wanted, request.remote_addr)
    except IssuerUnavailableError as away:
        return _trouble(away, wanted or "")
    return session.keep_trip(redirect(place, 303), kept)


@pages.get("/sign-in/oidc/back")
def from_issuer() -> AnyResponse:
    """Begin a session for whom the issuer vouches. The browser comes from another site."""
    said = {name: held[0] if len(held) == 1 else "" for name, held in request.args.lists()}
    kept = session.trip_of_request()
    try:
        secret, wanted = _configured().arrive(kept, said, _back(), request.remote_addr)
    except (SignInFailedError, IssuerUnavailableError) as problem:
        return session.forget_trip(_trouble(problem, ""))
    on = session.way_back(wanted)
    answer = see_other("pages.go_on", **({"next": on} if on else {}))
    return session.forget_trip(session.keep(answer, secret))


@pages.get("/sign-in/oidc/done")
def go_on() -> AnyResponse:
    """Lead on from a page of ours: on the way from another site the session's cookie is not sent along."""
    wanted = session.way_back(request.args.get("next")) or url_for("pages.at_home")
    return show("go_on", wanted=wanted)


@pages.get("/sign-out/oidc")
def leave_issuer() -> AnyResponse:
    """Off to sign out at the issuer, too."""
    _configured()
    place = farewell()
    return redirect(place, 303) if place else see_other("pages.signed_out")
