"""The feed over HTTP, in process: what it holds, where one goes on, and what it refuses."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from service.feed.wakes import TICK
from tests.api.house import Desk, House, an_id, colleague, desk_of, entry, goal, new_desk, refused
from tests.conftest import Caller
from tests.service.servers import soon


@pytest.fixture
def desk(house: House) -> Desk:
    """A clinician with a plan of three entries, in a service that is not about to end."""
    house.container.feed.ending = lambda: False
    made = new_desk(house)
    made.record(goal("One"), entry("SetbackNoted", what="A hard week"))
    return made


def batch(caller: Caller, query: str = "") -> list[dict[str, Any]]:
    """What the feed answers."""
    answer = caller.get(f"/v1/feed{query}")
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/cloudevents-batch+json"
    found: list[dict[str, Any]] = answer.get_json(force=True)
    return found


def onwards(answer: Any) -> str:
    """The address in the answer's link to what comes next."""
    place, _, relation = answer.headers["Link"].partition("; ")
    assert relation == 'rel="next"'
    return str(place).strip("<>")


def positions(events: list[dict[str, Any]]) -> list[int]:
    """The positions of events, as their sequence tells them."""
    return [int(held["sequence"]) for held in events]


# What it holds


def test_entries_become_cloudevents(desk: Desk) -> None:
    """Each entry is one CloudEvent 1.0: its id, type, plan, both times, position and data."""
    told = desk.timeline()
    events = batch(desk.caller)
    assert positions(events) == [1, 2, 3]
    assert [held["sequence"] for held in events] == sorted(held["sequence"] for held in events)
    for event, shown in zip(events, told, strict=True):
        assert set(event) == {
            "specversion", "id", "source", "type", "subject", "time", "sequence", "recordedtime",
            "datacontenttype", "data",
        }  # fmt: skip
        assert event["specversion"] == "1.0"
        assert event["id"] == shown["entry_id"]
        assert event["type"] == f"org.plan-history.{shown['type']}.v1"
        assert event["source"] == f"urn:plan-history:clinic:{desk.clinic.clinic_id}"
        assert (event["subject"], event["time"]) == (desk.plan_id, shown["occurred_at"])
        assert event["recordedtime"] == shown["recorded_at"]
        left_out = {"sentence", "late"}
        assert event["data"] == {k: held for k, held in shown.items() if k not in left_out}


def test_a_late_entry_tells_both_times(desk: Desk) -> None:
    """``time`` is when it occurred, ``recordedtime`` when it was written down."""
    late = {**entry("SetbackNoted", what="x"), "occurred_at": "2026-01-05T10:00:00+01:00"}
    desk.record(late)
    event = batch(desk.caller)[-1]
    assert event["time"] == "2026-01-05T09:00:00Z"
    assert event["recordedtime"] > "2026-11"


def test_only_the_own_clinics_entries_are_there(house: House, desk: Desk) -> None:
    """Another clinic's reader sees none of them, and cannot begin at one of them."""
    other = new_desk(house)
    assert {held["subject"] for held in batch(other.caller)} == {other.plan_id}
    theirs = batch(desk.caller)[0]["id"]
    refused(other.caller.get(f"/v1/feed?lastEventId={theirs}"), 400, "unknown-place")


def test_what_the_clinic_records_of_itself_is_not_there(house: House) -> None:
    """The feed tells of plans; members and policy are passed over, and the place is not lost."""
    clinic = house.clinic()
    admin = house.sign_in(clinic, "admin")
    joined = {"entries": [entry("MemberJoined", name="Robin Sample", role="clinician")]}
    assert admin.post("/v1/clinic/entries", joined).status_code == 201
    desk = desk_of(house, clinic, house.sign_in(clinic))
    assert positions(batch(desk.caller)) == [3]
    for path in ("/v1/feed", "/v1/feed/stream"):
        none = desk.caller.get(f"{path}?type=GoalSet,MemberJoined")
        refused(
            none, 400, "invalid-query", at="type", saying="MemberJoined is an entry of the clinic"
        )


