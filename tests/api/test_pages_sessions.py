"""Signing in to the pages: cookies, forms that come from elsewhere, links, and the end of a session."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.sessions import make_link
from service.tokens import digest, revoke
from tests.api.house import Desk, House

ORIGIN = "http://localhost"


@pytest.fixture
def browser(house: House) -> FlaskClient:
    """A browser nobody is signed in at."""
    return house.client


def token_of(desk: Desk) -> str:
    """The clinician's token."""
    return desk.caller.headers["Authorization"].removeprefix("Bearer ")


def enter(browser: FlaskClient, token: str, **form: str) -> TestResponse:
    """Sign in with a token, as the form does."""
    return browser.post(
        "/sign-in", data={"token": token, **form}, headers={"Origin": ORIGIN, **form.pop("headers", {})}  # type: ignore[dict-item] # none are given
    )  # fmt: skip


def csrf_of(page: TestResponse) -> str:
    """The token in a page's forms."""
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
    assert found is not None
    return found[1]


def test_a_session_cookie_is_kept_from_scripts_and_other_sites(
    browser: FlaskClient, desk: Desk
) -> None:
    """On this machine's http it is plain; anywhere else it is bound to the host and to https."""
    here = enter(browser, token_of(desk)).headers["Set-Cookie"]
    assert here.startswith("plan-history-session=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(here.split("; "))
    assert "Secure" not in here
    there = browser.post(
        "/sign-in", data={"token": token_of(desk)}, base_url="https://plans.example"
    ).headers["Set-Cookie"]
    assert there.startswith("__Host-plan-history-session=")
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(there.split("; "))
    assert "Domain" not in there
    plain = browser.post(
        "/sign-in", data={"token": token_of(desk)}, base_url="http://plans.example"
    ).headers["Set-Cookie"]
    assert "Secure" in plain


def test_only_the_digest_of_the_cookie_is_kept(
    house: House, browser: FlaskClient, desk: Desk
) -> None:
    """Whoever reads the database cannot be anybody."""
    enter(browser, token_of(desk))
    cookie = browser.get_cookie("plan-history-session")
    assert cookie is not None
    assert len(cookie.value) >= 43
    rows = house.owner.execute(
        "SELECT digest FROM sessions WHERE digest = %s", [digest(cookie.value)]
    ).fetchall()
    assert len(rows) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8080"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_from_elsewhere_is_refused(
    browser: FlaskClient, desk: Desk, headers: dict[str, str]
) -> None:
    """Signing in and signing out alike."""
    enter(browser, token_of(desk))
    home = browser.get("/worklist")
    for path, form in (
        ("/sign-in", {"token": token_of(desk)}),
        ("/sign-out", {"csrf": csrf_of(home)}),
    ):
        answer = browser.post(path, data=form, headers=headers)
        assert answer.status_code == 403
        assert "did not come from a page of this service" in answer.text
    assert browser.get("/worklist").status_code == 200


def test_a_form_needs_the_token_of_its_session(browser: FlaskClient, desk: Desk) -> None:
    """None, a wrong one and one of another session are refused; nothing is written."""
    enter(browser, token_of(desk))
    other = desk.house.client
    enter(other, token_of(desk))
    foreign = csrf_of(other.get("/worklist"))
    with desk.house.nothing_written():
        for given in ("", "0" * 64, foreign):
            answer = browser.post(
                f"/plans/{desk.plan_id}/record", data={"csrf": given, "action": "record"}
            )
            assert answer.status_code == 403


def test_a_page_asks_who_one_is_and_leads_back(browser: FlaskClient, desk: Desk) -> None:
    """To a page of ours only."""
    answer = browser.get(f"/plans/{desk.plan_id}/replay?at=1")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in?next=")
    back = enter(browser, token_of(desk), next=f"/plans/{desk.plan_id}/replay?at=1")
    assert back.headers["Location"] == f"/plans/{desk.plan_id}/replay?at=1"
    for foreign in (
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/\\elsewhere",
        "javascript:1",
    ):
        assert enter(browser, token_of(desk), next=foreign).headers["Location"] == "/home"


