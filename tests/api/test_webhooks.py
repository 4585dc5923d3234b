"""Webhooks over HTTP: who may make and mind them, what is shown, and what is refused."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.api.house import Desk, House, an_id, entry, goal, new_desk, refused
from tests.conftest import Caller

URL = "https://93.184.216.34/hook"
"""An address outside that needs no name server; nothing is sent here, as nobody delivers."""


@pytest.fixture
def desk(house: House) -> Desk:
    """A clinic with a plan of two entries."""
    made = new_desk(house)
    made.record(goal())
    return made


@pytest.fixture
def admin(house: House, desk: Desk) -> Caller:
    """The clinic's administrator."""
    return house.sign_in(desk.clinic, "admin")


def created(caller: Caller, **more: Any) -> dict[str, Any]:
    """A new webhook."""
    answer = caller.post("/v1/webhooks", {"url": URL, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json
    assert answer.headers["Location"] == f"/v1/webhooks/{made['webhook_id']}"
    return made


def at(webhook: dict[str, Any], action: str = "") -> str:
    """Its address, or that of something to do with it."""
    return f"/v1/webhooks/{webhook['webhook_id']}" + (f"/{action}" if action else "")


# Making and minding


def test_a_webhook_is_made_with_its_secret_shown_once(desk: Desk, admin: Caller) -> None:
    """It begins at the end of the log, and the secret is never shown again."""
    made = created(admin, types=["GoalSet"], description="The registry's", recipient="The registry")
    assert made["secret"].startswith("whsec_")
    assert (made["position"], made["behind"], made["status"]) == (2, 0, "active")
    assert (made["types"], made["recipient"]) == (["GoalSet"], "The registry")
    shown = admin.get(at(made)).json
    assert "secret" not in shown
    assert shown == {name: held for name, held in made.items() if name != "secret"}
    [listed] = admin.get("/v1/webhooks").json["webhooks"]
    assert listed["webhook_id"] == made["webhook_id"]
    assert "secret" not in str(listed)


def test_it_can_begin_anywhere(desk: Desk, admin: Caller) -> None:
    """At the start, behind a position or behind an entry."""
    first = desk.timeline()[0]["entry_id"]
    for after, position in ((0, 0), ("1", 1), (first, 1), ("latest", 2)):
        assert created(admin, after=after)["position"] == position


def test_an_integration_minds_its_own(house: House, desk: Desk, admin: Caller) -> None:
    """It makes webhooks for itself under its own name, and sees no other's; an admin sees all."""
    one, other = (house.sign_in(desk.clinic, "integration", name=name) for name in ("A", "B"))
    made = created(one)
    assert (made["member_id"], made["recipient"]) == (str(one.who.member_id), "A")
    refused(other.get(at(made)), 404, "webhook-not-found")
    assert other.get("/v1/webhooks").json == {"webhooks": []}
    for action in ("disable", "enable", "rotate", "unpark"):
        refused(other.post(at(made, action), {}), 404, "webhook-not-found")
    assert len(admin.get("/v1/webhooks").json["webhooks"]) == 1
    for stolen in ({"member_id": str(other.who.member_id)}, {"recipient": "B"}):
        refused(one.post("/v1/webhooks", {"url": URL, **stolen}), 403, "not-allowed")


def test_nobody_else_minds_them(house: House, desk: Desk, admin: Caller) -> None:
    """Neither those who treat nor those who look on."""
    made = created(admin)
    for role in ("clinician", "supervisor", "auditor", "client"):
        caller = house.sign_in(desk.clinic, role)
        refused(caller.post("/v1/webhooks", {"url": URL}), 403, "not-allowed")
        refused(caller.get("/v1/webhooks"), 403, "not-allowed")
        refused(caller.post(at(made, "rotate"), {}), 403, "not-allowed")


def test_a_privacy_officer_minds_alerts(house: House, desk: Desk, admin: Caller) -> None:
    """They make them, and see no other webhook; an admin sees and makes both."""
    officer = house.sign_in(desk.clinic, "privacy_officer")
    entries = created(admin)
    alert = created(officer, carries="metadata")
    assert (alert["carries"], entries["carries"]) == ("metadata", "content")
    assert alert["types"] == ["EmergencyAccessTaken", "EmergencyAccessReviewed"]
    assert [held["webhook_id"] for held in officer.get("/v1/webhooks").json["webhooks"]] == [
        alert["webhook_id"]
    ]
    refused(officer.get(at(entries)), 404, "webhook-not-found")
    refused(officer.post(at(entries, "rotate"), {}), 404, "webhook-not-found")
    assert officer.post(at(alert, "rotate"), {}).status_code == 200
    one = created(admin, carries="metadata", types=["EmergencyAccessTaken"])
    assert one["types"] == ["EmergencyAccessTaken"]
    assert len(admin.get("/v1/webhooks").json["webhooks"]) == 3


def test_an_alert_tells_of_nothing_else(house: House, desk: Desk, admin: Caller) -> None:
    """Other types, an integration behind it, or content for a privacy officer: each refused at its field."""
    officer = house.sign_in(desk.clinic, "privacy_officer")
    integration = house.sign_in(desk.clinic, "integration")
    alert = {"url": URL, "carries": "metadata"}
    for caller, body, status, code, at_ in (
        (admin, {**alert, "types": ["GoalSet"]}, 422, "invalid-data", "/types"),
        (admin, {**alert, "recipient": "The registry"}, 422, "invalid-data", "/member_id"),
        (admin, {**alert, "carries": "everything"}, 422, "invalid-data", "/carries"),
        (officer, {"url": URL}, 403, "not-allowed", "/carries"),
        (integration, alert, 403, "not-allowed", "/carries"),
    ):
        refused(caller.post("/v1/webhooks", body), status, code, at=at_)
    assert admin.get("/v1/webhooks").json == {"webhooks": []}


def test_another_clinics_webhooks_do_not_exist(house: House, desk: Desk, admin: Caller) -> None:
    """An admin of another clinic is told so at every address, and nothing happens."""
    made = created(admin)
    stranger = house.sign_in(house.clinic(), "admin")
    assert stranger.get("/v1/webhooks").json == {"webhooks": []}
    answers = [
        stranger.get(at(made)),
        stranger.get(at(made, "deliveries")),
        stranger.client.delete(at(made), headers=stranger.headers),
        *(
            stranger.post(at(made, action), {"after": 0} if action == "replay" else {})
            for action in ("disable", "enable", "rotate", "unpark", "replay")
        ),
    ]
    for answer in answers:
        refused(answer, 404, "webhook-not-found")
    assert admin.get(at(made)).json["status"] == "active"
    assert len(admin.get(at(made)).json["secrets"]) == 1


def test_it_is_disabled_enabled_and_deleted(desk: Desk, admin: Caller) -> None:
    """Each says what it is then; once deleted it is gone."""
    made = created(admin)
    disabled = admin.post(at(made, "disable"), {}).json
    assert (disabled["status"], disabled["disabled_why"]) == ("disabled", "Disabled by hand.")
    assert admin.post(at(made, "enable"), {}).json["status"] == "active"
    gone = admin.client.delete(at(made), headers=admin.headers)
    assert (gone.status_code, gone.data) == (204, b"")
    refused(admin.get(at(made)), 404, "webhook-not-found")
    again = admin.client.delete(at(made), headers=admin.headers)
    refused(again, 404, "webhook-not-found")


def test_a_rotation_shows_the_new_secret_and_the_old_ones_end(desk: Desk, admin: Caller) -> None:
    """The old one is good until the overlap is over; with none it is gone at once."""
    made = created(admin)
    rotated = admin.post(at(made, "rotate"), {"overlap_hours": 2}).json
    assert rotated["secret"] not in (None, made["secret"])
    newest, oldest = rotated["secrets"]
    assert newest["expires_at"] is None
    assert oldest["expires_at"] > oldest["created_at"]
    assert len(admin.post(at(made, "rotate"), {"overlap_hours": 0}).json["secrets"]) == 1


def test_a_replay_begins_where_it_was_told(desk: Desk, admin: Caller) -> None:
    """Everything behind that place is due again."""
    made = created(admin)
    answer = admin.post(at(made, "replay"), {"after": 0})
    assert answer.json == {"webhook_id": made["webhook_id"], "after": 0}
    assert admin.get(at(made)).json["behind"] == 2
    refused(admin.post(at(made, "replay"), {"after": 99}), 400, "unknown-place")


def test_the_log_has_pages(house: House, desk: Desk, admin: Caller) -> None:
    """Newest first, by outcome, page after page, each attempt once."""
    made = created(admin)
    house.owner.execute(
        "INSERT INTO webhook_attempts (clinic_id, webhook_id, attempted_at, position, entry_id, "
        "plan_id, outcome, status, why, milliseconds) SELECT %s, %s, now() - make_interval(secs => n), "
        "n, gen_random_uuid(), %s, CASE WHEN n %% 2 = 0 THEN 'failed' ELSE 'delivered' END, 200, NULL, 3 "
        "FROM generate_series(1, 7) n",
        [desk.clinic.clinic_id, made["webhook_id"], desk.plan_id],
    )
    seen: list[int] = []
    address = f"{at(made, 'deliveries')}?limit=3"
    while address:
        answer = admin.get(address)
        seen += [held["position"] for held in answer.json["deliveries"]]
        address = answer.headers.get("Link", "").partition(";")[0].strip("<>")
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    failed = admin.get(f"{at(made, 'deliveries')}?outcome=failed").json["deliveries"]
    assert [held["position"] for held in failed] == [2, 4, 6]


# What is refused


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/url"),
        ({"url": 7}, "/url"),
        ({"url": "x" * 2001}, "/url"),
        ({"url": URL, "types": ["GoalSett"]}, "/types/0"),
        ({"url": URL, "types": ["GoalSet", "MemberJoined"]}, "/types/1"),
        ({"url": URL, "types": "GoalSet"}, "/types"),
        ({"url": URL, "plan_id": "7"}, "/plan_id"),
        ({"url": URL, "after": "soon"}, "/after"),
        ({"url": URL, "after": True}, "/after"),
        ({"url": URL, "after": -1}, "/after"),
        ({"url": URL, "description": "x" * 201}, "/description"),
        ({"url": URL, "member_id": "me"}, "/member_id"),
        ({"url": URL, "secret": "mine"}, "/secret"),
    ],
)
def test_a_malformed_webhook_is_told_what_to_mend(
    admin: Caller, body: dict[str, Any], pointer: str
) -> None:
    """422, naming the field."""
    refused(admin.post("/v1/webhooks", body), 422, "invalid-data", at=pointer)


