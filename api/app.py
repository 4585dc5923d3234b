"""The Flask application: blueprints, conventions, headers, request ids, metrics."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from flask import Flask, Response, current_app, g, request
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
    """Flask, knowing that no view of ours is asynchronous."""

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
    app.before_request(_refuse_broken_query)
    app.before_request(_refuse_unknown_query)
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
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
    said_from(Origin(address=request.remote_addr, request_id=g.request_id))


def _refuse_broken_query() -> None:
    try:
        request.query_string.decode()
    except UnicodeDecodeError as broken:
        request.query_string = b""  # whoever tells of the refusal reads it, too
        told = "The address is not UTF-8; encode it so, with %C3%A9 for é."
        raise MalformedRequestError(told) from broken


def _refuse_unknown_query() -> None:
    if not request.query_string or request.endpoint is None or request.blueprint == "pages":
        return  # a page goes by the parameters it knows; an old bookmark still opens
    view = current_app.view_functions[request.endpoint]
    if not getattr(view, "takes_query", False) and request.endpoint != "static":
        raise InvalidQueryError(
            {
                name[:60]: "Is not known here; this address takes no parameters."
                for name in request.args
            }
        )


def _finish(answer: Response) -> Response:
    headers = answer.headers
    said = set(headers.keys())
    headers.extend([held for held in _HEADERS.items() if held[0] not in said])
    if request.is_secure:
        headers["Strict-Transport-Security"] = _TRANSPORT
    headers["X-Request-ID"] = g.get("request_id", "")
    traceparent = request.headers.get("traceparent", "")
    if _TRACEPARENT.fullmatch(traceparent):
        headers["traceparent"] = traceparent
    _count(answer)
    return answer


def _count(answer: Response) -> None:
    """Figures and one line in the log; the labels are few, whatever callers make up."""
    route = request.url_rule.rule if request.url_rule else "(none)"
    method = request.method if request.method in _METHODS else "(other)"
    REQUESTS.labels(method, route, answer.status_code).inc()
    seconds = time.perf_counter() - g.get("started", time.perf_counter())
    SECONDS.labels(route).observe(seconds)
    if log.isEnabledFor(logging.INFO):
        log.info(
            "%s %s %s %.1f ms %s",
            method,
            route,
            answer.status_code,
            seconds * 1000,
            g.get("request_id"),
        )
