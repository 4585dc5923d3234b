"""Alerts: a clinic's own alerting hears at once that the glass was broken, and no word of anybody."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from domain.emergency import EmergencyAccessTaken
from service.access import Principal
from service.access.looks import Asked
from service.feed.events import cloud_event
from service.recording import Request
from service.timeline import without_words
from service.webhooks import alerts
from tests.service.recording import open_plan
from tests.service.webhooks.conftest import Office
from tests.service.webhooks.receiving import Receiver

WHY = "Canary words of an emergency"
ALERT = {"carries": alerts.METADATA, "recipient": ""}


def outsider(office: Office) -> Principal:
    """A clinician who is no part of anybody's plan."""
    return Principal(office.clinic.clinic_id, uuid4(), "Kim Nightshift", "clinician", None, uuid4())


def broken(office: Office, plan_id: UUID) -> str:
    """Somebody takes emergency access; the entry's id."""
    taking = EmergencyAccessTaken(why=WHY, minutes=20)
    done = office.container.emergency.take(outsider(office), plan_id, taking, Request())
    return done.entries[-1].entry_id


def test_an_emergency_is_told_without_a_word(office: Office, receiver: Receiver) -> None:
    """Of a plan whose client consented to nothing: who, which plan, when; signed like any delivery."""
    plan_id = open_plan(office.container, office.clinician, "c-quiet").plan_id
    webhook = office.webhook(receiver, after="latest", **ALERT)
    entry_id = broken(office, plan_id)
    office.rounds()
    [delivery] = receiver.taken
    event = delivery.verified(webhook["secret"])
    assert event["id"] == entry_id
    assert event["type"] == "org.plan-history.EmergencyAccessTaken.v1"
    assert event["subject"] == str(plan_id)
    assert event["data"]["recorded_by"]["name"] == "Kim Nightshift"
    assert event["data"] == without_words(event["data"])
    assert "data" not in event["data"]
    assert b"Canary" not in delivery.body
    assert b"minutes" not in delivery.body


def test_its_review_is_told_and_nothing_else(office: Office, receiver: Receiver) -> None:
    """Whatever else is recorded, in whosever plan, is none of an alert's business."""
    plan_id = office.plan(goals=3)
    webhook = office.webhook(receiver, **ALERT)
    entry_id = UUID(broken(office, plan_id))
    officer = office.clinic.member("privacy_officer")
    office.container.emergency.review(officer, entry_id, "justified", WHY, Request())
    office.record(plan_id)
    office.rounds()
    assert [held.event["data"]["type"] for held in receiver.taken] == [
        "EmergencyAccessTaken",
        "EmergencyAccessReviewed",
    ]
    assert not any(b"Canary" in held.body for held in receiver.taken)
    assert (office.shown(webhook)["behind"], office.shown(webhook)["types"]) == (
        0,
        list(alerts.NAMES),
    )


def test_who_was_alerted_is_in_the_access_log(office: Office, receiver: Receiver) -> None:
    """As a look without words, by the webhook, of that plan."""
    plan_id = office.plan()
    webhook = office.webhook(receiver, after="latest", **ALERT)
    broken(office, plan_id)
    office.rounds()
    auditor = office.clinic.member("auditor")
    looks, _ = office.container.access.looks(auditor, Asked(action=alerts.ACTION))
    [look] = looks
    assert (look["plan_id"], look["view"], look["why"]) == (str(plan_id), "metadata", "clinic")
    assert (look["name"], look["token_id"]) == (alerts.WHOSE, webhook["webhook_id"])


def test_a_webhook_of_consents_says_all_and_only_where_there_is_one(
    office: Office, receiver: Receiver
) -> None:
    """The other kind is as it was: with the reason, and nothing of plans without consent."""
    told = office.plan()
    quiet = open_plan(office.container, office.clinician, "c-quiet").plan_id
    office.webhook(receiver, after="latest", types=("EmergencyAccessTaken",))
    for plan_id in (told, quiet):
        broken(office, plan_id)
    office.rounds()
    [delivery] = receiver.taken
    assert (delivery.plan_id, WHY.encode() in delivery.body) == (str(told), True)


def test_control_words_that_are_not_left_out_are_noticed(
    office: Office, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alert that is told like any entry says why, which the tests above would see."""
    monkeypatch.setattr(alerts, "bare_event", cloud_event)
    plan_id = office.plan()
    office.webhook(receiver, after="latest", **ALERT)
    broken(office, plan_id)
    office.rounds()
    assert b"Canary" in receiver.taken[0].body
