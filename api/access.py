"""Who looked at what, what was told to whom, and emergency access."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from flask import Response
from marshmallow import RAISE, Schema, ValidationError, post_load, validates_schema

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
    writing,
)
from api.lines import CSV, NDJSON, csv_lines
from api.plans import recorded_answer
from api.queries import AccessLogQuery, EmergencyQuery, UUIDField, whole_part
from api.schemas import TextField, schema_of
from domain.emergency import EmergencyAccessReviewed, EmergencyAccessTaken
from service.access import Asked

access = Blueprint("access", "access", description="Who looked at what, and why they could")
LOOKS = (
    "look_id", "looked_at", "member_id", "name", "role", "action", "plan_id", "version", "asked",
    "why", "view", "allowed", "address", "request_id", "token_id",
)  # fmt: skip
DISCLOSURES = (
    "disclosed_at", "recipient", "address", "what", "purpose", "legal_basis", "recorded_at",
    "recorded_by", "version", "entry_id",
)  # fmt: skip


class TakingSchema(schema_of(EmergencyAccessTaken)):  # type: ignore[misc] # a derived schema, extended
    """The body that asks for emergency access: to which plan, why, for how long."""

    plan_id = UUIDField()
    client_ref = TextField()

    @validates_schema
    def _one_plan(self, held: dict[str, Any], **_: Any) -> None:
        if ("plan_id" in held) == ("client_ref" in held):
            raise ValidationError("Name the plan: give plan_id, or client_ref.", "plan_id")

    @post_load
    def make(self, held: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The plan, and the entry."""
        plan_id, client_ref = held.pop("plan_id", None), held.pop("client_ref", None)
        return {
            "plan": plan_id or client_ref,
            "data": EmergencyAccessTaken(**held),
        }


class ReviewingSchema(Schema):
    """The body that reviews an emergency access."""

    class Meta:
        """Nothing slips through."""

        unknown = RAISE

    finding = schema_of(EmergencyAccessReviewed)._declared_fields["finding"]  # noqa: SLF001 - the same field
    note = schema_of(EmergencyAccessReviewed)._declared_fields["note"]  # noqa: SLF001 - the same field


def _rows(
    kind: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], cursor: str | None
) -> Response:
    if kind == NDJSON:
        lines = "".join(orjson.dumps(row).decode() + "\n" for row in rows)
    else:
        lines = csv_lines([columns, *([row[name] for name in columns] for row in rows)])
    answer = Response(lines, content_type=f"{kind}; charset=utf-8")
    answer.headers.update(next_link(cursor))
    return answer


@access.get(
    "/v1/access-log", "read_access_log", action="access-log.read", answer="AccessLog", streams=True
)
@access.query(AccessLogQuery)
@takes_query
def read_access_log(query: Mapping[str, Any]) -> Response:
    """Who looked at what, when and why they could; refused attempts, too. Newest first.

    Clinicians see their own looks, supervisors their team's, clients those at their plans, auditors
    and privacy officers all. NDJSON and CSV by `Accept`, page by page.
    """
    kind = wanted_format(JSON, NDJSON, CSV)
    place = from_cursor(query.get("cursor"), (whole_part,))
    wanted = {name: held for name, held in query.items() if name != "cursor"}
    asked = Asked(**wanted, after=place[0] if place else None)
    looks, following = services().access.looks(principal(), asked)
    cursor = to_cursor(None if following is None else [following])
    if kind == JSON:
        answer = json_answer({"looks": looks, "next_cursor": cursor}, headers=next_link(cursor))
    else:
        answer = _rows(kind, LOOKS, looks, cursor)
    answer.vary.add("Accept")
    return answer


@access.get(
    "/v1/plans/<uuid:plan_id>/disclosures",
    "list_disclosures",
    action="plans.disclosures",
    answer="Disclosures",
    streams=True,
)
def list_disclosures(plan_id: UUID) -> Response:
    """The accounting of disclosures: what of the plan was told to whom, oldest first."""
    kind = wanted_format(JSON, NDJSON, CSV)
    shown = services().access.disclosures(principal(), plan_id)
    answer = (
        json_answer({"disclosures": shown})
        if kind == JSON
        else _rows(kind, DISCLOSURES, shown, None)
    )
    answer.vary.add("Accept")
    return answer


@access.post(
    "/v1/emergency-access",
    "take_emergency_access",
    action="emergency.take",
    answer="Recorded",
    status=201,
    creates=True,
)
@access.body(TakingSchema, "EmergencyAccess")
def take_emergency_access(body: dict[str, Any]) -> Response:
    """Look into one plan without being part of it: a typed reason, at most 60 minutes.

    It is on the plan's timeline and the access log, the privacy officer is told at once, and it is to
    be reviewed within 72 hours.
    """
    done = services().emergency.take(principal(), body["plan"], body["data"], writing())
    return recorded_answer(done, f"/v1/plans/{done.plan_id}")


@access.get(
    "/v1/emergency-access",
    "list_emergency_access",
    action="emergency.review",
    answer="EmergencyList",
)
@access.query(EmergencyQuery)
@takes_query
def list_emergency_access(query: Mapping[str, Any]) -> Response:
    """Every emergency access, newest first, with what was made of it."""
    return json_answer({"emergency_access": services().emergency.taken(principal(), **query)})


@access.post(
    "/v1/emergency-access/<uuid:entry_id>/review",
    "review_emergency_access",
    action="emergency.review",
    answer="Recorded",
    status=201,
    creates=True,
)
@access.body(ReviewingSchema, "EmergencyReview")
def review_emergency_access(body: dict[str, Any], entry_id: UUID) -> Response:
    """Say what was made of an emergency access; nobody reviews their own."""
    finding, note = body["finding"], body.get("note")
    done = services().emergency.review(principal(), entry_id, finding, note, writing())
    return recorded_answer(done, f"/v1/plans/{done.plan_id}")
