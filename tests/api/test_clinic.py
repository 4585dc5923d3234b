"""The clinic through the API: people, policy, their effect on plans, time travel, access."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import psycopg

from tests.api.test_plans_end_to_end import open_plan
from tests.conftest import Caller, Clinic

WHY = {"text": "Decided in the team meeting."}


def record(admin: Caller, *entries: dict[str, Any], **headers: str) -> Any:
    """Record entries of the clinic itself."""
    return admin.post("/v1/clinic/entries", {"entries": list(entries)}, **headers)


def test_people_join_and_are_listed(sign_in: Callable[..., Caller], clinic: Clinic) -> None:
    """The founding comes by itself; members are there for those who may look."""
    admin, auditor = sign_in(clinic, "admin"), sign_in(clinic, "auditor")
    assert admin.get("/v1/clinic").json["version"] == 0
    joined = record(
        admin,
        {"type": "MemberJoined", "data": {"name": "Alder Sample", "role": "clinician"}},
        {"type": "MemberJoined", "data": {"name": "Rowan Sample", "role": "supervisor"}},
    )
    assert joined.status_code == 201, joined.text
    assert [held["type"] for held in joined.json["entries"]] == ["MemberJoined", "MemberJoined"]
    shown = auditor.get("/v1/members").json["members"]
    assert [held["name"] for held in shown] == ["Alder Sample", "Rowan Sample"]
    found = auditor.get("/v1/members?role=supervisor").json["members"]
    assert [held["name"] for held in found] == ["Rowan Sample"]
    told = auditor.get("/v1/clinic/timeline").json["entries"]
    assert [held["type"] for held in told] == ["ClinicFounded", "MemberJoined", "MemberJoined"]


def test_the_clinic_has_versions_moments_and_conditions(
    sign_in: Callable[..., Caller], clinic: Clinic
) -> None:
    """ETag, If-Match, If-None-Match, ?version= and as_of work as for plans."""
    admin = sign_in(clinic, "admin")
    record(admin, {"type": "PolicySet", "reason": WHY, "data": {"answer_days": 7}})
    now = admin.get("/v1/clinic")
    assert now.headers["ETag"] == '"2"'
    assert admin.get("/v1/clinic", If_None_Match='"2"').status_code == 304
    assert admin.get("/v1/clinic?version=1").json["policy"]["answer_days"] == 14
    stale = record(
        admin, {"type": "PolicySet", "reason": WHY, "data": {"answer_days": 8}}, If_Match='"1"'
    )
    assert (stale.status_code, stale.json["code"]) == (412, "plan-changed")
    assert [held["type"] for held in stale.json["newer_entries"]] == ["PolicySet"]
    early = admin.get("/v1/clinic?as_of=2000-01-01T00:00:00Z")
    assert early.status_code == 404


def test_the_same_founding_request_twice_is_answered_alike(
    sign_in: Callable[..., Caller], clinic: Clinic
) -> None:
    """An idempotency key covers the founding, too."""
    admin = sign_in(clinic, "admin")
    entry = {"type": "MemberJoined", "data": {"name": "Alder Sample", "role": "clinician"}}
    first = record(admin, entry, Idempotency_Key="found-1")
    again = record(admin, entry, Idempotency_Key="found-1")
    assert again.headers["Idempotent-Replay"] == "true"
    assert admin.get("/v1/clinic").json["version"] == 2
    assert first.json["version"] == again.json["version"] == 2


def test_a_policy_moves_due_dates_of_plans_that_nobody_touched(
    sign_in: Callable[..., Caller], clinic: Clinic, catch_up: Callable[[], int]
) -> None:
    """When the clinic sets another interval, every plan's document follows, and a rebuild agrees."""
    admin, clinician = sign_in(clinic, "admin"), sign_in(clinic)
    plan_id = open_plan(clinician)
    catch_up()
    before = clinician.get(f"/v1/plans/{plan_id}").json
    record(admin, {"type": "PolicySet", "reason": WHY, "data": {"formal_review_days": 30}})
    catch_up()
    after = clinician.get(f"/v1/plans/{plan_id}").json
    opened = datetime.fromisoformat(before["opened_at"]).date()

    def due(plan: dict[str, Any]) -> date:
        held = next(held for held in plan["obligations"] if held["kind"] == "formal_review")
        return date.fromisoformat(held["due_on"])

    assert due(before) == opened + timedelta(days=182)
    assert due(after) == opened + timedelta(days=30)
    assert after["version"] == before["version"]


def test_a_clinic_can_demand_if_match(sign_in: Callable[..., Caller], clinic: Clinic) -> None:
    """With require_if_match, a writer who does not say what they saw is told so, with 428."""
    admin, clinician = sign_in(clinic, "admin"), sign_in(clinic)
    plan_id = open_plan(clinician)
    record(admin, {"type": "PolicySet", "reason": WHY, "data": {"require_if_match": True}})
    goal = {"entries": [{"type": "GoalSet", "data": {"statement": "A goal"}}]}
    known = clinician.client.application.extensions["plan-history"].plans.recording.policy
    known._known.clear()
    refused = clinician.post(f"/v1/plans/{plan_id}/entries", goal)
    assert (refused.status_code, refused.json["code"]) == (428, "precondition-required")
    taken = clinician.post(f"/v1/plans/{plan_id}/entries", goal, If_Match='"1"')
    assert taken.status_code == 201


def test_only_admins_change_the_clinic(sign_in: Callable[..., Caller], clinic: Clinic) -> None:
    """Everybody else is refused, and nothing is written."""
    entry = {"type": "MemberJoined", "data": {"name": "Alder Sample", "role": "clinician"}}
    for role in ("clinician", "supervisor", "auditor", "client", "integration", "privacy_officer"):
        refused = record(sign_in(clinic, role), entry)
        assert (refused.status_code, refused.json["code"]) == (403, "not-allowed")
    assert sign_in(clinic, "admin").get("/v1/clinic").json["version"] == 0


def test_the_clinic_is_no_plan(sign_in: Callable[..., Caller], clinic: Clinic) -> None:
    """Its id is not found on the routes of plans, and plans' entries are not for it."""
    admin, clinician = sign_in(clinic, "admin"), sign_in(clinic)
    record(admin, {"type": "PolicySet", "reason": WHY, "data": {"answer_days": 7}})
    for path in ("", "/timeline", "/diff?from=1&to=2", "?version=1"):
        answer = clinician.get(f"/v1/plans/{clinic.clinic_id}{path}")
        assert (answer.status_code, answer.json["code"]) == (404, "plan-not-found"), path
    goal = {"type": "GoalSet", "data": {"statement": "A goal"}}
    assert record(admin, goal).status_code == 422
    answer = clinician.post(f"/v1/plans/{clinic.clinic_id}/entries", {"entries": [goal]})
    assert answer.status_code == 404


def test_people_are_in_their_read_model(
    sign_in: Callable[..., Caller],
    clinic: Clinic,
    catch_up: Callable[[], int],
    owner: psycopg.Connection[Any],
) -> None:
    """The people projection holds who is who."""
    admin = sign_in(clinic, "admin")
    record(admin, {"type": "MemberJoined", "data": {"name": "Alder Sample", "role": "clinician"}})
    catch_up()
    rows = owner.execute("SELECT name, role, status FROM people").fetchall()
    assert rows == [("Alder Sample", "clinician", "present")]
