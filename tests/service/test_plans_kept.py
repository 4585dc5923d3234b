"""The histories a process keeps: how many, and what may be read from them without asking."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from domain.errors import MomentNotFoundError
from domain.plan import Plan
from service.access import Principal
from service.container import Container, build
from service.plans import Moment
from service.reading import reading_plan
from service.record.plans import Plans
from tests.conftest import Clinic
from tests.keys import settings
from tests.service.recording import open_plan, set_goal


def held(plans: Plans, *keys: tuple[UUID, UUID]) -> list[int]:
    """The version kept of each history, 0 for none, without asking for any."""
    slots = plans._slots
    return [slots[key].version if key in slots else 0 for key in keys]


def read(plans: Plans, who: Principal, plan_id: UUID) -> int:
    """Read a plan; returns its version."""
    with reading_plan(plans, who.clinic_id, plan_id) as plan:
        assert isinstance(plan, Plan)
        return plan.version


def test_the_longest_unused_are_let_go(container: Container, clinic: Clinic) -> None:
    """More entries than may be kept: the plan nobody asked for longest goes, however it grew."""
    who = clinic.member()
    ids = [open_plan(container, who, f"c-{n}").plan_id for n in range(3)]
    keys = [(who.clinic_id, plan_id) for plan_id in ids]
    plans = Plans(container.database, entries=4, keys=container.keys)
    for plan_id in ids:
        assert read(plans, who, plan_id) == 1
    set_goal(container, who, ids[0])
    set_goal(container, who, ids[0])
    assert read(plans, who, ids[0]) == 3
    assert held(plans, *keys) == [3, 0, 1]
    assert read(plans, who, ids[1]) == 1
    assert held(plans, *keys) == [3, 1, 0]


def test_no_more_plans_than_told(container: Container, clinic: Clinic) -> None:
    """Empty places count, too: asking for plans that are not there does not fill the memory."""
    who = clinic.member()
    ids = [open_plan(container, who, f"c-{n}").plan_id for n in range(3)]
    plans = Plans(container.database, size=2, keys=container.keys)
    for plan_id in ids:
        read(plans, who, plan_id)
    assert held(plans, *((who.clinic_id, plan_id) for plan_id in ids)) == [0, 1, 1]


def test_what_another_process_recorded_is_seen(
    container: Container, clinic: Clinic, database_url: str
) -> None:
    """Past moments may be read from what is kept; no moment misses what belongs to it."""
    who = clinic.member()
    done = open_plan(container, who)
    opened_at = done.entries[0].recorded_at

    def at(**moment: Any) -> int:
        return container.plans.at(who, done.plan_id, Moment(**moment))[0]

    assert [at(), at(version=1), at(as_of=opened_at)] == [1, 1, 1]
    other = build(settings(database_url))
    second = set_goal(other, who, done.plan_id)
    other.close()
    goal_at = second.entries[0].recorded_at
    assert at(as_of=goal_at - timedelta(microseconds=1)) == 1
    assert at(as_of=goal_at) == 2
    assert [at(version=1), at(version=2), at(), at(effective_at=goal_at)] == [1, 2, 2, 2]
    changes = container.plans.diff(who, done.plan_id, Moment(version=1), Moment(version=2))[2]
    assert {tuple(change["entries"]) for change in orjson.loads(changes)} == {(2,)}
    with pytest.raises(MomentNotFoundError):
        at(version=3)
