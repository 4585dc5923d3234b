"""How soon entries reach those who follow, and what those who wait cost everybody else."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from bench import material
from bench.clinic import Clinic, clinic
from bench.figures import Figure, Run, percentile
from bench.following import READER, answering
from bench.jobs import Generator, Job, Place
from bench.report import Section
from bench.serving import SETTINGS, WORKERS, Serving
from bench.stage import Stage
from bench.visible import CALLERS, RATE, Seen, record_steadily
from bench.workloads import one_entry
from domain.consents import ConsentRecorded
from service.container import build
from service.plans import Draft
from service.serving import supervise
from service.settings import Settings
from service.webhooks.management import NewWebhook

PLANS, BESIDE = 16, 8
PLACES = SETTINGS.feed_readers * WORKERS


@dataclass(slots=True)
class Arrived:
    """When each entry arrived, and when it was recorded; by its id, the first time it came."""

    after: dict[str, float] = field(default_factory=dict)

    def note(self, event: dict[str, str]) -> None:
        """An event has come just now."""
        recorded = datetime.fromisoformat(event["recordedtime"]).timestamp()
        self.after.setdefault(event["id"], max(time.time() - recorded, 0) * 1000)

    def row(self, what: str) -> tuple[str, ...]:
        """As a row of the table."""
        held = list(self.after.values())
        return (
            what,
            *(f"{percentile(held, share):.0f}" for share in (0.5, 0.9, 0.99)),
            f"{len(held):,}",
        )


@dataclass(slots=True)
class Beside:
    """Ordinary requests while so many wait: what they took."""

    how: str
    run: Run


@dataclass(slots=True)
class Soon:
    """Everything measured here."""

    streamed: Arrived
    delivered: Arrived
    beside: list[Beside]


def measure(
    held: Stage, running: Serving, generator: Generator, current: Job, reader: str, seconds: float
) -> Soon:
    """Arrivals at a steady rate over a stream and by webhook, then requests beside streams."""
    with clinic(running.url, "Followed") as followed:
        job = _consented(followed)
        streamed, delivered = Arrived(), Arrived()
        with (
            _reading(running.service.address, followed.token, streamed),
            _delivering(held, running.url, followed, delivered),
        ):
            record_steadily(running.service.address, job, 2 * seconds, found := Seen())
            _wait(found, streamed, delivered)
        beside = list(_beside(running, generator, current, reader, followed.token, job, seconds))
    return Soon(streamed, delivered, beside)


def _consented(followed: Clinic) -> Job:
    places = []
    for number in range(PLANS):
        consent = ConsentRecorded(consent_id=str(uuid4()), scope="All", recipient=READER)
        plan_id = followed.open(number, material.life(11))
        entries = followed.record(plan_id, [Draft(data=consent)])
        path = f"/v1/plans/{plan_id}/entries"
        places.append(Place(path, followed.token, entries[-1].version))
    return Job(tuple(places), one_entry())


def _wait(found: Seen, *arrived: Arrived) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if all(len(held.after) >= len(found.recorded) for held in arrived):
            return
        time.sleep(0.02)
    raise RuntimeError(
        f"only {[len(held.after) for held in arrived]} of {len(found.recorded)} came"
    )


# Those who follow


@contextlib.contextmanager
def _reading(address: str, token: str, arrived: Arrived | None = None) -> Iterator[None]:
    """A reader of the stream from now on; without ``arrived`` it just waits."""
    conn = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    headers = {"Authorization": f"Bearer {token}"}
    for _ in range(200):  # the worker that takes the connection may have no place left; another may
        conn.request("GET", "/v1/feed/stream?lastEventId=latest", headers=headers)
        answer = conn.getresponse()
        if answer.status == 200:
            break
        answer.read()
        conn.close()
    else:
        raise RuntimeError("no place for a stream")

    def read() -> None:
        with contextlib.suppress(OSError, http.client.HTTPException, AttributeError, ValueError):
            while line := answer.readline():
                if arrived is not None and line.startswith(b"data: "):
                    arrived.note(json.loads(line[6:]))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            answer.close()
        conn.close()


@contextlib.contextmanager
def _delivering(held: Stage, url: str, followed: Clinic, arrived: Arrived) -> Iterator[None]:
    """A webhook to this process, and the deliverer as `serve` runs it."""
    receiver = ThreadingHTTPServer(
        ("127.0.0.1", 0), answering(lambda body: arrived.note(json.loads(body)))
    )
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    settings = Settings(database_url=url, home=Path("unused"), webhook_private_targets=True)
    container = build(settings)
    reader = replace(followed.who, member_id=uuid4(), name=READER, role="integration")
    container.webhooks.create(reader, NewWebhook(url=f"http://127.0.0.1:{receiver.server_port}/"))
    environment = supervise.environment_for(url, held.home)
    environment |= {
        "PLAN_HISTORY_WEBHOOK_PRIVATE_TARGETS": "true",
        "PLAN_HISTORY_LOG_LEVEL": "ERROR",
    }
    try:
        with supervise.deliverer(environment):
            time.sleep(2)  # it imports for a while before it listens
            yield
    finally:
        receiver.shutdown()
        receiver.server_close()
        container.close()


# Everybody else


def _beside(
    running: Serving,
    generator: Generator,
    current: Job,
    reader: str,
    token: str,
    job: Job,
    seconds: float,
) -> Iterator[Beside]:
    address = running.service.address
    yield Beside("nobody waits", generator.run(address, current, BESIDE, seconds))
    with contextlib.ExitStack() as waiting:
        for _ in range(PLACES):
            waiting.enter_context(_reading(address, reader))
        how = f"all {PLACES} places taken, nothing to tell"
        yield Beside(how, generator.run(address, current, BESIDE, seconds))
    time.sleep(1)
    writing = threading.Thread(target=record_steadily, args=(address, job, seconds + 1, Seen()))
    writing.start()
    yield Beside(
        f"nobody waits, {RATE} entries/s recorded", generator.run(address, current, BESIDE, seconds)
    )
    writing.join()
    with contextlib.ExitStack() as waiting:
        for _ in range(PLACES):
            waiting.enter_context(_reading(address, token, Arrived()))
        writing = threading.Thread(target=record_steadily, args=(address, job, seconds + 1, Seen()))
        writing.start()
        how = f"all {PLACES} places taken and told {RATE} entries/s each"
        yield Beside(how, generator.run(address, current, BESIDE, seconds))
        writing.join()


# Told


def figures(found: Soon) -> Sequence[Figure]:
    """The figures for the targets."""
    return [
        _figure("stream-soon", found.streamed),
        _figure("webhook-soon", found.delivered),
        Figure(
            "beside-streams",
            found.beside[1].run.p99,
            f"{found.beside[0].run.p99:.0f} ms when nobody waits; {BESIDE} callers read the current plan",
        ),
    ]


def _figure(key: str, arrived: Arrived) -> Figure:
    held = list(arrived.after.values())
    note = f"p50 {percentile(held, 0.5):.0f} ms; {len(held):,} entries at {RATE}/s by {CALLERS} callers"
    return Figure(key, percentile(held, 0.99), note)


def sections(found: Soon) -> Iterator[Section]:
    """The tables."""
    yield Section(
        "How soon entries arrive",
        ("how", "p50 ms", "p90 ms", "p99 ms", "entries"),
        [found.streamed.row("over a stream"), found.delivered.row("by webhook, signed")],
        f"From the database's time of recording until it was read, at {RATE} entries/s, one reader and one "
        "webhook at a time, the load generator, the receiver and everything else on the same machine.",
    )
    rows = [
        (
            held.how,
            f"{held.run.rate:,.0f}",
            *(f"{ms:.1f}" for ms in (held.run.p50, held.run.p90, held.run.p99)),
        )
        for held in found.beside
    ]
    yield Section(
        "Beside those who wait",
        ("while", "requests/s", "p50 ms", "p90 ms", "p99 ms"),
        rows,
        f"The current plan, read by {BESIDE} callers without a pause. One reader more than there are places gets "
        "503 with Retry-After.",
    )
