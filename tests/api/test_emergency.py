"""Emergency access: one plan, a typed reason, an hour at most, told at once and looked at afterwards."""

from __future__ import annotations

import logging
from uuid import uuid4

import pytest

from tests.api.house import Desk, House, an_id, entry, goal, new_desk, refused
from tests.conftest import Caller


@pytest.fixture
def other(desk: Desk) -> Caller:
    """A clinician of the same clinic who has nothing to do with the plan."""
    return desk.house.sign_in(desk.clinic, name="Kim Other", member_id=uuid4())


def broken(desk: Desk, other: Caller) -> str:
    """The glass is broken; the id of the entry."""
    asked = {"plan_id": desk.plan_id, "why": "At the front desk, shaking", "minutes": 30}
    answer = other.post("/v1/emergency-access", asked)
    assert answer.status_code == 201, answer.text
    entry_id: str = answer.json["entries"][0]["entry_id"]
    return entry_id


def test_it_opens_one_plan_to_look_at(desk: Desk, other: Caller) -> None:
    """Before it the plan is not there; with it it is read, not written; another plan stays closed."""
    refused(other.get(desk.url), 404, "plan-not-found")
    broken(desk, other)
    assert other.get(desk.url).status_code == 200
    assert other.get(f"{desk.url}/timeline").status_code == 200
    refused(other.post(f"{desk.url}/entries", {"entries": [goal()]}), 404, "plan-not-found")


def test_the_client_reference_will_do(desk: Desk, other: Caller) -> None:
    """In an emergency nobody knows the plan's id."""
    answer = other.post("/v1/emergency-access", {"client_ref": "c-1", "why": "At the desk"})
    assert answer.status_code == 201
    assert answer.headers["Location"] == desk.url
    unknown = other.post("/v1/emergency-access", {"client_ref": "c-nobody", "why": "At the desk"})
    refused(unknown, 404, "plan-not-found")


def test_it_is_told_at_once(desk: Desk, other: Caller, caplog: pytest.LogCaptureFixture) -> None:
    """On the plan's timeline, on the access log, and as a warning with ids and no words."""
    with caplog.at_level(logging.WARNING, "plan_history.security"):
        entry_id = broken(desk, other)
    told = desk.timeline()[-1]
    assert (told["type"], told["entry_id"]) == ("EmergencyAccessTaken", entry_id)
    assert told["recorded_by"]["name"] == "Kim Other"
    [said] = [held.getMessage() for held in caplog.records if held.name == "plan_history.security"]
    assert desk.plan_id in said
    assert "shaking" not in said
    auditor = desk.house.sign_in(desk.clinic, "auditor")
    looks = auditor.get(f"/v1/access-log?member_id={other.who.member_id}").json["looks"]
    assert looks[0]["action"] == "emergency.take"
    assert other.get(desk.url).status_code == 200
    looks = auditor.get(f"/v1/access-log?member_id={other.who.member_id}").json["looks"]
    assert (looks[0]["action"], looks[0]["why"]) == ("plans.read", "emergency")


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"minutes": 61}, "/minutes"),
        ({"minutes": 0}, "/minutes"),
        ({"why": ""}, "/why"),
        ({"client_ref": "c-1"}, "/plan_id"),
        ({"plan_id": "x"}, "/plan_id"),
    ],
)
def test_bad_requests_name_their_field(
    desk: Desk, other: Caller, asked: dict[str, object], pointer: str
) -> None:
    """No reason, too long, two plans at once: refused, and nothing is open."""
    body = {"plan_id": desk.plan_id, "why": "At the desk", **asked}
    refused(other.post("/v1/emergency-access", body), 422, "invalid-data", pointer)
    refused(other.get(desk.url), 404, "plan-not-found")


@pytest.mark.parametrize("role", ["client", "auditor", "integration", "admin", "privacy_officer"])
def test_other_roles_break_no_glass(desk: Desk, role: str) -> None:
    """It is for those who treat people."""
    caller = desk.house.sign_in(desk.clinic, role)
    body = {"plan_id": desk.plan_id, "why": "Curious"}
    refused(caller.post("/v1/emergency-access", body), 403, "not-allowed")


