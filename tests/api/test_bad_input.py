"""Whatever is wrong with a request, the answer is a clear problem, and nothing is written."""

from __future__ import annotations

import base64
import json
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from service.access import ACCESS
from tests.api.house import OPENING, Desk, House, an_id, desk_of, entry, goal, refused


def entries(*held: object) -> bytes:
    """A body that records ``held``."""
    return json.dumps({"entries": held}).encode()


def goal_with(member: str) -> bytes:
    """A body that sets a goal, its data spelt out by hand."""
    return b'{"entries":[{"type":"GoalSet","data":{%s}}]}' % member.encode()


def nested(depth: int) -> bytes:
    """A correction whose data is nested so deep that the whole body has ``depth`` levels."""
    inner = depth - 4
    data = b'{"entry_id":"x","data":' + b'{"a":' * inner + b"1" + b"}" * inner + b"}"
    return b'{"entries":[{"type":"EntryCorrected","data":%s}]}' % data


MALFORMED = {
    "an empty body": (b"", "", "not JSON"),
    "half a body": (b'{"entries":[', "", "not JSON"),
    "two bodies": (b"{} {}", "", "not JSON"),
    "a comment": (b'{"entries":[] /* none */}', "", "not JSON"),
    "single quotes": (b"{'entries':[]}", "", "not JSON"),
    "a trailing comma": (b'{"entries":[],}', "", "not JSON"),
    "a byte order mark": (b'\xef\xbb\xbf{"entries":[]}', "", "not JSON"),
    "a raw line break in a text": (goal_with('"statement":"a\nb"'), "", "not JSON"),
    "no object but a list": (b"[]", "", "must be a JSON object"),
    "no object but a text": (b'"entries"', "", "must be a JSON object"),
    "no object but null": (b"null", "", "must be a JSON object"),
    "UTF-16": ('{"entries":[]}'.encode("utf-16"), "", "not UTF-8"),
    "invalid UTF-8": (b'{"entries":["\xff"]}', "", "not UTF-8"),
    "an overlong UTF-8 form": (b'{"entries":["\xc0\xaf"]}', "", "not UTF-8"),
    "a key twice": (goal_with('"statement":"a","statement":"b"'), "", "“statement” stands twice"),
    "a broken key twice": (b'{"\\ud800":1,"\\ud800":2}', "", "stands twice"),
    "NaN": (goal_with('"statement":"a","priority":NaN'), "", "NaN is not JSON"),
    "Infinity": (goal_with('"statement":"a","priority":Infinity'), "", "Infinity is not JSON"),
    "-Infinity": (goal_with('"statement":"a","priority":-Infinity'), "", "-Infinity is not JSON"),
    "a number of 5000 digits": (goal_with(f'"priority":{"9" * 5000}'), "", "number too long"),
    "NUL in a text": (goal_with(r'"statement":"a\u0000b"'), "/entries/0/data/statement", "NUL"),
    "NUL in a key": (goal_with(r'"state\u0000ment":"a"'), "/entries/0/data", "NUL"),
    "a lone high surrogate": (
        goal_with(r'"statement":"\ud800"'),
        "/entries/0/data/statement",
        "lone",
    ),
    "a lone low surrogate": (
        goal_with(r'"statement":"\udc00x"'),
        "/entries/0/data/statement",
        "lone",
    ),
    "21 levels": (nested(21), "/entries/0/data/data" + "/a" * 16, "more than 20 levels"),
    "100 000 levels": (b"[" * 100_000, "", "more than 20 levels"),
}


@pytest.mark.parametrize(("body", "at", "saying"), MALFORMED.values(), ids=MALFORMED)
def test_a_body_that_cannot_be_read_is_refused(
    steady: Desk, body: bytes, at: str, saying: str
) -> None:
    """Broken JSON and JSON with surprises: 400, saying what to mend and, where there is one, where."""
    with steady.house.nothing_written():
        refused(steady.send(body), 400, "malformed-request", at, saying)


def test_twenty_levels_can_be_read(steady: Desk) -> None:
    """The limit is the limit: one level less is refused for its content, not for its depth."""
    refused(steady.send(nested(20)), 422, "invalid-data", "/entries/0/data/entry_id")


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "text/json"],
)
def test_another_content_type_is_refused(steady: Desk, content_type: str | None) -> None:
    """Only application/json is read as JSON."""
    with steady.house.nothing_written():
        answer = steady.send(entries(goal()), content_type=content_type)
        refused(answer, 415, "unsupported-media-type", saying="Content-Type: application/json")


def test_more_than_a_mebibyte_is_refused(steady: Desk) -> None:
    """A body over 1 MiB is not read, announced or not."""
    body = entries(goal("x" * 1024 * 1024))
    with steady.house.nothing_written():
        refused(steady.send(body), 413, "too-large", saying="1 MiB")
        unannounced = steady.caller.client.post(
            f"{steady.url}/entries",
            input_stream=BytesIO(body),
            content_type="application/json",
            headers=steady.caller.headers,
            environ_overrides={"wsgi.input_terminated": True},  # as gunicorn does for chunks
        )
        refused(unannounced, 413, "too-large", saying="1 MiB")


