"""How long an entry takes from its append until every read model has it, at a steady rate."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from bench.figures import Figure, percentile
from bench.jobs import Job
from bench.serving import Serving
from bench.stage import owner
from projections import ALL

RATE, CALLERS = 200, 8
_SEEN = (
    "SELECT min(position) FROM projection_positions WHERE clinic_id = %s AND projection = ANY(%s)"
)


@dataclass(slots=True)
class Seen:
    """When each position was recorded, and when it was first seen in every read model."""

    recorded: dict[int, float] = field(default_factory=dict)
    seen: list[tuple[float, int]] = field(default_factory=list)
    refused: int = 0

    def delays(self) -> Iterator[float]:
        """Milliseconds from the database's own time of recording until visible, for each entry."""
        looks = iter(self.seen)
        moment, upto = next(looks)
        for position, recorded in sorted(self.recorded.items()):
            while upto < position:
                moment, upto = next(looks)
            yield max(moment - recorded, 0) * 1000


def measure(running: Serving, clinic_id: UUID, job: Job, seconds: float) -> Seen:
    """Record at a steady rate and watch the positions of the read models."""
    found, stop = Seen(), threading.Event()
    watcher = threading.Thread(target=_watch, args=(running.url, clinic_id, found, stop))
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


def _watch(url: str, clinic_id: UUID, found: Seen, stop: threading.Event) -> None:
    names = [held.name for held in ALL]
    with owner(url) as conn:
        while not stop.is_set():
            row = conn.execute(_SEEN, [clinic_id, names]).fetchone()
            found.seen.append((time.time(), int(row[0] or 0) if row else 0))
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
