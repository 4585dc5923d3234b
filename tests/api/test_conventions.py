"""What every route shares: versions, idempotency keys, pages, tracing, headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import pytest

from tests.api.house import (
    OPENING,
    Desk,
    House,
    an_id,
    colleague,
    desk_of,
    entry,
    goal,
    new_desk,
    refused,
)
from tests.conftest import Caller

# Versions


def test_every_plan_answer_has_its_version_as_etag(desk: Desk) -> None:
    """Recording and reading, now and at earlier moments: the ETag is the version in quotes."""
    assert desk.get().headers["ETag"] == '"1"'
    recorded = desk.send({"entries": [goal(), goal()]})
    assert (recorded.status_code, recorded.headers["ETag"]) == (201, '"3"')
    assert recorded.headers["Location"] == desk.url
    assert desk.get().headers["ETag"] == '"3"'
    assert desk.get("?version=2").headers["ETag"] == '"2"'
    assert desk.get("?as_of=2999-01-01T00:00:00Z").headers["ETag"] == '"3"'


def test_opening_answers_with_etag_and_location(house: House) -> None:
    """A new plan says where it is and which version it has, with its first entries."""
    caller = house.sign_in(house.clinic())
    answer = caller.post("/v1/plans", {**OPENING, "entries": [goal(), goal()]})
    assert answer.status_code == 201
    assert answer.headers["ETag"] == '"3"'
    assert answer.headers["Location"] == f"/v1/plans/{answer.json['plan_id']}"
    assert caller.get(answer.headers["Location"]).json["version"] == 3
    assert [held["version"] for held in answer.json["entries"]] == [1, 2, 3]
    assert "goal_id" in answer.json["entries"][1]


@pytest.mark.parametrize("tag", ['"2"', 'W/"2"', '"1", "2"', "*", '"x","2"'])
@pytest.mark.parametrize("moment", ["", "?version=2", "?trace=true", "?as_of=2999-01-01T00:00:00Z"])
def test_who_has_the_newest_version_is_told_so(desk: Desk, tag: str, moment: str) -> None:
    """If-None-Match with the ETag one has: 304 without a body, with the ETag."""
    desk.record(goal())
    answer = desk.get(moment, If_None_Match=tag)
    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == '"2"'


@pytest.mark.parametrize("tag", ['"1"', '"22"', "2", "x", ""])
def test_who_has_another_version_gets_the_plan(desk: Desk, tag: str) -> None:
    """If-None-Match with anything else is answered in full."""
    desk.record(goal())
    answer = desk.get(If_None_Match=tag)
    assert (answer.status_code, answer.json["version"]) == (200, 2)


@pytest.mark.parametrize("tag", ['"1"', 'W/"1"', "*"])
def test_a_fresh_version_is_recorded_on(desk: Desk, tag: str) -> None:
    """If-Match with the version that stands lets the entry in."""
    assert desk.record(goal(), If_Match=tag)["version"] == 2


def test_a_stale_version_is_told_what_is_newer(desk: Desk) -> None:
    """412 with a summary of each entry since: type, version, who, when, its sentence."""
    desk.record(goal("Walk"), goal("Sleep"))
    answer = desk.send({"entries": [goal()]}, If_Match='"1"')
    problem = refused(answer, 412, "plan-changed", saying="You saw version 1")
    assert problem["newest"] == 3
    newer = problem["newer_entries"]
    assert [(held["version"], held["type"]) for held in newer] == [(2, "GoalSet"), (3, "GoalSet")]
    assert newer[0]["sentence"] == "A goal was set: “Walk”."
    assert newer[0]["recorded_by"] == desk.caller.who.name
    assert newer[0]["recorded_at"] == desk.timeline()[1]["recorded_at"]
    assert desk.record(goal(), If_Match='"3"')["version"] == 4


def test_a_version_to_come_is_stale_too(desk: Desk) -> None:
    """Who claims to have seen a version that is not there yet is refused as well."""
    refused(desk.send({"entries": [goal()]}, If_Match='"9"'), 412, "plan-changed")


def test_without_if_match_writers_at_once_all_succeed(desk: Desk) -> None:
    """What others record in between is no conflict unless one says which version one saw."""

    def write(number: int) -> int:
        answer = desk.send({"entries": [goal(f"Goal {number}"), goal(f"And {number}")]})
        assert answer.status_code == 201, answer.text
        version: int = answer.get_json()["version"]
        return version

    with ThreadPoolExecutor(4) as crowd:
        versions = list(crowd.map(write, range(12)))
    assert sorted(versions) == list(range(3, 26, 2))
    told = [held["data"]["statement"] for held in desk.timeline()[1:]]
    pairs = [
        (one.split()[1], other.split()[1]) for one, other in zip(told[::2], told[1::2], strict=True)
    ]
    assert all(one == other for one, other in pairs), "A request's entries stand together"


def test_with_if_match_one_writer_wins(desk: Desk) -> None:
    """Of many who saw the same version exactly one records; the others are told what is newer."""

    def write(_: int) -> int:
        return desk.send({"entries": [goal()]}, If_Match='"1"').status_code

    with ThreadPoolExecutor(4) as crowd:
        codes = sorted(crowd.map(write, range(8)))
    assert codes == [201] + [412] * 7
    assert desk.get().json["version"] == 2


# Idempotency


def test_the_same_key_is_answered_the_same(desk: Desk) -> None:
    """Sent again, a request is answered as the first time, and says that it is a replay."""
    first = desk.send({"entries": [goal()]}, Idempotency_Key="k1")
    assert "Idempotent-Replay" not in first.headers
    with desk.house.nothing_written():
        again = desk.send({"entries": [goal()]}, Idempotency_Key="k1")
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotent-Replay"] == "true"
    for name in ("ETag", "Location"):
        assert again.headers[name] == first.headers[name]


def test_a_replay_is_the_first_answer_though_the_plan_moved_on(desk: Desk) -> None:
    """The first answer, even when the plan moved on and the command would be refused by now."""
    resumed = {"entries": [entry("PlanPaused"), entry("PlanResumed")]}
    first = desk.send(resumed, Idempotency_Key="k2", If_Match='"1"')
    desk.record(goal(), entry("PlanCompleted", outcome="other", summary="Done"))
    refused(desk.send(resumed), 409, "plan-closed")
    again = desk.send(resumed, Idempotency_Key="k2", If_Match='"1"')
    assert (again.status_code, again.json, again.headers["ETag"]) == (201, first.json, '"3"')
    assert again.headers["Idempotent-Replay"] == "true"


def test_opening_again_is_answered_the_same(house: House) -> None:
    """POST /v1/plans with the same key opens one plan, though the client has an open one now."""
    caller = house.sign_in(house.clinic())
    body = {**OPENING, "entries": [goal()]}
    first = caller.post("/v1/plans", body, Idempotency_Key="open")
    with house.nothing_written():
        again = caller.post("/v1/plans", body, Idempotency_Key="open")
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.headers["Location"] == first.headers["Location"]


def test_a_replay_repeats_the_warnings(desk: Desk) -> None:
    """What the first answer warned of, the replay warns of, though the plan has changed since."""
    mine = an_id()
    desk.record(goal(goal_id=mine))
    desk.record(entry("ProgressNoted", goal_id=mine, direction="mixed", evidence="x"))
    late = {
        **entry("GoalDropped", "No longer hers", goal_id=mine),
        "occurred_at": desk.timeline()[1]["occurred_at"],
    }
    first = desk.record(late, Idempotency_Key="warned")
    assert [held["type"] for held in first["warnings"]] == ["ProgressNoted"]
    desk.record(entry("EntryMarkedInError", "a slip", entry_id=first["entries"][0]["entry_id"]))
    assert desk.record(late, Idempotency_Key="warned") == first


def test_quoted_and_bare_keys_are_equal(desk: Desk) -> None:
    """The header may be a quoted string, as the draft standard has it, or the bare key."""
    first = desk.send({"entries": [goal()]}, Idempotency_Key='"k3"')
    again = desk.send({"entries": [goal()]}, Idempotency_Key="k3")
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json == first.json


@pytest.mark.parametrize(
    "key",
    ["a" * 200, "!#$%&'()*+,-./:;<=>?@[]^_`{|}~", "7eed443f-8e07-4b2c-a693-65138b06d024", "0"],
)
def test_any_visible_key_serves(desk: Desk, key: str) -> None:
    """A key is the caller's: anything visible, up to 200 characters."""
    first = desk.send({"entries": [goal()]}, Idempotency_Key=key)
    again = desk.send({"entries": [goal()]}, Idempotency_Key=key)
    assert (first.status_code, again.json) == (201, first.json)


