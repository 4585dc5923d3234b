"""A history: recorded entries, what they add up to at any moment, and deciding the next one.

The Plan and the Clinic are histories. The library's Aggregate underneath: entries are its events.
"""

from __future__ import annotations

import contextlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import UUID

from eventsourcing.domain import Aggregate

from domain import amendments
from domain.checkpoints import Checkpoints
from domain.entry import VOICES, Author, Entry, EntryData, created_ids, references
from domain.erased import Erased
from domain.errors import (
    DuplicateIdError,
    EntryNotFoundError,
    InvalidDataError,
    MomentNotFoundError,
    OccurredInFutureError,
    Problem,
    ReasonRequiredError,
    TransitionError,
    UnknownEntryTypeError,
)
from domain.fields import New, check, fields_of, in_utc, remembered
from domain.fold import AMENDING, Settled, advance, settle

NEVER = datetime.min.replace(tzinfo=UTC)
AHEAD = timedelta(minutes=5)
"""How far in the future an entry may lie: clocks differ a little."""


class History(Aggregate):
    """Entries in recorded order, and what they add up to.

    ``record`` decides and adds an entry; the library collects it from ``pending_events`` and stores
    it. Reading at a moment (``at``) and recording use the same fold. A kind of history says what it
    is called, which entry begins it, which it takes, and what an empty one looks like.
    """

    CALLED: ClassVar[str]
    FIRST: ClassVar[type[EntryData]]
    TAKES: ClassVar[Mapping[str, type[EntryData]]]
    fresh: ClassVar[Callable[[], Any]]

    entries: list[Entry]
    _settled: Settled | None
    _state: Any
    _checkpoints: Checkpoints
    _straight: list[datetime]  # of the leading entries that count in recorded order: from when

    @classmethod
    def new(cls, history_id: UUID) -> Self:
        """One without entries; the first one recorded must begin it."""
        plan = cls.__new__(cls)
        plan.__base_init__(history_id, 0, NEVER)
        plan.entries, plan._straight = [], []  # noqa: SLF001 - its own class
        plan._checkpoints = Checkpoints(cls.fresh)  # noqa: SLF001 - its own class
        plan._settled, plan._state = Settled(fresh=cls.fresh), cls.fresh()  # noqa: SLF001 - its own class
        return plan

    @classmethod
    def shell(cls, first: Entry) -> Self:
        """The empty one that is about to learn ``first``."""
        plan = cls.new(first.originator_id)
        plan._created_on = first.timestamp  # noqa: SLF001 - the library keeps it so
        return plan

    @property
    def key_id(self) -> UUID | None:
        """The key its entries are sealed with where they are kept; None: they are kept as plain JSON."""
        return self.entries[0].key_id if self.entries else None

    @property
    def erased(self) -> bool:
        """Whether what it said was erased: its entries are there, their words are not."""
        return bool(self.entries) and isinstance(self.entries[0].data, Erased)

    def learn(self, entry: Entry) -> None:
        """Take in the next entry: the only way a plan ever changes. Never refuses."""
        self.entries.append(entry)
        self._version, self._modified_on = entry.originator_version, entry.timestamp
        if self._settled is None:
            return
        if self._settled.add(entry):
            if self._state is not None:
                advance(self._state, entry)
            if len(self._straight) == len(self.entries) - 1:
                self._straight.append(self._settled.counts_at[entry.entry_id])
        else:
            self._settled = self._state = None

    def learn_all(self, entries: Sequence[Entry]) -> None:
        """Take in entries at once; what they add up to is found when it is asked for."""
        if len(entries) > 1:
            self._state = None
        for entry in entries:
            self.learn(entry)

    @property
    def settled(self) -> Settled:
        """Which entries stand and from when each counts, knowing all that is recorded."""
        if self._settled is None:
            self._settled = settled = settle(self.entries, type(self).fresh)
            for entry, standing in zip(self.entries, settled.order, strict=False):
                if entry is not standing:
                    break
                if len(self._straight) < entry.version:
                    self._straight.append(settled.counts_at[entry.entry_id])
        return self._settled

    @property
    def state(self) -> Any:
        """What all standing entries add up to."""
        if self._state is None:
            held = self.settled
            self._state = self._added_up(held.order, opened_in_error=held.opened_in_error)
        return self._state

    def _added_up(self, order: Sequence[Entry], *, opened_in_error: bool) -> Any:
        state = self._checkpoints.fold(order)
        if opened_in_error:
            state.mark_in_error()
        return state

    # Reading at a moment

    def at(self, version: int | None = None, effective_at: datetime | None = None) -> Any:
        """The plan as known at ``version`` (None: now) and as true at ``effective_at`` (None: now).

        Raises MomentNotFoundError when it did not exist at that moment.
        """
        order, opened_in_error = self._counting(version, effective_at)
        if not order:
            raise MomentNotFoundError(
                f"The {self.CALLED} did not exist at that moment; ask for a later one."
            )
        return self._added_up(order, opened_in_error=opened_in_error)

    def _counting(
        self, version: int | None, effective_at: datetime | None
    ) -> tuple[Sequence[Entry], bool]:
        """What counts at a moment, in order, and whether the opening was known to be in error."""
        if version is None or not self._is_straight(version):
            settled = self.settled_at(version)
            return settled.until(effective_at), settled.opened_in_error
        true = version if effective_at is None else bisect_right(self._straight, effective_at)
        return self.entries[: min(version, true)], False

    def settled_at(self, version: int | None) -> Settled:
        """Which entries stand, knowing what was recorded until ``version``."""
        if version is None or version == self.version:
            return self.settled
        if not 1 <= version <= self.version:
            raise MomentNotFoundError(
                f"The {self.CALLED} has versions 1 to {self.version}, not {version}.",
                newest=self.version,
            )
        known = self.entries[:version]
        if not self._is_straight(version):
            return settle(known, type(self).fresh)
        counts = dict(zip((e.entry_id for e in known), self._straight, strict=False))
        return Settled(order=known, counts_at=counts, fresh=type(self).fresh)

    def _is_straight(self, version: int) -> bool:
        """Whether the entries until an earlier ``version`` count just as they were recorded."""
        known = self.settled.order and self._straight  # settling tells how far they do
        return 1 <= version < self.version and version <= len(known)

    def version_at(self, recorded_at: datetime) -> int:
        """The newest version recorded by ``recorded_at``; raises MomentNotFoundError before the first."""
        version = bisect_right(self.entries, recorded_at, key=lambda entry: entry.timestamp)
        if version == 0:
            raise MomentNotFoundError(
                f"The {self.CALLED} was recorded later than that; ask for a later moment."
            )
        return version

    # Entries

    def entry(self, entry_id: str) -> Entry:
        """The entry of that id as it was recorded; raises EntryNotFoundError."""
        for held in reversed(self.entries):
            if held.entry_id == entry_id:
                return held
        raise EntryNotFoundError(f"This {self.CALLED} has no entry of that id.", "/data/entry_id")

    def standing_entry(self, entry_id: str) -> Entry | None:
        """The entry of that id as corrected, or None when it does not stand."""
        place = self.settled.standing(entry_id)
        return None if place is None else self.settled.order[place]

    # Recording

    def decide(
        self,
        data: EntryData,
        *,
        now: datetime,
        recorded_by: Author,
        new_id: Callable[[], str],
        occurred_at: datetime | None = None,
        **envelope: Any,
    ) -> Entry:
        """The entry that would be recorded next; the plan does not change.

        ``now`` stands in for recorded_at until the database gives it. ``envelope``: voiced_by,
        reason, session_id, command_id, causation_id. Raises a PlanHistoryError, naming the field.
        """
        _refuse_without_offset(occurred_at)
        data = with_new_ids(data, new_id).complete(self)
        entry = Entry(
            originator_id=self.id,
            originator_version=self.version + 1,
            timestamp=now,
            entry_id=new_id(),
            data=data,
            recorded_by=recorded_by,
            occurred_at=in_utc(occurred_at) or now,
            dated=occurred_at is not None,
            **{name: held for name, held in envelope.items() if held is not None},
        )
        self._refuse(entry, now)
        return entry

    def record(self, data: EntryData, **given: Any) -> Entry:
        """Decide an entry and learn it; it is pending until the application saves the plan."""
        entry = self.decide(data, **given)
        self.expect(entry)
        return entry

    def follow(self, entry: Entry, **given: Any) -> list[Entry]:
        """Decide and learn what ``entry``, learnt just now, brings along: recorded with it or not at all.

        ``given``: what the entries of a request share, as in ``decide``.
        """
        return []

    def expect(self, entry: Entry, *, learn: bool = True) -> None:
        """Let the library collect ``entry`` at the next save; learn it now, or when it is confirmed."""
        self._pending_events.append(entry)
        if learn:
            self.learn(entry)

    def confirm(
        self, entries: Sequence[Entry], recorded_at: datetime, last_position: int
    ) -> list[Entry]:
        """Learn the saved ``entries`` as the database stamped them; returns them so."""
        first = last_position - len(entries) + 1
        learnt = self.version == entries[-1].version
        dated = all(entry.dated for entry in entries)
        for position, entry in enumerate(entries, start=first):
            entry.__dict__.update(timestamp=recorded_at, position=position)
            if not entry.dated:
                entry.__dict__.update(occurred_at=recorded_at)
        self._modified_on = recorded_at
        if not learnt:
            self.learn_all(entries)
        elif not dated:
            del self.entries[-len(entries) :]
            self._unlearn(entries)
            self.learn_all(entries)
        return list(entries)

    def forget_pending(self) -> None:
        """Drop entries that were not saved, and what was learnt of them."""
        self._pending_events.clear()
        self._go_back(sum(entry.position > 0 for entry in self.entries))

    @contextlib.contextmanager
    def rehearsing(self) -> Iterator[None]:
        """What is recorded inside is forgotten afterwards: to see whether it would be possible."""
        version, pending = self.version, len(self._pending_events)
        try:
            yield
        finally:
            del self._pending_events[pending:]
            self._go_back(version)

    def _go_back(self, version: int) -> None:
        """Drop the entries after ``version``, none of which is saved."""
        if dropped := self.entries[version:]:
            del self.entries[version:]
            self._version = version
            self._modified_on = self.entries[-1].timestamp if self.entries else NEVER
            self._unlearn(dropped)

    def _unlearn(self, newest: Sequence[Entry]) -> None:
        """Undo what was made of entries that are no longer there, or not as they were learnt."""
        self._state = None
        del self._straight[newest[0].version - 1 :]
        if self._settled is not None and not self._settled.take_back(newest):
            self._settled = None

    def _refuse(self, entry: Entry, now: datetime) -> None:
        if entry.type not in self.TAKES:
            raise UnknownEntryTypeError(f"A {self.CALLED} takes no {entry.type}.", "/type")
        if (self.version == 0) != isinstance(entry.data, self.FIRST):
            raise TransitionError(
                f"A {self.CALLED} begins with {self.FIRST.__name__}, once.", "/type"
            )
        if problems := [*_problems(entry)]:
            raise InvalidDataError(problems)
        moments = [("/occurred_at", entry.occurred_at)]
        if getattr(entry.data, "occurred_at", None) is not None:  # a correction's
            moments.append(("/data/occurred_at", entry.data.occurred_at))  # type: ignore[attr-defined] # looked up on the line above
        for pointer, moment in moments:
            if moment > now + AHEAD:
                raise OccurredInFutureError(
                    "Lies more than five minutes ahead; record it when it has happened.", pointer
                )
        self._refuse_taken_ids(entry)
        self.settled.refuse_unknown_references(entry)
        before = self._known_before(entry)
        self._refuse_by_status(entry, before)
        if entry.reason is None and entry.data.needs_reason(before):
            raise ReasonRequiredError(
                f"{entry.type} needs its reason: give reason.text, one sentence on why.", "/reason"
            )
        if isinstance(entry.data, AMENDING):
            amendments.decide_amendment(self, entry)
        else:
            entry.data.decide(before, entry)

    def _known_before(self, entry: Entry) -> Any:
        """The plan as it was true when the entry counts, knowing all that is recorded."""
        order = self.settled.order
        counts = self.settled.when(entry)
        if not order or self.settled.counts_at[order[-1].entry_id] <= counts:
            return self.state
        return self._checkpoints.fold(self.settled.until(counts))

    def _refuse_taken_ids(self, entry: Entry) -> None:
        fresh: set[str] = set()
        for kind, created, pointer in created_ids(entry):
            if created in self.settled.taken or created in fresh:
                raise DuplicateIdError(
                    f"This id is taken in this {self.CALLED}; choose another {kind.replace('_', ' ')} id or "
                    "leave it out.",
                    pointer,
                )
            fresh.add(created)

    def _refuse_by_status(self, entry: Entry, before: Any) -> None:
        """Refuse what this kind of history does not take as it stands."""

    def warnings(self, entry: Entry) -> list[dict[str, Any]]:
        """Entries that count later than ``entry`` and still use what it ended."""
        ended = set(entry.data.ends())
        place = self.settled.standing(entry.entry_id) if ended else None
        if place is None:
            return []
        return [
            {
                "entry_id": later.entry_id,
                "version": later.version,
                "type": later.type,
                "detail": f"Counts later than this {entry.type} and still uses what it ended.",
            }
            for later in self.settled.order[place + 1 :]
            if not isinstance(later.data, AMENDING)
            if self.CALLED in ended or ended & set(_referred(later))
        ]


