"""Every page in every state: who sees it, where, and what they do first."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import expect

from tests.browser.conftest import Demo, Reader

Prepare = Callable[[Reader, Demo], None]


@dataclass(frozen=True)
class State:
    """A page as somebody meets it. ``faults``: what its browser says, where that is meant to be."""

    who: str | None
    path: str
    prepare: Prepare | None = None
    faults: str = ""

    def __str__(self) -> str:
        done = f" {self.prepare.__name__.strip('_')}" if self.prepare else ""
        return f"{self.who or 'nobody'} {self.path}{done}"


def _send(reader: Reader, _: Demo) -> None:
    """Send the form as it is."""
    reader.page.locator("main form[method=post] button").first.click()
    reader.page.locator("[aria-invalid=true], .fault").first.wait_for()


def _record(reader: Reader, _: Demo) -> None:
    """Record what is typed: nothing."""
    reader.page.click('button[value="record"]')
    reader.page.locator("#refusal").wait_for()


def _propose(reader: Reader, _: Demo) -> None:
    """Propose what is typed: nothing."""
    reader.page.click('button[value="send"]')
    reader.page.locator("#refusal").wait_for()


def _asked(reader: Reader, _: Demo) -> None:
    """They have asked to be forgotten."""
    reader.page.locator("main form[method=post] button").first.click()
    expect(reader.page.locator(".good")).to_contain_text("We have it")


def _conflict(reader: Reader, demo: Demo) -> None:
    """Somebody records something meanwhile."""
    reader.page.fill('[name="e0.data.text"]', "They look at each other more.")
    reader.page.select_option('[name="e0.data.kind"]', "pattern")
    said = {"entries": [{"type": "SetbackNoted", "data": {"what": "A loud Sunday"}}]}
    bearer = {"Authorization": f"Bearer {demo.people['alder']['token']}"}
    demo.served.send(f"/v1/plans/{demo.plans['next']}/entries", said, **bearer)
    reader.page.click('button[value="record"]')
    expect(reader.page.locator("[role=alert]").first).to_contain_text("A loud Sunday")


def _draft(reader: Reader, _: Demo) -> None:
    """What was typed is there again after a reload."""
    reader.page.fill('[name="e0.data.what"]', "Half a sentence")
    expect(reader.page.locator("#kept")).to_have_text("Kept as a draft")
    reader.page.reload()
    expect(reader.page.locator('[name="e0.data.what"]')).to_have_value("Half a sentence")


def _recorded(reader: Reader, _: Demo) -> None:
    """It is recorded."""
    reader.page.fill('[name="e0.data.what"]', "A small thing.")
    reader.page.click('button[value="record"]')
    expect(reader.page.locator(".good")).to_contain_text("Recorded")


def _corrects(reader: Reader, _: Demo) -> None:
    """They begin to correct the newest entry that can be corrected."""
    reader.page.locator("a", has_text=re.compile("^correct")).first.click()
    reader.page.locator("#e0").wait_for()


def _corrects_in_vain(reader: Reader, demo: Demo) -> None:
    """They do, and send it as it is."""
    _corrects(reader, demo)
    _propose(reader, demo)


def _ending(reader: Reader, _: Demo) -> None:
    """Eighteen minutes pass without a click."""
    reader.page.clock.install()
    reader.page.reload()
    reader.page.clock.fast_forward("18:01")
    expect(reader.page.locator(".quiet-line")).to_contain_text("signed out in two minutes")


def _away(reader: Reader, _: Demo) -> None:
    """Twenty minutes pass: nothing is left on the screen."""
    reader.page.clock.install()
    reader.page.reload()
    reader.page.clock.fast_forward("20:01")
    expect(reader.page).to_have_url(re.compile(r"/sign-in\?idle=1"))


def _unfolded(reader: Reader, _: Demo) -> None:
    """Everything that can be unfolded is."""
    reader.page.evaluate(
        "document.querySelectorAll('details').forEach(held => { held.name = ''; held.open = true; })"
    )


def _scrubbed(reader: Reader, _: Demo) -> None:
    """The scrubber is moved out of what was in view."""
    reader.page.locator("#scrubber").focus()
    reader.page.keyboard.press("Home")
    expect(reader.page.locator("#place")).to_contain_text("1 of")
    expect(reader.page.locator("#replay")).to_have_attribute("data-first", "1")


def _follow_link(reader: Reader, demo: Demo) -> None:
    reader.page.goto(demo.people["birch"]["sign_in_url"])


def _bad_token(reader: Reader, _: Demo) -> None:
    reader.page.fill("#token", "ph_nonsense")
    reader.page.click("main button")
    reader.page.locator("[role=alert]").wait_for()


NOT_FOUND, FORBIDDEN, REFUSED = "404", "403", "4[02][0-9]"
STATES = [
    # signing in and out
    State(None, "/sign-in"),
    State(None, "/sign-in?idle=1&next=/worklist"),
    State(None, "/sign-in", _bad_token, "401"),
    State(None, "/sign-in", _follow_link),
    State(None, "/sign-in/used-up", faults="401"),
    State(None, "/signed-out"),
    State("alder", "/worklist", _ending),
    State("alder", "/worklist", _away),
    State("birch", "/account"),
    # the clinic's own sign-in
    State(None, "/signed-out?at=issuer"),
    State(None, "/sign-in/oidc/back", faults="401"),
    # the worklist
    State("rowan", "/worklist"),
    State("rowan", "/worklist?by=plan"),
    State("rowan", "/worklist?due=overdue"),
    State("alder", "/worklist"),
    State("busy", "/worklist", _unfolded),
    State("busy", "/worklist?by=plan"),
    State("idle", "/worklist"),
    State("idle", "/worklist?due=week"),
    # plans
    State("alder", "/plans"),
    State("alder", "/plans?q=nobody+at+all"),
    State("linden", "/plans"),
    State("idle", "/plans"),
    State("alder", "/plans/new"),
    State("alder", "/plans/new", _send, "422"),
    State("alder", "/plans/{oak}", _unfolded),
    State("alder", "/plans/{single}"),
    State("alder", "/plans/{many}"),
    State("alder", "/plans/{sorrel}"),
    State("alder", "/plans/{superseded}"),
    State("alder", "/plans/{error}"),
    State("idle", "/plans/{many}"),
    State("rowan", "/plans/{ivy}"),
    # replay
    State("alder", "/plans/{oak}/replay?at=57", _unfolded),
    State("alder", "/plans/{oak}/replay?at=75&with=20&clock=effective", _unfolded),
    State("alder", "/plans/{oak}/replay?at=60&view=91&kind=review", _scrubbed),
    State("alder", "/plans/{single}/replay"),
    State("alder", "/plans/{late}/replay?clock=effective"),
    State("alder", "/plans/{many}/replay"),
    State("alder", "/plans/{many}/replay?all=1"),
    State("alder", "/plans/{error}/replay"),
    State("idle", "/plans/{many}/replay?at=3"),
    # timeline
    State("alder", "/plans/{oak}/timeline"),
    State("alder", "/plans/{oak}/timeline?type=PlanCompleted"),
    State("alder", "/plans/{oak}/timeline?order=occurred"),
    State("alder", "/plans/{error}/timeline"),
    # recording
    State("alder", "/plans/{holly}/record"),
    State("alder", "/plans/{holly}/record?add=ReviewHeld"),
    State("alder", "/plans/{late}/record?add=GoalSet", _record, REFUSED),
    State("alder", "/plans/{next}/record?add=ObservationRecorded", _conflict, "409|412"),
    State("alder", "/plans/{single}/record?add=SetbackNoted", _draft),
    State("alder", "/plans/{spare}/record?add=SetbackNoted", _recorded),
    State("alder", "/plans/{sorrel}/record"),
    State("rowan", "/plans/{ivy}/record"),
    # evidence and disclosures
    State("alder", "/plans/{oak}/evidence"),
    State("alder", "/plans/{single}/evidence"),
    State("alder", "/plans/{many}/evidence"),
    State("alder", "/plans/{sorrel}/disclosures"),
    State("linden", "/plans/{single}/disclosures"),
    # emergencies
    State("idle", "/emergency?plan_id={oak}"),
    State("idle", "/emergency", _send, "404|422"),
    State("juniper", "/audit/emergencies"),
    State("juniper", "/audit/emergencies?status=reviewed"),
    State("juniper", "/audit/emergencies/{emergency}"),
    State("juniper", "/audit/emergencies/{emergency}", _send, "422"),
    # audit and figures
    State("linden", "/audit"),
    State("linden", "/audit?plan=c-1032&since=2026-01-01"),
    State("linden", "/audit?since=soon"),
    State("linden", "/audit?plan=nobody"),
    State("alder", "/audit"),
    State("linden", "/audit/looks"),
    State("linden", "/audit/looks?refused=1"),
    State("linden", "/audit/looks?plan=nobody"),
    State("linden", "/audit/disclosures"),
    State("linden", "/audit/seals"),
    State("rowan", "/figures", _unfolded),
    # people, proposals, erasure
    State("juniper", "/people"),
    State("rowan", "/people"),
    State("birch", "/people?status=all&role=clinician"),
    State("linden", "/people?q=nobody+at+all"),
    State("linden", "/people/proposals"),
    State("rowan", "/people/proposals?status=open"),
    State("juniper", "/people/proposals", _unfolded),
    State("birch", "/people/history"),
    State("linden", "/people/history?type=LegalHoldPlaced"),
    State("birch", "/people/history", _corrects),
    State("birch", "/people/history?type=MemberJoined", _corrects_in_vain, "422"),
    State("birch", "/people/change"),
    State("birch", "/people/change?add=PolicySet"),
    State("rowan", "/people/change?add=MemberRoleChanged"),
    State("rowan", "/people/change?add=MemberRoleChanged", _propose, "422"),
    State("juniper", "/erasure?client_ref=c-1041"),
    State("juniper", "/erasure", _send, "422"),
    State("maple", "/erasure"),
    State("newcomer", "/erasure"),
    State("maple", "/erasure", _asked),
    # the client
    State("maple", "/my-plan"),
    State("maple", "/plans/{maple}"),
    State("maple", "/plans/{maple}/replay"),
    State("maple", "/plans/{maple}/replay?at=75&with=20&clock=effective", _unfolded),
    State("maple", "/plans/{maple}/timeline"),
    State("maple", "/plans/{maple}/record"),
    State("maple", "/plans/{maple}/record?add=FeedbackGiven", _record, REFUSED),
    State("maple", "/plans/{maple}/evidence"),
    State("maple", "/plans/{maple}/disclosures"),
    State("newcomer", "/my-plan"),
    # problems
    State("alder", "/plans/00000000-0000-4000-8000-000000000001", faults=NOT_FOUND),
    State("alder", "/plans/{aspen}", faults=NOT_FOUND),
    State("linden", "/plans/{oak}", faults=FORBIDDEN),
    State("maple", "/audit", faults=FORBIDDEN),
    State("alder", "/plans?cursor=nonsense", faults="400"),
    State("alder", "/plans/not-an-id", faults=NOT_FOUND),
]
