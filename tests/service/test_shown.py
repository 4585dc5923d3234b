"""Answers that are kept ready: told only while they hold, to whom the gate lets, and never unseen.

What is kept is planted here with other words, so that it shows whether it was told.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import psycopg
import pytest

from domain.clinic import PolicySet
from domain.entry import Reason
from domain.errors import PlanNotFoundError
from service import timeline, worklist
from service.access import Look, Principal, Sight, Still
from service.access.looks import _row
from service.container import Container
from service.errors import StoreUnavailableError
from service.kept import Kept
from service.plans import Draft, Moment, Recorded
from service.shown import Ready
from service.timeline import Filter
from service.worklist import Wanted
from tests.conftest import Clinic
from tests.service.recording import asked, open_plan, set_goal

PLANTED = b'{"planted":true}'
PAGE, MINE = Filter(), Wanted(mine=True)


@pytest.fixture
def done(container: Container, clinic: Clinic, catch_up: Callable[[], int]) -> Recorded:
    """A plan that the read models know."""
    recorded = open_plan(container, clinic.member())
    catch_up()
    return recorded


def kept(container: Container, what: str) -> tuple[Any, Ready]:
    """What is kept ready, and what it goes by."""
    held = container.plans.shown._kept._held
    return next((key, ready) for key, ready in held.items() if key[-1][0] == what)


def plant(container: Container, what: str) -> None:
    """Put other words in place of what is kept ready, under all that it goes by."""
    key, ready = kept(container, what)
    answers: dict[str, object] = {
        "now": (ready.version, PLANTED),
        "timeline": timeline.Page([PLANTED.decode()], None),
        "worklist": worklist.Page([PLANTED], None, 0, datetime.now(UTC).date()),
    }
    planted = Ready(answers.get(what, PLANTED), ready.size, ready.version, ready.still)
    container.plans.shown._kept.put(key, planted)


def shows(container: Container, who: Principal, plan_id: UUID, what: str) -> bool:
    """Whether what was planted is told."""
    read: dict[str, Callable[[], object]] = {
        "now": lambda: container.plans.current(who, plan_id)[1],
        "timeline": lambda: bytes(
            container.timeline.of_plan(who, plan_id, PAGE).entries[0], "utf-8"
        ),
        "worklist": lambda: container.worklist.find(who, MINE).obligations[0],
        "at": lambda: container.plans.at(who, plan_id, Moment(version=1))[1],
        "diff": lambda: container.plans.diff(who, plan_id, Moment(version=1), Moment(version=1))[2],
    }
    return read[what]() == PLANTED


@pytest.fixture(params=["now", "timeline", "worklist", "at", "diff"])
def planted(
    request: pytest.FixtureRequest, container: Container, clinic: Clinic, done: Recorded
) -> str:
    """Something that is kept ready, with other words."""
    what = str(request.param)
    assert not shows(container, clinic.member(), done.plan_id, what)
    plant(container, what)
    return what


def looks(owner: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    """The looks that are kept, oldest first."""
    query = "SELECT action, plan_id, version, asked, why, view, allowed FROM access_log ORDER BY look_id"
    return owner.execute(query).fetchall()


def test_what_holds_is_told_and_looked_at_as_ever(
    container: Container,
    clinic: Clinic,
    done: Recorded,
    planted: str,
    owner: psycopg.Connection[Any],
) -> None:
    """One look each time, which says the same as the one for which it was read."""
    assert shows(container, clinic.member(), done.plan_id, planted)
    assert shows(container, clinic.member(), done.plan_id, planted)
    first, second, third = looks(owner)
    assert first == second == third


def test_what_is_recorded_shows_at_once(
    container: Container,
    other: Container,
    clinic: Clinic,
    done: Recorded,
    planted: str,
    catch_up: Callable[[], int],
) -> None:
    """Whichever process recorded it, and whether or not the read models know yet; the past stays as it was."""
    who = clinic.member()
    set_goal(other, who, done.plan_id)
    past = planted in ("at", "diff")
    assert shows(container, who, done.plan_id, planted) == past
    catch_up()
    assert shows(container, who, done.plan_id, planted) == past
    assert not shows(other, who, done.plan_id, planted)


def test_nothing_is_told_when_the_look_cannot_be_kept(
    container: Container,
    clinic: Clinic,
    done: Recorded,
    planted: str,
    owner: psycopg.Connection[Any],
) -> None:
    """However ready the answer is."""
    owner.execute("ALTER TABLE access_log RENAME TO elsewhere")
    with pytest.raises(StoreUnavailableError):
        shows(container, clinic.member(), done.plan_id, planted)
    owner.execute("ALTER TABLE elsewhere RENAME TO access_log")


def test_each_sees_what_the_gate_lets_them(
    container: Container, clinic: Clinic, done: Recorded, planted: str
) -> None:
    """Somebody else's list is another one; whoever has no business with the plan does not learn of it;
    and whoever sees less of it gets nothing that was made for those who see all.
    """
    stranger = Principal(clinic.clinic_id, uuid4(), "Sam Other", "clinician", None, uuid4())
    auditor = clinic.member("auditor", "Ada Auditor")
    if planted == "worklist":
        assert container.worklist.find(stranger, MINE).obligations == []
        return
    with pytest.raises(PlanNotFoundError):
        shows(container, stranger, done.plan_id, planted)
    if planted == "timeline":
        assert not shows(container, auditor, done.plan_id, planted)
    what = kept(container, planted)[0][-1]
    for view in ("released", "metadata"):
        sight, shown = Sight("plans.read", "self", view), container.plans.shown
        assert shown.get(clinic.clinic_id, done.plan_id, sight, what) is None
        assert shown.look(auditor, done.plan_id, sight, what) is None


def test_what_is_erased_is_let_go(
    container: Container, clinic: Clinic, done: Recorded, planted: str
) -> None:
    """Of one plan, and the lists it may stand in; what is of others stays."""
    who = clinic.member()
    second = open_plan(container, who, "c-2").plan_id
    container.plans.at(who, second, Moment(version=1))
    container.gate.let_go(clinic.clinic_id, done.plan_id)
    held = container.plans.shown._kept._held
    assert [(key[1], key[-1][0]) for key in held] == [(second, "at")]
    assert not shows(container, who, done.plan_id, planted)


def test_a_plan_by_another_policy_is_read_anew(
    container: Container, clinic: Clinic, done: Recorded, catch_up: Callable[[], int]
) -> None:
    """The plan is at the version it was at; what it owes is not what it owed."""
    who = clinic.member()
    assert not shows(container, who, done.plan_id, "now")
    plant(container, "now")
    change = Draft(data=PolicySet(formal_review_days=17), reason=Reason(text="Sooner."))
    container.clinic.append(clinic.member("admin"), [change], asked())
    assert shows(container, who, done.plan_id, "now"), "The read model does not know yet"
    catch_up()
    assert not shows(container, who, done.plan_id, "now")


def test_what_holds_is_asked_under_the_clinics_own_eyes(
    container: Container, clinic: Clinic, new_clinic: Callable[..., Clinic], done: Recorded
) -> None:
    """A look of one clinic at the plan of another holds nothing, and is not kept."""
    elsewhere = new_clinic("Elsewhere").member()
    look = Look(action="plans.read", plan_id=done.plan_id, why="clinic", view="full")
    still = Still(version=done.version)
    assert container.gate.log.note_while(clinic.member(), look, still)
    assert not container.gate.log.note_while(elsewhere, look, still)
    assert not container.gate.log.note_while(clinic.member(), look, Still(version=9))
    assert not container.gate.log.note_while(clinic.member(), look, Still(position=9))
    assert not container.gate.log.note_while(
        clinic.member(), look, Still(version=done.version, made=1)
    )


def test_looks_that_hold_are_kept_beside_those_that_do_not(
    container: Container, clinic: Clinic, done: Recorded, owner: psycopg.Connection[Any]
) -> None:
    """All that were noted together, in their order, but for those at what is no more."""
    rows = [_row(clinic.member(), Look(action=f"a-{n}", plan_id=done.plan_id)) for n in range(4)]
    for row, version in zip(rows, (1, 9, None, 1), strict=True):
        row["still_version"] = version
    with container.database.connection() as conn:
        given = orjson.dumps(rows).decode()
        told = conn.execute("SELECT note_looks_at_kept(%s)", [given]).fetchone()
        assert told == ([True, False, True, True],)
        none = conn.execute("SELECT note_looks_at_kept(%s)", [orjson.dumps(rows[1:2]).decode()])
        assert none.fetchone() == ([False],)
    assert [look[0] for look in looks(owner)] == ["a-0", "a-2", "a-3"]


def test_no_more_is_kept_than_may_be() -> None:
    """Those longest unused go; what alone is too much is not kept, and nothing goes for it."""
    texts: Kept[int, str] = Kept(3, most=10, weigh=len)
    for number in range(4):
        texts.put(number, "abc")
    assert [texts.get(number) for number in range(4)] == [None, "abc", "abc", "abc"]
    texts.put(1, "abcd")
    texts.put(2, "a" * 11)
    assert [texts.get(number) for number in range(1, 4)] == ["abcd", None, "abc"]
    texts.put(4, "abcdef")
    assert [texts.get(number) for number in (1, 3, 4)] == [None, "abc", "abcdef"]
    texts.drop(4)
    texts.drop_where(lambda number: number == 3)
    assert texts.weight == 0


def test_a_list_that_lags_is_not_kept(
    container: Container, clinic: Clinic, catch_up: Callable[[], int]
) -> None:
    """It would hold for as long as nobody records anything, however much the read model learns."""
    who = clinic.member()
    second = open_plan(container, who, "c-2").plan_id
    assert str(second).encode() not in b"".join(container.worklist.find(who, MINE).obligations)
    catch_up()
    assert str(second).encode() in b"".join(container.worklist.find(who, MINE).obligations)
