"""Hypothesis strategies for entries, derived from what their fields declare."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, TypeVar

from hypothesis import strategies as st

from domain.entry import Author, Entry, EntryData, Reason
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

T = TypeVar("T")
UUIDS = st.uuids(version=4).map(str)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
DAYS = st.dates(date(1900, 1, 1), date(2100, 1, 1))
DURATIONS = st.builds("P{}{}".format, st.integers(0, 99), st.sampled_from("YMWD"))
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(CHARACTERS, max_size=5),
    lambda held: (
        st.lists(held, max_size=2) | st.dictionaries(st.text(CHARACTERS), held, max_size=2)
    ),
    max_leaves=4,
)


def texts(rule: TextRule) -> st.SearchStrategy[str]:
    """Trimmed texts of the length a rule allows, short ones for speed."""
    longest = min(rule.most, 12)
    plain = st.text(CHARACTERS, min_size=rule.least, max_size=longest).map(str.strip)
    return plain.filter(lambda text: len(text) >= rule.least)


BY_KIND: dict[type[Any], st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    date: DAYS,
    datetime: MOMENTS,
    dict: st.dictionaries(st.text(CHARACTERS, max_size=5), PLAIN, max_size=3),
}


def values(field: Field, rules: tuple[Rule, ...]) -> st.SearchStrategy[Any]:
    """Values of a field, or items of its list."""
    if field.choices:
        return st.sampled_from(field.choices)
    if field.nested:
        return instances(field.type)
    by_rule = [held for rule in rules if (held := by_one(rule, field.type)) is not None]
    return by_rule[0] if by_rule else BY_KIND.get(field.type, UUIDS)


def by_one(rule: Rule, kind: type[Any]) -> st.SearchStrategy[Any] | None:
    """Values that keep a rule."""
    match rule:
        case TextRule():
            return texts(rule)
        case RangeRule():
            return numbers(rule, kind)
        case DurationRule():
            return DURATIONS
        case New() | Ref() | IdRule():
            return UUIDS
        case ManyRule():
            return None


def numbers(rule: RangeRule, kind: type[Any]) -> st.SearchStrategy[Any]:
    """Whole and, where the field takes them, other numbers of a range."""
    assert rule.least is not None
    assert rule.most is not None
    whole = st.integers(int(rule.least), int(rule.most))
    return whole if kind is int else whole | st.floats(rule.least, rule.most, allow_nan=False)


def field_values(field: Field) -> st.SearchStrategy[Any]:
    """Values of a field: single, many, or left out."""
    held = values(field, field.item_rules if field.many else field.rules)
    if field.many:
        many = next(rule for rule in field.rules if isinstance(rule, ManyRule))
        held = st.lists(held, min_size=many.least, max_size=max(many.least, 3)).map(tuple)
    return st.none() | held if field.nullable else held


def instances(cls: type[T]) -> st.SearchStrategy[T]:
    """Instances of an entry's data, or of a group inside one, that its declaration allows."""
    return st.builds(cls, **{field.name: field_values(field) for field in fields_of(cls)})


def entries(cls: type[EntryData]) -> st.SearchStrategy[Entry]:
    """Entries of one type with any envelope."""
    always: dict[str, st.SearchStrategy[Any]] = {
        "originator_id": st.uuids(),
        "originator_version": st.integers(1, 10_000),
        "timestamp": MOMENTS,
        "entry_id": UUIDS,
        "position": st.integers(0, 10_000),
        "data": instances(cls),
        "recorded_by": instances(Author),
        "occurred_at": MOMENTS,
        "dated": st.booleans(),
    }
    sometimes: dict[str, st.SearchStrategy[Any]] = {
        "voiced_by": st.sampled_from(["client", "team"]),
        "session_id": texts(TextRule(most=120)),
        "causation_id": UUIDS,
        "reason": instances(Reason),
    }
    return st.fixed_dictionaries(always, optional=sometimes).map(_entry)


def _entry(held: dict[str, Any]) -> Entry:
    if not held["dated"]:
        held["occurred_at"] = held["timestamp"]
    return Entry(**held)