def test_a_key_with_another_request_is_refused(desk: Desk) -> None:
    """Another body, or the same body for another plan, is another request."""
    desk.record(goal(), Idempotency_Key="k4")
    other = desk_of(desk.house, desk.clinic, desk.caller, client_ref="c-2")
    with desk.house.nothing_written():
        refused(
            desk.send({"entries": [goal("x")]}, Idempotency_Key="k4"), 422, "idempotency-key-reused"
        )
        refused(
            other.send({"entries": [goal()]}, Idempotency_Key="k4"), 422, "idempotency-key-reused"
        )
        opening = {**OPENING, "client_ref": "c-3"}
        answer = desk.send(opening, to="/v1/plans", Idempotency_Key="k4")
        refused(answer, 422, "idempotency-key-reused", saying="use a fresh one")


def test_a_refused_request_does_not_use_up_its_key(desk: Desk) -> None:
    """Nothing was recorded under the key, so the mended request may use it."""
    refused(desk.send({"entries": [goal("")]}, Idempotency_Key="k5"), 422, "invalid-data")
    refused(
        desk.send({"entries": [entry("PlanResumed")]}, Idempotency_Key="k5"),
        409,
        "impossible-transition",
    )
    assert desk.record(goal(), Idempotency_Key="k5")["version"] == 2


