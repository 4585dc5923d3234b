"""Emergency access on the pages: what it means is said before, it is shown while it lasts, and looked at afterwards."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.app import create_app
from service.container import build
from tests.api.house import Desk, House
from tests.api.test_pages_reach import at_the_browser
from tests.conftest import Caller

WAITS = '1<span class="sr"> to be looked at'
WHY = "At the front desk, shaking"


@pytest.fixture
def other(desk: Desk) -> Caller:
    """A clinician of the same clinic who has nothing to do with the plan."""
    return desk.house.sign_in(desk.clinic, name="Kim Other", member_id=uuid4())


@pytest.fixture
def officer(desk: Desk) -> Caller:
    """The clinic's privacy officer."""
    return desk.house.sign_in(desk.clinic, "privacy_officer", name="Jo Keeper")


def send(browser: FlaskClient, place: str, **form: str) -> TestResponse:
    """A form, as the page sends it."""
    page = browser.get(place)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    return browser.post(place, data={**hidden, **form})


def look_in(browser: FlaskClient, whose: str, **form: str) -> TestResponse:
    """Take emergency access."""
    return send(browser, "/emergency", **{"plan": whose, "why": WHY, "minutes": "30", **form})


def test_what_is_not_there_offers_the_way_in(desk: Desk, other: Caller) -> None:
    """To those who may take it, whether or not there is such a plan; to nobody else."""
    browser = at_the_browser(desk.house, other)
    pages = [browser.get(f"/plans/{plan}") for plan in (desk.plan_id, uuid4())]
    assert [page.status_code for page in pages] == [404, 404]
    offers = [re.sub(r"[0-9a-f-]{32,}", "…", page.text) for page in pages]
    assert offers[0] == offers[1]
    assert f"/emergency?plan_id={desk.plan_id}" in pages[0].text
    auditor = at_the_browser(desk.house, desk.house.sign_in(desk.clinic, "auditor"))
    assert "/emergency" not in auditor.get(f"/plans/{desk.plan_id}").text
    assert auditor.get("/emergency").status_code == 403


def test_it_is_said_what_it_means_before_the_button(desk: Desk, other: Caller) -> None:
    """That it is written down at once, that it is looked at, that one records nothing."""
    page = at_the_browser(desk.house, other).get(f"/emergency?plan_id={desk.plan_id}").text
    before, _, _ = page.partition('<button class="grave"')
    for said in ("written into the plan’s history at once", "within 3 days", "record nothing"):
        assert said in before
    assert f'value="{desk.plan_id}"' in before


def test_who_looks_in_sees_until_when_on_every_page(desk: Desk, other: Caller) -> None:
    """And is offered no page that would refuse them."""
    browser = at_the_browser(desk.house, other)
    done = look_in(browser, "c-1")
    assert done.headers["Location"] == f"/plans/{desk.plan_id}"
    for place in ("", "/replay", "/timeline"):
        page = browser.get(f"/plans/{desk.plan_id}{place}")
        assert page.status_code == 200
        assert "You are looking in because of an emergency" in page.text
        assert re.search(r'data-left="1[78]\d\d"', page.text)
        assert f"/plans/{desk.plan_id}/record" not in page.text
        assert f"/plans/{desk.plan_id}/evidence" not in page.text
    for place in ("/record", "/evidence", "/evidence/csv", "/disclosures"):
        assert browser.get(f"/plans/{desk.plan_id}{place}").status_code == 404
    mine = at_the_browser(desk.house, desk.caller).get(f"/plans/{desk.plan_id}").text
    assert "You are looking in" not in mine


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"why": ""}, "why-fault"),
        ({"why": " \n "}, "why-fault"),
        ({"minutes": "61"}, "fault"),
        ({"minutes": "soon"}, "fault"),
        ({"minutes": ""}, None),
        ({"plan": ""}, "plan-fault"),
        ({"plan": "c-nobody"}, "There is no plan of that client here"),
        ({"plan": str(uuid4())}, "plan-fault"),
    ],
)
def test_a_form_that_is_not_right_says_so_at_the_field(
    desk: Desk, other: Caller, form: dict[str, str], said: str | None
) -> None:
    """What was typed stays; the plan stays closed. Without a choice it is an hour, as in the API."""
    browser = at_the_browser(desk.house, other)
    answer = look_in(browser, desk.plan_id, **form)
    if said is None:
        assert answer.status_code == 303
        return
    assert answer.status_code in (404, 422)
    assert said in answer.text
    assert form.get("why", WHY).strip() in answer.text
    assert browser.get(f"/plans/{desk.plan_id}").status_code == 404


