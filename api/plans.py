"""Plans: open one, record entries, read it at any moment, compare two moments, find plans."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from flask import Response
from marshmallow import RAISE, Schema, post_load

from api.blueprint import Blueprint
from api.conventions import (
    from_cursor,
    json_answer,
    next_link,
    not_modified,
    principal,
    services,
    takes_query,
    to_cursor,
    writing,
)
from api.queries import DiffQuery, MomentQuery, PlansQuery, moment_part, uuid_part
from api.schemas import EntryField, EnvelopeSchema, ListField, TruthField, schema_of
from domain.fields import ManyRule, plain_moment
from domain.opening import PlanOpened
from service.finding import PlanFilter, find_plans
from service.plans import Draft, Moment, Recorded, created

MOST = 200
plans = Blueprint("plans", "plans", description="Plans and their entries")


class EntriesSchema(Schema):
    """The body that records entries: 1 to 200, in order, all or none."""

    class Meta:
        """Nothing slips through."""

        unknown = RAISE

    entries = ListField(EntryField(), first=ManyRule(1, MOST), required=True)
    alongside = TruthField(load_default=False)


_ENVELOPE = ("occurred_at", "voiced_by", "reason", "session_id", "causation_id")


class OpeningSchema(schema_of(PlanOpened)):  # type: ignore[misc] # a derived schema, extended
    """The body that opens a plan: the data of PlanOpened, its envelope, and first entries."""

    entries = ListField(EntryField(), first=ManyRule(0, MOST), load_default=())
    alongside = TruthField(load_default=False)
    occurred_at = EnvelopeSchema._declared_fields["occurred_at"]  # noqa: SLF001 - the same field
    voiced_by = EnvelopeSchema._declared_fields["voiced_by"]  # noqa: SLF001 - the same field
    reason = EnvelopeSchema._declared_fields["reason"]  # noqa: SLF001 - the same field
    session_id = EnvelopeSchema._declared_fields["session_id"]  # noqa: SLF001 - the same field
    causation_id = EnvelopeSchema._declared_fields["causation_id"]  # noqa: SLF001 - the same field

    @post_load
    def make(self, held: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The opening as a draft, the entries, and whether it may stand alongside another."""
        rest = {name: held.pop(name) for name in ("entries", "alongside")}
        envelope = {name: held.pop(name) for name in _ENVELOPE if name in held}
        return {"opening": Draft(data=PlanOpened(**held), **envelope), **rest}


def recorded_document(done: Recorded) -> dict[str, Any]:
    """The answer to a request that recorded."""
    return {
        "plan_id": str(done.plan_id),
        "version": done.version,
        "position": done.position,
        "entries": [
            {
                "entry_id": held.entry_id,
                "version": held.version,
                "position": held.position,
                "type": held.type,
                "occurred_at": plain_moment(held.occurred_at),
                "recorded_at": plain_moment(held.recorded_at),
                **created(held),
            }
            for held in done.entries
        ],
        "warnings": list(done.warnings),
    }


def recorded_answer(done: Recorded, location: str) -> Response:
    """The answer to a request that recorded, and where to read what it made."""
    headers = {"Location": location}
    if done.replayed:
        headers["Idempotent-Replay"] = "true"
    return json_answer(recorded_document(done), 201, version=done.version, headers=headers)


@plans.post(
    "/v1/plans", "open_plan", action="plans.open", answer="Recorded", status=201, creates=True
)
@plans.body(OpeningSchema, "PlanOpening")
def open_plan(body: dict[str, Any]) -> Response:
    """Open a plan.

    The body is the data of `PlanOpened`, with first `entries` if there are any. A client has one
    open plan; `alongside: true` opens another beside it.
    """
    request = writing(alongside=body["alongside"])
    done = services().plans.open_plan(principal(), body["opening"], body["entries"], request)
    return recorded_answer(done, f"/v1/plans/{done.plan_id}")


@plans.post(
    "/v1/plans/<uuid:plan_id>/entries",
    "record_entries",
    action="plans.record",
    answer="Recorded",
    status=201,
    writes=True,
)
@plans.body(EntriesSchema, "EntriesToRecord")
def record_entries(body: dict[str, Any], plan_id: UUID) -> Response:
    """Record entries in a plan.

    1 to 200 entries, in order, all or none; later ones may refer to earlier ones of the request.
    """
    request = writing(alongside=body["alongside"])
    done = services().plans.record(principal(), plan_id, body["entries"], request)
    return recorded_answer(done, f"/v1/plans/{plan_id}")


@plans.get(
    "/v1/plans/<uuid:plan_id>", "read_plan", action="plans.read", answer="Plan", conditional=True
)
@plans.query(MomentQuery)
@takes_query
def read_plan(query: Mapping[str, Any], plan_id: UUID) -> Response:
    """Read a plan as it stands, or at another moment.

    `version` and `as_of` say until when entries are known, `effective_at` until when they were
    true; they combine.
    """
    if not query:
        version, document = services().plans.current(principal(), plan_id)
        return not_modified(version) or json_answer(document, version=version)
    asked = Moment(
        version=query.get("version"),
        as_of=query.get("as_of"),
        effective_at=query.get("effective_at"),
    )
    traced = query.get("trace", False)
    version, shown = services().plans.at(principal(), plan_id, asked, traced=traced)
    return not_modified(version) or json_answer(shown, version=version)


@plans.get("/v1/plans/<uuid:plan_id>/diff", "compare_moments", action="plans.read", answer="Diff")
@plans.query(DiffQuery)
@takes_query
def compare_moments(query: Mapping[str, Any], plan_id: UUID) -> Response:
    """Compare two moments of a plan.

    `from` and `to` are versions or moments; each change names the entries that made it.
    """
    before, after = (_point(query[name], query["clock"]) for name in ("from_", "to"))
    one, other, changes = services().plans.diff(principal(), plan_id, before, after)
    shown = {
        "from": {"version": one, **_told(query["from_"])},
        "to": {"version": other, **_told(query["to"])},
        "changes": orjson.Fragment(changes),
    }
    return json_answer(shown)


def _point(point: int | datetime, clock: str) -> Moment:
    if isinstance(point, int):
        return Moment(version=point)
    return Moment(as_of=point) if clock == "recorded" else Moment(effective_at=point)


def _told(point: int | datetime) -> dict[str, str]:
    return {} if isinstance(point, int) else {"moment": plain_moment(point)}


@plans.get("/v1/plans", "find_plans", action="plans.find", answer="PlansFound")
@plans.query(PlansQuery)
@takes_query
def list_plans(query: Mapping[str, Any]) -> Response:
    """Find plans, most recently changed first."""
    place = from_cursor(query.get("cursor"), (moment_part, uuid_part))
    wanted = {name: held for name, held in query.items() if name != "cursor"}
    asked = PlanFilter(**wanted, after=place)
    found, following = find_plans(services().gate, principal(), asked)
    cursor = to_cursor(following)
    return json_answer({"plans": found, "next_cursor": cursor}, headers=next_link(cursor))
