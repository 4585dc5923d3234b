"""What a field may hold: the annotations from which checks, schemas, forms and docs are derived.

An entry declares each field once, e.g. ``statement: Text`` or ``level: Scale``. The annotation
carries a *rule* (text length, range, reference …) which this module checks; the API's marshmallow
schemas, the OpenAPI components and the catalogue read the same rules from ``fields_of``.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from math import inf
from typing import (
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from domain.errors import InvalidDataError, Problem

MAX_TEXT = 10_000
_FORBIDDEN = re.compile(r"[\x00\ud800-\udfff]")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DURATION = re.compile(
    r"P(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class TextRule:
    """Unicode text, trimmed, of ``least`` to ``most`` characters, without NUL or lone surrogates."""

    least: int = 1
    most: int = MAX_TEXT

    def problem(self, value: str) -> str | None:
        """What is wrong with ``value`` and what to do about it, or None."""
        if _FORBIDDEN.search(value):
            return (
                "Contains a character that cannot be stored (NUL or a lone surrogate); remove it."
            )
        if value != value.strip():
            return "Has spaces at its ends; trim it."
        if len(value) < self.least:
            return "Must not be empty; write something or leave the field out."
        if len(value) > self.most:
            return f"Is {len(value)} characters long; at most {self.most} fit here."
        return None


@dataclass(frozen=True, slots=True)
class RangeRule:
    """A number from ``least`` to ``most`` (both included; None = open)."""

    least: float | None = None
    most: float | None = None

    def problem(self, value: float) -> str | None:
        """What is wrong with ``value`` and what to do about it, or None."""
        if abs(value) == inf or value != value:  # noqa: PLR0124 - NaN is what differs from itself
            return "Must be a finite number."
        if (self.least is not None and value < self.least) or (
            self.most is not None and value > self.most
        ):
            return f"Must be {self.spoken}."
        return None

    @property
    def spoken(self) -> str:
        """The range in words."""
        if self.most is None:
            return f"{_spoken(self.least)} or more"
        if self.least is None:
            return f"{_spoken(self.most)} or less"
        return f"between {_spoken(self.least)} and {_spoken(self.most)}"


def _spoken(number: float | None) -> str:
    """A bound as people write it: 10,000,000, never 1e+07."""
    assert number is not None
    return f"{number:,.0f}" if abs(number) >= 10_000 else f"{number:g}"


@dataclass(frozen=True, slots=True)
class New:
    """The id of something this entry brings into the plan; the service makes one when left out."""

    kind: str

    def problem(self, value: str) -> str | None:
        """What is wrong with ``value`` and what to do about it, or None."""
        return None if _UUID.fullmatch(value) else "Must be a UUID in lower case."


@dataclass(frozen=True, slots=True)
class Ref:
    """The id of something that exists in this plan: a goal, an intervention, an entry.

    ``hard``: the entry is *about* that thing and falls with it when it was entered in error;
    otherwise it only mentions it. ``orders``: the entry counts no earlier than that thing does
    (False where an entry only points at another, as an addendum does).
    """

    kind: str
    hard: bool = True
    orders: bool = True

    def problem(self, value: str) -> str | None:
        """What is wrong with ``value`` and what to do about it, or None."""
        return None if _UUID.fullmatch(value) else "Must be a UUID in lower case."


@dataclass(frozen=True, slots=True)
class IdRule:
    """A UUID of something outside this plan (a member, another plan)."""

    def problem(self, value: str) -> str | None:
        """What is wrong with ``value`` and what to do about it, or None."""
        return None if _UUID.fullmatch(value) else "Must be a UUID in lower case."


@dataclass(frozen=True, slots=True)
class DurationRule:
    """An ISO 8601 duration such as ``P2M``, ``P6W`` or ``P10D``."""

    def problem(self, value: str) -> str | None:
        """What is wrong with ``value`` and what to do about it, or None."""
        if len(value) <= 20 and _DURATION.fullmatch(value):
            return None
        return "Must be an ISO 8601 duration, e.g. P2M for two months or P6W for six weeks."


@dataclass(frozen=True, slots=True)
class ManyRule:
    """How many items a list may hold."""

    least: int = 0
    most: int = 100

    def problem(self, value: tuple[Any, ...]) -> str | None:
        """What is wrong with ``value`` and what to do about it, or None."""
        if len(value) < self.least:
            return f"Needs at least {self.least} item{'s' if self.least > 1 else ''}."
        if len(value) > self.most:
            return f"Holds {len(value)} items; at most {self.most} fit here."
        return None


T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def remembered(function: F) -> F:
    """``functools.cache`` that keeps the function's type (a class is hashable, whatever mypy says)."""
    return cast("F", cache(function))


