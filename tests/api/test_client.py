"""The client in docs/examples does what the guide says, against the real API over HTTP."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from werkzeug.serving import make_server

from tests.api.house import OPENING, Desk, House, an_id, entry, goal, new_desk

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "examples"


@pytest.fixture(scope="module")
def example() -> Iterator[Any]:
    """The file, as somebody would copy it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        yield importlib.import_module("plan_history_client")


@pytest.fixture(scope="module")
def desk(house: House) -> Desk:
    """Somebody with a plan."""
    return new_desk(house)


@pytest.fixture(scope="module")
def client(example: Any, desk: Desk) -> Iterator[Any]:
    """The client with their token, talking to a server on a port of its own."""
    server = make_server("127.0.0.1", 0, desk.house.app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    token = desk.caller.headers["Authorization"].removeprefix("Bearer ")
    yield example.PlanHistory(f"http://127.0.0.1:{server.server_port}", token)
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_plan_is_opened_recorded_in_and_read(client: Any, desk: Desk) -> None:
    """Now, at a version, at a moment; a key that is used again records nothing twice."""
    mine = {"therapist_id": str(desk.caller.who.member_id), "client_ref": "c-client"}
    opened = client.open_plan({**OPENING, **mine}, [goal()], key="opening-1")
    plan_id = opened["plan_id"]
    assert client.open_plan({**OPENING, **mine}, [goal()], key="opening-1") == opened
    before = datetime.now(UTC)
    done = client.record(plan_id, [entry("SetbackNoted", what="A bad night")], seen=2)
    assert done["version"] == 3
    assert [client.plan(plan_id)["version"], client.plan(plan_id, version=1)["version"]] == [3, 1]
    assert client.plan(plan_id, as_of=before)["version"] == 2
    told = [held["type"] for held in client.timeline(plan_id, limit=1)]
    assert told == ["PlanOpened", "GoalSet", "SetbackNoted"]


def test_a_refusal_is_an_error_with_its_code(client: Any, desk: Desk, example: Any) -> None:
    """Stale, invalid, not there: each names itself, and the field."""
    with pytest.raises(example.ProblemError) as stale:
        client.record(desk.plan_id, [goal()], seen=7)
    assert (stale.value.status, stale.value.code) == (412, "plan-changed")
    with pytest.raises(example.ProblemError) as wrong:
        client.record(desk.plan_id, [goal("")])
    assert wrong.value.errors[0]["pointer"] == "/entries/0/data/statement"
    with pytest.raises(example.ProblemError) as nowhere:
        client.plan(an_id())
    assert nowhere.value.code == "plan-not-found"


def test_whatever_a_route_answers_is_handed_on(client: Any, desk: Desk) -> None:
    """Files as bytes, tables, lines and pages as text, JSON of any kind parsed, nothing as None."""
    desk.house.catch_up()
    export = f"/v1/plans/{desk.plan_id}/export"
    assert client.send("GET", export)[:2] == b"PK"
    told = client.send("GET", export, query={"format": "csv"})
    assert desk.plan_id in told.splitlines()[1]
    assert client.send("GET", export, query={"format": "html"}).startswith("<!doctype html>")
    assert client.send("GET", export, query={"format": "fhir"})["resourceType"] == "Bundle"
    lines = {"Accept": "application/x-ndjson"}
    told = client.send("GET", f"/v1/plans/{desk.plan_id}/timeline", headers=lines)
    assert "PlanOpened" in told.splitlines()[0]
    seen = {"If-None-Match": f'"{client.plan(desk.plan_id)["version"]}"'}
    assert client.send("GET", f"/v1/plans/{desk.plan_id}", headers=seen) is None


def test_what_was_deleted_answers_nothing(client: Any, desk: Desk, example: Any) -> None:
    """204, as None; the second time there is none."""
    admin = desk.house.sign_in(desk.clinic, "admin")
    token = admin.headers["Authorization"].removeprefix("Bearer ")
    mine = example.PlanHistory(client.url, token)
    wanted = {"url": "https://93.184.216.34/", "recipient": "The registry"}
    made = mine.send("POST", "/v1/webhooks", wanted)
    assert mine.send("DELETE", f"/v1/webhooks/{made['webhook_id']}") is None
    with pytest.raises(example.ProblemError) as gone:
        mine.send("DELETE", f"/v1/webhooks/{made['webhook_id']}")
    assert gone.value.code == "webhook-not-found"


def test_refusals_of_fhir_are_errors_like_any_other(client: Any, example: Any) -> None:
    """With the same code; a search is posted as a form, as it is."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    found = client.send("POST", "/fhir/R4/Goal/_search", b"patient=nobody", headers=form)
    assert found["total"] == 0
    with pytest.raises(example.ProblemError) as refused:
        client.send("POST", "/fhir/R4/Goal/_search", {"patient": "nobody"})
    assert (refused.value.status, refused.value.code) == (415, "unsupported-media-type")
    assert "form" in refused.value.detail
    assert example._problem(502, b"<html>Bad gateway</html>")["code"] == "http-502"
