"""What people come for, done as they do it – without a mouse."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import requests
from playwright.sync_api import Locator, Page, expect

from tests.browser import clock
from tests.browser.conftest import Demo, Reader, Seat
from tests.service.servers import soon


def bearer(demo: Demo, name: str) -> dict[str, str]:
    """Their token, for looking at the record behind the page."""
    return {"Authorization": f"Bearer {demo.people[name]['token']}"}


def version(demo: Demo, name: str, plan: str) -> int:
    """How many entries a plan has."""
    answer = demo.served.send(f"/v1/plans/{demo.plans[plan]}", None, **bearer(demo, name))
    held: int = answer.body["version"]
    return held


# Signing in


def test_a_link_signs_in_once(seat: Seat, demo: Demo) -> None:
    """Looking at it does not use it up; following it does."""
    link = demo.people["juniper"]["sign_in_url"]
    reader = seat(None)
    for _ in range(2):
        reader.page.goto(link)
        expect(reader.page.locator("h1")).to_have_text("Sign in as Juniper Crane")
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator("h1")).to_have_text("The Demo Clinic: people")
    other = seat(None)
    other.page.goto(link)
    expect(other.page.locator("[role=alert]")).to_contain_text("used before")


def test_one_comes_back_to_where_one_was_going(seat: Seat, demo: Demo) -> None:
    """Signing in goes on to the page that was asked for; signing out leaves nothing to go back to."""
    reader = seat(None)
    place = "/plans/{oak}/replay?at=57".format(**demo.plans)
    reader.open(place)
    reader.page.fill("#token", demo.people["alder"]["token"])
    reader.page.keyboard.press("Enter")
    expect(reader.page).to_have_url(re.compile(re.escape(place)))
    reader.page.click("text=Sign out")
    expect(reader.page.locator("h1")).to_have_text("You are signed out")
    reader.page.go_back()
    expect(reader.page.locator("h1")).to_have_text("Sign in")


# Replay


def test_a_plan_is_replayed_and_compared_by_keyboard(seat: Seat, demo: Demo) -> None:
    """Arrow keys walk, the address follows, a moment is kept and compared with another."""
    reader = seat("alder")
    reader.open("/plans/{oak}/replay?at=56".format(**demo.plans))
    page = reader.page
    reader.tab_to("#scrubber")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"at=57"))
    expect(page.locator(".now-told")).to_contain_text("Version 57")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".now-told")).to_contain_text("Version 60")
    assert "60 of" in (page.locator("#scrubber").get_attribute("aria-valuetext") or "")
    reader.tab_to("a:has-text('Compare from here')")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"with=60"))
    reader.tab_to("#scrubber")
    page.keyboard.press("Home")
    expect(page.locator("#between")).to_contain_text("Compared with version 60")
    expect(page.locator(".now-told")).to_contain_text("Version 1 ")
    assert reader.violations() == []
    assert reader.faults == []


def test_play_walks_on_by_itself(seat: Seat, demo: Demo) -> None:
    """Until it is paused."""
    reader = seat("alder")
    reader.open("/plans/{oak}/replay?at=10".format(**demo.plans))
    reader.page.click("#play")
    expect(reader.page.locator(".now-told")).to_contain_text("Version 12", timeout=8000)
    reader.page.click("#play")
    expect(reader.page.locator("#play")).to_have_attribute("aria-pressed", "false")


def test_a_click_into_the_picture_goes_there(seat: Seat, demo: Demo) -> None:
    """To the last entry before that moment."""
    reader = seat("alder")
    reader.open("/plans/{oak}/replay".format(**demo.plans))
    reader.page.locator(".replay-chart").click(position={"x": 8, "y": 40})
    expect(reader.page.locator(".now-told")).to_contain_text(re.compile(r"Version [1-9]\b"))


def touch(reader: Reader, begin: tuple[float, float], end: tuple[float, float]) -> None:
    """A finger put down, drawn, and lifted."""
    session = reader.context.new_cdp_session(reader.page)
    places = [
        (begin[0] + (end[0] - begin[0]) * n / 12, begin[1] + (end[1] - begin[1]) * n / 12)
        for n in range(13)
    ]
    for kind, place in [("Start", begin), *(("Move", held) for held in places[1:]), ("End", None)]:
        points = [{"x": place[0], "y": place[1]}] if place else []
        session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    session.detach()


def test_a_finger_scrubs_sideways_and_scrolls_up_and_down(seat: Seat, demo: Demo) -> None:
    """On a phone: drawn through the picture it walks and the page stays; up and down the page moves alone."""
    reader = seat("alder", 390, has_touch=True, is_mobile=True)
    page = reader.page
    reader.open("/plans/{oak}/replay?at=57".format(**demo.plans))
    page.locator("#play").wait_for()
    box = page.locator(".replay-chart").bounding_box()
    assert box is not None
    y = box["y"] + 60
    touch(reader, (box["x"] + 200, y), (box["x"] + 60, y + 10))
    expect(page).not_to_have_url(re.compile(r"at=57"))
    walked = page.locator("#place").inner_text()
    assert int(walked.split()[0]) < 57
    assert page.evaluate("scrollY") == 0
    touch(reader, (box["x"] + 60, y + 250), (box["x"] + 64, y - 40))
    assert soon(lambda: page.evaluate("scrollY") > 100)
    assert page.locator("#place").inner_text() == walked


# Recording


def test_a_session_is_recorded_by_keyboard(seat: Seat, demo: Demo) -> None:
    """Two entries in one go; a refused field says so beside it; nothing typed is lost."""
    reader = seat("alder")
    before = version(demo, "alder", "oak")
    reader.open("/plans/{oak}/record?add=SetbackNoted".format(**demo.plans))
    page = reader.page
    reader.tab_to('[name="e0.data.meaning"]')
    page.keyboard.type("The brake works.")
    reader.tab_to('button[value="record"]')
    page.keyboard.press("Enter")
    expect(page.locator("#refusal")).to_contain_text("Nothing was recorded")
    expect(page.locator('[name="e0.data.what"]')).to_be_focused()
    expect(page.locator('[name="e0.data.meaning"]')).to_have_value("The brake works.")
    assert reader.violations() == []
    page.keyboard.type("Turned round at the sliproad.")
    reader.tab_to("summary:has-text('Working together')")
    page.keyboard.press("Enter")
    reader.tab_to('button[value="add:RapportNoted"]')
    page.keyboard.press("Enter")
    reader.tab_to('[name="e1.data.rating"]')
    page.keyboard.type("8")
    reader.tab_to('[name="e1.data.basis"]')
    page.keyboard.type("Laughed about it.")
    reader.tab_to('button[value="record"]')
    page.keyboard.press("Enter")
    expect(page.locator(".good")).to_contain_text("Recorded")
    assert version(demo, "alder", "oak") == before + 2


def test_a_plan_is_opened(seat: Seat, demo: Demo) -> None:
    """Refused, the form keeps what was typed; a client with an open plan is asked about once more."""
    reader = seat("alder")
    reader.open("/plans/new")
    page = reader.page
    page.fill('[name="opening.client_ref"]', "c-1032")
    page.fill('[name="opening.client_label"]', "Oak Plover")
    page.click("text=Open the plan")
    expect(page.locator('[name="opening.initiated_by"]')).to_have_attribute("aria-invalid", "true")
    for name in ("initiated_by", "presenting_concern", "hopes", "signs_of_improvement"):
        page.fill(f'[name="opening.{name}"]', "A sentence of theirs.")
    page.click("text=Open the plan")
    expect(page.locator("#refusal")).to_contain_text("already has an open plan")
    assert reader.violations() == []
    page.check('[name="alongside"]')
    page.click("button:has-text('Open the plan')")
    expect(page.locator(".good")).to_contain_text("Recorded")


def test_a_draft_survives_a_reload(seat: Seat, demo: Demo) -> None:
    """And another browser; putting it away empties it."""
    reader = seat("alder")
    place = "/plans/{cedar}/record?add=InsightShared".format(**demo.plans)
    reader.open(place)
    reader.page.fill('[name="e0.data.text"]', "We say it differently now.")
    expect(reader.page.locator("#kept")).to_have_text("Kept as a draft")
    other = seat("alder", java_script_enabled=False)
    other.open("/plans/{cedar}/record".format(**demo.plans))
    assert other.page.locator('[name="e0.data.text"]').input_value() == "We say it differently now."
    other.page.click("text=Put away")
    assert other.page.locator('[name="e0.data.text"]').count() == 0


def test_a_conflict_shows_what_is_new_and_keeps_what_was_typed(seat: Seat, demo: Demo) -> None:
    """Recording once more then goes through."""
    reader = seat("alder")
    reader.open("/plans/{cedar}/record?add=ObservationRecorded".format(**demo.plans))
    page = reader.page
    page.select_option('[name="e0.data.kind"]', "pattern")
    page.fill('[name="e0.data.text"]', "They look at each other more.")
    said = {"entries": [{"type": "SetbackNoted", "data": {"what": "A loud Sunday"}}]}
    place = f"/v1/plans/{demo.plans['cedar']}/entries"
    assert demo.served.send(place, said, **bearer(demo, "alder")).status == 201
    page.click('button[value="record"]')
    expect(page.locator("[role=alert]").first).to_contain_text("A loud Sunday")
    expect(page.locator('[name="e0.data.text"]')).to_have_value("They look at each other more.")
    assert reader.violations() == []
    page.click('button[value="record"]')
    expect(page.locator(".good")).to_contain_text("Recorded")


def test_sending_twice_records_once(seat: Seat, demo: Demo) -> None:
    """Two at the same moment, as an impatient double click sends them."""
    reader = seat("alder", java_script_enabled=False)
    reader.open("/plans/{sorrel}/record?add=AddendumAdded".format(**demo.plans))
    page = reader.page
    page.select_option('[name="e0.data.entry_id"]', index=1)
    page.fill('[name="e0.data.text"]', "Once is enough.")
    fields = page.locator("#recording").locator("input, textarea, select")
    form = {
        held.get_attribute("name") or "": held.input_value()
        for held in fields.all()
        if held.get_attribute("name")
    }
    form["action"] = "record"
    before = version(demo, "alder", "sorrel")
    cookie = "; ".join(f"{held['name']}={held['value']}" for held in reader.context.cookies())

    def send(_: int) -> int:
        answer = requests.post(
            page.url.partition("?")[0],
            data=form,
            headers={"Cookie": cookie, "Origin": demo.url},
            allow_redirects=False,
            timeout=10,
        )
        return answer.status_code

    with ThreadPoolExecutor(3) as pool:
        assert [*pool.map(send, range(3))] == [303, 303, 303]
    assert version(demo, "alder", "sorrel") == before + 1


def test_a_correction_stands_under_its_entry(seat: Seat, demo: Demo) -> None:
    """Begun from the timeline, with what was written to begin from."""
    reader = seat("alder")
    reader.open("/plans/{holly}/timeline?type=MeasureRecorded".format(**demo.plans))
    page = reader.page
    page.locator("a:has-text('correct')").first.click()
    page.fill('[name="e0.data.data.value"]', "2")
    page.fill('[name="e0.reason"]', "Counted again.")
    page.click('button[value="record"]')
    expect(page.locator(".good")).to_contain_text("Recorded")
    reader.open("/plans/{holly}/timeline?type=MeasureRecorded".format(**demo.plans))
    expect(page.locator(".thread").first).to_contain_text("Counted again.")


# Supervisors, auditors, clients


def test_a_supervisor_cosigns_by_keyboard(seat: Seat, demo: Demo) -> None:
    """From the worklist, where the obligation is gone afterwards."""
    reader = seat("rowan")
    page = reader.page
    reader.open("/worklist")
    expect(page.locator("h2", has_text="Co-signature")).to_be_visible()
    reader.tab_to("a:has-text('Co-sign')")
    page.keyboard.press("Enter")
    reader.tab_to('button[value="record"]')
    page.keyboard.press("Enter")
    expect(page.locator(".good")).to_contain_text("Recorded")
    reader.open("/worklist?team=1")
    expect(page.locator("h2", has_text="Co-signature")).to_have_count(0, timeout=5000)


def rows(page: Page) -> Locator:
    """What a search found."""
    return page.locator("tbody tr")


def day(when: datetime) -> str:
    """A day as it is typed into a field for one, digit by digit."""
    return f"{when:%m%d%Y}"


def test_an_auditor_finds_what_a_person_recorded(seat: Seat, demo: Demo) -> None:
    """By keyboard: the person and the kind are chosen, what is found is taken along."""
    reader = seat("linden")
    page = reader.page
    reader.open("/home")
    reader.tab_to("#type")
    page.keyboard.type("Relapse")
    reader.tab_to("#who")
    page.keyboard.type("Alder")
    reader.tab_to("button:has-text('Search')")
    page.keyboard.press("Enter")
    expect(rows(page).first).to_contain_text("Relapse noted")
    assert all("Alder Finch" in held for held in rows(page).all_inner_texts())
    assert "Flashbacks" not in page.content()
    expect(page.locator("#who option:checked")).to_have_text("Alder Finch")
    reader.tab_to("a:has-text('Table (CSV)')")
    with page.expect_download() as begun:
        page.keyboard.press("Enter")
    found = Path(begun.value.path()).read_text("utf-8").splitlines()
    assert len(found) == rows(page).count() + 1
    assert reader.faults == []


def test_an_auditor_finds_who_looked_at_a_plan_this_month(seat: Seat, demo: Demo) -> None:
    """By keyboard: from the entries over to the looks, the plan and the days stay."""
    seat("alder").open("/plans/{oak}".format(**demo.plans))
    reader = seat("linden")
    page = reader.page
    reader.open("/audit")
    today = clock.now().astimezone(ZoneInfo("Europe/Berlin"))
    reader.tab_to("#plan")
    page.keyboard.type("c-1032")
    reader.tab_to("#since")
    page.keyboard.type(day(today.replace(day=1)))
    reader.tab_to("#until")
    page.keyboard.type(day(today))
    reader.tab_to("button:has-text('Search')")
    page.keyboard.press("Enter")
    reader.tab_to("nav[aria-label=Audit] a:has-text('Looks')")
    page.keyboard.press("Enter")
    expect(page.locator("#plan")).to_have_value("c-1032")
    expect(page.locator("#until")).to_have_value(f"{today:%Y-%m-%d}")
    expect(rows(page).filter(has_text="Alder Finch").first).to_contain_text("Read the plan")
    assert all("c-1032" in held for held in rows(page).all_inner_texts())


def test_an_auditor_finds_refused_attempts(seat: Seat, demo: Demo) -> None:
    """By keyboard: a colleague who tried a plan that is not theirs."""
    seat("idle").open("/plans/{aspen}".format(**demo.plans))
    reader = seat("linden")
    page = reader.page
    reader.open("/audit/looks")
    reader.tab_to("#refused")
    page.keyboard.type("Refused")
    reader.tab_to("button:has-text('Search')")
    page.keyboard.press("Enter")
    expect(rows(page).filter(has_text="Idle Starling").first).to_contain_text("Refused")


def test_emergency_access_is_taken_and_looked_at_by_keyboard(seat: Seat, demo: Demo) -> None:
    """From the plan that is not there, to the plan, to its end on the officer's page."""
    reader = seat("idle")
    page = reader.page
    reader.open("/plans/{poppy}".format(**demo.plans))
    reader.tab_to("a:has-text('Emergency access')")
    page.keyboard.press("Enter")
    reader.tab_to("#why")
    page.keyboard.type("On the phone, alone on the bridge.")
    reader.tab_to("[name=minutes]:checked")
    page.keyboard.press("ArrowUp")
    reader.tab_to("button.grave")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Poppy Siskin")
    expect(page.locator(".looking-in")).to_contain_text("until")
    reader.tab_to(".tabs a:has-text('Replay')")
    page.keyboard.press("Enter")
    expect(page.locator(".looking-in")).to_contain_text("until")
    officer = seat("juniper")
    page = officer.page
    officer.open("/home")
    expect(page.locator("nav a:has-text('Audit') .count")).to_contain_text("to be looked at")
    officer.tab_to("nav a:has-text('Audit')")
    page.keyboard.press("Enter")
    officer.tab_to("a:has-text('Emergencies')")
    page.keyboard.press("Enter")
    officer.tab_to("a.button:has-text('Look at it')")
    page.keyboard.press("Enter")
    expect(page.locator("blockquote")).to_have_text("On the phone, alone on the bridge.")
    expect(page.locator("tbody")).to_contain_text("replay")
    officer.tab_to("[name=finding]")
    page.keyboard.press("Space")
    officer.tab_to("#note")
    page.keyboard.type("The crisis team was there in ten minutes.")
    officer.tab_to("button:has-text('Keep the review')")
    page.keyboard.press("Enter")
    expect(page.locator(".good")).to_contain_text("Kept")
    expect(page.locator("main")).to_contain_text("The crisis team was there")
    assert reader.faults[1:] == []  # the first is the plan that was not there
    assert officer.faults == []


def test_a_client_says_what_helps(seat: Seat, demo: Demo) -> None:
    """In their words; it is in their plan's story at once, and their way can be walked again."""
    reader = seat("maple")
    page = reader.page
    reader.open("/home")
    expect(page.locator("h1")).to_have_text("My plan")
    page.click("text=What helps, what does not")
    page.fill('[name="e0.data.about"]', "the rides")
    page.select_option('[name="e0.data.useful"]', "yes")
    page.fill('[name="e0.data.words"]', "Step by step is right.")
    page.click('button[value="record"]')
    expect(page.locator(".good")).to_contain_text("in your words")
    page.click("text=My story")
    expect(page.locator(".entry").first).to_contain_text("Step by step is right")
    assert page.locator("a:has-text('version')").count() == 0
    page.click("text=My way so far")
    expect(page.locator(".now-told")).to_contain_text("in my words")
    page.locator("#scrubber").focus()
    page.keyboard.press("Home")
    expect(page.locator("#place")).to_contain_text("1 of")
    expect(page.locator(".now-told")).not_to_contain_text("Version")
