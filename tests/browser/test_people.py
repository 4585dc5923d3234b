"""Changes by two people, made as people make them – without a mouse."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Demo, Reader, Seat
from tests.browser.test_journeys import bearer
from tests.service.servers import soon
from tests.service.serving import plan_history


@dataclass(frozen=True)
class Trainee:
    """Somebody new in Rowan's team, with a token."""

    demo: Demo
    name: str
    member_id: str
    token: str

    @property
    def role(self) -> str:
        """Who they are, as the service knows them now."""
        answer = self.demo.served.send("/v1/me", None, Authorization=f"Bearer {self.token}")
        role: str = answer.body["role"]
        return role


@pytest.fixture
def trainee(demo: Demo) -> Trainee:
    """They join and are supervised by Rowan."""
    member_id, name = str(uuid4()), f"Fern {uuid4().hex[:6]}"
    chief = demo.people["rowan"]["member_id"]
    joins = {"member_id": member_id, "name": name, "role": "clinician"}
    guided = {"member_id": member_id, "supervisor_id": chief}
    record(demo, ("MemberJoined", joins), ("SupervisionAssigned", guided))
    clinic = demo.served.send("/v1/me", None, **bearer(demo, "birch")).body["clinic_id"]
    given = ("--clinic", clinic, "--name", name, "--role", "clinician", "--member", member_id)
    token = plan_history(demo.served.home, "token", "issue", *given).stdout.strip()
    return Trainee(demo, name, member_id, token)


def record(demo: Demo, *entries: tuple[str, dict[str, str]]) -> None:
    """Birch, the admin, records these."""
    why = {"text": "For a test"}
    sent = [{"type": name, "reason": why, "data": data} for name, data in entries]
    answer = demo.served.send("/v1/clinic/entries", {"entries": sent}, **bearer(demo, "birch"))
    assert answer.status == 201, answer.body


def proposed_by_keyboard(reader: Reader, trainee: Trainee, why: str) -> None:
    """From the worklist to a proposal that the trainee becomes a supervisor."""
    page = reader.page
    reader.open("/people/change")
    for button in page.locator(
        'button[value="discard"]'
    ).all():  # what another test left on their sheet
        button.click()
    reader.open("/worklist")
    reader.tab_to("nav a:has-text('People')")
    page.keyboard.press("Enter")
    reader.tab_to("a:has-text('Propose a change')")
    page.keyboard.press("Enter")
    reader.tab_to('button[value="add:MemberRoleChanged"]')
    page.keyboard.press("Enter")
    reader.tab_to('[name="e0.data.member_id"]')
    page.keyboard.type(trainee.name)
    reader.tab_to('[name="e0.data.role"]')
    page.keyboard.type("Supervisor")
    reader.tab_to('button[value="send"]')
    page.keyboard.press("Enter")
    expect(page.locator("#refusal")).to_contain_text("Nothing was proposed")
    expect(page.locator('[name="why"]')).to_be_focused()
    assert reader.violations() == []
    page.keyboard.type(why)
    reader.tab_to('button[value="send"]')
    page.keyboard.press("Enter")
    expect(page.locator(".good")).to_contain_text("takes effect once it is approved")


def test_a_supervisor_proposes_an_officer_approves_and_the_role_is_in_force(
    seat: Seat, trainee: Trainee
) -> None:
    """All by keyboard; the officer is told that something waits, and the trainee's page follows."""
    rowan = seat("rowan")
    proposed_by_keyboard(rowan, trainee, "Her licence has come.")
    assert trainee.role == "clinician"
    juniper = seat("juniper")
    page = juniper.page
    juniper.open("/home")
    expect(page.locator("h1")).to_contain_text("people")
    expect(page.locator("nav a:has-text('People') .count")).to_contain_text("wait")
    mine = page.locator(".proposal", has_text=trainee.name)
    expect(mine).to_contain_text("Her licence has come.")
    expect(mine).to_contain_text(f"{trainee.name} is supervisor now.")
    juniper.tab_to(f".proposal:has-text('{trainee.name}') button:has-text('Approve')")
    page.keyboard.press("Enter")
    expect(page.locator(".good")).to_contain_text("Approved.")
    expect(page.locator("tr", has_text=trainee.name)).to_contain_text("Supervisor")
    assert soon(lambda: trainee.role == "supervisor"), "by every web worker"
    rowan.open("/people/proposals?status=approved")
    told = rowan.page.locator(".proposal", has_text=trainee.name)
    expect(told).to_contain_text("Approved by Juniper Crane")
    assert juniper.violations() == rowan.violations() == []
    assert juniper.faults == []


