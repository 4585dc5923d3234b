"""A FHIR resource while it is read: what was understood of it, and what is left.

Whatever a file holds in an element – a number where words belong, nothing, a list – is looked at here and
nowhere else, so that nothing else has to expect it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from service.fhir.search import span_of
from service.fhir.terms import Resource

LEFT_OUT = re.compile(
    r"(^|\.)(resourceType|id|language|meta\.(versionId|lastUpdated|source|profile))(\.|\[|$)"
)
"""What every resource has and a plan has no use for."""
WORDS = frozenset({"text", "display", "description", "title", "div", "summary"})
_TAG = re.compile(r"<[^>]+>")
_WHEN = re.compile(r"\d{4}-\d\d(-\d\d(T\S+)?)?$", re.ASCII)
_MOST = 9_000


@dataclass(frozen=True)
class Finding:
    """One thing an import says about one element: what became of it."""

    resource: str
    path: str
    became: str
    value: str = ""


@dataclass
class Source:
    """A resource, and which of its leaves were understood.

    ``closed``: why nothing of it is read, only kept; ``left_out``: why nothing of it is even kept.
    """

    resource: Resource
    name: str = ""
    closed: str = ""
    left_out: str = ""
    understood: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Name it by type and id; see whether it may be read at all."""
        self.name = self.name or f"{self.kind}/{self.resource.get('id', '?')}"
        self.closed = self.closed or _forbids(self.resource)

    @property
    def kind(self) -> str:
        """Its type."""
        return str(self.resource.get("resourceType"))

    def take(self, path: str) -> Any:
        """What stands at a path such as ``target[0].dueDate`` (None: nothing); it counts as understood."""
        held = self.look(path)
        if held is not None:
            self.understood.add(path)
        return held

    def look(self, path: str) -> Any:
        """What stands at a path, without claiming it."""
        held: Any = self.resource
        for step in path.replace("[", ".[").split("."):
            if step.startswith("["):
                index = int(step[1:-1])
                held = held[index] if isinstance(held, list) and index < len(held) else None
            else:
                held = held.get(step) if isinstance(held, dict) else None
        return held

    def many(self, path: str) -> Iterator[tuple[str, Any]]:
        """(path, item) of a list."""
        held = self.look(path)
        for index, item in enumerate(held if isinstance(held, list) else ()):
            yield f"{path}[{index}]", item

    def words(self, path: str, most: int = _MOST) -> str | None:
        """A text, trimmed; None when there is none, or more than a text may hold."""
        held = self.look(path)
        if not isinstance(held, str) or not held.strip() or len(held) > most:
            return None
        return str(self.take(path)).strip()

    def concept(self, path: str) -> str | None:
        """What a CodeableConcept is called; its text, else the display of its first coding."""
        return self.words(f"{path}.text") or self.words(f"{path}.coding[0].display")

    def code(self, path: str) -> str | None:
        """The code of a CodeableConcept's first coding, or of a plain code, without claiming it."""
        held = self.look(f"{path}.coding[0].code")
        held = self.look(path) if held is None else held
        return held if isinstance(held, str) else None

    def take_code(self, path: str) -> None:
        """The coding, or plain code, was understood."""
        if self.take(f"{path}.coding[0]") is None and isinstance(self.look(path), str):
            self.take(path)

    def number(self, path: str) -> float | None:
        """A number, without claiming it."""
        held = self.look(path)
        if isinstance(held, bool) or not isinstance(held, int | float) or abs(held) > 1e15:
            return None
        return float(held)

    def moment(self, path: str) -> datetime | None:
        """When something was; the beginning of a day, month or year, which is said of the last two."""
        held = self.look(path)
        try:
            found = span_of(held)[0] if isinstance(held, str) else None
        except (ValueError, OverflowError):
            return None
        if found is None or found.year < 1800:
            return None
        if len(held) < len("2026-03-31"):
            self.found(path, "taken as its first day", held)
        self.take(path)
        return found

    def past(self, path: str, now: datetime) -> datetime | None:
        """A moment that has been; one that lies ahead is no moment of an entry, and left for its words."""
        if (found := self.moment(path)) is None or found <= now:
            return found
        self.understood.discard(path)
        return None

    def day(self, path: str) -> date | None:
        """A whole day; a month or a year is none."""
        held = self.look(path)
        if not isinstance(held, str) or len(held) < len("2026-03-31"):
            return None
        found = self.moment(path)
        return found.astimezone(UTC).date() if found else None

    def named(self, reference: Any) -> str:
        """The name of what a reference leads to; what is contained goes by its container's name."""
        told = str(reference.get("reference", "")) if isinstance(reference, dict) else ""
        if told.startswith("#"):
            return f"{self.name.partition('#')[0]}{told}"
        return "/".join(told.partition("/_history/")[0].split("/")[-2:])

    def found(self, path: str, became: str, value: object = "") -> None:
        """Say what became of an element."""
        self.findings.append(Finding(self.name, path, became, str(value)))

    def leave_out(self, why: str) -> None:
        """Nothing of it is read or kept, and why; each element is named."""
        self.left_out = why
        self.found("", why)
        for path, value in self.left():
            self.found(path, "left out", value)

    # What is left

    def left(self) -> list[tuple[str, Any]]:
        """(path, value) of every leaf that nobody understood."""
        return [
            (path, value)
            for path, value in leaves(self.resource)
            if not LEFT_OUT.search(path) and not self._claimed(path)
        ]

    def _claimed(self, path: str) -> bool:
        return any(
            path == held or path.startswith((f"{held}.", f"{held}[")) for held in self.understood
        )

    def notes(self) -> list[str]:
        """The words that are left, as texts for notes; every leaf that is left is reported."""
        if self.closed:
            self.found("", self.closed)
        kept: list[str] = []
        for path, value in self.left():
            words = _words(path, value)
            self.found(path, "kept as a note" if words else "not understood", value)
            if words:
                kept.append(f"{path}: {words}")
        return list(_texts(f"From the imported {self.name}, word for word:", kept))


