"""The accounting of disclosures: what of a plan was told to whom, to read, to print and to take along."""

from __future__ import annotations

from uuid import UUID

import orjson
from flask import abort
from werkzeug.wrappers import Response as AnyResponse

from api.access import DISCLOSURES
from api.conventions import from_cursor, principal, services, to_cursor
from api.pages.audit import KINDS, MOST, as_file, clients, rows_as
from api.pages.blueprint import names, pages, query, require, show
from api.queries import moment_part, whole_part
from domain.consents import DisclosureMade
from service.finding import clients_of
from service.timeline import Filter


@pages.get("/audit/disclosures")
def disclosures() -> AnyResponse:
    """The clinic's disclosures, newest first: when, from which plan, by whom; the words are in its accounting."""
    who = require("clinic.timeline")
    place = from_cursor(query("cursor").get("cursor"), (moment_part, whole_part))
    wanted = Filter(type=DisclosureMade.__name__, order="-recorded", limit=MOST, after=place)
    page = services().timeline.of_clinic(who, wanted)
    found = [orjson.loads(held) for held in page.entries]
    return show("disclosures", found=found, next=to_cursor(page.next), clients=clients(who, found))


@pages.get("/plans/<uuid:plan_id>/disclosures")
def accounting(plan_id: UUID) -> AnyResponse:
    """What of one plan was told to whom, oldest first."""
    who = principal()
    found = services().access.disclosures(who, plan_id)
    client = clients_of(services().gate, who, [str(plan_id)]).get(str(plan_id))
    return show("accounting", found=found, plan_id=plan_id, client=client, names=names())


@pages.get("/plans/<uuid:plan_id>/disclosures/<kind>")
def accounting_download(plan_id: UUID, kind: str) -> AnyResponse:
    """The same as a file."""
    if kind not in KINDS:
        abort(404)
    found = services().access.disclosures(principal(), plan_id)
    return as_file(rows_as(kind, DISCLOSURES, found), f"disclosures.{kind}")
