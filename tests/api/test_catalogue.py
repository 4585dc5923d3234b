"""The catalogue of entry types says what there is, where it belongs and who records it."""

from __future__ import annotations

from typing import Any

import pytest

from api.examples import entry_example
from domain.clinic import Clinic
from domain.entry import CLINIC_TYPES, TYPES
from service.access import ROLES
from service.access.table import AMENDING, OWN_STATEMENTS
from tests.api.cast import Cast, cast
from tests.api.house import House, refused

ELSEWHERE = ("not-allowed", "approval-required", "recorded-elsewhere")


@pytest.fixture(scope="module")
def made(house: House) -> Cast:
    """Everybody."""
    return cast(house)


@pytest.fixture(scope="module")
def told(made: Cast) -> dict[str, Any]:
    """The catalogue."""
    answer: dict[str, Any] = made.people["auditor"].get("/v1/entry-types").json
    return answer


def by_name(kinds: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The types by their names."""
    return {kind["type"]: kind for kind in kinds}


def test_every_type_is_listed_where_it_belongs(told: dict[str, Any]) -> None:
    """Those of plans, and those of the clinic itself; what amends is of both."""
    assert set(by_name(told["entry_types"])) == set(TYPES)
    clinic = set(by_name(told["clinic_entry_types"]))
    assert clinic == set(Clinic.TAKES) == set(CLINIC_TYPES) | AMENDING


def test_clients_and_integrations_are_told_what_is_theirs(told: dict[str, Any]) -> None:
    """A client their own statements and what amends them; an integration whatever a token is granted."""
    kinds = by_name(told["entry_types"])
    client = {name for name, kind in kinds.items() if "client" in kind["recorded_by_roles"]}
    assert client == OWN_STATEMENTS | AMENDING
    granted = {name for name, kind in kinds.items() if "integration" in kind["recorded_by_roles"]}
    alone = {name for name, kind in kinds.items() if kind["recorded_only_by"]}
    assert granted == set(TYPES) - alone
    assert kinds["PlanOpened"]["recorded_only_by"] == "POST /v1/plans"
    assert kinds["PlanOpened"]["recorded_by_roles"] == ["clinician", "supervisor"]
    review = kinds["EmergencyAccessReviewed"]["recorded_by_roles"]
    assert review == ["auditor", "privacy_officer"]


@pytest.mark.parametrize("what", ["therapist", "client", "auditor", "admin", "privacy officer"])
def test_the_roles_of_a_plans_types_are_those_that_are_let_in(
    made: Cast, told: dict[str, Any], what: str
) -> None:
    """Each type, sent by each: refused as not theirs exactly where the catalogue does not name them."""
    caller, kinds = made.people[what], told["entry_types"]
    for kind in kinds:
        if kind["recorded_only_by"] or kind["type"] in AMENDING:
            continue
        body = {"entries": [entry_example(TYPES[kind["type"]])]}
        code = caller.post(f"{made.desk.url}/entries", body).json.get("code")
        listed = caller.who.role in kind["recorded_by_roles"]
        assert (code not in ELSEWHERE) == listed, (kind["type"], code)


def test_the_roles_of_the_clinics_types_are_those_that_are_let_in(
    house: House, told: dict[str, Any]
) -> None:
    """Each type, by each role: recorded at once, or proposed, by those whom the catalogue names."""
    clinic = house.clinic()
    for role in ROLES:
        caller = house.sign_in(clinic, role)
        for kind in told["clinic_entry_types"]:
            name = kind["type"]
            if kind["recorded_only_by"]:
                continue
            example = entry_example(Clinic.TAKES[name])
            code = caller.post("/v1/clinic/entries", {"entries": [example]}).json.get("code")
            listed = role in kind["recorded_by_roles"]
            assert (code not in ELSEWHERE) == listed, (role, name, code)
            proposed = role in kind["proposed_by_roles"] and not listed
            # supervisors propose, too, and have no business at this address at all
            assert (code == "approval-required") == (proposed and role != "supervisor")


def test_a_type_in_the_wrong_place_is_told_the_right_one(made: Cast) -> None:
    """And one there is not, where all are listed."""
    admin, therapist = made.people["admin"], made.people["therapist"]
    for caller, to, name, said in (
        (therapist, f"{made.desk.url}/entries", "PolicySet", "POST /v1/clinic/entries records it"),
        (admin, "/v1/clinic/entries", "GoalSet", "POST /v1/plans/{plan_id}/entries records it"),
        (admin, "/v1/clinic/entries", "MemberJoind", "GET /v1/entry-types lists them all"),
        (admin, "/v1/clinic/proposals", "GoalSet", "GoalSet is an entry of a plan"),
    ):
        sent = {"reason": {"text": "Why"}} if to.endswith("proposals") else {}
        body = {**sent, "entries": [{"type": name, "data": {}}]}
        answer = caller.post(to, body)
        refused(answer, 422, "invalid-data", at="/entries/0/type", saying=said)
