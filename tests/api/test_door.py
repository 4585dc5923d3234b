"""The door: who signs in to the pages is kept, and so is who was turned away although they are known."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from service.sessions import make_link
from service.tokens import digest
from tests.api.cast import joined
from tests.api.house import Desk, House, entry, refused
from tests.api.test_pages_reach import at_the_browser, places
from tests.conftest import Caller


def noted(house: House, caller: Caller) -> list[tuple[Any, ...]]:
    """What the access log has of somebody's ways in."""
    return house.owner.execute(
        "SELECT asked, allowed, role, why, address FROM access_log WHERE member_id = %s "
        "AND action = 'sign-in' ORDER BY look_id",
        [caller.who.member_id],
    ).fetchall()


def leaves(desk: Desk, caller: Caller) -> None:
    """They join, and leave again."""
    admin = desk.house.sign_in(desk.clinic, "admin")
    left = entry("MemberLeft", "Moves away", member_id=str(caller.who.member_id))
    answer = admin.post("/v1/clinic/entries", {"entries": [joined(caller), left]})
    assert answer.status_code == 201, answer.text


def link_of(house: House, caller: Caller) -> str:
    """A one-time link for somebody."""
    token = caller.headers["Authorization"].removeprefix("Bearer ")
    [token_id] = house.owner.execute(
        "SELECT token_id FROM tokens WHERE digest = %s", [digest(token)]
    ).fetchone() or [None]
    return f"/sign-in/{make_link(house.owner, token_id)}"


@pytest.fixture
def leaver(house: House, desk: Desk) -> Caller:
    """Somebody of the clinic, whose token is good for a day yet."""
    return house.sign_in(desk.clinic, name="Lee Leaver", member_id=uuid4())


def test_who_signs_in_is_kept(house: House, desk: Desk) -> None:
    """With the way they came by; what they look at afterwards has the same token's id."""
    at_the_browser(house, desk.caller)
    assert house.client.post(link_of(house, desk.caller)).status_code == 303
    ours = [("token", True, "clinician", "clinic", "127.0.0.1")]
    assert noted(house, desk.caller) == [*ours, ("link", *ours[0][1:])]
    auditor = house.sign_in(desk.clinic, "auditor")
    [look, *_] = auditor.get("/v1/access-log?action=sign-in").json["looks"]
    assert (look["asked"], look["plan_id"]) == ("link", None)


def test_a_leaver_with_a_token_is_kept(house: House, desk: Desk, leaver: Caller) -> None:
    """At the API and at the pages' door; nobody else sees more than a refusal."""
    leaves(desk, leaver)
    refused(leaver.get("/v1/me"), 401, "not-signed-in", saying="no longer belong")
    token = leaver.headers["Authorization"].removeprefix("Bearer ")
    assert house.client.post("/sign-in", data={"token": token}).status_code == 401
    assert house.client.post(link_of(house, leaver)).status_code == 401
    told = [(how, False, "clinician", None, "127.0.0.1") for how in ("token", "token", "link")]
    assert noted(house, leaver) == told


def test_a_leavers_session_is_turned_away_once(house: House, desk: Desk, leaver: Caller) -> None:
    """Then it is over: whoever keeps trying fills no log."""
    browser = at_the_browser(house, leaver)
    assert browser.get("/account").status_code == 200
    leaves(desk, leaver)
    cookie = browser.get_cookie("plan-history-session")
    assert cookie is not None
    for _ in range(3):
        browser.set_cookie("plan-history-session", cookie.value)
        assert browser.get("/account").status_code == 303
    assert [held[:2] for held in noted(house, leaver)] == [("token", True), ("session", False)]


def attempts(house: House, caller: Caller) -> int:
    """How many refused attempts the access log has of somebody."""
    [count] = house.owner.execute(
        "SELECT count(*) FROM access_log WHERE member_id = %s AND NOT allowed",
        [caller.who.member_id],
    ).fetchone() or [0]
    return int(count)


def refused_at(browser: FlaskClient, method: str, place: str, csrf: str) -> bool:
    """Whether a page refuses somebody."""
    answer = browser.open(place, method=method, data={"csrf": csrf, "action": "record"})
    return answer.status_code in (403, 404)


@pytest.mark.parametrize("role", ["clinician", "supervisor", "client", "auditor", "admin"])
def test_every_page_that_refuses_keeps_that_it_did(house: House, desk: Desk, role: str) -> None:
    """Each page that names a plan, for each role without a relation to it; and pages of other roles."""
    caller = house.sign_in(desk.clinic, role, member_id=uuid4())
    browser = at_the_browser(house, caller)
    csrf = browser.get("/account").text.split('name="csrf" value="')[1].split('"')[0]
    others = [("GET", place) for place in ("/worklist", "/plans/new", "/figures", "/audit")]
    tried = 0
    for method, place in [*places(house, desk.plan_id), *others]:
        before = attempts(house, caller)
        if refused_at(browser, method, place, csrf):
            tried += 1
            assert attempts(house, caller) == before + 1, f"{method} {place} as {role}"
    assert tried >= 6


def test_who_sees_no_words_is_kept_as_refused_at_the_replay(house: House, desk: Desk) -> None:
    """An auditor; clients walk what is released of their own plan."""
    client, admin = house.sign_in(desk.clinic, "client"), house.sign_in(desk.clinic, "admin")
    answer = admin.post("/v1/clinic/entries", {"entries": [joined(client, client_ref="c-1")]})
    assert answer.status_code == 201, answer.text
    auditor = house.sign_in(desk.clinic, "auditor")
    place = f"/plans/{desk.plan_id}/replay"
    assert at_the_browser(house, client).get(place).status_code == 200
    assert at_the_browser(house, auditor).get(place).status_code == 403
    assert (attempts(house, client), attempts(house, auditor)) == (0, 1)
