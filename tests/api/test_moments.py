"""A plan at any moment, through HTTP: as known at a version or time, as true at a time, compared, traced."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest

from api.schemas import EntryField
from domain.errors import TransitionError
from domain.opening import PlanOpened
from service.container import build
from service.errors import NotARehearsalError
from service.plans import Draft, Request
from tests.api.house import OPENING, Desk, House, an_id, entry, goal, new_desk, refused
from tests.api.living import Living, look_up
from tests.conftest import Caller, Clinic

WALK, SLEEP = an_id(), an_id()


def day(number: float) -> datetime:
    """So many days after the plan of these tests was opened."""
    return datetime(2026, 1, 5, 9, tzinfo=UTC) + timedelta(days=number)


def at(number: float) -> str:
    """That moment as it stands in a query."""
    return quote(day(number).isoformat())


def draft(sent: Mapping[str, Any], occurred: float | None = None) -> Draft:
    """An entry as the API would hand it on."""
    moment = {} if occurred is None else {"occurred_at": day(occurred).isoformat()}
    made: Draft = EntryField().deserialize({**sent, **moment})
    return made


def open_told(house: House, clinic: Clinic, caller: Caller) -> Desk:
    """A plan of a rehearsal clinic, opened on day 0 as told."""
    opening = Draft(data=PlanOpened(**OPENING))
    told = Request(recorded_at=day(0))
    opened = house.container.plans.open_plan(caller.who, opening, [], told)
    return Desk(house, clinic, caller, str(opened.plan_id))


def tell(desk: Desk, number: float, sent: Mapping[str, Any], occurred: float | None = None) -> str:
    """Record an entry on that day, as told; returns its id."""
    told = Request(recorded_at=day(number))
    plan_id, drafts = UUID(desk.plan_id), [draft(sent, occurred)]
    recorded = desk.house.container.plans.record(desk.caller.who, plan_id, drafts, told)
    return recorded.entries[0].entry_id


@pytest.fixture(scope="module")
def story(house: House) -> Desk:
    """A plan with a past, each version recorded on the day noted; the projector has not seen it yet.

    1 opened, day 0 · 2 goal to walk, day 1 · 3 goal to sleep, day 1 · 4 walking improves, day 5 ·
    5 the focus had shifted on day 2, recorded late on day 10 · 6 the first goal is corrected, day 12 ·
    7 an addendum to 4, day 14 · 8 version 4 is marked in error, day 15 · 9 sleep is paused, day 20
    """
    clinic = house.clinic()
    desk = open_told(house, clinic, house.sign_in(clinic))
    walk = tell(desk, 1, goal("Half an hour in the park", goal_id=WALK))
    tell(desk, 1, goal("Sleep through", goal_id=SLEEP))
    better = tell(
        desk, 5, entry("ProgressNoted", goal_id=WALK, direction="improving", evidence="x")
    )
    tell(desk, 10, entry("FocusShifted", "Her mother died", to="grief"), occurred=2)
    said = {"statement": "An hour in the park"}
    tell(desk, 12, entry("EntryCorrected", "Misheard", entry_id=walk, data=said))
    tell(desk, 14, entry("AddendumAdded", entry_id=better, text="With the dog"))
    tell(desk, 15, entry("EntryMarkedInError", "Another client", entry_id=better))
    tell(desk, 20, entry("GoalPaused", "Not now", goal_id=SLEEP))
    return desk


def seen(plan: dict[str, Any]) -> dict[str, Any]:
    """What of a plan the story is about."""
    goals = {held["goal_id"]: held for held in plan["goals"]}
    return {
        "version": plan["version"],
        "walk": goals[WALK]["statement"] if WALK in goals else None,
        "sleep": goals[SLEEP]["status"] if SLEEP in goals else None,
        "progress": (goals.get(WALK, {}).get("progress") or {}).get("direction"),
        "focus": plan["focus"],
    }


def moment(version: int, walk: str | None = None, **told: str | None) -> dict[str, Any]:
    """What is to be seen at a moment."""
    sleep = "active" if walk else None
    return {
        "version": version,
        "walk": {"half": "Half an hour in the park", "hour": "An hour in the park"}.get(walk or ""),
        "sleep": sleep,
        "progress": None,
        "focus": None,
        **told,
    }


MOMENTS: list[tuple[str, dict[str, Any]]] = [
    ("", moment(9, "hour", sleep="paused", focus="grief")),
    # known until a version
    ("version=1", moment(1)),
    ("version=2", moment(2, "half", sleep=None)),
    ("version=4", moment(4, "half", progress="improving")),
    ("version=5", moment(5, "half", progress="improving", focus="grief")),
    ("version=6", moment(6, "hour", progress="improving", focus="grief")),
    ("version=8", moment(8, "hour", focus="grief")),
    # known until a recorded time, which counts itself
    (f"as_of={at(0)}", moment(1)),
    (f"as_of={at(1)}", moment(3, "half")),
    (f"as_of={quote((day(1) - timedelta(microseconds=1)).isoformat())}", moment(1)),
    (f"as_of={at(9.9)}", moment(4, "half", progress="improving")),
    (f"as_of={at(14)}", moment(7, "hour", progress="improving", focus="grief")),
    ("as_of=2999-01-01T00:00:00Z", moment(9, "hour", sleep="paused", focus="grief")),
    # true until a time, knowing all there is
    (f"effective_at={at(0)}", moment(9)),
    (f"effective_at={at(1.5)}", moment(9, "hour")),
    (f"effective_at={at(3)}", moment(9, "hour", focus="grief")),
    (f"effective_at={at(6)}", moment(9, "hour", focus="grief")),
    (f"effective_at={at(20)}", moment(9, "hour", sleep="paused", focus="grief")),
    # both: what was known then of how it was then
    (f"as_of={at(6)}&effective_at={at(3)}", moment(4, "half")),
    (f"as_of={at(11)}&effective_at={at(3)}", moment(5, "half", focus="grief")),
    (f"version=4&effective_at={at(1.5)}", moment(4, "half")),
    (f"version=5&as_of={at(1)}", moment(3, "half")),
    (f"version=2&as_of={at(11)}", moment(2, "half", sleep=None)),
    (f"version=6&as_of={at(11)}&effective_at={at(3)}", moment(5, "half", focus="grief")),
]


@pytest.mark.parametrize(("query", "expected"), MOMENTS)
def test_the_plan_at_a_moment(story: Desk, query: str, expected: dict[str, Any]) -> None:
    """Known until a version or a recorded time, true until an occurred time, and all of them at once."""
    answer = story.get(f"?{query}" if query else "")
    assert answer.status_code == 200
    assert seen(answer.json) == expected
    assert answer.headers["ETag"] == f'"{expected["version"]}"'


@pytest.mark.parametrize(
    ("query", "saying"),
    [
        ("?version=10", "versions 1 to 9"),
        (f"?as_of={at(-0.001)}", "recorded later"),
        (f"?effective_at={at(-0.001)}", "did not exist at that moment"),
        (f"?version=10&effective_at={at(3)}", "versions 1 to 9"),
        (f"?version=5&as_of={at(-1)}", "recorded later"),
        ("?as_of=0001-01-01T00:00:00Z", "recorded later"),
        ("/diff?from=1&to=10", "1 to 9"),
        (f"/diff?from={at(-1)}&to=3", "recorded later"),
        (f"/diff?from={at(-1)}&to={at(3)}&clock=effective", "did not exist"),
    ],
)
def test_before_there_was_a_plan_there_is_none(story: Desk, query: str, saying: str) -> None:
    """A version or moment at which the plan was not there is 404, not an empty plan."""
    refused(story.get(query), 404, "moment-not-found", saying=saying)


# Differences


def changes(desk: Desk, query: str) -> dict[str, tuple[Any, ...]]:
    """The changes between two moments by path: kind, before, after, the entries that made them."""
    answer = desk.get(f"/diff?{query}")
    assert answer.status_code == 200, answer.text
    return {
        held["path"]: (held["kind"], held["before"], held["after"], held["entries"])
        for held in answer.json["changes"]
    }


def test_a_difference_names_the_entries_that_made_it(story: Desk) -> None:
    """From version 5 to 9: the corrected words by their correction, what was taken back by its mark."""
    found = changes(story, "from=5&to=9")
    statement = found[f"/goals/{WALK}/statement"]
    assert statement == ("changed", "Half an hour in the park", "An hour in the park", [6])
    assert found[f"/goals/{SLEEP}/status"] == ("changed", "active", "paused", [9])
    gone = {
        path: held for path, held in found.items() if path.startswith(f"/goals/{WALK}/progress")
    }
    assert gone
    assert all(held[2] is None and held[3] == [8] for held in gone.values())


def test_a_thing_that_came_is_one_change(story: Desk) -> None:
    """A goal that was not there is one change, with the whole goal."""
    kind, before, after, made_by = changes(story, "from=1&to=2")[f"/goals/{WALK}"]
    assert (kind, before, made_by) == ("added", None, [2])
    assert after["statement"] == "Half an hour in the park"


def test_a_difference_runs_both_ways(story: Desk) -> None:
    """Backwards, what came goes, and before and after change places."""
    there, back = changes(story, "from=2&to=9"), changes(story, "from=9&to=2")
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    assert {path: (turned[k], b, a) for path, (k, a, b, _) in back.items()} == {
        path: (k, a, b) for path, (k, a, b, _) in there.items()
    }
    assert changes(story, "from=9&to=9") == {}


def test_moments_are_compared_on_either_clock(story: Desk) -> None:
    """As recorded, the late shift of focus shows between day 9 and 11; as true, between day 1 and 3."""
    recorded = changes(story, f"from={at(9)}&to={at(11)}")
    assert recorded["/focus"] == ("added", None, "grief", [5])
    assert "/focus" not in changes(story, f"from={at(1)}&to={at(3)}")
    effective = changes(story, f"from={at(1)}&to={at(3)}&clock=effective")
    assert effective["/focus"] == ("added", None, "grief", [5])
    assert "/focus" not in changes(story, f"from={at(9)}&to={at(11)}&clock=effective")


def test_a_difference_says_between_what(story: Desk) -> None:
    """The answer repeats the versions, and the moments it was asked for, in UTC."""
    berlin = quote("2026-01-15T10:00:00+01:00")  # day 10, 09:00 in UTC
    shown = story.get(f"/diff?from=2&to={berlin}").json
    assert shown["from"] == {"version": 2}
    assert shown["to"] == {"version": 5, "moment": "2026-01-15T09:00:00Z"}


# Traces


def test_a_trace_names_the_entry_behind_a_leaf(story: Desk) -> None:
    """?trace=true: the corrected words point at the correction, the rest at the entry that set it."""
    plan = story.get("?trace=true").json
    places = {held["goal_id"]: f"/goals/{n}" for n, held in enumerate(plan["goals"])}
    traced = plan["entries"]
    assert traced[f"{places[WALK]}/statement"] == 6
    assert traced[f"{places[SLEEP]}/statement"] == 3
    assert traced[f"{places[SLEEP]}/status"] == 9
    assert traced["/focus"] == 5
    assert traced["/client/label"] == 1
    earlier = story.get("?version=5&trace=true").json
    assert earlier["entries"][f"{places[WALK]}/statement"] == 2
    assert "entries" not in story.get("?trace=false").json


def test_every_pointer_of_a_trace_leads_to_a_value(house: House) -> None:
    """In a plan of every type of entry each pointer resolves, and its entry says what stands there."""
    desk = Living.begin(house).live().desk
    plan = desk.get("?trace=true").json
    told = {held["version"]: held for held in desk.timeline("?limit=200")}
    traced: dict[str, int] = plan.pop("entries")
    assert len(traced) > 100
    said = 0
    for pointer, version in traced.items():
        value = look_up(plan, pointer)
        assert value is not None, pointer
        said += isinstance(value, str) and value in str(told[version])
    assert said > len(traced) / 3, "Most texts come from the words of their entry"


# Late entries, corrections, warnings


def thread(shown: dict[str, Any]) -> tuple[Any, ...]:
    """What was later said about an entry."""
    return (shown.get("corrected_by", []), shown.get("addenda_by", []), shown.get("in_error_by"))


def test_late_entries_and_amendments_are_seen_in_the_timeline(story: Desk) -> None:
    """Each entry says whether it came late, and what corrects it, adds to it, or takes it out."""
    told = {held["version"]: held for held in story.timeline()}
    assert [version for version, held in told.items() if held["late"]] == [5]
    assert told[5]["occurred_at"] == "2026-01-07T09:00:00Z"
    assert told[5]["recorded_at"] == "2026-01-15T09:00:00Z"
    assert {version: thread(held) for version, held in told.items() if any(thread(held))} == {
        2: ([6], [], None),
        4: ([], [7], 8),
    }


@pytest.mark.parametrize(("hours", "late"), [(23.99, False), (24, False), (24.01, True)])
def test_late_is_more_than_a_day(house: House, hours: float, late: bool) -> None:
    """An entry is late when it was recorded more than 24 hours after it occurred."""
    clinic = house.clinic()
    desk = open_told(house, clinic, house.sign_in(clinic))
    tell(desk, 3, goal(), occurred=3 - hours / 24)
    assert desk.timeline()[1]["late"] is late
    house.catch_up()
    assert desk.timeline()[1]["late"] is late


def test_a_late_ending_warns_of_what_still_uses_it(house: House) -> None:
    """Dropping a goal as of last week answers with the entries since that still use it, by name."""
    clinic = house.clinic()
    desk = open_told(house, clinic, house.sign_in(clinic))
    mine = an_id()
    tell(desk, 1, goal(goal_id=mine))
    noted = tell(desk, 5, entry("ProgressNoted", goal_id=mine, direction="mixed", evidence="x"))
    late = {
        **entry("GoalDropped", "No longer hers", goal_id=mine),
        "occurred_at": day(3).isoformat(),
    }
    answer = desk.record(late, goal())
    [warning] = answer["warnings"]
    assert (warning["entry_id"], warning["version"], warning["type"]) == (noted, 3, "ProgressNoted")
    assert warning["detail"]
    assert desk.record(goal())["warnings"] == []


# Reading one's own writes


def test_threads_are_seen_before_the_projector_has_them(house: House) -> None:
    """What was just said about an earlier entry shows on it, though the projector is behind."""
    desk = new_desk(house)
    first = desk.record(goal("Walk"))["entries"][0]["entry_id"]
    house.catch_up()
    corrected = entry("EntryCorrected", "Misheard", entry_id=first, data={"statement": "Walk on"})
    desk.record(corrected, entry("AddendumAdded", entry_id=first, text="With the dog"))
    assert thread(desk.timeline()[1]) == ([3], [4], None)
    assert thread(desk.get(f"/entries/{first}").json) == ([3], [4], None)


def test_own_writes_are_seen_before_the_projector_has_them(house: House) -> None:
    """Plan and timeline show what was just recorded, sentences included; the same after."""
    desk = new_desk(house)
    house.catch_up()
    first = desk.record(goal("Walk"))["entries"][0]["entry_id"]
    said = {"statement": "Walk on"}
    desk.record(
        entry("EntryCorrected", "Misheard", entry_id=first, data=said),
        entry("AddendumAdded", entry_id=first, text="With the dog"),
        entry("SetbackNoted", what="A day in bed"),
    )
    before = desk.get().json, desk.timeline(), desk.get(f"/entries/{first}").json
    assert before[0]["version"] == 5
    assert [held["statement"] for held in before[0]["goals"]] == ["Walk on"]
    assert [held["sentence"] for held in before[1]] == [
        "The plan was opened with Client One: “Leaving the house has become hard”.",
        "A goal was set: “Walk”.",
        "An earlier entry was corrected.",
        "An addendum was written: “With the dog”.",
        "A setback: “A day in bed”.",
    ]
    assert thread(before[1][1]) == ([3], [4], None)
    assert thread(before[2]) == ([3], [4], None)
    house.catch_up()
    assert (desk.get().json, desk.timeline(), desk.get(f"/entries/{first}").json) == before


def test_own_writes_are_found_by_filters_before_the_projector_has_them(house: House) -> None:
    """A filter or another order finds what was just recorded, in the plan's timeline, too."""
    desk = new_desk(house)
    house.catch_up()
    desk.record(goal("Walk"), entry("SetbackNoted", what="A day in bed"))
    for query in (
        "?type=GoalSet",
        "?order=-recorded",
        "?order=occurred",
        "?since=2000-01-01T00:00:00Z",
    ):
        before = desk.timeline(query)
        assert "GoalSet" in [held["type"] for held in before], query


