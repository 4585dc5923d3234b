"""Rebuilding: beside the live table, resumable, while others write – and never into something worse."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import psycopg
import pytest

from projections import ALL
from projections.current_plans import CurrentPlans
from projections.rebuild import RebuildStoppedError, rebuild
from projections.runner import Runner, live
from projections.timeline import Timeline
from service.clinics import create_clinic
from service.container import Container
from service.database import OWNER_ROLE, dsn_as
from service.serving.projector import connect
from tests.conftest import Clinic
from tests.keys import keys
from tests.projections.lived import lived
from tests.projections.tables import (
    assert_equal_to_rebuilt,
    behind,
    content,
    contents,
    projecting,
    stopped,
)
from tests.service.lives import record_lives
from tests.service.recording import mend, open_plan, poison, set_goal
from tests.service.servers import soon

Owner = psycopg.Connection[Any]
TIMELINE = Timeline()


class Interrupted(Exception):  # noqa: N818 - it is what happens, not what is wrong
    """Somebody pressed Ctrl-C."""


def interrupt_after(batches: int, heard: list[int]) -> Callable[[int], None]:
    """Hear of so many batches, then be interrupted."""

    def told(size: int) -> None:
        heard.append(size)
        if len(heard) == batches:
            raise Interrupted

    return told


@pytest.fixture
def length(container: Container, clinic: Clinic, catch_up: Callable[[], int]) -> int:
    """How many entries there are, all taken in."""
    record_lives(container, clinic, lived(2, 16))
    taken = catch_up()
    assert taken > 20
    return taken


# Resumable, and beside the live table


def test_an_interrupted_rebuild_goes_on(length: int, owner: Owner) -> None:
    """What was done before the interruption is not done again; the result is the same."""
    before = content(owner, "timeline")
    first: list[int] = []
    with pytest.raises(Interrupted):
        rebuild(owner, TIMELINE, keys(), batch=5, told=interrupt_after(3, first))
    assert content(owner, "timeline") == before
    second: list[int] = []
    assert rebuild(owner, TIMELINE, keys(), batch=5, told=second.append) == length
    assert sum(first) + sum(second) == length
    assert content(owner, "timeline") == before


def test_the_old_table_is_kept_until_the_next_rebuild(length: int, owner: Owner) -> None:
    """After the switch the table before it is still there, as it was."""
    owner.execute("UPDATE timeline SET sentence = 'as it was'")
    before = content(owner, "timeline")
    assert rebuild(owner, TIMELINE, keys()) == length
    assert content(owner, "timeline_old") == before != content(owner, "timeline")
    rebuild(owner, TIMELINE, keys())
    assert content(owner, "timeline_old") == content(owner, "timeline")


def test_the_live_table_serves_meanwhile(
    container: Container,
    clinic: Clinic,
    length: int,
    database_url: str,
    owner: Owner,
) -> None:
    """While the new table fills, the live one is read and kept up as ever."""
    who = clinic.member()
    plan_id = open_plan(container, who, "meanwhile").plan_id
    seen: list[int] = []

    def told(_: int) -> None:
        if len(seen) < 3:
            version = set_goal(container, who, plan_id).version
            assert soon(lambda: behind(owner)["timeline"] == 0)
            assert container.plans.current(who, plan_id)[0] == version
            seen.append(len(content(owner, "timeline")))

    with (
        psycopg.connect(dsn_as(database_url, OWNER_ROLE, seconds=60), autocommit=True) as conn,
        projecting(database_url),
    ):
        assert rebuild(conn, TIMELINE, keys(), batch=5, told=told) == length + 4
    assert seen == [length + 2, length + 3, length + 4]
    assert_equal_to_rebuilt(owner)


def test_the_new_table_is_never_behind_the_one_it_replaces(
    container: Container, clinic: Clinic, length: int, database_url: str, owner: Owner
) -> None:
    """Who has seen an entry in the live table sees it after the switch, with no projector running."""
    meanwhile: list[int] = []

    def told(_: int) -> None:
        if len(meanwhile) < 2:
            meanwhile.append(len(meanwhile))
            open_plan(container, clinic.member(), f"meanwhile {len(meanwhile)}")
            with connect(database_url) as conn:
                Runner(conn, live(ALL), keys()).catch_up()

    assert rebuild(owner, TIMELINE, keys(), batch=length, told=told) == length + 2
    assert len(content(owner, "timeline")) == length + 2


def test_nothing_is_lost_while_others_write(
    container: Container,
    database_url: str,
    owner: Owner,
) -> None:
    """Writers, projectors, new clinics and rebuilds at once: in the end every entry is there once."""
    over = threading.Event()

    def write(_: int) -> int:
        with psycopg.connect(dsn_as(database_url, OWNER_ROLE), autocommit=True) as mine:
            written = 0
            while not over.is_set():
                who = Clinic(create_clinic(mine, "Another", rehearsal=True), mine).member()
                plan_id = open_plan(container, who).plan_id
                for _ in range(19):
                    set_goal(container, who, plan_id)
                written += 20
            return written

    with projecting(database_url, processes=2), ThreadPoolExecutor(2) as pool:
        writing = pool.map(write, range(2))
        try:
            for projection in (TIMELINE, CurrentPlans()) * 2:
                rebuild(owner, projection, keys(), batch=20)
        finally:
            over.set()
        written = sum(writing)
        assert soon(lambda: set(behind(owner).values()) == {0}, 20)
    assert stopped(owner) == {}
    assert len(content(owner, "timeline")) == written > 0
    assert_equal_to_rebuilt(owner)


def test_two_rebuilds_at_once_wait_for_each_other(
    length: int, database_url: str, owner: Owner
) -> None:
    """A second rebuild of the same projection begins when the first is done."""
    before = content(owner, "timeline")

    def run(_: int) -> int:
        with psycopg.connect(dsn_as(database_url, OWNER_ROLE, seconds=60), autocommit=True) as conn:
            return rebuild(conn, TIMELINE, keys(), batch=10)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run, range(2))) == [length, length]
    assert content(owner, "timeline") == before


# Poison


def test_a_rebuild_refuses_to_switch_on_poison(clinic: Clinic, length: int, owner: Owner) -> None:
    """A table that lacks entries never takes the place of a live one; after a repair it does."""
    before = contents(owner)
    position = poison(owner, clinic.clinic_id)
    for _ in range(2):
        with pytest.raises(RebuildStoppedError, match=f"at position {position}"):
            rebuild(owner, TIMELINE, keys())
    assert contents(owner) == before
    assert stopped(owner) == {("timeline:new", clinic.clinic_id): position}
    mend(owner, clinic.clinic_id, position)
    owner.execute("UPDATE projection_positions SET stopped_at = NULL, stopped_why = NULL")
    assert rebuild(owner, TIMELINE, keys()) == length + 1
    assert len(content(owner, "timeline")) == length + 1


def test_poison_that_arrives_meanwhile_keeps_it_from_switching(
    clinic: Clinic, length: int, database_url: str, owner: Owner
) -> None:
    """Poison recorded while a rebuild runs is met before the switch; the live table stays."""
    before = content(owner, "timeline")
    late: list[int] = []

    def told(_: int) -> None:
        if not late:
            with psycopg.connect(dsn_as(database_url, OWNER_ROLE), autocommit=True) as other:
                late.append(poison(other, clinic.clinic_id))

    with pytest.raises(RebuildStoppedError, match=f"at position {length + 1}"):
        rebuild(owner, TIMELINE, keys(), batch=length, told=told)
    assert content(owner, "timeline") == before
    assert set(stopped(owner)) == {("timeline:new", clinic.clinic_id)}


# Another version


class NextTimeline(Timeline):
    """The timeline as a later version of the program makes it."""

    version: ClassVar[int] = 99

    def definition(self, table: str) -> str:
        """With a column more."""
        return (
            super()
            .definition(table)
            .replace(
                "sentence     bytea NOT NULL,",
                "sentence bytea NOT NULL, pinned boolean DEFAULT false,",
            )
        )


@pytest.fixture
def upgraded(length: int, database_url: str) -> Iterator[Runner]:
    """The runner of a later version of the program, whose timeline is another."""
    later = [held for held in ALL if held.name != "timeline"]
    with connect(database_url) as conn:
        yield Runner(conn, live([*later, NextTimeline()]), keys())
    assert length


def test_a_new_version_waits_for_its_rebuild(
    container: Container, clinic: Clinic, length: int, upgraded: Runner, owner: Owner
) -> None:
    """After an upgrade the old table serves as it is, until the rebuild puts the new one there."""
    before = content(owner, "timeline")
    open_plan(container, clinic.member(), "after the upgrade")
    upgraded.catch_up()
    assert (content(owner, "timeline"), behind(owner)["timeline"]) == (before, 1)
    assert behind(owner)["current_plans"] == 0
    assert rebuild(owner, NextTimeline(), keys()) == length + 1
    assert len(content(owner, "timeline")) == length + 1
    open_plan(container, clinic.member(), "after the rebuild")
    upgraded.catch_up()
    assert (set(behind(owner).values()), stopped(owner)) == ({0}, {})
    assert owner.execute("SELECT count(*) FROM timeline WHERE NOT pinned").fetchone() == (
        length + 2,
    )


def test_a_rebuild_begun_by_another_version_is_begun_anew(length: int, owner: Owner) -> None:
    """What an interrupted rebuild of the version before has left is not mixed with the new one."""
    with pytest.raises(Interrupted):
        rebuild(owner, TIMELINE, keys(), batch=5, told=interrupt_after(2, []))
    assert rebuild(owner, NextTimeline(), keys(), batch=5) == length
    assert len(content(owner, "timeline")) == length
    assert stopped(owner) == {}
