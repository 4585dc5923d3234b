"""The seals on the pages: how far it is sealed, the checkpoint to keep, and a word when something is wrong."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from api.pages.seals import Paper
from tests.api.house import Desk, House, entry, goal, new_desk
from tests.api.test_pages_reach import at_the_browser

NOTHING = "Nothing is sealed yet"


@pytest.fixture
def desk(house: House) -> Desk:
    """A plan with a goal, in a clinic of its own."""
    made = new_desk(house)
    made.record(goal("A goal"))
    return made


def auditor_of(house: House, desk: Desk) -> FlaskClient:
    """The clinic's auditor at their browser."""
    return at_the_browser(house, house.sign_in(desk.clinic, "auditor"))


def test_before_the_first_seal_there_is_nothing_to_keep(house: House, desk: Desk) -> None:
    """The pages say so, and offer no checkpoint."""
    auditor = auditor_of(house, desk)
    page = auditor.get("/audit/seals").text
    assert page.count(NOTHING) == 2
    assert "<svg" not in page.partition("<main")[2]
    assert auditor.get("/audit/seals/entries/checkpoint").status_code == 404
    paper = at_the_browser(house, desk.caller).get(f"/plans/{desk.plan_id}/evidence").text
    assert "Not yet" in paper
    assert 'class="qr"' not in paper


def test_a_plan_on_paper_says_how_far_it_is_sealed(house: House, desk: Desk) -> None:
    """All of it, or up to a version; with the root that is on the checkpoint."""
    house.seal()
    browser, place = at_the_browser(house, desk.caller), f"/plans/{desk.plan_id}/evidence"
    checkpoint = desk.caller.get("/v1/ledger/checkpoint").text
    paper = browser.get(place).text
    assert "All of it" in paper
    assert Paper(checkpoint).root.replace("+", "&#43;") in paper.replace("+", "&#43;")
    assert str(Paper(checkpoint).code) in paper
    desk.record(entry("SetbackNoted", what="A bad night"))
    assert "Up to version 2" in browser.get(place).text


def test_auditors_take_checkpoint_and_key_along(house: House, desk: Desk) -> None:
    """As the very files that the API gives; for both logs."""
    auditor = auditor_of(house, desk)
    auditor.get(f"/audit?plan={desk.plan_id}")
    house.seal()
    page = auditor.get("/audit/seals").text
    assert NOTHING not in page
    for tree, api in (("entries", "/v1/ledger"), ("looks", "/v1/ledger/access-log")):
        for kind in ("checkpoint", "vkey"):
            place = f"/audit/seals/{tree}/{kind}"
            assert f'href="{place}"' in page
            held = auditor.get(place)
            assert held.text == desk.caller.get(f"{api}/{kind}").text
            assert held.headers["Content-Disposition"] == f'attachment; filename="{tree}.{kind}"'
    for strange in ("entries/secret", "plans/checkpoint"):
        assert auditor.get(f"/audit/seals/{strange}").status_code == 404


def test_only_who_audits_sees_the_clinics_seals(house: House, desk: Desk) -> None:
    """Whoever treats finds those of their plans on paper."""
    treating = at_the_browser(house, desk.caller)
    for place in ("/audit/seals", "/audit/seals/entries/checkpoint"):
        assert treating.get(place).status_code == 403
    assert "/audit/seals" not in treating.get("/audit").text
    assert 'href="/audit/seals"' in auditor_of(house, desk).get("/audit").text


def test_a_stopped_seal_is_an_alert(house: House, desk: Desk) -> None:
    """On both pages, with what is wrong and whom to tell; what was sealed before can still be kept."""
    house.seal()
    set_to = "UPDATE checkpoints SET stopped_at = 7, stopped_why = %s WHERE clinic_id = %s AND tree = 'entries'"
    why = "the entry at position 7 is not as it was recorded"
    house.owner.execute(set_to, [why, desk.clinic.clinic_id])
    page = auditor_of(house, desk).get("/audit/seals").text
    alert = page.partition('role="alert"')[2]
    assert "stopped at leaf 7" in alert
    assert why in alert
    assert "privacy officer" in alert
    assert 'class="qr"' in page
    paper = at_the_browser(house, desk.caller).get(f"/plans/{desk.plan_id}/evidence").text
    assert why in paper.partition('role="alert"')[2]
