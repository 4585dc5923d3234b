"""A clinic's log, exported and imported elsewhere: the same to the last byte, or refused by line."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import orjson
import psycopg
import pytest
from psycopg import sql

from domain.errors import InvalidDataError, PlanAlreadyOpenError
from domain.lifecycle import PlanCompleted
from projections import ALL
from projections.runner import Runner, live
from service import transfer
from service.container import Container, build
from service.database import OWNER_ROLE, dsn_as
from service.embedded import EmbeddedPostgres
from service.errors import UnknownClinicError
from service.plans import Draft
from service.serving.projector import connect
from service.transfer import export_lines, import_lines, to_line, whole_log
from tests.conftest import Clinic
from tests.keys import keys, settings
from tests.projections.lived import lived
from tests.projections.lived import rows as read_model
from tests.service.lives import record_lives
from tests.service.recording import asked, open_plan, stored

Owner = psycopg.Connection[Any]


@pytest.fixture
def elsewhere_url(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    """Another database, migrated and empty."""
    name = f"elsewhere_{uuid4().hex}"
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        conn.execute(make.format(sql.Identifier(name), sql.Identifier(template)))
        yield server.dsn(name)
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def elsewhere(elsewhere_url: str) -> Iterator[Owner]:
    """Its owner."""
    with psycopg.connect(dsn_as(elsewhere_url, OWNER_ROLE, seconds=60), autocommit=True) as conn:
        yield conn


def exported(owner: Owner, clinic: Clinic) -> list[bytes]:
    """The lines of a clinic's export."""
    heading, lines = export_lines(owner, clinic.clinic_id, keys())
    return [to_line(heading), *lines]


def caught_up(url: str) -> None:
    """Let all projections take in what there is."""
    with connect(url) as conn:
        Runner(conn, live(ALL), keys()).catch_up()


def claims(owner: Owner, clinic: Clinic) -> set[Any]:
    """Which plans are noted as open for which client."""
    query = "SELECT client_ref, plan_id FROM open_plans WHERE clinic_id = %s"
    return set(owner.execute(query, [clinic.clinic_id]).fetchall())


# There and back


def test_an_imported_clinic_is_the_same(
    container: Container,
    clinic: Clinic,
    database_url: str,
    owner: Owner,
    elsewhere: Owner,
    elsewhere_url: str,
) -> None:
    """Entries to the last byte, leaves, claims and every read model are as they were."""
    record_lives(container, clinic, lived(4, 30))
    done = import_lines(elsewhere, exported(owner, clinic), keys())
    kept = stored(owner, clinic.clinic_id)
    assert len(kept) > 100
    assert done == {"clinic_id": str(clinic.clinic_id), "imported": len(kept), "known": 0}
    assert stored(elsewhere, clinic.clinic_id) == kept
    assert claims(elsewhere, clinic) == claims(owner, clinic) != set()
    caught_up(database_url)
    caught_up(elsewhere_url)
    for projection in ALL:
        assert read_model(elsewhere, projection, clinic) == read_model(owner, projection, clinic)
    assert exported(elsewhere, clinic)[1:] == exported(owner, clinic)[1:]


def test_work_goes_on_where_it_was(
    container: Container, clinic: Clinic, owner: Owner, elsewhere: Owner, elsewhere_url: str
) -> None:
    """After the move the next entry has the next position, and the claims hold."""
    who = clinic.member()
    open_plan(container, who, "open")
    closed = open_plan(container, who, "closed").plan_id
    over = Draft(data=PlanCompleted(outcome="goals_met", summary="Done."))
    container.plans.record(who, closed, [over], asked())
    import_lines(elsewhere, exported(owner, clinic), keys())
    moved = build(settings(elsewhere_url))
    try:
        assert open_plan(moved, who, "closed").position == 4
        with pytest.raises(PlanAlreadyOpenError):
            open_plan(moved, who, "open")
    finally:
        moved.close()


def test_the_clinic_itself_comes_along(
    new_clinic: Callable[..., Clinic], owner: Owner, elsewhere: Owner
) -> None:
    """Name and kind are kept, also of a clinic that has recorded nothing."""
    real, rehearsal = new_clinic("Real", rehearsal=False), new_clinic("Rehearsal")
    for clinic in (real, rehearsal):
        import_lines(elsewhere, exported(owner, clinic), keys())
    held = elsewhere.execute("SELECT clinic_id, name, rehearsal FROM clinics").fetchall()
    assert set(held) == {
        (real.clinic_id, "Real", False),
        (rehearsal.clinic_id, "Rehearsal", True),
    }


