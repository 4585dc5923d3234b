"""What the library's own PostgreSQL recorder does in the same situations: why ours is another."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    OperationalError,
    StoredEvent,
)
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

from service.container import Container
from tests.conftest import Clinic
from tests.service.recording import open_plan
from tests.service.servers import soon

pytestmark = pytest.mark.fault
Tail = Callable[[], Sequence[int]]


def stock(url: str, *, functions: bool) -> PostgresApplicationRecorder:
    """The library's recorder, with its table made."""
    held: dict[str, Any] = conninfo_to_dict(url)
    datastore = PostgresDatastore(
        dbname=held["dbname"],
        host=held["host"],
        port=str(held["port"]),
        user=held["user"],
        password=held["password"],
        pool_size=3,
        enable_db_functions=functions,
        schema="public",
    )
    recorder = PostgresApplicationRecorder(datastore, events_table_name="stock")
    recorder.create_table()
    return recorder


def event() -> StoredEvent:
    """The first event of something."""
    return StoredEvent(uuid4(), 1, "topic", b"{}")


def test_after_a_lost_answer_the_stock_recorder_refuses_its_own_event(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: its retry meets what it has stored itself, and calls that a conflict."""
    recorder = stock(database_url, functions=False)
    connect = recorder.datastore.get_connection
    lost = [OperationalError("server closed the connection unexpectedly")]

    @contextlib.contextmanager
    def deaf() -> Iterator[Any]:
        with connect() as conn:
            yield conn
        if lost:
            raise lost.pop()

    monkeypatch.setattr(recorder.datastore, "get_connection", deaf)
    with recorder.datastore, pytest.raises(IntegrityError):
        recorder.insert_events([event()])
    assert lost == []


def follow(recorder: ApplicationRecorder) -> Tail:
    """A reader who asks again and again for what came after the last they saw."""
    seen: list[int] = []

    def tail() -> Sequence[int]:
        after = seen[-1] if seen else 0
        found = recorder.select_notifications(after, 100, inclusive_of_start=False)
        seen.extend(held.id for held in found)
        return seen

    return tail


def test_tailing_the_record_misses_nothing(
    container: Container, clinic: Clinic, database_url: str
) -> None:
    """While one append is not committed, a second waits; a reader sees both, in order."""
    tail = follow(container.plans.recording.record_of(clinic.clinic_id).recorder)
    other = Clinic(clinic.clinic_id, clinic.owner).member()
    append = "SELECT append_entries(%s, %s, 0, %s, %s, %s, %s)"
    given = [clinic.clinic_id, uuid4(), uuid4(), [uuid4()], ["plan.goal-set"], [b"{}"]]
    with psycopg.connect(database_url) as slow, ThreadPoolExecutor(1) as pool:
        slow.execute("SET search_path = plan_history")
        slow.execute(append, given)
        quick = pool.submit(open_plan, container, other)
        assert not soon(quick.done, 0.3)
        assert tail() == []
        slow.commit()
        assert quick.result().position == 2
    assert tail() == [1, 2]


def test_tailing_the_stock_recorder_with_functions_misses_an_event(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: with its database functions it takes no lock, and a reader passes over an event."""
    recorder = stock(database_url, functions=True)
    tail = follow(recorder)
    with recorder.datastore, ThreadPoolExecutor(1) as pool:
        begun, go_on = threading.Event(), threading.Event()
        connect = recorder.datastore.get_connection

        @contextlib.contextmanager
        def slow() -> Iterator[Any]:
            with connect() as conn, conn.transaction():
                yield conn
                begun.set()
                go_on.wait(10)

        monkeypatch.setattr(recorder.datastore, "get_connection", slow)
        first = pool.submit(recorder.insert_events, [event()])
        assert begun.wait(10)
        monkeypatch.undo()
        recorder.insert_events([event()])
        assert tail() == [2]
        go_on.set()
        first.result()
        assert tail() == [2]
        assert recorder.max_notification_id() == 2
