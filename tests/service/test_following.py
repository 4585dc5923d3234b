"""Following a clinic from outside, with what anybody has at hand, against the service as users start it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
import httpx_sse
import pytest
import requests

from service.clinics import create_clinic
from service.tokens import issue
from tests.conftest import THERAPIST
from tests.faults.load import OPENING
from tests.service.servers import reachable_folder, soon
from tests.service.serving import Serving, plan_history, serving
from tests.service.webhooks.receiving import receiving

READERS, WORKERS = 4, 2


@dataclass
class Desk:
    """A clinician of a clinic of a running service, with a plan."""

    served: Serving
    clinic_id: str
    headers: dict[str, str]
    plan: str = ""
    written: list[str] = field(default_factory=list)

    def record(self, count: int = 1) -> None:
        """Record so many entries."""
        entries = [{"type": "SetbackNoted", "data": {"what": f"n{n}"}} for n in range(count)]
        self._send(f"{self.plan}/entries", {"entries": entries})

    def open(self) -> None:
        """Open the plan, with a consent for the registry."""
        consent = {
            "type": "ConsentRecorded",
            "data": {"scope": "All of it.", "recipient": "The registry"},
        }
        opened = self._send("/v1/plans", {**OPENING, "client_ref": "c-1", "entries": [consent]})
        self.plan = opened.headers["Location"]

    def _send(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.served.send(path, body, **self.headers)
        assert answer.status == 201, answer.body
        self.written += [held["entry_id"] for held in answer.body["entries"]]
        return answer

    def get(self, path: str, **more: Any) -> requests.Response:
        """GET with the token, by requests."""
        return requests.get(self.served.address + path, headers=self.headers, timeout=40, **more)


@contextmanager
def started(readers: int = READERS) -> Iterator[Serving]:
    """The service with room for few readers, which may send to this machine."""
    with reachable_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAN_HISTORY_FEED_READERS", str(readers))
        patch.setenv("PLAN_HISTORY_WEBHOOK_PRIVATE_TARGETS", "true")
        patch.setenv("PLAN_HISTORY_WEBHOOK_PAUSE", "0.05")
        with serving(folder / "home") as held:
            yield held


@pytest.fixture(scope="module")
def served() -> Iterator[Serving]:
    """One that runs while these tests follow it."""
    with started() as held:
        yield held


def new_desk(served: Serving) -> Desk:
    """A new clinic with a clinician and a plan of two entries."""
    with served.owner() as conn:
        clinic_id = create_clinic(conn, "Followed")
        made = issue(conn, clinic_id, name="Robin", role="clinician", member_id=THERAPIST)
    desk = Desk(served, str(clinic_id), {"Authorization": f"Bearer {made.token}"})
    desk.open()
    return desk


@pytest.fixture
def desk(served: Serving) -> Desk:
    """Somebody to follow."""
    return new_desk(served)


class Following(threading.Thread):
    """Follows the feed by long poll as the guide shows, from the start, until it has enough."""

    def __init__(self, desk: Desk, enough: int) -> None:
        super().__init__(daemon=True)
        self.desk, self.enough = desk, enough
        self.events: list[dict[str, Any]] = []

    def run(self) -> None:
        """Follow."""
        address = "/v1/feed?lastEventId=0&timeout=5000&limit=7"
        while len(self.events) < self.enough:
            answer = self.desk.get(address)
            if answer.status_code == 503:
                time.sleep(0.05)  # as Retry-After asks, only sooner
                continue
            answer.raise_for_status()
            self.events += answer.json()
            address = answer.links["next"]["url"]


class Streaming(threading.Thread):
    """Follows the stream with an SSE client that is cut off now and then, and comes back."""

    def __init__(self, desk: Desk, enough: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.desk, self.enough, self.random = desk, enough, Random(seed)
        self.ids: list[str] = []
        self.cut = 0

    def run(self) -> None:
        """Follow; whatever breaks, come back with the last id."""
        while len(self.ids) < self.enough:
            try:
                self._once(self.random.randint(1, 12))
            except (httpx.HTTPError, httpx_sse.SSEError):
                time.sleep(0.05)  # as a browser waits before it comes back
            self.cut += 1

    def _once(self, patience: int) -> None:
        last = {"Last-Event-ID": self.ids[-1]} if self.ids else {}
        url = f"{self.desk.served.address}/v1/feed/stream"
        with (
            httpx.Client(headers={**self.desk.headers, **last}, timeout=20) as client,
            httpx_sse.connect_sse(client, "GET", url) as stream,
        ):
            for number, event in enumerate(stream.iter_sse()):
                self.ids.append(event.id)
                assert json.loads(event.data)["id"] == event.id
                if number >= patience or len(self.ids) >= self.enough:
                    return


def test_a_follower_by_long_poll_sees_everything_once(desk: Desk) -> None:
    """While others record, every entry arrives, in order, each once."""
    follower = Following(desk, enough=62)
    follower.start()
    for _ in range(30):
        desk.record(2)
    follower.join(60)
    assert [held["id"] for held in follower.events] == desk.written
    assert [int(held["sequence"]) for held in follower.events] == list(range(1, 63))


def test_a_reader_that_is_cut_off_again_and_again_misses_nothing(desk: Desk) -> None:
    """By its own end or by kill -9 of a web worker: nothing is missed, nothing is seen twice."""
    reader = Streaming(desk, enough=202, seed=7)
    reader.start()
    for number in range(20):
        desk.record(10)
        if number in (6, 13):
            [*_, worker] = desk.served.processes("gunicorn")
            os.kill(worker, signal.SIGKILL)
            assert soon(lambda: _answers(desk))
    reader.join(60)
    assert not reader.is_alive(), f"it has {len(reader.ids)} of 202"
    assert reader.ids == desk.written
    assert reader.cut > 15


def _answers(desk: Desk) -> bool:
    try:
        return desk.get("/v1/me").status_code == 200
    except requests.ConnectionError:
        return False


@pytest.mark.slow
def test_in_quiet_times_a_stream_stays_and_a_poll_waits(desk: Desk) -> None:
    """Two signs of life, then the next entry over the same connection; a poll waits as long as it says."""
    with desk.get("/v1/feed/stream?lastEventId=latest", stream=True) as stream:
        begun = time.monotonic()
        lines = stream.iter_lines(chunk_size=1, decode_unicode=True)
        assert [next(lines) for _ in range(3)] == [": these are CloudEvents", ":", ":"]
        assert 29 < time.monotonic() - begun < 40
        desk.record()
        assert next(lines) == f"id: {desk.written[-1]}"
    begun = time.monotonic()
    assert desk.get("/v1/feed?lastEventId=latest&timeout=20000").json() == []
    assert 19 < time.monotonic() - begun < 25


def test_control_a_reader_without_its_last_id_sees_things_twice(desk: Desk) -> None:
    """The same reader that forgets where it was is found out by the same comparison."""
    desk.record(30)
    reader = Streaming(desk, enough=40, seed=7)
    once = reader._once

    def forgetful(patience: int) -> None:
        seen, reader.ids = reader.ids, []
        try:
            once(patience)
        finally:
            reader.ids = seen + reader.ids

    reader._once = forgetful  # type: ignore[method-assign] # the mistake on purpose
    reader.start()
    reader.join(30)
    assert reader.ids[:32] != desk.written


# Room for others


@contextmanager
def streams(desk: Desk) -> Iterator[int]:
    """As many streams as there is room for, until the end of the block; how many that are."""
    with ExitStack() as stack:
        held: list[Iterator[bytes]] = []

        def another() -> bool:
            answer = desk.get("/v1/feed/stream?lastEventId=latest", stream=True)
            stack.callback(answer.close)
            if answer.status_code == 200:
                held.append(answer.iter_content(8))  # kept: when it goes, so does the connection
                assert next(held[-1])
                return False
            assert answer.status_code == 503
            assert answer.json()["code"] == "too-many-readers"
            assert int(answer.headers["Retry-After"]) >= 1
            return len(held) >= READERS * WORKERS

        assert soon(another, 30), f"room for {len(held)} only"
        yield len(held)


def test_readers_leave_room_for_everybody_else(desk: Desk) -> None:
    """With every place taken in every worker, ordinary requests are answered as ever."""
    with streams(desk) as waiting:
        assert waiting == READERS * WORKERS
        took = []
        for _ in range(50):
            begun = time.monotonic()
            assert desk.get(desk.plan).status_code == 200
            desk.record()
            took.append(time.monotonic() - begun)
        assert sorted(took)[25] < 0.5, took
        assert desk.get("/v1/feed?lastEventId=0").status_code == 200
    assert soon(lambda: desk.get("/v1/feed?lastEventId=latest&timeout=50").status_code == 200)


class Working(threading.Thread):
    """Somebody who reads and records without a pause; how long each answer took."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(daemon=True)
        self.desk, self.over = desk, threading.Event()
        self.took: list[float] = []
        self.refused: list[int] = []

    def run(self) -> None:
        """Work until it is over."""
        note = {"entries": [{"type": "SetbackNoted", "data": {"what": "A bad night"}}]}
        with requests.Session() as session:
            session.headers.update(self.desk.headers)
            while not self.over.is_set():
                for method, path, body in (
                    ("GET", self.desk.plan, None),
                    ("GET", f"{self.desk.plan}/timeline", None),
                    ("POST", f"{self.desk.plan}/entries", note),
                ):
                    begun = time.monotonic()
                    place = self.desk.served.address + path
                    answer = session.request(method, place, json=body, timeout=30)
                    self.took.append(time.monotonic() - begun)
                    if answer.status_code >= 300:
                        self.refused.append(answer.status_code)


