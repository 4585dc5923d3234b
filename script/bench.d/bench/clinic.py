"""The clinics that are measured, filled through the use cases."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from bench import material
from bench.keys import settings
from bench.stage import owner
from domain.entry import Entry, EntryData, Reason
from domain.goals import MeasureRecorded
from domain.record import EntryCorrected
from service.access import Principal
from service.clinics import create_clinic
from service.container import Container, build
from service.plans import Draft, Request
from service.tokens import issue

CORRECTED = Reason(text="Was read off the wrong line of the diary.")


@dataclass(slots=True)
class Clinic:
    """A rehearsal clinic that is being filled by one clinician, at a steady pace in its own time."""

    container: Container
    who: Principal
    token: str
    now: datetime
    step: timedelta = timedelta()

    def open(self, number: object, first: Sequence[EntryData] = ()) -> UUID:
        """Open the plan of client ``number``, with its first entries."""
        request = self._request()
        drafts = [self._draft(data) for data in first]
        opening = Draft(data=material.opening(number), occurred_at=self.now)
        return self.container.plans.open_plan(self.who, opening, drafts, request).plan_id

    def record(self, plan_id: UUID, drafts: Sequence[Draft]) -> Sequence[Entry]:
        """Record drafts in one request."""
        return self.container.plans.record(self.who, plan_id, drafts, self._request()).entries

    def live(self, number: object, entries: int, size: int) -> UUID:
        """A plan of ``entries`` entries, recorded ``size`` at a time."""
        said = material.life(entries - 1)
        plan_id = self.open(number, said[: size - 1])
        for begin in range(size - 1, len(said), size):
            self.record(plan_id, [self._draft(data) for data in said[begin : begin + size]])
        return plan_id

    def live_amended(self, number: object, entries: int) -> UUID:
        """The same, as life is: every request brings a late entry, every fifth a correction."""
        said = iter(material.life(entries - 1))
        plan_id = self.open(number, [next(said) for _ in range(10)])
        measures: list[Entry] = []
        left, turn = entries - 11, 0
        while left > 0:
            turn += 1
            drafts = [self._draft(next(said), late=not at) for at in range(min(4, left))]
            if turn % 5 == 0 and measures and left > len(drafts):
                drafts.append(self._correction(measures[-1]))
            done = self.record(plan_id, drafts)
            measures += [held for held in done if isinstance(held.data, MeasureRecorded)]
            left -= len(drafts)
        return plan_id

    def _request(self) -> Request:
        self.now += self.step
        key = str(uuid4())
        told = self.now if self.step else None
        return Request(key=key, digest=key.encode(), recorded_at=told)

    def _draft(self, data: EntryData, *, late: bool = False) -> Draft:
        return Draft(data=data, occurred_at=self.now - timedelta(days=2) * late)

    def _correction(self, held: Entry) -> Draft:
        corrected = EntryCorrected(entry_id=held.entry_id, data={"value": 6})
        return Draft(data=corrected, occurred_at=self.now, reason=CORRECTED)


@contextlib.contextmanager
def clinic(
    url: str, name: str, *, days_ago: float = 0, step: timedelta = timedelta()
) -> Iterator[Clinic]:
    """A new rehearsal clinic; with ``step``, its requests were recorded that far apart."""
    container = build(settings(url, request_seconds=30))
    try:
        with owner(url) as conn:
            clinic_id = create_clinic(conn, name, rehearsal=True)
            who = Principal(
                clinic_id, UUID(material.THERAPIST), "Robin Sample", "clinician", None, uuid4()
            )
            token = issue(
                conn, clinic_id, name=who.name, role=who.role, member_id=who.member_id
            ).token
        yield Clinic(container, who, token, datetime.now(UTC) - timedelta(days=days_ago), step)
    finally:
        container.close()
