"""Every documented example is sent, and every documented answer given: by each operation, as it is described."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from api.described import examples
from service.access import ACCESS, ROLES
from tests.api.house import Desk, House, an_id, entry, goal, new_desk
from tests.api.test_description import check, described, operations
from tests.api.test_webhooks import URL
from tests.conftest import Caller

__all__ = ["described"]
ANSWERED = {"200", "201", "204", "304", "401", "403", "default"}
"""What the tests here see answered; 429 and 503 are seen where they are brought about."""


@pytest.fixture(scope="module")
def desk(house: House) -> Desk:
    """A plan with a goal."""
    made = new_desk(house, "supervisor")
    made.record(goal())
    house.catch_up()
    return made


def filled(path: str, known: dict[str, str]) -> str:
    """A path with ids of things that are there, or of nothing."""
    return re.sub(r"\{(\w+)\}", lambda name: known.get(name[1], an_id()), path)


def asked(caller: Caller, method: str, place: str, body: Any = None, **headers: str) -> Any:
    """An answer."""
    named = {**caller.headers, **{name.replace("_", "-"): held for name, held in headers.items()}}
    return caller.client.open(place, method=method, json=body, headers=named)


def test_who_has_no_token_is_told_as_described(house: House, described: dict[str, Any]) -> None:
    """Every operation that needs one: 401, a problem."""
    tried = 0
    for path, method, told in operations(described):
        if told.get("security") == []:
            continue
        answer: Any = house.client.open(filled(path, {}), method=method, json={})
        assert answer.status_code == 401, path
        check(described, path, method, answer)
        tried += 1
    assert tried > 30


def test_who_may_not_is_told_as_described(
    house: House, desk: Desk, described: dict[str, Any]
) -> None:
    """Every operation, by every role that does not have it: 403, a problem; or a body that is refused first."""
    callers = {role: house.sign_in(desk.clinic, role, member_id=uuid4()) for role in ROLES}
    tried = 0
    for path, method, told in operations(described):
        for role in set(ROLES) - set(told.get("x-allowed-to", ROLES)):
            body = sent(told)
            answer = asked(callers[role], method, filled(path, {"plan_id": desk.plan_id}), body)
            assert answer.status_code == 403, (path, role, answer.text)
            check(described, path, method, answer)
            tried += 1
    assert tried > 80


def sent(told: dict[str, Any]) -> Any:
    """The example of an operation's body, or None where it takes none."""
    if "requestBody" not in told:
        return None
    ref = told["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    return examples()[ref.rpartition("/")[2]]


def test_every_body_has_an_example(described: dict[str, Any]) -> None:
    """Whatever is sent, a newcomer can copy."""
    bodies = {told["operationId"]: sent(told) for _, _, told in operations(described)}
    assert {name for name, body in bodies.items() if body is not None} >= {
        "open_plan", "record_entries", "record_in_clinic", "take_emergency_access",
        "review_emergency_access", "create_webhook", "replay_webhook", "rotate_webhook",
        "unpark_webhook",
    }  # fmt: skip


def test_the_examples_of_emergencies_are_taken(house: House, described: dict[str, Any]) -> None:
    """Asked for as in the description by somebody on call, reviewed as in the description by an officer."""
    example = examples()["EmergencyAccess"]
    held = new_desk(house, client_ref=example["client_ref"])
    on_call = house.sign_in(held.clinic, member_id=uuid4())
    taken = on_call.post("/v1/emergency-access", example)
    assert taken.status_code == 201, taken.text
    check(described, "/v1/emergency-access", "post", taken)
    entry_id = taken.json["entries"][0]["entry_id"]
    officer = house.sign_in(held.clinic, "privacy_officer")
    place = "/v1/emergency-access/{entry_id}/review"
    done = officer.post(place.format(entry_id=entry_id), examples()["EmergencyReview"])
    assert done.status_code == 201, done.text
    check(described, place, "post", done)


def test_the_examples_of_webhooks_are_taken(
    house: House, desk: Desk, described: dict[str, Any]
) -> None:
    """Made with the example (at an address that needs no name server), and everything done with it."""
    admin, told = house.sign_in(desk.clinic, "admin"), examples()
    made = admin.post("/v1/webhooks", {**told["WebhookToCreate"], "url": URL})
    check(described, "/v1/webhooks", "post", made)
    one = "/v1/webhooks/{webhook_id}"
    for action, component in (
        ("replay", "ReplayFrom"), ("rotate", "SecretRotation"), ("unpark", "PlanToUnpark"),
    ):  # fmt: skip
        place = f"{one}/{action}"
        answer = admin.post(place.format(webhook_id=made.json["webhook_id"]), told[component])
        assert answer.status_code == 200, answer.text
        check(described, place, "post", answer)


def test_the_examples_of_proposals_are_taken(
    house: House, desk: Desk, described: dict[str, Any]
) -> None:
    """Proposed and asked for as in the description; withdrawn, declined and approved so."""
    officer, told = house.sign_in(desk.clinic, "privacy_officer"), examples()
    every = "/v1/clinic/proposals"
    for action, by, component, status in (
        ("withdraw", desk.caller, "WordOnProposal", "withdrawn"),
        ("decline", officer, "ReasonedWordOnProposal", "declined"),
        ("approve", officer, "WordOnProposal", "approved"),
    ):
        made = desk.caller.post(every, told["ProposalToMake"])
        check(described, every, "post", made)
        place = f"{every}/{{proposal_id}}/{action}"
        done = by.post(f"{made.headers['Location']}/{action}", told[component])
        assert done.status_code == 201, done.text
        check(described, place, "post", done)
        assert officer.get(made.headers["Location"]).json["status"] == status
    asking = "/v1/clients/{client_ref}/erasure"
    client_ref = desk.get().json["client"]["ref"]
    asked_for = officer.post(asking.format(client_ref=client_ref), told["ErasureToAskFor"])
    assert asked_for.status_code == 201, asked_for.text
    check(described, asking, "post", asked_for)


def test_every_documented_answer_is_given(
    house: House, desk: Desk, described: dict[str, Any]
) -> None:
    """By every operation each of its successes, and that nothing has changed; the failures above."""
    clinic = desk.clinic
    admin, officer = (house.sign_in(clinic, role) for role in ("admin", "privacy_officer"))
    webhook = admin.post("/v1/webhooks", {"url": URL}).json["webhook_id"]
    proposed = desk.caller.post("/v1/clinic/proposals", examples()["ProposalToMake"])
    known = {
        "plan_id": desk.plan_id,
        "webhook_id": webhook,
        "proposal_id": proposed.headers["Location"].rpartition("/")[2],
        "entry_id": desk.timeline()[1]["entry_id"],
        "level": "0",
        "number": "000.p/1",
    }
    admin.post("/v1/clinic/entries", {"entries": [entry("ClinicRenamed", name="North")]})
    house.seal()
    between = "?from=1&to=2"
    queries = {"compare_moments": between, "prove_consistency": between}
    queries["prove_access_log_consistency"] = "?from=1"
    for path, method, told in operations(described):
        if method != "get":
            continue
        role = next((held for held in REACH if held in told.get("x-allowed-to", REACH)), "")
        caller = {"admin": admin, "privacy_officer": officer}.get(role, desk.caller)
        place = filled(path, known) + queries.get(told["operationId"], "")
        given = set()
        for headers in ({}, {"If_None_Match": "*"}) if "304" in told["responses"] else ({},):
            answer = asked(caller, method, place, **headers)
            check(described, path, method, answer)
            given.add(str(answer.status_code))
            answer.close()
        promised = set(told["responses"]) & {"200", "201", "204", "304"}
        assert given == promised, (path, given)
    others = {code for _, _, told in operations(described) for code in told["responses"]}
    assert others - ANSWERED == {"429", "503"}


REACH = ("supervisor", "admin", "privacy_officer")
assert set(REACH) <= {role for grants in ACCESS.values() for role in grants}


def test_a_limit_that_is_reached_is_told_as_described(
    house: House, desk: Desk, described: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many who wait: 503; too many requests: 429; each says when to come again."""
    monkeypatch.setattr(house.container.feed.places, "most", 0)
    waiting = desk.caller.get("/v1/feed/stream?lastEventId=latest")
    assert waiting.status_code == 503
    check(described, "/v1/feed/stream", "get", waiting)
    monkeypatch.setattr(house.container.quota, "per_second", 1)
    monkeypatch.setattr(house.container.quota, "burst", 1)
    hasty = house.sign_in(desk.clinic, "supervisor")
    answers = [hasty.get("/v1/me") for _ in range(9)]
    refused_ = [answer for answer in answers if answer.status_code == 429]
    assert refused_
    check(described, "/v1/me", "get", refused_[0])
