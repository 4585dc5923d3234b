"""The query parameters of the routes, as marshmallow schemas."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import RAISE, Schema, ValidationError, fields, validates_schema

from api.parsing import moment
from api.schemas import MomentField
from domain.entry import TYPES, VOICES
from service.finding import STATUSES
from service.timeline import ORDERS


class Query(Schema):
    """Base: unknown parameters are refused."""

    class Meta:
        """Nothing slips through."""

        unknown = RAISE


def _one_of(choices: tuple[str, ...]) -> Any:
    def validate(value: str) -> None:
        if value not in choices:
            raise ValidationError(f"Must be one of: {', '.join(choices)}.")

    return validate


def _range(least: int, most: int) -> Any:
    def validate(value: int) -> None:
        if not least <= value <= most:
            raise ValidationError(f"Must be between {least} and {most}.")

    return validate


class UUIDField(fields.UUID):
    """A UUID, with a sentence when it is none."""

    default_error_messages = {"invalid_uuid": "Must be a UUID."}  # noqa: RUF012 - marshmallow's own name and type


class CountField(fields.Integer):
    """A whole number, with a sentence when it is none."""

    default_error_messages = {"invalid": "Must be a whole number."}  # noqa: RUF012 - as above


class TruthField(fields.Boolean):
    """true or false."""

    truthy = {"true"}  # noqa: RUF012 - as above
    falsy = {"false"}  # noqa: RUF012 - as above
    default_error_messages = {"invalid": "Must be true or false."}  # noqa: RUF012 - as above


def _text(most: int = 200) -> fields.String:
    def validate(value: str) -> None:
        if not 1 <= len(value) <= most:
            raise ValidationError(f"Must be 1 to {most} characters.")

    return fields.String(validate=validate)


class MomentQuery(Query):
    """Which moment of a plan."""

    version = CountField(
        validate=_range(1, 999_999_999),
        metadata={"description": "Known until this version."},
    )
    as_of = MomentField(metadata={"description": "Known until this recorded time (RFC 3339)."})
    effective_at = MomentField(metadata={"description": "True until this time (RFC 3339)."})
    trace = TruthField(
        metadata={"description": "Add `entries`: JSON pointer → version of the entry that set it."}
    )


class Paged(Query):
    """A page of a list."""

    limit = CountField(
        load_default=50, validate=_range(1, 200), metadata={"description": "1 to 200."}
    )
    cursor = _text(400)


class TimelineQuery(Paged):
    """Which entries of a timeline."""

    type = fields.String(validate=_one_of(tuple(TYPES)))
    recorded_by = UUIDField(metadata={"description": "The member who recorded it."})
    voiced_by = fields.String(validate=_one_of(VOICES))
    goal_id = UUIDField(metadata={"description": "Entries about this goal."})
    since = MomentField(metadata={"description": "From this moment on, by the clock of `order`."})
    until = MomentField(metadata={"description": "Before this moment, by the clock of `order`."})
    order = fields.String(
        load_default="recorded",
        validate=_one_of(ORDERS),
        metadata={"description": "`recorded` or `occurred`, newest last; with `-` newest first."},
    )


class ClinicTimelineQuery(TimelineQuery):
    """Which entries of the clinic's timeline."""

    plan_id = UUIDField()
    client_ref = _text(120)
    order = fields.String(load_default="-recorded", validate=_one_of(ORDERS))


class PlansQuery(Paged):
    """Which plans to find."""

    client_ref = _text(120)
    therapist_id = UUIDField()
    supervisor_id = UUIDField()
    status = fields.String(validate=_one_of(STATUSES))
    q = _text(120)


class PointField(fields.Field[Any]):
    """A version or an RFC 3339 moment."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - marshmallow's signature
        if value.isascii() and value.isdigit() and 1 <= len(value) <= 9:
            return int(value)
        try:
            return moment(value)
        except ValueError:
            raise ValidationError(
                "Must be a version such as 12 or a moment such as 2026-03-31T09:30:00Z."
            ) from None


class DiffQuery(Query):
    """The two moments to compare, and on which clock moments are meant."""

    from_ = PointField(data_key="from", required=True, error_messages={"required": "Is required."})
    to = PointField(required=True, error_messages={"required": "Is required."})
    clock = fields.String(
        load_default="recorded",
        validate=_one_of(("recorded", "effective")),
        metadata={"description": "Whether moments are as recorded (default) or as true."},
    )

    @validates_schema
    def _no_zero(self, held: dict[str, Any], **_: Any) -> None:
        for name in ("from_", "to"):
            if held.get(name) == 0:
                raise ValidationError("Versions begin at 1.", name.rstrip("_"))


def uuid(text: Any) -> UUID:
    """A UUID from a cursor's part."""
    return UUID(str(text))
