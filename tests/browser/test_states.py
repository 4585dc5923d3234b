"""Every page in every state, wide and narrow, light and dark: nothing to object to, nothing cut, no complaint."""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import expect
from werkzeug.exceptions import NotFound
from werkzeug.routing import RequestRedirect

from api.pages import pages
from tests.browser.conftest import SHOTS, Demo, Seat
from tests.browser.states import STATES, State

NO_PAGES = {
    "pages.moment",  # a part of the replay, for the scrubber
    "pages.at_home",  # leads on to where the day begins
    "pages.to_issuer",  # leads to the clinic's own sign-in
    "pages.leave_issuer",
    "pages.go_on",  # leads on by itself; see test_pages.py
    "pages.download",  # files
    "pages.accounting_download",
    "pages.audit_download",
    "pages.looks_download",
    "pages.seal_download",
}


@pytest.mark.parametrize("state", STATES, ids=str)
def test_a_state_is_as_it_should_be(seat: Seat, demo: Demo, state: State) -> None:
    """No violation of WCAG found by axe-core (by turns), nothing beyond the edge, no error, no report."""
    turn = None if SHOTS else STATES.index(state)
    _look(seat, demo, state, all_ways=bool(SHOTS), turn=turn)


@pytest.mark.slow
@pytest.mark.parametrize("state", STATES, ids=str)
def test_a_state_is_as_it_should_be_in_all_ways(seat: Seat, demo: Demo, state: State) -> None:
    """The same in all four: wide and narrow, each light and dark."""
    _look(seat, demo, state, all_ways=True)


def _look(seat: Seat, demo: Demo, state: State, *, all_ways: bool, turn: int | None = None) -> None:
    reader = seat(state.who)
    reader.open(state.path.format(**demo.plans))
    if state.prepare:
        state.prepare(reader, demo)
    reader.looks_right(re.sub(r"\W+", "-", str(state)).strip("-"), all_ways=all_ways, turn=turn)
    meant = re.compile(f"responded with a status of ({state.faults})") if state.faults else None
    assert [said for said in reader.faults if not (meant and meant.search(said))] == []


def test_every_page_there_is_is_among_the_states() -> None:
    """A new page without one is missing here, until somebody looks at it."""
    app = Flask("pages")
    app.register_blueprint(pages)
    places = app.url_map.bind("localhost")
    pages_there_are = {
        rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())
    } - {"static", *NO_PAGES}
    looked_at = set()
    for state in STATES:
        path = urlsplit(re.sub(r"\{\w+\}", str(UUID(int=1)), state.path)).path
        try:
            looked_at.add(places.match(path)[0])
        except (NotFound, RequestRedirect):
            continue
    assert pages_there_are - looked_at == set()


def test_a_table_on_a_phone_is_still_a_table_to_those_who_hear_it(seat: Seat) -> None:
    """Laid out as cards, its rows and cells are told as such, each under its column's heading."""
    reader = seat("juniper", 390)
    reader.open("/people")
    assert reader.page.locator(".cards td").first.evaluate(
        "held => getComputedStyle(held).display"
    ) == ("flow-root")
    heard = reader.heard(".cards")
    assert {"table", "row", "columnheader", "cell"} <= {role for role, _ in heard}
    assert [name for role, name in heard if role == "columnheader"] == [
        "Name", "Role", "Supervised by", "Plans", "Since",
    ]  # fmt: skip
    assert ("cell", "Rowan Heron") in heard, "without the column's name: the heading says it"
    unnamed = reader.page.locator(".cards :is(thead, tbody, tfoot, tr, th, td):not([role])")
    expect(unnamed).to_have_count(0)  # for browsers that go by the layout


def test_what_is_not_as_it_should_be_is_noticed(seat: Seat) -> None:
    """Control: what the pages' policy forbids is a complaint, and so is what axe-core objects to."""
    reader = seat(None)
    reader.open("/sign-in")
    with reader.page.expect_console_message(lambda said: "security policy: img" in said.text):
        reader.page.evaluate(
            "document.body.insertAdjacentHTML('beforeend', '<img src=//elsewhere.example/x>')"
        )
    assert any("security policy: img-src" in said for said in reader.faults)
    assert any(held.startswith("image-alt") for held in reader.violations())
