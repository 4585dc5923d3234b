"""The Flask application: blueprints, conventions, headers, request ids, metrics."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from flask import Flask, Request, Response, current_app
from flask.globals import app_ctx, request_ctx
from flask_smorest import Api
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from api import errors
from api.access import access
from api.auth import refuse_undeclared, sign_in
from api.catalogue import catalogue
from api.clinic import clinic
from api.docs import docs, root
from api.erasure import erasure
from api.errors import InvalidQueryError, MalformedRequestError
from api.export import export
from api.feed import feed
from api.fhir.audit import fhir_audit
from api.fhir.routes import fhir
from api.figures import figures
from api.health import REQUESTS, SECONDS, health
from api.ledger import ledger
from api.measures import measures
from api.openapi import SETTINGS, describe, link
from api.pages import language, pages
from api.pages.blueprint import nowhere
from api.plans import plans
from api.proposals import proposals
from api.proxies import BehindProxies
from api.timeline import timeline
from api.webhooks import webhooks
from api.worklist import worklist
from service.access import Origin, said_from
from service.container import Container

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MOST_BYTES = 1024 * 1024
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HEADERS = {
    "Cache-Control": "private, no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Frame-Options": "DENY",
}
"""What every answer says that does not say otherwise."""
_TRANSPORT = "max-age=31536000"
log = logging.getLogger("plan_history.access")


class App(Flask):
    """Flask, knowing that no view of ours is asynchronous, and what every answer says."""

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        """Answer; what every answer says is added last, to the plain list that the server sends."""

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            said = {name for name, _ in headers}
            headers += [held for held in _HEADERS.items() if held[0] not in said]
            return start_response(status, headers, exc_info)

        return super().wsgi_app(environ, start)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is; Flask would look at each anew in every request."""
        return func


def create_app(container: Container) -> Flask:
    """The application over the wired services."""
    app = App("api", static_folder="static", static_url_path="/static")
    app.config.update(SETTINGS)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    app.extensions["plan-history"] = container
    app.before_request(_begin)
    app.before_request(sign_in)
    app.after_request(_finish)
    api = Api(app)
    describe(api)
    for blueprint in (
        plans,
        timeline,
        worklist,
        measures,
        export,
        figures,
        clinic,
        proposals,
        erasure,
        access,
        ledger,
        feed,
        webhooks,
        catalogue,
        health,
    ):
        api.register_blueprint(blueprint)
    link(api)
    app.register_blueprint(fhir_audit)
    app.register_blueprint(fhir)
    app.register_blueprint(docs)
    app.register_blueprint(root)
    app.register_blueprint(pages)
    language.install(app)
    errors.register(app)
    app.register_error_handler(404, _nowhere)
    behind = BehindProxies(app.wsgi_app, container.settings.trusted_proxies)
    app.wsgi_app = behind  # type: ignore[method-assign] # as Flask's documentation says
    refuse_undeclared(app)
    return app


def _nowhere(failed: NotFound) -> AnyResponse:
    """An address there is not: people are told on a page, programs in a problem."""
    return nowhere(failed) or errors.http_problem(failed)


def _begin() -> None:
    asked, kept = request_ctx.request, app_ctx.g
    kept.started = time.perf_counter()
    given = asked.headers.get("X-Request-ID", "")
    kept.request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
    said_from(Origin(address=asked.remote_addr, request_id=kept.request_id))
    if asked.query_string:
        _refuse_broken_query(asked)
        _refuse_unknown_query(asked)


def _refuse_broken_query(asked: Request) -> None:
    try:
        asked.query_string.decode()
    except UnicodeDecodeError as broken:
        asked.query_string = b""  # whoever tells of the refusal reads it, too
        told = "The address is not UTF-8; encode it so, with %C3%A9 for é."
        raise MalformedRequestError(told) from broken


def _refuse_unknown_query(asked: Request) -> None:
    if asked.endpoint is None or asked.blueprint == "pages":
        return  # a page goes by the parameters it knows; an old bookmark still opens
    view = current_app.view_functions[asked.endpoint]
    if not getattr(view, "takes_query", False) and asked.endpoint != "static":
        raise InvalidQueryError(
            {
                name[:60]: "Is not known here; this address takes no parameters."
                for name in asked.args
            }
        )


def _finish(answer: Response) -> Response:
    asked, kept, headers = request_ctx.request, app_ctx.g, answer.headers
    if asked.is_secure:
        headers["Strict-Transport-Security"] = _TRANSPORT
    headers["X-Request-ID"] = kept.get("request_id", "")
    traceparent = asked.headers.get("traceparent", "")
    if _TRACEPARENT.fullmatch(traceparent):
        headers["traceparent"] = traceparent
    _count(asked, kept, answer)
    return answer


def _count(asked: Request, kept: Any, answer: Response) -> None:
    """Figures and one line in the log; the labels are few, whatever callers make up."""
    route = asked.url_rule.rule if asked.url_rule else "(none)"
    method = asked.method if asked.method in _METHODS else "(other)"
    requests, times = _figures(method, route, answer.status_code)
    requests.inc()
    seconds = time.perf_counter() - kept.get("started", time.perf_counter())
    times.observe(seconds)
    if log.isEnabledFor(logging.INFO):
        log.info(
            "%s %s %s %.1f ms %s",
            method,
            route,
            answer.status_code,
            seconds * 1000,
            kept.get("request_id"),
        )


@lru_cache(4096)
def _figures(method: str, route: str, status: int) -> tuple[Any, Any]:
    """The two figures that a request of this kind counts for."""
    return REQUESTS.labels(method, route, status), SECONDS.labels(route)
