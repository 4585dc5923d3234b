"""A revocation works within a second in every web worker: several real ones, asked without a pause."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from service.tokens import issue, revoke_all
from tests.service.servers import reachable_folder, soon
from tests.service.serving import Serving, plan_history, serving

pytestmark = pytest.mark.fault
WORKERS, ASKING = 4, 12


@pytest.fixture(scope="module")
def served() -> Iterator[Serving]:
    """One service with several web workers."""
    more: Any = {"PLAN_HISTORY_FAILED_SIGN_INS": "0"}
    workers = ("--workers", str(WORKERS))
    with reachable_folder() as folder, serving(folder / "home", *workers, **more) as started:
        yield started


@dataclass
class Member:
    """Somebody with a token."""

    clinic_id: UUID
    member_id: UUID
    token: str

    def bearer(self) -> dict[str, str]:
        """For the API."""
        return {"Authorization": f"Bearer {self.token}"}


def issued(served: Serving, clinic_id: UUID, role: str) -> Member:
    """Somebody with a token of that role."""
    member_id = uuid4()
    with served.owner() as owner:
        made = issue(owner, clinic_id, name="Sam", role=role, member_id=member_id)
    return Member(clinic_id, member_id, made.token)


@pytest.fixture(scope="module")
def admin(served: Serving) -> Member:
    """The administrator of a clinic."""
    clinic_id = plan_history(served.home, "clinic", "create", "North").stdout.strip()
    return issued(served, UUID(clinic_id), "admin")


def session_of(served: Serving, token: str) -> str:
    """The cookie of somebody who signed in to the pages."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/sign-in", f"token={token}", form)
    answer = connection.getresponse()
    assert answer.status == 303
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    connection.close()
    return cookie


@dataclass
class Asking:
    """Many who ask over a new connection each time, so that every worker is asked; what they got, and when."""

    served: Serving
    path: str
    headers: dict[str, str]
    good: Callable[[int, bytes], bool]
    over: threading.Event = field(default_factory=threading.Event)
    answers: list[tuple[float, bool]] = field(default_factory=list)
    """When each was asked, and whether it was let in."""

    def run(self) -> None:
        """Ask until it is over."""
        while not self.over.is_set():
            asked = time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=10)
            connection.request("GET", self.path, headers={**self.headers, "Connection": "close"})
            answer = connection.getresponse()
            self.answers.append((asked, self.good(answer.status, answer.read())))
            connection.close()

    def since(self, moment: float) -> list[tuple[float, bool]]:
        """What was asked after a moment."""
        return [held for held in self.answers if held[0] >= moment]

    def lingered(self, moment: float) -> float:
        """How long after a moment somebody was still let in."""
        return max((asked - moment for asked, good in self.answers if good), default=0.0)


def busy(served: Serving) -> dict[int, int]:
    """The processor time of each web worker so far."""
    pids = served.processes("gunicorn")[1:]
    stats = {pid: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids}
    return {pid: int(held[11]) + int(held[12]) for pid, held in stats.items()}


def revoked(served: Serving, who: Member, _: Member) -> None:
    """All their tokens, as an operator does it."""
    with served.owner() as owner:
        assert revoke_all(owner, who.clinic_id, who.member_id) == 1


def record(served: Serving, admin: Member, kind: str, **data: str) -> None:
    """Something an administrator records; one worker learns of it at once, the others must ask."""
    body = {"entries": [{"type": kind, "reason": {"text": "So it is"}, "data": data}]}
    answer = served.send("/v1/clinic/entries", json.dumps(body), **admin.bearer())
    assert answer.status == 201, answer.body


def left(served: Serving, who: Member, admin: Member) -> None:
    """They leave the clinic; nobody thinks of their token."""
    record(served, admin, "MemberLeft", member_id=str(who.member_id))


def demoted(served: Serving, who: Member, admin: Member) -> None:
    """They are no supervisor any more."""
    record(served, admin, "MemberRoleChanged", member_id=str(who.member_id), role="auditor")


def let_in(status: int, _: bytes) -> bool:
    """Whether the answer is what was asked for."""
    return status == 200


HOW: dict[str, tuple[Callable[[Serving, Member, Member], None], str]] = {
    "token revoked, at the API": (revoked, "/v1/me"),
    "token revoked, at the pages": (revoked, "/account"),
    "member left, at the API": (left, "/v1/me"),
    "member left, at the pages": (left, "/account"),
    "role changed": (demoted, "/v1/worklist"),
}


@pytest.mark.parametrize("how", HOW)
def test_within_a_second_in_every_worker(served: Serving, admin: Member, how: str) -> None:
    """Asked by twelve without a pause, no worker of four lets anybody in a second after."""
    who = issued(served, admin.clinic_id, "supervisor")
    joins = {"member_id": str(who.member_id), "name": "Sam", "role": "supervisor"}
    record(served, admin, "MemberJoined", **joins)
    happens, path = HOW[how]
    asking = Asking(served, path, {**who.bearer(), "Cookie": session_of(served, who.token)}, let_in)
    threads = [threading.Thread(target=asking.run, daemon=True) for _ in range(ASKING)]
    before = busy(served)
    assert len(before) == WORKERS
    for thread in threads:
        thread.start()
    try:
        assert soon(lambda: len(asking.answers) > 20 * WORKERS, 30)
        begun = time.monotonic()
        happens(served, who, admin)
        moment = time.monotonic()
        assert soon(lambda: asking.since(moment + 1.2), 30)
        assert soon(lambda: len(asking.since(moment + 1)) > 20 * WORKERS, 60)
    finally:
        asking.over.set()
        for thread in threads:
            thread.join(20)
    assert all(good for asked, good in asking.answers if asked < begun - 1)
    worked = {pid: held - before[pid] for pid, held in busy(served).items()}
    assert all(worked.values()), "every worker was asked"
    lingered = asking.lingered(moment)
    assert lingered < 1.0
