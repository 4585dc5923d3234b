"""Short ways to say what is recorded, for tests that care how it is kept."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg

from domain.goals import GoalSet
from domain.opening import PlanOpened
from domain.people import CaseloadAssigned, MemberJoined
from projections.sealing import Seals
from service.access import Principal
from service.container import Container
from service.plans import Draft, Recorded, Request
from tests.conftest import Clinic
from tests.keys import keys

THERAPIST = "00000000-0000-4000-8000-000000000001"


def opening(client_ref: str = "c-1", **more: Any) -> Draft:
    """The opening of a plan for a client."""
    return Draft(
        data=PlanOpened(
            client_ref=client_ref,
            client_label=f"Client {client_ref}",
            initiated_by="client",
            presenting_concern="Leaving the house has become hard.",
            hopes="To sit in the park again.",
            signs_of_improvement="I go out without planning for days.",
            therapist_id=THERAPIST,
        ),
        **more,
    )


def goal(statement: str = "Half an hour in the park", **more: Any) -> Draft:
    """A goal that is set."""
    return Draft(data=GoalSet(statement=statement), **more)


def asked(key: str | None = None, body: str = "the same", **more: Any) -> Request:
    """A request that writes; with a key, ``body`` is what makes two requests the same."""
    digest = hashlib.sha256(body.encode()).digest() if key else None
    return Request(key=key, digest=digest, **more)


def open_plan(
    container: Container,
    who: Principal,
    client_ref: str = "c-1",
    request: Request | None = None,
    *drafts: Draft,
) -> Recorded:
    """A plan, opened for a client."""
    return container.plans.open_plan(who, opening(client_ref), drafts, request or asked())


def set_goal(
    container: Container, who: Principal, plan_id: UUID, request: Request | None = None
) -> Recorded:
    """A goal, set in a plan."""
    return container.plans.record(who, plan_id, [goal()], request or asked())


def treating_too(container: Container, clinic: Clinic, plan_id: UUID) -> Principal:
    """Another clinician who treats the client of a plan, too."""
    other = replace(clinic.member(name="Kim Other"), member_id=uuid4())
    joined = MemberJoined(member_id=str(other.member_id), name=other.name, role="clinician")
    treats = CaseloadAssigned(member_id=str(other.member_id), plan_id=str(plan_id))
    drafts = [Draft(data=joined), Draft(data=treats)]
    container.clinic.record(clinic.member("admin"), drafts, Request())
    return other


STORED = """
SELECT clinic_id, position, plan_id, version, recorded_at, entry_id, command_id, key_id, leaf,
    topic, state
FROM entries WHERE clinic_id = %s ORDER BY position
"""


def stored(owner: psycopg.Connection[Any], clinic_id: UUID) -> list[dict[str, Any]]:
    """Every stored entry of a clinic by position, column by column."""
    cursor = owner.execute(STORED, [clinic_id])
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def holes(rows: list[dict[str, Any]]) -> list[str]:
    """What is wrong with one clinic's log: its positions, times, versions or ids."""
    found = []
    if [row["position"] for row in rows] != list(range(1, len(rows) + 1)):
        found.append("positions are not 1, 2, 3 …")
    times: list[datetime] = [row["recorded_at"] for row in rows]
    if times != sorted(times):
        found.append("recorded_at goes back")
    versions: dict[UUID, int] = {}
    for row in rows:
        versions[row["plan_id"]] = versions.get(row["plan_id"], 0) + 1
        if row["version"] != versions[row["plan_id"]]:
            found.append(
                f"plan {row['plan_id']} has no version {versions[row['plan_id']]} in order"
            )
    if len({row["entry_id"] for row in rows}) != len(rows):
        found.append("an entry is there twice")
    return found


_RESTORE = "SELECT restore_entries(%s, %s, %s, %s, %s, %s, %s, %s, NULL, %s)"


def poison(
    owner: psycopg.Connection[Any],
    clinic_id: UUID,
    *,
    topic: str = "plan.unheard-of",
    state: bytes = b"{}",
) -> int:
    """Slip an entry that cannot be read into the clinic's log, past the service; its position."""
    row = owner.execute(
        "SELECT position + 1, greatest(recorded_at, now()) FROM clinic_logs WHERE clinic_id = %s",
        [clinic_id],
    ).fetchone()
    assert row is not None
    ids = [[uuid4()], [1], [uuid4()], [uuid4()]]
    owner.execute(_RESTORE, [clinic_id, row[0], *ids, [row[1]], [topic], [state]])
    return int(row[0])


def mend(owner: psycopg.Connection[Any], clinic_id: UUID, position: int) -> None:
    """Give a poison entry a form that can be read, as a repair by hand would."""
    sound = owner.execute(
        "SELECT plan_id, version, entry_id, state, topic FROM entries WHERE clinic_id = %s "
        "AND position < %s AND version = 1 ORDER BY position LIMIT 1",
        [clinic_id, position],
    ).fetchone()
    assert sound is not None
    state = Seals(keys(), clinic_id).state(*sound[:4])
    owner.execute(
        "UPDATE entries SET topic = %s, state = %s WHERE clinic_id = %s AND position = %s",
        [sound[4], state, clinic_id, position],
    )
