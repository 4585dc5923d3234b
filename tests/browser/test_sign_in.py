"""Signing in at the clinic's own sign-in, as a browser does it: two sites, strict cookies, the back button."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ELM, Demo, Reader, Seat


def go_to_the_issuer(reader: Reader, path: str) -> Page:
    """Ask for a page, and choose the clinic's sign-in instead of a token."""
    reader.open(path)
    reader.page.click(f"text=Continue with {ELM}")
    expect(reader.page.locator("h1")).to_have_text("Clinic sign-in")
    return reader.page


def say(page: Page, demo: Demo, name: str) -> None:
    """Say at the issuer who one is."""
    page.fill("[name=login]", str(demo.people[name]["member_id"]))
    page.keyboard.press("Enter")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_one_signs_in_there_and_lands_where_one_was_going(
    seat: Seat, demo: Demo, scripts: bool
) -> None:
    """By the way of another site and back, with the session's cookie that no other site sends."""
    reader = seat(None, java_script_enabled=scripts)
    place = "/plans/{oak}/replay?at=57".format(**demo.plans)
    page = go_to_the_issuer(reader, place)
    assert page.url.startswith("http://localhost:")
    say(page, demo, "alder")
    expect(page).to_have_url(f"{demo.url}{place}")
    expect(page.locator(".me")).to_contain_text("Alder")
    kept = {held["name"]: held for held in reader.context.cookies(demo.url)}
    assert kept["plan-history-session"]["sameSite"] == "Strict"
    assert "plan-history-trip" not in kept
    assert reader.faults == []


def test_a_link_on_another_site_does_not_bring_the_session_along(seat: Seat, demo: Demo) -> None:
    """Control for the page in between: straight from the issuer's site one would not be signed in."""
    reader = seat(None)
    page = go_to_the_issuer(reader, "/account")
    say(page, demo, "alder")
    expect(page.locator("h1")).to_have_text(re.compile("Alder"))
    page.goto(f"{demo.issuer.name}/authorize?x=1")
    page.evaluate(f"location = '{demo.url}/account'")
    expect(page.locator("h1")).to_have_text("Sign in")
    reader.open("/account")  # typed, as one does: signed in all the time
    expect(page.locator("h1")).to_have_text(re.compile("Alder"))


def test_the_back_button_and_a_second_click_lead_on(seat: Seat, demo: Demo) -> None:
    """Back at the issuer's page, its form sent again: told that it was used, and on with one click."""
    reader = seat(None)
    page = go_to_the_issuer(reader, "/worklist")
    say(page, demo, "alder")
    expect(page).to_have_url(f"{demo.url}/worklist")
    page.go_back()
    expect(page.locator("h1")).to_have_text("Clinic sign-in")
    say(page, demo, "alder")
    expect(page.locator("h1")).to_have_text("That way in is closed by now")
    reader.looks_right()
    page.click("text=Signed in already? Go on")
    expect(page).to_have_url(f"{demo.url}/worklist")


def test_one_signs_out_here_and_there(seat: Seat, demo: Demo) -> None:
    """Nothing to go back to, and the issuer asks again who comes next."""
    reader = seat(None)
    page = go_to_the_issuer(reader, "/worklist")
    say(page, demo, "rowan")
    expect(page.locator(".me")).to_contain_text("Rowan")
    page.click("text=Sign out")
    expect(page.locator("h1")).to_have_text("You are signed out")
    assert reader.violations() == []
    page.go_back()
    expect(page.locator("h1")).to_have_text("Sign in")
    go_to_the_issuer(reader, "/worklist")  # it asks, though it knows them still
    reader.open("/signed-out?at=issuer")
    page.click("a:has-text('Sign out there, too')")
    expect(page).to_have_url(f"{demo.url}/signed-out")
    assert not [held for held in reader.context.cookies(demo.issuer.name) if held["name"] == "sso"]


def test_the_next_person_at_a_screen_is_not_let_in_as_the_last(seat: Seat, demo: Demo) -> None:
    """Not even by an issuer that does not ask: a password from before is none for this sign-in."""
    reader = seat(None)
    page = go_to_the_issuer(reader, "/worklist")
    say(page, demo, "alder")
    expect(page).to_have_url(f"{demo.url}/worklist")
    page.click("text=Sign out")
    demo.issuer.errs.asks = False
    demo.issuer.errs.claims = {"auth_time": 1_700_000_000}
    try:
        reader.open("/sign-in")
        page.click(f"text=Continue with {ELM}")
        expect(page.locator("h1")).to_have_text("Your sign-in could not be checked")
    finally:
        demo.issuer.errs.asks, demo.issuer.errs.claims = True, {}


def test_a_stranger_is_told_whom_to_ask(seat: Seat, demo: Demo) -> None:
    """With what the administrator needs to know; the way in by token stays open."""
    reader = seat(None)
    page = go_to_the_issuer(reader, "/worklist")
    page.fill("[name=login]", f"kim@elm.example|{'0f8a' * 20}")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("The clinic does not know you as a member")
    expect(page.locator("[role=alert]")).to_contain_text("kim@elm.example")
    reader.looks_right()
    page.click("text=Use a token")
    expect(page.locator("#token")).to_be_visible()
