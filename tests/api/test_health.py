"""Alive, ready, and how it is doing: also when the database is gone, and never with a client's words."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient

from api.app import create_app
from service.container import build
from service.database import OWNER_ROLE, dsn_as
from service.embedded import EmbeddedPostgres
from service.migrate import migrate
from tests.api.house import OPENING, Desk, House, goal, new_desk, refused
from tests.keys import settings


def test_alive_and_ready(house: House) -> None:
    """Both answer without a token; ready tells of the database, migrations and projections."""
    assert house.client.get("/livez").get_json() == {"alive": True}
    answer: Any = house.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json["ready"] is True
    assert (answer.json["database"], answer.json["migrations_pending"]) == ("ok", [])


def test_ready_tells_how_far_projections_are(desk: Desk) -> None:
    """A projection that is behind shows by how much, and does not make the service unready."""
    desk.house.catch_up()
    desk.record(goal(), goal())
    answer: Any = desk.house.client.get("/readyz")
    assert answer.status_code == 200
    behind = {name: held["entries_behind"] for name, held in answer.json["projections"].items()}
    assert behind["timeline"] == behind["current_plans"] == 2
    desk.house.catch_up()
    again: Any = desk.house.client.get("/readyz")
    assert {held["entries_behind"] for held in again.json["projections"].values()} == {0}


def test_not_ready_before_it_is_migrated(house: House) -> None:
    """A database that lacks a migration: 503, naming it."""
    name, checksum = house.owner.execute(
        "SELECT name, checksum FROM migrations LIMIT 1"
    ).fetchone() or ("", "")
    house.owner.execute("DELETE FROM migrations WHERE name = %s", [name])
    try:
        answer: Any = house.client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json["ready"] is False
        assert answer.json["migrations_pending"] == [name]
    finally:
        house.owner.execute(
            "INSERT INTO migrations (name, checksum) VALUES (%s, %s)", [name, checksum]
        )


@pytest.fixture
def stopped() -> Iterator[tuple[FlaskClient, EmbeddedPostgres, dict[str, str], str]]:
    """A service whose database was there and is stopped; its address, a token and a plan from before."""
    with tempfile.TemporaryDirectory(prefix="ph-stop-") as home:
        server = EmbeddedPostgres(Path(home), fast=True)
        with server:
            migrate(server.dsn())
            url = server.dsn()
            container = build(settings(url, request_seconds=1.0))
            app = create_app(container)
            with psycopg.connect(dsn_as(url, OWNER_ROLE, seconds=60), autocommit=True) as owner:
                house = House(container, app, owner, url)
                desk = new_desk(house)
                desk.record(goal())
                house.catch_up()
                headers = desk.caller.headers
        yield app.test_client(), server, headers, desk.url
        container.close()


def test_without_its_database_it_is_alive_and_says_so_quickly(
    stopped: tuple[FlaskClient, EmbeddedPostgres, dict[str, str], str],
) -> None:
    """Stopped: /livez 200, /readyz 503, /metrics 200, all else 503 with Retry-After, within seconds."""
    client, _, headers, plan = stopped
    assert client.get("/livez").status_code == 200
    ready = timed(client, "/readyz")
    assert (ready.status_code, ready.json["ready"]) == (503, False)
    assert ready.json["database"] == "out of reach"
    assert b"plan_history_requests_total" in timed(client, "/metrics").data
    for path in (plan, f"{plan}/timeline", "/v1/plans", "/v1/timeline", "/v1/me"):
        answer = timed(client, path, headers)
        refused(answer, 503, "store-unavailable", saying="try again")
        assert answer.headers["Retry-After"]
    sent = client.post(f"{plan}/entries", json={"entries": [goal()]}, headers=headers)
    refused(sent, 503, "store-unavailable")
    opened = client.post("/v1/plans", json=OPENING, headers={**headers, "Idempotency-Key": "k"})
    refused(opened, 503, "store-unavailable")


def timed(client: FlaskClient, path: str, headers: dict[str, str] | None = None) -> Any:
    """GET, which must be answered well within the time that a request may take."""
    started = time.monotonic()
    answer = client.get(path, headers=headers)
    assert time.monotonic() - started < 8, path  # 3 s, and what a busy machine adds
    return answer


# Metrics


def metrics(house: House) -> dict[str, float]:
    """Every sample by its name and labels."""
    answer = house.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    lines = answer.get_data(as_text=True).splitlines()
    samples = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}


def test_requests_are_counted_by_route(desk: Desk) -> None:
    """Method, route and status; the route with its placeholder, never the id."""
    name = 'plan_history_requests_total{method="GET",route="/v1/plans/<uuid:plan_id>",status="200"}'
    before = metrics(desk.house).get(name, 0)
    for _ in range(3):
        desk.get()
    shown = metrics(desk.house)
    assert shown[name] == before + 3
    assert shown['plan_history_request_seconds_count{route="/v1/plans/<uuid:plan_id>"}'] >= 3


def test_the_lag_of_projections_is_there(desk: Desk) -> None:
    """How many entries each projection has not taken in, and where one has stopped."""
    desk.house.catch_up()
    desk.record(goal())
    shown = metrics(desk.house)
    assert shown['plan_history_projection_entries_behind{projection="timeline"}'] == 1
    assert shown['plan_history_projection_clinics_stopped{projection="timeline"}'] == 0


def test_metrics_tell_nothing_of_clients(desk: Desk) -> None:
    """No word, id or reference of a plan, and no label that callers can make up."""
    desk.record(goal("Walk in the park"))
    house = desk.house
    odd = [f"BREW{number}" for number in range(5)]
    for number, method in enumerate(odd):
        house.client.open(f"/v1/made-up-{number}", method=method)
        house.client.open(f"/v1/plans/made-up-{number}?client_ref=Mira")
    text = house.client.get("/metrics").get_data(as_text=True)
    clinic_id, member_id = str(desk.clinic.clinic_id), str(desk.caller.who.member_id)
    told = (desk.plan_id, clinic_id, member_id, "Walk in", "Client One", "c-1", "Mira", "made-up")
    assert not [word for word in (*told, *odd) if word in text]
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", text)
    assert 'method="(other)",route="(none)"' in text
