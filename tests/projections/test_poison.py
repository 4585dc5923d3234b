"""An entry that cannot be taken in stops that projection for that clinic – loudly, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from api.app import create_app
from domain.entry import Entry
from projections import ALL, timeline
from projections.runner import Runner, live
from projections.sealing import Seals
from service.container import Container
from service.health import look
from service.serving.projector import connect
from tests.conftest import Clinic
from tests.keys import keys
from tests.projections.tables import assert_equal_to_rebuilt, behind, content, projecting, stopped
from tests.service.recording import mend, open_plan, poison, set_goal
from tests.service.servers import soon

Owner = psycopg.Connection[Any]
NAMES = [held.name for held in ALL]
POISONS: dict[str, dict[str, Any]] = {
    "unknown topic": {"topic": "plan.unheard-of"},
    "topic that names a module": {"topic": "os:getcwd"},
    "no JSON": {"topic": "plan.plan-opened", "state": b"\x80\x81"},
    "empty": {"topic": "plan.plan-opened", "state": b""},
    "fields missing": {"topic": "plan.plan-opened", "state": b'{"data": {}}'},
    "another shape": {"topic": "plan.plan-opened", "state": b"[]"},
}


def take_in(url: str, batch: int = 1_000) -> int:
    """Let a runner take in all it can."""
    with connect(url) as conn:
        return Runner(conn, live(ALL), keys(), batch).catch_up()


@pytest.mark.parametrize("kind", POISONS)
def test_poison_stops_its_clinic_alone(
    container: Container,
    new_clinic: Callable[..., Clinic],
    database_url: str,
    owner: Owner,
    caplog: pytest.LogCaptureFixture,
    *,
    kind: str,
) -> None:
    """All before it is taken in, nothing after; the other clinic goes on; the log says where."""
    sick, well = new_clinic("Sick"), new_clinic("Well")
    plans = {clinic: open_plan(container, clinic.member()).plan_id for clinic in (sick, well)}
    position = poison(owner, sick.clinic_id, **POISONS[kind])
    for clinic, plan_id in plans.items():
        set_goal(container, clinic.member(), plan_id)
    with caplog.at_level(logging.ERROR, "plan_history.projections"):
        take_in(database_url)
    assert stopped(owner) == {(name, sick.clinic_id): position for name in NAMES}
    assert behind(owner) == dict.fromkeys(NAMES, 2)
    assert len(content(owner, "timeline")) == 1 + 2
    assert len(caplog.records) == len(ALL)
    for record in caplog.records:
        assert f"at position {position}" in record.getMessage()
        assert str(sick.clinic_id) in record.getMessage()
    assert take_in(database_url) == 0


def test_a_mended_entry_lets_it_go_on(
    container: Container, clinic: Clinic, database_url: str, owner: Owner
) -> None:
    """After the repair each projection is resumed, and is then what a rebuild makes."""
    who = clinic.member()
    plan_id = open_plan(container, who).plan_id
    position = poison(owner, clinic.clinic_id)
    set_goal(container, who, plan_id)
    with projecting(database_url):
        assert soon(lambda: len(stopped(owner)) == len(ALL))
        mend(owner, clinic.clinic_id, position)
        assert set(behind(owner).values()) == {2}
        owner.execute("UPDATE projection_positions SET stopped_at = NULL, stopped_why = NULL")
        assert soon(lambda: set(behind(owner).values()) == {0})
    assert stopped(owner) == {}
    assert_equal_to_rebuilt(owner)


def test_resumed_without_a_repair_it_stops_again(
    container: Container, clinic: Clinic, database_url: str, owner: Owner
) -> None:
    """Who only resumes finds it stopped at the same entry, and nothing was skipped."""
    open_plan(container, clinic.member())
    position = poison(owner, clinic.clinic_id)
    for _ in range(2):
        take_in(database_url)
        assert set(stopped(owner).values()) == {position}
        owner.execute("UPDATE projection_positions SET stopped_at = NULL, stopped_why = NULL")
    assert len(content(owner, "timeline")) == 1


@pytest.mark.parametrize("batch", [1, 3, 1_000])
def test_a_projection_that_fails_stops_alone(
    container: Container,
    clinic: Clinic,
    database_url: str,
    owner: Owner,
    *,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
) -> None:
    """An entry one projection cannot digest, in the middle of a batch, holds up that one only."""
    who = clinic.member()
    plan_id = open_plan(container, who).plan_id
    for _ in range(5):
        set_goal(container, who, plan_id)
    row_of = timeline._row

    def choke(seals: Seals, entry: Entry, told: str) -> tuple[Any, ...]:
        if entry.position == 4:
            raise ZeroDivisionError
        return row_of(seals, entry, told)

    monkeypatch.setattr(timeline, "_row", choke)
    take_in(database_url, batch)
    assert stopped(owner) == {("timeline", clinic.clinic_id): 4}
    assert {name: held for name, held in behind(owner).items() if held} == {"timeline": 3}
    assert len(content(owner, "timeline")) == 3
    monkeypatch.undo()
    owner.execute("UPDATE projection_positions SET stopped_at = NULL, stopped_why = NULL")
    assert take_in(database_url, batch) == 3
    assert_equal_to_rebuilt(owner)


def test_a_row_the_database_refuses_is_poison_too(
    container: Container, clinic: Clinic, database_url: str, owner: Owner
) -> None:
    """A row that is there already – a table changed by hand – stops that projection, not the runner."""
    open_plan(container, clinic.member())
    take_in(database_url)
    owner.execute("UPDATE projection_positions SET position = 0 WHERE projection = 'timeline'")
    take_in(database_url)
    assert stopped(owner) == {("timeline", clinic.clinic_id): 1}


def test_a_stop_is_seen_from_outside(
    container: Container, clinic: Clinic, database_url: str, owner: Owner
) -> None:
    """/readyz, the metrics and the health document tell; requests are still answered."""
    who = clinic.member()
    plan_id = open_plan(container, who).plan_id
    poison(owner, clinic.clinic_id)
    take_in(database_url)
    set_goal(container, who, plan_id)
    health = look(container.database)
    assert health.ready
    seen = {"entries_behind": 2, "clinics_behind": 1, "stopped": 1}
    assert health.projections == dict.fromkeys(NAMES, seen)
    client = create_app(container).test_client()
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["projections_stopped"]) == (200, len(ALL))  # type: ignore[index] # JSON
    metrics = client.get("/metrics").text
    for name in NAMES:
        assert f'plan_history_projection_clinics_stopped{{projection="{name}"}} 1.0' in metrics
        assert f'plan_history_projection_entries_behind{{projection="{name}"}} 2.0' in metrics
    assert container.plans.current(who, plan_id)[0] == 2
