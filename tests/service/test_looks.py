"""The access log under many at once: written together, nobody waits for more than theirs, nobody is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from service.access import AccessLog, Look
from service.container import Container
from service.errors import StoreUnavailableError
from tests.conftest import Clinic
from tests.service.servers import soon


class Watched(AccessLog):
    """An access log whose every write first lets something happen, and says how much it wrote."""

    def __init__(self, container: Container) -> None:
        super().__init__(container.database)
        self.first: Callable[[], object] = lambda: None
        self.written: list[tuple[int, int]] = []

    def _write(self, batch: list[Any]) -> None:
        self.first()
        self.written.append((threading.get_ident(), len(batch)))
        super()._write(batch)

    def waiting(self) -> int:
        """How many wait for the next write."""
        return len(self._waiting)


@pytest.fixture
def log(container: Container) -> Watched:
    """The log of a process."""
    return Watched(container)


@pytest.fixture
def others() -> Iterator[ThreadPoolExecutor]:
    """Other requests of the process."""
    with ThreadPoolExecutor(8) as pool:
        yield pool


LOOK = Look(action="plans.read", why="caseload", view="full")


def looks(owner: psycopg.Connection[Any]) -> int:
    """How many looks are kept."""
    row = owner.execute("SELECT count(*) FROM access_log").fetchone()
    assert row is not None
    return int(row[0])


def test_whoever_writes_goes_when_theirs_is_written(
    log: Watched, clinic: Clinic, others: ThreadPoolExecutor, owner: psycopg.Connection[Any]
) -> None:
    """However many come meanwhile: the next writes for them, in one go."""
    who = clinic.member()
    came: list[Future[None]] = []

    def more_come() -> None:
        if len(log.written) < 3:
            came.extend(others.submit(log.note, who, LOOK) for _ in range(2))
            assert soon(lambda: log.waiting() >= 2, 20)

    log.first = more_come
    log.note(who, LOOK)
    mine = threading.get_ident()
    for held in came:
        held.result(30)
    assert [writer == mine for writer, _ in log.written] == [True, False, False, False]
    assert [size for _, size in log.written] == [1, 2, 2, 2]
    assert looks(owner) == 7


def test_a_failure_is_told_to_all_who_waited_and_to_nobody_else(
    log: Watched, clinic: Clinic, others: ThreadPoolExecutor, owner: psycopg.Connection[Any]
) -> None:
    """Each is refused, nothing is kept of theirs, and the next look is kept again."""
    who = clinic.member()
    waiting: list[Future[None]] = []
    owner.execute("ALTER TABLE access_log RENAME TO elsewhere")

    def two_come() -> None:
        if not waiting:
            waiting.extend(others.submit(log.note, who, LOOK) for _ in range(2))
            assert soon(lambda: log.waiting() == 2, 20)

    log.first = two_come
    with pytest.raises(StoreUnavailableError):
        log.note(who, LOOK)
    for held in waiting:
        with pytest.raises(StoreUnavailableError):
            held.result(30)
    owner.execute("ALTER TABLE elsewhere RENAME TO access_log")
    log.note(who, LOOK)
    assert looks(owner) == 1


def test_a_look_that_cannot_be_written_down_holds_up_no_other(
    log: Watched, clinic: Clinic, owner: psycopg.Connection[Any]
) -> None:
    """Its reader is refused; the log goes on."""
    with pytest.raises(StoreUnavailableError):
        log.note(clinic.member(), Look(action="plans.read", asked="\ud800"))
    log.note(clinic.member(), LOOK)
    assert looks(owner) == 1


def test_whoever_gives_up_is_not_written(
    log: Watched, clinic: Clinic, others: ThreadPoolExecutor, owner: psycopg.Connection[Any]
) -> None:
    """They were refused, so they saw nothing; whoever waits on is written as ever."""
    who = clinic.member()
    gave_up: list[Future[None]] = []
    log.patience = 0.2

    def one_gives_up() -> None:
        if not gave_up:
            gave_up.append(others.submit(log.note, who, LOOK))
            assert isinstance(gave_up[0].exception(10), StoreUnavailableError)
            assert log.waiting() == 0

    log.first = one_gives_up
    log.note(who, LOOK)
    log.note(who, LOOK)
    assert looks(owner) == 2
