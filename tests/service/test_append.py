"""Appending: gapless order in each clinic, expected versions, commands, claims – whoever writes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any, TypeVar
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import pq

from domain.entry import Reason
from domain.errors import PlanAlreadyOpenError
from domain.lifecycle import PlanCompleted, PlanReopened
from domain.record import EntryCorrected, EntryMarkedInError
from service.access import Principal
from service.container import Container
from service.errors import (
    KeyReusedError,
    NotARehearsalError,
    PlanChangedError,
    UnknownClinicError,
)
from service.plans import Draft, Recorded
from tests.conftest import Clinic
from tests.service.recording import asked, goal, holes, open_plan, set_goal, stored, treating_too

T = TypeVar("T")
WHY = Reason(text="It was agreed so.")


def at_once(*jobs: Callable[[], T]) -> list[T | BaseException]:
    """What each job came to, when all of them begin at the same moment."""
    gate = Barrier(len(jobs))

    def run(job: Callable[[], T]) -> T:
        gate.wait(10)
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        done: list[Future[T]] = [pool.submit(run, job) for job in jobs]
    return [held.exception() or held.result() for held in done]


def insist(record: Callable[[], Recorded]) -> Recorded:
    """Record, however often others are quicker."""
    while True:
        try:
            return record()
        except PlanChangedError:
            continue


# Order


def write_a_lot(container: Container, who: Principal, shared: UUID) -> list[Recorded]:
    """Open a plan and record in it, and in one that others record in, too."""
    mine = open_plan(container, who, str(uuid4()), None, goal())
    done = [mine]
    for _ in range(4):
        done.append(set_goal(container, who, mine.plan_id))
        done.append(insist(lambda: set_goal(container, who, shared)))
    return done


def test_many_writers_leave_no_holes(
    container: Container,
    other: Container,
    new_clinic: Callable[..., Clinic],
    owner: psycopg.Connection[Any],
) -> None:
    """Positions are 1 … n in each clinic, times never go back, versions are 1 … m in each plan."""
    clinics = [new_clinic(f"Clinic {number}") for number in range(3)]
    jobs = []
    for clinic in clinics:
        who = clinic.member()
        shared = open_plan(container, who, "shared").plan_id
        jobs += [
            (clinic, lambda c=place, w=who, s=shared: write_a_lot(c, w, s))
            for place in (container, other) * 2
        ]
    answers = at_once(*(job for _, job in jobs))
    for clinic in clinics:
        rows = stored(owner, clinic.clinic_id)
        assert holes(rows) == []
        assert len(rows) == 1 + 4 * (2 + 2 * 4)
        told = [
            entry
            for (of, _), done in zip(jobs, answers, strict=True)
            if of is clinic and not isinstance(done, BaseException)
            for recorded in done
            for entry in recorded.entries
        ]
        kept = {UUID(str(row["entry_id"])): row for row in rows}
        assert len(told) == len(rows) - 1
        for entry in told:
            row = kept[UUID(entry.entry_id)]
            answered = (entry.plan_id, entry.version, entry.position, entry.recorded_at)
            assert answered == tuple(
                row[name] for name in ("plan_id", "version", "position", "recorded_at")
            )


def without_one(rows: list[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """Rows with one missing in the middle."""
    return rows[:1] + rows[2:]


def in_another_order(rows: list[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """Rows whose positions were handed out in another order than they were committed."""
    first, second, *rest = rows
    swapped = [
        {**second, "position": first["position"]},
        {**first, "position": second["position"]},
    ]
    return [*swapped, *rest]


def with_one_twice(rows: list[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """Rows with an entry stored again at the end."""
    again = {**rows[-1], "position": len(rows) + 1, "version": rows[-1]["version"] + 1}
    return [*rows, again]


@pytest.mark.parametrize("break_", [without_one, in_another_order, with_one_twice])
def test_the_check_for_holes_can_fail(
    container: Container,
    clinic: Clinic,
    owner: psycopg.Connection[Any],
    break_: Callable[[list[dict[str, Any]]], Iterable[dict[str, Any]]],
) -> None:
    """Control: a log with a hole, out of order or with an entry twice is found out."""
    who = clinic.member()
    plan_id = open_plan(container, who).plan_id
    for _ in range(2):
        set_goal(container, who, plan_id)
    rows = stored(owner, clinic.clinic_id)
    assert holes(rows) == []
    assert holes(list(break_(rows))) != []


def test_one_append_is_one_round_trip(container: Container, clinic: Clinic) -> None:
    """Once a connection has prepared the append, it sends one message and waits for one answer."""
    who = clinic.member()
    container.database.pool.resize(1, 1)
    container.plans.recording.recorded = lambda _: None  # nobody is to be woken meanwhile
    plan_id = open_plan(container, who).plan_id
    for _ in range(2):
        set_goal(container, who, plan_id)
    with tempfile.TemporaryFile("w+") as traced:
        with container.database.connection() as conn:
            conn.pgconn.trace(traced.fileno())
            conn.pgconn.set_trace_flags(pq.Trace.SUPPRESS_TIMESTAMPS)
        set_goal(container, who, plan_id)
        with container.database.connection() as conn:
            conn.pgconn.untrace()
        traced.seek(0)
        messages = [line.split("\t") for line in traced if line.startswith(("F\t", "B\t"))]
    sent = [message[2].strip() for message in messages if message[0] == "F"]
    answered = [message[2].strip() for message in messages if message[0] == "B"]
    assert sent == ["Bind", "Describe", "Execute", "Sync"]
    assert answered[-1] == "ReadyForQuery"


# Who was first


def test_of_two_who_saw_the_same_version_one_is_told(
    container: Container, other: Container, clinic: Clinic, owner: psycopg.Connection[Any]
) -> None:
    """Two writers saw version 1: one is recorded, the other hears what is newer."""
    who = clinic.member()
    plan_id = open_plan(container, who).plan_id
    done = at_once(
        lambda: set_goal(container, who, plan_id, asked(expected=1)),
        lambda: set_goal(other, who, plan_id, asked(expected=1)),
    )
    [lost] = [held for held in done if isinstance(held, BaseException)]
    assert isinstance(lost, PlanChangedError)
    assert lost.facts["newest"] == 2
    assert [row["version"] for row in stored(owner, clinic.clinic_id)] == [1, 2]


def test_without_a_version_seen_both_are_recorded(
    container: Container, other: Container, clinic: Clinic, owner: psycopg.Connection[Any]
) -> None:
    """What others recorded in between is no conflict for a writer who did not say what they saw."""
    who = clinic.member()
    plan_id = open_plan(container, who).plan_id
    done = at_once(lambda: set_goal(container, who, plan_id), lambda: set_goal(other, who, plan_id))
    assert not [held for held in done if isinstance(held, BaseException)]
    assert [row["version"] for row in stored(owner, clinic.clinic_id)] == [1, 2, 3]


# Commands


def test_the_same_command_is_recorded_once(
    container: Container, clinic: Clinic, owner: psycopg.Connection[Any]
) -> None:
    """A request that comes again with its key is answered as it was, even when the plan went on."""
    who = clinic.member()
    plan_id = open_plan(container, who).plan_id
    first = set_goal(container, who, plan_id, asked("k-1", expected=1))
    set_goal(container, who, plan_id)
    again = set_goal(container, who, plan_id, asked("k-1", expected=1))
    assert again.replayed
    assert not first.replayed
    assert list(again.entries) == list(first.entries)
    assert len(stored(owner, clinic.clinic_id)) == 3


def test_an_opening_is_recorded_once(
    container: Container, other: Container, clinic: Clinic
) -> None:
    """Opening again with the same key gives the plan that was opened, not a refusal."""
    who = clinic.member()
    first = open_plan(container, who, "c-1", asked("k-1"))
    again = open_plan(other, who, "c-1", asked("k-1"))
    assert (again.plan_id, again.replayed) == (first.plan_id, True)


def test_the_same_command_at_once_is_recorded_once(
    container: Container, other: Container, clinic: Clinic, owner: psycopg.Connection[Any]
) -> None:
    """A retry that overtakes its first attempt: both get the one answer."""
    who = clinic.member()
    plan_id = open_plan(container, who).plan_id
    done = at_once(
        *(
            lambda c=place: set_goal(c, who, plan_id, asked("k-1", expected=1))
            for place in (container, other, container)
        )
    )
    answers = {held.entries[0].entry_id for held in done if isinstance(held, Recorded)}
    assert len(answers) == 1
    assert [held for held in done if isinstance(held, BaseException)] == []
    assert len(stored(owner, clinic.clinic_id)) == 2


def test_a_key_belongs_to_one_request_of_one_principal(
    container: Container, clinic: Clinic, owner: psycopg.Connection[Any]
) -> None:
    """Another request under a used key is refused; another principal's key is another key."""
    who = clinic.member()
    plan_id = open_plan(container, who, "c-1", asked("k-1")).plan_id
    colleague = treating_too(container, clinic, plan_id)
    for request in (asked("k-1", "another"), asked("k-1", "another", expected=7)):
        with pytest.raises(KeyReusedError):
            set_goal(container, who, plan_id, request)
    assert not set_goal(container, colleague, plan_id, asked("k-1", "another")).replayed
    rows = stored(owner, clinic.clinic_id)
    assert len([row for row in rows if row["plan_id"] == plan_id]) == 2