Rule = TextRule | RangeRule | New | Ref | IdRule | DurationRule | ManyRule

Text = Annotated[str, TextRule()]
Line = Annotated[str, TextRule(most=200)]
Opaque = Annotated[str, TextRule(most=120)]
Scale = Annotated[int, RangeRule(0, 10)]
Number = Annotated[float, RangeRule(-1e12, 1e12)]
Days = Annotated[int, RangeRule(1, 3650)]
Weight = Annotated[float, RangeRule(0, 1)]
Priority = Annotated[int, RangeRule(1, 100)]
Duration = Annotated[str, DurationRule()]
MemberId = Annotated[str, IdRule()]
PlanId = Annotated[str, IdRule()]
AnyEntry = Annotated[str, Ref("entry", hard=False, orders=False)]


@lru_cache(1024)
def _parts_of(duration: str) -> tuple[int, int, int, int]:
    """Years, months, weeks and days of an ISO 8601 duration; goals are mostly given the same few."""
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(duration)
    years, months, weeks, days = (int(part or 0) for part in match.groups()[:4])
    return years, months, weeks, days


def add_duration(start: date, duration: str) -> date:
    """The day ``duration`` (ISO 8601) after ``start``; months and years clip to the month's end."""
    years, months, weeks, days = _parts_of(duration)
    month0 = start.year * 12 + start.month - 1 + years * 12 + months
    year, month = min(month0 // 12, 9998), month0 % 12 + 1
    first_next = date(year + month // 12, month % 12 + 1, 1)
    last_day = (first_next - timedelta(days=1)).day
    moved = date(year, month, min(start.day, last_day))
    return moved + timedelta(days=min(weeks * 7 + days, 366_000 if year < 8000 else 0))


@dataclass(frozen=True, slots=True)
class Field:
    """One declared field: its name, Python type, rules, and whether it may be left out."""

    name: str
    key: str  # its name in JSON: a trailing underscore (``for_``) is Python's need alone
    type: Any  # str, int, float, bool, date, datetime, dict, or a nested dataclass
    rules: tuple[Rule, ...]
    choices: tuple[str, ...]
    many: bool
    item_rules: tuple[Rule, ...]
    required: bool
    nullable: bool
    default: Any
    doc: str

    @property
    def nested(self) -> bool:
        """Whether the field holds a group of fields of its own."""
        return is_dataclass(self.type)

    @property
    def link(self) -> New | Ref | None:
        """The New or Ref rule when the field holds ids of things in the plan."""
        for rule in (*self.rules, *self.item_rules):
            if isinstance(rule, New | Ref):
                return rule
        return None


@remembered
def fields_of(cls: type) -> tuple[Field, ...]:
    """The declared fields of an entry (or of a group inside one), in order of declaration."""
    hints = get_type_hints(cls, include_extras=True)
    found = []
    for spec in fields(cls):
        annotation, outer = _strip_annotated(hints[spec.name])
        annotation, nullable = _strip_none(annotation)
        annotation, inner = _strip_annotated(annotation)
        facts = (*outer, *inner)
        rules = tuple(fact for fact in facts if not isinstance(fact, str))
        many, item_rules = False, ()
        if get_origin(annotation) is tuple:
            many = True
            annotation, item_rules = _strip_annotated(get_args(annotation)[0])
            if not any(isinstance(rule, ManyRule) for rule in rules):
                rules = (*rules, ManyRule())
        annotation = get_origin(annotation) if get_origin(annotation) is dict else annotation
        choices: tuple[str, ...] = ()
        if get_origin(annotation) is Literal:
            choices, annotation = get_args(annotation), str
        made = any(isinstance(rule, New) for rule in rules)
        found.append(
            Field(
                name=spec.name,
                key=spec.name.rstrip("_"),
                type=annotation,
                rules=rules,
                choices=choices,
                many=many,
                item_rules=item_rules,
                required=spec.default is MISSING and not made,
                nullable=nullable,
                default=None if spec.default is MISSING else spec.default,
                doc=" ".join(fact for fact in facts if isinstance(fact, str)),
            )
        )
    return tuple(found)


def _strip_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [arg for arg in get_args(annotation) if arg is not type(None)]
        if len(rest) != 1:
            raise TypeError(f"A field holds one kind of thing or nothing, not {annotation}")
        return rest[0], True
    return annotation, False


def _strip_annotated(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    if get_origin(annotation) is Annotated:
        base, *facts = get_args(annotation)
        return base, tuple(facts)
    return annotation, ()


def check(value: Any, pointer: str = "") -> Iterator[Problem]:
    """Everything in ``value`` (an entry's data or a group inside it) that its rules refuse."""
    for field in fields_of(type(value)):
        yield from _check_field(field, getattr(value, field.name), f"{pointer}/{field.key}")


def _check_field(field: Field, value: Any, pointer: str) -> Iterator[Problem]:
    if value is None:
        if not field.nullable:
            yield Problem(pointer, "Is required.")
        return
    if not field.many:
        yield from _check_one(field, field.rules, value, pointer)
        return
    if not isinstance(value, tuple):
        yield Problem(pointer, "Must be a list.")
        return
    yield from _broken(field.rules, value, pointer)
    for index, item in enumerate(value):
        yield from _check_one(field, field.item_rules, item, f"{pointer}/{index}")


def _check_one(
    field: Field, rules: tuple[Rule, ...], value: Any, pointer: str
) -> Iterator[Problem]:
    if not _is_a(field.type, value):
        yield Problem(pointer, f"Must be {_TYPE_WORDS.get(field.type, 'a group of fields')}.")
    elif field.nested:
        yield from check(value, pointer)
    elif field.choices and value not in field.choices:
        yield Problem(pointer, f"Must be one of: {', '.join(field.choices)}.")
    else:
        yield from _broken(rules, value, pointer)


def _broken(rules: tuple[Rule, ...], value: Any, pointer: str) -> Iterator[Problem]:
    for rule in rules:
        problem = rule.problem(value)
        if problem:
            yield Problem(pointer, problem)


_TYPE_WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    date: "a date such as 2026-03-31",
    datetime: "a moment with its offset, such as 2026-03-31T09:30:00Z",
    dict: "a group of fields",
}


def _is_a(kind: Any, value: Any) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind is date:
        return isinstance(value, date) and not isinstance(value, datetime)
    if kind is datetime:
        return isinstance(value, datetime) and value.tzinfo is not None
    return isinstance(value, kind)


PLAIN = frozenset({str, int, float, bool, type(None)})
"""What JSON holds as it is."""


def to_plain(value: Any, *, as_recorded: bool = False) -> Any:
    """``value`` in JSON types: groups become dicts without their empty fields, dates ISO text.

    ``as_recorded``: what was read from the record stays without fields that were declared later.
    """
    if type(value) in PLAIN:
        return value
    if is_dataclass(value):
        there = vars(value) if as_recorded else None
        plain = {}
        for field in fields_of(type(value)):
            given = getattr(value, field.name) if there is None else there.get(field.name)
            if given is not None and not (given == () and field.default == ()):
                plain[field.key] = to_plain(given, as_recorded=as_recorded)
        return plain
    if isinstance(value, tuple | list):
        return [to_plain(item, as_recorded=as_recorded) for item in value]
    if isinstance(value, date):  # a datetime is a date, too
        return plain_moment(value) if isinstance(value, datetime) else value.isoformat()
    return value


def in_utc(moment: datetime | None) -> datetime | None:
    """The moment in UTC; one without an offset stays as it is, for a rule to refuse it."""
    return moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else moment


def plain_moment(moment: datetime) -> str:
    """An aware UTC moment as RFC 3339 text ending in Z."""
    return moment.isoformat().replace("+00:00", "Z")


Reviver = Callable[[Any], Any]


@remembered
def revivers_of(cls: type) -> tuple[tuple[str, str, Reviver], ...]:
    """For each field of ``cls`` that JSON cannot hold as it is: how to bring it back."""
    found = []
    for field in fields_of(cls):
        reviver: Reviver | None = _as_it_is if field.key != field.name else None
        if field.nested:
            reviver = _group_reviver(field.type)
        elif field.type is date:
            reviver = _as_date
        elif field.type is datetime:
            reviver = _as_moment
        if field.many:
            reviver = _list_reviver(reviver)
        if reviver is not None:
            found.append((field.key, field.name, reviver))
    return tuple(found)


def _as_it_is(value: Any) -> Any:
    return value


def _as_date(text: str) -> date:
    return date.fromisoformat(text)


def _as_moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _group_reviver(cls: type) -> Reviver:
    def reviver(plain: dict[str, Any]) -> Any:
        return revive(cls, plain)

    return reviver


def _list_reviver(each: Reviver | None) -> Reviver:
    if each is None:
        return tuple

    def reviver(items: list[Any]) -> tuple[Any, ...]:
        return tuple(map(each, items))

    return reviver


def revive(cls: type[T], plain: dict[str, Any]) -> T:
    """An instance of ``cls`` from stored JSON types, without checking it again.

    What is stored was checked when it was recorded; a rule tightened later must not make an old
    plan unreadable. Absent fields read as their defaults. ``plain`` is taken over, not copied.
    """
    for key, name, reviver in revivers_of(cls):
        held = plain.pop(key, None)
        if held is not None:
            plain[name] = reviver(held)
    made = object.__new__(cls)
    object.__setattr__(made, "__dict__", plain)
    return made


def build(cls: type, plain: Mapping[str, Any], pointer: str = "") -> Any:
    """An instance of ``cls`` from JSON types given by a person; refuses what the rules refuse.

    Raises InvalidDataError naming every field at fault.
    """
    known = {field.key: field for field in fields_of(cls)}
    problems = [
        Problem(f"{pointer}/{name}", f"Unknown field; {cls.__name__} has: {', '.join(known)}.")
        for name in plain
        if name not in known
    ]
    held: dict[str, Any] = {}
    for key, field in known.items():
        given = plain.get(key)
        if given is None:
            if field.required and not field.nullable:
                problems.append(Problem(f"{pointer}/{key}", "Is required."))
            continue
        held[field.name] = _build_field(field, given, f"{pointer}/{key}", problems)
    if not problems:
        made = cls(**held)
        made_later = {
            f"{pointer}/{key}"
            for key, field in known.items()
            if isinstance(field.link, New) and not plain.get(key)
        }
        problems = [held for held in check(made, pointer) if held.pointer not in made_later]
        if not problems:
            return made
    raise InvalidDataError(problems)


def _build_field(field: Field, given: Any, pointer: str, problems: list[Problem]) -> Any:
    def one(item: Any, where: str) -> Any:
        try:
            if field.nested and isinstance(item, Mapping):
                return build(field.type, item, where)
            if field.type in (date, datetime) and isinstance(item, str):
                return field.type.fromisoformat(item)
        except InvalidDataError as refused:
            problems.extend(refused.problems)
        except ValueError:
            problems.append(Problem(where, f"Must be {_TYPE_WORDS[field.type]}."))
        return item.strip() if isinstance(item, str) else item

    if field.many and isinstance(given, list | tuple):
        return tuple(one(item, f"{pointer}/{index}") for index, item in enumerate(given))
    return one(given, pointer)
