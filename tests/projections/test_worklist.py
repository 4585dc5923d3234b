"""The ``worklist`` read model: what plans owe, the same however it came about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import psycopg
import pytest

from domain.obligations import obligations
from domain.policy import Policy
from projections.worklist import Worklist
from service.container import Container
from service.worklist import KINDS
from tests.conftest import Clinic
from tests.projections.lived import (
    SHORTER,
    Given,
    folded,
    incremental_equals_rebuilt,
    lived,
    restore,
    rows,
    set_policy,
    take_in,
)

POLICY = replace(Policy(), **SHORTER.given())


@pytest.fixture
def given(
    database_url: str,
    owner: psycopg.Connection[Any],
    container: Container,
    new_clinic: Callable[..., Clinic],
) -> Given:
    """A database with nothing in it."""
    return Given(database_url, owner, container, new_clinic)


def test_batches_and_a_rebuild_make_the_same_rows_as_the_fold(given: Given) -> None:
    """Late entries, corrections, marks, a change of policy: the table holds what the plans owe."""
    built = incremental_equals_rebuilt(given, Worklist())

    owed = {
        (plan.id, held.kind, held.about, held.due_on)
        for plan in folded(lived())
        for held in obligations(plan.state, POLICY)
    }
    assert {_owed(row) for row in built} == owed
    assert {row["kind"] for row in built} <= set(KINDS)


def _owed(row: dict[str, Any]) -> tuple[UUID, str, str, str | None]:
    shown = orjson.loads(row["shown"])
    assert shown["plan_id"] == str(row["plan_id"])
    assert (shown["kind"], shown["about"]) == (row["kind"], row["about"])
    due_on = row["due_on"].isoformat() if row["due_on"] else None
    assert shown["due_on"] == due_on
    return row["plan_id"], row["kind"], row["about"], due_on


def test_rows_that_stay_as_they_are_are_not_written_again(given: Given) -> None:
    """An entry that changes nothing that is owed leaves the rows where they lie."""
    clinic, kept = given.new_clinic(), lived()
    restore(clinic, kept)
    take_in(given.url, clinic, Worklist(), 1_000)
    before = _places(given.owner, clinic)

    plan = folded(kept)[0]
    author = {"member_id": str(UUID(int=1)), "name": "Robin Sample", "role": "clinician"}
    words = orjson.dumps({"recorded_by": author, "data": {"what": "A bad week"}})
    last = replace(
        kept[-1],
        plan_id=plan.id,
        version=plan.version + 1,
        entry_id=UUID(int=1),
        topic="plan.setback-noted",
        state=words,
    )
    restore(clinic, [last])
    take_in(given.url, clinic, Worklist(), 1_000)

    assert _places(given.owner, clinic) == before


def test_a_change_of_policy_moves_the_due_days_of_plans_that_rest(given: Given) -> None:
    """Nobody has to record anything in a plan for its due days to follow the clinic's policy."""
    clinic, kept = given.new_clinic(), lived()
    restore(clinic, kept)
    take_in(given.url, clinic, Worklist(), 1_000)
    before = {_owed(row) for row in rows(given.owner, Worklist(), clinic)}

    set_policy(given.container, clinic, SHORTER, kept[-1].recorded_at)
    take_in(given.url, clinic, Worklist(), 1_000)

    after = {_owed(row) for row in rows(given.owner, Worklist(), clinic)}
    plans = folded(kept)
    assert before == {
        (p.id, held.kind, held.about, held.due_on) for p in plans for held in obligations(p.state)
    }
    assert after == {
        (p.id, held.kind, held.about, held.due_on)
        for p in plans
        for held in obligations(p.state, POLICY)
    }
    assert after != before


def _places(owner: psycopg.Connection[Any], clinic: Clinic) -> list[Any]:
    """Where the clinic's rows lie, and which transaction wrote them."""
    query = "SELECT ctid::text, xmin::text, plan_id FROM worklist WHERE clinic_id = %s ORDER BY 1"
    return owner.execute(query, [clinic.clinic_id]).fetchall()