AT = "/entries/0"
DATA = f"{AT}/data"
MEASURE = {"name": "outings", "unit": "times", "target": 2, "direction": "increase"}


def measured(**changed: object) -> dict[str, Any]:
    """A goal with a measure, one of whose fields is made up."""
    return goal(measure={**MEASURE, **changed})


WRONG_FIELDS: dict[str, tuple[object, str, str]] = {
    "no entries": ({}, "/entries", "Is required"),
    "entries null": ({"entries": None}, "/entries", "not be null"),
    "entries an object": ({"entries": {}}, "/entries", "Must be a list"),
    "entries a text": ({"entries": "GoalSet"}, "/entries", "Must be a list"),
    "0 entries": ({"entries": []}, "/entries", "at least 1"),
    "201 entries": ({"entries": [goal()] * 201}, "/entries", "at most 200"),
    "an unknown field beside entries": ({"entries": [goal()], "x": 1}, "/x", "Unknown field"),
    "alongside null": ({"entries": [goal()], "alongside": None}, "/alongside", "not be null"),
    "alongside a text": ({"entries": [goal()], "alongside": "no"}, "/alongside", "true or false"),
    "an entry that is a text": ({"entries": ["GoalSet"]}, AT, "object with type and data"),
    "an entry that is null": ({"entries": [None]}, AT, "not be null"),
    "no type": ({"entries": [{"data": {}}]}, f"{AT}/type", "Is required"),
    "type null": ({"entries": [{"type": None}]}, f"{AT}/type", "not be null"),
    "type a number": ({"entries": [{"type": 5}]}, f"{AT}/type", "Must be text"),
    "type unknown": ({"entries": [entry("GoalSett")]}, f"{AT}/type", "entry-types lists them"),
    "type nearly right": ({"entries": [entry("goal_set")]}, f"{AT}/type", "Did you mean GoalSet"),
    "data null": ({"entries": [{"type": "GoalSet", "data": None}]}, DATA, "Must be an object"),
    "data a list": ({"entries": [{"type": "GoalSet", "data": []}]}, DATA, "Must be an object"),
    "no data": ({"entries": [{"type": "GoalSet"}]}, f"{DATA}/statement", "Is required"),
    "an unknown envelope field": ({"entries": [{**goal(), "by": "me"}]}, f"{AT}/by", "Unknown"),
    "recorded_at given": ({"entries": [{**goal(), "recorded_at": "x"}]}, f"{AT}/recorded_at", ""),
    "recorded_by given": ({"entries": [{**goal(), "recorded_by": {}}]}, f"{AT}/recorded_by", ""),
    "an unknown data field": ({"entries": [goal(colour=1)]}, f"{DATA}/colour", "check its name"),
    "a field called a/b~": ({"entries": [goal(**{"a/b~": 1})]}, f"{DATA}/a~1b~0", "Unknown"),
    "a field the service fills in": (
        {"entries": [entry("PlanSigned", of_version=1, meaning="author", content_hash="0" * 64)]},
        f"{DATA}/content_hash",
        "Unknown field",
    ),
    "a required text null": (
        {"entries": [goal(statement=None)]},
        f"{DATA}/statement",
        "not be null",
    ),
    "an empty text": (
        {"entries": [goal("")]},
        f"{DATA}/statement",
        "Must not be empty",
    ),
    "a text of spaces": ({"entries": [goal(" \t\n ")]}, f"{DATA}/statement", "not be empty"),
    "a number for a text": ({"entries": [goal(statement=5)]}, f"{DATA}/statement", "Must be text"),
    "true for a text": ({"entries": [goal(statement=True)]}, f"{DATA}/statement", "Must be text"),
    "a list for a text": (
        {"entries": [goal(statement=["a"])]},
        f"{DATA}/statement",
        "Must be text",
    ),
    "an object for a text": (
        {"entries": [goal(statement={})]},
        f"{DATA}/statement",
        "Must be text",
    ),
    "10 001 characters": ({"entries": [goal("x" * 10_001)]}, f"{DATA}/statement", "at most 10000"),
    "a text for a number": (
        {"entries": [measured(target="2")]},
        f"{DATA}/measure/target",
        "a number",
    ),
    "true for a number": (
        {"entries": [measured(target=True)]},
        f"{DATA}/measure/target",
        "a number",
    ),
    "a list for a number": (
        {"entries": [measured(target=[2])]},
        f"{DATA}/measure/target",
        "a number",
    ),
    "a number too large": (
        {"entries": [measured(target=1e13)]},
        f"{DATA}/measure/target",
        "between",
    ),
    "300 digits": ({"entries": [measured(target=10**300)]}, f"{DATA}/measure/target", "between"),
    "a group null": ({"entries": [measured(name=None)]}, f"{DATA}/measure/name", "not be null"),
    "a group that is a list": ({"entries": [goal(measure=[])]}, f"{DATA}/measure", "an object"),
    "true for a whole number": (
        {"entries": [goal(priority=True)]},
        f"{DATA}/priority",
        "whole number",
    ),
    "2.5 for a whole number": (
        {"entries": [goal(priority=2.5)]},
        f"{DATA}/priority",
        "whole number",
    ),
    "0 where 1 is least": (
        {"entries": [goal(priority=0)]},
        f"{DATA}/priority",
        "between 1 and 100",
    ),
    "2 to the 70": ({"entries": [goal(priority=2**70)]}, f"{DATA}/priority", "between 1 and 100"),
    "a choice there is not": ({"entries": [goal(owner="cat")]}, f"{DATA}/owner", "one of: client"),
    "a choice in capitals": (
        {"entries": [goal(owner="CLIENT")]},
        f"{DATA}/owner",
        "one of: client",
    ),
    "a list for ids": (
        {"entries": [goal(concern_ids="x")]},
        f"{DATA}/concern_ids",
        "Must be a list",
    ),
    "an id that is none": ({"entries": [goal(concern_ids=["x"])]}, f"{DATA}/concern_ids/0", "UUID"),
    "21 ids": (
        {"entries": [goal(concern_ids=[an_id()] * 21)]},
        f"{DATA}/concern_ids",
        "at most 20",
    ),
    "null among ids": (
        {"entries": [goal(concern_ids=[None])]},
        f"{DATA}/concern_ids/0",
        "not be null",
    ),
    "a day in April": (
        {"entries": [goal(target_on="2026-04-31")]},
        f"{DATA}/target_on",
        "a date such",
    ),
    "a day without dashes": (
        {"entries": [goal(target_on="20260430")]},
        f"{DATA}/target_on",
        "a date",
    ),
    "a moment for a day": (
        {"entries": [goal(target_on="2026-04-30T00:00:00Z")]},
        f"{DATA}/target_on",
        "a date",
    ),
    "a number for a day": ({"entries": [goal(target_on=20260430)]}, f"{DATA}/target_on", "a date"),
    "no duration": ({"entries": [goal(within="two months")]}, f"{DATA}/within", "e.g. P2M"),
    "two ways to end": (
        {"entries": [goal(within="P2M", target_on="2099-01-01")]},
        f"{DATA}/within",
        "not both",
    ),
    "a voice there is not": (
        {"entries": [{**goal(), "voiced_by": "cat"}]},
        f"{AT}/voiced_by",
        "one of",
    ),
    "a reason that is a text": (
        {"entries": [{**goal(), "reason": "so"}]},
        f"{AT}/reason",
        "an object",
    ),
    "a reason without text": (
        {"entries": [{**goal(), "reason": {}}]},
        f"{AT}/reason/text",
        "required",
    ),
    "a session that is none": (
        {"entries": [{**goal(), "session_id": "x"}]},
        f"{AT}/session_id",
        "UUID",
    ),
    "a correction that is a list": (
        {"entries": [entry("EntryCorrected", "so", entry_id=an_id(), data=[])]},
        f"{DATA}/data",
        "Must be an object",
    ),
}