def test_an_officer_declines_and_says_why(seat: Seat, trainee: Trainee) -> None:
    """By keyboard; whoever proposed it reads the reason, and nothing has changed."""
    rowan = seat("rowan")
    proposed_by_keyboard(rowan, trainee, "She is ready.")
    juniper = seat("juniper", 390)
    page = juniper.page
    juniper.open("/people")
    juniper.tab_to(f".proposal:has-text('{trainee.name}') summary")
    page.keyboard.press("Enter")
    assert juniper.violations() == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    juniper.tab_to(f".proposal:has-text('{trainee.name}') textarea")
    page.keyboard.type("Not before her examination.")
    juniper.tab_to(f".proposal:has-text('{trainee.name}') button:has-text('Decline it')")
    page.keyboard.press("Enter")
    expect(page.locator(".good")).to_contain_text("Declined")
    rowan.open("/people/proposals?status=declined")
    told = rowan.page.locator(".proposal", has_text=trainee.name)
    expect(told).to_contain_text("Not before her examination.")
    assert trainee.role == "clinician"


def test_what_is_not_possible_any_more_is_said_beside_the_proposal(
    seat: Seat, demo: Demo, trainee: Trainee
) -> None:
    """It stays open; its proposer takes it back."""
    rowan, juniper = seat("rowan"), seat("juniper", 390, "dark")
    proposed_by_keyboard(rowan, trainee, "She is ready.")
    juniper.open("/people")
    record(demo, ("MemberLeft", {"member_id": trainee.member_id}))
    mine = juniper.page.locator(".proposal", has_text=trainee.name)
    mine.locator("button:has-text('Approve')").click()
    refusal = juniper.page.locator("#refusal")
    expect(refusal).to_be_focused()
    expect(refusal).to_contain_text("has left the clinic")
    assert juniper.violations() == []
    rowan.open("/people")
    rowan.page.locator(".proposal", has_text=trainee.name).get_by_role("button").click()
    expect(rowan.page.locator(".good")).to_contain_text("Withdrawn")


@pytest.mark.parametrize("script", [True, False])
def test_a_double_click_approves_once(seat: Seat, trainee: Trainee, script: bool) -> None:
    """With a script the second click does nothing; without one it is answered as the first."""
    proposed_by_keyboard(seat("rowan"), trainee, "Her licence has come.")
    juniper = seat("juniper", java_script_enabled=script)
    page = juniper.page
    juniper.open("/people")
    button = page.locator(".proposal", has_text=trainee.name).locator("button:has-text('Approve')")
    button.dblclick()
    expect(page.locator(".good")).to_contain_text("Approved.")
    assert soon(lambda: trainee.role == "supervisor")
    juniper.open("/people/proposals?status=approved")
    told = page.locator(".proposal", has_text=trainee.name)
    expect(told).to_have_count(1)
    expect(told.locator("li", has_text=re.compile("^Approved by"))).to_have_count(1)


@pytest.mark.parametrize("script", [True, False])
def test_an_admin_corrects_what_the_clinic_recorded(
    seat: Seat, trainee: Trainee, script: bool
) -> None:
    """By keyboard from the clinic's history to the reason that was left out; a double click records it once."""
    birch = seat("birch", java_script_enabled=script)
    page = birch.page
    birch.open("/people/change")
    if page.locator('button[value="discard"]').count():
        page.click('button[value="discard"]')
    birch.open("/people")
    birch.tab_to("a:has-text('Its history')")
    page.keyboard.press("Enter")
    mine = page.locator("li.entry", has_text=f"{trainee.name} joined")
    birch.tab_to(f"li.entry:has-text('{trainee.name} joined') a:has-text('correct')")
    page.keyboard.press("Enter")
    birch.tab_to('[name="e0.data.data.credential"]')
    page.keyboard.type("Psychotherapist in training")
    birch.tab_to('button[value="send"]')
    page.keyboard.press("Enter")
    expect(page.locator("#refusal")).to_contain_text("Nothing was recorded")
    expect(page.locator("#why-said .fault")).to_contain_text("say it in a sentence")
    page.fill('[name="why"]', "It was left out.")
    page.locator('button[value="send"]').dblclick()
    expect(page.locator(".good")).to_contain_text("Recorded")
    expect(mine.locator(".thread")).to_have_count(1)
    expect(mine.locator(".thread")).to_contain_text("Psychotherapist in training")
