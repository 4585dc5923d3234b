"""How a demo life is written: sessions of drafts, and what a draft may know when it is recorded.

Days count from the plan's opening (day 0), hours are hours of that day in UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from domain.entry import Entry, EntryData, Voice

SOON = timedelta(minutes=40)
AT_ONCE = timedelta(0)


class Known:
    """What a draft may know when it is recorded: ids of named entries, the plan's version, dates.

    ``version`` is the plan's version just before the draft's own entry.
    """

    def __init__(self, opened_on: date) -> None:
        self.opened_on = opened_on
        self.version = 0
        self._named: dict[str, Entry] = {}

    def learn(self, name: str | None, entry: Entry) -> None:
        """An entry was recorded, under ``name`` if later drafts refer to it."""
        self.version = entry.version
        if name is not None:
            self._named[name] = entry

    def on(self, day: int) -> date:
        """The date of a day of this plan's life."""
        return self.opened_on + timedelta(days=day)

    def version_of(self, name: str) -> int:
        """The version of the entry recorded under that name."""
        return self._named[name].version

    def __getitem__(self, name: str) -> str:
        return self._named[name].entry_id


@dataclass(frozen=True)
class Draft:
    """An entry to be: its data, or how to make it from what is known by then.

    ``name``: what later drafts call the entry; ``why`` and ``code``: its reason; ``day`` and
    ``hour``: when it was true, if not at the session's moment; ``cause``: the name of the entry
    that called for it.
    """

    data: EntryData | Callable[[Known], EntryData]
    name: str | None = None
    voiced_by: Voice | None = None
    why: str | None = None
    code: str | None = None
    day: int | None = None
    hour: float = 20
    cause: str | None = None

    def named(self, name: str) -> Draft:
        """This draft, called ``name`` by later ones."""
        return replace(self, name=name)

    def voiced(self, voice: Voice) -> Draft:
        """This draft in the words, or by the wish, of ``voice``."""
        return replace(self, voiced_by=voice)

    def because(self, why: str, code: str | None = None) -> Draft:
        """This draft with its reason."""
        return replace(self, why=why, code=code)

    def on(self, day: int, hour: float = 20) -> Draft:
        """This draft, true at another moment than its session's."""
        return replace(self, day=day, hour=hour)

    def after(self, name: str) -> Draft:
        """This draft, called for by the entry of that name."""
        return replace(self, cause=name)


@dataclass(frozen=True, kw_only=True)
class Session:
    """Drafts recorded in one go: an appointment, or something written outside of one."""

    day: int
    hour: float
    by: str
    entries: tuple[Draft, ...]
    recorded_after: timedelta = SOON
    appointment: bool = True


@dataclass(frozen=True)
class Pen:
    """Someone who writes into a plan, and their usual hour."""

    by: str
    hour: float

    def opened(self, *entries: Draft) -> Session:
        """The first appointment, in which the plan is opened and written down together."""
        return Session(day=0, hour=self.hour, by=self.by, entries=entries, recorded_after=AT_ONCE)

    def met(self, day: int, *entries: Draft, recorded_after: timedelta = SOON) -> Session:
        """An appointment, written down afterwards."""
        return Session(
            day=day, hour=self.hour, by=self.by, entries=entries, recorded_after=recorded_after
        )

    def wrote(self, day: int, *entries: Draft, hour: float | None = None) -> Session:
        """Something recorded as it happened, outside an appointment, e.g. a signature."""
        return Session(
            day=day,
            hour=self.hour if hour is None else hour,
            by=self.by,
            entries=entries,
            recorded_after=AT_ONCE,
            appointment=False,
        )


@dataclass(frozen=True, kw_only=True)
class Life:
    """A plan's life, from its opening on.

    It opens ``weeks`` weeks before the Monday of the anchor's week, on ``weekday`` (Monday is 0):
    appointments fall on working days whenever the demo is loaded.
    """

    key: str
    weeks: int
    weekday: int
    sessions: tuple[Session, ...]

    def opened_on(self, anchor: datetime) -> date:
        """Day 0 of this life, for a demo loaded at ``anchor``."""
        monday = anchor.astimezone(UTC).date() - timedelta(days=anchor.astimezone(UTC).weekday())
        return monday - timedelta(weeks=self.weeks) + timedelta(days=self.weekday)

    @property
    def recorders(self) -> frozenset[str]:
        """The keys of everyone who writes in this plan."""
        return frozenset(session.by for session in self.sessions)


def moment(opened_on: date, day: int, hour: float) -> datetime:
    """The moment of an hour (UTC) on a day of a life that opened on ``opened_on``."""
    midnight = datetime.combine(opened_on + timedelta(days=day), time(), tzinfo=UTC)
    return midnight + timedelta(hours=hour)
