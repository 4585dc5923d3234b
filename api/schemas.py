"""marshmallow schemas and OpenAPI components, derived from the declarations in ``domain``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, cast

from marshmallow import RAISE, Schema, ValidationError, fields, post_load
from marshmallow.types import ErrorMessages

from api.parsing import moment
from domain.clinic import Clinic
from domain.entry import (
    CLINIC_TYPES,
    EVERY_TYPE,
    TYPES,
    VOICES,
    EntryData,
    Reason,
    type_named,
)
from domain.errors import UnknownEntryTypeError
from domain.fields import (
    DurationRule,
    Field,
    IdRule,
    ManyRule,
    New,
    RangeRule,
    Ref,
    Rule,
    TextRule,
    fields_of,
)
from domain.plan import Plan
from service.access.table import PROPOSES
from service.plans import Draft

Given = Mapping[str, Any]
PROPOSABLE = frozenset[str]().union(*PROPOSES.values())
"""The types of entries that somebody proposes."""
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
UUID_FORMAT = {"type": "string", "format": "uuid"}
MOMENT_FORMAT = {"type": "string", "format": "date-time"}


class Spoken:
    """Words of refusal that every field shares."""

    default_error_messages: ErrorMessages = {  # noqa: RUF012 - marshmallow's own name and type
        "required": "Is required.",
        "null": "Must not be null; give a value.",
        "type": "Must be an object.",
    }


class TextField(Spoken, fields.String):
    """Text, trimmed."""

    def _deserialize(
        self, value: object, attr: str | None, data: Given | None, **kwargs: Any
    ) -> str:
        if not isinstance(value, str):
            raise ValidationError("Must be text.")
        return value.strip()


class IdField(TextField):
    """A UUID in any case, kept in lower case."""

    def _deserialize(
        self, value: object, attr: str | None, data: Given | None, **kwargs: Any
    ) -> str:
        return super()._deserialize(value, attr, data, **kwargs).lower()


class WholeField(Spoken, fields.Integer):
    """A whole number, not a text that looks like one; 5.0 is 5, as JSON has it."""

    def _deserialize(
        self, value: object, attr: str | None, data: Given | None, **kwargs: Any
    ) -> int:
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError("Must be a whole number.")
        return value


class NumberField(Spoken, fields.Float):
    """A number, not a text that looks like one."""

    def _deserialize(
        self, value: object, attr: str | None, data: Given | None, **kwargs: Any
    ) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("Must be a number.")
        return value


class TruthField(Spoken, fields.Boolean):
    """true or false, nothing that looks like it."""

    def _deserialize(
        self, value: object, attr: str | None, data: Given | None, **kwargs: Any
    ) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Must be true or false.")
        return value


class DayField(Spoken, fields.Date):
    """A day, YYYY-MM-DD."""

    def _deserialize(
        self, value: object, attr: str | None, data: Given | None, **kwargs: Any
    ) -> date:
        if isinstance(value, str) and _DATE.fullmatch(value):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        raise ValidationError("Must be a date such as 2026-03-31.")


class MomentField(Spoken, fields.DateTime):
    """An RFC 3339 moment with its offset, kept in UTC."""

    def _deserialize(
        self, value: object, attr: str | None, data: Given | None, **kwargs: Any
    ) -> datetime:
        try:
            return moment(value if isinstance(value, str) else "")
        except ValueError as wrong:
            raise ValidationError(str(wrong)) from wrong


class GroupField(Spoken, fields.Dict):
    """A group of fields that the entry itself looks into."""

    def _deserialize(
        self, value: object, attr: str | None, data: Given | None, **kwargs: Any
    ) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise ValidationError("Must be an object.")
        return value


class NestedField(Spoken, fields.Nested):
    """A group of fields with a schema of its own."""


class ListField(Spoken, fields.List[Any]):
    """A list, kept as a tuple. ``first``: how many items it takes, checked before any of them."""

    def __init__(self, item: fields.Field[Any], *, first: ManyRule, **given: Any) -> None:
        super().__init__(item, **given)
        self.first = first

    def _deserialize(  # type: ignore[override] # a tuple is what entries hold
        self, value: object, attr: str | None, data: Given | None, **kwargs: Any
    ) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValidationError("Must be a list.")
        problem = self.first.problem(tuple(value))
        if problem:
            raise ValidationError(problem)
        return tuple(super()._deserialize(value, attr, data, **kwargs))


_SIMPLE: dict[Any, type[fields.Field[Any]]] = {
    str: TextField,
    int: WholeField,
    float: NumberField,
    bool: TruthField,
    date: DayField,
    datetime: MomentField,
    dict: GroupField,
}


class DerivedSchema(Schema):
    """Base of the derived schemas: nothing unknown is taken, the domain's own object comes out."""

    class Meta:
        """Nothing slips through."""

        unknown = RAISE

    made: type

    error_messages = {"unknown": "Unknown field; check its name.", "type": "Must be an object."}  # noqa: RUF012 - marshmallow's own name and type

    @post_load
    def make(self, held: dict[str, Any], **_: Any) -> object:
        """The dataclass of what was loaded."""
        return self.made(**held)