def test_keys_of_two_members_do_not_meet(desk: Desk) -> None:
    """Two members may choose the same key for the same words; both are recorded."""
    other = colleague(desk)
    desk.record(goal(), Idempotency_Key="1")
    answer = other.post(f"{desk.url}/entries", {"entries": [goal()]}, Idempotency_Key="1")
    assert (answer.status_code, answer.json["version"]) == (201, 3)
    assert "Idempotent-Replay" not in answer.headers


def test_keys_of_two_clinics_do_not_meet(house: House) -> None:
    """The same person with the same key in two clinics opens two plans."""
    one, other = house.clinic(), house.clinic()
    member = new_desk(house).caller.who.member_id
    callers = [house.sign_in(held, member_id=member) for held in (one, other)]
    answers = [held.post("/v1/plans", OPENING, Idempotency_Key="1") for held in callers]
    assert [held.status_code for held in answers] == [201, 201]
    assert answers[0].json["plan_id"] != answers[1].json["plan_id"]


def test_the_same_request_at_once_is_recorded_once(desk: Desk) -> None:
    """Of eight copies of a request under one key, one is recorded and all are answered alike."""

    def write(_: int) -> Any:
        return desk.send({"entries": [goal()]}, Idempotency_Key="at-once").get_json()

    with ThreadPoolExecutor(4) as crowd:
        answers = list(crowd.map(write, range(8)))
    assert all(held == answers[0] for held in answers), answers
    assert desk.get().json["version"] == 2


# Pages

KINDS = ("GoalSet", "SetbackNoted", "StrengthIdentified")


