"""The main job through the API: open a plan, set a goal, read it back with its timeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.conftest import Caller

OPENING = {
    "client_ref": "c-1",
    "client_label": "Client One",
    "initiated_by": "client",
    "presenting_concern": "Leaving the house has become hard.",
    "hopes": "To sit in the park again.",
    "signs_of_improvement": "I go out without planning for days.",
    "therapist_id": "00000000-0000-4000-8000-000000000001",
}


def open_plan(caller: Caller, **more: Any) -> str:
    """A plan opened through the API; its id."""
    answer = caller.post("/v1/plans", {**OPENING, **more})
    assert answer.status_code == 201, answer.text
    plan_id: str = answer.json["plan_id"]
    return plan_id


def test_a_goal_set_is_read_back_with_its_timeline(
    caller: Caller, catch_up: Callable[[], int]
) -> None:
    """The thinnest path works: what was recorded is in the plan and told in its timeline."""
    plan_id = open_plan(caller)
    goal = {"type": "GoalSet", "data": {"statement": "Half an hour in the park"}}
    recorded = caller.post(f"/v1/plans/{plan_id}/entries", {"entries": [goal]}, If_Match='"1"')
    assert recorded.status_code == 201
    assert recorded.headers["ETag"] == '"2"'

    for _ in ("before the projector", "after it"):
        plan = caller.get(f"/v1/plans/{plan_id}")
        assert plan.headers["ETag"] == '"2"'
        assert [held["statement"] for held in plan.json["goals"]] == ["Half an hour in the park"]
        told = caller.get(f"/v1/plans/{plan_id}/timeline").json["entries"]
        assert [held["type"] for held in told] == ["PlanOpened", "GoalSet"]
        assert told[1]["sentence"] == "A goal was set: “Half an hour in the park”."
        catch_up()
