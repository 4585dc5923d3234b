"""The pages' blueprint: sessions in front, strict headers behind, refusals as pages."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response as AnyResponse

from api import errors
from api.auth import admit
from api.conventions import principal, services
from api.pages import changes, charts, session, words
from api.pages.language import later, say
from api.pages.session import OPEN
from api.pages.wording import wording_for
from domain.errors import PlanHistoryError, PlanNotFoundError
from service.access import Principal
from service.errors import NoMemberError, NotAllowedError, NotSignedInError

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers would not name the origin of a form
    "Cross-Origin-Opener-Policy": "same-origin",
}
pages = Blueprint("pages", __name__)

NAVIGATION = (
    ("pages.worklist", later("Worklist"), "worklist.read"),
    ("pages.own_plans", later("My plan"), "plans.own"),
    ("pages.find", later("Plans"), "plans.find"),
    ("pages.figures", later("Figures"), "figures.read"),
    ("pages.people", later("People"), "proposals.read"),
    ("pages.audit", later("Audit"), "clinic.timeline"),
)
"""Where one can go: page, name, and the action it takes."""


@pages.before_request
def _enter() -> AnyResponse | None:
    """Let in who has a session; send everybody else to sign in, and back afterwards."""
    if request.method == "POST":
        session.refuse_strangers()
    if request.endpoint in OPEN:
        return None
    secret = session.secret_of_request()
    if secret is None:
        return session.to_sign_in()
    _admit(secret)
    if request.method == "POST":
        session.refuse_forged(secret)
    return None


def _admit(secret: str) -> None:
    try:
        admit(services().sessions.principal(secret))
    except NoMemberError:
        services().sessions.end(secret)  # once is enough to have been turned away
        raise


@pages.after_request
def _leave(answer: Response) -> Response:
    for name, value in _HEADERS.items():
        answer.headers[name] = value
    return answer


@pages.context_processor
def _shared() -> dict[str, Any]:
    who: Principal | None = g.get("principal")
    secret = session.secret_of_request()
    return {
        "who": who,
        "csrf": session.csrf(secret) if secret else "",
        "navigation": [held for held in NAVIGATION if who and may(who, held[2])],
        "words": words,
        "wording": wording_for(who.role if who else ""),
        "label": words.label,
        "charts": charts,
        "grouped": changes.grouped,
        "again": again,
        "waiting": _waiting(who) if who else {},
    }


def _waiting(who: Principal) -> Mapping[str, int]:
    """How many things wait for them on a page; none that anybody knows of while the record is out of reach."""
    with contextlib.suppress(PlanHistoryError):
        reviews = may(who, "emergency.review")
        return {
            "pages.people": services().proposals.waiting(who),
            "pages.audit": services().emergency.waiting(who) if reviews else 0,
        }
    return {}


def may(who: Principal, action: str) -> bool:
    """Whether a page has something for them."""
    if who.role == "client":
        return action in ("plans.own", "erasure.ask")
    return who.may(action)


def again(**changed: str) -> str:
    """This very address, with something changed."""
    return f"{request.path}?{urlencode({**request.args, **changed})}"


def show(template: str, status: int = 200, **held: Any) -> Response:
    """A page."""
    answer = Response(
        render_template(f"{template}.html", **held), status, content_type="text/html; charset=utf-8"
    )
    answer.vary.add("HX-Request")
    return answer


def home() -> str:
    """The page somebody begins with, as the name of its route."""
    who = principal()
    audits = not may(who, "plans.read") and may(who, "clinic.timeline")
    if may(who, "proposals.decide") and (_waiting(who).get("pages.people") or not audits):
        return "pages.people"
    if audits:
        return "pages.audit"
    found = (endpoint for endpoint, _, action in NAVIGATION if may(who, action))
    return next(found, "pages.account")


def query(*names: str) -> dict[str, str]:
    """What the address says of these, without what is empty and the NULs no text of the record holds."""
    held = {name: request.args.get(name, "").replace("\0", "\ufffd") for name in names}
    return {name: text for name, text in held.items() if text}


def refused(problem: PlanHistoryError) -> AnyResponse:
    """A refusal as a page."""
    if isinstance(problem, NotSignedInError):
        return session.to_sign_in()
    status, title, detail = errors.status_of(problem), problem.title, problem.detail
    return problem_page(status, title, detail, way_in=_way_in(problem))


def _way_in(problem: PlanHistoryError) -> str | None:
    """For whoever may: the way into a plan that is not theirs, in an emergency – whether or not it is there."""
    plan_id, who = (request.view_args or {}).get("plan_id"), g.get("principal")
    may_ask = isinstance(problem, PlanNotFoundError) and who and who.may("emergency.take")
    return url_for("pages.emergency", plan_id=plan_id) if plan_id and may_ask else None


def problem_page(status: int, title: str, detail: str, way_in: str | None = None) -> Response:
    """What went wrong and what to do next, for people."""
    number = g.get("request_id")
    answer = show("problem", status, title=title, detail=detail, request_id=number, way_in=way_in)
    return _leave(answer)


def _http(failed: HTTPException) -> AnyResponse:
    status = failed.code or 500
    if status in (301, 302, 303, 307, 308):
        return failed.get_response()
    title, detail = words.PROBLEMS.get(status, (failed.name, str(failed.description)))
    return problem_page(status, say(title), say(detail))


def nowhere(failed: NotFound) -> AnyResponse | None:
    """An address there is not, as a page for whoever reads one; None for a program's, which asks for JSON."""
    kinds = ("application/json", "text/html")
    if request.path.startswith(("/v1/", "/fhir/")):
        return None
    if request.accept_mimetypes.best_match(kinds) == "text/html":
        return _http(failed)
    return None


def _unexpected(failed: Exception) -> Response:
    errors.log_unexpected(failed)
    title, detail = words.PROBLEMS[500]
    return problem_page(500, say(title), say(detail))


pages.register_error_handler(PlanHistoryError, refused)
pages.register_error_handler(HTTPException, _http)
pages.register_error_handler(Exception, _unexpected)


def require(action: str) -> Principal:
    """Who asks, if their role has the action; raises NotAllowedError."""
    who = principal()
    if not may(who, action):
        with services().gate.noting_refusals(who, action):
            raise NotAllowedError(say(words.NOT_FOR_YOUR_ROLE))
    return who


def names() -> Mapping[str, str]:
    """The clinic's people by id, for those who may know them."""
    who = principal()
    if not who.may("members.read"):
        return {str(who.member_id): who.name}
    found: Mapping[str, str] = g.get("names") or {
        held["member_id"]: held["name"] for held in services().clinic.members(who)
    }
    g.names = found
    return found


def see_other(endpoint: str, **held: Any) -> AnyResponse:
    """After a form: go on reading there."""
    return redirect(url_for(endpoint, **held), 303)
