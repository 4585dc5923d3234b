"""What an auditor asks: who recorded what, who looked at what, across the clinic; to look at or to take along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from flask import Response, abort, request
from werkzeug.wrappers import Response as AnyResponse

from api.access import LOOKS
from api.conventions import from_cursor, services, to_cursor
from api.lines import CSV, NDJSON, csv_lines
from api.pages import words
from api.pages.blueprint import names, pages, query, require, show
from api.pages.given import as_day, as_id
from api.pages.language import say
from api.pages.timeline import by_chapter
from api.queries import moment_part, whole_part
from api.timeline import every_page, written
from domain.entry import TYPES
from service.access import Asked, Principal
from service.finding import clients_of
from service.timeline import Filter

MOST = 60
KINDS = {"csv": CSV, "ndjson": NDJSON}
"""What a search can be taken along as."""
SHARED = ("plan", "who", "since", "until", "zone")
"""What is kept when one goes over from the entries to the looks, and back."""


@dataclass(frozen=True, slots=True)
class Search:
    """What a search form gave: the texts as they were typed, what they mean, and what is wrong with them."""

    asked: Mapping[str, str]
    faults: Mapping[str, str]
    plan_id: UUID | None
    client_ref: str | None
    who: UUID | None
    since: datetime | None
    until: datetime | None

    @property
    def shared(self) -> dict[str, str]:
        """What the other search takes over."""
        return {name: self.asked[name] for name in SHARED if name in self.asked}


def search(*more: str) -> Search:
    """The search that the address asks for; a plan goes by its id, or by the client's reference."""
    asked = query(*SHARED, *more)
    plan, zone = asked.get("plan"), asked.get("zone")
    plan_id, who = as_id(plan), as_id(asked.get("who"))
    since, until = as_day(asked.get("since"), zone), as_day(asked.get("until"), zone, days=1)
    wrong = {
        "who": say(words.NOBODY) if asked.get("who") and who is None else "",
        "since": say(words.NO_DAY) if asked.get("since") and since is None else "",
        "until": say(words.NO_DAY) if asked.get("until") and until is None else "",
        "type": say(words.NO_TYPE) if asked.get("type", "") not in ("", *TYPES) else "",
    }
    faults = {name: detail for name, detail in wrong.items() if detail}
    return Search(asked, faults, plan_id, None if plan_id else plan, who, since, until)


@pages.get("/audit")
def audit() -> AnyResponse:
    """Search what was recorded in the clinic, newest first."""
    who, found = require("clinic.timeline"), search("type")
    place = from_cursor(request.args.get("cursor"), (moment_part, whole_part))
    entries: list[dict[str, Any]] = []
    following = None
    if not found.faults:
        page = services().timeline.of_clinic(who, replace(_entries(found), after=place))
        entries, following = [orjson.loads(held) for held in page.entries], to_cursor(page.next)
    return show(
        "audit",
        entries=entries,
        next=following,
        found=found,
        types=by_chapter(),
        people=names(),
        clients=clients(who, entries),
    )


@pages.get("/audit/entries/<kind>")
def audit_download(kind: str) -> AnyResponse:
    """What a search finds, all of it, as a file."""
    who, found = require("clinic.timeline"), search("type")
    if kind not in KINDS or found.faults:
        abort(404)
    read, wanted = services().timeline.of_clinic, replace(_entries(found), limit=200)
    services().gate.looked_through(who, "clinic.timeline", asked=f"timeline as {kind}")
    first = read(who, wanted)
    every = every_page(first, wanted, lambda more: read(who, more))
    return as_file(written(KINDS[kind], every), f"entries.{kind}")


def _entries(found: Search) -> Filter:
    return Filter(
        type=found.asked.get("type"),
        recorded_by=found.who,
        plan_id=found.plan_id,
        client_ref=found.client_ref,
        since=found.since,
        until=found.until,
        order="-recorded",
        limit=MOST,
    )


@pages.get("/audit/looks")
def looks() -> AnyResponse:
    """Who looked at what, newest first; refused attempts, too."""
    who, found = require("access-log.read"), search("refused")
    after = request.args.get("after", "")
    place = int(after) if after.isdecimal() and len(after) < 16 else None
    shown: list[dict[str, Any]] = []
    following = None
    if not found.faults:
        shown, following = services().access.looks(who, replace(_looks(found), after=place))
    return show(
        "looks",
        looks=shown,
        next=following,
        found=found,
        people=names(),
        clients=clients(who, shown),
    )


@pages.get("/audit/looks/<kind>")
def looks_download(kind: str) -> AnyResponse:
    """The same, all of it, as a file."""
    who, found = require("access-log.read"), search("refused")
    if kind not in KINDS or found.faults:
        abort(404)
    services().gate.looked_through(who, "access-log.read", asked=f"access log as {kind}")
    wanted = replace(_looks(found), limit=200)
    first = services().access.looks(who, wanted)
    return as_file(_told(kind, first, wanted, who), f"looks.{kind}")


def _looks(found: Search) -> Asked:
    return Asked(
        member_id=found.who,
        plan_id=found.plan_id,
        client_ref=found.client_ref,
        allowed=False if found.asked.get("refused") else None,
        since=found.since,
        until=found.until,
        limit=MOST,
    )


def _told(
    kind: str, first: tuple[list[dict[str, Any]], int | None], wanted: Asked, who: Principal
) -> Iterator[str]:
    """Looks as lines, read page by page while they are sent."""
    read = services().access.looks
    return rows_as(kind, LOOKS, _every_look(first, wanted, lambda more: read(who, more)))


def _every_look(
    page: tuple[list[dict[str, Any]], int | None], wanted: Asked, read: Any
) -> Iterator[dict[str, Any]]:
    while True:
        yield from page[0]
        if page[1] is None:
            return
        page = read(replace(wanted, after=page[1]))


def rows_as(kind: str, columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Rows as lines of CSV, which no spreadsheet takes for formulas, or of JSON."""
    if kind == "csv":
        yield csv_lines([[*columns]])
    for row in rows:
        yield csv_lines([[row[name] for name in columns]]) if kind == "csv" else _line(row)


def _line(row: Mapping[str, Any]) -> str:
    return orjson.dumps(row).decode() + "\n"


def as_file(lines: Iterator[str], name: str) -> Response:
    """Lines as a file to keep."""
    kind = KINDS[name.rpartition(".")[2]]
    answer = Response(lines, content_type=f"{kind}; charset=utf-8")
    day = services().clock().date().isoformat()
    answer.headers["Content-Disposition"] = f'attachment; filename="{day}-{name}"'
    return answer


def clients(who: Principal, found: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The clients of the plans in a list, as far as one may know them."""
    plan_ids = {held["plan_id"] for held in found if held.get("plan_id")}
    return clients_of(services().gate, who, plan_ids)
