"""The OpenAPI 3.1 description: what flask-smorest cannot derive, and where it is served."""

from __future__ import annotations

from typing import Any

from flask_smorest import Api

from api.answers import HEADERS
from api.examples import entry_example, group_example
from api.links import add_links
from api.plan_shown import plan_component
from api.schemas import MOMENT_FORMAT, UUID_FORMAT, component_of, entry_components, envelope_of
from domain.emergency import EmergencyAccessReviewed, EmergencyAccessTaken
from domain.entry import EVERY_TYPE, VOICES, Author
from domain.opening import PlanOpened
from domain.policy import Policy
from domain.proposals import MOST
from service.access import ACCESS, RELATIONS, ROLES, STRANGER, VIEWS
from service.finding import STATUSES
from service.proposals import DOING
from service.proposals import STATUSES as PROPOSAL_STATUSES
from service.webhooks.alerts import CARRIES, CONTENT, NAMES
from service.worklist import KINDS

SETTINGS: dict[str, Any] = {
    "API_TITLE": "Plan History",
    "API_VERSION": "v1",
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": "/",
    "OPENAPI_JSON_PATH": "openapi.json",
    "API_SPEC_OPTIONS": {
        "info": {
            "description": "Therapy treatment plans as living documents: the current state and the "
            "full audit timeline.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}],
    },
}
_WHOLE = {"type": "integer", "minimum": 0}
_VERSION = {"type": "integer", "minimum": 1}
_TEXT = {"type": "string"}
_OBJECT = {"type": "object"}
_WHY = {"text": "Decided in the team meeting"}
_DAY = {"type": "string", "format": "date"}
_MONTH: dict[str, Any] = {"type": "string", "pattern": "^(1[89]|2[0-9])[0-9]{2}-(0[1-9]|1[0-2])$"}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _many(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema}


def _group(optional: dict[str, Any] | None = None, **required: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _opening() -> dict[str, Any]:
    data, envelope = component_of(PlanOpened), envelope_of(PlanOpened)["properties"]
    extra = {name: held for name, held in envelope.items() if name not in ("type", "data")}
    extra["entries"] = {"type": "array", "items": _ref("Entry"), "maxItems": 200}
    extra["alongside"] = {"type": "boolean", "default": False}
    return {**data, "properties": {**data["properties"], **extra}}


def _told() -> dict[str, Any]:
    optional = {
        "sentence": {**_TEXT, "description": "Left out, like data, for readers without content."},
        "data": _OBJECT,
        "voiced_by": {"type": "string", "enum": list(VOICES)},
        "reason": _ref("Reason"),
        "session_id": UUID_FORMAT,
        "causation_id": UUID_FORMAT,
        "corrected_by": _many(_VERSION),
        "addenda_by": _many(_VERSION),
        "in_error_by": _or_null(_VERSION),
    }
    return _group(
        optional,
        entry_id=UUID_FORMAT,
        plan_id=UUID_FORMAT,
        version=_VERSION,
        position=_VERSION,
        type=_TEXT,
        occurred_at=MOMENT_FORMAT,
        recorded_at=MOMENT_FORMAT,
        late={"type": "boolean"},
        recorded_by=component_of(Author),
        command_id=UUID_FORMAT,
    )


def _recorded() -> dict[str, Any]:
    entry = _group(
        entry_id=UUID_FORMAT,
        version=_VERSION,
        position=_VERSION,
        type=_TEXT,
        occurred_at=MOMENT_FORMAT,
        recorded_at=MOMENT_FORMAT,
    )
    entry["additionalProperties"] = UUID_FORMAT
    return _group(
        plan_id=UUID_FORMAT,
        version=_VERSION,
        position=_VERSION,
        entries=_many(entry),
        warnings=_many(_OBJECT),
    )


def _found() -> dict[str, Any]:
    plan = _group(
        plan_id=UUID_FORMAT,
        version=_VERSION,
        position=_VERSION,
        status={"type": "string", "enum": list(STATUSES)},
        client=_group(ref=_TEXT, label=_or_null(_TEXT)),
        therapist_id=UUID_FORMAT,
        supervisor_id=_or_null(UUID_FORMAT),
        opened_at=MOMENT_FORMAT,
        changed_at=MOMENT_FORMAT,
    )
    return _group(plans=_many(plan), next_cursor=_or_null(_TEXT))


def _diff() -> dict[str, Any]:
    point = _group({"moment": MOMENT_FORMAT}, version=_VERSION)
    change = _group(
        path=_TEXT,
        kind={"type": "string", "enum": ["added", "removed", "changed"]},
        before={},
        after={},
        entries=_many(_VERSION),
    )
    return _group(**{"from": point, "to": point, "changes": _many(change)})


def _member() -> dict[str, Any]:
    return _group(
        member_id=UUID_FORMAT,
        name=_TEXT,
        role={"type": "string", "enum": list(ROLES)},
        credential=_or_null(_TEXT),
        status={"type": "string", "enum": ["present", "left"]},
        since=MOMENT_FORMAT,
        left_at=_or_null(MOMENT_FORMAT),
        supervisor_id=_or_null(UUID_FORMAT),
        caseload=_many(UUID_FORMAT),
        client_ref=_or_null(_TEXT),
    )


def _obligation(**more: Any) -> dict[str, Any]:
    return _group(
        kind={"type": "string", "enum": list(KINDS)},
        about={**_TEXT, "description": "The id of an entry or goal, or `plan`."},
        since=MOMENT_FORMAT,
        due_on=_or_null(_DAY),
        overdue={"type": "boolean"},
        words=_TEXT,
        **more,
    )


def _worklist() -> dict[str, Any]:
    owed = _obligation(
        plan_id=UUID_FORMAT,
        client=_group(ref=_TEXT, label=_TEXT),
        therapist_id=UUID_FORMAT,
        supervisor_id=_or_null(UUID_FORMAT),
    )
    return _group(obligations=_many(owed), next_cursor=_or_null(_TEXT), position=_WHOLE, today=_DAY)


def _measures() -> dict[str, Any]:
    number = {"type": "number"}
    series = _group(
        goal_id=_or_null(UUID_FORMAT),
        name=_TEXT,
        unit=_or_null(_TEXT),
        instrument=_or_null(_TEXT),
        direction=_or_null(_TEXT),
        baseline=_or_null(number),
        target=_or_null(number),
        values=_many(_group(at=MOMENT_FORMAT, value=number, by=_TEXT, version=_VERSION)),
        annotations=_many(_group(at=MOMENT_FORMAT, type=_TEXT, version=_VERSION, sentence=_TEXT)),
    )
    return _group(plan_id=UUID_FORMAT, series=_many(series))


def _figures() -> dict[str, Any]:
    counted: dict[str, Any] = {"month": _MONTH, "count": _WHOLE}
    ended = _group(**counted, status=_TEXT, outcome=_or_null(_TEXT))
    swaps: dict[str, Any] = {"from": _TEXT, "to": _TEXT, "count": _WHOLE}
    relapses = ("noted", "answered_in_time", "answered_late", "open")
    reviews = ("held_in_time", "held_late", "overdue")
    return _group(
        **{"from": _MONTH, "to": _MONTH},
        today=_DAY,
        plans=_group(opened=_many(_group(**counted)), closed=_many(ended)),
        relapses=_group(**dict.fromkeys(relapses, _WHOLE)),
        reviews=_group(**dict.fromkeys(reviews, _WHOLE)),
        swaps=_many(_group(**swaps)),
    )


def _look() -> dict[str, Any]:
    return _group(
        look_id=_VERSION,
        looked_at=MOMENT_FORMAT,
        member_id=UUID_FORMAT,
        name=_TEXT,
        role={"type": "string", "enum": [*ROLES, STRANGER]},
        action={"type": "string", "enum": sorted(ACCESS)},
        plan_id=_or_null(UUID_FORMAT),
        version=_or_null(_VERSION),
        asked=_or_null(_TEXT),
        why=_or_null({"type": "string", "enum": list(RELATIONS)}),
        view=_or_null({"type": "string", "enum": list(VIEWS)}),
        allowed={"type": "boolean"},
        address=_or_null(_TEXT),
        request_id=_or_null(_TEXT),
        token_id=UUID_FORMAT,
    )


def _disclosure() -> dict[str, Any]:
    return _group(
        entry_id=UUID_FORMAT,
        version=_VERSION,
        disclosed_at=MOMENT_FORMAT,
        recorded_at=MOMENT_FORMAT,
        recorded_by=_TEXT,
        recipient=_TEXT,
        address=_or_null(_TEXT),
        what=_TEXT,
        purpose=_TEXT,
        legal_basis=_or_null(_TEXT),
    )


def _emergency() -> dict[str, dict[str, Any]]:
    taking = component_of(EmergencyAccessTaken)
    reviewing = component_of(EmergencyAccessReviewed)
    plan: dict[str, Any] = {"plan_id": UUID_FORMAT, "client_ref": _TEXT}
    said = {
        name: held for name, held in reviewing["properties"].items() if name != "access_entry_id"
    }
    shown = _group(
        plan_id=UUID_FORMAT,
        entry_id=UUID_FORMAT,
        at=MOMENT_FORMAT,
        by=_OBJECT,
        why=_TEXT,
        expires_at=MOMENT_FORMAT,
        status={"type": "string", "enum": ["open", "reviewed"]},
        finding=_or_null(_TEXT),
        reviewed_at=_or_null(MOMENT_FORMAT),
    )
    return {
        "EmergencyAccess": {
            **taking,
            "properties": {**plan, **taking["properties"]},
            "oneOf": [{"required": ["plan_id"]}, {"required": ["client_ref"]}],
        },
        "EmergencyReview": {**reviewing, "properties": said, "required": ["finding"]},
        "EmergencyList": _group(emergency_access=_many(shown)),
    }


def _proposals() -> dict[str, dict[str, Any]]:
    """The components of the routes of proposals."""
    role = {"type": "string", "enum": list(ROLES)}
    word = _group({"reason": _ref("Reason")}, by=component_of(Author), at=MOMENT_FORMAT)
    entry = _group({"reason": _ref("Reason")}, type=_TEXT, sentence=_TEXT, data=_OBJECT)
    closed = {"additionalProperties": False}
    entries = {"type": "array", "items": _ref("ProposedEntry"), "minItems": 1, "maxItems": MOST}
    return {
        "ProposalToMake": _group(entries=entries, reason=_ref("Reason")) | closed,
        "ErasureToAskFor": _group(
            {"before_retention_ends": {"type": "boolean", "default": False}}, reason=_ref("Reason")
        )
        | closed,
        "WordOnProposal": _group({"reason": _or_null(_ref("Reason"))}) | closed,
        "ReasonedWordOnProposal": _group(reason=_ref("Reason")) | closed,
        "Proposal": _group(
            proposal_id=UUID_FORMAT,
            entry_id=UUID_FORMAT,
            version=_VERSION,
            status={"type": "string", "enum": list(PROPOSAL_STATUSES)},
            proposed=word,
            entries=_many(entry),
            approved_by=_many(role),
            approvals_needed=_VERSION,
            approvals=_many(word),
            closed=_or_null(word),
            may=_many({"type": "string", "enum": list(DOING)}),
        ),
        "Proposals": _group(proposals=_many(_ref("Proposal")), next_cursor=_or_null(_TEXT)),
    }


def _cloud_event() -> dict[str, Any]:
    told = _told()["properties"]
    kept = {name: held for name, held in told.items() if name not in _TOLD_LATER}
    optional = {name: held for name, held in kept.items() if name not in _ALWAYS_TOLD}
    return _group(
        specversion={"type": "string", "const": "1.0"},
        id={**UUID_FORMAT, "description": "The entry's id: the same in every feed and delivery."},
        source={**_TEXT, "description": "`urn:plan-history:clinic:` and the clinic's id."},
        type={**_TEXT, "description": "`org.plan-history.<Type>.v<format>`."},
        subject={**UUID_FORMAT, "description": "The plan; the clinic's id for its own history."},
        time={**MOMENT_FORMAT, "description": "When it occurred."},
        sequence={**_TEXT, "description": "The position, padded with zeros: sorts as text."},
        recordedtime={**MOMENT_FORMAT, "description": "When it was recorded."},
        datacontenttype={"type": "string", "const": "application/json"},
        data=_group(optional, **{name: kept[name] for name in _ALWAYS_TOLD}),
    )


def _server_sent_event() -> dict[str, Any]:
    data = {"contentMediaType": "application/json", "contentSchema": _ref("CloudEvent")}
    event = {"event": {"type": "string", "const": "message"}}
    return _group(event, id=UUID_FORMAT, data={**_TEXT, **data})


def _place() -> dict[str, Any]:
    return {
        "anyOf": [_TEXT, _WHOLE],
        "description": "A place in the feed: an entry's id, a position, or `latest`.",
    }


def _webhook() -> dict[str, Any]:
    moment = _or_null(MOMENT_FORMAT)
    lane = _group(
        plan_id=UUID_FORMAT,
        delivered_up_to=_WHOLE,
        attempts=_WHOLE,
        due_at=MOMENT_FORMAT,
        parked_at=moment,
        why=_or_null(_TEXT),
    )
    return _group(
        {
            "lanes": {**_many(lane), "description": "Plans that are behind, parked ones first."},
            "secrets": _many(_group(created_at=MOMENT_FORMAT, expires_at=moment)),
        },
        webhook_id=UUID_FORMAT,
        url=_TEXT,
        description=_TEXT,
        types=_many(_TEXT),
        plan_id=_or_null(UUID_FORMAT),
        member_id=UUID_FORMAT,
        recipient=_TEXT,
        carries={"type": "string", "enum": list(CARRIES)},
        created_at=MOMENT_FORMAT,
        status={"type": "string", "enum": ["active", "disabled"]},
        disabled_at=moment,
        disabled_why=_or_null(_TEXT),
        position=_WHOLE,
        behind=_WHOLE,
        quiet_until=moment,
        waiting=_WHOLE,
        parked=_WHOLE,
    )


def _webhook_to_create() -> dict[str, Any]:
    optional = {
        "description": {**_TEXT, "maxLength": 200},
        "types": {**_many({"type": "string", "enum": list(EVERY_TYPE)}), "maxItems": 200},
        "plan_id": _or_null(UUID_FORMAT),
        "after": {**_place(), "default": "latest"},
        "member_id": {
            **_or_null(UUID_FORMAT),
            "description": "The integration it is for; what that may see is what is sent.",
        },
        "recipient": {
            **_TEXT,
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
    url = {**_TEXT, "format": "uri", "minLength": 1, "maxLength": 2000}
    return _group(optional, url=url) | {"additionalProperties": False}


def _deliveries() -> dict[str, Any]:
    attempt = _group(
        attempted_at=MOMENT_FORMAT,
        position=_VERSION,
        entry_id=UUID_FORMAT,
        plan_id=UUID_FORMAT,
        outcome={"type": "string", "enum": ["delivered", "failed", "parked"]},
        status=_or_null({"type": "integer"}),
        why=_or_null(_TEXT),
        milliseconds=_WHOLE,
    )
    return _group(deliveries=_many(attempt), next_cursor=_or_null(_TEXT))


def _webhooks() -> dict[str, dict[str, Any]]:
    """The components of the webhooks' routes."""
    secret = _group(secret={**_TEXT, "description": "Shown this once: `whsec_` and base64."})
    hours = {"type": "integer", "minimum": 0, "maximum": 168, "default": 24}
    closed = {"additionalProperties": False}
    return {
        "WebhookToCreate": _webhook_to_create(),
        "WebhookShown": _webhook(),
        "WebhookWithSecret": {"allOf": [_ref("WebhookShown"), secret]},
        "Webhooks": _group(webhooks=_many(_ref("WebhookShown"))),
        "ReplayFrom": _group(after=_place()) | closed,
        "Replayed": _group(webhook_id=UUID_FORMAT, after=_WHOLE),
        "SecretRotation": _group({"overlap_hours": hours}) | closed,
        "PlanToUnpark": _group({"plan_id": _or_null(UUID_FORMAT)}) | closed,
        "Unparked": _group(webhook_id=UUID_FORMAT, plans=_WHOLE),
        "Deliveries": _deliveries(),
    }


_TOLD_LATER = ("sentence", "late", "corrected_by", "addenda_by", "in_error_by")
_ALWAYS_TOLD = (
    "entry_id", "plan_id", "version", "position", "type", "recorded_at", "command_id",
    "occurred_at", "recorded_by", "data",
)  # fmt: skip


def _problem() -> dict[str, Any]:
    where = {"pointer": _TEXT, "parameter": _TEXT}
    return _group(
        {"errors": _many(_group(where, detail=_TEXT))},
        type=_TEXT,
        title=_TEXT,
        status={"type": "integer"},
        detail=_TEXT,
        instance=_TEXT,
        request_id=_or_null(_TEXT),
        code=_TEXT,
    )


def components() -> dict[str, dict[str, Any]]:
    """Every component by name."""
    told = _told()
    full = _group(corrections=_many(_ref("EntryShown")), addenda=_many(_ref("EntryShown")),
                  marked_in_error=_or_null(_ref("EntryShown")))  # fmt: skip
    yes = {"type": "boolean"}
    kind = _group(
        type=_TEXT,
        chapter=_TEXT,
        topic=_TEXT,
        sentence=_TEXT,
        reason_required=yes,
        taken_when_closed=yes,
        released_to_client=yes,
        recorded_only_by=_or_null(_TEXT),
        recorded_by_roles=_many(_TEXT),
        fields=_OBJECT,
    )
    lag = _group(entries_behind=_WHOLE, clinics_behind=_WHOLE, stopped=_WHOLE)
    return {
        **entry_components(),
        "PlanOpening": _opening(),
        "EntriesToRecord": _group(
            {"alongside": {"type": "boolean", "default": False}},
            entries={"type": "array", "items": _ref("Entry"), "minItems": 1, "maxItems": 200},
        )
        | {"additionalProperties": False},
        "Recorded": _recorded(),
        "Plan": plan_component(),
        "PlansFound": _found(),
        "Diff": _diff(),
        "EntryShown": told,
        "EntryTold": {"allOf": [_ref("EntryShown"), full]},
        "TimelinePage": _group(entries=_many(_ref("EntryShown")), next_cursor=_or_null(_TEXT)),
        "CloudEvent": _cloud_event(),
        "CloudEvents": _many(_ref("CloudEvent")),
        "ServerSentEvent": _server_sent_event(),
        **_webhooks(),
        "Worklist": _worklist(),
        "PlanObligations": _group(
            plan_id=UUID_FORMAT,
            version=_VERSION,
            obligations=_many(_obligation()),
            today=_DAY,
        ),
        "Measures": _measures(),
        "Figures": _figures(),
        "EntryTypes": _group(entry_types=_many(kind), techniques=_OBJECT),
        "Me": _group(
            clinic_id=UUID_FORMAT,
            member_id=UUID_FORMAT,
            name=_TEXT,
            role={"type": "string", "enum": list(ROLES)},
            credential=_or_null(_TEXT),
            may=_many(_TEXT),
            proposals_waiting=_WHOLE,
        ),
        **_proposals(),
        "ClinicEntriesToRecord": _group(
            entries={"type": "array", "items": _ref("ClinicEntry"), "minItems": 1, "maxItems": 200},
        )
        | {"additionalProperties": False},
        "Clinic": _group(
            clinic_id=UUID_FORMAT,
            version=_WHOLE,
            position=_WHOLE,
            name=_TEXT,
            policy=component_of(Policy),
            members=_many(_member()),
            legal_holds=_many(_OBJECT),
            erasures=_many(_OBJECT),
        ),
        "Members": _group(members=_many(_member())),
        "Alive": _group(alive={"type": "boolean"}),
        "Ready": _group(
            ready={"type": "boolean"},
            database=_TEXT,
            migrations_pending=_many(_TEXT),
            projections={"type": "object", "additionalProperties": lag},
            projections_stopped=_WHOLE,
        ),
        "AccessLog": _group(looks=_many(_look()), next_cursor=_or_null(_TEXT)),
        "Disclosures": _group(disclosures=_many(_disclosure())),
        **_emergency(),
        "Problem": _problem(),
    }


def examples() -> dict[str, dict[str, Any]]:
    """What is sent, by component: an entry of every type, and the requests that hold them."""
    shown = {name: entry_example(cls) for name, cls in EVERY_TYPE.items()}
    return {
        **shown,
        "PlanOpening": group_example(PlanOpened),
        "EntriesToRecord": {"entries": [shown["GoalSet"]]},
        "ClinicEntriesToRecord": {"entries": [shown["MemberJoined"]]},
        "ProposalToMake": {"reason": _WHY, "entries": [shown["MemberJoined"]]},
        "ErasureToAskFor": {"reason": _WHY, "before_retention_ends": True},
        "WordOnProposal": {},
        "ReasonedWordOnProposal": {"reason": _WHY},
        "EmergencyAccess": {"client_ref": "c-1", **group_example(EmergencyAccessTaken)},
        "EmergencyReview": {"finding": "justified"},
        "WebhookToCreate": {"url": "https://example.org/plan-history", "types": ["GoalSet"]},
        "ReplayFrom": {"after": 0},
        "SecretRotation": {"overlap_hours": 24},
        "PlanToUnpark": {},
    }


def link(api: Api) -> None:
    """Say where answers lead, once all routes are described."""
    add_links(api.spec._paths)  # noqa: SLF001 - apispec shows its paths only as a finished document


def describe(api: Api) -> None:
    """Add the components and how to sign in; take out what flask-smorest adds and nobody uses."""
    shown = examples()
    for name, schema in components().items():
        example = {"examples": [shown[name]]} if name in shown else {}
        api.spec.components.schema(name, {**schema, **example})
    for name, header in HEADERS.items():
        api.spec.components.header(name, header)
    for unused in ("Error", "PaginationMetadata"):
        api.spec.components.schemas.pop(unused, None)
    api.spec.components.security_scheme(
        "token",
        {"type": "http", "scheme": "bearer", "description": "From `plan-history token issue`."},
    )