@pytest.mark.parametrize(("body", "at", "saying"), WRONG_FIELDS.values(), ids=WRONG_FIELDS)
def test_a_wrong_field_is_named(steady: Desk, body: object, at: str, saying: str) -> None:
    """Wrong types, unknown fields, missing fields: 422, pointing at the field."""
    with steady.house.nothing_written():
        refused(steady.send(body), 422, "invalid-data", at, saying)


def test_a_number_beyond_floats_is_refused(steady: Desk) -> None:
    """1e999 is well-formed JSON, but no number we could keep."""
    said = json.dumps(measured(target="BIG")).replace('"BIG"', "1e999")
    with steady.house.nothing_written():
        answer = steady.send(f'{{"entries":[{said}]}}'.encode())
        refused(answer, 422, "invalid-data", f"{DATA}/measure/target", "finite")


def test_every_wrong_field_is_named_at_once(steady: Desk) -> None:
    """Who mends a form wants to know all of it; only a flood is cut short."""
    wrong = {"entries": [goal("", colour=1), {**goal(), "voiced_by": "cat"}, entry("None")]}
    problem = refused(steady.send(wrong), 422, "invalid-data")
    assert {held["pointer"] for held in problem["errors"]} == {
        "/entries/0/data/statement",
        "/entries/0/data/colour",
        "/entries/1/voiced_by",
        "/entries/2/type",
    }
    flood = {"entries": [goal(**{f"field {number}": 1 for number in range(500)})]}
    assert len(refused(steady.send(flood), 422, "invalid-data")["errors"]) == 100


