"""The feed, and webhooks."""

from __future__ import annotations

from typing import Any

from api.described.parts import TEXT, VERSION, WHOLE, group, many, or_null, ref
from api.described.plans import told
from api.schemas import MOMENT_FORMAT, UUID_FORMAT
from domain.entry import TYPES
from service.webhooks.alerts import CARRIES, CONTENT, NAMES

_TOLD_LATER = ("sentence", "late", "corrected_by", "addenda_by", "in_error_by")


_ALWAYS_TOLD = (
    "entry_id", "plan_id", "version", "position", "type", "recorded_at", "command_id",
    "occurred_at", "recorded_by", "data",
)  # fmt: skip


def _cloud_event() -> dict[str, Any]:
    shown = told()["properties"]
    kept = {name: held for name, held in shown.items() if name not in _TOLD_LATER}
    optional = {name: held for name, held in kept.items() if name not in _ALWAYS_TOLD}
    return group(
        specversion={"type": "string", "const": "1.0"},
        id={**UUID_FORMAT, "description": "The entry's id: the same in every feed and delivery."},
        source={**TEXT, "description": "`urn:plan-history:clinic:` and the clinic's id."},
        type={**TEXT, "description": "`org.plan-history.<Type>.v<format>`."},
        subject={**UUID_FORMAT, "description": "The plan; the clinic's id for its own history."},
        time={**MOMENT_FORMAT, "description": "When it occurred."},
        sequence={**TEXT, "description": "The position, padded with zeros: sorts as text."},
        recordedtime={**MOMENT_FORMAT, "description": "When it was recorded."},
        datacontenttype={"type": "string", "const": "application/json"},
        data=group(optional, **{name: kept[name] for name in _ALWAYS_TOLD}),
    )


def _server_sent_event() -> dict[str, Any]:
    data = {"contentMediaType": "application/json", "contentSchema": ref("CloudEvent")}
    event = {"event": {"type": "string", "const": "message"}}
    return group(event, id=UUID_FORMAT, data={**TEXT, **data})


def _place() -> dict[str, Any]:
    return {
        "anyOf": [TEXT, WHOLE],
        "description": "A place in the feed: an entry's id, a position, or `latest`.",
    }


def _webhook() -> dict[str, Any]:
    moment = or_null(MOMENT_FORMAT)
    lane = group(
        plan_id=UUID_FORMAT,
        delivered_up_to=WHOLE,
        attempts=WHOLE,
        due_at=MOMENT_FORMAT,
        parked_at=moment,
        why=or_null(TEXT),
    )
    return group(
        {
            "lanes": {**many(lane), "description": "Plans that are behind, parked ones first."},
            "secrets": many(group(created_at=MOMENT_FORMAT, expires_at=moment)),
        },
        webhook_id=UUID_FORMAT,
        url=TEXT,
        description=TEXT,
        types=many(TEXT),
        plan_id=or_null(UUID_FORMAT),
        member_id=UUID_FORMAT,
        recipient=TEXT,
        carries={"type": "string", "enum": list(CARRIES)},
        created_at=MOMENT_FORMAT,
        status={"type": "string", "enum": ["active", "disabled"]},
        disabled_at=moment,
        disabled_why=or_null(TEXT),
        position=WHOLE,
        behind=WHOLE,
        quiet_until=moment,
        waiting=WHOLE,
        parked=WHOLE,
    )


def _webhook_to_create() -> dict[str, Any]:
    optional = {
        "description": {**TEXT, "maxLength": 200},
        "types": {**many({"type": "string", "enum": list(TYPES)}), "maxItems": 200},
        "plan_id": or_null(UUID_FORMAT),
        "after": {**_place(), "default": "latest"},
        "member_id": {
            **or_null(UUID_FORMAT),
            "description": "The integration it is for; what that may see is what is sent.",
        },
        "recipient": {
            **TEXT,
            "maxLength": 200,
            "description": "By what name clients' consents know it, when it has no member_id.",
        },
        "carries": {
            "type": "string",
            "enum": list(CARRIES),
            "default": CONTENT,
            "description": "`metadata`: for the clinic's own alerting, by an admin or privacy officer – that "
            f"there was an entry of {' or '.join(NAMES)}, of any plan, and nothing of what it says.",
        },
    }
    url = {**TEXT, "format": "uri", "minLength": 1, "maxLength": 2000}
    return group(optional, url=url) | {"additionalProperties": False}


def _deliveries() -> dict[str, Any]:
    attempt = group(
        attempted_at=MOMENT_FORMAT,
        position=VERSION,
        entry_id=UUID_FORMAT,
        plan_id=UUID_FORMAT,
        outcome={"type": "string", "enum": ["delivered", "failed", "parked"]},
        status=or_null({"type": "integer"}),
        why=or_null(TEXT),
        milliseconds=WHOLE,
    )
    return group(deliveries=many(attempt), next_cursor=or_null(TEXT))


def _webhooks() -> dict[str, dict[str, Any]]:
    """The components of the webhooks' routes."""
    secret = group(secret={**TEXT, "description": "Shown this once: `whsec_` and base64."})
    hours = {"type": "integer", "minimum": 0, "maximum": 168, "default": 24}
    closed = {"additionalProperties": False}
    return {
        "WebhookToCreate": _webhook_to_create(),
        "WebhookShown": _webhook(),
        "WebhookWithSecret": {"allOf": [ref("WebhookShown"), secret]},
        "Webhooks": group(webhooks=many(ref("WebhookShown"))),
        "ReplayFrom": group(after=_place()) | closed,
        "Replayed": group(webhook_id=UUID_FORMAT, after=WHOLE),
        "SecretRotation": group({"overlap_hours": hours}) | closed,
        "PlanToUnpark": group({"plan_id": or_null(UUID_FORMAT)}) | closed,
        "Unparked": group(webhook_id=UUID_FORMAT, plans=WHOLE),
        "Deliveries": _deliveries(),
    }


def components() -> dict[str, dict[str, Any]]:
    """By name."""
    return {
        "CloudEvent": _cloud_event(),
        "CloudEvents": many(ref("CloudEvent")),
        "ServerSentEvent": _server_sent_event(),
        **_webhooks(),
    }


def examples() -> dict[str, dict[str, Any]]:
    """Of what is sent, by component."""
    return {
        "WebhookToCreate": {"url": "https://example.org/plan-history", "types": ["GoalSet"]},
        "ReplayFrom": {"after": 0},
        "SecretRotation": {"overlap_hours": 24},
        "PlanToUnpark": {},
    }