@pytest.mark.parametrize("token", ["", "ph_wrong", "ph_" + "x" * 300, "ünsinn", "ph_\u2603"])
def test_a_bad_token_opens_nothing(browser: FlaskClient, token: str) -> None:
    """The form comes back and says so."""
    answer = enter(browser, token)
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert "Set-Cookie" not in answer.headers


def test_a_link_opens_once(house: House, browser: FlaskClient, desk: Desk) -> None:
    """Whoever looks at it does not use it up; of two who follow it one comes in."""
    [token_id] = house.owner.execute(
        "SELECT token_id FROM tokens WHERE digest = %s", [digest(token_of(desk))]
    ).fetchone() or [None]
    link = f"/sign-in/{make_link(house.owner, token_id)}"
    assert "Robin Sample" in browser.get(link).text
    assert "Robin Sample" in browser.get(link).text
    assert browser.post(link).headers["Location"] == "/home"
    assert browser.get("/worklist").status_code == 200
    again = house.client
    assert again.post(link).status_code == 401
    assert again.get(link).status_code == 401
    assert again.get("/sign-in/made-up").status_code == 401


Ending = Callable[[House, Desk, FlaskClient], Any]


def _revoked(house: House, desk: Desk, browser: FlaskClient) -> None:
    [token_id] = house.owner.execute(
        "SELECT token_id FROM tokens WHERE digest = %s", [digest(token_of(desk))]
    ).fetchone() or [None]
    assert revoke(house.owner, UUID(str(token_id)))


def _idle(house: House, desk: Desk, browser: FlaskClient) -> None:
    aged(house.owner, "seen_at", timedelta(minutes=21))


def _long(house: House, desk: Desk, browser: FlaskClient) -> None:
    aged(house.owner, "ends_at", timedelta(hours=13))


def _left(house: House, desk: Desk, browser: FlaskClient) -> None:
    home = browser.get("/worklist")
    answer = browser.post("/sign-out", data={"csrf": csrf_of(home)}, headers={"Origin": ORIGIN})
    assert answer.headers["Location"] == "/signed-out"


def aged(owner: psycopg.Connection[Any], column: str, by: timedelta) -> None:
    """Let every session be older than it is."""
    owner.execute(f"UPDATE sessions SET {column} = {column} - %s".encode(), [by])


@pytest.mark.parametrize("ending", [_revoked, _idle, _long, _left])
def test_a_session_ends(house: House, browser: FlaskClient, desk: Desk, ending: Ending) -> None:
    """With its token, after twenty idle minutes, after twelve hours, and by leaving – at once."""
    enter(browser, token_of(desk))
    cookie = browser.get_cookie("plan-history-session")
    assert cookie is not None
    assert browser.get("/worklist").status_code == 200
    ending(house, desk, browser)
    browser.set_cookie("plan-history-session", cookie.value)
    assert browser.get("/worklist").status_code == 303
    assert browser.get("/worklist", headers={"HX-Request": "true"}).status_code == 401


def test_pages_are_not_kept_and_run_nothing_of_others(browser: FlaskClient, desk: Desk) -> None:
    """Not by the browser, not by proxies; refusals and redirections alike."""
    places = ["/sign-in", "/worklist", f"/plans/{desk.plan_id}", "/plans/not-there"]
    enter(browser, token_of(desk))
    for place in places:
        headers = browser.get(place).headers
        if place != "/plans/not-there":
            assert headers["Cache-Control"] == "no-store"
            assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/plans/not-an-id", "/nowhere", "/worklist/", "/audit/%00"])
def test_an_address_there_is_not_is_told_as_it_is_read(browser: FlaskClient, path: str) -> None:
    """To people on a page, to programs in a problem; below the API's addresses always so."""
    page = browser.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "There is nothing here" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for accept, place in (("*/*", path), ("application/json", path), ("text/html", f"/v1{path}")):
        told = browser.get(place, headers={"Accept": accept})
        assert (told.status_code, told.mimetype) == (404, "application/problem+json")


def test_pages_carry_no_inline_script_or_style(browser: FlaskClient, desk: Desk) -> None:
    """The policy would stop them; there are none to stop."""
    enter(browser, token_of(desk))
    base = f"/plans/{desk.plan_id}"
    for place in ("/worklist", base, f"{base}/replay", f"{base}/timeline", f"{base}/record"):
        page = browser.get(place).text
        assert not re.search(
            r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]* src=)", page
        ), place
