"""Webhooks under kill -9 of receivers and deliverers: nothing missing, each plan in order."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from domain.consents import ConsentRecorded
from service.container import Container, build
from service.recording import Draft
from service.serving.deliverer import connect
from service.webhooks.dispatcher import Dispatcher, Terms
from service.webhooks.management import NewWebhook
from tests.conftest import Clinic
from tests.keys import folder, settings
from tests.service.recording import asked, goal, open_plan
from tests.service.servers import soon
from tests.service.serving import PROGRAM
from tests.service.webhooks.wrong import Hasty, Scattering

pytestmark = pytest.mark.fault
DELIVERIES = "PLAN_HISTORY_DELIVERIES"
"""How many deliveries the slow test makes; 2,000 unless set."""
RECIPIENT = "The registry"
RECEIVERS, DELIVERERS = 2, 2
EACH = 50
"""Entries of a plan."""
PATIENCE = 120.0
Taken = dict[tuple[str, str], list[int]]
"""Receiver and plan → positions in the order they were first taken."""


@dataclass
class Receivers:
    """Two receivers, processes of their own, that write down what they take."""

    folder: Path
    rng: Random
    ports: list[int] = field(default_factory=list)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _counted: int = 0
    _read: int = 0

    def start(self) -> None:
        """Let them listen on ports of their own, which they keep when they come back."""
        for number in range(RECEIVERS):
            with socket.create_server(("127.0.0.1", 0)) as held:
                self.ports.append(held.getsockname()[1])
            self.processes.append(self._receiver(number))

    def _receiver(self, number: int) -> subprocess.Popen[bytes]:
        program = Path(__file__).with_name("receiver.py")
        given = [str(self.ports[number]), str(self.file), str(self.rng.randrange(2**30))]
        return subprocess.Popen([sys.executable, program, *given])  # noqa: S603 - our own program

    def kill(self) -> None:
        """Kill one of them; it comes back at once."""
        number = self.rng.randrange(RECEIVERS)
        self.processes[number].kill()
        self.processes[number].wait()
        self.processes[number] = self._receiver(number)

    def end(self) -> None:
        """End all."""
        for process in self.processes:
            process.kill()
            process.wait()

    @property
    def file(self) -> Path:
        """Where they write."""
        return self.folder / "taken"

    def lines(self) -> int:
        """How many deliveries were taken, repeated ones among them; only what is new is looked at."""
        if self.file.exists():
            with self.file.open("rb") as file:
                file.seek(self._read)
                while more := file.read(1 << 20):
                    self._counted += more.count(b"\n")
                    self._read += len(more)
        return self._counted

    def taken(self) -> Taken:
        """What was taken, each position where it came first."""
        found: Taken = defaultdict(list)
        known = set()
        with self.file.open() as file:
            for line in file:
                receiver, plan_id, position = line.split()
                if (key := (receiver, int(position))) not in known:
                    found[receiver, plan_id].append(key[1])
                    known.add(key)
        return found


@pytest.fixture
def receivers(tmp_path: Path) -> Iterator[Receivers]:
    """Two that listen."""
    held = Receivers(tmp_path, Random(7))
    held.start()
    yield held
    held.end()


@pytest.fixture
def container(database_url: str) -> Iterator[Container]:
    """The service, which may send to this machine."""
    held = build(settings(database_url, webhook_private_targets=True))
    yield held
    held.close()


def fill(container: Container, clinic: Clinic, plans: int) -> dict[str, list[int]]:
    """So many plans, recorded in turns, so that their entries lie between each other's; their positions."""
    who = clinic.member()
    consent = Draft(data=ConsentRecorded(scope="All of it.", recipient=RECIPIENT))
    found: dict[str, list[int]] = defaultdict(list)
    ids: list[UUID] = []
    for number in range(plans):
        opened = open_plan(container, who, f"c-{number}", None, consent)
        ids.append(opened.plan_id)
        found[str(opened.plan_id)] += [entry.position for entry in opened.entries]
    for _ in range((EACH - 2) // 12):
        for plan_id in ids:
            drafts = [goal(f"Goal {number}") for number in range(12)]
            done = container.plans.record(who, plan_id, drafts, asked())
            found[str(plan_id)] += [entry.position for entry in done.entries]
    return found


def subscribe(container: Container, clinic: Clinic, receivers: Receivers) -> None:
    """A webhook to each receiver, from the start."""
    for number, port in enumerate(receivers.ports):
        url = f"http://127.0.0.1:{port}/{number}"
        wanted = NewWebhook(url=url, after="0", recipient=RECIPIENT)
        container.webhooks.create(clinic.member("admin"), wanted)


def verdict(taken: Taken, expected: dict[str, list[int]]) -> list[str]:
    """What is missing, and what came out of order; nothing is well."""
    found = []
    for receiver in map(str, range(RECEIVERS)):
        for plan_id, positions in expected.items():
            there = taken.get((receiver, plan_id), [])
            missing = set(positions) - set(there)
            found += [f"missing: {held}" for held in sorted(missing)]
            if there != sorted(there):
                found.append(f"out of order: plan {plan_id} at receiver {receiver}")
    return found


def caught_up(container: Container, clinic: Clinic) -> bool:
    """Whether everything was delivered, as the webhooks themselves say."""
    shown = container.webhooks.all(clinic.member("admin"))
    assert not any(held["parked"] or held["disabled_at"] for held in shown)
    return not any(held["behind"] or held["waiting"] for held in shown)


@contextlib.contextmanager
def deliverers(url: str, home: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two deliverers, as an operator starts them, that are impatient and never give up."""
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "PLAN_HISTORY_KEYS": folder(),
        "PLAN_HISTORY_HOME": str(home),
        "PLAN_HISTORY_LOG_LEVEL": "ERROR",
        "PLAN_HISTORY_WEBHOOK_PRIVATE_TARGETS": "true",
        "PLAN_HISTORY_WEBHOOK_PAUSE": "0.02",
        "PLAN_HISTORY_WEBHOOK_ATTEMPTS": "100000",
    }

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([*PROGRAM, "deliver"], env=environment)  # noqa: S603 - our own program

    held = [start() for _ in range(DELIVERERS)]
    stop = threading.Event()

    def look_after() -> None:
        while not stop.wait(0.05):
            for number, process in enumerate(held):
                if process.poll() is not None and not stop.is_set():
                    held[number] = start()

    keeper = threading.Thread(target=look_after)
    keeper.start()
    try:
        yield held
    finally:
        stop.set()
        keeper.join()
        for process in held:
            process.kill()
            process.wait()


def seldom(ask: Callable[[], bool]) -> Callable[[], bool]:
    """The same question, asked anew at most twice a second: while many wait, the answer costs something."""
    last = [0.0]

    def answer() -> bool:
        now = time.monotonic()
        if now - last[0] < 0.5:
            return False
        last[0] = now
        return ask()

    return answer


def deliver_all(
    container: Container, clinic: Clinic, receivers: Receivers, deliveries: int, kills: int
) -> None:
    """Deliver so many with so many kills on the way; everything must arrive, each plan in order."""
    expected = fill(container, clinic, max(deliveries // RECEIVERS // EACH, 2))
    subscribe(container, clinic, receivers)
    assert container.settings.database_url is not None
    begun, over = time.monotonic(), seldom(lambda: caught_up(container, clinic))
    with deliverers(container.settings.database_url, receivers.folder) as running:
        rng = receivers.rng
        for _ in range(kills):
            goal_ = receivers.lines() + rng.randint(1, max(deliveries // (kills + 1), 2))
            soon(lambda goal_=goal_: receivers.lines() >= goal_ or over(), PATIENCE)  # type: ignore[misc]
            if rng.random() < 0.25:
                rng.choice(running).kill()
            else:
                receivers.kill()
        within = PATIENCE + deliveries / 20
        assert soon(over, within), receivers.lines()
    asked_for = sum(map(len, expected.values())) * RECEIVERS
    seconds = time.monotonic() - begun
    print(  # noqa: T201 - the figures, for who asks with -s
        f"{asked_for:,} deliveries to {RECEIVERS} receivers in {seconds:,.0f} s, with {kills:,} kills; "
        f"{receivers.lines():,} were taken, {receivers.lines() - asked_for:,} of them again"
    )
    assert verdict(receivers.taken(), expected) == []


def test_nothing_is_lost_or_out_of_order(
    container: Container, clinic: Clinic, receivers: Receivers
) -> None:
    """A few hundred deliveries to receivers that are moody and killed, by deliverers that are killed."""
    deliver_all(container, clinic, receivers, 400, 8)


@pytest.mark.slow
def test_nothing_is_lost_or_out_of_order_for_long(
    container: Container, clinic: Clinic, receivers: Receivers
) -> None:
    """As many deliveries as one likes – a million, too –, with a kill for every fifty, at most a thousand."""
    deliveries = int(os.environ.get(DELIVERIES, "2000"))
    deliver_all(container, clinic, receivers, deliveries, min(deliveries // 50, 1_000))


@pytest.mark.parametrize(
    ("kind", "saying"),
    [(Hasty, "missing"), (Scattering, "out of order")],
    ids=["hasty", "scattering"],
)
def test_control_a_wrong_dispatcher_is_found_out(
    container: Container,
    clinic: Clinic,
    receivers: Receivers,
    kind: type[Dispatcher],
    saying: str,
) -> None:
    """One that moves on before the answer loses entries; one that scatters them breaks the order."""
    expected = fill(container, clinic, 4)
    subscribe(container, clinic, receivers)
    assert container.settings.database_url is not None
    terms = Terms(attempts=100_000, pause=0.01, seconds=2, private=True)
    with connect(container.settings.database_url) as conn, ThreadPoolExecutor(8) as pool:
        dispatcher = kind(conn, terms, container.feed.showing, pool)

        def over() -> bool:
            return not dispatcher.round() and caught_up(container, clinic)

        assert soon(over, PATIENCE)
    found = verdict(receivers.taken(), expected)
    assert saying in {held.partition(":")[0] for held in found}
