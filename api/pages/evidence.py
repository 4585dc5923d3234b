"""Evidence: one plan with everything that was recorded in it, to print or to hand on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
from flask import abort
from werkzeug.wrappers import Response as AnyResponse

from api.conventions import principal, services
from api.export import exported
from api.pages import words
from api.pages.blueprint import pages, show
from api.pages.plans import plan_facts
from api.pages.seals import paper_of
from service.export.plan import FORMATS
from service.timeline import Filter

MOST = 2_000
"""Entries on one page; longer plans are exported."""


@pages.get("/plans/<uuid:plan_id>/evidence")
def evidence(plan_id: UUID) -> AnyResponse:
    """The plan, and every entry with who and when; made to be printed."""
    who = principal()
    if who.role != "client":  # whoever looks in because of an emergency takes nothing along
        services().gate.see(who, "plans.export", plan_id)
    version, document = services().plans.current(who, plan_id)
    entries = _entries(plan_id)
    seal = services().ledger.of_plan(who, plan_id)
    return show(
        "evidence",
        **plan_facts(orjson.loads(document)),
        version=version,
        entries=entries,
        more=len(entries) >= MOST and version > MOST,
        formats=words.FORMATS,
        seal=seal,
        paper=paper_of(seal),
        made_at=services().clock().isoformat(timespec="seconds"),
    )


@pages.get("/plans/<uuid:plan_id>/evidence/<kind>")
def download(plan_id: UUID, kind: str) -> AnyResponse:
    """The same as a file: for machines, for spreadsheets, or to check it without us."""
    if kind not in FORMATS:
        abort(404)
    return exported(plan_id, kind)


def _entries(plan_id: UUID) -> list[dict[str, Any]]:
    """The entries from the first on, as many as fit."""
    who, read, wanted = principal(), services().timeline.of_plan, Filter(limit=200)
    found: list[dict[str, Any]] = []
    while len(found) < MOST:
        page = read(who, plan_id, wanted)
        found += [orjson.loads(held) for held in page.entries]
        if page.next is None:
            break
        wanted = replace(wanted, after=page.next)
    return found
