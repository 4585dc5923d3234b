"""A plan that takes another's place: what the two say of each other, and what FHIR makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.house import OPENING, Desk, House, an_id, entry, goal, new_desk, refused
from tests.fhir.checkers import by_rules, by_schema

FHIR = "/fhir/R4/CarePlan"


@pytest.fixture
def old(house: House) -> Desk:
    """A plan that is to be replaced."""
    return new_desk(house)


def opened(old: Desk, **more: Any) -> Any:
    """What is answered when another plan is opened for that client."""
    mine = {"therapist_id": str(old.caller.who.member_id), "alongside": True}
    return old.send({**OPENING, **mine, **more}, to="/v1/plans")


def superseded(old: Desk, by_plan_id: str, **headers: str) -> Any:
    """What is answered when the old plan is closed for another."""
    said = {"entries": [entry("PlanSuperseded", by_plan_id=by_plan_id)]}
    answer = old.send(said, **headers)
    assert answer.status_code == 201, answer.text
    return answer


def test_the_successor_names_the_plan_it_replaces(old: Desk) -> None:
    """From its first version on, in the plan and as a CarePlan; the old one names its successor."""
    new = opened(old, replaces_plan_id=old.plan_id).json["plan_id"]
    assert superseded(old, new).json["warnings"] == []
    assert old.get(f"/v1/plans/{new}").json["replaces_plan_id"] == old.plan_id
    shown = old.caller.get(f"{FHIR}/{new}/_history/1").json
    assert shown["replaces"] == [{"reference": f"CarePlan/{old.plan_id}"}]
    assert [*by_schema(shown), *by_rules(shown)] == []
    assert old.caller.get(f"{FHIR}/{old.plan_id}").json["status"] == "revoked"
    old.house.catch_up()
    found = old.caller.get(f"{FHIR}?replaces=CarePlan/{old.plan_id}").json
    assert [held["resource"]["id"] for held in found["entry"]] == [new]


def test_one_that_does_not_is_mended_by_a_correction(old: Desk) -> None:
    """The answer says so; a new version names it, and the versions before stay as they were."""
    made = opened(old).json
    new, opening = made["plan_id"], made["entries"][0]["entry_id"]
    key = {"Idempotency_Key": "supersede-1"}
    first = superseded(old, new, **key)
    [warning] = first.json["warnings"]
    assert (warning["type"], warning["version"]) == ("PlanSuperseded", 2)
    assert "replaces_plan_id" in warning["detail"]
    fix = {"entry_id": opening, "data": {"replaces_plan_id": old.plan_id}}
    done = old.send(
        {"entries": [entry("EntryCorrected", "It was forgotten.", **fix)]},
        to=f"/v1/plans/{new}/entries",
    )
    assert done.status_code == 201, done.text
    assert old.caller.get(f"{FHIR}/{new}").json["replaces"]
    assert "replaces" not in old.caller.get(f"{FHIR}/{new}/_history/1").json
    assert superseded(old, new, **key).json == first.json


def test_a_successor_that_is_not_here_is_warned_of(house: House) -> None:
    """It may be kept elsewhere; if its id is a slip, that shows at once."""
    for named in (an_id(), new_desk(house).plan_id):
        [warning] = superseded(new_desk(house), named).json["warnings"]
        assert "check it" in warning["detail"]


def test_another_clients_plan_takes_no_ones_place(house: House, old: Desk) -> None:
    """Nor the plan itself; it stays open."""
    other = opened(old, client_ref="c-other").json["plan_id"]
    with house.nothing_written():
        said = {"entries": [goal(), entry("PlanSuperseded", by_plan_id=other)]}
        at = "/entries/1/data/by_plan_id"
        refused(old.send(said), 422, "unknown-reference", at, "check it")
        said = {"entries": [goal(), entry("PlanSuperseded", by_plan_id=old.plan_id)]}
        refused(old.send(said), 409, "impossible-transition", at)


def test_a_plan_that_cannot_be_replaced_is_refused(house: House, old: Desk) -> None:
    """Not there, out of reach, another client's, no id at all: nothing is written."""
    elsewhere, other = new_desk(house).plan_id, opened(old, client_ref="c-other").json["plan_id"]
    with house.nothing_written():
        for named, saying in ((an_id(), "check it"), (elsewhere, "check it"), (other, "another")):
            answer = opened(old, replaces_plan_id=named)
            refused(answer, 422, "unknown-reference", "/replaces_plan_id", saying)
        refused(opened(old, replaces_plan_id="7"), 422, "invalid-data", "/replaces_plan_id")


def test_a_correction_names_no_other_either(old: Desk) -> None:
    """The same rule, at the field of the correction; and no plan takes its own place."""
    opening = old.timeline()[0]["entry_id"]
    place = "/entries/0/data/data/replaces_plan_id"

    def corrected(named: object) -> Any:
        fix = {"entry_id": opening, "data": {"replaces_plan_id": named}}
        return old.send({"entries": [entry("EntryCorrected", "Forgotten.", **fix)]})

    with old.house.nothing_written():
        refused(corrected(an_id()), 422, "unknown-reference", place)
        refused(corrected(old.plan_id), 409, "impossible-transition", place)
        refused(corrected(7), 422, "invalid-data", place)
