"""The timeline through HTTP: filters, formats, the clinic's search, one entry with its thread."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.house import Desk, House, an_id, colleague, desk_of, entry, goal, new_desk, refused
from tests.conftest import Caller

WALK, SLEEP = an_id(), an_id()


@pytest.fixture(scope="module")
def pair(house: House) -> tuple[Desk, Caller]:
    """A plan that two members record in; what they do in January 2026 is noted when it occurred.

    2 goal to walk (client, 3rd) · 3 goal to sleep (4th) · 4 a step for walking (5th) ·
    5 a colleague's setback (partner, 2nd) · 6 their progress on sleep (6th)
    """
    desk = new_desk(house, client_ref="c-walk")
    other = colleague(desk)

    def on(day: int, sent: dict[str, Any], voice: str | None = None) -> dict[str, Any]:
        return {**sent, "occurred_at": f"2026-01-{day:02}T10:00:00Z", "voiced_by": voice}

    desk.record(on(3, goal("Walk", goal_id=WALK), "client"), on(4, goal("Sleep", goal_id=SLEEP)))
    desk.record(on(5, entry("ObjectiveAdded", goal_id=WALK, text="To the gate")))
    entries = [
        on(2, entry("SetbackNoted", what="In bed"), "partner"),
        on(6, entry("ProgressNoted", goal_id=SLEEP, direction="mixed", evidence="x"), "client"),
    ]
    answer = other.post(f"{desk.url}/entries", {"entries": entries})
    assert answer.status_code == 201, answer.text
    desk_of(house, desk.clinic, other, client_ref="c-other")
    house.catch_up()
    return desk, other


def versions(desk: Desk, query: str) -> list[int]:
    """The versions a query finds in the plan's timeline, in the order of the answer."""
    return [held["version"] for held in desk.timeline(f"?{query}")]


def test_filters_find_what_they_say(pair: tuple[Desk, Caller]) -> None:
    """By type, member, voice and goal, alone and together; what was made with a goal is about it."""
    desk, other = pair
    assert versions(desk, "type=GoalSet") == [2, 3]
    assert versions(desk, f"recorded_by={other.who.member_id}") == [5, 6]
    assert versions(desk, f"recorded_by={desk.caller.who.member_id}") == [1, 2, 3, 4]
    assert versions(desk, "voiced_by=client") == [2, 6]
    assert versions(desk, f"goal_id={WALK}") == [2, 4]
    assert versions(desk, f"goal_id={SLEEP.upper()}") == [3, 6]
    assert versions(desk, f"voiced_by=client&goal_id={SLEEP}&type=ProgressNoted") == [6]
    for nothing in ("type=PlanCompleted", f"recorded_by={an_id()}", f"goal_id={an_id()}"):
        assert versions(desk, nothing) == []


def test_each_timeline_takes_the_types_it_can_hold(pair: tuple[Desk, Caller]) -> None:
    """Of others there would never be any: they are refused, and those there are are named."""
    desk, _ = pair
    auditor = desk.house.sign_in(desk.clinic, "auditor")
    for place, taken, not_taken in (
        (f"{desk.url}/timeline", ("GoalSet", "EntryCorrected"), "MemberJoined"),
        ("/v1/clinic/timeline", ("MemberJoined", "EntryCorrected"), "GoalSet"),
        ("/v1/timeline", ("GoalSet", "MemberJoined"), "NoSuchThing"),
    ):
        for name in taken:
            assert auditor.get(f"{place}?type={name}").status_code == 200, (place, name)
        answer = auditor.get(f"{place}?type={not_taken}")
        problem = refused(answer, 400, "invalid-query", saying="Must be one of: ")
        assert all(name in problem["errors"][0]["detail"] for name in taken)


def test_since_is_included_and_until_is_not(pair: tuple[Desk, Caller]) -> None:
    """Bounds go by the clock of the order: occurred, or recorded."""
    desk, _ = pair
    occurred = "order=occurred&since=2026-01-03T10:00:00Z&until=2026-01-05T10:00:00Z"
    assert versions(desk, occurred) == [2, 3]
    assert versions(desk, occurred.replace("order=occurred", "order=-occurred")) == [3, 2]
    shifted = quote("2026-01-03T11:00:00+01:00")
    assert versions(desk, f"order=occurred&since={shifted}&until=2026-01-04T00:00:00Z") == [2]
    third = desk.timeline()[2]["recorded_at"]
    fourth = desk.timeline()[3]["recorded_at"]
    assert versions(desk, f"since={third}&until={fourth}") == [2, 3]  # recorded in one request
    assert versions(desk, f"order=-recorded&since={fourth}") == [6, 5, 4]
    assert versions(desk, "since=2026-01-01T00:00:00Z&until=2026-01-31T00:00:00Z") == []
    assert versions(desk, f"since={fourth}&until={fourth}") == []


