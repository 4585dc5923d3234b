"""One fold: which entries stand, from when each counts, and what they add up to.

A moment of a plan has two coordinates, *known until* (recorded order) and *true until* (occurred
time). ``settle`` takes the entries recorded by *known until*, applies the corrections among them and
orders what stands; ``fold`` adds them up to *true until*. The current plan, an older version, a plan
as recorded or as true at some moment, replay and diff are all this, stopped at a different entry.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from operator import is_not
from typing import Any

from domain.entry import (
    EVERY_TYPE,
    Entry,
    before_upcast,
    created_ids,
    data_from_stored,
    references,
)
from domain.errors import CircularReferenceError, UnknownReferenceError
from domain.record import EntryCorrected, EntryMarkedInError
from domain.state import PlanState

AMENDING = (EntryCorrected, EntryMarkedInError)


@dataclass(slots=True)
class Settled:
    """The entries that stand, in the order in which they count.

    ``order``: standing entries with corrections applied, and among them the corrections and marks of
    what was agreed on, for amending that is a change, too; ``counts_at``: for each entry id and each
    id created in the plan, the moment from which it counts; ``taken``: every id ever created and its
    kind, standing or not; ``gone``: entry id → version of the entry that took it out;
    ``corrected``: entry id → the correction in use; ``amendments``: version → entry id of each.
    """

    order: list[Entry] = field(default_factory=list)
    counts_at: dict[str, datetime] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    fresh: Callable[[], Any] = PlanState
    corrected: dict[str, Entry] = field(default_factory=dict)
    amendments: dict[int, str] = field(default_factory=dict)

    def add(self, entry: Entry) -> bool:
        """Take in the next recorded entry; False if it counts before others or amends them.

        On False nothing but its ids was noted: settle everything again.
        """
        self.take_ids(entry)
        if isinstance(entry.data, AMENDING):
            return False
        counts = self.when(entry)
        if self.order and counts < self.counts_at[self.order[-1].entry_id]:
            return False
        self._stand(entry, counts)
        return True

    def take_ids(self, entry: Entry) -> None:
        """Note that the ids the entry creates are taken, whether or not it stands."""
        self.taken[entry.entry_id] = entry.type
        for kind, created, _ in created_ids(entry):
            self.taken[created] = kind

    def when(self, entry: Entry) -> datetime:
        """The moment from which ``entry`` counts: no earlier than what it refers to."""
        counts = entry.occurred_at
        if self.order and counts < self.counts_at[self.order[0].entry_id]:
            counts = self.counts_at[self.order[0].entry_id]  # nothing counts before the opening
        for rule, held, _ in references(entry):
            if rule.orders:
                counts = max(counts, self.counts_at.get(held, counts))
        return counts

    def refuse_unknown_references(self, entry: Entry) -> None:
        """Raise UnknownReferenceError where ``entry`` names what is not there, or stands no more."""
        for rule, held, pointer in references(entry):
            kind = self.taken.get(held)
            fits = kind in EVERY_TYPE if rule.kind == "entry" else kind == rule.kind
            if not fits:
                raise UnknownReferenceError(
                    f"There is no {rule.kind.replace('_', ' ')} of that id here; check it against "
                    "what is there now.",
                    pointer,
                )
            if rule.orders and held not in self.counts_at:
                raise UnknownReferenceError(
                    "What this refers to was entered in error; refer to something that stands.",
                    pointer,
                )

    def _stand(self, entry: Entry, counts: datetime) -> None:
        self.order.append(entry)
        self.counts_at[entry.entry_id] = counts
        for _, created, _ in created_ids(entry):
            self.counts_at[created] = counts

    def until(self, moment: datetime | None) -> Sequence[Entry]:
        """The standing entries that count by ``moment`` (None: all)."""
        if moment is None:
            return self.order
        end = bisect_right(self.order, moment, key=lambda entry: self.counts_at[entry.entry_id])
        return self.order[:end]

    def standing(self, entry_id: str) -> int | None:
        """Where in ``order`` the entry of that id stands, or None."""
        for place, held in enumerate(self.order):
            if held.entry_id == entry_id and not isinstance(held.data, AMENDING):
                return place
        return None

    @property
    def opened_in_error(self) -> bool:
        """Whether the opening itself was entered in error, and with it everything."""
        return bool(self.order) and self.order[0].entry_id in self.gone

    def take_back(self, entries: Sequence[Entry]) -> bool:
        """Undo ``add`` of the newest entries; False, and nothing is done, if it was not they alone."""
        last = self.order[-len(entries) :]
        if len(last) < len(entries) or any(map(is_not, last, entries)):
            return False
        if any(isinstance(entry.data, AMENDING) for entry in entries):
            return False
        for entry in entries:
            for held in _made_by(entry):
                del self.taken[held], self.counts_at[held]
        del self.order[-len(entries) :]
        return True


def settle(entries: Iterable[Entry], fresh: Callable[[], Any] = PlanState) -> Settled:
    """Which of ``entries`` (in recorded order) stand, as corrected, in the order they count.

    1. Later amendments first: an entry marked in error is taken out (a mark or a correction can be
       taken out, too); of several corrections of one entry the last that stands is used.
    2. An entry that is about something which does not stand, does not stand either.
    3. An entry counts from the later of its own ``occurred_at``, the opening, and the moments from
       which the things it refers to count. Ties by version, but never before what it refers to.

    Raises CircularReferenceError when entries refer to each other in a circle, which the rules keep
    from being recorded.
    """
    settled = Settled(fresh=fresh)
    everything = recorded = list(entries)
    amendments = [entry for entry in recorded if isinstance(entry.data, AMENDING)]
    for entry in recorded:
        settled.take_ids(entry)
    lost: dict[str, int] = {}  # whatever does not stand, by id: the version that took it out
    if amendments:
        recorded = _amend(recorded, amendments, settled, lost)
    if settled.corrected:
        recorded = _after_references(recorded, lambda entry: (0, entry.originator_version))
    for entry in recorded:
        if _stands(entry, settled, lost):
            settled._stand(entry, settled.when(entry))  # noqa: SLF001 - same module, same thing
    if amendments and settled.order[0].entry_id not in settled.gone:
        for amendment in _of_what_was_agreed(everything, amendments, settled):
            settled._stand(amendment, settled.when(amendment))  # noqa: SLF001 - same module, same thing
    _sort(settled)
    return settled


def _amend(
    recorded: list[Entry], amendments: list[Entry], settled: Settled, lost: dict[str, int]
) -> list[Entry]:
    for amendment in reversed(amendments):
        settled.amendments[amendment.version] = amendment.entry_id
        if amendment.entry_id in settled.gone:
            continue
        target: str = amendment.data.entry_id  # type: ignore[attr-defined] # both amendments have it
        if isinstance(amendment.data, EntryMarkedInError):
            settled.gone.setdefault(target, amendment.version)
        else:
            settled.corrected.setdefault(target, amendment)
    for entry in recorded:
        if entry.entry_id in settled.gone:
            lost.update(dict.fromkeys(_made_by(entry), settled.gone[entry.entry_id]))
    return [
        _as_corrected(entry, settled.corrected.get(entry.entry_id))
        for entry in recorded
        if not isinstance(entry.data, AMENDING)
        and (entry.entry_id not in settled.gone or entry.version == 1)
    ]


def _of_what_was_agreed(
    everything: list[Entry], amendments: list[Entry], settled: Settled
) -> Iterator[Entry]:
    """The standing amendments of entries that change what was agreed on, also by way of others."""
    by_id = {entry.entry_id: entry for entry in everything}
    for amendment in amendments:
        target = amendment
        while isinstance(target.data, AMENDING):
            target = by_id[target.data.entry_id]
        if target.data.MATERIAL and amendment.entry_id not in settled.gone:
            yield amendment


def _as_corrected(entry: Entry, correction: Entry | None) -> Entry:
    if correction is None:
        return entry
    said = correction.data
    assert isinstance(said, EntryCorrected)
    cls = type(entry.data)
    return entry.but(
        older=before_upcast(cls, said.data, said.format_version),
        data=data_from_stored(cls, deepcopy(said.data), said.format_version),
        occurred_at=said.occurred_at or entry.occurred_at,
        sources=(entry.version, correction.version),
    )


def _stands(entry: Entry, settled: Settled, lost: dict[str, int]) -> bool:
    by = settled.gone.get(settled.order[0].entry_id) if settled.order else None
    for rule, held, _ in references(entry):
        if by is None and rule.hard and held not in settled.counts_at:
            by = lost.get(held, entry.version)
    if by is not None:
        settled.gone[entry.entry_id] = by
        lost.update(dict.fromkeys(_made_by(entry), by))
    return by is None


def _after_references(
    entries: Iterable[Entry], first: Callable[[Entry], tuple[Any, int]]
) -> list[Entry]:
    """``entries`` so that none comes before what it refers to; of those that may come, the first by key.

    Only a correction can point an entry at something recorded after it.
    """
    by_id = {entry.entry_id: entry for entry in entries}
    maker = {made: entry.entry_id for entry in by_id.values() for made in _made_by(entry)}
    waits_for: dict[str, set[str]] = {}
    awaited: dict[str, list[str]] = {}
    for entry in by_id.values():
        needs = {
            maker[held] for rule, held, _ in references(entry) if rule.orders and held in maker
        }
        waits_for[entry.entry_id] = needs
        for need in needs:
            awaited.setdefault(need, []).append(entry.entry_id)
    ready = [(first(by_id[held]), held) for held, needs in waits_for.items() if not needs]
    heapq.heapify(ready)
    ordered: list[Entry] = []
    while ready:
        _, entry_id = heapq.heappop(ready)
        ordered.append(by_id[entry_id])
        for waiting in awaited.get(entry_id, ()):
            waits_for[waiting].discard(entry_id)
            if not waits_for[waiting]:
                heapq.heappush(ready, (first(by_id[waiting]), waiting))
    if len(ordered) < len(by_id):
        raise CircularReferenceError(
            "Entries would refer to each other in a circle; refer to an earlier one instead.",
            "/data",
        )
    return ordered


def _made_by(entry: Entry) -> list[str]:
    return [entry.entry_id, *(created for _, created, _ in created_ids(entry))]


def _sort(settled: Settled) -> None:
    """Bring ``order`` into the order of counting: by moment, then version, never before a reference."""

    def by_moment(entry: Entry) -> tuple[datetime, int]:
        return settled.counts_at[entry.entry_id], entry.originator_version

    if settled.corrected:
        settled.order = _after_references(settled.order, by_moment)
    else:
        settled.order.sort(key=by_moment)


def fold(entries: Iterable[Entry], state: Any = None) -> Any:
    """What ``entries``, in the order in which they count, make of ``state`` (None: a fresh plan's)."""
    state = PlanState() if state is None else state
    for entry in entries:
        advance(state, entry)
    return state


def advance(state: Any, entry: Entry) -> None:
    """Let the next entry in order change the state."""
    data = entry.data
    data.apply(state, entry)
    if data.MATERIAL or isinstance(data, AMENDING):
        state.signatures.note_material(entry)