@pytest.mark.parametrize(
    "body",
    [
        b'{"entries":[' + b"0," * 400_000 + b"0]}",
        goal_with('"statement":"a","concern_ids":[' + "0," * 400_000 + "0]"),
        b"{" + b",".join(b'"%d":1' % n for n in range(90_000)) + b',"89999":1}',
        goal_with(",".join(f'"{n}":1' for n in range(90_000))),
        b'{"entries":[' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"]}",
    ],
    ids=["entries", "items", "a key twice at the end", "unknown fields", "levels"],
)
def test_a_mebibyte_of_nonsense_is_refused_quickly(steady: Desk, body: bytes) -> None:
    """Nobody keeps a worker busy, or gets a flood back, with one wrong request."""
    assert len(body) <= 1024 * 1024
    started = time.process_time()
    answer = steady.send(body)
    assert time.process_time() - started < 5
    assert answer.status_code in (400, 422)
    assert len(answer.data) < 50_000


WRONG_OPENINGS: dict[str, tuple[dict[str, Any], str, str]] = {
    "no client": ({"client_ref": None}, "/client_ref", "not be null"),
    "a therapist who is no id": ({"therapist_id": "Nadia"}, "/therapist_id", "UUID"),
    "a person without a label": ({"people": [{"ref": "c-2"}]}, "/people/0/label", "required"),
    "an interval of 0 days": ({"review_interval_days": 0}, "/review_interval_days", "between 1"),
    "an unknown field": ({"data": {}}, "/data", "Unknown field"),
    "a first entry that is wrong": ({"entries": [goal("")]}, "/entries/0/data/statement", "empty"),
    "201 first entries": ({"entries": [goal()] * 201}, "/entries", "at most 200"),
}


@pytest.mark.parametrize(("wrong", "at", "saying"), WRONG_OPENINGS.values(), ids=WRONG_OPENINGS)
def test_a_wrong_opening_is_named(
    steady: Desk, wrong: dict[str, Any], at: str, saying: str
) -> None:
    """The body that opens a plan is checked like any other; its pointers start at the body."""
    body = {**OPENING, "client_ref": "c-new", **wrong}
    with steady.house.nothing_written():
        refused(steady.send(body, to="/v1/plans"), 422, "invalid-data", at, saying)


REASONED = "because it must be tried"
IMPOSSIBLE: dict[str, tuple[dict[str, Any], int, str, str, str]] = {
    "a goal that is not there": (
        entry("GoalAchieved", goal_id=an_id(), evidence="x"),
        *(422, "unknown-reference", f"{DATA}/goal_id", "check it against"),
    ),
    "an entry that is not there": (
        entry("AddendumAdded", entry_id=an_id(), text="x"),
        *(422, "unknown-reference", f"{DATA}/entry_id", "check it"),
    ),
    "a change without its reason": (
        entry("FocusShifted", to="grief"),
        *(422, "reason-required", f"{AT}/reason", "give reason.text"),
    ),
    "a second opening": (
        entry("PlanOpened", **OPENING),
        *(409, "impossible-transition", f"{AT}/type", "begins with PlanOpened, once"),
    ),
    "resuming what is not paused": (
        entry("PlanResumed"),
        *(409, "impossible-transition", f"{AT}/type", "Only a paused plan"),
    ),
    "reopening what is open": (
        entry("PlanReopened", REASONED),
        *(409, "impossible-transition", f"{AT}/type", "nothing to reopen"),
    ),
    "co-signing as somebody else": (
        entry("PlanCosigned", of_version=1),
        *(403, "not-yours", f"{AT}/type", "Only the plan's supervisor"),
    ),
    "a version to come": (
        entry("PlanSigned", of_version=99, meaning="author"),
        *(422, "invalid-data", f"{DATA}/of_version", "no version 99 yet"),
    ),
    "an absence left unexplained": (
        entry(
            "ReviewHeld",
            kind="formal",
            participants=["Robin"],
            client_participated=False,
            summary="x",
        ),
        *(422, "invalid-data", f"{DATA}/why_not", "Say why"),
    ),
}


@pytest.mark.parametrize(
    ("sent", "status", "code", "at", "saying"), IMPOSSIBLE.values(), ids=IMPOSSIBLE
)
def test_what_cannot_be_is_refused_with_its_field(
    steady: Desk, sent: dict[str, Any], status: int, code: str, at: str, saying: str
) -> None:
    """Unknown ids and impossible transitions: each has its own code, and points at the field."""
    with steady.house.nothing_written():
        refused(steady.send({"entries": [sent]}), status, code, at, saying)


def test_a_closed_plan_says_so(desk: Desk) -> None:
    """Recording in a completed plan is a conflict that says how to go on."""
    desk.record(entry("PlanCompleted", outcome="goals_met", summary="Done"))
    with desk.house.nothing_written():
        answer = desk.send({"entries": [goal()]})
        problem = refused(answer, 409, "plan-closed", f"{AT}/type", "reopen it first")
    assert (problem["status"], problem["plan_status"]) == (409, "completed")