@pytest.mark.parametrize(
    "url",
    [
        "example.org/hook",
        "http://93.184.216.34/hook",
        "https://user:word@93.184.216.34/",
        "https://127.0.0.1/hook",
        "https://localhost:8000/hook",
        "https://[::1]/hook",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.1.2.3/",
        "https://no-such-host.invalid/hook",
    ],
)
def test_a_target_that_is_none_is_refused(admin: Caller, url: str) -> None:
    """Inside, without TLS, unknown: with a sentence what to give instead."""
    refused(admin.post("/v1/webhooks", {"url": url}), 422, "target-refused")
    assert admin.get("/v1/webhooks").json == {"webhooks": []}


def test_what_is_to_be_done_is_checked_as_well(desk: Desk, admin: Caller) -> None:
    """Bodies of the other routes name the field at fault, too."""
    made = created(admin)
    for action, body, pointer in (
        ("replay", {}, "/after"),
        ("replay", {"after": "x"}, "/after"),
        ("rotate", {"overlap_hours": 169}, "/overlap_hours"),
        ("rotate", {"overlap_hours": "2"}, "/overlap_hours"),
        ("unpark", {"plan_id": "x"}, "/plan_id"),
    ):
        refused(admin.post(at(made, action), body), 422, "invalid-data", at=pointer)
    refused(admin.get(f"{at(made, 'deliveries')}?outcome=lost"), 400, "invalid-query", at="outcome")
    refused(admin.get(f"/v1/webhooks/{an_id()}"), 404, "webhook-not-found")


def test_a_member_may_be_named(house: House, desk: Desk, admin: Caller) -> None:
    """An admin says for which integration it is; that one then minds it as well."""
    registry = house.sign_in(desk.clinic, "integration", member_id=uuid4())
    made = created(admin, member_id=str(registry.who.member_id))
    assert registry.get(at(made)).status_code == 200
    desk.record(entry("SetbackNoted", what="x"))
    assert registry.get(at(made)).json["behind"] == 1
