"""How many histories a process keeps: counted as they grow, the longest unused let go first."""

from __future__ import annotations

from uuid import UUID

from domain.plan import Plan
from service.access import Principal
from service.container import Container
from service.reading import reading_plan
from service.record.plans import Plans
from tests.conftest import Clinic
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
    plans = Plans(container.database, entries=4)
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
    plans = Plans(container.database, size=2)
    for plan_id in ids:
        read(plans, who, plan_id)
    assert held(plans, *((who.clinic_id, plan_id) for plan_id in ids)) == [0, 1, 1]