def test_a_plan_that_cannot_be_opened_again_names_the_entry(desk: Desk) -> None:
    """Its client has another open plan by now: the reopening is at fault, no field of an opening."""
    desk.record(entry("PlanCompleted", outcome="goals_met", summary="Done"))
    other = desk.send({**OPENING, "client_ref": desk.get().json["client"]["ref"]}, to="/v1/plans")
    assert other.status_code == 201, other.text
    note = entry("AddendumAdded", entry_id=desk.timeline()[0]["entry_id"], text="She is back")
    with desk.house.nothing_written():
        answer = desk.send({"entries": [note, entry("PlanReopened", REASONED)]})
        at = "/entries/1/type"
        problem = refused(answer, 409, "plan-already-open", at, "alongside: true")
    assert problem["plan_id"] == other.get_json()["plan_id"]


def test_the_sentence_of_a_refusal_names_the_fields_where_they_are_in_the_request(
    desk: Desk,
) -> None:
    """Like its pointers do."""
    wrong = entry("ReviewHeld", kind="formal", participants=["Robin"], summary="x")
    wrong["data"]["client_participated"] = False
    answer = desk.send({"entries": [goal(), wrong]})
    problem = refused(answer, 422, "invalid-data", "/entries/1/data/why_not")
    assert problem["detail"].startswith("/entries/1/data/why_not: ")


def test_an_id_that_is_taken_is_refused(desk: Desk) -> None:
    """Who chooses ids chooses fresh ones."""
    mine = an_id()
    desk.record(goal(goal_id=mine))
    with desk.house.nothing_written():
        twice = {"entries": [goal(goal_id=mine.upper())]}
        refused(desk.send(twice), 422, "duplicate-id", f"{DATA}/goal_id", "choose another")


def test_a_mark_names_what_rests_on_the_entry(desk: Desk) -> None:
    """Marking an entry that others rest on lists them, and says what to set to go on."""
    set_ = desk.record(goal())["entries"][0]
    desk.record(entry("ProgressNoted", goal_id=set_["goal_id"], direction="mixed", evidence="x"))
    mark = entry("EntryMarkedInError", "a slip", entry_id=set_["entry_id"])
    with desk.house.nothing_written():
        at = f"{DATA}/including_dependents"
        problem = refused(desk.send({"entries": [mark]}), 409, "has-dependents", at, "to true")
    assert [held["type"] for held in problem["dependents"]] == ["ProgressNoted"]


def test_a_client_has_one_open_plan(desk: Desk) -> None:
    """A second plan for the same client is a conflict that names the first."""
    with desk.house.nothing_written():
        answer = desk.send(OPENING, to="/v1/plans")
        problem = refused(answer, 409, "plan-already-open", "/client_ref", "alongside: true")
    assert problem["plan_id"] == desk.plan_id


BAD_MOMENTS = [
    "2026-03-31T09:30:00",  # whose morning?
    "2026-03-31",
    "2026-03-31T09:30Z",
    "2026-02-30T09:30:00Z",
    "2026-03-31T25:00:00Z",
    "2026-03-31T09:30:00+25:00",
    "2026-03-31T09:30:00 Europe/Berlin",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+00:01",  # before the first year in UTC
    "10000-01-01T00:00:00Z",
    "-001-01-01T00:00:00Z",
    "２０２６-03-31T09:30:00Z",  # noqa: RUF001 - digits of another script are the point
    "tomorrow",
    "",
    "1774949400",
]


@pytest.mark.parametrize("given", [*BAD_MOMENTS, 1774949400, True, [], {}])
def test_a_moment_that_is_none_is_refused(steady: Desk, given: object) -> None:
    """A moment has its offset and exists."""
    with steady.house.nothing_written():
        answer = steady.send({"entries": [{**goal(), "occurred_at": given}]})
        refused(answer, 422, "invalid-data", f"{AT}/occurred_at", "")


@pytest.mark.parametrize("ahead", [timedelta(minutes=6), timedelta(days=365)])
def test_the_future_is_refused(steady: Desk, ahead: timedelta) -> None:
    """Entries tell what has happened."""
    soon = (datetime.now(UTC) + ahead).isoformat()
    with steady.house.nothing_written():
        answer = steady.send({"entries": [{**goal(), "occurred_at": soon}]})
        refused(answer, 422, "occurred-in-future", f"{AT}/occurred_at", "when it has happened")


def test_the_last_moment_of_year_9999_is_the_future(steady: Desk) -> None:
    """The far edge of time is refused like tomorrow, in the entry and in a correction."""
    edge = "9999-12-31T23:59:59.999999Z"
    first = steady.timeline()[0]["entry_id"]
    corrected = entry("EntryCorrected", "x", entry_id=first, data={"hopes": "x"}, occurred_at=edge)
    with steady.house.nothing_written():
        answer = steady.send({"entries": [{**goal(), "occurred_at": edge}]})
        refused(answer, 422, "occurred-in-future", f"{AT}/occurred_at")
        answer = steady.send({"entries": [corrected]})
        refused(answer, 422, "occurred-in-future", f"{DATA}/occurred_at")