def _forbids(resource: Resource) -> str:
    """Why a resource must not be read as what it seems to be (FHIR R4, 2.4.0.2 and 2.26.0.7), or nothing."""
    if resource.get("implicitRules") is not None:
        return "not read: it goes by rules of its own (implicitRules)"
    if any("modifierExtension" in path for path, _ in leaves(resource)):
        return "not read: an extension may change what it means (modifierExtension)"
    return ""


def cut(text: str, most: int) -> str:
    """The beginning of a text, as much as fits."""
    return text.strip()[:most].strip()


def leaves(held: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path, value) of every leaf; contained resources are read on their own."""
    if isinstance(held, dict) and (held or not path):
        for name, value in held.items():
            if path or name != "contained":
                yield from leaves(value, f"{path}.{name}" if path else name)
    elif isinstance(held, list) and held:
        for index, value in enumerate(held):
            yield from leaves(value, f"{path}[{index}]")
    else:
        yield path, held


def _words(path: str, value: Any) -> str | None:
    """The words of a leaf, or its value where it is one; None when it is a code or an address."""
    steps = path.split(".")
    name = steps[-1].partition("[")[0]
    if any(step.startswith("value") for step in steps[-2:]) and isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        return None
    text = _TAG.sub(" ", value) if name == "div" else value
    text = " ".join(text.split())
    told = name in WORDS or name.endswith("String") or " " in text or _WHEN.match(text)
    return text if text and told else None


def _texts(heading: str, parts: list[str]) -> Iterator[str]:
    """Parts as texts no longer than a text may be, each under the heading."""
    text = heading
    for part in (piece for held in parts for piece in _pieces(held)):
        if len(text) + len(part) > _MOST:
            yield text
            text = heading
        text = f"{text}\n{part}"
    if text != heading:
        yield text


def _pieces(text: str) -> Iterator[str]:
    size = _MOST // 2
    for start in range(0, len(text), size):
        yield text[start : start + size]