def _problems(entry: Entry) -> Iterator[Problem]:
    """What the entry's declaration and that of its envelope refuse."""
    yield from check(entry.data, "/data")
    if entry.voiced_by not in (None, *VOICES):
        yield Problem("/voiced_by", f"Must be one of: {', '.join(VOICES)}.")
    if entry.reason is not None:
        yield from check(entry.reason, "/reason")


def _refuse_without_offset(moment: datetime | None) -> None:
    if moment is not None and moment.tzinfo is None:
        detail = "Must be a moment with its offset, such as 2026-03-31T09:30:00Z."
        raise InvalidDataError([Problem("/occurred_at", detail)])


def _referred(entry: Entry) -> Iterator[str]:
    return (held for rule, held, _ in references(entry) if rule.orders)


def with_new_ids(data: EntryData, new_id: Callable[[], str]) -> EntryData:
    """``data`` with a fresh id wherever it brings in something new and the caller gave none."""
    return _fill(data, new_id) if _makes_ids(type(data)) else data


@remembered
def _makes_ids(cls: type) -> bool:
    return any(isinstance(f.link, New) or (f.nested and _makes_ids(f.type)) for f in fields_of(cls))


def _fill(group: Any, new_id: Callable[[], str]) -> Any:
    filled: dict[str, Any] = {}
    for field in fields_of(type(group)):
        held = getattr(group, field.name)
        if isinstance(field.link, New) and not held:
            filled[field.name] = new_id()
        elif field.nested and held is not None and not field.many and _makes_ids(field.type):
            filled[field.name] = _fill(held, new_id)
    return replace(group, **filled) if filled else group
