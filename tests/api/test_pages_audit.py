"""An auditor's questions: searched with filters that stay, shown, and taken along as files."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from api.pages.given import as_day
from api.pages.words import ACTIONS, BECAUSE
from service.access import ACCESS, RELATIONS
from tests.api.house import Desk, House, entry, goal, new_desk
from tests.api.test_pages_reach import at_the_browser


@pytest.fixture(scope="module")
def busy(house: House) -> Desk:
    """A plan in which much was recorded, some of it a formula to a spreadsheet, and which was looked at."""
    desk = new_desk(house, client_ref="c-7", client_label="Seventh Client")
    desk.record(goal("A goal"))
    for number in range(70):
        desk.record(entry("SetbackNoted", what=f"Setback {number}"))
    told = {"recipient": "=HYPERLINK(1)", "what": "Dates", "purpose": "A hearing"}
    desk.record(entry("DisclosureMade", **told))
    house.catch_up()
    browser = at_the_browser(house, desk.caller)
    for _ in range(3):
        browser.get(f"/plans/{desk.plan_id}")
    at_the_browser(house, house.sign_in(desk.clinic, "admin")).get(f"/plans/{desk.plan_id}")
    return desk


@pytest.fixture(scope="module")
def auditor(house: House, busy: Desk) -> FlaskClient:
    """The auditor at their browser."""
    return at_the_browser(house, house.sign_in(busy.clinic, "auditor", name="Ada Auditor"))


def links(page: str, ending: str) -> Iterator[str]:
    """The addresses on a page whose path ends so."""
    for held in re.findall(r'href="([^"]+)"', page):
        if urlsplit(held).path.endswith(ending):
            yield held.replace("&amp;", "&")


def table(browser: FlaskClient, place: str) -> list[dict[str, str]]:
    """A CSV file, row by row."""
    answer = browser.get(place)
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["Cache-Control"] == "no-store"
    return [*csv.DictReader(io.StringIO(answer.text))]


def lines(browser: FlaskClient, place: str) -> list[Any]:
    """An NDJSON file, line by line."""
    answer = browser.get(place)
    assert answer.mimetype == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_what_was_found_is_taken_along_as_it_was_searched(auditor: FlaskClient) -> None:
    """All of it, not the page alone, with the same filters; without words, for an auditor."""
    page = auditor.get("/audit?type=SetbackNoted&plan=c-7").text
    assert page.count('<tr role="row">') == 61
    [as_csv], [as_lines] = links(page, "/entries/csv"), links(page, "/entries/ndjson")
    rows, held = table(auditor, as_csv), lines(auditor, as_lines)
    assert len(rows) == len(held) == 70
    assert {row["type"] for row in rows} == {"SetbackNoted"}
    assert [row["position"] for row in rows] == [str(one["position"]) for one in held]
    assert not any(row["sentence"] for row in rows)
    assert not any("data" in one or "sentence" in one for one in held)


def test_looks_are_taken_along_too(auditor: FlaskClient, busy: Desk) -> None:
    """Refused ones alone, or those at one client's plans."""
    page = auditor.get("/audit/looks?refused=1").text
    rows = table(auditor, next(links(page, "/looks/csv")))
    assert rows
    assert {row["allowed"] for row in rows} == {"no"}
    held = lines(auditor, next(links(auditor.get("/audit/looks?plan=c-7").text, "/looks/ndjson")))
    assert {one["plan_id"] for one in held} == {busy.plan_id}
    assert len(held) >= 3


def test_clients_are_called_what_the_reader_may_call_them(
    auditor: FlaskClient, busy: Desk, house: House
) -> None:
    """By name for those who treat them – in what they recorded themselves, too –, by reference for auditors."""
    treating = at_the_browser(house, busy.caller)
    for place in (f"/audit?plan={busy.plan_id}", f"/plans/{busy.plan_id}/disclosures"):
        page = treating.get(place).text
        assert "Seventh Client" in page
        assert "b&#39;" not in page
    for place in (f"/audit?plan={busy.plan_id}", f"/audit/looks?plan={busy.plan_id}"):
        page = auditor.get(place).text
        assert ">c-7</a>" in page
        assert "Seventh Client" not in page


def test_taking_along_is_a_look(auditor: FlaskClient) -> None:
    """Who took what along, and in which form, is in the access log."""
    auditor.get("/audit/entries/csv?type=GoalSet")
    auditor.get("/audit/looks/ndjson")
    asked = [(look["action"], look["asked"]) for look in lines(auditor, "/audit/looks/ndjson")]
    assert ("clinic.timeline", "timeline as csv") in asked
    assert ("access-log.read", "access log as ndjson") in asked


def test_many_looks_are_all_taken_along(auditor: FlaskClient, busy: Desk, house: House) -> None:
    """Page after page, each once, newest first."""
    browser = at_the_browser(house, busy.caller)
    for _ in range(130):
        browser.get(f"/plans/{busy.plan_id}")  # each several looks
    held = lines(auditor, f"/audit/looks/ndjson?plan={busy.plan_id}")
    numbers = [look["look_id"] for look in held]
    assert len(numbers) > 200
    assert numbers == sorted(set(numbers), reverse=True)