def _validator(rule: Rule) -> Callable[[Any], None]:
    def validate(value: Any) -> None:
        problem = rule.problem(value)
        if problem:
            raise ValidationError(problem)

    return validate


def _one_of(choices: tuple[str, ...]) -> Callable[[str], None]:
    def validate(value: str) -> None:
        if value not in choices:
            raise ValidationError(f"Must be one of: {', '.join(choices)}.")

    return validate


def _field(declared: Field) -> fields.Field[Any]:
    common: dict[str, Any] = {
        "required": declared.required,
        "allow_none": declared.nullable,
        "attribute": declared.name,
        "data_key": declared.key,
        "metadata": {"description": declared.doc} if declared.doc else {},
    }
    if declared.many:
        item = _item(declared, {"validate": [_validator(rule) for rule in declared.item_rules]})
        [size] = [rule for rule in declared.rules if isinstance(rule, ManyRule)]
        return ListField(item, first=size, **common)
    return _item(declared, {"validate": [_validator(rule) for rule in declared.rules], **common})


def _item(declared: Field, common: dict[str, Any]) -> fields.Field[Any]:
    if declared.nested:
        common.pop("validate", None)
        return NestedField(schema_of(declared.type), **common)
    if declared.choices:
        common["validate"] = [_one_of(declared.choices)]
    if declared.link or any(isinstance(rule, IdRule) for rule in declared.rules):
        return IdField(**common)
    return _SIMPLE[declared.type](**common)


@cache
def schema_of(cls: type) -> type[DerivedSchema]:
    """The schema of an entry's data, or of a group inside it."""
    declared = {held.name: _field(held) for held in given_fields(cls)}
    return type(f"{cls.__name__}Data", (DerivedSchema,), {**declared, "made": cls})


def given_fields(cls: type) -> tuple[Field, ...]:
    """The fields a caller gives: all but those the service fills in."""
    filled = {"content_hash", "format_version"}
    return tuple(held for held in fields_of(cls) if held.name not in filled)


@cache
def loader_of(cls: type) -> DerivedSchema:
    """An instance of the schema, for loading."""
    return schema_of(cls)()


class EnvelopeSchema(Schema):
    """What surrounds an entry's data in a request."""

    class Meta:
        """Nothing slips through."""

        unknown = RAISE

    error_messages = {  # noqa: RUF012 - marshmallow's own name and type
        "unknown": "Unknown field; an entry has type, occurred_at, voiced_by, reason, session_id, "
        "causation_id and data.",
        "type": "Must be an object.",
    }

    type = TextField(required=True)
    occurred_at = MomentField(allow_none=True)
    voiced_by = TextField(allow_none=True, validate=_one_of(VOICES))
    reason = NestedField(schema_of(Reason), allow_none=True)
    session_id = IdField(allow_none=True, validate=_validator(IdRule()))
    causation_id = IdField(allow_none=True, validate=_validator(IdRule()))
    data = fields.Raw(load_default=dict)


