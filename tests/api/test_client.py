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
