"""Which entry made what: tracing every leaf of a plan's document, and the difference of two moments.

Both walk the one fold and look only at the parts each entry touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.entry import Entry
from domain.fold import Settled, advance, fold
from domain.parts import Part, Parts
from domain.state import PlanState

Path = tuple[str, ...]
Sources = tuple[int, ...]
_IDS = ("goal_id", "objective_id", "intervention_id", "concern_id", "entry_id", "practice_id")
_IDS += ("life_event_id", "review_id", "ref")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: a path by ids (``/goals/<goal_id>/status``), what stood there before and after,
    and the versions of the entries that made it. A thing that came or went is one change."""

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


def leaves_of(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every leaf below ``value`` with its path; items with an id go by their id, other lists are leaves."""
    if isinstance(value, dict) and value:
        for key, held in value.items():
            yield from leaves_of(held, (*path, key))
    elif isinstance(value, list) and value and all(id_of(item) for item in value):
        for item in value:
            yield from leaves_of(item, (*path, str(id_of(item))))
    else:
        yield path, value


def pointer(path: Iterable[str]) -> str:
    """``path`` as a JSON pointer (RFC 6901)."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in path)


@dataclass(slots=True)
class Walk:
    """A fold that notes, for each leaf, the entries that touched it.

    ``parts``: the rendered parts by path; ``touched``: leaf → sources of the entries that changed it,
    for the entries walked (not for those folded before the walk began).
    """

    plan: PlanState
    parts: dict[Path, dict[str, Any]] = field(default_factory=dict)
    touched: dict[Path, list[Sources]] = field(default_factory=dict)
    came: dict[Path, list[Sources]] = field(default_factory=dict)

    @classmethod
    def after(cls, entries: Sequence[Entry]) -> Walk:
        """A walk that starts where ``entries`` end."""
        walk = cls(fold(entries))
        for path, part in _all_parts(walk.plan):
            walk.parts[path] = part.document()
        return walk

    def on(self, entries: Iterable[Entry]) -> Walk:
        """Walk through ``entries``; returns itself."""
        for entry in entries:
            advance(self.plan, entry)
            self._note(entry)
        return self

    def _note(self, entry: Entry) -> None:
        version = entry.originator_version
        sources = entry.sources or (version,)
        for path, piece in self.plan.pieces():
            if piece.touched != version:
                continue
            if isinstance(piece, Part):
                self._compare(path, piece, sources)
                continue
            for key, part in piece.by_id.items():
                if part.touched == version:
                    self._compare((*path, key), part, sources)
            self._let_go(path, piece, sources)

    def _compare(self, path: Path, part: Part, sources: Sources) -> None:
        before, after = self.parts.get(path), part.document()
        self.parts[path] = after
        if before is None:
            self.came.setdefault(path, []).append(sources)
        for leaf, _, _ in _changed_leaves(path, before or {}, after, fresh=before is None):
            self.touched.setdefault(leaf, []).append(sources)

    def _let_go(self, path: Path, group: Parts[Any], sources: Sources) -> None:
        depth = len(path)
        gone = [
            held
            for held in self.parts
            if len(held) == depth + 1 and held[:depth] == path and held[depth] not in group
        ]
        for held in gone:
            del self.parts[held]
            self.came.setdefault(held, []).append(sources)


def _all_parts(plan: PlanState) -> Iterator[tuple[Path, Part]]:
    for path, piece in plan.pieces():
        if isinstance(piece, Part):
            yield path, piece
        else:
            for key, part in piece.by_id.items():
                yield (*path, key), part


def _changed_leaves(
    path: Path, before: dict[str, Any], after: dict[str, Any], *, fresh: bool = False
) -> Iterator[tuple[Path, Any, Any]]:
    """The leaves in which two renderings of one part differ (all of them when it is ``fresh``)."""
    for key in [*before, *(key for key in after if key not in before)]:
        held, given = before.get(key), after.get(key)
        if held == given and not fresh:
            continue
        old = dict(leaves_of(held, (*path, key))) if key in before else {}
        new = dict(leaves_of(given, (*path, key))) if key in after else {}
        for leaf in [*old, *(leaf for leaf in new if leaf not in old)]:
            if fresh or old.get(leaf) != new.get(leaf):
                yield leaf, old.get(leaf), new.get(leaf)


def trace(entries: Sequence[Entry], document: dict[str, Any]) -> dict[str, int]:
    """For every leaf of ``document`` (what ``entries`` add up to) the version of the entry that set it.

    Keys are JSON pointers into the document; a corrected leaf names its correction. What no single
    entry set (obligations, ids, sums) is left out.
    """
    walk = Walk(PlanState()).on(entries)
    found: dict[str, int] = {}
    for path, place, value in _placed(document, (), ()):
        if value is not None and (sources := walk.touched.get(path)):
            found[pointer(place)] = max(sources[-1])
    return found


def _placed(value: Any, path: Path, place: Path) -> Iterator[tuple[Path, Path, Any]]:
    """Like ``leaves_of``, with the place by index beside the path by id."""
    if isinstance(value, dict) and value:
        for key, held in value.items():
            yield from _placed(held, (*path, key), (*place, key))
    elif isinstance(value, list) and value and all(id_of(item) for item in value):
        for index, item in enumerate(value):
            yield from _placed(item, (*path, str(id_of(item))), (*place, str(index)))
    else:
        yield path, place, value


def diff(before: Settled, old: Sequence[Entry], after: Settled, new: Sequence[Entry]) -> list[Change]:
    """What changed from the moment of ``old`` to that of ``new`` (each a prefix of its settled order)."""
    same = _common(old, new)
    start = Walk.after(new[:same])
    there = Walk.after(old[:same]).on(old[same:]) if len(old) > same else start
    was = dict(there.parts)
    there_touched, there_came = dict(there.touched), dict(there.came)
    now = start.on(new[same:])
    if there is now:
        there_touched, there_came = {}, {}
    judge = _Judge(before, after, {entry.version: entry.entry_id for entry in (*old, *new)})
    changes = []
    for path in [*was, *(path for path in now.parts if path not in was)]:
        for at, kind, held, given, whole in _part_changes(path, was.get(path), now.parts.get(path)):
            there_by = (there_came if whole else there_touched).get(at, ())
            now_by = (now.came if whole else now.touched).get(at, ())
            changes.append(Change(pointer(at), kind, held, given, judge.made_by(there_by, now_by)))
    return changes


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


@dataclass(slots=True)
class _Judge:
    """Says which entries made a change, from who touched it on either side."""

    before: Settled
    after: Settled
    ids: dict[int, str]

    def made_by(self, there: Iterable[Sources], now: Iterable[Sources]) -> tuple[int, ...]:
        """The versions that differ between the two sides; for what was taken out, who took it out."""
        one, other = set(there), set(now)
        on_both = {sources[0] for sources in one} & {sources[0] for sources in other}
        made: set[int] = set()
        for sources in one ^ other:
            rest = sources[1:] if sources[0] in on_both else sources
            gone_by = self._gone_by(sources[0])
            made.update({gone_by} if gone_by else rest)
        return tuple(sorted(made))

    def _gone_by(self, version: int) -> int | None:
        entry_id = self.ids[version]
        for settled, opposite in ((self.after, self.before), (self.before, self.after)):
            if entry_id in settled.gone and entry_id not in opposite.gone:
                return settled.gone[entry_id]
        return None
