"""The dispatcher: rounds of deliveries, any number of processes beside each other.

A round locks one webhook's cursor row (that lock is the lease, and ends with whoever holds it), sends
what is due, notes how it went and commits. Whatever was sent but not yet noted is sent again.
"""

from __future__ import annotations

import contextlib
import logging
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from service.access import Principal
from service.errors import NotSignedInError
from service.feed.scan import Interest
from service.feed.showing import ACTION, Showing
from service.webhooks.alerts import ACTION as ALERTING
from service.webhooks.alerts import METADATA, alerting, telling
from service.webhooks.errands import UNWELL, Errand, Trip
from service.webhooks.ledger import Leased, Ledger
from service.webhooks.sending import Target

SPENT = 5.0
"""Seconds after which a round begins no further delivery."""
TIDIED_EVERY = 3600.0
LONGEST_PAUSE = 4 * 3600.0
log = logging.getLogger("plan_history.webhooks")


@dataclass(frozen=True, slots=True)
class Terms:
    """How deliveries are made. Times in seconds; see the settings of the same names."""

    attempts: int = 16
    pause: float = 5.0
    seconds: float = 10.0
    private: bool = False
    window: int = 100

    def pause_after(self, attempts: int, asked: float = 0.0) -> float:
        """How long to wait after so many failed attempts: doubling, with jitter, at most four hours."""
        grown = min(self.pause * 2.0 ** min(attempts - 1, 40), LONGEST_PAUSE)
        jitter = random.uniform(0.75, 1.25)  # noqa: S311 - spreads retries, guards no secret
        return max(grown * jitter, min(asked, LONGEST_PAUSE))


class Dispatcher:
    """Delivers over one connection (autocommit, as the deliverer), with threads to send from."""

    def __init__(
        self,
        conn: psycopg.Connection[Any],
        terms: Terms,
        showing: Showing,
        side_by_side: Executor,
    ) -> None:
        self.ledger = Ledger(conn, showing.gate.plans.keys)
        self.terms = terms
        self.showing = showing
        self.side_by_side = side_by_side
        self._tidied: dict[UUID, float] = {}

    def round(self) -> bool:
        """Work for one webhook that has something due and is nobody else's; False if there is none."""
        with self.ledger.lease() as held:
            if held is None:
                return False
            if held.deleted:
                self.ledger.purge(held)
            elif held.replay_after is not None:
                self.ledger.rewind(held)
            else:
                self._work(held)
                self._tidy(held)
            return True

    def _tidy(self, held: Leased) -> None:
        """Let the delivery log forget what is old, once an hour."""
        now = time.monotonic()
        if now - self._tidied.get(held.webhook_id, -TIDIED_EVERY) >= TIDIED_EVERY:
            self.ledger.forget_old(held)
            self._tidied[held.webhook_id] = now

    def _work(self, held: Leased) -> None:
        who = self._whose(held)
        if who is None:
            self.ledger.disable(held, "Its integration no longer belongs to the clinic.")
            return
        errands, reached = self._due(held, who)
        until = time.monotonic() + SPENT
        with self._target(held) as target:
            how = telling(held.carries)
            trip = Trip(held.clinic_id, target, self.ledger.secrets(held), until, how)
            trip.patience = 1 if held.failures else UNWELL
            self.send(held, trip, errands, reached)

    def send(self, held: Leased, trip: Trip, errands: Sequence[Errand], reached: int) -> None:
        """Send, and only then move on."""
        trip.run(errands, None if held.failures else self.side_by_side)
        self.settle(held, trip, errands, reached)

    def _due(self, held: Leased, who: Principal) -> tuple[list[Errand], int]:
        """What is to be sent now, plan by plan, and the position the cursor will have reached then."""
        wanted = Interest(held.topics, held.plan_id)
        found = self.ledger.window(held, wanted, self.terms.window)
        behind = self.ledger.behind(held, {row.plan_id for row in found.rows})
        errands = self.grouped(held, [row for row in found.rows if row.plan_id not in behind])
        for lane in self.ledger.due_lanes(held):
            rows, whole = self.ledger.rest(held, lane, wanted, found.reached, self.terms.window)
            errand = Errand(lane.plan_id, lane.position, rows, whole, attempts=lane.attempts)
            errand.waited = True
            errands.append(errand)
        rows = [row for errand in errands for row in errand.rows]
        seen = self.showing.shown(who, rows, "webhook", _action(held))
        for errand in errands:
            errand.unreadable = str(errand.plan_id) in seen.unreadable
            if errand.rows and not errand.unreadable and str(errand.plan_id) not in seen.plans:
                errand.pass_over()
        return errands, found.reached

    def grouped(self, held: Leased, rows: Sequence[Any]) -> list[Errand]:
        """New entries as one errand a plan."""
        errands: dict[str, Errand] = {}
        for row in rows:
            errand = errands.setdefault(row.plan_id, Errand(UUID(row.plan_id), held.position, []))
            errand.rows.append(row)
        return list(errands.values())

    @contextlib.contextmanager
    def _target(self, held: Leased) -> Iterator[Target]:
        target = Target(held.url, seconds=self.terms.seconds, private=self.terms.private)
        try:
            yield target
        finally:
            target.close()

    def settle(self, held: Leased, trip: Trip, errands: Sequence[Errand], reached: int) -> None:
        """Note how it went: what is behind gets a lane, the cursor moves on."""
        for errand in errands:
            if errand.complete:
                self.ledger.close_lane(held, errand)
            else:
                self._hold_back(held, errand)
        self.ledger.note_attempts(held, errands, self.terms.attempts)
        failures = held.failures + 1 if trip.unwell else 0
        pause = self.terms.pause_after(failures) if failures else 0.0
        self.ledger.move(held, reached, failures, pause)
        if any(errand.failed is not None and errand.failed.gone for errand in errands):
            log.warning("webhook %s answered 410 Gone and is disabled", held.webhook_id)
            self.ledger.disable(held, "Its receiver answered 410 Gone.")

    def _hold_back(self, held: Leased, errand: Errand) -> None:
        failed = errand.failed
        if failed is None:  # not its turn any more, or there is more of it
            self.ledger.keep_lane(held, errand, errand.attempts if not errand.done else 0, 0.0)
            return
        attempts = 1 if errand.done else errand.attempts + 1
        parked = attempts >= self.terms.attempts and not failed.gone
        pause = self.terms.pause_after(attempts, failed.retry_after)
        self.ledger.keep_lane(held, errand, attempts, pause, parked=parked)
        if parked:
            log.warning(
                "webhook %s: plan %s is parked after %s attempts; the receiver %s",
                held.webhook_id,
                errand.plan_id,
                attempts,
                failed.why,
            )

    def _whose(self, held: Leased) -> Principal | None:
        """The integration that is told: what it may see is what is sent. None: it is one no longer."""
        if held.carries == METADATA:
            return alerting(held.clinic_id, held.member_id, held.webhook_id)
        named = (held.clinic_id, held.member_id, held.recipient, "integration", None)
        with contextlib.suppress(NotSignedInError):
            found = self.showing.present(Principal(*named, held.webhook_id))
            return found if found.role == "integration" else None
        return None


def _action(held: Leased) -> str:
    return ALERTING if held.carries == METADATA else ACTION
