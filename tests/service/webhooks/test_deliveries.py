"""Deliveries: everything arrives, signed, in each plan's order, whatever the receiver does."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeGuard
from uuid import UUID, uuid4

import psycopg
import pytest
from standardwebhooks import WebhookVerificationError

from domain.consents import ConsentRecorded, ConsentRevoked
from domain.entry import Reason
from domain.people import MemberJoined, MemberLeft
from domain.plan import Plan
from service.access.looks import Asked
from service.recording import Draft, Request
from service.serving.deliverer import connect, deliver
from service.webhooks.dispatcher import Dispatcher
from tests.conftest import Clinic
from tests.service.recording import asked, open_plan, poison
from tests.service.servers import soon
from tests.service.webhooks.conftest import RECIPIENT, Office
from tests.service.webhooks.receiving import Delivery, Receiver, Reply, receiving
from tests.service.webhooks.wrong import Hasty, Scattering


def refusing(plan_id: object, times: int, status: int = 422) -> Any:
    """An answer to a plan's first so many deliveries; all else is taken."""
    left = [times]

    def answer(delivery: Delivery) -> Reply:
        if delivery.plan_id == str(plan_id) and left[0] > 0:
            left[0] -= 1
            return Reply(status)
        return Reply()

    return answer


# What arrives


def test_entries_arrive_as_in_the_feed(office: Office, receiver: Receiver) -> None:
    """Each is the CloudEvent of the feed, in order, with the entry's id as the message's."""
    office.plan(goals=3)
    office.webhook(receiver)
    office.rounds()
    batch = office.container.feed.read(office.clinician, _everything(), 0, 100)
    assert [held.body.decode() for held in receiver.taken] == [event.text for event in batch.events]
    assert [held.id for held in receiver.taken] == [event.id for event in batch.events]
    assert {held.headers["content-type"] for held in receiver.taken} == {
        "application/cloudevents+json"
    }


def _everything() -> Any:
    from service.feed.scan import Interest  # noqa: PLC0415 - only this test reads the feed

    return Interest()


def test_a_receiver_can_check_who_sent_it(office: Office, receiver: Receiver) -> None:
    """The reference library of Standard Webhooks verifies it; with another secret it does not."""
    office.plan()
    webhook = office.webhook(receiver)
    other = office.webhook(receiver, after="latest")
    office.rounds()
    delivery, _ = receiver.taken
    assert delivery.verified(webhook["secret"])["id"] == delivery.id
    with pytest.raises(WebhookVerificationError):
        delivery.verified(other["secret"])


def test_it_begins_where_it_was_told_to(office: Office, receiver: Receiver) -> None:
    """From now on, unless a place was named."""
    plan = office.plan(goals=2)
    office.webhook(receiver, after="latest")
    office.rounds()
    assert receiver.taken == []
    office.record(plan)
    office.rounds()
    assert receiver.positions() == [5]


def test_filters_choose_what_is_sent(office: Office, receiver: Receiver) -> None:
    """By type and by plan; the cursor goes past the rest."""
    one, _ = office.plan(goals=2), office.plan(goals=2)
    webhook = office.webhook(receiver, types=("PlanOpened",))
    office.rounds()
    assert sorted(receiver.positions()) == [1, 5]
    assert office.shown(webhook)["behind"] == 0
    receiver.taken.clear()
    office.webhook(receiver, plan_id=one, types=("GoalSet",))
    office.rounds()
    assert receiver.positions() == [3, 4]


def test_another_clinic_is_told_nothing(
    office: Office, receiver: Receiver, new_clinic: Any
) -> None:
    """A webhook of one clinic never hears of another's entries."""
    office.plan(goals=2)
    other: Clinic = new_clinic("Another clinic")
    theirs = Office(
        office.container, other, office.url, other.member("admin"), other.member(), office.pool
    )
    theirs.webhook(receiver)
    office.rounds()
    assert receiver.taken == []


