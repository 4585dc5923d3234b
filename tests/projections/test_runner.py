"""The runner: batches of any size, any number of projectors, lost wake-ups, restarts – one result."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar
from uuid import UUID

import psycopg
import pytest

from projections import ALL, runner
from projections.projection import Batch, Cursor, Projection
from projections.runner import Runner, live
from service.container import Container
from service.health import look
from service.serving import projector
from service.serving.projector import connect
from service.wake import CHANNEL
from tests.conftest import Clinic
from tests.keys import keys
from tests.projections.lived import SHORTER, lived, set_policy
from tests.projections.tables import (
    assert_equal_to_rebuilt,
    behind,
    content,
    contents,
    projecting,
    stopped,
)
from tests.service.lives import record_lives
from tests.service.recording import open_plan, set_goal
from tests.service.servers import soon

Owner = psycopg.Connection[Any]
DONE = {held.name: 0 for held in ALL}
WITHOUT_NOTIFY = 2.0


@pytest.fixture
def told_clinic(container: Container, clinic: Clinic) -> Clinic:
    """A clinic with random lives – late, corrected, marked – and a change of policy half-way."""
    kept = lived(3, 24)
    half = len(kept) // 2
    plans: dict[UUID, UUID] = {}
    told = record_lives(container, clinic, kept[:half], plans)
    set_policy(container, clinic, SHORTER, kept[half - 1].recorded_at)
    told += record_lives(container, clinic, kept[half:], plans)
    assert told > 0.8 * len(kept)
    return clinic


# Batches


@pytest.mark.usefixtures("told_clinic")
def test_every_size_of_batch_makes_the_same_tables(database_url: str, owner: Owner) -> None:
    """Entry by entry, a few at a time, all at once, rebuilt in any of these: the same bytes."""
    with connect(database_url) as conn:
        taken = Runner(conn, live(ALL), keys(), 5).catch_up()
    assert taken > 50
    assert behind(owner) == DONE
    for batch in (1, 7, 1_000):
        assert_equal_to_rebuilt(owner, batch)


@pytest.mark.usefixtures("told_clinic")
def test_runners_that_take_turns_make_the_same_tables(database_url: str, owner: Owner) -> None:
    """What one runner has kept in mind is never older than what another has taken in meanwhile."""
    with connect(database_url) as one, connect(database_url) as other:
        runners = [Runner(one, live(ALL), keys(), 3), Runner(other, live(ALL), keys(), 4)]
        while sum(held.round() for held in runners):
            pass
    assert (behind(owner), stopped(owner)) == (DONE, {})
    assert_equal_to_rebuilt(owner)


def test_a_projection_that_was_held_up_catches_up(
    told_clinic: Clinic, database_url: str, owner: Owner
) -> None:
    """One that stands further back is brought up from there, by a runner that has seen more."""
    with connect(database_url) as conn:
        ahead = Runner(conn, live(ALL), keys(), 10)
        ahead.enrol()
        for _ in range(3):
            ahead.step(told_clinic.clinic_id)
        owner.execute("TRUNCATE timeline, worklist")
        owner.execute(
            "UPDATE projection_positions SET position = 0 "
            "WHERE projection IN ('timeline', 'worklist')"
        )
        ahead.catch_up()
    assert_equal_to_rebuilt(owner)


# Several at once


class Tally(Projection):
    """Counts how often each entry is taken in; nothing in its table prevents it twice."""

    name: ClassVar[str] = "tally"
    version: ClassVar[int] = 1

    def __init__(self, meet: Callable[[], object] = lambda: None) -> None:
        self.meet = meet

    def definition(self, table: str) -> str:
        """Position and clinic of whatever is taken in."""
        return (
            f"CREATE TABLE {table} (clinic_id uuid, position bigint);"
            f"GRANT SELECT, INSERT ON {table} TO plan_history_projector"
        )

    def apply(self, batch: Batch, cursor: Cursor, table: str) -> None:
        """Note every entry."""
        self.meet()
        rows = [(batch.clinic_id, entry.position) for entry in batch.entries]
        cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s)".encode(), rows)


def test_competing_projectors_take_nothing_in_twice(
    container: Container,
    new_clinic: Callable[..., Clinic],
    database_url: str,
    owner: Owner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three projectors share the work while others write: each entry once, nothing left out."""
    tally = Tally()
    tally.ensure_tables(owner)
    monkeypatch.setattr(projector, "ALL", (*ALL, tally))
    clinics = [new_clinic(f"Clinic {number}") for number in range(4)]

    def write(clinic: Clinic) -> None:
        who = clinic.member()
        for client in ("c-1", "c-2"):
            plan_id = open_plan(container, who, client).plan_id
            for _ in range(8):
                set_goal(container, who, plan_id)

    with projecting(database_url, processes=3):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, clinics))
        assert soon(lambda: behind(owner) == {**DONE, "tally": 0}, 20)
    assert stopped(owner) == {}
    assert len(content(owner, "tally")) == len(set(content(owner, "tally"))) == 4 * 18
    assert_equal_to_rebuilt(owner)


