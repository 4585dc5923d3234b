"""Signatures through the API: the hash that is kept is that of what was signed."""

from __future__ import annotations

from uuid import UUID

from tests.api.test_plans_end_to_end import open_plan
from tests.conftest import Caller


def test_a_version_made_and_signed_in_one_request_keeps_its_hash(caller: Caller) -> None:
    """What the database stamps afterwards does not change what was signed."""
    plan_id = open_plan(caller)
    goal = {"type": "GoalSet", "data": {"statement": "Half an hour in the park"}}
    sign = {"type": "PlanSigned", "data": {"of_version": 2, "meaning": "author"}}
    answer = caller.post(f"/v1/plans/{plan_id}/entries", {"entries": [goal, sign]})
    assert answer.status_code == 201, answer.text
    container = caller.client.application.extensions["plan-history"]
    plan = container.plans.recording.record_of(caller.who.clinic_id).plan(UUID(plan_id))
    (signature,) = plan.state.signatures.signed
    assert signature.content_hash == plan.content_hash(2)
    assert plan.document()["status"] == "active"
