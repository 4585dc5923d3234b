"""The worklist's page: whatever a plan can owe is shown, with a next step for whoever can take it."""

from __future__ import annotations

from uuid import uuid4

from api.pages.worklist import NEXT_STEP
from domain.entry import TYPES
from domain.obligations import KINDS
from tests.api.house import Desk
from tests.api.test_pages_reach import at_the_browser

ANSWERED_ELSEWHERE = {"emergency_review"}
"""By a privacy officer or an auditor, on a page of theirs."""


def test_every_kind_has_its_next_step() -> None:
    """An entry that one can record; or it is known to be somebody else's."""
    assert set(NEXT_STEP) | ANSWERED_ELSEWHERE == set(KINDS)
    assert {name for name, _ in NEXT_STEP.values()} <= set(TYPES)


def test_what_others_answer_is_shown_without_a_button(desk: Desk) -> None:
    """An emergency access waits for its review: whoever treats sees that, and cannot give it."""
    other = desk.house.sign_in(desk.clinic, name="Kim Other", member_id=uuid4())
    asked = {"plan_id": desk.plan_id, "why": "At the front desk"}
    assert other.post("/v1/emergency-access", asked).status_code == 201
    desk.house.catch_up()
    answer = at_the_browser(desk.house, desk.caller).get("/worklist")
    assert answer.status_code == 200
    assert "Emergency review" in answer.text
