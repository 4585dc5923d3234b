"""The worklist's page: whatever a plan can owe is shown, with a next step for whoever can take it."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest

from api.pages.worklist import GRAVEST, NEXT_STEP
from domain.entry import TYPES
from domain.obligations import KINDS
from tests.api.house import OPENING, Desk, House, entry
from tests.api.test_pages_reach import at_the_browser

ANSWERED_ELSEWHERE = {"emergency_review"}
"""By a privacy officer or an auditor, on a page of theirs."""


def test_every_kind_has_its_next_step() -> None:
    """An entry that one can record; or it is known to be somebody else's."""
    assert set(NEXT_STEP) | ANSWERED_ELSEWHERE == set(KINDS) == set(GRAVEST)
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


def owing(house: House, plans: int) -> Desk:
    """A clinician of a team whose plans were opened long ago: each lacks a review and a first signature."""
    clinic = house.clinic()
    therapist, supervisor = house.sign_in(clinic), house.sign_in(clinic, "supervisor")
    opening = {
        **OPENING,
        "supervisor_id": str(supervisor.who.member_id),
        "occurred_at": (house.container.clock() - timedelta(days=400)).isoformat(),
    }
    made = ""
    for number in range(plans):
        body = {**opening, "client_ref": f"c-{number}", "client_label": f"Client {number}"}
        made = therapist.post("/v1/plans", body).json["plan_id"]
    house.catch_up()
    return Desk(house, clinic, supervisor, made)


@pytest.fixture(scope="module")
def many(house: House) -> Desk:
    """A supervisor with more than one page can hold."""
    return owing(house, 130)


def test_counts_are_those_of_all_pages(many: Desk) -> None:
    """At a glance, however many there are; what is due after those shown is a page further on."""
    browser = at_the_browser(many.house, many.caller)
    page = browser.get("/worklist").text
    assert re.findall(r"<b>([\d,]+)</b><span>(\w+)", page) == [
        ("260", "Overdue"),
        ("0", "Due"),
        ("0", "Later"),
    ]
    assert page.count('class="owed"') == 200
    [following] = re.findall(r'href="([^"]*cursor=[^"]*)"', page)
    assert browser.get(following.replace("&amp;", "&")).text.count('class="owed"') == 60


def test_plan_by_plan_each_is_told_once(many: Desk) -> None:
    """With everything it needs, the gravest first; the choice stays with the filter."""
    browser = at_the_browser(many.house, many.caller)
    page = browser.get("/worklist?by=plan&due=overdue").text
    heads = re.findall(r'<h2 id="group-([0-9a-f-]{36})"', page)
    assert len(heads) == len(set(heads)) >= 70
    assert page.index("First signature") < page.index("Formal review")
    assert "by=plan" in re.findall(r'class="tile[^"]*" href="([^"]+)"', page)[1]


@pytest.mark.parametrize("query", ["due=soon", "by=colour", "team=7", "team=", "due=later&by=plan"])
def test_an_odd_address_of_the_worklist_opens_it(many: Desk, query: str) -> None:
    """With what it would show anyway."""
    assert at_the_browser(many.house, many.caller).get(f"/worklist?{query}").status_code == 200


def test_a_clinician_has_no_team(desk: Desk) -> None:
    """And no switch to one."""
    page = at_the_browser(desk.house, desk.caller).get("/worklist?team=1").text
    assert "What your plans need" in page
    assert "My team’s" not in page


def test_what_a_colleague_waits_for_comes_first(house: House) -> None:
    """A co-signature, even behind more than a page of what is overdue."""
    supervisor = owing(house, 110)
    therapist = house.sign_in(supervisor.clinic)
    place = f"/v1/plans/{supervisor.plan_id}/entries"
    signed = entry("PlanSigned", of_version=1, meaning="author")
    assert therapist.post(place, {"entries": [signed]}).status_code == 201
    house.catch_up()
    page = at_the_browser(house, supervisor.caller).get("/worklist").text
    assert re.findall(r'<h2 id="group-(\w+)"', page)[0] == "cosignature"
    assert "Co-sign<" in page