class ProposedEnvelopeSchema(Schema):
    """What surrounds the data of an entry that is proposed: it takes effect when it is approved."""

    class Meta:
        """Nothing slips through."""

        unknown = RAISE

    error_messages = {  # noqa: RUF012 - marshmallow's own name and type
        "unknown": "Unknown field; a proposed entry has type, reason and data.",
        "type": "Must be an object.",
    }

    type = EnvelopeSchema._declared_fields["type"]  # noqa: SLF001 - the same field
    reason = EnvelopeSchema._declared_fields["reason"]  # noqa: SLF001 - the same field
    data = EnvelopeSchema._declared_fields["data"]  # noqa: SLF001 - the same field


class EntryField(fields.Field[Draft]):
    """One entry of a request, by its type."""

    types = TYPES
    envelope: Schema = EnvelopeSchema()

    def _deserialize(
        self, value: object, attr: str | None, data: Given | None, **kwargs: Any
    ) -> Draft:
        if not isinstance(value, Mapping):
            raise ValidationError("Must be an object with type and data.")
        messages: dict[str, Any] = {}
        held: dict[str, Any] = {}
        try:
            held = self.envelope.load(value)
        except ValidationError as wrong:
            messages = dict(wrong.messages_dict)
        cls = self._type(value, messages)
        loaded = self._data(cls, value.get("data", {}), messages) if cls else None
        if messages or loaded is None:
            raise ValidationError(messages)
        held.update(data=loaded)
        held.pop("type")
        return Draft(**held)

    def _type(self, value: Mapping[str, Any], messages: dict[str, Any]) -> type[EntryData] | None:
        name = value.get("type")
        if not isinstance(name, str):
            return None
        try:
            return type_named(name.strip(), self.types)
        except UnknownEntryTypeError as unknown:
            messages["type"] = [unknown.detail]
            return None

    def _data(
        self, cls: type[EntryData], given: object, messages: dict[str, Any]
    ) -> EntryData | None:
        if not isinstance(given, Mapping):
            messages["data"] = ["Must be an object."]
            return None
        try:
            loaded: EntryData = loader_of(cast("Any", cls)).load(given)
        except ValidationError as wrong:
            messages["data"] = wrong.messages
            return None
        return loaded


class ClinicEntryField(EntryField):
    """One entry of the clinic's own history."""

    types = Clinic.TAKES


class ProposedEntryField(ClinicEntryField):
    """One entry of the clinic's own history as it is proposed."""

    envelope = ProposedEnvelopeSchema()


# OpenAPI


def component_of(cls: type) -> dict[str, Any]:
    """The JSON Schema (2020-12) of an entry's data or of a group inside it."""
    given = given_fields(cls)
    shown: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {held.key: _property(held) for held in given},
    }
    required = [held.key for held in given if held.required]
    if required:
        shown["required"] = required
    return shown


def _property(declared: Field) -> dict[str, Any]:
    rules = declared.item_rules if declared.many else declared.rules
    shown = _kind(declared, rules)
    if declared.many:
        shown = {"type": "array", "items": shown}
        for rule in declared.rules:
            if isinstance(rule, ManyRule):
                shown["minItems"], shown["maxItems"] = rule.least, rule.most
    if declared.nullable:
        if "type" in shown and "enum" not in shown:
            shown["type"] = [shown["type"], "null"]
        else:
            shown = {"anyOf": [shown, {"type": "null"}]}
    if declared.doc:
        shown["description"] = declared.doc
    return shown