def test_who_sees_the_plan_needs_no_emergency(desk: Desk) -> None:
    """Its therapist is told so."""
    body = {"plan_id": desk.plan_id, "why": "Out of habit"}
    refused(desk.caller.post("/v1/emergency-access", body), 409, "impossible-transition")


def test_an_hour_is_not_stretched(desk: Desk, other: Caller) -> None:
    """Whoever is in waits until it has ended before they ask again."""
    broken(desk, other)
    again = other.post("/v1/emergency-access", {"plan_id": desk.plan_id, "why": "Still here"})
    refused(again, 409, "impossible-transition", "/type", "You are in already")


def test_asking_twice_with_one_key_is_asking_once(desk: Desk, other: Caller) -> None:
    """An impatient click gets the first answer again; what is refused otherwise names the plan."""
    asked = {"client_ref": "c-1", "why": "At the desk"}
    first = other.post("/v1/emergency-access", asked, Idempotency_Key="once")
    again = other.post("/v1/emergency-access", asked, Idempotency_Key="once")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert again.headers["Idempotent-Replay"] == "true"
    answer = other.post("/v1/emergency-access", asked, Idempotency_Key="another")
    assert refused(answer, 409, "impossible-transition")["plan_id"] == desk.plan_id


def test_looking_in_is_not_taking_along(desk: Desk, other: Caller) -> None:
    """An emergency opens the plan to read; not its export, nor FHIR."""
    broken(desk, other)
    refused(other.get(f"{desk.url}/export?format=csv"), 404, "plan-not-found")
    assert other.get(f"/fhir/R4/CarePlan/{desk.plan_id}").status_code == 404


def test_it_is_reviewed_once_by_somebody_else(desk: Desk, other: Caller) -> None:
    """A review is owed within three days; a privacy officer gives it, and it stands in the plan."""
    entry_id = broken(desk, other)
    owed = [held["kind"] for held in desk.get("/obligations").json["obligations"]]
    assert "emergency_review" in owed
    officer = desk.house.sign_in(desk.clinic, "privacy_officer")
    desk.house.catch_up()
    [shown] = officer.get("/v1/emergency-access?status=open").json["emergency_access"]
    assert (shown["entry_id"], shown["why"]) == (entry_id, "At the front desk, shaking")
    assert (shown["client_ref"], shown["reviewed_by"], shown["note"]) == ("c-1", None, None)
    url = f"/v1/emergency-access/{entry_id}/review"
    refused(other.post(url, {"finding": "justified"}), 403, "not-allowed")
    refused(officer.post(url, {"finding": "fine"}), 422, "invalid-data", "/finding")
    assert officer.post(url, {"finding": "justified", "note": "As it should"}).status_code == 201
    refused(officer.post(url, {"finding": "unclear"}), 409, "impossible-transition")
    assert officer.get("/v1/emergency-access?status=open").json["emergency_access"] == []
    [shown] = officer.get("/v1/emergency-access?status=reviewed").json["emergency_access"]
    assert (shown["reviewed_by"], shown["note"]) == (officer.who.name, "As it should")
    owed = [held["kind"] for held in desk.get("/obligations").json["obligations"]]
    assert "emergency_review" not in owed
    refused(
        officer.post(f"/v1/emergency-access/{an_id()}/review", {"finding": "unclear"}),
        404,
        "entry-not-found",
    )


def test_disclosures_are_accounted_for(house: House) -> None:
    """What was told to whom, as the newest correction has it, as JSON and as a table."""
    desk = new_desk(house)
    told = {"recipient": "The court", "what": "Dates of sessions", "purpose": "A hearing"}
    made = desk.record(entry("DisclosureMade", **told))
    corrected = {**told, "recipient": "The district court"}
    desk.record(
        entry("EntryCorrected", "Its name", entry_id=made["entries"][0]["entry_id"], data=corrected)
    )
    auditor = house.sign_in(desk.clinic, "auditor")
    [shown] = auditor.get(f"{desk.url}/disclosures").json["disclosures"]
    assert (shown["recipient"], shown["purpose"]) == ("The district court", "A hearing")
    table = auditor.get(f"{desk.url}/disclosures", Accept="text/csv").get_data(as_text=True)
    assert table.splitlines()[0].startswith("disclosed_at,recipient")
    assert "The district court" in table