def test_the_first_moment_of_year_1_can_be_told(desk: Desk) -> None:
    """The near edge of time is odd but true: it is kept, told, found and traced without an error."""
    edge = "0001-01-01T00:00:00Z"
    long_ago = {**goal(start_on="0001-01-01", within="P100Y"), "occurred_at": edge}
    desk.record(long_ago)
    assert desk.house.catch_up()
    shown = desk.timeline("?order=occurred")[0]
    assert (shown["occurred_at"], shown["late"]) == (edge, True)
    assert desk.get("?trace=true").json["goals"][0]["due_on"] == "0101-01-01"
    assert desk.get(f"?effective_at={edge}").status_code == 404  # the plan was opened later
    assert desk.get("/diff?from=1&to=2").status_code == 200


def test_all_or_none(steady: Desk) -> None:
    """The second of three entries is wrong: none is stored, and the second is pointed at."""
    steps = [goal(), entry("GoalResumed", goal_id=an_id()), goal()]
    with steady.house.nothing_written():
        answer = steady.send({"entries": steps})
        refused(answer, 422, "unknown-reference", "/entries/1/data/goal_id")
        opening = {**OPENING, "client_ref": "c-none", "entries": steps}
        answer = steady.send(opening, to="/v1/plans", Idempotency_Key="none-of-it")
        refused(answer, 422, "unknown-reference", "/entries/1/data/goal_id")
    assert steady.get("?").json["goals"] == []
    found = steady.get("/v1/plans?client_ref=c-none")
    assert found.json["plans"] == []


def test_nothing_of_a_refused_request_is_left_in_memory(desk: Desk) -> None:
    """After a refusal half-way the next request meets the plan as it is recorded."""
    half = [goal(goal_id=(mine := an_id())), goal("")]
    refused(desk.send({"entries": half}), 422, "invalid-data")
    half[1] = entry("GoalResumed", goal_id=mine)
    refused(desk.send({"entries": half}), 409, "impossible-transition", "/entries/1/data/goal_id")
    assert desk.record(goal(goal_id=mine))["version"] == 2
    assert [held["goal_id"] for held in desk.get().json["goals"]] == [mine]


# Addresses, methods, parameters, headers


@pytest.mark.parametrize(
    "path",
    ["/v1/nothing", "/v2/plans", "/v1/plans/", "/v1/plans/not-an-id", "/v1/plans/%00", "/.env"],
)
def test_an_unknown_address_is_a_problem(steady: Desk, path: str) -> None:
    """Where there is nothing, the answer says so and where the routes are listed."""
    for method in ("GET", "POST"):
        answer = steady.send(b"{}", to=path, method=method)
        refused(answer, 404, "not-found", saying="/docs")


@pytest.mark.parametrize(
    "path", ["", "/timeline", "/diff?from=1&to=1", "/entries/132a647e-90c2-4833-bcf9-9874fabd3467"]
)
def test_an_unknown_plan_is_a_problem(steady: Desk, path: str) -> None:
    """A plan that is not here is 404 everywhere, not an empty answer."""
    refused(steady.get(f"/v1/plans/{an_id()}{path}"), 404, "plan-not-found", saying="check its id")


def test_an_unknown_entry_is_a_problem(steady: Desk) -> None:
    """An entry that this plan does not have is 404."""
    refused(steady.get(f"/entries/{an_id()}"), 404, "entry-not-found", saying="check its id")


def test_recording_in_an_unknown_plan_is_a_problem(steady: Desk) -> None:
    """Nothing comes into being by recording in it."""
    with steady.house.nothing_written():
        answer = steady.send({"entries": [goal()]}, to=f"/v1/plans/{an_id()}/entries")
        refused(answer, 404, "plan-not-found", saying="check its id")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "BREW"])
def test_another_method_is_refused(steady: Desk, method: str) -> None:
    """What is recorded is never changed or deleted; the answer says which methods there are."""
    for path in (steady.url, f"{steady.url}/entries", "/v1/plans"):
        with steady.house.nothing_written():
            answer = steady.send(b"{}", to=path, method=method)
            refused(answer, 405, "method-not-allowed", saying="Allow")
            assert answer.headers["Allow"]


def test_head_and_options_answer_without_a_body(steady: Desk) -> None:
    """HEAD answers like GET with its headers alone; OPTIONS tells the methods."""
    head = steady.send(b"", to=steady.url, method="HEAD")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["ETag"] == steady.get().headers["ETag"]
    options = steady.send(b"", to=f"{steady.url}/entries", method="OPTIONS")
    assert {"POST", "OPTIONS"} <= set(options.headers["Allow"].split(", "))


