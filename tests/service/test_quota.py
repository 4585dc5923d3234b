"""The quota: generous, shared by all workers, and never in the way when it cannot be asked."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest

from api.app import create_app
from service.access import Principal
from service.container import Container, build
from service.database import Database
from service.errors import QuotaExceededError
from service.identity import Brake
from service.identity.brake import MOST_ADDRESSES
from service.quota import Quota
from tests.api.house import refused
from tests.conftest import Clinic


class Watch:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def taken(quota: Quota, who: Principal, most: int = 10_000) -> int:
    """How many requests pass before one is refused."""
    for number in range(most):
        try:
            quota.take(who)
        except QuotaExceededError:
            return number
    return most


@pytest.fixture
def another(database_url: str) -> Iterator[Database]:
    """The database as another worker has it."""
    held = Database(database_url).open()
    yield held
    held.close()


def test_a_burst_passes_and_no_more(container: Container, clinic: Clinic) -> None:
    """As many as the bucket holds; whoever is refused is told when to go on."""
    quota, who = Quota(container.database, per_minute=6, burst=40), clinic.member()
    assert taken(quota, who) == 40
    with pytest.raises(QuotaExceededError) as refusal:
        quota.take(who)
    assert 1 <= refusal.value.facts["retry_after"] <= 10
    assert f"in {refusal.value.facts['retry_after']} s" in str(refusal.value)


def test_workers_share_the_bucket(container: Container, another: Database, clinic: Clinic) -> None:
    """Two workers, four threads each, all at once: together they pass what one alone would."""
    who = clinic.member()
    workers = [
        Quota(database, per_minute=1, burst=100) for database in (container.database, another)
    ]
    with ThreadPoolExecutor(8) as pool:
        passed = [pool.submit(taken, workers[number % 2], who) for number in range(8)]
        assert sum(held.result() for held in passed) == 100


def test_each_member_has_a_bucket_of_their_own(container: Container, clinic: Clinic) -> None:
    """One script that runs away slows nobody else down."""
    quota = Quota(container.database, per_minute=1, burst=20)
    one, other = (replace(clinic.member(), member_id=uuid4()) for _ in range(2))
    assert taken(quota, one) == 20
    assert taken(quota, other, 10) == 10
    with pytest.raises(QuotaExceededError):
        quota.take(replace(one, token_id=other.token_id))


def test_the_bucket_fills_by_itself(
    container: Container, clinic: Clinic, owner: psycopg.Connection[object]
) -> None:
    """Evenly, and never above the burst."""
    watch = Watch()
    quota, who = Quota(container.database, per_minute=60, burst=20, clock=watch), clinic.member()
    assert taken(quota, who) == 20
    owner.execute("UPDATE quotas SET counted_at = counted_at - interval '5 seconds'")
    watch.now += 5
    assert taken(quota, who) in (5, 6)
    owner.execute("UPDATE quotas SET counted_at = counted_at - interval '1 hour'")
    watch.now += 3600
    assert taken(quota, who) in (20, 21)


def test_most_requests_cost_no_round_trip(
    container: Container, clinic: Clinic, owner: psycopg.Connection[object]
) -> None:
    """A worker takes a twentieth of the burst at a time; refused, it does not ask again until it may."""
    asked: list[Principal] = []

    class Counting(Quota):
        def _ask(self, principal: Principal) -> tuple[int, float]:
            asked.append(principal)
            return super()._ask(principal)

    quota, who = Counting(container.database, per_minute=1, burst=600), clinic.member()
    assert taken(quota, who) == 600
    assert len(asked) == 21
    for _ in range(50):
        assert taken(quota, who) == 0
    assert len(asked) == 21


def test_the_clock_of_the_database_going_back_takes_nothing_away(
    container: Container, clinic: Clinic, owner: psycopg.Connection[object]
) -> None:
    """Time counts forward only."""
    quota, who = Quota(container.database, per_minute=1, burst=20), clinic.member()
    quota.take(who)
    owner.execute("UPDATE quotas SET counted_at = counted_at + interval '1 hour'")
    assert taken(quota, who) == 19


def test_without_a_quota_everything_passes(container: Container, clinic: Clinic) -> None:
    """0 a minute turns it off."""
    assert taken(Quota(container.database, per_minute=0, burst=1), clinic.member(), 500) == 500


def test_it_is_open_while_it_cannot_be_asked(clinic: Clinic) -> None:
    """Without a database requests pass for a second at a time, and hardly wait."""
    gone = Database("host=/nowhere dbname=none").open()
    watch = Watch()
    quota = Quota(gone, per_minute=60, burst=20, clock=watch)
    assert taken(quota, clinic.member(), 200) == 200
    gone.close()


def test_nobody_else_writes_or_reads_it(
    container: Container, clinic: Clinic, owner: psycopg.Connection[object]
) -> None:
    """The API may ask the function and nothing else."""
    Quota(container.database, per_minute=1, burst=1).take(clinic.member())
    for statement in (
        b"SELECT FROM quotas",
        b"UPDATE quotas SET remaining = 9",
        b"TRUNCATE quotas",
    ):
        with (
            container.database.clinic(clinic.clinic_id) as conn,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            conn.execute(statement)


def test_too_many_requests_are_a_problem_with_a_time(container: Container, clinic: Clinic) -> None:
    """429 with Retry-After, on every route that needs a token; the open ones are not counted."""
    held = build(replace(container.settings, quota_per_minute=1, quota_burst=3))
    client, headers = (
        create_app(held).test_client(),
        {"Authorization": f"Bearer {clinic.token(clinic.member())}"},
    )
    codes = [client.get("/v1/me", headers=headers).status_code for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    answer = client.get("/v1/plans", headers=headers)
    problem = refused(answer, 429, "quota-exceeded")
    assert answer.headers["Retry-After"] == str(problem["retry_after"])
    assert 1 <= problem["retry_after"] <= 60
    assert client.get("/livez", headers=headers).status_code == 200
    held.close()


# Failed sign-ins


def test_whoever_guesses_is_slowed_down(container: Container, clinic: Clinic) -> None:
    """After so many failures a minute from one address: 429; good tokens of that address go on."""
    held = build(replace(container.settings, failed_sign_ins=5))
    client = create_app(held).test_client()
    good = {"Authorization": f"Bearer {clinic.token(clinic.member())}"}
    bad = {"Authorization": "Bearer ph_" + "x" * 43}
    assert client.get("/v1/me", headers=good).status_code == 200
    codes = [client.get("/v1/me", headers=bad).status_code for _ in range(7)]
    assert codes == [401] * 5 + [429] * 2
    answer = client.get("/v1/me", headers=bad)
    refused(answer, 429, "quota-exceeded", saying="failed sign-ins")
    assert int(answer.headers["Retry-After"]) >= 1
    assert client.get("/v1/me", headers=good).status_code == 200
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.get("/v1/me", headers=bad, environ_base=elsewhere).status_code == 401
    held.close()


def test_failures_are_forgotten_over_a_minute() -> None:
    """Evenly, and a network of IPv6 counts as one."""
    watch = Watch()
    brake = Brake(6, clock=watch)
    for number in range(6):
        brake.failed(f"2001:db8::{number + 1}")
    with pytest.raises(QuotaExceededError) as refusal:
        brake.refuse("2001:db8::ffff")
    assert refusal.value.facts["retry_after"] == 10
    brake.refuse("2001:db8:0:1::1")
    watch.now += 10
    brake.refuse("2001:db8::ffff")


def test_addresses_without_number_fill_no_memory() -> None:
    """The oldest are forgotten."""
    brake = Brake(6)
    for number in range(MOST_ADDRESSES + 500):
        brake.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(brake._failures) == MOST_ADDRESSES
    brake.failed(None)
    brake.refuse("no address")
