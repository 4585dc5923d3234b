"""What pages do: times in the reader's zone, reading without JavaScript, stories that go on, files."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Demo, Seat

A4 = 680
"""What is left of its width between the margins, in pixels."""


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


def test_paper_has_what_is_read_and_nothing_to_press(seat: Seat, demo: Demo) -> None:
    """No buttons and forms, nothing folded away, headings repeated on each page, rows uncut, pages numbered."""
    reader = seat("alder")
    page = reader.page
    for place in ("/plans/{oak}", "/plans/{oak}/evidence", "/plans/{oak}/replay?at=57"):
        reader.open(place.format(**demo.plans))
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        for pressed in ("button", ".button", "form", ".tabs", ".scrub"):
            assert page.locator(f"{pressed}:visible").count() == 0, (place, pressed)
        assert page.locator("details:not([open], .table)").count() == 0
        page.emulate_media(media="screen")
    reader.open("/plans/{oak}/evidence".format(**demo.plans))
    page.emulate_media(media="print")
    style = "held => [getComputedStyle(held).display, getComputedStyle(held).breakInside]"
    assert page.locator(".all-entries thead").evaluate(style)[0] == "table-header-group"
    assert page.locator(".all-entries tfoot").evaluate(style)[0] == "table-footer-group"
    assert page.locator(".all-entries tbody tr").first.evaluate(style)[1] == "avoid"
    pages = page.pdf(format="A4", prefer_css_page_size=True).count(b"/Type /Page\n")
    assert 3 <= pages <= 12
    assert reader.faults == []


ON_PAPER = (
    ("juniper", "/people"),
    ("birch", "/people"),
    ("juniper", "/people/proposals"),
    ("juniper", "/erasure?client_ref=c-1041"),
    ("juniper", "/audit/emergencies"),
    ("juniper", "/audit/emergencies/{emergency}"),
    ("linden", "/audit?type=GoalSet&since=2026-01-01"),
    ("linden", "/audit/looks"),
    ("linden", "/audit/disclosures"),
    ("linden", "/audit/seals"),
)
LEADS_ON = """() => [...document.querySelectorAll("main a, main summary")].filter((held) =>
    held.checkVisibility() && !held.closest("td, dd, li, .who") && !held.closest("details:not([open])")
).map((held) => held.textContent)"""
"""What somebody would follow, outside of what is told."""
CUT = """() => [...document.querySelectorAll("main *")].filter((held) => {
    const box = held.getBoundingClientRect();
    return box.width && !held.closest(".sr") && (box.right > innerWidth + 1 || box.left < -1);
}).map((held) => held.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize(("who", "path"), ON_PAPER)
def test_what_the_clinic_keeps_is_printed_as_it_is_read(
    seat: Seat, demo: Demo, who: str, path: str
) -> None:
    """On A4, from a dark screen: on white, nothing cut, nothing to press or follow; of a search what it asked."""
    reader = seat(who, scheme="dark")
    page = reader.page
    reader.open(path.format(**demo.plans))
    page.set_viewport_size({"width": A4, "height": 1000})
    page.emulate_media(media="print")
    for pressed in ("button", ".button", "form:not(.filters)", "nav", ".fault"):
        assert page.locator(f"main {pressed}:visible").count() == 0, pressed
    assert page.evaluate(LEADS_ON) == []
    assert page.evaluate(CUT) == []
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    asked = page.locator("form.filters label:visible").all_inner_texts()
    assert asked == (["Kind of entry", "From"] if "since" in path else asked[:1])
    assert page.pdf(format="A4", prefer_css_page_size=True).startswith(b"%PDF")
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
