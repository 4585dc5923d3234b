"""What is owed: across the plans of a clinician or a supervisor's team, and by one plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from flask import Response
from marshmallow import fields
from marshmallow.validate import OneOf

from api.blueprint import Blueprint
from api.conventions import (
    from_cursor,
    json_answer,
    next_link,
    principal,
    services,
    takes_query,
    to_cursor,
)
from api.errors import InvalidQueryError
from api.queries import CountField, Paged, TruthField, uuid_part
from api.schemas import DayField
from service.access import Principal
from service.worklist import KINDS, Place, Wanted

worklist = Blueprint("worklist", "worklist", description="What is owed, and by when")


class WorklistQuery(Paged):
    """Which obligations to list."""

    mine = TruthField(
        metadata={"description": "Of plans whose therapist you are; a clinician's default."}
    )
    team = TruthField(
        metadata={"description": "Of plans whose supervisor you are; a supervisor's default."}
    )
    kind = fields.String(validate=OneOf(KINDS, error="Must be one of: {choices}."))
    overdue = TruthField(metadata={"description": "Due before today (UTC), or not."})
    due_before = DayField(metadata={"description": "Due before this day."})
    at_least = CountField(
        0,
        999_999_999,
        load_default=0,
        metadata={"description": "Wait, up to two seconds, until this position is taken in."},
    )


@worklist.get("/v1/worklist", "read_worklist", action="worklist.read", answer="Worklist")
@worklist.query(WorklistQuery)
@takes_query
def read_worklist(query: Mapping[str, Any]) -> Response:
    """What is owed, soonest due first: to a clinician by their own plans, to a supervisor by their team's.

    With `mine` and `team` both are listed. What has no due day comes last.
    """
    who = principal()
    place = place_of(query.get("cursor"))
    wanted = {name: held for name, held in query.items() if name != "cursor"}
    page = services().worklist.find(who, Wanted(**{**wanted, **_whose(who, query)}, after=place))
    cursor = cursor_of(page.next)
    shown = b'{"obligations":[%b],"next_cursor":%b,"position":%d,"today":"%b"}' % (
        b",".join(page.obligations),
        orjson.dumps(cursor),
        page.position,
        page.today.isoformat().encode(),
    )
    return json_answer(shown, headers=next_link(cursor))


def place_of(cursor: str | None) -> Any:
    """The place behind a cursor of a worklist."""
    return from_cursor(cursor, (_day_part, uuid_part, _kind_part, _about_part))


def cursor_of(place: Place | None) -> str | None:
    """The cursor for where the next page of a worklist begins."""
    return to_cursor(place and [str(part) for part in place])


def _whose(who: Principal, query: Mapping[str, Any]) -> dict[str, bool]:
    """Whose obligations are asked for; each role has its own list unless it says otherwise."""
    mine, team = query.get("mine"), query.get("team")
    if mine is None:
        mine = not team and who.role != "supervisor"
    if team is None:
        team = not mine and who.role == "supervisor"
    if not (mine or team):
        raise InvalidQueryError({"mine": "Ask for mine=true, team=true or both."})
    return {"mine": mine, "team": team}


def _day_part(part: object) -> date:
    """A day from a cursor; raises ValueError when it is none."""
    return date.fromisoformat(str(part))


def _kind_part(part: object) -> str:
    """A kind of obligation from a cursor; raises ValueError when it is none."""
    return KINDS[KINDS.index(str(part))]


def _about_part(part: object) -> str:
    """What an obligation is about, from a cursor; raises ValueError when it is nothing of the kind."""
    return "plan" if part == "plan" else str(uuid_part(part))


@worklist.get(
    "/v1/plans/<uuid:plan_id>/obligations",
    "read_obligations",
    action="plans.read",
    answer="PlanObligations",
)
def read_obligations(plan_id: UUID) -> Response:
    """What a plan owes now, soonest due first."""
    return json_answer(services().worklist.of_plan(principal(), plan_id))