def test_an_unknown_clinic_is_not_exported(owner: Owner) -> None:
    """There is no export of a clinic that does not exist."""
    with pytest.raises(UnknownClinicError):
        export_lines(owner, uuid4(), keys())


def test_an_export_ends_where_it_began(container: Container, clinic: Clinic, owner: Owner) -> None:
    """Entries recorded after the heading was written are not in it."""
    open_plan(container, clinic.member())
    heading, lines = export_lines(owner, clinic.clinic_id, keys())
    open_plan(container, clinic.member(), "c-2")
    assert (heading["entries"], len(list(lines))) == (1, 1)


# Interrupted, or not quite an export


@pytest.fixture
def lines(container: Container, clinic: Clinic, owner: Owner) -> list[bytes]:
    """An export of two plans that were recorded in turn."""
    record_lives(container, clinic, lived(2, 8))
    found = exported(owner, clinic)
    assert len(found) > 10
    return found


def test_an_interrupted_import_goes_on(
    clinic: Clinic,
    owner: Owner,
    elsewhere: Owner,
    lines: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An import that was cut off is given the file again and takes in what is missing; then nothing."""
    monkeypatch.setattr(transfer, "BATCH", 3)

    def cut_off() -> Iterator[bytes]:
        yield from lines[:6]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_lines(elsewhere, cut_off(), keys())
    told: list[int] = []
    done = import_lines(elsewhere, lines, keys(), told=told.append)
    assert (done["known"], done["imported"]) == (3, len(lines) - 4)
    assert sum(told) == len(lines) - 1
    assert stored(elsewhere, clinic.clinic_id) == stored(owner, clinic.clinic_id)
    assert claims(elsewhere, clinic) == claims(owner, clinic)
    assert import_lines(elsewhere, lines, keys())["imported"] == 0


def changed(line: bytes, **columns: Any) -> bytes:
    """A line with some of it replaced."""
    return to_line({**orjson.loads(line), **columns})


def flip(line: bytes) -> bytes:
    """A line with one letter in its state another."""
    held = orjson.loads(line)
    name = held["state"]["recorded_by"]["name"]
    held["state"]["recorded_by"]["name"] = chr(ord(name[0]) ^ 1) + name[1:]
    return to_line(held)


def flipped(stored: str) -> str:
    """What is stored with its last bit another."""
    kept = b64decode(stored)
    return b64encode(kept[:-1] + bytes([kept[-1] ^ 1])).decode()


def broken(lines: Sequence[bytes], place: int, damage: str) -> list[bytes]:
    """The lines of an export with one kind of damage at line number ``place + 1``."""
    before, line, after = [*lines[:place]], lines[place], [*lines[place + 1 :]]
    held = orjson.loads(line)
    return {
        "flipped": [*before, flip(line), *after],
        "not base64": [*before, changed(line, stored="!"), *after],
        "flipped below": [*before, changed(line, stored=flipped(held["stored"])), *after],
        "another key": [*before, changed(line, key=b64encode(bytes(32)).decode()), *after],
        "of the first format": [*before, to_line({k: v for k, v in held.items() if k != "stored"})],
        "cut short": [*before, line[: len(line) // 2]],
        "missing": [*before, *after],
        "swapped": [*before, after[0], line, *after[1:]],
        "twice": [*before, line, line, *after],
        "another topic": [*before, changed(line, topic="plan.unheard-of"), *after],
        "a module as topic": [*before, changed(line, topic="os.path:join"), *after],
        "another time": [*before, changed(line, recorded_at="2031-01-01T00:00:00Z"), *after],
        "another plan": [*before, changed(line, plan_id=str(uuid4())), *after],
        "another version": [*before, changed(line, version=held["version"] + 1), *after],
        "another leaf": [*before, changed(line, leaf="00" * 32), *after],
        "no leaf": [*before, changed(line, leaf=None), *after],
        "no object": [*before, b"[]\n", *after],
        "empty": [*before, b"\n", *after],
    }[damage]


DAMAGES = (
    "flipped",
    "not base64",
    "flipped below",
    "another key",
    "of the first format",
    "cut short",
    "missing",
    "swapped",
    "twice",
    "another topic",
    "a module as topic",
    "another time",
    "another plan",
    "another version",
    "another leaf",
    "no leaf",
    "no object",
    "empty",
)
LATER = {"twice": 1}
"""Damages that show only so many lines later."""
UP_TO = ("another time", "another plan", "another version")
"""Damages the database refuses as a whole; the last line of the batch is named."""


def test_damage_is_refused_naming_the_line(
    clinic: Clinic, elsewhere: Owner, lines: list[bytes]
) -> None:
    """Whatever is wrong with a line – first, in the middle, last – it is named and nothing is kept."""
    last = len(lines) - 1
    for damage in DAMAGES:
        for place in (1, 2, last // 2, last - 1):
            with pytest.raises(InvalidDataError) as refused:
                import_lines(elsewhere, broken(lines, place, damage), keys())
            named = {problem.pointer for problem in refused.value.problems}
            number = place + 1 + LATER.get(damage, 0)
            allowed = {f"/line/{number}"} | ({f"/line/{last + 1}"} if damage in UP_TO else set())
            assert named <= allowed, (damage, place)
            assert stored(elsewhere, clinic.clinic_id) == [], (damage, place)
    assert import_lines(elsewhere, lines, keys())["imported"] == last


def test_a_file_that_ends_early_is_refused(elsewhere: Owner, lines: list[bytes]) -> None:
    """A file cut off at a line's end lacks what its heading promises, and says from which line on."""
    with pytest.raises(InvalidDataError, match=f"/line/{len(lines) - 2}: The file ends early"):
        import_lines(elsewhere, lines[:-3], keys())


def test_a_file_that_goes_on_is_refused(elsewhere: Owner, lines: list[bytes]) -> None:
    """Lines beyond what the heading promises are not taken in unseen."""
    heading = changed(lines[0], entries=len(lines) - 3)
    with pytest.raises(InvalidDataError, match=f"/line/{len(lines) - 1}: The file goes on"):
        import_lines(elsewhere, [heading, *lines[1:]], keys())


def test_the_last_line_says_whether_the_file_is_whole(
    clinic: Clinic, owner: Owner, elsewhere: Owner
) -> None:
    """What is under no leaf, such as the command an entry came with, is under the file's own SHA-256."""
    file = list(whole_log(*export_lines(owner, clinic.clinic_id, keys())))
    assert orjson.loads(file[-1])["format"] == transfer.END
    heading = {**orjson.loads(file[0]), "name": "Another name"}
    with pytest.raises(InvalidDataError, match=f"/line/{len(file)}: The file is not as it was"):
        import_lines(elsewhere, [to_line(heading), *file[1:]], keys())
    assert import_lines(elsewhere, file, keys())["known"] == len(file) - 2
    with pytest.raises(InvalidDataError, match="no entry of a log"):
        import_lines(elsewhere, [*file, file[-1]], keys())


NO_HEADINGS = (
    b"",
    b"\n",
    b"PK\x03\x04",
    b"[]\n",
    b"{}\n",
    b'{"format": "plan-history/clinic-log/v2"}\n',
    b'{"format": "plan-history/clinic-log/v1", "clinic_id": "here", "entries": 1}\n',
    b'{"format": "plan-history/clinic-log/v1", "clinic_id": 7, "entries": 1}\n',
)


def test_something_else_is_no_export(elsewhere: Owner) -> None:
    """A file that does not begin as an export is refused at its first line, and no clinic made."""
    for heading in NO_HEADINGS:
        with pytest.raises(InvalidDataError, match="/line/1: This is no export"):
            import_lines(elsewhere, [heading], keys())
    assert elsewhere.execute("SELECT count(*) FROM clinics").fetchone() == (0,)


def test_a_clinic_with_something_else_in_it_is_left_alone(
    container: Container, clinic: Clinic, owner: Owner, elsewhere: Owner, elsewhere_url: str
) -> None:
    """An import never mixes with entries that are not its own, and names the first that differs."""
    who = clinic.member()
    import_lines(elsewhere, exported(owner, clinic), keys())
    for held in (container, build(settings(elsewhere_url))):
        open_plan(held, who)
        if held is not container:
            held.close()
    before = stored(elsewhere, clinic.clinic_id)
    with pytest.raises(InvalidDataError, match="/line/2: The clinic holds another entry"):
        import_lines(elsewhere, exported(owner, clinic), keys())
    assert stored(elsewhere, clinic.clinic_id) == before


def test_comparing_only_the_last_leaf_takes_a_change_in(
    elsewhere: Owner, lines: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: an importer that looks at the last leaf alone misses a change in another plan."""
    refuse = transfer._refuse_changed

    def glance(conn: Owner, clinic_id: UUID, batch: Sequence[transfer.Line]) -> None:
        refuse(conn, clinic_id, batch[-1:])

    monkeypatch.setattr(transfer, "_refuse_changed", glance)
    plans = [orjson.loads(line).get("plan_id") for line in lines]
    place = next(place for place in range(1, len(lines)) if plans[place] != plans[-1])
    said = {**orjson.loads(lines[place]), "leaf": "00" * 32}
    done = import_lines(elsewhere, [*lines[:place], to_line(said), *lines[place + 1 :]], keys())
    assert done["imported"] == len(lines) - 1