def test_what_the_clinic_records_of_itself_stays_inside(office: Office, receiver: Receiver) -> None:
    """Members and policy are nobody's business outside; plans before and after them are told."""
    office.plan()
    joined = Draft(data=MemberJoined(name="Robin Sample", role="clinician"))
    office.container.clinic.record(office.admin, [joined], Request())
    office.plan()
    webhook = office.webhook(receiver)
    office.rounds()
    assert sorted(receiver.positions()) == [1, 2, 5, 6]
    assert (office.shown(webhook)["behind"], office.shown(webhook)["waiting"]) == (0, 0)


def test_a_plan_without_consent_is_not_told(office: Office, receiver: Receiver) -> None:
    """What a consent allows is sent, to the receiver it names; everything else is passed over."""
    told = office.plan(goals=1)
    open_plan(office.container, office.clinician, "c-silent")
    webhook = office.webhook(receiver)
    office.webhook(receiver, recipient="Somebody else")
    office.webhook(receiver, recipient="")
    office.rounds()
    assert receiver.positions() == receiver.positions(told) == [1, 2, 3]
    assert office.shown(webhook)["behind"] == 0


def test_a_consent_taken_back_ends_it_at_once(office: Office, receiver: Receiver) -> None:
    """What is recorded from the revocation on is not sent, also what had not been sent before it."""
    plan = office.plan(goals=1)
    office.webhook(receiver)
    office.rounds()
    office.record(plan)
    with office.container.plans.recording.plans.reading(office.clinic.clinic_id, plan) as held:
        assert isinstance(held, Plan)
        [consent_id] = [entry.data.consent_id for entry in held.entries if _consents(entry.data)]
    office.container.plans.record(
        office.clinician, plan, [Draft(data=ConsentRevoked(consent_id=consent_id))], asked()
    )
    office.rounds()
    assert receiver.positions() == [1, 2, 3]


def _consents(data: object) -> TypeGuard[ConsentRecorded]:
    return isinstance(data, ConsentRecorded)


def test_every_plan_told_is_in_the_access_log(office: Office, receiver: Receiver) -> None:
    """Who was told of which plan, up to which version, by what right; before it was sent."""
    plan = office.plan(goals=1)
    webhook = office.webhook(receiver)
    office.rounds()
    auditor = office.clinic.member("auditor")
    looks, _ = office.container.access.looks(auditor, Asked(action="feed.read"))
    [look] = looks
    assert (look["plan_id"], look["version"], look["why"]) == (str(plan), 3, "consented")
    assert (look["name"], look["asked"]) == (RECIPIENT, "webhook")
    assert look["token_id"] == webhook["webhook_id"]


def test_an_integration_that_leaves_is_told_nothing_more(
    office: Office, receiver: Receiver
) -> None:
    """Its webhook is disabled, with the reason."""
    member_id = uuid4()
    joined = MemberJoined(member_id=str(member_id), name=RECIPIENT, role="integration")
    office.container.clinic.record(office.admin, [Draft(data=joined)], Request())
    plan = office.plan()
    webhook = office.webhook(receiver, member_id=member_id, recipient="")
    office.rounds()
    assert len(receiver.taken) == 2
    left = Draft(data=MemberLeft(member_id=str(member_id)), reason=Reason(text="Not needed."))
    office.container.clinic.record(office.admin, [left], Request())
    office.record(plan)
    office.rounds()
    assert len(receiver.taken) == 2
    assert office.shown(webhook)["disabled_why"] == (
        "Its integration no longer belongs to the clinic."
    )


# When a receiver does not take it


def test_it_is_tried_again_under_the_same_id(office: Office, receiver: Receiver) -> None:
    """Until it is taken; every attempt is in the log, without what was sent."""
    plan = office.plan()
    receiver.answering = refusing(plan, 2, status=500)
    webhook = office.webhook(receiver)
    office.rounds(until=lambda: len(receiver.taken) == 2)
    assert len({held.id for held in receiver.seen[:3]}) == 1
    assert len(receiver.seen) == 4
    log = office.log(webhook)
    assert [held["outcome"] for held in log] == [*["failed"] * 2, *["delivered"] * 2]
    assert [held["why"] for held in log] == [*["answered 500"] * 2, None, None]
    assert "Leaving the house" not in str(log)


