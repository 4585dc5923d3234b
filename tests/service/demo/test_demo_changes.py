"""What the demo's clinic goes through itself: recorded through the use cases, the same however often."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import psycopg

from domain.clinic import Clinic
from service.clinics import create_clinic
from service.container import Container
from service.demo.changes import ASTER, HELD, Changes
from service.demo.clinic import CLINIC_ID, FOUNDED_BEFORE, NAME, Teller, narrator
from service.demo.people import PEOPLE

ANCHOR = datetime(2026, 3, 4, 12, tzinfo=UTC)


def told(container: Container) -> Clinic:
    """The clinic with its own story in it."""
    teller = Teller(container)
    teller.found(ANCHOR - FOUNDED_BEFORE)
    changes = Changes(container, teller.request, narrator)
    changes.begin(ANCHOR - FOUNDED_BEFORE)
    changes.end(ANCHOR)
    with container.clinic.recording.plans.reading(CLINIC_ID, CLINIC_ID) as clinic:
        assert isinstance(clinic, Clinic)
        return clinic


def test_proposals_of_every_outcome_are_in_the_demo(
    container: Container, owner: psycopg.Connection[Any]
) -> None:
    """Approved, declined, withdrawn, and two that wait: one for each privacy officer, one for an admin."""
    create_clinic(owner, NAME, rehearsal=True, clinic_id=CLINIC_ID)
    clinic = told(container)
    outcomes = Counter(held.status for held in clinic.state.proposals)
    assert outcomes == {"approved": 2, "declined": 1, "withdrawn": 1, "open": 2}
    assert clinic.state.members[ASTER].status == "left"
    assert HELD in clinic.state.legal_holds
    roster = container.gate.rosters(CLINIC_ID)
    waiting = {
        key: roster.waiting_for(narrator(held).author, ANCHOR) for key, held in PEOPLE.items()
    }
    assert +Counter(waiting) == {"birch": 1, "juniper": 1, "elder": 2}


def test_told_again_nothing_is_recorded_twice(
    container: Container, owner: psycopg.Connection[Any]
) -> None:
    """An interrupted demo is begun again; what is in stays as it is."""
    create_clinic(owner, NAME, rehearsal=True, clinic_id=CLINIC_ID)
    first = [entry.entry_id for entry in told(container).entries]
    assert [entry.entry_id for entry in told(container).entries] == first
