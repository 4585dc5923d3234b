"""AuditEvents: the access log, for those who may read it."""

from __future__ import annotations

import re

from flask import Blueprint, Response

from api.conventions import F, principal, services, takes_query
from api.errors import InvalidQueryError
from api.fhir.asked import as_answered, count, negotiate, once, only_format, pairs
from api.fhir.bundles import resource_answer, searchset
from api.fhir.outcome import BASE
from api.queries import uuid_part
from service.access.looks import Asked
from service.fhir.audit import audit_events, one_audit_event
from service.fhir.facade import Page
from service.fhir.search import span_of

fhir_audit = Blueprint("fhir_audit", __name__, url_prefix=BASE)
fhir_audit.before_request(negotiate)
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
KNOWN = ("date", "agent", "entity", "_count", "_format", "before")


def _reads_log(view: F) -> F:
    """Mark a view as one that reads the access log."""
    view.action = "access-log.read"  # type: ignore[attr-defined] # read in api/auth.py
    return takes_query(view)


@fhir_audit.get("/AuditEvent")
@_reads_log
def search_audit() -> Response:
    """Who looked at what, newest first; `agent` is a member, `entity` a plan, `date` a day."""
    asked = pairs()
    wanted = _wanted(once(asked, *KNOWN))
    found, following = audit_events(services().access, principal(), wanted)
    page = Page(found, [], None)
    return resource_answer(searchset(page, as_answered(asked), older=following))


@fhir_audit.get("/AuditEvent/<look_id>")
@_reads_log
def read_audit(look_id: str) -> Response:
    """One look."""
    only_format()
    number = int(look_id) if _NUMBER.fullmatch(look_id) else 0  # no look has that
    return resource_answer(one_audit_event(services().access, principal(), number))


def _before(given: str | None) -> int | None:
    if given is not None and not _NUMBER.fullmatch(given):
        raise InvalidQueryError({"before": "Must be the number of an AuditEvent."})
    return int(given) if given else None


def _wanted(asked: dict[str, str]) -> Asked:
    for name in asked:
        if name not in KNOWN:
            told = ", ".join(KNOWN)
            raise InvalidQueryError({name[:60]: f"Is not known here; known are: {told}."})
    try:
        since, until = span_of(asked["date"]) if "date" in asked else (None, None)
        return Asked(
            member_id=uuid_part(asked["agent"].rpartition("/")[2]) if "agent" in asked else None,
            plan_id=uuid_part(asked["entity"].rpartition("/")[2]) if "entity" in asked else None,
            since=since,
            until=until,
            limit=count(asked.get("_count")),
            after=_before(asked.get("before")),
        )
    except ValueError as wrong:
        detail = "Must be a day such as 2026-03-31, agent and entity a member's and a plan's id."
        raise InvalidQueryError({"date": detail}) from wrong