def test_an_unknown_parameter_is_refused_on_every_route(steady: Desk) -> None:
    """A filter that is misspelt must not look like one that finds everything."""
    for rule in steady.house.app.url_map.iter_rules():
        if rule.endpoint == "static" or rule.endpoint.startswith("pages."):
            continue  # an old bookmark of a page still opens
        path = rule.rule
        for part in rule.arguments:
            converter = type(rule._converters[part]).__name__
            filled = an_id() if converter == "UUIDConverter" else "1"
            filled = "CarePlan" if part == "kind" else filled
            path = re.sub(rf"<(?:\w+:)?{part}>", filled, path)
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        action = getattr(steady.house.app.view_functions[rule.endpoint], "action", None)
        role = min(ACCESS[action]) if action else "clinician"
        somebody = replace(steady, caller=steady.house.sign_in(steady.clinic, role))
        with steady.house.nothing_written():
            form = path.endswith("/_search")  # there the body is a form, or none
            to = f"{path}?sort=recorded_at"
            kind = None if form else "application/json"
            sent = b"" if form else b"{}"
            answer = somebody.send(sent, to=to, method=method, content_type=kind)
            refused(answer, 400, "invalid-query", "sort", "not known here")


@pytest.mark.parametrize(
    "path", ["/v1/plans", "/v1/me", "/fhir/R4/Goal", "/livez", "/worklist", "/no"]
)
def test_a_query_that_is_not_utf8_is_refused_on_every_route(steady: Desk, path: str) -> None:
    """Bytes as they are, which no client sends that encodes its addresses."""
    answer: Any = steady.caller.client.get(
        path, headers=steady.caller.headers, environ_overrides={"QUERY_STRING": "q=\xff"}
    )
    if path != "/no" and not path.startswith("/worklist"):
        refused(answer, 400, "malformed-request", saying="not UTF-8")
    assert 400 <= answer.status_code < 500, answer.text


