"""Random lives of plans in the record of a clinic, and what a projection makes of them.

The lives are those of the domain's tests: in time, late, undated, corrected, marked in error. Their ids
are changed so that several fit into one clinic; the log has them in the order in which they were recorded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from random import Random
from typing import Any
from unittest.mock import patch
from uuid import NAMESPACE_URL, UUID, uuid5

import psycopg

from domain.clinic import PolicySet
from domain.entry import Reason, from_stored, to_stored
from domain.plan import Plan
from projections.projection import Projection
from projections.rebuild import rebuild
from projections.runner import Runner, live
from service.container import Container
from service.recording import Draft, Request
from service.serving.projector import connect
from tests.conftest import Clinic
from tests.domain.lives import WEIGHTS, play
from tests.keys import keys

BATCHES = (1, 7, 1_000)
OFTENER = dict.fromkeys(
    ("MeasureRecorded", "RelapseNoted", "ReviewHeld", "InterventionSwapped", "GoalPaused"), 30
)
"""What the projections look at comes up more often than in the domain's tests."""
SHORTER = PolicySet(
    formal_review_days=30, reevaluation_days=2, answer_days=3, first_signature_days=4
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RESTORE = "SELECT restore_entries(%s, %s, %s, %s, %s, %s, %s, %s, NULL, %s)"


@dataclass(frozen=True)
class Kept:
    """An entry as it is kept."""

    plan_id: UUID
    version: int
    entry_id: UUID
    recorded_at: datetime
    topic: str
    state: bytes


@cache
def lived(plans: int = 8, requests: int = 60) -> tuple[Kept, ...]:
    """The entries of so many plans in recorded order; the same every time."""
    with patch.dict(WEIGHTS, OFTENER):
        kept = [held for number in range(plans) for held in _life(number, requests)]
    return tuple(sorted(kept, key=lambda held: (held.recorded_at, held.plan_id, held.version)))


def _life(number: int, requests: int) -> Iterable[Kept]:
    chance = Random(number)
    life = play([chance.getrandbits(32) for _ in range(requests)])

    def its_own(text: str) -> str:
        return _UUID.sub(lambda held: str(uuid5(NAMESPACE_URL, f"{number}/{held[0]}")), text)

    for entry in life.entries:
        yield Kept(
            plan_id=UUID(its_own(str(entry.plan_id))),
            version=entry.version,
            entry_id=UUID(its_own(entry.entry_id)),
            recorded_at=entry.recorded_at,
            topic=entry.data.TOPIC,
            state=its_own(json.dumps(to_stored(entry))).encode(),
        )


def folded(kept: Iterable[Kept]) -> list[Plan]:
    """The plans that ``kept`` adds up to."""
    plans: dict[UUID, Plan] = {}
    for held in kept:
        plan = plans.setdefault(held.plan_id, Plan.new(held.plan_id))
        plan.learn(
            from_stored(
                held.topic,
                json.loads(held.state),
                originator_id=held.plan_id,
                originator_version=held.version,
                timestamp=held.recorded_at,
                entry_id=str(held.entry_id),
            )
        )
    return list(plans.values())


def restore(clinic: Clinic, kept: Sequence[Kept]) -> None:
    """Put ``kept`` at the end of the clinic's log."""
    there = clinic.owner.execute(
        "SELECT position FROM clinic_logs WHERE clinic_id = %s", [clinic.clinic_id]
    ).fetchone()
    assert there is not None
    columns = (
        [held.plan_id for held in kept],
        [held.version for held in kept],
        [held.entry_id for held in kept],
        [held.entry_id for held in kept],
        [held.recorded_at for held in kept],
        [held.topic for held in kept],
        [held.state for held in kept],
    )
    clinic.owner.execute(_RESTORE, [clinic.clinic_id, there[0] + 1, *columns])


def set_policy(container: Container, clinic: Clinic, policy: PolicySet, at: datetime) -> None:
    """The clinic sets its policy at that moment."""
    draft = Draft(data=policy, reason=Reason(text="It had to be so."))
    container.clinic.record(clinic.member("admin"), [draft], Request(recorded_at=at))


def take_in(url: str, clinic: Clinic, projection: Projection, batch: int) -> None:
    """Let the projection take in everything the clinic has, in batches of that size."""
    with connect(url) as conn:
        runner = Runner(conn, live([projection]), keys(), batch)
        runner.enrol()
        while runner.step(clinic.clinic_id):
            pass


def rows(owner: psycopg.Connection[Any], projection: Projection, clinic: Clinic) -> list[Any]:
    """What the table holds of a clinic, but for the clinic's own id."""
    query = f"SELECT * FROM {projection.table()} WHERE clinic_id = %s"
    with owner.execute(query.encode(), [clinic.clinic_id]) as found:
        assert found.description is not None
        names = [column.name for column in found.description]
        held = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    for row in held:
        del row["clinic_id"]
    return sorted(held, key=repr)


@dataclass(frozen=True)
class Given:
    """What such a test needs."""

    url: str
    owner: psycopg.Connection[Any]
    container: Container
    new_clinic: Callable[..., Clinic]


def incremental_equals_rebuilt(given: Given, projection: Projection) -> list[Any]:
    """Take the same lives in by batches of several sizes, then rebuild: always the same rows.

    Half-way each clinic sets its policy. Returns the rows.
    """
    kept = lived()
    half = len(kept) // 2
    clinics = [given.new_clinic() for _ in BATCHES]
    for clinic, batch in zip(clinics, BATCHES, strict=True):
        restore(clinic, kept[:half])
        if batch == BATCHES[-1]:
            take_in(given.url, clinic, projection, batch)
        set_policy(given.container, clinic, SHORTER, kept[half - 1].recorded_at)
        restore(clinic, kept[half:])
        take_in(given.url, clinic, projection, batch)
    built = [rows(given.owner, projection, clinic) for clinic in clinics]
    assert built[0], "the lives leave something to compare"
    assert all(held == built[0] for held in built), "the size of batches does not matter"
    rebuild(given.owner, projection, keys(), batch=50)
    for clinic in clinics:
        assert rows(given.owner, projection, clinic) == built[0], "a rebuild makes the same"
    return built[0]