def test_orders_are_what_they_say(pair: tuple[Desk, Caller]) -> None:
    """By either clock, newest last; with a minus newest first."""
    desk, _ = pair
    assert versions(desk, "") == versions(desk, "order=recorded") == [1, 2, 3, 4, 5, 6]
    assert versions(desk, "order=-recorded") == [6, 5, 4, 3, 2, 1]
    assert versions(desk, "order=occurred") == [5, 2, 3, 4, 6, 1]
    assert versions(desk, "order=-occurred") == [1, 6, 4, 3, 2, 5]


def test_the_clinic_is_searched_across_plans(pair: tuple[Desk, Caller]) -> None:
    """Newest first unless told otherwise; by plan, client, type and member, as in a plan."""
    desk, other = pair
    auditor = desk.house.sign_in(desk.clinic, "auditor")

    def found(query: str) -> list[tuple[str, str]]:
        entries = auditor.get(f"/v1/timeline?{query}").json["entries"]
        plans = [held for held in entries if held["plan_id"] != str(desk.clinic.clinic_id)]
        return [(held["plan_id"], held["type"]) for held in plans]

    everything = found("")
    assert [kind for _, kind in everything][:2] == ["PlanOpened", "ProgressNoted"]
    assert len(everything) == 7
    assert found("order=recorded") == everything[::-1]
    assert {plan for plan, _ in found(f"plan_id={desk.plan_id}")} == {desk.plan_id}
    assert len(found("client_ref=c-walk")) == 6
    assert [plan for plan, _ in found("client_ref=c-other")] == [everything[0][0]]
    assert found("client_ref=c-wal") == []
    assert [kind for _, kind in found("type=PlanOpened")] == ["PlanOpened", "PlanOpened"]
    assert len(found(f"recorded_by={other.who.member_id}")) == 3
    assert found(f"plan_id={an_id()}") == []


# Formats


def rows(answer: Any) -> list[dict[str, str]]:
    """The rows of a CSV answer by their column."""
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline="")))


def lines(answer: Any) -> list[dict[str, Any]]:
    """The entries of an NDJSON answer."""
    text = answer.get_data(as_text=True)
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.split("\n")[:-1]]


NDJSON, CSV = "application/x-ndjson", "text/csv"


def test_ndjson_says_what_json_says(pair: tuple[Desk, Caller]) -> None:
    """One entry a line, each as in the JSON answer, filters and order honoured."""
    desk, _ = pair
    for query in ("", "?type=GoalSet", "?order=-occurred", "?limit=2"):
        answer = desk.get(f"/timeline{query}", Accept=NDJSON)
        assert answer.content_type == f"{NDJSON}; charset=utf-8"
        assert lines(answer) == desk.timeline(query)
    assert (
        lines(desk.get("/v1/timeline", Accept=NDJSON)) == desk.get("/v1/timeline").json["entries"]
    )


def test_csv_says_what_json_says(pair: tuple[Desk, Caller]) -> None:
    """One entry a row under a header, moments and names as in JSON, empty where there is nothing."""
    desk, other = pair
    answer = desk.get("/timeline", Accept=CSV)
    assert answer.content_type == f"{CSV}; charset=utf-8"
    told = rows(answer)
    for row, shown in zip(told, desk.timeline(), strict=True):
        assert int(row["version"]) == shown["version"]
        assert row["late"] == ("yes" if shown["late"] else "no")
        assert row["voiced_by"] == shown.get("voiced_by", "")
        for name in ("entry_id", "plan_id", "type", "occurred_at", "recorded_at", "sentence"):
            assert row[name] == shown[name]
    assert (told[4]["recorded_by"], told[4]["role"]) == (other.who.name, "clinician")
    assert told[0]["reason"] == told[0]["in_error_by"] == ""


def test_lines_are_complete_without_a_limit(house: House) -> None:
    """NDJSON and CSV give every entry, over several pages of 200; with a limit they give a page."""
    desk = new_desk(house)
    for _ in range(3):
        desk.record(*[goal(f"Goal {number}") for number in range(150)])
    house.catch_up()
    for path in ("/timeline", "/timeline?order=-occurred", "/v1/timeline"):
        assert len({held["version"] for held in lines(desk.get(path, Accept=NDJSON))}) == 451
        assert len(rows(desk.get(path, Accept=CSV))) == 451
    page = desk.get("/timeline?limit=10", Accept=NDJSON)
    assert len(lines(page)) == 10
    following = page.headers["Link"].partition("<")[2].partition(">")[0]
    rest = lines(desk.get(following.replace("limit=10", "limit=200"), Accept=NDJSON))
    assert [held["version"] for held in rest] == list(range(11, 211))


