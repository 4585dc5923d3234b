"""Timelines: a plan's, the clinic's, one entry; as JSON, NDJSON or CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
from flask import Response, request

from api.blueprint import Blueprint
from api.conventions import (
    JSON,
    from_cursor,
    json_answer,
    next_link,
    principal,
    services,
    takes_query,
    to_cursor,
    wanted_format,
)
from api.lines import CSV, NDJSON
from api.queries import (
    ClinicsOwnTimelineQuery,
    ClinicTimelineQuery,
    TimelineQuery,
    moment_part,
    whole_part,
)
from service.export import tables
from service.timeline import Filter, Page

timeline = Blueprint("timeline", "timeline", description="What happened, told for people")


def _filter(query: Mapping[str, Any]) -> Filter:
    held = {name: value for name, value in query.items() if name not in ("cursor", "goal_id")}
    place = from_cursor(query.get("cursor"), (moment_part, whole_part))
    return Filter(**held, about=query.get("goal_id"), after=place)


def _answer(wanted: Filter, read: Callable[[Filter], Page]) -> Response:
    kind = wanted_format(JSON, NDJSON, CSV)
    answer = _as_json(wanted, read) if kind == JSON else _as_lines(kind, wanted, read)
    answer.vary.add("Accept")
    return answer


def _as_json(wanted: Filter, read: Callable[[Filter], Page]) -> Response:
    page = read(wanted)
    cursor = to_cursor(page.next)
    joined = page.joined or ",".join(page.entries).encode()
    shown = b'{"entries":[%b],"next_cursor":%b}' % (joined, orjson.dumps(cursor))
    return json_answer(shown, headers=next_link(cursor))


def _as_lines(kind: str, wanted: Filter, read: Callable[[Filter], Page]) -> Response:
    """One page when a limit is given, else everything, read page by page while it is sent."""
    paged = "limit" in request.args
    first = read(wanted if paged else replace(wanted, limit=200))
    pages = iter([first]) if paged else every_page(first, wanted, read)
    answer = Response(written(kind, pages), content_type=f"{kind}; charset=utf-8")
    answer.headers.update(next_link(to_cursor(first.next) if paged else None))
    return answer


def every_page(first: Page, wanted: Filter, read: Callable[[Filter], Page]) -> Iterator[Page]:
    """The first page and all that follow, each read when its turn comes."""
    page = first
    while True:
        yield page
        if page.next is None:
            return
        page = read(replace(wanted, limit=200, after=page.next))


def written(kind: str, pages: Iterator[Page]) -> Iterator[str]:
    """Pages as lines of NDJSON or CSV."""
    if kind == NDJSON:
        return ("".join(held + "\n" for held in page.entries) for page in pages)
    return tables.timeline(held for page in pages for held in page.entries)


@timeline.get(
    "/v1/plans/<uuid:plan_id>/timeline",
    "plan_timeline",
    action="plans.timeline",
    answer="TimelinePage",
    streams=True,
)
@timeline.query(TimelineQuery)
@takes_query
def plan_timeline(query: Mapping[str, Any], plan_id: UUID) -> Response:
    """A plan's timeline, newest last.

    NDJSON and CSV (by `Accept`) give all entries unless `limit` is given.
    """
    read = services().timeline.of_plan
    who = principal()
    return _answer(_filter(query), lambda wanted: read(who, plan_id, wanted))


@timeline.get(
    "/v1/clinic/timeline",
    "clinics_own_timeline",
    action="clinic.history",
    answer="TimelinePage",
    streams=True,
)
@timeline.query(ClinicsOwnTimelineQuery)
@takes_query
def clinics_own_timeline(query: Mapping[str, Any]) -> Response:
    """What the clinic recorded about itself: its people, supervision, caseload, policy."""
    read = services().timeline.of_clinics_own
    who = principal()
    return _answer(_filter(query), lambda wanted: read(who, wanted))


@timeline.get(
    "/v1/timeline", "clinic_timeline", action="clinic.timeline", answer="TimelinePage", streams=True
)
@timeline.query(ClinicTimelineQuery)
@takes_query
def clinic_timeline(query: Mapping[str, Any]) -> Response:
    """The clinic's timeline: search what was recorded, newest first."""
    read = services().timeline.of_clinic
    who = principal()
    return _answer(_filter(query), lambda wanted: read(who, wanted))


@timeline.get(
    "/v1/plans/<uuid:plan_id>/entries/<uuid:entry_id>",
    "read_entry",
    action="plans.timeline",
    answer="EntryTold",
)
def read_entry(plan_id: UUID, entry_id: UUID) -> Response:
    """One entry with its corrections and addenda, and where its proof is."""
    shown = services().timeline.entry(principal(), plan_id, entry_id)
    return json_answer({**shown, "proof": f"/v1/ledger/proof/{entry_id}"})