@pytest.fixture(scope="module")
def long_ago(house: House) -> Desk:
    """A plan whose 23 entries occurred in another order than they were recorded, some at once."""
    desk = new_desk(house)
    days = [(number * 7) % 11 for number in range(22)]
    for number, day in enumerate(days):
        made = [
            goal(f"Goal {number}"),
            entry("SetbackNoted", what=f"Setback {number}"),
            entry("StrengthIdentified", text=f"Strength {number}"),
        ][number % 3]
        voice = {"voiced_by": "client"} if number % 2 else {}
        desk.record({**made, **voice, "occurred_at": f"2026-01-{day + 1:02}T10:00:00Z"})
    for number in range(6):
        desk_of(house, desk.clinic, desk.caller, client_ref=f"c-{number + 2}")
    house.catch_up()
    return desk


def pages(caller: Caller, path: str, held: str) -> Iterator[list[dict[str, Any]]]:
    """Every page of a list, by its Link headers, which agree with next_cursor."""
    following: str | None = path
    while following:
        answer = caller.get(following)
        assert answer.status_code == 200, answer.text
        yield answer.json[held]
        match = re.fullmatch(r'<(.+)>; rel="next"', answer.headers.get("Link", ""))
        following = match[1] if match else None
        assert bool(following) == bool(answer.json["next_cursor"])
        if following:
            assert f"cursor={answer.json['next_cursor']}" in following


ORDERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "recorded": lambda held: held["position"],
    "-recorded": lambda held: -held["position"],
    "occurred": lambda held: (held["occurred_at"], held["position"]),
}
FILTERS = ("", "&type=SetbackNoted", "&voiced_by=client", "&since=2026-01-03T00:00:00Z")


@pytest.mark.parametrize(
    ("order", "filters", "limit"), [*product([*ORDERS, "-occurred"], FILTERS, (1, 4, 22))]
)
def test_pages_leave_nothing_out_and_repeat_nothing(
    long_ago: Desk, order: str, filters: str, limit: int
) -> None:
    """Page by page the timelines of plan and clinic are what they are on one page, in their order."""
    for path in (f"{long_ago.url}/timeline", "/v1/timeline"):
        asked = f"{path}?order={order}{filters}"
        whole = long_ago.get(f"{asked}&limit=200").json
        assert whole["next_cursor"] is None
        found = list(pages(long_ago.caller, f"{asked}&limit={limit}", "entries"))
        assert [held for page in found for held in page] == whole["entries"]
        assert all(len(page) == limit for page in found[:-1])
        assert found[-1]
        by = ORDERS.get(order) or ORDERS["occurred"]
        assert whole["entries"] == sorted(whole["entries"], key=by, reverse=order == "-occurred")


@pytest.mark.parametrize("order", [*ORDERS, "-occurred"])
@pytest.mark.parametrize("filters", FILTERS)
def test_pages_go_on_when_the_projector_catches_up(house: House, order: str, filters: str) -> None:
    """A list begun while the projector was behind goes on behind it: nothing left out or repeated."""
    desk = new_desk(house)
    for number in range(8):
        made = goal(f"Goal {number}") if number % 2 else entry("SetbackNoted", what=f"{number}")
        moment = f"2026-01-{(number * 3) % 7 + 1:02}T10:00:00Z"
        desk.record({**made, "voiced_by": "client", "occurred_at": moment})
    found: list[int] = []
    for page in pages(
        desk.caller, f"{desk.url}/timeline?order={order}{filters}&limit=2", "entries"
    ):
        found += [held["version"] for held in page]
        house.catch_up()
    whole = desk.timeline(f"?order={order}{filters}")
    assert found == [held["version"] for held in whole]
    assert len(found) >= 4


def test_pages_of_plans_leave_nothing_out(long_ago: Desk) -> None:
    """Plans by pages: all seven, most recently changed first."""
    for query in ("?limit=2", "?limit=3&status=draft", "?limit=1&q=client"):
        found = [
            plan for page in pages(long_ago.caller, f"/v1/plans{query}", "plans") for plan in page
        ]
        assert len({plan["plan_id"] for plan in found}) == len(found) == 7
        changed = [plan["changed_at"] for plan in found]
        assert changed == sorted(changed, reverse=True)