def work(desk: Desk, seconds: float = 4, people: int = 6) -> list[float]:
    """So many work side by side for a while; nobody is refused. How long the answers took, shortest first."""
    workers = [Working(desk) for _ in range(people)]
    for worker in workers:
        worker.start()
    threading.Event().wait(seconds)
    for worker in workers:
        worker.over.set()
    for worker in workers:
        worker.join(40)
        assert not worker.is_alive()
        assert worker.refused == []
    return sorted(took for worker in workers for took in worker.took)


def test_streams_that_are_told_everything_starve_nobody(desk: Desk) -> None:
    """Six work while every place is taken and each reader is told all they record: none waits for long.

    Twice as long at the median, for the readers are told by the same two cores; and never for a place.
    """
    alone = work(desk)
    with streams(desk) as waiting:
        assert waiting == READERS * WORKERS
        beside = work(desk)
    half = len(beside) // 2
    assert beside[half] < 6 * alone[len(alone) // 2] + 0.05, (alone[len(alone) // 2], beside[half])
    assert beside[int(len(beside) * 0.99)] < 2.5, beside[-10:]


def test_control_streams_without_a_cap_starve_everybody() -> None:
    """With as many places as threads, nobody else is answered while all are taken."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setenv("PLAN_HISTORY_THREADS", "2")
        served = stack.enter_context(started(readers=2))
        desk = new_desk(served)
        url = f"{served.address}/v1/feed/stream?lastEventId=latest"

        def starved() -> bool:
            """Whether nobody is answered once more have come to stay; a worker may have got fewer."""
            for _ in range(2 * WORKERS):
                with contextlib.suppress(requests.Timeout):
                    answer = requests.get(url, headers=desk.headers, stream=True, timeout=2)
                    stack.callback(answer.close)
            try:
                for _ in range(10):
                    requests.get(f"{served.address}/livez", timeout=2)
            except requests.Timeout:
                return True
            return False

        assert any(starved() for _ in range(5))


def test_who_hangs_up_makes_room_at_once(desk: Desk) -> None:
    """A place is free again in a moment, not with the next sign of life."""
    for _ in range(2):
        with streams(desk) as waiting:
            assert waiting == READERS * WORKERS
        begun = time.monotonic()
        assert soon(lambda: desk.get("/v1/feed?lastEventId=latest&timeout=1").status_code == 200)
        assert time.monotonic() - begun < 8  # a stream gives its next sign of life after 15 s


def test_waiting_readers_do_not_hold_up_the_end() -> None:
    """Asked to end, the service ends its streams and long polls at once, and in order."""
    with started() as served:
        desk = new_desk(served)
        answers: list[int] = []

        def poll() -> None:
            path = "/v1/feed?lastEventId=latest&timeout=30000"
            answers.append(desk.get(path).status_code)

        waiting = threading.Thread(target=poll)
        with desk.get("/v1/feed/stream?lastEventId=latest", stream=True) as stream:
            parts = stream.iter_content(8)
            assert next(parts)
            waiting.start()
            for _ in range(5):  # connections are taken in their order: the poll has come in, too
                assert _answers(desk)
            begun = time.monotonic()
            served.end()
            assert time.monotonic() - begun < 25  # not the 30 s that requests in flight may take
        waiting.join(10)
        assert answers == [200]


# Webhooks


def test_webhooks_are_delivered_by_the_service(desk: Desk) -> None:
    """Made on the command line, sent by ``serve``, verified by the reference library, also after kill -9."""
    home: Path = desk.served.home
    with receiving() as receiver:
        given = ("--after", "0", "--recipient", "The registry", "--json", receiver.address)
        made = plan_history(home, "webhook", "create", "--clinic", desk.clinic_id, *given)
        assert made.returncode == 0, made.stderr
        webhook = json.loads(made.stdout)
        desk.record(20)
        assert soon(lambda: len(receiver.taken) >= 10)
        [deliverer] = desk.served.processes("service.commandline deliver")
        os.kill(deliverer, signal.SIGKILL)
        desk.record(20)
        assert soon(lambda: len({held.id for held in receiver.taken}) == 42, 30)
        firsts = list(dict.fromkeys(held.id for held in receiver.taken))
        assert firsts == desk.written
        assert receiver.taken[-1].verified(webhook["secret"])["id"] == desk.written[-1]
    named = ("--clinic", desk.clinic_id, webhook["webhook_id"])
    for command, saying in (
        (("list", "--clinic", desk.clinic_id), receiver.address),
        (("show", *named), "status: active"),
        (("deliveries", *named), "delivered"),
        (("rotate", *named), "whsec_"),
        (("unpark", *named), "0 plan(s)"),
        (("disable", *named), "Disabled"),
        (("replay", "--after", "0", *named), "after 0"),
        (("enable", *named), "Enabled"),
        (("delete", *named), "Deleted"),
    ):
        said = plan_history(home, "webhook", *command)
        assert (said.returncode, saying in said.stdout) == (0, True), (command, said)
    lost = plan_history(home, "webhook", "show", *named)
    assert (lost.returncode, "no such webhook" in lost.stderr) == (1, True)
    wrong = plan_history(home, "webhook", "create", "--clinic", desk.clinic_id, "ftp://x")
    assert (wrong.returncode, "https://example.org/hook" in wrong.stderr) == (1, True)
