"""The record is what the eventsourcing library means by an application and its recorder."""

from __future__ import annotations

import sys
import unittest
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from types import ModuleType
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import datetime_now_with_tzinfo
from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    StoredEvent,
)

from domain.entry import Author
from domain.goals import GoalSet
from domain.plan import Plan
from projections.sealing import NO_KEYS, Seals
from service.container import Container
from service.database import Database
from service.errors import PlanChangedError
from service.record.application import ClinicRecord
from service.record.mapper import StoredEntry
from service.record.recorder import ClinicRecorder, Command
from tests.conftest import Clinic
from tests.keys import keys
from tests.service.recording import open_plan, opening, set_goal


def library_case(name: str) -> type[Any]:
    """A test case the library ships; its module asks for a cipher that needs a package we do not."""
    cipher = ModuleType("eventsourcing.cipher")
    vars(cipher)["AESCipher"] = None
    with patch.dict(sys.modules, {cipher.__name__: cipher}):
        case: type[Any] = getattr(import_module("eventsourcing.tests.persistence"), name)
    return case


class PlainRecorder(ClinicRecorder):
    """The recorder as the library's test cases call it: without a command, with their own errors.

    They number versions from 0 in places; ours begin with 1.
    """

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """Insert, each event with ids of its own."""
        shift = 1 if stored_events and stored_events[0].originator_version == 0 else 0
        positions: list[int] = []
        try:
            for stored in _by_originator(stored_events):
                command = Command(command_id=uuid4())
                entries = [_entry(event, shift) for event in stored]
                positions += super().insert_events(entries, command=command) or []
        except PlanChangedError as conflict:
            raise IntegrityError from conflict
        return positions


def _by_originator(events: Sequence[StoredEvent]) -> Iterator[list[StoredEvent]]:
    for originator_id in dict.fromkeys(event.originator_id for event in events):
        yield [event for event in events if event.originator_id == originator_id]


def _entry(event: StoredEvent, shift: int) -> StoredEntry:
    return StoredEntry(
        originator_id=event.originator_id,
        originator_version=event.originator_version + shift,
        topic=event.topic,
        state=event.state,
        id=0,
        entry_id=uuid4(),
        command_id=uuid4(),
        recorded_at=datetime_now_with_tzinfo(),
    )


@dataclass
class Given:
    """The database and clinics the library's test cases run on."""

    database: Database
    new_clinic: Callable[..., Clinic]
    used: list[UUID] = field(default_factory=list)

    def recorder(self) -> ApplicationRecorder:
        """A recorder of a clinic of its own."""
        self.used.append(self.new_clinic().clinic_id)
        return PlainRecorder(self.database, Seals(NO_KEYS, self.used[-1]))


@pytest.mark.parametrize(
    ("case", "name"),
    [
        ("ApplicationRecorderTestCase", "test_insert_select"),
        ("ApplicationRecorderTestCase", "test_concurrent_no_conflicts"),
        ("NonInterleavingNotificationIDsBaseCase", "test"),
    ],
)
def test_the_librarys_own_cases_pass(
    container: Container, new_clinic: Callable[..., Clinic], case: str, name: str
) -> None:
    """What the library asks of every application recorder, it may ask of ours."""
    given = Given(container.database, new_clinic)
    ours = type(case, (library_case(case),), {"create_recorder": lambda _: given.recorder()})
    result = unittest.TestResult()
    ours(name).run(result)
    assert [told for _, told in result.failures + result.errors] == []
    assert (result.testsRun, len(given.used)) == (1, 1)


@pytest.fixture
def record(container: Container, clinic: Clinic) -> ClinicRecord:
    """The record of a clinic with one plan of five entries."""
    plan_id = open_plan(container, clinic.member()).plan_id
    for _ in range(4):
        set_goal(container, clinic.member(), plan_id)
    return ClinicRecord(container.database, clinic.clinic_id, keys())


def plan_of(record: ClinicRecord) -> UUID:
    """The one plan that is there."""
    [first] = record.recorder.select_notifications(1, 1)
    assert isinstance(first.originator_id, UUID)
    return first.originator_id


BY_VERSION: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [1, 2, 3, 4, 5]),
    ({"gt": 2}, [3, 4, 5]),
    ({"lte": 2}, [1, 2]),
    ({"lte": 0}, []),
    ({"gt": 0, "lte": 5}, [1, 2, 3, 4, 5]),
    ({"gt": 1, "lte": 3}, [2, 3]),
    ({"desc": True}, [5, 4, 3, 2, 1]),
    ({"limit": 2}, [1, 2]),
    ({"limit": 0}, []),
    ({"desc": True, "limit": 1}, [5]),
    ({"desc": True, "lte": 3, "limit": 2}, [3, 2]),
    ({"gt": 5}, []),
]