def test_an_integration_sees_what_clients_consent_to(house: House, desk: Desk) -> None:
    """From the consent on it sees the whole plan; when that is taken back, nothing more."""
    registry = house.sign_in(desk.clinic, "integration", name="The registry")
    assert batch(registry) == []
    consent = entry("ConsentRecorded", scope="All of it.", recipient="The registry")
    consent_id = desk.record(consent)["entries"][0]["consent_id"]
    assert positions(batch(registry)) == [1, 2, 3, 4]
    other = house.sign_in(desk.clinic, "integration", name="Somebody else")
    assert batch(other) == []
    desk.record(entry("ConsentRevoked", consent_id=consent_id))
    assert batch(registry) == []


def test_a_clinician_follows_their_own_caseload(house: House, desk: Desk) -> None:
    """A colleague's plans are not there; their supervisor's team's are."""
    stranger = house.sign_in(desk.clinic, member_id=uuid4())
    assert batch(stranger) == []
    assert len(batch(colleague(desk))) == 3


def test_every_plan_shown_is_in_the_access_log(house: House, desk: Desk) -> None:
    """Who saw which plan, up to which version, by what right."""
    batch(desk.caller, "?limit=2")
    auditor = house.sign_in(desk.clinic, "auditor")
    [look] = auditor.get("/v1/access-log?action=feed.read").json["looks"]
    assert (look["plan_id"], look["version"]) == (desk.plan_id, 2)
    assert (look["why"], look["asked"], look["allowed"]) == ("caseload", "feed", True)


def test_who_has_no_business_with_content_is_refused(house: House, desk: Desk) -> None:
    """Admins, auditors and clients do not follow a clinic's plans."""
    for role in ("admin", "auditor", "client", "privacy_officer"):
        caller = house.sign_in(desk.clinic, role)
        refused(caller.get("/v1/feed"), 403, "not-allowed")
        refused(caller.get("/v1/feed/stream"), 403, "not-allowed")


# Going on


def test_one_goes_on_after_an_id_or_a_position(desk: Desk) -> None:
    """The last entry one has is told by its id, its position or its sequence."""
    first, second, third = batch(desk.caller)
    for place in (first["id"], "1", first["sequence"], first["id"].upper()):
        assert batch(desk.caller, f"?lastEventId={place}") == [second, third]
    assert batch(desk.caller, "?lastEventId=0") == [first, second, third]
    assert batch(desk.caller, "?lastEventId=latest") == []


def test_the_link_leads_through_everything_once(desk: Desk) -> None:
    """Followed from the start it gives every entry once, in order, and then waits at the end."""
    desk.record(*(goal(str(number)) for number in range(10)))
    address, seen = "/v1/feed?limit=4", []
    for _ in range(5):
        answer = desk.caller.get(address)
        seen += positions(answer.get_json(force=True))
        address = onwards(answer)
    assert seen == list(range(1, 14))


def test_filters_leave_out_and_never_lose_the_place(house: House, desk: Desk) -> None:
    """By type, by plan and by both; the link goes past what was left out."""
    other = desk_of(house, desk.clinic, desk.caller, client_ref="c-2")
    other.record(goal("Theirs"))
    assert positions(batch(desk.caller, "?type=GoalSet")) == [2, 5]
    assert positions(batch(desk.caller, "?type=GoalSet,SetbackNoted")) == [2, 3, 5]
    assert positions(batch(desk.caller, f"?plan_id={other.plan_id}")) == [4, 5]
    both = desk.caller.get(f"/v1/feed?plan_id={other.plan_id}&type=GoalSet")
    assert positions(both.get_json(force=True)) == [5]
    nothing = desk.caller.get("/v1/feed?type=PlanCompleted&limit=7")
    assert nothing.get_json(force=True) == []
    assert onwards(nothing) == "/v1/feed?type=PlanCompleted&limit=7&lastEventId=5"
    assert batch(desk.caller, f"?plan_id={an_id()}") == []


# Waiting


def test_a_long_poll_is_answered_as_soon_as_there_is_something(desk: Desk) -> None:
    """Who waits hears of an entry at once, not when the time is over."""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(batch, desk.caller, "?lastEventId=latest&timeout=20000")
        places = desk.house.container.feed.places
        assert soon(lambda: places.taken)
        begun = time.monotonic()
        desk.record(goal("News"))
        [event] = asked.result()
    assert time.monotonic() - begun < 10 * TICK
    assert event["data"]["data"]["statement"] == "News"
    assert places.taken == 0


