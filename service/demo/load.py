"""Loading the demo: all lives merged into one clinic's order of recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from domain.entry import Entry, EntryData, Reason, Voice
from domain.opening import PlanOpened
from service.demo.lives import LIVES
from service.demo.people import PEOPLE, Person, name_id
from service.demo.script import Draft, Known, Life, Session, moment


@dataclass(frozen=True, kw_only=True)
class ReadyDraft:
    """An entry ready to be recorded; ``occurred_at`` is aware and in UTC, None means: now."""

    data: EntryData
    occurred_at: datetime | None = None
    voiced_by: Voice | None = None
    reason: Reason | None = None
    session_id: str | None = None
    causation_id: str | None = None


class Result(Protocol):
    """What recording answers: the plan, and its new entries in the order of the drafts."""

    @property
    def plan_id(self) -> UUID:
        """The plan that was recorded in."""

    @property
    def entries(self) -> Sequence[Entry]:
        """The new entries; after opening a plan the first is the opening."""


OpenPlan = Callable[[Person, PlanOpened, Sequence[ReadyDraft], datetime], Result]
Record = Callable[[Person, UUID, Sequence[ReadyDraft], datetime], Result]
Told = Callable[[int, int], None]


def load(
    open_plan: OpenPlan, record: Record, anchor: datetime, *, told: Told | None = None
) -> dict[str, UUID]:
    """Replay every life up to ``anchor`` (aware): the ids of the plans by key.

    Sessions come in the order in which they were recorded over the whole clinic, so the plans
    interleave. ``told`` hears after each session how many of how many are in.
    """
    tellings = [_Telling(life, anchor) for life in LIVES]
    agenda = sorted(
        ((telling.recorded_at(session), telling, session) for telling, session in _all(tellings)),
        key=lambda planned: planned[0],
    )
    for done, (_, telling, session) in enumerate(agenda, start=1):
        telling.tell(session, open_plan, record)
        if told is not None:
            told(done, len(agenda))
    return {telling.life.key: telling.plan_id for telling in tellings}


def client_ref_of(person: Person) -> str | None:
    """Which client of the demo the person is, if they are one."""
    for life in LIVES:
        opening = life.sessions[0].entries[0].data
        if life.key == person.client_of and isinstance(opening, PlanOpened):
            return opening.client_ref
    return None


def _all(tellings: Sequence[_Telling]) -> list[tuple[_Telling, Session]]:
    return [(telling, session) for telling in tellings for session in telling.life.sessions]


class _Telling:
    """One life while it is being loaded."""

    plan_id: UUID

    def __init__(self, life: Life, anchor: datetime) -> None:
        self.life = life
        self.opened_on: date = life.opened_on(anchor)
        self.known = Known(self.opened_on)

    def recorded_at(self, session: Session) -> datetime:
        return moment(self.opened_on, session.day, session.hour) + session.recorded_after

    def tell(self, session: Session, open_plan: OpenPlan, record: Record) -> None:
        by, recorded_at = PEOPLE[session.by], self.recorded_at(session)
        drafts = self._ready(session)
        first = drafts[0].data
        if isinstance(first, PlanOpened):
            result = open_plan(by, first, drafts[1:], recorded_at)
            self.plan_id = result.plan_id
        else:
            result = record(by, self.plan_id, drafts, recorded_at)
        for draft, entry in zip(session.entries, result.entries, strict=True):
            self.known.learn(draft.name, entry)

    def _ready(self, session: Session) -> list[ReadyDraft]:
        before = self.known.version
        ready = []
        for number, draft in enumerate(session.entries):
            self.known.version = before + number
            ready.append(self._ready_draft(draft, session))
        return ready

    def _ready_draft(self, draft: Draft, session: Session) -> ReadyDraft:
        data = draft.data if isinstance(draft.data, EntryData) else draft.data(self.known)
        return ReadyDraft(
            data=data,
            occurred_at=self._occurred_at(draft, session),
            voiced_by=draft.voiced_by,
            reason=Reason(text=draft.why, code=draft.code) if draft.why else None,
            session_id=self._session_id(session),
            causation_id=self.known[draft.cause] if draft.cause else None,
        )

    def _occurred_at(self, draft: Draft, session: Session) -> datetime | None:
        if draft.day is not None:
            return moment(self.opened_on, draft.day, draft.hour)
        if not session.recorded_after:
            return None
        return moment(self.opened_on, session.day, session.hour)

    def _session_id(self, session: Session) -> str | None:
        if not session.appointment:
            return None
        return name_id(self.life.key, "session", f"{session.day} {session.hour:g} {session.by}")