def test_the_better_format_wins(pair: tuple[Desk, Caller]) -> None:
    """Accept may name several, with weights."""
    desk, _ = pair
    for accept, kind in (
        (f"{CSV};q=0.9, {NDJSON};q=0.8", CSV),
        (f"{CSV};q=0.1, application/json", "application/json"),
        ("text/*", CSV),
        ("text/html, */*;q=0.1", "application/json"),
    ):
        assert desk.get("/timeline", Accept=accept).mimetype == kind


FORMULAS = ['=HYPERLINK("http://x","y")', "+1+1", "-2+3", "@SUM(A1)", "=cmd|' /C calc'!A0"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_is_taken_for_a_formula(house: House, formula: str) -> None:
    """A name or a reason that begins like a formula is quoted for spreadsheets, and only there."""
    clinic = house.clinic()
    desk = desk_of(house, clinic, house.sign_in(clinic, name=formula))
    desk.record(entry("FocusShifted", formula, to="grief"))
    cells = [cell for row in rows(desk.get("/timeline", Accept=CSV)) for cell in row.values()]
    assert f"'{formula}" in cells
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
    assert desk.timeline()[1]["reason"]["text"] == formula


@pytest.mark.parametrize(
    "text", ['a "quoted" word', "a, b; c", "two\nlines", "cr\rlf\r\n.", "tab\tx"]
)
def test_cells_are_quoted(desk: Desk, text: str) -> None:
    """Commas, quotes and line breaks stay inside their cell."""
    desk.record(entry("FocusShifted", text, to="grief"))
    told = rows(desk.get("/timeline", Accept=CSV))
    assert [row["type"] for row in told] == ["PlanOpened", "FocusShifted"]
    assert told[1]["reason"] == text


# One entry


def test_an_entry_is_told_with_its_thread(desk: Desk) -> None:
    """Its corrections, addenda and mark in full, in the order in which they were said."""
    first = desk.record(goal("Walk"))["entries"][0]["entry_id"]
    for said in ("Walk on", "Walk far"):
        desk.record(entry("EntryCorrected", "x", entry_id=first, data={"statement": said}))
    desk.record(entry("AddendumAdded", entry_id=first, text="With the dog"))
    desk.record(entry("EntryMarkedInError", "Another client", entry_id=first))
    shown = desk.get(f"/entries/{first}").json
    assert shown["data"]["statement"] == "Walk"
    assert [held["version"] for held in shown["corrections"]] == shown["corrected_by"] == [3, 4]
    assert shown["corrections"][1]["data"]["data"]["statement"] == "Walk far"
    assert shown["corrections"][0]["reason"] == {"text": "x"}
    assert [held["data"]["text"] for held in shown["addenda"]] == ["With the dog"]
    assert shown["marked_in_error"]["version"] == shown["in_error_by"] == 6
    desk.house.catch_up()
    assert desk.get(f"/entries/{first}").json == shown


def test_an_entry_without_a_thread_says_so(desk: Desk) -> None:
    """Nothing was said about it: empty lists, no mark; the rest as in the timeline, and where it is proved."""
    told = desk.timeline()[0]
    shown = desk.get(f"/entries/{told['entry_id']}").json
    assert {**shown, "corrections": None, "addenda": None} == {
        **told,
        **dict.fromkeys(("corrections", "addenda", "marked_in_error")),
        "proof": f"/v1/ledger/proof/{told['entry_id']}",
    }
    assert shown["corrections"] == shown["addenda"] == []


def test_an_entry_belongs_to_its_plan(desk: Desk) -> None:
    """An entry of another plan of the same clinic is not found in this one."""
    other = desk_of(desk.house, desk.clinic, desk.caller, client_ref="c-2")
    [theirs] = other.timeline()
    refused(desk.get(f"/entries/{theirs['entry_id']}"), 404, "entry-not-found")


def test_an_amendment_taken_back_leaves_the_thread(desk: Desk) -> None:
    """A mark marked in error lets the entry stand again, and a correction so marked is none."""
    first = desk.record(goal("Walk"))["entries"][0]["entry_id"]
    corrected = entry("EntryCorrected", "x", entry_id=first, data={"statement": "Run"})
    mistaken = desk.record(corrected)["entries"][0]["entry_id"]
    desk.record(entry("EntryMarkedInError", "y", entry_id=mistaken))
    shown = desk.get(f"/entries/{first}").json
    assert (shown["corrections"], shown["marked_in_error"]) == ([], None)
    assert desk.get().json["goals"][0]["statement"] == "Walk"
    assert desk.get(f"/entries/{mistaken}").json["in_error_by"] == 4
