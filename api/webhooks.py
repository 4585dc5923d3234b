"""Webhooks: telling other programs what is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import RAISE, Schema
from marshmallow.validate import Length, OneOf, Range

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
from api.queries import DeliveriesQuery, PlaceField, UUIDField, known_type, moment_part, whole_part
from api.schemas import ListField, TextField, WholeField
from domain.fields import ManyRule
from service.webhooks.addresses import LONGEST
from service.webhooks.alerts import CARRIES
from service.webhooks.management import OVERLAP, NewWebhook

webhooks = Blueprint("webhooks", "webhooks", description="Telling other programs what is recorded")
_WEEK = 168


def _length(most: int) -> Length:
    return Length(0, most, error="Must be at most {max} characters.")


class Body(Schema):
    """Base: unknown fields are refused."""

    class Meta:
        """Nothing slips through."""

        unknown = RAISE


class WebhookSchema(Body):
    """A webhook to be made."""

    url = TextField(required=True, validate=_length(LONGEST))
    description = TextField(validate=_length(200))
    types = ListField(TextField(validate=known_type), first=ManyRule(0, 200))
    plan_id = UUIDField(allow_none=True)
    after = PlaceField()
    member_id = UUIDField(allow_none=True)
    recipient = TextField(validate=_length(200))
    carries = TextField(validate=OneOf(CARRIES, error="Must be one of: {choices}."))


class ReplaySchema(Body):
    """From where to deliver again."""

    after = PlaceField(required=True, error_messages={"required": "Is required."})


class RotateSchema(Body):
    """How long the old secret still signs."""

    overlap_hours = WholeField(
        load_default=OVERLAP, validate=Range(0, _WEEK, error="Must be from {min} to {max} hours.")
    )


class UnparkSchema(Body):
    """Which plan to try again; left out, all."""

    plan_id = UUIDField(load_default=None, allow_none=True)


@webhooks.post(
    "/v1/webhooks",
    "create_webhook",
    answer="WebhookWithSecret",
    status=201,
    action="webhooks.manage",
)
@webhooks.body(WebhookSchema, "WebhookToCreate")
def create_webhook(body: dict[str, Any]) -> Response:
    """Tell a program what is recorded from now on; its secret is shown this once."""
    made = services().webhooks.create(principal(), NewWebhook(**body))
    headers = {"Location": f"/v1/webhooks/{made['webhook_id']}"}
    return json_answer(made, 201, headers=headers)


@webhooks.get("/v1/webhooks", "list_webhooks", answer="Webhooks", action="webhooks.manage")
def list_webhooks() -> Response:
    """The webhooks you may mind: an integration its own, an admin all of the clinic."""
    return json_answer({"webhooks": services().webhooks.all(principal())})


@webhooks.get(
    "/v1/webhooks/<uuid:webhook_id>",
    "read_webhook",
    answer="WebhookShown",
    action="webhooks.manage",
)
def read_webhook(webhook_id: UUID) -> Response:
    """One webhook: how far it is, which plans wait or are parked, how old its secrets are."""
    return json_answer(services().webhooks.show(principal(), webhook_id))


@webhooks.delete(
    "/v1/webhooks/<uuid:webhook_id>",
    "delete_webhook",
    answer="nothing",
    status=204,
    action="webhooks.manage",
)
def delete_webhook(webhook_id: UUID) -> Response:
    """Send nothing more, and forget its secrets and its log."""
    services().webhooks.delete(principal(), webhook_id)
    return Response(status=204)


@webhooks.post(
    "/v1/webhooks/<uuid:webhook_id>/disable",
    "disable_webhook",
    answer="WebhookShown",
    action="webhooks.manage",
)
def disable_webhook(webhook_id: UUID) -> Response:
    """Send nothing until it is enabled; it keeps its place."""
    services().webhooks.disable(principal(), webhook_id)
    return json_answer(services().webhooks.show(principal(), webhook_id))


@webhooks.post(
    "/v1/webhooks/<uuid:webhook_id>/enable",
    "enable_webhook",
    answer="WebhookShown",
    action="webhooks.manage",
)
def enable_webhook(webhook_id: UUID) -> Response:
    """Go on where it was, at once; also after a 410 disabled it."""
    services().webhooks.enable(principal(), webhook_id)
    return json_answer(services().webhooks.show(principal(), webhook_id))


@webhooks.post(
    "/v1/webhooks/<uuid:webhook_id>/replay",
    "replay_webhook",
    answer="Replayed",
    action="webhooks.manage",
)
@webhooks.body(ReplaySchema, "ReplayFrom")
def replay_webhook(body: dict[str, Any], webhook_id: UUID) -> Response:
    """Deliver everything after a place in the feed once more, under the same ids."""
    position = services().webhooks.replay(principal(), webhook_id, body["after"])
    return json_answer({"webhook_id": str(webhook_id), "after": position})


@webhooks.post(
    "/v1/webhooks/<uuid:webhook_id>/rotate",
    "rotate_webhook",
    answer="WebhookWithSecret",
    action="webhooks.manage",
)
@webhooks.body(RotateSchema, "SecretRotation")
def rotate_webhook(body: dict[str, Any], webhook_id: UUID) -> Response:
    """A new secret, shown this once; deliveries carry the old signature, too, for a while."""
    return json_answer(services().webhooks.rotate(principal(), webhook_id, body["overlap_hours"]))


@webhooks.post(
    "/v1/webhooks/<uuid:webhook_id>/unpark",
    "unpark_webhook",
    answer="Unparked",
    action="webhooks.manage",
)
@webhooks.body(UnparkSchema, "PlanToUnpark")
def unpark_webhook(body: dict[str, Any], webhook_id: UUID) -> Response:
    """Try again what was parked after too many attempts: one plan's entries or all."""
    done = services().webhooks.unpark(principal(), webhook_id, body["plan_id"])
    return json_answer({"webhook_id": str(webhook_id), "plans": done})


@webhooks.get(
    "/v1/webhooks/<uuid:webhook_id>/deliveries",
    "list_deliveries",
    answer="Deliveries",
    action="webhooks.manage",
)
@webhooks.query(DeliveriesQuery)
@takes_query
def list_deliveries(query: Mapping[str, Any], webhook_id: UUID) -> Response:
    """The delivery log, newest first: what was tried when and how it went, never what was sent."""
    found, place = services().webhooks.deliveries(
        principal(),
        webhook_id,
        outcome=query.get("outcome"),
        limit=query["limit"],
        after=from_cursor(query.get("cursor"), (moment_part, whole_part)),
    )
    cursor = to_cursor(place)
    return json_answer({"deliveries": found, "next_cursor": cursor}, headers=next_link(cursor))