def test_pauses_grow_and_keep_to_what_the_receiver_asks(office: Office) -> None:
    """Doubling, never more than four hours, spread a little; a longer wish is granted."""
    for attempt in range(1, 60):
        plain = min(0.01 * 2.0 ** (attempt - 1), 4 * 3600)
        assert 0.74 * plain <= office.terms.pause_after(attempt) <= 1.26 * plain
    assert office.terms.pause_after(1, asked=30) == 30
    assert office.terms.pause_after(1, asked=10**6) == 4 * 3600


def test_a_plan_that_is_refused_holds_up_no_other(office: Office, receiver: Receiver) -> None:
    """Its later entries wait behind it and come in order; the others' come at once."""
    bad, good = office.plan(goals=3), office.plan(goals=3)
    receiver.answering = refusing(bad, 2)
    webhook = office.webhook(receiver)
    office.rounds(until=lambda: len(receiver.positions(good)) == 5)
    assert receiver.positions(bad) == []
    assert office.shown(webhook)["waiting"] == 1
    office.record(bad)
    office.rounds(until=lambda: len(receiver.positions(bad)) == 6)
    assert receiver.positions(bad) == [1, 2, 3, 4, 5, 11]
    assert receiver.positions(good) == [6, 7, 8, 9, 10]
    assert (office.shown(webhook)["waiting"], office.shown(webhook)["behind"]) == (0, 0)


def test_a_plan_is_parked_and_can_be_let_go(office: Office, receiver: Receiver) -> None:
    """After as many attempts as are allowed it waits for help, with the reason; then it goes on."""
    bad = office.plan(goals=2)
    receiver.answering = refusing(bad, 4)
    webhook = office.webhook(receiver)
    office.rounds(until=lambda: office.shown(webhook)["parked"])
    [lane] = office.shown(webhook)["lanes"]
    assert (lane["plan_id"], lane["delivered_up_to"], lane["attempts"]) == (str(bad), 0, 4)
    assert lane["why"] == "answered 422"
    assert [held["outcome"] for held in office.log(webhook)] == [*["failed"] * 3, "parked"]
    office.record(bad)
    good = office.plan()
    office.rounds()
    assert receiver.positions() == receiver.positions(good) == [6, 7]
    done = office.container.webhooks.unpark(office.admin, UUID(webhook["webhook_id"]))
    assert done == 1
    office.rounds()
    assert receiver.positions(bad) == [1, 2, 3, 4, 5]
    assert office.shown(webhook)["lanes"] == []


def test_an_outage_parks_nothing(office: Office, receiver: Receiver) -> None:
    """While nothing gets through, the receiver is left alone between single attempts; then all arrives."""
    plans = [office.plan(goals=2) for _ in range(12)]
    receiver.answering = lambda _: Reply(503)
    webhook = office.webhook(receiver)
    office.rounds(until=lambda: len(receiver.seen) > 16, pause=0.001)
    assert office.shown(webhook)["parked"] == 0
    assert office.shown(webhook)["waiting"] == 12
    receiver.answering = lambda _: Reply()
    office.rounds(until=lambda: len(receiver.taken) == 48)
    for plan in plans:
        assert receiver.positions(plan) == sorted(receiver.positions(plan))
    assert Counter(held.id for held in receiver.taken).most_common(1)[0][1] == 1


def test_one_that_is_gone_is_told_nothing_more(office: Office, receiver: Receiver) -> None:
    """410 disables the webhook, which keeps its place; enabled again, it goes on there."""
    plan = office.plan(goals=2)
    receiver.answering = lambda held: Reply(410 if held.position == 2 else 204)
    webhook = office.webhook(receiver)
    office.rounds()
    shown = office.shown(webhook)
    assert (shown["status"], shown["disabled_why"]) == (
        "disabled",
        "Its receiver answered 410 Gone.",
    )
    office.record(plan)
    office.rounds()
    assert len(receiver.seen) == 2
    receiver.answering = lambda _: Reply()
    office.container.webhooks.enable(office.admin, UUID(webhook["webhook_id"]))
    office.rounds(until=lambda: len(receiver.taken) == 5)
    assert receiver.positions() == [1, 2, 3, 4, 5]


