"""Which entry made what: tracing every leaf of a plan's document, and the difference of two moments.

Both walk the one fold and look only at the parts each entry touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from domain.entry import Entry
from domain.fold import Settled, advance, fold
from domain.parts import Part, Parts
from domain.state import PlanState

Path = tuple[str, ...]
Place = tuple[Path, str]  # a part's path and, where several single parts share one, which it is
Sources = tuple[int, ...]
Piece = tuple[Path, str, Part | Parts[Any]]
_IDS: tuple[str, ...] = ("goal_id", "objective_id", "intervention_id", "concern_id", "entry_id")
_IDS += ("practice_id", "life_event_id", "review_id", "ref", "about")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: a path by ids (``/goals/<goal_id>/status``), what stood there before and after,
    and the versions of the entries that made it. A thing that came or went is one change.
    """

    path: str
    kind: str  # added, removed, changed
    before: Any
    after: Any
    entries: tuple[int, ...]


def id_of(item: Any) -> str | None:
    """What tells an item of a list from its neighbours, whatever its place: its first id, if it has one."""
    if isinstance(item, dict):
        first = next(iter(item), "")
        if first in _IDS and isinstance(item[first], str):
            return str(item[first])
    return None


def _ids_of(value: list[Any]) -> list[str]:
    """The ids of a list's items, if they tell them apart."""
    ids = [id_of(item) for item in value]
    return [held for held in ids if held] if None not in ids and len(set(ids)) == len(ids) else []


