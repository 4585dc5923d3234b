"""Who made what, by brute force: fold entry by entry, flatten the whole document, compare.

Nothing here knows of touched parts; only what a plan's document shows is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from domain.entry import Entry
from domain.parts import Part
from domain.record import EntryCorrected, EntryMarkedInError
from domain.state import PlanState
from tests.domain import oracle

Path = tuple[str, ...]


@dataclass(frozen=True)
class Moment:
    """The plan at one moment: what was recorded by then, what of it counts, the document."""

    recorded: tuple[Entry, ...]
    counting: tuple[Entry, ...]
    document: dict[str, Any]

    @property
    def forms(self) -> set[tuple[int, ...]]:
        """The versions behind each entry that counts: its own, and its correction's."""
        return {entry.sources or (entry.version,) for entry in self.counting}

    @property
    def amending(self) -> set[int]:
        """The versions of the marks and corrections which stand."""
        out = oracle.taken_out(self.recorded)
        return {
            entry.version
            for entry in self.recorded
            if isinstance(entry.data, EntryCorrected | EntryMarkedInError)
            and entry.entry_id not in out
        }


# Documents, flattened


def content(document: dict[str, Any]) -> dict[str, Any]:
    """What entries made of ``document``: without what is worked out from all of it."""
    kept = {key: held for key, held in document.items() if key not in _NOT_CONTENT}
    signatures = {**kept["signatures"]}
    signatures["client"] = _without_current(signatures["client"])
    signatures["signed"] = [_without_current(held) for held in signatures["signed"]]
    return {**kept, "signatures": signatures}


_NOT_CONTENT = ("plan_id", "version", "position", "obligations")


def _without_current(signature: dict[str, Any]) -> dict[str, Any]:
    return {key: held for key, held in signature.items() if key != "current"}


def names_in(items: object) -> list[str] | None:
    """By what the items of a list are told apart: the id each begins with, if they have one."""
    if not isinstance(items, list) or not items or not all(isinstance(i, dict) for i in items):
        return None
    firsts = [next(iter(item.items()), ("", None)) for item in items]
    names = [str(held) for key, held in firsts if key.endswith("_id") or key in ("ref", "about")]
    return names if len(set(names)) == len(items) else None


def leaves(value: object, path: Path = (), place: str = "") -> Iterator[tuple[Path, str, object]]:
    """Every leaf with its path by names and its JSON pointer by places."""
    if isinstance(value, dict) and value:
        for key, held in value.items():
            escaped = key.replace("~", "~0").replace("/", "~1")
            yield from leaves(held, (*path, key), f"{place}/{escaped}")
    elif isinstance(value, list) and (names := names_in(value)):
        for index, (name, held) in enumerate(zip(names, value, strict=True)):
            yield from leaves(held, (*path, name), f"{place}/{index}")
    else:
        yield path, place, value


def flat(value: object, path: Path = ()) -> dict[Path, object]:
    """Every leaf below ``value`` by its path."""
    return {leaf: held for leaf, _, held in leaves(value, path)}


# Trace


@dataclass(frozen=True)
class Traced:
    """Who made the leaves of a document, by their pointers.

    ``maker``: for each leaf that ever changed the version of the entry (or its correction) that
    changed it last; ``spoken``: leaves of single parts, such as the orientation, that still say
    what they said before any entry, though one has spoken of their part; ``untouched``: the rest.
    """

    maker: dict[str, int]
    spoken: set[str]
    untouched: set[str]


def trace(entries: Sequence[Entry], document: dict[str, Any]) -> Traced:
    """Who made the leaves of ``document``, to which ``entries`` add up."""
    plan = PlanState()
    maker: dict[Path, int] = {}
    spoken: set[Path] = set()
    defaults = {type(part): flat(part.document(), path) for path, part in _single_parts(plan)}
    before = flat(content(plan.document()))
    for entry in entries:
        oracle.add(plan, entry)
        after = flat(content(plan.document()))
        for path, held in after.items():
            if path not in before or before[path] != held:
                maker[path] = max(entry.sources or (entry.version,))
        before = after
    for path, part in _single_parts(plan):
        said = flat(part.document(), path)
        spoken |= said.keys() if said != defaults[type(part)] else set()
    placed = {path: place for path, place, held in leaves(content(document)) if held is not None}
    return Traced(
        maker={place: maker[path] for path, place in placed.items() if path in maker},
        spoken={place for path, place in placed.items() if path in spoken and path not in maker},
        untouched={place for path, place in placed.items() if path not in spoken | maker.keys()},
    )


def _single_parts(plan: PlanState) -> Iterator[tuple[Path, Part]]:
    for path, piece in plan.pieces():
        if isinstance(piece, Part):
            yield path, piece


# Diff


def changes(old: dict[str, Any], new: dict[str, Any]) -> set[tuple[Path, str, str, str]]:
    """(path, kind, before, after) of each difference; a thing that came or went is one of them."""
    found: set[tuple[Path, str, str, str]] = set()
    was, now = dict(_things(content(old))), dict(_things(content(new)))
    for path in was.keys() | now.keys():
        if path not in was or path not in now:
            kind = "removed" if path in was else "added"
            found.add((path, kind, repr(was.get(path)), repr(now.get(path))))
            continue
        before, after = flat(was[path], path), flat(now[path], path)
        for leaf in before.keys() | after.keys():
            held, given = before.get(leaf), after.get(leaf)
            if held != given:
                kind = "added" if held is None else "removed" if given is None else "changed"
                found.add((leaf, kind, repr(held), repr(given)))
    return found


def _things(document: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    """What comes and goes as a whole, such as a goal, by its path; the rest is one thing, too."""
    rest = dict(document)
    for path in _groups():
        holder = rest
        for key in path[:-1]:
            holder[key] = {**holder[key]}
            holder = holder[key]
        group = holder.pop(path[-1])
        named = (
            group
            if isinstance(group, dict)
            else dict(zip(names_in(group) or (), group, strict=True))
        )
        yield from (((*path, name), held) for name, held in named.items())
    yield (), rest


def _groups() -> list[Path]:
    return [path for path, piece in PlanState().pieces() if not isinstance(piece, Part)]


def responsible(old: Moment, new: Moment) -> set[int]:
    """The versions that a change between two moments may be put down to.

    Those behind entries which count at one of them only, or in another form, and the marks and
    corrections which stand at one of them only.
    """
    forms = old.forms ^ new.forms
    return {version for form in forms for version in form} | (old.amending ^ new.amending)
