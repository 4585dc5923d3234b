"""What is to be delivered in one go: errands of one plan each, run side by side, each in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from uuid import UUID

from service.feed.events import MEDIA_TYPE, Row, cloud_event
from service.webhooks.alerts import Telling
from service.webhooks.sending import Reply, Target
from service.webhooks.signing import signed

UNWELL = 3
"""Failures without one success after which a receiver is left alone for a while."""
UNREADABLE = Reply(why="was sent nothing: the entry cannot be read", ours=True)


@dataclass(slots=True)
class Errand:
    """One plan's next entries for one webhook, in order.

    ``start``: the position up to which the plan's entries are delivered. ``whole``: whether nothing
    of the plan is left behind the cursor once these are delivered. ``attempts``: failed ones before.
    """

    plan_id: UUID
    start: int
    rows: list[Row]
    whole: bool = True
    waited: bool = False
    attempts: int = 0
    unreadable: bool = False
    done: int = 0
    failed: Reply | None = None
    tried: list[tuple[Row, Reply]] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether the plan is level with the cursor."""
        return self.whole and self.done == len(self.rows)

    def pass_over(self) -> None:
        """These entries are not for the receiver's eyes: go past them."""
        self.start, self.rows = self.rows[-1].position, []

    @property
    def reached(self) -> int:
        """The position up to which the plan's entries are delivered now."""
        return self.rows[self.done - 1].position if self.done else self.start


@dataclass(slots=True)
class Trip:
    """Running a webhook's errands: when to stop early is decided here."""

    clinic_id: UUID
    target: Target
    secrets: Sequence[bytes]
    until: float
    tell: Telling = cloud_event
    patience: int = UNWELL
    clock: Callable[[], float] = time.time
    _good: int = 0
    _bad: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def unwell(self) -> bool:
        """Whether nothing was delivered and the receiver seems to be the reason."""
        return self._bad > 0 and self._good == 0

    def run(self, errands: Sequence[Errand], side_by_side: Executor | None) -> None:
        """Run all of them, the least troubled first; one after the other without an executor."""
        ordered = sorted(errands, key=lambda errand: errand.attempts)
        for _ in (
            map(self.deliver, ordered)
            if side_by_side is None
            else side_by_side.map(self.deliver, ordered)
        ):
            pass

    def deliver(self, errand: Errand) -> None:
        """Deliver one plan's entries, one after the other, up to the first that fails."""
        for row in errand.rows:
            if self._over.is_set() or time.monotonic() > self.until:
                return
            reply = UNREADABLE if errand.unreadable else self._send(row)
            errand.tried.append((row, reply))
            if not reply.delivered:
                errand.failed = reply
                self._note_failure(reply)
                return
            errand.done += 1
            self._good += 1

    def _note_failure(self, reply: Reply) -> None:
        self._bad += reply.troubled
        if reply.gone or (self._bad >= self.patience and not self._good):
            self._over.set()

    def _send(self, row: Row) -> Reply:
        try:
            event = self.tell(self.clinic_id, row)
        except (LookupError, ValueError):
            return UNREADABLE
        body = event.text.encode()
        headers = signed(event.id, int(self.clock()), body, self.secrets)
        return self.target.post({**headers, "Content-Type": MEDIA_TYPE}, body)