APPEND = """
SELECT outcome, plan, first_version, last_version FROM append_entries(
    %s, %s, %s, %s, %s::uuid[], %s::text[], %s::bytea[], %s, %s, %s)
"""


def test_the_function_itself_knows_a_command_again(
    container: Container, clinic: Clinic, owner: psycopg.Connection[Any]
) -> None:
    """Replay and reuse are decided in the append's own transaction, before anything else."""
    plan, who, command = uuid4(), uuid4(), uuid4()

    def append(plan_id: UUID, expected: int, digest: bytes) -> tuple[Any, ...] | None:
        given = [
            clinic.clinic_id,
            plan_id,
            expected,
            command,
            [uuid4()],
            ["plan.goal-set"],
            [b"{}"],
        ]
        with container.database.connection() as conn:
            return conn.execute(APPEND, [*given, who, "k-1", digest]).fetchone()

    assert append(plan, 0, b"one") == ("appended", plan, 1, 1)
    assert append(plan, 0, b"one") == ("replayed", plan, 1, 1)
    assert append(uuid4(), 5, b"one") == ("replayed", plan, 1, 1)
    assert append(plan, 1, b"two") == ("key-reused", plan, 1, 1)
    assert len(stored(owner, clinic.clinic_id)) == 1


# Claims: one open plan a client


