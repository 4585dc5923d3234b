"""Signatures through the API: the hash that is kept is that of what was signed."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg

from service.transfer import export_lines
from tests.api.test_plans_end_to_end import open_plan
from tests.conftest import Caller
from tests.keys import keys


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


def test_the_hash_can_be_computed_from_an_export_alone(
    caller: Caller, owner: psycopg.Connection[Any]
) -> None:
    """By somebody who has nothing but its lines and the formula; entries without a moment as well."""
    plan_id = open_plan(caller)
    goal = {"type": "GoalSet", "data": {"statement": "Half an hour in the park, früh"}}
    sign = {"type": "PlanSigned", "data": {"of_version": 2, "meaning": "author"}}
    for entry in (goal, sign):
        answer = caller.post(f"/v1/plans/{plan_id}/entries", {"entries": [entry]})
        assert answer.status_code == 201, answer.text

    _, lines = export_lines(owner, caller.who.clinic_id, keys())
    told = [held for line in lines if (held := json.loads(line))["plan_id"] == str(plan_id)]

    content = [
        {"entry_id": line["entry_id"], "topic": line["topic"]}
        | {"occurred_at": line["recorded_at"]}
        | line["state"]
        for line in told[:2]
    ]
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    signed = told[2]["state"]["data"]["content_hash"]
    assert sha256(canonical.encode()).hexdigest() == signed
