"""The query parameters of the routes, as marshmallow schemas."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from marshmallow import RAISE, Schema, ValidationError, fields
from marshmallow.validate import Length, OneOf, Range

from api.parsing import moment
from api.schemas import MomentField
from domain.clinic import Clinic
from domain.entry import EVERY_TYPE, TYPES, VOICES
from domain.fields import plain_moment
from service.access import ACCESS, ROLES
from service.finding import STATUSES
from service.proposals import STATUSES as STATUSES_OF_PROPOSALS
from service.timeline import ORDERS
from service.webhooks.management import OUTCOMES

_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
_PLACE = re.compile(
    r"latest|\d{1,19}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE
)
_LAST = 2_147_483_647
POINT = [
    {"type": "integer", "minimum": 1, "maximum": 999_999_999},
    {"type": "string", "format": "date-time"},
]
"""How a version or a moment is described."""
_CHOOSE = "Must be one of: {choices}."


class Query(Schema):
    """Base: unknown parameters are refused."""

    class Meta:
        """Nothing slips through."""

        unknown = RAISE


class UUIDField(fields.UUID):
    """A UUID, with a sentence when it is none."""

    default_error_messages = {"invalid_uuid": "Must be a UUID."}  # noqa: RUF012 - marshmallow's own name and type


class CountField(fields.Integer):
    """A whole number in plain digits, from ``least`` to ``most``."""

    def __init__(self, least: int, most: int, **given: Any) -> None:
        range_ = Range(least, most, error="Must be a whole number from {min} to {max}.")
        super().__init__(validate=range_, **given)

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int:
        return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else -1


class TruthField(fields.Boolean):
    """true or false."""

    truthy = {"true"}  # noqa: RUF012 - as above
    falsy = {"false"}  # noqa: RUF012 - as above
    default_error_messages = {"invalid": "Must be true or false."}  # noqa: RUF012 - as above


def _choice(choices: tuple[str, ...], **given: Any) -> fields.String:
    return fields.String(validate=OneOf(choices, error=_CHOOSE), **given)


def _text(most: int = 200) -> fields.String:
    return fields.String(validate=Length(1, most, error="Must be {min} to {max} characters."))


class MomentQuery(Query):
    """Which moment of a plan."""

    version = CountField(1, 999_999_999, metadata={"description": "Known until this version."})
    as_of = MomentField(metadata={"description": "Known until this recorded time (RFC 3339)."})
    effective_at = MomentField(metadata={"description": "True until this time (RFC 3339)."})
    trace = TruthField(
        metadata={"description": "Add `entries`: JSON pointer → version of the entry that set it."}
    )


class Paged(Query):
    """A page of a list."""

    limit = CountField(1, 200, load_default=50, metadata={"description": "1 to 200."})
    cursor = _text(400)


class TimelineQuery(Paged):
    """Which entries of a plan's timeline."""

    type = _choice(tuple(TYPES))
    recorded_by = UUIDField(metadata={"description": "The member who recorded it."})
    voiced_by = _choice(VOICES)
    goal_id = UUIDField(metadata={"description": "Entries about this goal."})
    since = MomentField(metadata={"description": "From this moment on, by the clock of `order`."})
    until = MomentField(metadata={"description": "Before this moment, by the clock of `order`."})
    order = _choice(
        ORDERS,
        load_default="recorded",
        metadata={"description": "`recorded` or `occurred`, newest last; with `-` newest first."},
    )


class ClinicsOwnTimelineQuery(TimelineQuery):
    """Which entries of those that a clinic recorded about itself."""

    type = _choice(tuple(Clinic.TAKES))


class ClinicTimelineQuery(TimelineQuery):
    """Which entries of the clinic's timeline."""

    type = _choice(tuple(EVERY_TYPE))
    plan_id = UUIDField()
    client_ref = _text(120)
    order = _choice(ORDERS, load_default="-recorded")


class TypesField(fields.Field[Any]):
    """Names of entry types with commas between them."""

    def _deserialize(
        self, value: str, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(value.split(",")))
        for name in names:
            known_type(name)
        return names


def known_type(name: str) -> None:
    """Refuse a name that is not that of an entry type of plans: of others nobody is told."""
    if name in TYPES:
        return
    if name in EVERY_TYPE:
        raise ValidationError(f"{name} is an entry of the clinic itself; these tell of plans.")
    shown = name[:60]
    raise ValidationError(f"There is no entry type “{shown}”; GET /v1/entry-types lists them all.")