def test_events_of_a_plan_are_selected_by_version(record: ClinicRecord) -> None:
    """``gt``, ``lte``, ``desc`` and ``limit`` mean what the library says they mean."""
    for asked, versions in BY_VERSION:
        found = record.recorder.select_events(plan_of(record), **asked)
        assert [event.originator_version for event in found] == versions, asked


BY_POSITION: list[tuple[dict[str, Any], list[int]]] = [
    ({"start": None, "limit": 10}, [1, 2, 3, 4, 5]),
    ({"start": 2, "limit": 10}, [2, 3, 4, 5]),
    ({"start": 2, "limit": 10, "inclusive_of_start": False}, [3, 4, 5]),
    ({"start": None, "limit": 10, "inclusive_of_start": False}, [1, 2, 3, 4, 5]),
    ({"start": 2, "limit": 2}, [2, 3]),
    ({"start": 2, "limit": 10, "stop": 4}, [2, 3, 4]),
    ({"start": 1, "limit": 10, "stop": 0}, []),
    ({"start": 1, "limit": 10, "topics": ["plan.plan-opened"]}, [1]),
    ({"start": 1, "limit": 2, "topics": ["plan.goal-set"]}, [2, 3]),
    ({"start": 1, "limit": 10, "topics": ["plan.unheard-of"]}, []),
    ({"start": 6, "limit": 10}, []),
]


def test_notifications_are_the_clinics_positions(record: ClinicRecord) -> None:
    """``start``, ``limit``, ``stop``, ``topics`` and ``inclusive_of_start`` select by position."""
    for asked, positions in BY_POSITION:
        found = record.recorder.select_notifications(**asked)
        assert [held.id for held in found] == positions, asked
        assert all(isinstance(held, Notification) for held in found)


def test_the_newest_position_is_the_clinics_own(
    container: Container, record: ClinicRecord, new_clinic: Callable[..., Clinic]
) -> None:
    """A clinic knows its newest position, an empty one has none, one that is not there neither."""
    empty = ClinicRecord(container.database, new_clinic().clinic_id, keys())
    nowhere = ClinicRecord(container.database, uuid4(), keys())
    newest = [held.recorder.max_notification_id() for held in (record, empty, nowhere)]
    assert newest == [5, None, None]


def test_another_clinic_sees_nothing_of_it(
    container: Container, record: ClinicRecord, new_clinic: Callable[..., Clinic]
) -> None:
    """The same plan asked for through another clinic's record is not there."""
    stranger = ClinicRecord(container.database, new_clinic().clinic_id, keys())
    assert stranger.recorder.select_events(plan_of(record)) == []
    assert stranger.recorder.select_notifications(1, 10) == []
    with pytest.raises(AggregateNotFoundError):
        stranger.plan(plan_of(record))


def test_a_plan_is_replayed_to_any_version(record: ClinicRecord) -> None:
    """The library's repository gives the plan at each version, by its projector or by ours."""
    for version in range(1, 6):
        ours: Plan = record.plan(plan_of(record), version)
        theirs: Plan = record.repository.get(plan_of(record), version=version)
        assert (ours.version, theirs.version) == (version, version)
        assert ours.document() == theirs.document()
    assert len(record.plan(plan_of(record)).state.document()["goals"]) == 4


def test_a_plan_is_saved_as_the_library_saves(container: Container, clinic: Clinic) -> None:
    """An aggregate of the library, saved by its application, is there with the next position."""
    record: Application[UUID] = ClinicRecord(container.database, clinic.clinic_id, keys())
    plan, now = Plan.new(uuid4()), datetime(2026, 1, 5, tzinfo=UTC)
    by = Author(member_id=str(uuid4()), name="Robin Sample", role="clinician")
    told = {"now": now, "recorded_by": by, "new_id": lambda: str(uuid4())}
    for data in (opening().data, GoalSet(statement="Half an hour in the park")):
        plan.record(data, **told, command_id=str(uuid4()))
    recordings = record.save(plan, command=Command(command_id=uuid4(), client_ref="c-1", open=True))
    assert [held.notification.id for held in recordings] == [1, 2]
    kept: Plan = record.repository.get(plan.id)
    assert kept.version == 2


def test_following_by_subscription_is_not_offered(record: ClinicRecord) -> None:
    """Who follows the log reads by position: that can neither skip nor hang."""
    with pytest.raises(NotImplementedError, match="by position"):
        record.recorder.subscribe()