def leaves_of(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every leaf below ``value`` with its path; items with an id go by their id, other lists are leaves."""
    if isinstance(value, dict) and value:
        for key, held in value.items():
            yield from leaves_of(held, (*path, key))
    elif isinstance(value, list) and (ids := _ids_of(value)):
        for held, item in zip(ids, value, strict=True):
            yield from leaves_of(item, (*path, held))
    else:
        yield path, value


def pointer(path: Iterable[str]) -> str:
    """``path`` as a JSON pointer (RFC 6901)."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in path)


@dataclass(slots=True)
class Walk:
    """A fold that notes, for each leaf, the entries that touched it.

    ``parts``: the rendered parts by place; ``touched``: leaf → sources of the entries that changed
    it, ``came``: part → sources of those with which it came or went, both for the entries walked
    (not for those folded before the walk began); ``members``: the keys of each group's parts.
    The leaves of a part that came are noted at once (``at_once``) or looked up when asked for.
    """

    plan: PlanState
    parts: dict[Place, dict[str, Any]] = field(default_factory=dict)
    touched: dict[Path, list[Sources]] = field(default_factory=dict)
    came: dict[Path, list[Sources]] = field(default_factory=dict)
    pieces: list[Piece] = field(init=False)
    members: dict[Path, set[str]] = field(default_factory=dict)
    begun: dict[Place, list[tuple[Sources, dict[str, Any]]]] = field(default_factory=dict)
    at_once: bool = False

    def __post_init__(self) -> None:
        """Look once where the plan's parts and groups are; only what is in them comes and goes."""
        self.pieces = [(path, type(piece).__name__, piece) for path, piece in self.plan.pieces()]

    @classmethod
    def after(cls, entries: Sequence[Entry]) -> Walk:
        """A walk that starts where ``entries`` end."""
        walk = cls(fold(entries))
        for path, name, piece in walk.pieces:
            if isinstance(piece, Part):
                walk.parts[path, name] = piece.document()
                continue
            walk.members[path] = set(piece.by_id)
            for key, part in piece.by_id.items():
                walk.parts[(*path, key), ""] = part.document()
        return walk

    def on(self, entries: Iterable[Entry]) -> Walk:
        """Walk through ``entries``; returns itself."""
        for entry in entries:
            advance(self.plan, entry)
            self._note(entry)
        return self

    def in_error(self, opening: Entry) -> Walk:
        """The walk's end when the opening itself was entered in error; returns itself."""
        self.plan.lifecycle.mark_in_error()
        for path, part in self.plan.lifecycle.pieces():
            assert isinstance(part, Part)
            self._compare((path, type(part).__name__), part, _sources(opening))
        return self

    def _note(self, entry: Entry) -> None:
        version, sources = entry.originator_version, _sources(entry)
        for path, name, piece in [held for held in self.pieces if held[2].touched == version]:
            if isinstance(piece, Part):
                self._compare((path, name), piece, sources)
                continue
            for key, part in piece.by_id.items():
                if part.touched == version:
                    self._compare(((*path, key), ""), part, sources)
            self._come_and_gone(path, piece, sources)

    def _compare(self, place: Place, part: Part, sources: Sources) -> None:
        path, before, after = place[0], self.parts.get(place), part.document()
        self.parts[place] = after
        if before is None:
            self.came.setdefault(path, []).append(sources)
            if not self.at_once:
                self.begun.setdefault(place, []).append((sources, after))
                return
            leaves = [leaf for leaf, _ in leaves_of(after, path)] if after else []
        else:
            leaves = [leaf for leaf, _, _ in _changed_leaves(path, before, after)]
        for leaf in leaves:
            self.touched.setdefault(leaf, []).append(sources)

    def made_by(self, place: Place, leaf: Path) -> list[Sources]:
        """Who of the entries walked set that leaf of a part; in no order."""
        came_with = [
            sources
            for sources, document in self.begun.get(place, ())
            if leaf in dict(leaves_of(document, place[0]))
        ]
        return came_with + self.touched.get(leaf, [])

    def _come_and_gone(self, path: Path, group: Parts[Any], sources: Sources) -> None:
        """Keep the group's members, and let go of those that are no longer among them."""
        members = self.members.get(path, set())
        self.members[path] = set(group.by_id)
        for key in members - group.by_id.keys():
            del self.parts[(*path, key), ""]
            self.came.setdefault((*path, key), []).append(sources)


def _sources(entry: Entry) -> Sources:
    return entry.sources or (entry.originator_version,)


def _changed_leaves(
    path: Path, before: dict[str, Any], after: dict[str, Any]
) -> Iterator[tuple[Path, Any, Any]]:
    """The leaves in which two renderings of one part differ."""
    more = () if before.keys() == after.keys() else [key for key in after if key not in before]
    for key in chain(before, more):
        held, given = before.get(key), after.get(key)
        if held == given:
            continue
        if held and given and isinstance(held, dict) and isinstance(given, dict):
            yield from _changed_leaves((*path, key), held, given)
            continue
        if not isinstance(held, dict | list) and not isinstance(given, dict | list):
            yield (*path, key), held, given
            continue
        old = dict(leaves_of(held, (*path, key))) if key in before else {}
        new = dict(leaves_of(given, (*path, key))) if key in after else {}
        for leaf in [*old, *(leaf for leaf in new if leaf not in old)]:
            if old.get(leaf) != new.get(leaf):
                yield leaf, old.get(leaf), new.get(leaf)


def trace(entries: Sequence[Entry], document: dict[str, Any]) -> dict[str, int]:
    """For every leaf of ``document`` (what ``entries`` add up to) the version of the entry that set it.

    Keys are JSON pointers into the document; a corrected leaf names its correction. What no single
    entry set (obligations, ids, sums) is left out.
    """
    walk = Walk(PlanState(), at_once=True).on(entries)
    found: dict[str, int] = {}
    for path, place, value in _placed(document, (), ()):
        if value is not None and (sources := walk.touched.get(path)):
            found[pointer(place)] = max(sources[-1])
    if document["status"] != walk.plan.lifecycle.status:  # entered in error: the mark's doing
        found.pop("/status")
    return found


def _placed(value: Any, path: Path, place: Path) -> Iterator[tuple[Path, Path, Any]]:
    """Like ``leaves_of``, with the place by index beside the path by id."""
    if isinstance(value, dict) and value:
        for key, held in value.items():
            yield from _placed(held, (*path, key), (*place, key))
    elif isinstance(value, list) and (ids := _ids_of(value)):
        for index, (held, item) in enumerate(zip(ids, value, strict=True)):
            yield from _placed(item, (*path, held), (*place, str(index)))
    else:
        yield path, place, value


def diff(
    before: Settled, old: Sequence[Entry], after: Settled, new: Sequence[Entry]
) -> list[Change]:
    """What changed from the moment of ``old`` to that of ``new`` (each what counts of its settled)."""
    same = _common(old, new)
    start = Walk.after(new[:same])
    there = start
    if len(old) > same or before.opened_in_error:
        there = _ended(Walk.after(old[:same]).on(old[same:]), before)
    was = dict(there.parts)
    now = _ended(start.on(new[same:]), after)
    walks = (now,) if there is now else (there, now)
    judge = _Judge(before, after)
    judge.hear(old[same:], new[same:])
    changes = []
    for place in [*was, *(place for place in now.parts if place not in was)]:
        for at, kind, held, given, whole in _part_changes(
            place[0], was.get(place), now.parts.get(place)
        ):
            made = (walk.came.get(at, []) if whole else walk.made_by(place, at) for walk in walks)
            by = judge.made_by(chain.from_iterable(made))
            changes.append(Change(pointer(at), kind, held, given, by))
    return changes


def _ended(walk: Walk, settled: Settled) -> Walk:
    return walk.in_error(settled.order[0]) if settled.opened_in_error else walk


def _common(old: Sequence[Entry], new: Sequence[Entry]) -> int:
    same = 0
    for one, other in zip(old, new, strict=False):
        if one is not other and (one.entry_id, one.sources) != (other.entry_id, other.sources):
            break
        same += 1
    return same


def _part_changes(
    path: Path, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> Iterator[tuple[Path, str, Any, Any, bool]]:
    if before is None or after is None:
        yield path, "added" if before is None else "removed", before, after, True
        return
    if before is after:
        return
    for leaf, held, given in _changed_leaves(path, before, after):
        kind = "added" if held is None else "removed" if given is None else "changed"
        yield leaf, kind, held, given, False


class _Judge:
    """Says which entries made a change: for each entry that counts on one side only, or there in
    another form, who is behind that – itself, its correction, or whoever took one of them out or back.
    """

    def __init__(self, before: Settled, after: Settled) -> None:
        self.sides = (before, after), (after, before)
        self.behind: dict[int, set[int]] = {}
        opening = before.order[0].entry_id
        for here, there in self.sides:
            if opening in there.gone and opening not in here.gone:
                self.behind[1] = {self._absent(opening, 1, here, there)}

    def hear(self, old: Sequence[Entry], new: Sequence[Entry]) -> None:
        """Take in what counts on the two sides, from where they part."""
        for (here, there), mine, others in zip(self.sides, (old, new), (new, old), strict=True):
            counting = {entry.entry_id: entry for entry in others}
            standing = {entry.entry_id: entry for entry in there.order}
            for entry in mine:
                twin = counting.get(entry.entry_id) or standing.get(entry.entry_id)
                behind = self.behind.setdefault(entry.version, set())
                if twin is None:
                    behind |= self._without(entry, here, there)
                elif _sources(twin) != _sources(entry):
                    behind |= self._by_corrections(entry.entry_id)
                elif entry.entry_id not in counting:
                    behind.update(_sources(entry))

    def made_by(self, touched: Iterable[Sources]) -> tuple[int, ...]:
        """The versions behind a change by those who ``touched``; all there are when nobody did."""
        made: set[int] = set()
        for sources in touched:
            made |= self.behind.get(sources[0], set())
        return tuple(sorted(made or set().union(*self.behind.values())))

    def _without(self, entry: Entry, here: Settled, there: Settled) -> set[int]:
        """Who is behind an entry that stands ``here`` but not ``there``."""
        by = self._absent(entry.entry_id, entry.version, here, there)
        if by == entry.version:
            return set(_sources(entry))
        if _stands(by, here) and _stands(by, there):  # it was about something else, for a time
            return self._by_corrections(entry.entry_id)
        return {by}

    def _absent(self, entry_id: str, version: int, here: Settled, there: Settled) -> int:
        """The entry because of which one stands ``here`` but not ``there``; itself if unknown there."""
        by = there.gone.get(entry_id)
        if by is None or by not in there.amendments:
            return version
        return by if _stands(by, here) else self._absent(there.amendments[by], by, there, here)

    def _by_corrections(self, entry_id: str) -> set[int]:
        """Who is behind an entry's other form; where that is indirect, every amendment of one side."""
        found: set[int] = set()
        for here, there in self.sides:
            held = here.corrected.get(entry_id)
            if held is not None and not _stands(held.version, there):
                found.add(self._absent(held.entry_id, held.version, here, there))
        return found or {
            version
            for here, there in self.sides
            for version in here.amendments
            if _stands(version, here) and not _stands(version, there)
        }


def _stands(amendment: int, settled: Settled) -> bool:
    entry_id = settled.amendments.get(amendment)
    return entry_id is not None and entry_id not in settled.gone
