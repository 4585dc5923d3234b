"""What the clinic recorded about itself, told as sentences; what should have said something else begins here."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response as AnyResponse

from api.conventions import from_cursor, services, to_cursor
from api.pages import clinic_words
from api.pages.blueprint import pages, query, require, show
from api.pages.timeline import told
from api.queries import moment_part, whole_part
from domain.clinic import Clinic
from service.timeline import Filter

MOST = 60


@pages.get("/people/history")
def history() -> AnyResponse:
    """People, supervision, caseload, policy, holds and proposals as they came about, newest first."""
    who = require("clinic.history")
    asked = query("type", "cursor")
    kind = asked.get("type") if asked.get("type") in Clinic.TAKES else None
    place = from_cursor(asked.get("cursor"), (moment_part, whole_part))
    page = services().timeline.of_clinics_own(
        who, Filter(type=kind, order="-recorded", limit=MOST, after=place)
    )
    days = told(page, occurred=False)
    shown = [held for _, sessions in days for session in sessions for held in session["entries"]]
    return show(
        "timeline_days" if request.headers.get("HX-Target") == "more" else "history",
        days=days,
        next=to_cursor(page.next),
        amending=services().clinic.amending(who, [held["entry_id"] for held in shown]),
        types=sorted(Clinic.TAKES),
        wanted=kind,
        done=clinic_words.DONE.get(request.args.get("done", "")),
    )