def claims(owner: psycopg.Connection[Any], clinic: Clinic) -> set[tuple[str, UUID]]:
    """Which plans are noted as open for which client."""
    rows = owner.execute(
        "SELECT client_ref, plan_id FROM open_plans WHERE clinic_id = %s", [clinic.clinic_id]
    )
    return set(rows.fetchall())


def test_of_two_openings_at_once_one_wins(
    container: Container, other: Container, clinic: Clinic, owner: psycopg.Connection[Any]
) -> None:
    """Two open a plan for one client at the same moment: one does, the other hears which."""
    for round_ in range(5):
        client = f"c-{round_}"
        done = at_once(
            *(
                lambda c=place, r=client: open_plan(c, clinic.member(), r)
                for place in (container, other)
            )
        )
        [won] = [held for held in done if isinstance(held, Recorded)]
        [lost] = [held for held in done if isinstance(held, BaseException)]
        assert isinstance(lost, PlanAlreadyOpenError)
        assert lost.facts["plan_id"] == str(won.plan_id)
    assert len(stored(owner, clinic.clinic_id)) == 5


def test_a_second_plan_may_stand_alongside(
    container: Container, clinic: Clinic, owner: psycopg.Connection[Any]
) -> None:
    """Who says so may open a second plan; a third needs to say so again."""
    who = clinic.member()
    first = open_plan(container, who).plan_id
    second = open_plan(container, who, "c-1", asked(alongside=True)).plan_id
    with pytest.raises(PlanAlreadyOpenError):
        open_plan(container, who)
    assert claims(owner, clinic) == {("c-1", first), ("c-1", second)}


