"""An append whose answer is lost: recorded once, never called a conflict."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from service.container import Container
from service.database import BoundedConnection, Database
from service.errors import PlanChangedError, StoreUnavailableError
from service.record.recorder import ClinicRecorder, Command
from tests.conftest import Clinic
from tests.service.recording import asked, holes, open_plan, set_goal, stored

pytestmark = pytest.mark.fault
Send = Callable[[str, Any], Any]
Fate = Callable[[Send, str, Any], None]


class Severed:
    """A connection that dies when the next append was sent; its fate is what becomes of that."""

    def __init__(self, conn: BoundedConnection, fates: list[Fate]) -> None:
        self._conn = conn
        self._fates = fates

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conn, name)

    def execute(self, query: str, parameters: Any = None, **more: Any) -> Any:
        """Execute, or lose the answer to an append."""
        if "append_entries" not in query:
            return self._conn.execute(query, parameters, **more)
        fate = self._fates.pop()
        fate(self._conn.execute, query, parameters)
        if fate is not commit_late:
            self._conn.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")


def sever(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    then: Fate,
    times: int = 1,
) -> None:
    """Let the next ``times`` appends lose their connection."""
    lend = database._lent
    left = [then] * times

    @contextlib.contextmanager
    def lent() -> Iterator[BoundedConnection]:
        with lend() as conn:
            yield Severed(conn, left) if left else conn  # type: ignore[misc] # it quacks

    monkeypatch.setattr(database, "_lent", lent)


def commit(send: Send, query: str, parameters: Any) -> None:
    """The append is committed; only its answer is lost."""
    send(query, parameters)


def commit_late(send: Send, query: str, parameters: Any) -> None:
    """The append is committed, but so late that nobody waits for its answer any more."""
    send(query, parameters)


def vanish(_: Send, __: str, ___: Any) -> None:
    """The append never reaches the server."""


@pytest.mark.parametrize("fate", [commit, commit_late, vanish])
@pytest.mark.parametrize("key", [None, "k-1"])
@pytest.mark.parametrize("expected", [None, 1])
def test_a_lost_answer_is_found(
    container: Container,
    clinic: Clinic,
    owner: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
    *,
    fate: Fate,
    key: str | None,
    expected: int | None,
) -> None:
    """Committed or not when the connection died: the writer is answered as if nothing had been."""
    who = clinic.member()
    plan_id = open_plan(container, who).plan_id
    sever(container.database, monkeypatch, fate)
    recorded = set_goal(container, who, plan_id, asked(key, expected=expected))
    following = set_goal(container, who, plan_id, asked(expected=2))
    rows = stored(owner, clinic.clinic_id)
    assert holes(rows) == []
    assert [str(row["entry_id"]) for row in rows[1:]] == [
        recorded.entries[0].entry_id,
        following.entries[0].entry_id,
    ]
    assert recorded.entries[0].recorded_at == rows[1]["recorded_at"]
    assert (recorded.version, recorded.position) == (2, 2)


def test_a_lost_opening_is_found(
    container: Container,
    clinic: Clinic,
    owner: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An opening whose answer was lost does not stand in its own way."""
    sever(container.database, monkeypatch, commit, times=1)
    opened = open_plan(container, clinic.member())
    [row] = stored(owner, clinic.clinic_id)
    assert (row["plan_id"], str(row["entry_id"])) == (opened.plan_id, opened.entries[0].entry_id)


def test_many_dead_connections_are_outlived(
    container: Container,
    clinic: Clinic,
    owner: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a restart of the database a writer is served however many dead connections there were."""
    who = clinic.member()
    plan_id = open_plan(container, who).plan_id
    sever(container.database, monkeypatch, vanish, times=5)
    assert set_goal(container, who, plan_id).version == 2
    assert len(stored(owner, clinic.clinic_id)) == 2


def late_commit(database: Database) -> Fate:
    """The append is still under way when it is looked for, and committed before the next attempt."""

    def linger(_: Send, query: str, parameters: Any) -> None:
        sent = ClinicRecorder._append

        def append(self: ClinicRecorder, entries: Any, command: Command) -> Any:
            ClinicRecorder._append = sent  # type: ignore[method-assign] # only for this attempt
            with database.connection() as conn:
                conn.execute(query, parameters)
            return sent(self, entries, command)

        ClinicRecorder._append = append  # type: ignore[method-assign] # as above

    return linger


@pytest.mark.parametrize("key", [None, "k-1"])
def test_an_append_that_lingers_is_found(
    container: Container,
    clinic: Clinic,
    owner: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
    key: str | None,
) -> None:
    """An append that is committed only after it was looked for is still known as the writer's own."""
    who = clinic.member()
    plan_id = open_plan(container, who).plan_id
    sever(container.database, monkeypatch, late_commit(container.database))
    recorded = set_goal(container, who, plan_id, asked(key, expected=1))
    rows = stored(owner, clinic.clinic_id)
    assert [row["version"] for row in rows] == [1, 2]
    assert str(rows[1]["entry_id"]) == recorded.entries[0].entry_id


def test_another_writers_entry_is_not_taken_for_ones_own(
    container: Container,
    other: Container,
    clinic: Clinic,
    owner: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who lost their connection and was overtaken meanwhile hears of the change, as they should."""
    who = clinic.member()
    plan_id = open_plan(container, who).plan_id

    def overtake(_: Send, __: str, ___: Any) -> None:
        set_goal(other, who, plan_id)

    sever(container.database, monkeypatch, overtake)
    with pytest.raises(PlanChangedError):
        set_goal(container, who, plan_id, asked(expected=1))
    assert len(stored(owner, clinic.clinic_id)) == 2


def send_again(self: ClinicRecorder, entries: Any, command: Command) -> Any:
    """As many a client does it: after a lost answer the append is simply sent again."""
    try:
        return self._append(entries, command)
    except StoreUnavailableError:
        return self._append(entries, command)


def test_sending_again_without_looking_is_a_false_conflict(
    container: Container, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: without the look, a writer hears of a change that is their own entry."""
    who = clinic.member()
    plan_id = open_plan(container, who).plan_id
    monkeypatch.setattr(ClinicRecorder, "_append_surely", send_again)
    sever(container.database, monkeypatch, commit)
    with pytest.raises(PlanChangedError):
        set_goal(container, who, plan_id, asked(expected=1))


def test_sending_again_without_looking_records_twice(
    container: Container,
    clinic: Clinic,
    owner: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Control: a writer who did not say what they saw even gets their entry twice."""
    who = clinic.member()
    plan_id = open_plan(container, who).plan_id
    monkeypatch.setattr(ClinicRecorder, "_append_surely", send_again)
    sever(container.database, monkeypatch, commit)
    set_goal(container, who, plan_id)
    assert [row["version"] for row in stored(owner, clinic.clinic_id)] == [1, 2, 3]