def test_an_entry_nobody_can_read_holds_up_no_other_plan(
    office: Office, receiver: Receiver, owner: psycopg.Connection[Any]
) -> None:
    """It is parked with the reason; nothing is sent in its place."""
    office.plan()
    position = poison(owner, office.clinic.clinic_id)
    office.plan(goals=1)
    webhook = office.webhook(receiver)
    office.rounds(until=lambda: office.shown(webhook)["parked"])
    assert sorted(receiver.positions()) == [1, 2, 4, 5, 6]
    [lane] = office.shown(webhook)["lanes"]
    assert (lane["delivered_up_to"], lane["why"]) == (
        0,
        "was sent nothing: the entry cannot be read",
    )
    assert position == 3


# Looking after it


def test_a_replay_sends_everything_again(office: Office, receiver: Receiver) -> None:
    """From a place on, under the same ids; what was parked comes along."""
    plan = office.plan(goals=3)
    receiver.answering = refusing(plan, 4)
    webhook = office.webhook(receiver)
    office.rounds(until=lambda: office.shown(webhook)["parked"])
    office.container.webhooks.replay(office.admin, UUID(webhook["webhook_id"]), "1")
    office.rounds()
    assert receiver.positions() == [2, 3, 4, 5]
    office.container.webhooks.replay(office.admin, UUID(webhook["webhook_id"]), "0")
    office.rounds()
    assert receiver.positions() == [2, 3, 4, 5, 1, 2, 3, 4, 5]
    assert len({held.id for held in receiver.taken}) == 5


def test_a_secret_is_changed_without_loss(office: Office, receiver: Receiver) -> None:
    """During the overlap both the old and the new one verify; afterwards the new one alone."""
    plan = office.plan()
    webhook = office.webhook(receiver)
    webhook_id = UUID(webhook["webhook_id"])
    rotated = office.container.webhooks.rotate(office.admin, webhook_id)
    office.rounds()
    for secret in (webhook["secret"], rotated["secret"]):
        assert receiver.taken[-1].verified(secret)
    final = office.container.webhooks.rotate(office.admin, webhook_id, overlap_hours=0)
    office.record(plan)
    office.rounds()
    assert receiver.taken[-1].verified(final["secret"])
    for secret in (webhook["secret"], rotated["secret"]):
        with pytest.raises(WebhookVerificationError):
            receiver.taken[-1].verified(secret)


def test_one_that_is_deleted_leaves_nothing(
    office: Office, receiver: Receiver, owner: psycopg.Connection[Any]
) -> None:
    """Its secrets go at once, its books with the next round; nothing more is sent."""
    office.plan(goals=1)
    webhook = office.webhook(receiver)
    office.rounds()
    office.container.webhooks.delete(office.admin, UUID(webhook["webhook_id"]))
    secrets = owner.execute("SELECT count(*) FROM webhook_secrets").fetchone()
    assert secrets == (0,)
    office.plan()
    office.rounds()
    assert len(receiver.seen) == 3
    for table in ("webhooks", "webhook_cursors", "webhook_lanes", "webhook_attempts"):
        left = owner.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
        assert left == (0,), table


def test_the_log_forgets_after_a_month(
    office: Office, receiver: Receiver, owner: psycopg.Connection[Any]
) -> None:
    """What is older than 30 days goes; the rest stays."""
    plan = office.plan(goals=1)
    webhook = office.webhook(receiver)
    office.rounds()
    owner.execute(
        "UPDATE webhook_attempts SET attempted_at = now() - interval '31 days' WHERE position = 1"
    )
    office.record(plan)
    office.rounds()
    assert [held["position"] for held in office.log(webhook)] == [2, 3, 4]


# Side by side