def test_a_completed_plan_makes_room(
    container: Container, clinic: Clinic, owner: psycopg.Connection[Any]
) -> None:
    """A plan that is over makes room for a new one; then it cannot be reopened beside that."""
    who = clinic.member()
    first = open_plan(container, who).plan_id
    over = Draft(data=PlanCompleted(outcome="goals_met", summary="Done."))
    reopened = Draft(data=PlanReopened(), reason=WHY)
    container.plans.record(who, first, [over], asked())
    container.plans.record(who, first, [reopened, over], asked())
    second = open_plan(container, who).plan_id
    with pytest.raises(PlanAlreadyOpenError):
        container.plans.record(who, first, [reopened], asked())
    assert claims(owner, clinic) == {("c-1", second)}
    container.plans.record(who, first, [reopened], asked(alongside=True))
    assert claims(owner, clinic) == {("c-1", first), ("c-1", second)}


def test_a_corrected_client_takes_the_claim_along(
    container: Container, clinic: Clinic, owner: psycopg.Connection[Any]
) -> None:
    """A plan corrected to be another client's claims that one, and frees the wrong one."""
    who = clinic.member()
    plan = open_plan(container, who, "wrong")
    correction = EntryCorrected(entry_id=plan.entries[0].entry_id, data={"client_ref": "right"})
    corrected = container.plans.record(
        who, plan.plan_id, [Draft(data=correction, reason=WHY)], asked()
    )
    assert claims(owner, clinic) == {("right", plan.plan_id)}
    other_plan = open_plan(container, who, "wrong").plan_id
    with pytest.raises(PlanAlreadyOpenError):
        open_plan(container, who, "right")
    taken_back = EntryMarkedInError(entry_id=corrected.entries[0].entry_id)
    with pytest.raises(PlanAlreadyOpenError):
        container.plans.record(who, plan.plan_id, [Draft(data=taken_back, reason=WHY)], asked())
    assert claims(owner, clinic) == {("right", plan.plan_id), ("wrong", other_plan)}


def test_an_opening_in_error_makes_room(
    container: Container, clinic: Clinic, owner: psycopg.Connection[Any]
) -> None:
    """A plan that was opened in error claims nobody."""
    who = clinic.member()
    plan = open_plan(container, who)
    mark = EntryMarkedInError(entry_id=plan.entries[0].entry_id)
    container.plans.record(who, plan.plan_id, [Draft(data=mark, reason=WHY)], asked())
    assert claims(owner, clinic) == set()
    open_plan(container, who)


# Times


def test_only_a_rehearsal_is_told_its_times(
    container: Container,
    new_clinic: Callable[..., Clinic],
    owner: psycopg.Connection[Any],
) -> None:
    """A real clinic refuses to be told a time and stores nothing; a rehearsal never goes back."""
    then = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
    real, rehearsal = new_clinic(rehearsal=False), new_clinic(rehearsal=True)
    with pytest.raises(NotARehearsalError):
        open_plan(container, real.member(), "c-1", asked(recorded_at=then))
    assert stored(owner, real.clinic_id) == []
    for told in (then, then - timedelta(days=1)):
        open_plan(container, rehearsal.member(), str(told), asked(recorded_at=told))
    assert [row["recorded_at"] for row in stored(owner, rehearsal.clinic_id)] == [then, then]


def test_an_unknown_clinic_takes_nothing(container: Container, clinic: Clinic) -> None:
    """A clinic that does not exist has no log to append to."""
    stranger = Clinic(uuid4(), clinic.owner).member()
    with pytest.raises(UnknownClinicError):
        open_plan(container, stranger)
