"""What decides about a plan, known from recording in it: as sure as asked, and no longer than that."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.alliance import TherapistTransferred
from domain.entry import Reason
from service.access import Principal
from service.container import Container
from service.plans import Draft
from tests.conftest import Clinic
from tests.service.recording import asked, open_plan, set_goal
from tests.service.servers import soon

FRESH = UUID(int=7)


def transfer(container: Container, who: Principal, plan_id: UUID) -> None:
    """Give the plan to another therapist."""
    data = TherapistTransferred(
        to_member_id=str(FRESH), handover="All of it.", client_consented=True
    )
    moved = Draft(data=data, reason=Reason(text="Moved away."))
    container.plans.record(who, plan_id, [moved], asked())


def test_recording_tells_who_may_see(
    container: Container, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody asks the database again for as long as it would have been remembered."""
    who = clinic.member()
    plan_id = open_plan(container, who).plan_id
    monkeypatch.setattr("service.access.gate.REMEMBERED", 60)
    container.database.close()
    facts = container.gate.facts(who.clinic_id, plan_id)
    assert facts is not None
    assert facts.therapist_id == who.member_id


def test_who_recorded_a_moment_ago_is_out_within_a_second(
    container: Container, other: Container, clinic: Clinic
) -> None:
    """Another process gives the plan to somebody else; theirs to see no more, however lately they wrote."""
    who = clinic.member()
    plan_id = open_plan(container, who).plan_id
    set_goal(container, who, plan_id)
    transfer(other, who, plan_id)
    assert other.gate.relation(who, "plans.read", plan_id) is None, "At once where it was recorded"
    assert soon(lambda: container.gate.relation(who, "plans.read", plan_id) is None, 3)


def test_who_gives_a_plan_away_is_out_at_once(container: Container, clinic: Clinic) -> None:
    """In the process that recorded it."""
    who = clinic.member()
    plan_id = open_plan(container, who).plan_id
    transfer(container, who, plan_id)
    assert container.gate.relation(who, "plans.read", plan_id) is None
