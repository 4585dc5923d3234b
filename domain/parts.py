"""What a plan's state is made of: parts, groups of parts, and sections.

Handlers get a part for writing only through ``edit(…, entry)`` or ``add(…)``; that notes which
entry touched it last. Traces and diffs look only at what was touched, so there is no second place
that knows what an entry does to a plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from domain.fields import PLAIN, plain_moment, remembered, to_plain

if TYPE_CHECKING:
    from typing import Self

    from domain.entry import Entry

NEWEST = 20
"""How many notes of one kind the current plan shows; a plan of many years stays readable."""


@dataclass(slots=True, kw_only=True)
class Part:
    """One thing in the plan that entries change: a goal, an intervention, the outline."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"touched"})

    touched: int = 0

    def edit(self, entry: Entry) -> Self:
        """This part, for writing."""
        self.touched = entry.originator_version
        return self

    def document(self) -> dict[str, Any]:
        """The part as the API shows it, in JSON types."""
        shown = {}
        for name in _names_shown(type(self)):
            held = getattr(self, name)
            shown[name] = held if type(held) in PLAIN else _plain(held)
        return shown


@remembered
def _names_shown(cls: type[Part]) -> tuple[str, ...]:
    return tuple(spec.name for spec in fields(cls) if spec.name not in cls.HIDDEN)


def _plain(value: Any) -> Any:  # noqa: PLR0911 - one line a kind; it runs for every field of every document
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind is list or kind is tuple:
        return [_plain(item) for item in value]
    if kind is datetime:
        return plain_moment(value)
    if kind is date:
        return value.isoformat()
    if kind is dict:
        return {key: _plain(held) for key, held in value.items()}
    if isinstance(value, Part):
        return value.document()
    return to_plain(value) if is_dataclass(value) else value


TPart = TypeVar("TPart", bound=Part)


class Parts(Generic[TPart]):
    """A group of parts by id (or by another key, such as an area of life), oldest first."""

    __slots__ = ("by_id", "keyed", "touched")

    def __init__(self, *, keyed: bool = False) -> None:
        self.by_id: dict[str, TPart] = {}
        self.keyed = keyed  # shown as an object by key instead of as a list
        self.touched = 0

    def add(self, key: str, part: TPart, entry: Entry) -> TPart:
        """Put ``part`` in (a part of the same key is replaced)."""
        self.by_id[key] = part.edit(entry)
        self.touched = entry.originator_version
        return part

    def add_newest(self, key: str, part: TPart, entry: Entry) -> TPart:
        """Put ``part`` in and let the oldest go; the timeline keeps them all."""
        self.add(key, part, entry)
        if len(self.by_id) > NEWEST:
            del self.by_id[next(iter(self.by_id))]
        return part

    def remove(self, key: str, entry: Entry) -> None:
        """Take the part of that key out, if it is there."""
        self.touched = entry.originator_version
        self.by_id.pop(key, None)

    def edit(self, key: str, entry: Entry) -> TPart:
        """The part of that key, for writing."""
        self.touched = entry.originator_version
        return self.by_id[key].edit(entry)

    def __getitem__(self, key: str) -> TPart:
        return self.by_id[key]

    def get(self, key: str | None) -> TPart | None:
        """The part of that key, or None."""
        return None if key is None else self.by_id.get(key)

    def __contains__(self, key: str) -> bool:
        return key in self.by_id

    def __iter__(self) -> Iterator[TPart]:
        return iter(self.by_id.values())

    def __len__(self) -> int:
        return len(self.by_id)

    def document(self) -> dict[str, Any] | list[Any]:
        """The group as the API shows it."""
        if self.keyed:
            return {key: part.document() for key, part in self.by_id.items()}
        return [part.document() for part in self.by_id.values()]


class Section:
    """A chapter's share of the plan's state.

    Attributes are groups (``Parts``), shown under their own name, and single parts: those named in
    ``FLAT`` stand directly in the document, others under their own name. With ``UNDER`` the whole
    section stands under that name.
    """

    FLAT: ClassVar[frozenset[str]] = frozenset()
    UNDER: ClassVar[str] = ""

    def pieces(self) -> Iterator[tuple[tuple[str, ...], Part | Parts[Any]]]:
        """Every part and group of the section with its path in the plan's document."""
        under = (self.UNDER,) if self.UNDER else ()
        for name, piece in vars(self).items():
            yield (under if name in self.FLAT else (*under, name)), piece

    def document(self) -> dict[str, Any]:
        """The section's share of the plan's document."""
        shown: dict[str, Any] = {}
        for name, piece in vars(self).items():
            if name in self.FLAT:
                shown.update(piece.document())
            else:
                shown[name] = piece.document()
        return {self.UNDER: shown} if self.UNDER else shown


def short(text: str, most: int = 90) -> str:
    """``text`` on one line, cut at a word when it is long, in quotation marks.

    Without its own full stop, for it stands in a sentence that has one.
    """
    line = " ".join(text.split())
    line = line if line.endswith("..") else line.removesuffix(".")
    if len(line) > most:
        line = line[: most - 1].rsplit(" ", 1)[0].rstrip(",;:. ") + "…"
    return f"“{line}”"