def test_a_long_poll_ends_with_its_time(desk: Desk) -> None:
    """Nothing came: an empty batch, with the link to try again."""
    begun = time.monotonic()
    answer = desk.caller.get("/v1/feed?lastEventId=3&timeout=300")
    assert 0.25 < time.monotonic() - begun < 5
    assert (answer.status_code, answer.get_json(force=True)) == (200, [])
    assert onwards(answer) == "/v1/feed?lastEventId=3&timeout=300"


def test_no_more_wait_than_there_is_room_for(
    house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All places taken: 503 with Retry-After; what is there is read without a place."""
    monkeypatch.setattr(house.container.feed.places, "most", 0)
    for path in ("/v1/feed?lastEventId=latest&timeout=100", "/v1/feed/stream"):
        answer = desk.caller.get(path)
        refused(answer, 503, "too-many-readers")
        assert int(answer.headers["Retry-After"]) >= 1
    assert len(batch(desk.caller, "?timeout=100")) == 3
    assert batch(desk.caller, "?lastEventId=latest") == []


def test_a_stream_is_events_with_ids(desk: Desk) -> None:
    """Each event has its entry's id; who comes back with the last one gets the rest."""
    answer = desk.caller.get("/v1/feed/stream")
    assert answer.content_type.startswith("text/event-stream")
    parts = iter(answer.response)
    next(parts)
    told = bytes(next(parts)).decode()
    ids = [line[4:] for line in told.splitlines() if line.startswith("id: ")]
    assert ids == [held["id"] for held in batch(desk.caller)]
    answer.close()
    again = desk.caller.get("/v1/feed/stream", Last_Event_ID=ids[1])
    parts = iter(again.response)
    next(parts)
    assert bytes(next(parts)).decode().startswith(f"id: {ids[2]}\ndata: {{")
    again.close()
    assert desk.house.container.feed.places.taken == 0


def test_a_revoked_token_ends_its_stream(house: House, desk: Desk) -> None:
    """Who may come in no longer hears no longer, within a second or so."""
    answer = desk.caller.get("/v1/feed/stream?lastEventId=latest")
    parts = iter(answer.response)
    next(parts)
    house.owner.execute(
        "UPDATE tokens SET revoked_at = now() WHERE member_id = %s", [desk.caller.who.member_id]
    )
    rest = threading.Thread(target=list, args=(parts,), daemon=True)
    rest.start()
    rest.join(10)
    assert not rest.is_alive()
    answer.close()


# What it refuses


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("?lastEventId=", "lastEventId"),
        ("?lastEventId=-1", "lastEventId"),
        ("?lastEventId=x'--", "lastEventId"),
        ("?lastEventId=99999999999999999999", "lastEventId"),
        ("?type=GoalSett", "type"),
        ("?type=GoalSet,", "type"),
        ("?plan_id=7", "plan_id"),
        ("?limit=201", "limit"),
        ("?limit=0", "limit"),
        ("?timeout=30001", "timeout"),
        ("?timeout=-1", "timeout"),
        ("?last=1", "last"),
    ],
)
def test_a_malformed_question_is_told_what_to_mend(desk: Desk, query: str, parameter: str) -> None:
    """400, naming the parameter."""
    refused(desk.caller.get(f"/v1/feed{query}"), 400, "invalid-query", at=parameter)


def test_a_place_ahead_of_the_log_is_refused(desk: Desk) -> None:
    """A position nobody can have seen, an id of no entry: the reader is told rather than left waiting."""
    for place in ("4", "9" * 19, an_id()):
        for path in ("/v1/feed", "/v1/feed/stream"):
            answer = desk.caller.get(f"{path}?lastEventId={place}")
            refused(answer, 400, "unknown-place", saying="begin at 0")


def test_a_malformed_header_is_refused(desk: Desk) -> None:
    """Last-Event-ID is checked as the parameter is."""
    answer = desk.caller.get("/v1/feed/stream", Last_Event_ID="x")
    refused(answer, 400, "invalid-query", at="Last-Event-ID")
