"""Rolling restarts: web workers are replaced while people work, and nobody is told to come back."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.faults.load import OPENING
from tests.service.servers import reachable_folder, soon
from tests.service.serving import Serving, plan_history, serving

pytestmark = pytest.mark.fault


@pytest.fixture(scope="module")
def served() -> Iterator[Serving]:
    """One service that these tests restart the web workers of."""
    with reachable_folder() as folder, serving(folder / "home") as started:
        yield started


class Reader(threading.Thread):
    """Somebody who reads and writes without a pause; any answer but a good one is a failure.

    ``kept``: over one connection for as long as the server keeps it, as browsers and proxies do.
    """

    def __init__(self, served: Serving, token: str, member: str, *, kept: bool) -> None:
        super().__init__(daemon=True)
        self.served, self.member, self.kept = served, member, kept
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.over = threading.Event()
        self.answered = 0
        self.failed: list[str] = []
        self.connection = self.connect()

    def connect(self) -> http.client.HTTPConnection:
        """A connection that is made with the next request."""
        return http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=30)

    def opening(self) -> dict[str, str]:
        """A plan of their own."""
        return {**OPENING, "client_ref": str(self.ident), "therapist_id": self.member}

    def run(self) -> None:
        """Work until it is over."""
        note = {"entries": [{"type": "SetbackNoted", "data": {"what": "A bad week"}}]}
        plan = self.ask("POST", "/v1/plans", self.opening())
        while not self.over.is_set():
            self.ask("GET", "/v1/me")
            if plan is not None:
                self.ask("POST", f"/v1/plans/{plan['plan_id']}/entries", note)
        self.connection.close()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request, never sent twice."""
        try:
            self.connection.request(
                method, path, None if body is None else json.dumps(body), self.headers
            )
            answer = self.connection.getresponse()
            held = answer.read()
        except (OSError, http.client.HTTPException) as lost:
            self.failed.append(f"{method} {path}: {lost!r} after {self.answered}")
            self.connection.close()
            return None
        self.answered += 1
        if answer.status >= 400:
            self.failed.append(f"{method} {path}: {answer.status} {held[:200]!r}")
        if not self.kept:
            self.connection.close()
        return json.loads(held)


def signed_in(served: Serving) -> tuple[str, str]:
    """A clinician's token and member id, in a clinic of their own."""
    clinic_id = plan_history(served.home, "clinic", "create", "North").stdout.strip()
    given = ("--clinic", clinic_id, "--name", "Robin", "--role", "clinician")
    member = plan_history(served.home, "member", "add", *given).stdout.strip()
    issue = ("token", "issue", *given, "--member", member)
    return plan_history(served.home, *issue).stdout.strip(), member


def workers(served: Serving) -> list[int]:
    """The web workers, without their master."""
    return served.processes("gunicorn")[1:]


def replaced(served: Serving, before: list[int]) -> bool:
    """Whether other workers are there, and none of those before."""
    now = workers(served)
    return len(now) == 2 and not set(now) & set(before)


def working(readers: list[Reader], before: list[int]) -> bool:
    """Whether each of them has had a few more answers."""
    return all(reader.answered > was + 2 for reader, was in zip(readers, before, strict=True))


def restart(served: Serving, how: signal.Signals) -> None:
    """Replace the web workers: through their master, or (KILL) one by one and at once."""
    before = workers(served)
    assert len(before) == 2
    for pid in before if how == signal.SIGKILL else served.processes("gunicorn")[:1]:
        os.kill(pid, how)
    assert soon(partial(replaced, served, before), 60)


def failures(served: Serving, how: signal.Signals, times: int) -> list[str]:
    """What went wrong for four who work while the workers are replaced so many times."""
    token, member = signed_in(served)
    readers = [Reader(served, token, member, kept=bool(number % 2)) for number in range(4)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(times):
            restart(served, how)
            assert soon(partial(working, readers, [held.answered for held in readers]), 30)
    finally:
        for reader in readers:
            reader.over.set()
        for reader in readers:
            reader.join(40)
    return [said for reader in readers for said in reader.failed]


HOW = [signal.SIGHUP, signal.SIGTERM]


@pytest.mark.parametrize("how", HOW, ids=lambda held: held.name)
def test_a_restart_under_load_fails_no_request(served: Serving, how: signal.Signals) -> None:
    """HUP: workers are replaced; TERM: the whole web server ends and is started again by serve."""
    assert failures(served, how, 1) == []


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW, ids=lambda held: held.name)
def test_fifty_restarts_each_way_fail_no_request(served: Serving, how: signal.Signals) -> None:
    """A hundred restarts altogether."""
    assert failures(served, how, 50) == []


def test_a_kill_is_noticed(served: Serving) -> None:
    """The negative control: workers killed outright do fail requests, and that is counted."""
    assert failures(served, signal.SIGKILL, 3)