def test_an_impatient_click_looks_in_once(desk: Desk, other: Caller) -> None:
    """The second one leads to the plan, too, and nothing is written twice."""
    browser = at_the_browser(desk.house, other)
    assert look_in(browser, "c-1").status_code == 303
    with desk.house.nothing_written():
        again = look_in(browser, "c-1")
    assert again.headers["Location"] == f"/plans/{desk.plan_id}"


def test_whose_plan_it_is_is_led_to_it(desk: Desk) -> None:
    """No emergency is needed to see one's own."""
    answer = look_in(at_the_browser(desk.house, desk.caller), "c-1")
    assert answer.headers["Location"] == f"/plans/{desk.plan_id}"


def test_it_ends_by_itself(desk: Desk, other: Caller, house: House) -> None:
    """A minute after its time the plan is as closed as before."""
    look_in(at_the_browser(house, other), "c-1")
    later = house.container.clock() + timedelta(minutes=31)
    container = build(house.container.settings, lambda: later)
    try:
        browser = at_the_browser(
            replace(house, container=container, app=create_app(container)), other
        )
        assert browser.get(f"/plans/{desk.plan_id}").status_code == 404
    finally:
        container.close()


def test_it_is_looked_at_with_what_was_looked_at(
    desk: Desk, other: Caller, officer: Caller
) -> None:
    """Open ones first; the pages opened meanwhile beside the reason; the finding and note are kept."""
    browser = at_the_browser(desk.house, other)
    look_in(browser, "c-1")
    for place in ("", "/replay", "/timeline"):
        browser.get(f"/plans/{desk.plan_id}{place}")
    desk.house.catch_up()
    keeper = at_the_browser(desk.house, officer)
    assert WAITS in keeper.get("/audit").text
    listed = keeper.get("/audit/emergencies")
    place = re.findall(r'href="(/audit/emergencies/[0-9a-f-]+)"', listed.text)[0]
    assert WHY in listed.text
    shown = keeper.get(place).text
    for said in (WHY, "Kim Other", "Took emergency access", "Read the timeline", "replay"):
        assert said in shown
    wrong = send(keeper, place, finding="", note="Called the ward")
    assert wrong.status_code == 422
    assert "finding-fault" in wrong.text
    assert "Called the ward" in wrong.text
    done = send(keeper, place, finding="justified", note="Called the ward")
    assert done.headers["Location"].startswith("/audit/emergencies")
    after = keeper.get(place).text
    assert "Called the ward" in after
    assert "Jo Keeper" in after
    assert '<form method="post" class="sheet' not in after
    desk.house.catch_up()
    assert WAITS not in keeper.get("/audit").text
    assert "Nothing" not in keeper.get("/audit/emergencies?status=reviewed").text


def test_reviewing_twice_says_that_it_was_done(desk: Desk, other: Caller, officer: Caller) -> None:
    """By a colleague meanwhile: the form says so, and nothing is written."""
    look_in(at_the_browser(desk.house, other), "c-1")
    desk.house.catch_up()
    keeper = at_the_browser(desk.house, officer)
    listed = keeper.get("/audit/emergencies").text
    place = re.findall(r'href="(/audit/emergencies/[0-9a-f-]+)"', listed)[0]
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', keeper.get(place).text))
    send(keeper, place, finding="justified")
    with desk.house.nothing_written():
        answer = keeper.post(place, data={**hidden, "finding": "unclear"})
    assert answer.status_code in (409, 422)
    assert keeper.get(f"/audit/emergencies/{uuid4()}").status_code == 404


@pytest.mark.parametrize("role", ["clinician", "supervisor", "client", "admin"])
def test_only_reviewers_see_the_emergencies(desk: Desk, role: str) -> None:
    """Whoever may take emergency access does not look at it."""
    browser = at_the_browser(desk.house, desk.house.sign_in(desk.clinic, role))
    for place in ("/audit/emergencies", f"/audit/emergencies/{uuid4()}"):
        assert browser.get(place).status_code == 403
