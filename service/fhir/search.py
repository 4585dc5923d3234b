"""Searching: whether a resource answers what was asked, and what it brings along."""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from service.fhir.parameters import INCLUDES, Parameter
from service.fhir.terms import Resource

PREFIXES = ("eq", "ne", "ge", "gt", "le", "lt", "sa", "eb")
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_DAY = re.compile(r"\d{4}(-\d\d){0,2}", re.ASCII)
Range = tuple[datetime, datetime]


@dataclass(frozen=True)
class Criterion:
    """One parameter as it was asked: any of its values will do."""

    name: str
    parameter: Parameter
    values: tuple[str, ...]

    def met_by(self, resource: Resource) -> bool:
        """Whether the resource answers it."""
        found = [
            self._told(held) for path in self.parameter.paths for held in elements(resource, path)
        ]
        matches = _MATCHES[self.parameter.kind]
        return any(matches(held, value) for held in found for value in self.values)

    def _told(self, held: Any) -> Any:
        """What stands there; a code that stands alone with the system it is of."""
        alone = self.parameter.system and isinstance(held, str)
        return {"system": self.parameter.system, "code": held} if alone else held

    def check(self) -> None:
        """Raise ValueError for a day or moment that is none, and for a token that says nothing."""
        for value in self.values:
            if self.parameter.kind == "date":
                asked(value)
            elif self.parameter.kind == "token" and value == "|":
                raise ValueError("Must be a code, system|code, |code or system|.")


def elements(held: Any, path: str) -> Iterator[Any]:
    """Whatever stands at a dotted path, lists taken apart."""
    if isinstance(held, list):
        for item in held:
            yield from elements(item, path)
    elif not path:
        yield held
    elif isinstance(held, dict):
        name, _, rest = path.partition(".")
        if name in held:
            yield from elements(held[name], rest)


def _token_matches(held: Any, value: str) -> bool:
    system, bar, code = value.rpartition("|")
    codings = held.get("coding", [held]) if isinstance(held, dict) else []
    return any(
        (not code or code in (one.get("code"), one.get("value")))
        and (not bar or one.get("system", "") == system)
        for one in codings
    )


def _reference_matches(held: Any, value: str) -> bool:
    reference = str(held.get("reference", ""))
    unversioned = reference.partition("/_history/")[0]
    return value in (reference, unversioned, unversioned.partition("/")[2])


def _date_matches(held: Any, value: str) -> bool:
    prefix, (low, high) = asked(value)
    first, end = _span(held)
    return {
        "eq": low <= first and end <= high,
        "ne": not (low <= first and end <= high),
        "ge": end > low,
        "gt": end > high,
        "le": first < high,
        "lt": first < low,
        "sa": first >= high,
        "eb": end <= low,
    }[prefix]


_MATCHES = {"token": _token_matches, "reference": _reference_matches, "date": _date_matches}


def asked(value: str) -> tuple[str, Range]:
    """The prefix and the range of a date parameter; raises ValueError."""
    prefix, words = (value[:2], value[2:]) if value[:2] in PREFIXES else ("eq", value)
    try:
        return prefix, span_of(words.replace(" ", "+"))
    except ValueError as wrong:
        raise ValueError(
            "Must be a day or moment such as 2026-03-31 or ge2026-03-31T09:30:00Z."
        ) from wrong


def _span(held: Any) -> Range:
    if isinstance(held, dict):
        start, end = held.get("start"), held.get("end")
        return (span_of(start)[0] if start else _FIRST), (span_of(end)[1] if end else _LAST)
    return span_of(str(held))


def span_of(words: str) -> Range:
    """From when to when a year, month, day or moment lasts; raises ValueError.

    What reaches beyond the times there are begins with the first and ends with the last of them.
    """
    if "T" in words:
        at = _moment(words)
        return at, _after(at, timedelta(seconds=0 if at.microsecond else 1))
    if not _DAY.fullmatch(words):
        raise ValueError(words)
    year, month, day = [*map(int, words.split("-")), 0, 0][:3]
    first = datetime(year, month or 1, day or 1, tzinfo=UTC)
    if day:
        return first, _after(first, timedelta(days=1))
    if month:
        return first, _after(first, timedelta(days=monthrange(year, month)[1]))
    return first, _after(first, timedelta(days=366 if isleap(year) else 365))


def _moment(words: str) -> datetime:
    at = datetime.fromisoformat(words)
    if at.tzinfo is None or not words.isascii():
        raise ValueError(words)
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return _FIRST if at.year == 1 else _LAST


def _after(at: datetime, lasting: timedelta) -> datetime:
    return at + lasting if lasting <= _LAST - at else _LAST


@dataclass(frozen=True)
class Wanted:
    """A search: what to look for, what to bring along, how many, and where to go on."""

    kind: str
    tests: Sequence[Criterion] = ()
    ids: frozenset[str] = frozenset()
    include: Sequence[str] = ()
    count: int = 50
    after: tuple[Any, int] | None = None

    @property
    def patients(self) -> frozenset[str]:
        """The clients asked for, by FHIR id; none when any will do."""
        held = (test for test in self.tests if test.name in ("patient", "subject"))
        return frozenset(value.rpartition("/")[2] for test in held for value in test.values)

    def finds(self, resource: Resource) -> bool:
        """Whether the resource is one of those asked for."""
        if resource["resourceType"] != self.kind or (self.ids and resource["id"] not in self.ids):
            return False
        return all(test.met_by(resource) for test in self.tests)


def included(
    wanted: Wanted, found: Iterable[Resource], there: Mapping[tuple[str, str], Resource]
) -> Iterator[Resource]:
    """What ``_include`` brings along, each once, as far as it is there."""
    brought = set()
    for resource in found:
        for name in wanted.include:
            for held in elements(resource, INCLUDES[wanted.kind][name]):
                kind, _, resource_id = str(held.get("reference", "")).partition("/")
                key = kind, resource_id.partition("/")[0]
                if key in there and key not in brought:
                    brought.add(key)
                    yield there[key]