class PlaceField(fields.Field[Any]):
    """A place in the feed: an entry's id, a position, or ``latest``."""

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text = "" if isinstance(value, bool) else str(value)
        if not _PLACE.fullmatch(text):
            raise ValidationError("Must be an entry's id, a position such as 42, or latest.")
        return text


class FollowQuery(Query):
    """Which entries to follow, and after which."""

    last_event_id = PlaceField(
        data_key="lastEventId",
        load_default="0",
        metadata={
            "description": "The last entry you have: its id or position. `latest`: skip all.",
            "type": "string",
            "pattern": "^(latest|\\d{1,19}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$",
        },
    )
    type = TypesField(
        load_default=tuple,
        metadata={
            "description": "Entry types of plans, with commas between them.",
            "type": "string",
            "pattern": "^[A-Za-z]+(,[A-Za-z]+)*$",
        },
    )
    plan_id = UUIDField(load_default=None)


class FeedQuery(FollowQuery):
    """Which part of the feed, and how long to wait for it."""

    limit = CountField(1, 200, load_default=100, metadata={"description": "1 to 200."})
    timeout = CountField(
        0,
        30_000,
        load_default=0,
        metadata={"description": "Milliseconds to wait when there is nothing yet, 0 to 30000."},
    )


class DeliveriesQuery(Paged):
    """Which attempts to deliver."""

    outcome = _choice(OUTCOMES)


class PlansQuery(Paged):
    """Which plans to find."""

    client_ref = _text(120)
    therapist_id = UUIDField()
    supervisor_id = UUIDField()
    status = _choice(STATUSES)
    q = _text(120)


class MembersQuery(Query):
    """Which members."""

    role = _choice(ROLES)
    status = _choice(("present", "left"))


class ProposalsQuery(Paged):
    """Which proposals."""

    status = _choice(STATUSES_OF_PROPOSALS)


class ClinicMomentQuery(Query):
    """Which moment of the clinic."""

    version = MomentQuery._declared_fields["version"]  # noqa: SLF001 - the same parameter
    as_of = MomentQuery._declared_fields["as_of"]  # noqa: SLF001 - the same parameter
    effective_at = MomentQuery._declared_fields["effective_at"]  # noqa: SLF001 - the same parameter


class PointField(fields.Field[Any]):
    """A version or an RFC 3339 moment."""

    def _deserialize(
        self, value: str, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int | datetime:
        if _WHOLE.fullmatch(value):
            if int(value) == 0:
                raise ValidationError("Versions begin at 1.")
            return int(value)
        try:
            return moment(value)
        except ValueError:
            raise ValidationError(
                "Must be a version such as 12 or a moment such as 2026-03-31T09:30:00Z."
            ) from None


class DiffQuery(Query):
    """The two moments to compare, and on which clock moments are meant."""

    from_ = PointField(
        data_key="from",
        required=True,
        error_messages={"required": "Is required."},
        metadata={"description": "The earlier version or moment.", "anyOf": POINT},
    )
    to = PointField(
        required=True,
        error_messages={"required": "Is required."},
        metadata={"description": "The later version or moment.", "anyOf": POINT},
    )
    clock = _choice(
        ("recorded", "effective"),
        load_default="recorded",
        metadata={"description": "Whether moments are as recorded (default) or as true."},
    )


class AccessLogQuery(Paged):
    """Which looks."""

    member_id = UUIDField(metadata={"description": "Who looked."})
    plan_id = UUIDField()
    action = _choice(tuple(sorted(ACCESS)))
    allowed = TruthField(metadata={"description": "Whether the look was allowed, or refused."})
    since = MomentField(metadata={"description": "From this moment on."})
    until = MomentField(metadata={"description": "Before this moment."})


class EmergencyQuery(Query):
    """Which emergency accesses."""

    status = _choice(("open", "reviewed"))


# The parts of a cursor


def uuid_part(part: object) -> UUID:
    """A UUID from a cursor; raises ValueError when it is none."""
    return UUID(str(part))


def whole_part(part: object) -> int:
    """A version or position from a cursor; raises ValueError when it is none."""
    if isinstance(part, bool) or not isinstance(part, int) or not 0 <= part <= _LAST:
        raise ValueError(part)
    return part


def moment_part(part: object) -> str:
    """A moment from a cursor, as text in UTC; raises ValueError when it is none."""
    return plain_moment(moment(str(part)))