def test_a_page_goes_on_where_it_ended_though_more_is_recorded(desk: Desk) -> None:
    """What is recorded between two pages neither hides nor repeats anything on the next."""
    desk.record(*[goal(f"Goal {number}") for number in range(9)])
    first = desk.get("/timeline?limit=5").json
    desk.record(goal("late"))
    rest = desk.get(f"/timeline?limit=5&cursor={first['next_cursor']}").json
    last = desk.get(f"/timeline?limit=5&cursor={rest['next_cursor']}").json
    versions = [held["version"] for page in (first, rest, last) for held in page["entries"]]
    assert versions == list(range(1, 12))


def test_a_list_without_a_limit_has_fifty(desk: Desk) -> None:
    """The default is 50; a list that ends exactly there has no next page."""
    desk.record(*[goal() for _ in range(49)])
    full = desk.get("/timeline")
    assert (len(full.json["entries"]), full.json["next_cursor"]) == (50, None)
    assert "Link" not in full.headers
    desk.record(goal())
    assert desk.get("/timeline").json["next_cursor"]


# Tracing and headers

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_request_id_goes_in_and_out(steady: Desk) -> None:
    """The caller's X-Request-ID comes back, in problems too; without one it is given one."""
    assert steady.get(X_Request_ID="abc-1.2_3").headers["X-Request-ID"] == "abc-1.2_3"
    problem = steady.get(f"/entries/{an_id()}", X_Request_ID="abc")
    assert (problem.headers["X-Request-ID"], problem.json["request_id"]) == ("abc", "abc")
    given = {steady.get().headers["X-Request-ID"] for _ in range(3)}
    assert len(given) == 3


@pytest.mark.parametrize("made_up", ["a b", "x" * 101, "ä", "<script>", ""])
def test_a_strange_request_id_is_not_repeated(steady: Desk, made_up: str) -> None:
    """What could do harm in a log is replaced by an id of our own."""
    assert re.fullmatch("[0-9a-f]{32}", steady.get(X_Request_ID=made_up).headers["X-Request-ID"])


def test_the_traceparent_comes_back(steady: Desk) -> None:
    """A W3C traceparent comes back; anything else does not."""
    assert steady.get(traceparent=TRACE).headers["traceparent"] == TRACE
    for made_up in ("x", TRACE.upper(), TRACE + "-x", f"{TRACE}, {TRACE}"):
        assert "traceparent" not in steady.get(traceparent=made_up).headers


def test_every_answer_carries_the_security_headers(steady: Desk) -> None:
    """Good or bad, with a token or without: nothing is sniffed, framed, referred or kept by others."""
    client = steady.house.client
    answers = {
        200: steady.get(),
        201: steady.send({**OPENING, "client_ref": "c-headers"}, to="/v1/plans"),
        302: client.get("/"),
        304: steady.get(If_None_Match="*"),
        400: steady.get("?x=1"),
        401: client.get("/v1/me"),
        404: client.get("/nothing"),
        405: client.delete("/v1/me"),
        406: steady.get("/timeline", Accept="image/png"),
        413: steady.send(b"x" * 2_000_000),
        415: steady.send(b"{}", content_type="text/plain"),
        422: steady.send({}),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["X-Request-ID"]
        assert "Set-Cookie" not in answer.headers


def test_open_addresses_carry_them_too(steady: Desk) -> None:
    """Docs, description, health and metrics carry the same headers; docs may load its own script."""
    for path in ("/docs", "/openapi.json", "/livez", "/readyz", "/metrics", "/static/docs.js"):
        answer = steady.house.client.get(path)
        answer.close()
        assert answer.status_code == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert ("script-src 'self'" in policy) == (path == "/docs")
        assert "unsafe" not in policy
        assert "http" not in policy


def test_answers_by_format_say_so(steady: Desk) -> None:
    """A cache must know that the timeline differs by Accept."""
    for kind in ("application/json", "application/x-ndjson", "text/csv"):
        assert "Accept" in steady.get("/timeline", Accept=kind).headers["Vary"]
