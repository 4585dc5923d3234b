"""How long an entry takes from its append until every read model has it, or the ledger, at a steady rate."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg

from bench.figures import Figure, percentile
from bench.jobs import Job
from bench.serving import Serving
from bench.stage import owner
from projections import ALL

RATE, CALLERS = 200, 8
Reached = Callable[[psycopg.Connection[Any], UUID], int]
"""Up to which position a clinic's entries have come."""
_SEEN = (
    "SELECT min(position) FROM projection_positions WHERE clinic_id = %s AND projection = ANY(%s)"
)


@dataclass(slots=True)
class Seen:
    """When each position was recorded, and when it was first seen to have come through."""

    recorded: dict[int, float] = field(default_factory=dict)
    seen: list[tuple[float, int]] = field(default_factory=list)
    refused: int = 0

    def delays(self) -> Iterator[float]:
        """Milliseconds from the database's own time of recording until it had come through, for each entry."""
        looks = iter(self.seen)
        moment, upto = next(looks)
        for position, recorded in sorted(self.recorded.items()):
            while upto < position:
                moment, upto = next(looks)
            yield max(moment - recorded, 0) * 1000


def in_read_models(conn: psycopg.Connection[Any], clinic_id: UUID) -> int:
    """Up to which position every read model has a clinic's entries."""
    row = conn.execute(_SEEN, [clinic_id, [held.name for held in ALL]]).fetchone()
    return int(row[0] or 0) if row else 0


def measure(
    running: Serving,
    clinic_id: UUID,
    job: Job,
    seconds: float,
    reached: Reached = in_read_models,
) -> Seen:
    """Record at a steady rate and watch how far it has come."""
    found, stop = Seen(), threading.Event()
    given = (running.url, clinic_id, reached, found, stop)
    watcher = threading.Thread(target=_watch, args=given)
    watcher.start()
    record_steadily(running.service.address, job, seconds, found)
    deadline = time.monotonic() + 30
    while found.seen[-1][1] < max(found.recorded) and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    watcher.join()
    return found


def record_steadily(address: str, job: Job, seconds: float, found: Seen) -> None:
    """Record at a steady rate from several callers, and note when each entry was recorded."""
    callers = [
        threading.Thread(target=_call, args=(address, job, number, seconds, found))
        for number in range(CALLERS)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()


def _watch(url: str, clinic_id: UUID, reached: Reached, found: Seen, stop: threading.Event) -> None:
    with owner(url) as conn:
        while not stop.is_set():
            position = reached(conn, clinic_id)
            found.seen.append((time.time(), position))
            time.sleep(0.002)


def _call(address: str, job: Job, number: int, seconds: float, found: Seen) -> None:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    places = job.places[number::CALLERS]
    step = CALLERS / RATE
    due = time.monotonic() + step * number / CALLERS
    for turn in range(int(seconds / step)):
        time.sleep(max(due - time.monotonic(), 0))
        due += step
        place, unique = places[turn % len(places)], str(uuid4())
        headers = job.headers_for(place, 0, unique)
        connection.request("POST", place.path, job.body_for(unique), headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        if answer.status != job.expected:
            found.refused += 1
            continue
        moment = datetime.fromisoformat(told["entries"][-1]["recorded_at"])
        found.recorded[told["position"]] = moment.timestamp()


def figures(found: Seen, seconds: float) -> Sequence[Figure]:
    """The figure for the target."""
    delays = list(found.delays())
    half, most = percentile(delays, 0.5), percentile(delays, 0.99)
    note = f"p50 {half:.0f} ms; {len(delays) / seconds:,.0f} entries/s, {found.refused} refused"
    return [Figure("visible", most, note)]