def test_the_whole_life_is_told_alike_before_and_after_the_projector(house: House) -> None:
    """Plan and timeline of every type of entry: the same live as from the read models."""
    desk = Living.begin(house).live().desk
    before = desk.get().json, desk.timeline("?limit=200")
    house.catch_up()
    after = desk.get().json, desk.timeline("?limit=200")
    assert after[0] == before[0]
    assert after[1] == before[1]


def test_a_host_whose_clock_is_behind_decides_on_everything_recorded(house: House) -> None:
    """What nobody dates counts after what is there, whatever the clock of the host says it is."""
    desk = new_desk(house)
    desk.record(goal("Walk", goal_id=WALK))
    desk.record(entry("GoalDropped", "She walks to work now", goal_id=WALK))
    settings = house.container.settings
    late = build(settings, lambda: datetime.now(UTC) - timedelta(hours=1))
    try:
        again = draft(entry("GoalPaused", "The move", goal_id=WALK))
        with house.nothing_written(), pytest.raises(TransitionError):
            late.plans.record(desk.caller.who, UUID(desk.plan_id), [again], Request())
        noted = draft(entry("SetbackNoted", what="A day in bed"))
        done = late.plans.record(desk.caller.who, UUID(desk.plan_id), [noted], Request())
        assert done.entries[0].occurred_at == done.entries[0].recorded_at
    finally:
        late.close()


def test_only_a_rehearsal_clinic_is_told_its_times(house: House) -> None:
    """A real clinic's recorded_at is the database's alone, and nothing is written."""
    clinic = house.clinic(rehearsal=False)
    with house.nothing_written(), pytest.raises(NotARehearsalError):
        open_told(house, clinic, house.sign_in(clinic))