def test_the_accounting_of_disclosures_is_read_and_taken_along(
    auditor: FlaskClient, busy: Desk
) -> None:
    """Found from the audit; no cell of it is a formula."""
    found = auditor.get("/audit/disclosures").text
    [place] = links(found, f"/plans/{busy.plan_id}/disclosures")
    assert "A hearing" not in found
    shown = auditor.get(place).text
    assert "A hearing" in shown
    assert "Seventh Client" not in shown
    [row] = table(auditor, next(links(shown, "/disclosures/csv")))
    assert row["recipient"] == "'=HYPERLINK(1)"
    [held] = lines(auditor, next(links(shown, "/disclosures/ndjson")))
    assert held["recipient"] == "=HYPERLINK(1)"


def test_filters_keep_their_state(auditor: FlaskClient, busy: Desk) -> None:
    """In the fields, from page to page, and on the way from the entries to the looks and back."""
    me = str(busy.caller.who.member_id)
    query = f"plan=c-7&who={me}&since=2020-01-01&until=2099-12-31&zone=Europe/Berlin"
    page = auditor.get(f"/audit?{query}").text
    for said in (
        'value="c-7"',
        'value="2020-01-01"',
        'value="2099-12-31"',
        'value="Europe/Berlin"',
    ):
        assert said in page
    for place in (next(links(page, "/audit/looks")), next(links(page, "/entries/csv"))):
        asked = parse_qs(urlsplit(place).query)
        assert asked == parse_qs(query)
    [older] = [held for held in links(page, "/audit") if "cursor=" in held]
    assert parse_qs(urlsplit(older).query)["plan"] == ["c-7"]
    assert auditor.get(older).text.count('<tr role="row">') > 5


@pytest.mark.parametrize(
    "query", ["who=nobody", "since=soon", "until=2026-02-30", "type=NoSuchThing"]
)
def test_a_filter_that_cannot_be_read_finds_nothing(auditor: FlaskClient, query: str) -> None:
    """And says so, rather than to show everything as if it had been searched."""
    searches = {"/audit": "entries", "/audit/looks": "looks"}
    if query.startswith("type"):  # what looks do not have
        del searches["/audit/looks"]
    for place, kind in searches.items():
        page = auditor.get(f"{place}?{query}")
        assert page.status_code == 200
        assert "Nothing was searched yet" in page.text
        assert f'id="{query.partition("=")[0]}-fault"' in page.text
        assert auditor.get(f"/audit/{kind}/csv?{query}").status_code == 404


def test_an_unknown_client_is_not_everybody(auditor: FlaskClient) -> None:
    """Neither among the entries nor among the looks."""
    for place in ("/audit?plan=c-none", "/audit/looks?plan=c-none"):
        assert "<tbody>" not in auditor.get(place).text


@pytest.mark.parametrize(
    ("text", "zone", "days", "moment"),
    [
        ("2026-03-01", "Europe/Berlin", 0, datetime(2026, 2, 28, 23, tzinfo=UTC)),
        ("2026-03-31", "Europe/Berlin", 1, datetime(2026, 3, 31, 22, tzinfo=UTC)),
        ("2026-03-29", "Europe/Berlin", 1, datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("2026-03-01", "No/Where", 0, datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01", None, 0, datetime(2026, 3, 1, tzinfo=UTC)),
        ("9999-12-31", None, 1, None),
        ("0001-01-01", "Asia/Tokyo", 0, None),
        ("2026-03-01T10:00", None, 0, None),
    ],
)
def test_a_day_is_the_readers_own(
    text: str, zone: str | None, days: int, moment: datetime | None
) -> None:
    """Over a change of the clocks, too: the last hour of March belongs to March."""
    assert as_day(text, zone, days=days) == moment


def test_every_look_is_told_in_words() -> None:
    """Whatever action or relation the table has that touches a plan."""
    looked = {
        name for name in ACCESS if name.partition(".")[0] in ("plans", "emergency", "fhir", "feed")
    }
    assert looked <= set(ACTIONS)
    assert set(BECAUSE) == set(RELATIONS)


def test_a_colleague_searches_their_own_actions_alone(busy: Desk, house: House) -> None:
    """In the file as on the page."""
    other = house.sign_in(busy.clinic, "clinician", member_id=None, name="Same Therapist")
    elsewhere = at_the_browser(house, house.sign_in(busy.clinic, "supervisor", name="No Team"))
    assert len(table(elsewhere, "/audit/entries/csv")) == 0
    mine = table(at_the_browser(house, other), "/audit/entries/csv")
    assert {row["plan_id"] for row in mine} == {busy.plan_id}
    client = at_the_browser(house, house.sign_in(busy.clinic, "client"))
    assert client.get("/audit/entries/csv").status_code == 403