def cursor_of(*parts: object) -> str:
    """A cursor as somebody might make it up."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


NOW = "2026-01-01T00:00:00Z"
BAD_VERSIONS = ("0", "-1", "1.0", "1e3", "1_0", "%EF%BC%91", "x", "", "9999999999", "+1", "%201")
LISTS = ("/timeline?", "/timeline?order=-occurred&", "/v1/timeline?order=occurred&", "/v1/plans?")
BAD_CURSORS = (
    "",
    "x",
    "%E2%82%AC",
    "x" * 401,
    cursor_of(),
    cursor_of(NOW),
    cursor_of(NOW, 1),
    cursor_of("abc", 1, ""),
    cursor_of("9999999-01-01", 1, ""),
    cursor_of(NOW, "x", ""),
    cursor_of(NOW, bool(NOW), ""),
    cursor_of(NOW, 10**30, ""),
    cursor_of(NOW, -1, ""),
    cursor_of(None, None, None),
    cursor_of(NOW, an_id(), ""),
    base64.urlsafe_b64encode(b"5").decode(),
    base64.urlsafe_b64encode(b'{"a":1}').decode(),
)
WRONG_PARAMETERS: list[tuple[str, str, str]] = [
    *(("?version=" + given, "version", "whole number from 1") for given in BAD_VERSIONS),
    *((f"?as_of={given}", "as_of", "") for given in BAD_MOMENTS),
    ("?as_of=2026-03-31T09:30:00+01:00", "as_of", "offset"),  # a + is a space in a query
    ("?effective_at=yesterday", "effective_at", "offset"),
    ("?trace=1", "trace", "true or false"),
    ("?trace=True", "trace", "true or false"),
    ("?version=1&version=1", "version", "give it once"),
    ("?Version=1", "Version", "known are: as_of, effective_at, trace, version"),
    ("?version=1%00", "version", "remove it"),
    ("/diff?to=1", "from", "Is required"),
    ("/diff?from=1", "to", "Is required"),
    ("/diff?from=0&to=1", "from", "begin at 1"),
    ("/diff?from=x&to=1", "from", "a version such as 12"),
    ("/diff?from=1&to=1&clock=wall", "clock", "one of: recorded, effective"),
    ("/diff?from_=1&to=1", "from_", "known are: clock, from, to"),
    ("/timeline?limit=0", "limit", "from 1 to 200"),
    ("/timeline?limit=201", "limit", "from 1 to 200"),
    ("/timeline?limit=all", "limit", "from 1 to 200"),
    ("/timeline?limit=-1", "limit", "from 1 to 200"),
    ("/timeline?type=goalset", "type", "one of"),
    ("/timeline?order=recorded%20desc", "order", "one of: recorded"),
    ("/timeline?recorded_by=me", "recorded_by", "UUID"),
    ("/timeline?goal_id=1", "goal_id", "UUID"),
    ("/timeline?voiced_by=cat", "voiced_by", "one of"),
    ("/timeline?since=2026", "since", "offset"),
    ("/timeline?until=now", "until", "offset"),
    ("/v1/timeline?plan_id=x", "plan_id", "UUID"),
    ("/v1/timeline?client_ref=", "client_ref", "1 to 120"),
    ("/v1/plans?status=open", "status", "one of: draft"),
    ("/v1/plans?q=", "q", "1 to 120"),
    (f"/v1/plans?q={'x' * 121}", "q", "1 to 120"),
    ("/v1/plans?q=%00", "q", "remove it"),
    ("/v1/plans?therapist_id=1", "therapist_id", "UUID"),
    *((f"{path}cursor={cursor}", "cursor", "") for path in LISTS for cursor in BAD_CURSORS),
]


@pytest.mark.parametrize(("path", "named", "saying"), WRONG_PARAMETERS)
def test_a_wrong_parameter_is_named(steady: Desk, path: str, named: str, saying: str) -> None:
    """A malformed or unknown parameter: 400, naming it."""
    refused(steady.get(path), 400, "invalid-query", named, saying)


def test_a_cursor_of_another_list_is_refused(desk: Desk) -> None:
    """A cursor goes with its list: with other filters it would leave something out unnoticed."""
    desk.record(goal(), goal())
    desk.house.catch_up()
    cursor = desk.get("/timeline?limit=1").json["next_cursor"]
    again = desk.get(f"/timeline?cursor={cursor}&limit=2")
    assert [held["version"] for held in again.json["entries"]] == [2, 3]
    other = desk_of(desk.house, desk.clinic, desk.caller, client_ref="c-2")
    for path in (
        f"/timeline?order=-recorded&cursor={cursor}",
        f"/timeline?type=GoalSet&cursor={cursor}",
        f"/v1/timeline?cursor={cursor}",
        f"{other.url}/timeline?cursor={cursor}",
    ):
        refused(desk.get(path), 400, "invalid-query", "cursor", "start without it")


WRONG_HEADERS = [
    ("If-Match", '12"'),
    ("If-Match", "12"),
    ("If-Match", '"x"'),
    ("If-Match", '"1", "2"'),
    ("If-Match", '"99999999999"'),
    ("If-Match", ""),
    ("Idempotency-Key", ""),
    ("Idempotency-Key", '""'),
    ("Idempotency-Key", "x" * 201),
    ("Idempotency-Key", '"half'),
    ("Idempotency-Key", "two words"),
    ("Idempotency-Key", "schlüssel"),
    ("Idempotency-Key", "a\tb"),
]


@pytest.mark.parametrize(("name", "given"), WRONG_HEADERS)
def test_a_wrong_header_is_named(steady: Desk, name: str, given: str) -> None:
    """A header we would have to guess at is refused, and nothing is recorded on a guess."""
    with steady.house.nothing_written():
        answer = steady.send({"entries": [goal()]}, **{name: given})
        refused(answer, 400, "invalid-query", name, "Must be")


def test_a_stale_version_writes_nothing(desk: Desk) -> None:
    """If-Match with an older version: 412, and the plan is as it was."""
    desk.record(goal())
    with desk.house.nothing_written():
        answer = desk.send({"entries": [goal()]}, If_Match='"1"')
        refused(answer, 412, "plan-changed", saying="Look at the newer entries")


def test_a_reused_key_writes_nothing(desk: Desk) -> None:
    """An Idempotency-Key with another body: 422, and the plan is as it was."""
    desk.record(goal(), Idempotency_Key="k")
    with desk.house.nothing_written():
        answer = desk.send({"entries": [goal("another")]}, Idempotency_Key="k")
        refused(answer, 422, "idempotency-key-reused", saying="use a fresh one")


def test_a_format_that_is_not_offered_is_refused(steady: Desk) -> None:
    """Accept is honoured or refused, never ignored."""
    answer = steady.get("/timeline", Accept="application/pdf")
    refused(answer, 406, "not-acceptable", saying="Offered here are")
    assert steady.get("/timeline", Accept="").content_type == "application/json"
    assert steady.get("/timeline", Accept="*/*").content_type == "application/json"


@pytest.mark.parametrize("role", ["auditor", "admin", "privacy_officer"])
def test_a_role_that_may_not_record_writes_nothing(house: House, role: str) -> None:
    """Default deny: recording and opening are for those who belong to the plan."""
    clinic = house.clinic()
    theirs = desk_of(house, clinic, house.sign_in(clinic))
    other = house.sign_in(clinic, role)
    with house.nothing_written():
        answers: list[TestResponse] = [
            other.post(f"{theirs.url}/entries", {"entries": [goal()]}),
            other.post("/v1/plans", {**OPENING, "client_ref": "c-9"}),
        ]
        for answer in answers:
            refused(answer, 403, "not-allowed", saying=f"The role {role}")


def test_an_error_of_ours_says_nothing_of_the_client(
    steady: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Should something fail that nobody foresaw: 500 with a request id; the log names only the place."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("Mira T. of c-1")

    monkeypatch.setattr(type(steady.house.container.plans), "current", fail)
    answer = steady.get()
    problem = refused(answer, 500, "internal-error", saying="tell the operator the request_id")
    assert "Mira" not in answer.text
    assert "Mira" not in caplog.text
    assert problem["request_id"] in caplog.text
