"""Every page, wide and narrow, light and dark: nothing to object to, nothing cut, no complaint."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Demo, Seat

PAGES = [
    (None, "/sign-in"),
    (None, "/signed-out"),
    (None, "/signed-out?at=issuer"),
    ("rowan", "/worklist"),
    ("rowan", "/worklist?due=overdue"),
    ("alder", "/worklist"),
    ("alder", "/plans"),
    ("alder", "/plans?q=nobody+at+all"),
    ("alder", "/plans/new"),
    ("alder", "/plans/{oak}"),
    ("alder", "/plans/{oak}/replay?at=57"),
    ("alder", "/plans/{oak}/replay?at=75&with=20&clock=effective"),
    ("alder", "/plans/{oak}/replay?at=60&view=91&kind=review"),
    ("alder", "/plans/{oak}/timeline"),
    ("alder", "/plans/{oak}/timeline?type=PlanCompleted"),
    ("alder", "/plans/{holly}/record"),
    ("alder", "/plans/{holly}/record?add=ReviewHeld"),
    ("alder", "/plans/{oak}/evidence"),
    ("maple", "/my-plan"),
    ("maple", "/plans/{maple}/timeline"),
    ("maple", "/plans/{maple}/record?add=FeedbackGiven"),
    ("rowan", "/figures"),
    ("linden", "/audit"),
    ("linden", "/audit/looks"),
    ("birch", "/account"),
    ("juniper", "/people"),
    ("rowan", "/people"),
    ("birch", "/people?status=all&role=clinician"),
    ("linden", "/people?q=nobody+at+all"),
    ("linden", "/people/proposals"),
    ("rowan", "/people/proposals?status=open"),
    ("rowan", "/people/change?add=MemberJoined"),
    ("birch", "/people/change"),
    ("birch", "/people/change?add=PolicySet"),
    ("juniper", "/erasure?client_ref=c-1041"),
    ("maple", "/erasure"),
]


@pytest.mark.parametrize(("name", "path"), PAGES)
def test_a_page_is_as_it_should_be(seat: Seat, demo: Demo, name: str | None, path: str) -> None:
    """No violation of WCAG found by axe-core, nothing beyond the edge, no error; in all four ways."""
    reader = seat(name)
    reader.open(path.format(**demo.plans))
    reader.looks_right()
    assert reader.faults == []


def test_the_page_that_leads_on_from_an_issuer_looks_right(seat: Seat) -> None:
    """It is on the screen for a moment: here it is held, by taking out what leads on by itself."""

    def hold(route: Route) -> None:
        answer = route.fetch()
        leads_on = 'http-equiv="refresh"'
        assert leads_on in answer.text()
        route.fulfill(response=answer, body=answer.text().replace(leads_on, 'name="held"'))

    reader = seat(None)
    reader.page.route("**/sign-in/oidc/done", hold)
    reader.open("/sign-in/oidc/done")
    reader.looks_right()
    assert reader.page.get_by_role("link", name="Go on").is_visible()
    assert reader.faults == []


def test_a_problem_is_a_page_too(seat: Seat, demo: Demo) -> None:
    """What is not there, and what is out of one's reach, look the same and say what to do."""
    reader = seat("alder")
    for path in ("/plans/00000000-0000-4000-8000-000000000001", "/plans/{aspen}"):
        reader.open(path.format(**demo.plans))
        assert reader.page.locator("h1").inner_text() == "No such plan"
        assert reader.violations() == []


def test_times_are_in_the_readers_zone(seat: Seat, demo: Demo) -> None:
    """With UTC on hover; without JavaScript UTC is what is shown."""
    reader, plain = seat("alder"), seat("alder", java_script_enabled=False)
    for held in (reader, plain):
        held.open("/plans/{oak}/replay?at=57".format(**demo.plans))
    mine = reader.page.locator(".now-told time").first
    theirs = plain.page.locator(".now-told time").first
    assert (mine.get_attribute("title") or "").endswith("UTC")
    assert theirs.inner_text().endswith("UTC")
    assert mine.inner_text() != theirs.inner_text()


def test_reading_needs_no_javascript(seat: Seat, demo: Demo) -> None:
    """The replay is walked with links, and the story turned page by page."""
    reader = seat("alder", java_script_enabled=False)
    reader.open("/plans/{oak}/replay?at=57".format(**demo.plans))
    reader.page.click("#forth")
    assert "at=58" in reader.page.url
    assert "Version 58" in reader.page.locator(".now-told").inner_text()
    reader.open("/plans/{oak}/timeline".format(**demo.plans))
    reader.page.click("text=Show more")
    assert "cursor=" in reader.page.url


def test_a_long_story_goes_on_in_place(seat: Seat, demo: Demo) -> None:
    """With JavaScript the page grows instead of turning."""
    reader = seat("alder")
    reader.open("/plans/{oak}/timeline".format(**demo.plans))
    before = reader.page.locator(".entry").count()
    reader.page.click("text=Show more")
    expect(reader.page.locator(".entry").nth(before)).to_be_visible()
    assert reader.faults == []


def test_a_plan_is_taken_along(seat: Seat, demo: Demo) -> None:
    """As files, in every format."""
    reader = seat("alder")
    reader.open("/plans/{oak}/evidence".format(**demo.plans))
    for name in ("zip", "HTML", "CSV", "JSON"):
        with reader.page.expect_download() as begun:
            reader.page.click(f"a:has-text('{name}')")
        assert begun.value.suggested_filename.endswith(f".{name.lower()}")