def test_several_deliverers_share_the_work(office: Office) -> None:
    """Nothing arrives twice or out of order, and every webhook gets everything."""
    plans = [office.plan(goals=10) for _ in range(6)]
    with receiving() as one, receiving() as two, receiving() as three:
        webhooks = [office.webhook(held) for held in (one, two, three)]
        stop = threading.Event()
        with ThreadPoolExecutor(2) as pool:
            for _ in range(2):
                pool.submit(deliver, office.url, office.terms, office.showing, stop, 2)
            assert soon(lambda: all(office.shown(held)["behind"] == 0 for held in webhooks), 30)
            stop.set()
        for receiver in (one, two, three):
            assert sorted(receiver.positions()) == list(range(1, 73))
            for plan in plans:
                assert receiver.positions(plan) == sorted(receiver.positions(plan))


def test_a_slow_receiver_holds_up_no_other_webhook(office: Office, receiver: Receiver) -> None:
    """While one of them thinks, the others are told."""
    office.plan()
    thinking = threading.Event()
    with receiving() as slow:
        slow.answering = lambda _: Reply(204 if thinking.wait(20) else 500)
        office.webhook(slow)
        office.webhook(receiver)
        stop = threading.Event()
        running = threading.Thread(
            target=deliver, args=(office.url, office.terms, office.showing, stop, 2)
        )
        running.start()
        assert soon(lambda: receiver.taken and slow.seen)
        assert not slow.taken
        thinking.set()
        stop.set()
        running.join(20)
        assert not running.is_alive()


def test_a_deliverer_that_dies_in_the_middle_loses_nothing(
    office: Office, receiver: Receiver
) -> None:
    """Its lease ends with its session; the next sends what was not noted, under the same ids."""
    office.plan(goals=4)
    webhook = office.webhook(receiver)
    here = threading.Barrier(2)

    def answer(delivery: Delivery) -> Reply:
        if delivery.position == 3 and len(receiver.seen) == 3:
            here.wait(10)
            here.wait(10)
        return Reply()

    receiver.answering = answer

    def dying() -> None:
        with pytest.raises(psycopg.OperationalError), connect(office.url) as conn:
            Dispatcher(conn, office.terms, office.showing, office.pool).round()

    with ThreadPoolExecutor(1) as pool:
        died = pool.submit(dying)
        here.wait(10)
        with psycopg.connect(office.url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'plan-history-deliverer' AND datname = current_database()"
            )
        here.wait(10)
        died.result(20)
    assert office.shown(webhook)["position"] == 0
    office.rounds()
    firsts = list(dict.fromkeys(receiver.positions()))
    assert firsts == [1, 2, 3, 4, 5, 6]


# What keeps this true: two dispatchers that do it wrongly are found out (wrong.py)


def test_control_moving_on_first_loses_entries(office: Office, receiver: Receiver) -> None:
    """A receiver that fails for a moment misses an entry for good, which the true one delivers."""
    office.plan(goals=5)
    receiver.answering = lambda _: Reply(500 if len(receiver.seen) == 3 else 204)
    office.webhook(receiver)
    office.kind = Hasty
    office.rounds()
    assert receiver.positions() != list(range(1, 8))
    receiver.seen.clear()
    receiver.taken.clear()
    office.kind = Dispatcher
    office.webhook(receiver)
    office.rounds(until=lambda: len(receiver.taken) == 7)
    assert receiver.positions() == list(range(1, 8))


def test_control_sending_side_by_side_breaks_the_order(office: Office, receiver: Receiver) -> None:
    """A receiver that takes longer over the first entries gets them later than the last."""
    office.plan(goals=5)
    office.webhook(receiver)
    others = threading.Event()

    def answer(delivery: Delivery) -> Reply:
        if delivery.position == 1:
            others.wait(1)
        elif delivery.position == 7:
            others.set()
        return Reply()

    receiver.answering = answer
    office.kind = Scattering
    office.rounds(until=lambda: len(receiver.taken) >= 7)
    assert receiver.positions() != sorted(receiver.positions())
    begun = time.monotonic()
    receiver.taken.clear()
    office.kind = Dispatcher
    office.webhook(receiver)
    office.rounds(until=lambda: len(receiver.taken) == 7)
    assert receiver.positions() == sorted(receiver.positions())
    assert time.monotonic() - begun < 10
