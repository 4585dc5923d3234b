"""Who reaches which page: every page that names a plan, every role, and other clinics."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from tests.api.house import Desk, House, desk_of, entry, goal, new_desk
from tests.conftest import Caller


def at_the_browser(house: House, caller: Caller) -> FlaskClient:
    """Them, signed in to the pages."""
    browser = house.client
    token = caller.headers["Authorization"].removeprefix("Bearer ")
    assert browser.post("/sign-in", data={"token": token}).status_code == 303
    return browser


def places(house: House, plan_id: str) -> Iterator[tuple[str, str]]:
    """(method, address) of every page that names a plan."""
    for rule in house.app.url_map.iter_rules():
        if rule.endpoint.startswith("pages.") and "plan_id" in rule.arguments:
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                place = re.sub(r"<(?:\w+:)?plan_id>", plan_id, rule.rule)
                yield method, place.replace("<kind>", "csv")


@pytest.fixture(scope="module")
def theirs(house: House) -> Desk:
    """A plan full of words that strangers must not see."""
    desk = new_desk(house, client_ref="c-secret", client_label="Secret Client")
    desk.record(goal("A secret goal"), entry("FocusShifted", "A secret reason", to="grief"))
    opened = desk.timeline()[0]["entry_id"]
    desk.record(entry("AddendumAdded", entry_id=opened, text="A secret addition"))
    house.catch_up()
    return desk


@pytest.mark.parametrize("role", ["clinician", "supervisor", "auditor", "admin", "client"])
@pytest.mark.parametrize("same_clinic", [True, False])
def test_no_page_shows_a_plan_out_of_reach(
    house: House, theirs: Desk, role: str, same_clinic: bool
) -> None:
    """In another clinic, or in the same one without a relation to the plan: 404 or 403, no word."""
    clinic = theirs.clinic if same_clinic else house.clinic()
    browser = at_the_browser(house, house.sign_in(clinic, role, member_id=uuid4()))
    csrf = re.search(r'name="csrf" value="(\w+)"', browser.get("/account").text)
    assert csrf is not None
    accounts = same_clinic and role == "auditor"
    for method, place in places(house, theirs.plan_id):
        with house.nothing_written():
            answer = browser.open(place, method=method, data={"csrf": csrf[1], "action": "record"})
        assert "Secret Client" not in answer.text
        if accounts and "/disclosures" in place:  # whom something was told is theirs to know
            assert answer.status_code == 200
            continue
        assert answer.status_code in (403, 404), (role, method, place)
        assert "secret" not in answer.text.lower()
    for place in ("/plans?q=client", "/worklist", "/audit", "/figures", "/my-plan"):
        assert "Secret" not in browser.get(place).text


def test_whoever_treats_reaches_every_page_of_the_plan(house: House, theirs: Desk) -> None:
    """Each of them opens, and says whose plan it is."""
    browser = at_the_browser(house, theirs.caller)
    seen = 0
    for method, place in places(house, theirs.plan_id):
        if method == "GET":
            answer = browser.get(place)
            assert answer.status_code == 200, place
            seen += "Secret Client" in answer.text
    assert seen >= 5


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"action": "record"},
        {"action": "record", "e0.type": "NoSuchThing"},
        {"action": "record", "e0.type": "EntryCorrected", "e0.of": "NoSuchThing"},
        {"action": "record", "e0.type": "ReviewHeld", "seen": "soon", "key": "x" * 500},
        {"action": "add:NoSuchThing"},
        {"action": "add:EmergencyAccessTaken"},
        {"action": "remove:e7"},
        {"action": "record", "e٣.type": "GoalSet", "e0.data.measure.x.y": "1"},
        {"action": "save", "zone": "../../etc/passwd", "e0.type": "GoalSet"},
    ],
)
def test_a_form_that_was_tampered_with_does_no_harm(
    house: House, theirs: Desk, form: dict[str, str]
) -> None:
    """It is refused, or leads back to the form; nothing is recorded, nothing breaks."""
    browser = at_the_browser(house, theirs.caller)
    csrf = re.search(r'name="csrf" value="(\w+)"', browser.get("/account").text)
    assert csrf is not None
    place = f"/plans/{theirs.plan_id}/record"
    with house.nothing_written():
        answer = browser.post(place, data={"csrf": csrf[1], **form})
    assert answer.status_code in (200, 303, 409, 412, 422), answer.text
    assert browser.get(place).status_code == 200
    browser.post(place, data={"csrf": csrf[1], "action": "discard"})


@pytest.mark.parametrize(
    "query",
    [
        "at=0",
        "at=999999999",
        "at=-1",
        "step=x&with=y",
        "with=99999",
        "clock=sideways",
        "view=1e9",
        "goal=nothing&kind=nothing",
        "at=%D9%A1",
    ],
)
def test_an_odd_address_of_the_replay_opens_it(house: House, theirs: Desk, query: str) -> None:
    """At the nearest moment there is; an old or mistyped address is no dead end."""
    browser = at_the_browser(house, theirs.caller)
    for place in ("replay", "replay/moment"):
        assert browser.get(f"/plans/{theirs.plan_id}/{place}?{query}").status_code == 200


def test_a_draft_is_its_writers_alone(house: House, theirs: Desk) -> None:
    """Nobody else of the clinic finds it, whatever they may read."""
    drafts = house.container.drafts
    other = desk_of(house, theirs.clinic, theirs.caller, client_ref="c-2")
    drafts.save(theirs.caller.who, UUID(other.plan_id), {"key": ["x"]})
    plan = UUID(theirs.plan_id)
    drafts.save(theirs.caller.who, plan, {"key": ["mine"]})
    assert drafts.find(theirs.caller.who, plan) == {"key": ["mine"]}
    colleague = replace(theirs.caller.who, member_id=uuid4())
    elsewhere = replace(theirs.caller.who, clinic_id=house.clinic().clinic_id)
    assert drafts.find(colleague, plan) is None
    assert drafts.find(elsewhere, plan) is None
    drafts.discard(theirs.caller.who, plan)
    assert drafts.find(theirs.caller.who, plan) is None


def test_looking_for_what_no_name_holds_finds_nothing(house: House, theirs: Desk) -> None:
    """A NUL, which PostgreSQL keeps in no text."""
    browser = at_the_browser(house, theirs.caller)
    answer = browser.get("/plans?q=%00")
    assert answer.status_code == 200
    assert "Secret" not in answer.text


def test_no_draft_is_kept_for_a_plan_out_of_reach(house: House, theirs: Desk) -> None:
    """Nor told that it was."""
    browser = at_the_browser(house, house.sign_in(theirs.clinic, "clinician", member_id=uuid4()))
    csrf = re.search(r'name="csrf" value="(\w+)"', browser.get("/account").text)
    assert csrf is not None
    place = f"/plans/{theirs.plan_id}/record"
    answer = browser.post(place, data={"csrf": csrf[1], "action": "save", "e0.type": "GoalSet"})
    assert answer.status_code == 404


def test_the_next_correction_begins_with_the_last(house: House) -> None:
    """Else sending it would quietly take back what the last one put right."""
    desk = new_desk(house)
    done = desk.record(entry("SetbackNoted", what="A loud Sunday", meaning="Nothing"))
    entry_id = done["entries"][0]["entry_id"]
    browser = at_the_browser(house, desk.caller)
    place = f"/plans/{desk.plan_id}/record?correct={entry_id}"
    assert "A loud Sunday</textarea>" in browser.get(place).text
    put_right = {"entry_id": entry_id, "data": {"what": "A loud Monday"}}
    desk.record(entry("EntryCorrected", "It was Monday", **put_right))
    page = browser.get(place).text
    assert "A loud Monday</textarea>" in page
    assert "Nothing</textarea>" in page