def _kind(declared: Field, rules: tuple[Rule, ...]) -> dict[str, Any]:
    if declared.nested:
        return component_of(declared.type)
    if declared.choices:
        return {"type": "string", "enum": list(declared.choices)}
    shown: dict[str, Any] = dict(_JSON_TYPES[declared.type])
    for rule in rules:
        shown.update(_facts(rule))
    return shown


def _facts(rule: Rule) -> dict[str, Any]:
    if isinstance(rule, TextRule):
        seen = {"pattern": r"\S"} if rule.least else {}  # not by spaces alone: texts are trimmed
        return {"minLength": rule.least, "maxLength": rule.most, **seen}
    if isinstance(rule, RangeRule):
        facts = {"minimum": rule.least, "maximum": rule.most}
        return {name: held for name, held in facts.items() if held is not None}
    if isinstance(rule, New | Ref | IdRule):
        return {"format": "uuid"}
    if isinstance(rule, DurationRule):
        return {"format": "duration"}
    return {}


_JSON_TYPES: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    dict: {"type": "object"},
}


_OPTIONAL_REASON = {"anyOf": [{"$ref": "#/components/schemas/Reason"}, {"type": "null"}]}


def envelope_of(cls: type[EntryData]) -> dict[str, Any]:
    """The JSON Schema of an entry of one type in a request, told apart by its constant ``type``."""
    shown: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "description": (cls.__doc__ or "").strip(),
        "required": ["type", *(["reason"] if cls.WHY else [])],
        "properties": {
            "type": {"const": cls.__name__},
            "occurred_at": {"type": ["string", "null"], "format": "date-time"},
            "voiced_by": {"anyOf": [{"type": "string", "enum": list(VOICES)}, {"type": "null"}]},
            "reason": {"$ref": "#/components/schemas/Reason"} if cls.WHY else _OPTIONAL_REASON,
            "session_id": {"type": ["string", "null"], "format": "uuid"},
            "causation_id": {"type": ["string", "null"], "format": "uuid"},
            "data": component_of(cls),
        },
    }
    if shown["properties"]["data"].get("required"):
        shown["required"].append("data")
    return shown


PROPOSED = "Proposed{}"
"""What a type is called in the description where it is proposed."""


def proposed_of(cls: type[EntryData]) -> dict[str, Any]:
    """The JSON Schema of an entry of one type in a proposal: its reason may be the proposal's."""
    shown = envelope_of(cls)
    kept = ("type", "reason", "data")
    shown["properties"] = {name: shown["properties"][name] for name in kept}
    shown["properties"]["reason"] = _OPTIONAL_REASON
    shown["required"] = [name for name in shown["required"] if name != "reason"]
    return shown


def entry_components() -> dict[str, Any]:
    """The components of every entry type, and ``Entry`` as the one of them that fits."""
    elsewhere = {name for name, cls in EVERY_TYPE.items() if cls.ONLY_BY}
    alone = {name for name, cls in CLINIC_TYPES.items() if cls.APPROVAL and cls.APPROVAL.always}
    proposed = {name: cls for name, cls in Clinic.TAKES.items() if name in PROPOSABLE}
    return {
        "Reason": component_of(Reason),
        **{name: envelope_of(cls) for name, cls in sorted(EVERY_TYPE.items())},
        **{PROPOSED.format(name): proposed_of(cls) for name, cls in sorted(proposed.items())},
        "Entry": _one_of_these({*TYPES} - {Plan.FIRST.__name__} - elsewhere),
        "ClinicEntry": _one_of_these({*Clinic.TAKES} - {Clinic.FIRST.__name__} - elsewhere - alone),
        "ProposedEntry": _one_of_these({PROPOSED.format(name) for name in proposed}, mapped=False),
    }


def _one_of_these(names: set[str], *, mapped: bool = True) -> dict[str, Any]:
    """One of these components; ``mapped``: told apart by ``type``, which is the component's name."""
    refs = [{"$ref": f"#/components/schemas/{name}"} for name in sorted(names)]
    return {"oneOf": refs, **({"discriminator": {"propertyName": "type"}} if mapped else {})}