@pytest.mark.parametrize("leased", [True, False])
def test_the_lease_keeps_two_from_the_same_batch(
    container: Container,
    clinic: Clinic,
    database_url: str,
    owner: Owner,
    monkeypatch: pytest.MonkeyPatch,
    *,
    leased: bool,
) -> None:
    """While one takes a batch in, another finds nothing to do; control: without the lock, both do."""
    if not leased:
        monkeypatch.setattr(runner, "_LEASE", runner._LEASE.replace("FOR UPDATE SKIP LOCKED", ""))
    open_plan(container, clinic.member())
    both = threading.Barrier(2)

    def meet() -> None:
        if not leased:
            both.wait(5)

    tally = Tally(meet)
    tally.ensure_tables(owner)
    with connect(database_url) as one, connect(database_url) as other:
        runners = [Runner(conn, live([tally]), keys()) for conn in (one, other)]
        runners[0].enrol()
        with ThreadPoolExecutor(2) as pool:
            taken = list(pool.map(lambda held: held.step(clinic.clinic_id), runners))
    assert sum(taken) == len(content(owner, "tally")) == (1 if leased else 2)


# Wake-ups


def listening(url: str) -> bool:
    """Whether a projector waits to be woken."""
    with psycopg.connect(url) as superuser:
        found = superuser.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'plan-history-projector' AND state = 'idle'"
        ).fetchone()
    return found == (1,)


def wake(owner: Owner) -> None:
    """Wake whoever listens."""
    owner.execute(f"NOTIFY {CHANNEL}".encode())


@pytest.fixture
def unheard(container: Container) -> Container:
    """The service with nobody waking the projectors."""
    container.plans.recording.recorded = lambda _: None
    return container


def test_without_wake_ups_projections_are_hardly_behind(
    unheard: Container, clinic: Clinic, database_url: str, owner: Owner
) -> None:
    """When every NOTIFY is lost, an entry still shows within two seconds."""
    with projecting(database_url):
        assert soon(lambda: listening(database_url))
        for client in ("c-1", "c-2", "c-3"):
            open_plan(unheard, clinic.member(), client)
            assert soon(lambda: behind(owner) == DONE, WITHOUT_NOTIFY)


def test_without_polling_a_lost_wake_up_is_never_made_good(
    unheard: Container,
    clinic: Clinic,
    database_url: str,
    owner: Owner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Control: a projector that only listens stands still, until somebody does wake it."""
    monkeypatch.setattr(projector, "POLL", None)
    with projecting(database_url):
        assert soon(lambda: listening(database_url))

        def missed(number: int) -> bool:
            open_plan(unheard, clinic.member(), f"c-{number}")
            return not soon(lambda: behind(owner) == DONE, WITHOUT_NOTIFY)

        assert any(map(missed, range(5)))  # one may meet it while it looks around
        wake(owner)
        assert soon(lambda: behind(owner) == DONE)
        monkeypatch.undo()
        wake(owner)  # so that it hears of its end, too


def test_a_wake_up_is_heard_at_once(
    container: Container,
    clinic: Clinic,
    database_url: str,
    owner: Owner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A commit wakes the projector; it does not wait for its next look."""
    monkeypatch.setattr(projector, "POLL", 60.0)
    with projecting(database_url):
        assert soon(lambda: listening(database_url))
        open_plan(container, clinic.member())
        assert soon(lambda: behind(owner) == DONE, WITHOUT_NOTIFY)
        monkeypatch.undo()
        wake(owner)  # so that it hears of its end, too


# Restarts


@pytest.mark.fault
def test_a_projector_outlives_its_connection(
    container: Container, clinic: Clinic, database_url: str, owner: Owner
) -> None:
    """Its session killed again and again, it connects anew and takes in what came meanwhile."""
    who = clinic.member()
    plan_id = open_plan(container, who).plan_id
    with projecting(database_url):
        for _ in range(3):
            assert soon(lambda: behind(owner) == DONE)
            with psycopg.connect(database_url, autocommit=True) as superuser:
                superuser.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                    "WHERE application_name = 'plan-history-projector' "
                    "AND datname = current_database()"
                )
            set_goal(container, who, plan_id)
        assert soon(lambda: behind(owner) == DONE)
    assert_equal_to_rebuilt(owner)


@pytest.mark.usefixtures("told_clinic")
def test_a_projector_that_starts_later_catches_up(
    container: Container, database_url: str, owner: Owner
) -> None:
    """Until it has run at all it counts as behind; then it takes in the whole log, and no more."""
    [(length,)] = owner.execute("SELECT position FROM clinic_logs").fetchall()
    unbegun = look(container.database)
    assert {held["entries_behind"] for held in unbegun.projections.values()} == {length}
    assert {held["clinics_behind"] for held in unbegun.projections.values()} == {1}
    with projecting(database_url):
        assert soon(lambda: behind(owner) == DONE)
    before = contents(owner)
    with projecting(database_url):
        assert soon(lambda: listening(database_url))
    assert contents(owner) == before
