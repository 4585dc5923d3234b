"""What the clinic recorded about itself, as a page: told, corrected, added to and marked in error by form."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from service.access import ACCESS, ROLES
from tests.api.house import entry
from tests.api.test_pages_people import Sitting, at
from tests.api.world import WHY, World

OURS = "/people/history"


def own(world: World, kind: str, fits: Callable[[dict[str, Any]], bool] = bool) -> dict[str, Any]:
    """The newest entry of the clinic of that kind that fits."""
    found = world["admin"].get(f"/v1/clinic/timeline?type={kind}&order=-recorded").json["entries"]
    return next(held for held in found if fits(held))


def renamed(world: World, *names: str) -> dict[str, Any]:
    """The trainee was given other names, one after the other; the last of the entries."""
    for name in names:
        world.record(entry("MemberRoleChanged", WHY, member_id=world.member_id, name=name))
    return own(world, "MemberRoleChanged")


def correcting(sitting: Sitting, held: dict[str, Any]) -> str:
    """The form that a correction of an entry begins with, which is kept as a draft."""
    page = sitting.read(f"/people/change?correct={held['entry_id']}")
    hidden = re.findall(r'<input type="hidden" name="([\w.]+)" value="([^"]*)"', page)
    form = {name: said for name, said in hidden if name != "csrf"}
    sitting.post("/people/change", **form, action="save")
    return page


# Who sees what


@pytest.mark.parametrize("role", ROLES)
def test_who_reads_it_is_in_the_table_and_so_is_who_amends(steady_world: World, role: str) -> None:
    """It is told to those who may read it; only an admin is led to amend it."""
    sitting = at(steady_world, role)
    reads = role in ACCESS["clinic.history"]
    page = sitting.read(OURS, 200 if reads else 403)
    if role in ACCESS["proposals.read"] and role != "client":
        assert (OURS in sitting.read("/people")) is reads
    if reads:
        assert "Some supervisor supervises Hazel Sample." in page
        for led in ("change?correct=", "add=AddendumAdded", "add=EntryMarkedInError"):
            assert (led in page) is (role == "admin"), led


def test_it_is_turned_page_by_page_and_by_kind(
    steady_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newest first; a kind there is not shows all."""
    monkeypatch.setattr("api.pages.history.MOST", 3)
    sitting = at(steady_world, "auditor")
    first = sitting.read(f"{OURS}?type=nonsense")
    assert first.count('class="sentence"') == 3
    following = re.search(r'href="([^"]+)"[^>]*>Show more', first)
    assert following is not None
    second = sitting.read(following[1].replace("&amp;", "&"))
    assert second.count('class="sentence"') == 3
    assert not set(re.findall(r'id="v\d+"', first)) & set(re.findall(r'id="v\d+"', second))
    assert sitting.read(f"{OURS}?type=LegalHoldPlaced").count('class="sentence"') == 1


# Correcting


def test_an_admin_corrects_by_form_and_the_next_correction_begins_with_it(world: World) -> None:
    """With what stands to begin from; sent twice it is one; it stands under its entry, with names and why."""
    held, sitting = renamed(world, "Hazel Smaple"), at(world, "admin")
    assert 'value="Hazel Smaple"' in correcting(sitting, held)
    said = {"e0.data.data.name": "Hazel Simple", "why": "The name was misspelt"}
    sheet = sitting.sheet()
    for _ in range(2):
        answer = sitting.post("/people/change", **{**sheet, **said}, action="send")
        assert answer.headers["Location"] == f"{OURS}?done=record"
    assert world.member()["name"] == "Hazel Simple"
    page = sitting.read(f"{OURS}?done=record")
    assert page.count("The name was misspelt") == 2  # under its entry, and as an entry of its own
    assert "<del>Hazel Smaple</del> → Hazel Simple" in page
    assert 'value="Hazel Simple"' in correcting(sitting, held)


def test_whom_a_correction_is_about_is_told_by_name(world: World) -> None:
    """An id says nothing to anybody."""
    chief = world.somebody("supervisor", "Wren Sample")
    held = own(world, "SupervisionAssigned")
    sitting = at(world, "admin")
    correcting(sitting, held)
    form = {"e0.data.data.member_id": world.member_id, "why": WHY}
    form["e0.data.data.supervisor_id"] = str(chief.who.member_id)
    answer = sitting.post("/people/change", **{**sitting.sheet(), **form}, action="send")
    assert answer.headers["Location"] == f"{OURS}?done=record"
    assert "<del>Some supervisor</del> → Wren Sample" in sitting.read(OURS)


def test_a_refused_correction_comes_back_with_the_sentence_beside_the_field(world: World) -> None:
    """No reason, nothing changed, a field that cannot be so; nothing typed is lost, nothing is written."""
    held, sitting = renamed(world, "Hazel Smaple"), at(world, "admin")
    correcting(sitting, held)
    about = {"e0.data.data.member_id": world.member_id}
    with world.house.nothing_written():
        answer = sitting.post(
            "/people/change",
            **{**sitting.sheet(), **about, "e0.data.data.name": "Ha"},
            action="send",
        )
        assert answer.status_code == 422
        assert re.search(r'id="why-said"><p class="fault">[^<]*needs its reason', answer.text)
        assert 'value="Ha"' in answer.text
        same = {**about, "e0.data.data.name": "Hazel Smaple", "why": WHY}
        answer = sitting.post("/people/change", **{**sitting.sheet(), **same}, action="send")
        assert (answer.status_code, "Changes nothing" in answer.text) == (422, True)
        office = {**about, "e0.data.data.role": "emperor", "why": WHY}
        answer = sitting.post("/people/change", **{**sitting.sheet(), **office}, action="send")
        assert answer.status_code == 422
        assert re.search(r'id="e0-data-data-role-said"><p class="fault">', answer.text)


def test_what_came_meanwhile_is_shown_before_a_correction_is_recorded(world: World) -> None:
    """Nothing typed is lost; sent again, as the clinic stands now, it is recorded."""
    held, sitting = renamed(world, "Hazel Smaple"), at(world, "admin")
    sitting.fill(
        {}, "ClinicRenamed", action="save"
    )  # not about anything earlier, nor about a version
    correcting(sitting, held)
    sitting.post("/people/change", **sitting.sheet(), action="remove:e0")
    world.record(entry("LegalHoldPlaced", WHY, client_ref="c-9"), by="privacy_officer")
    said = {"e1.data.data.name": "Hazel Simple", "why": WHY, "action": "send"}
    form = {**sitting.sheet(), **said, "e1.data.data.member_id": world.member_id}
    with world.house.nothing_written():
        answer = sitting.post("/people/change", **form)
    assert answer.status_code in (409, 412)
    assert "Somebody recorded something meanwhile" in answer.text
    assert "A legal hold was placed" in answer.text
    assert 'value="Hazel Simple"' in answer.text
    again = {**sitting.sheet(), **said, "e1.data.data.member_id": world.member_id}
    assert sitting.post("/people/change", **again).headers["Location"] == f"{OURS}?done=record"
    assert world.member()["name"] == "Hazel Simple"


def test_what_came_meanwhile_is_shown_after_another_refusal_too(world: World) -> None:
    """A slip at a field does not stand for having seen what is new."""
    held, sitting = renamed(world, "Hazel Smaple"), at(world, "admin")
    correcting(sitting, held)
    world.record(entry("LegalHoldPlaced", WHY, client_ref="c-9"), by="privacy_officer")
    about = {"e0.data.data.name": "Hazel Simple", "e0.data.data.member_id": world.member_id}
    form = {**sitting.sheet(), **about, "why": WHY, "action": "send"}
    slip = {"e1.type": "MemberJoined", "e1.data.name": "Aster Sample", "e1.data.role": "nobody"}
    assert sitting.post("/people/change", **form, **slip).status_code == 422
    answer = sitting.post("/people/change", **{**form, "seen": sitting.sheet()["seen"]})
    assert answer.status_code in (409, 412)
    assert "A legal hold was placed" in answer.text


def test_a_change_that_is_about_nothing_earlier_goes_through_whatever_came_meanwhile(
    world: World,
) -> None:
    """Only what is said about an earlier entry waits until what is new was seen."""
    sitting = at(world, "admin")
    form = {"e0.data.name": "Aster Sample", "e0.data.role": "clinician", "why": WHY}
    sitting.fill({}, "MemberJoined", action="save")
    sheet = sitting.sheet()
    world.record(entry("LegalHoldPlaced", WHY, client_ref="c-9"), by="privacy_officer")
    answer = sitting.post("/people/change", **{**sheet, **form}, action="send")
    assert answer.headers["Location"] == "/people?done=record"


# Proposing


def test_what_takes_others_is_proposed_and_not_mixed_with_what_is_recorded(world: World) -> None:
    """A hold is taken back by two officers; the sheet says who approves, and holds only what goes that way."""
    hold, name = own(world, "LegalHoldPlaced"), renamed(world, "Hazel Smaple")
    sitting = at(world, "admin")
    place = f"/people/change?add=EntryMarkedInError&entry_id={hold['entry_id']}"
    page = sitting.read(place)
    assert "two privacy officers" in page
    assert f'<option value="{hold["entry_id"]}" selected>' in page
    about = {"e0.type": "EntryMarkedInError", "e0.data.entry_id": hold["entry_id"]}
    form = {**sitting.sheet(), **about, "why": "Another client"}
    sitting.post("/people/change", **form, action="save")
    assert "that is recorded at once" in sitting.read(f"/people/change?correct={name['entry_id']}")
    assert "e1.type" not in sitting.sheet()
    answer = sitting.post("/people/change", **form, action="send")
    assert answer.headers["Location"] == f"{OURS}?done=propose"
    [held] = world["admin"].get("/v1/clinic/proposals").json["proposals"]
    assert [one["type"] for one in held["entries"]] == ["EntryMarkedInError"]
    assert held["approvals_needed"] == 2


def test_where_the_clinic_wants_two_people_a_correction_is_proposed(world: World) -> None:
    """The same form; what it does follows the clinic's policy."""
    held = renamed(world, "Hazel Smaple")
    world.record(entry("PolicySet", WHY, two_people=True))
    world.house.container.clinic.recording.policy._known.clear()  # type: ignore[attr-defined] # the real one
    sitting = at(world, "admin")
    assert "It takes effect once it is approved by" in correcting(sitting, held)
    form = {"e0.data.data.name": "Hazel Simple", "why": WHY, "action": "send"}
    answer = sitting.post(
        "/people/change", **{**sitting.sheet(), **form, "e0.data.data.member_id": world.member_id}
    )
    assert answer.headers["Location"] == f"{OURS}?done=propose"
    assert world.member()["name"] == "Hazel Smaple"


# Adding, marking, and what is not to be


def test_something_is_added_and_an_entry_is_marked_in_error(world: World) -> None:
    """Both stand under their entry; what is marked is offered nothing any more."""
    held, sitting = renamed(world, "Hazel Smaple"), at(world, "admin")
    for kind, form in (
        ("AddendumAdded", {"e0.data.text": "Heard by telephone"}),
        ("EntryMarkedInError", {"why": "Another Hazel"}),
    ):
        sitting.read(f"/people/change?add={kind}&entry_id={held['entry_id']}")
        about = {"e0.type": kind, "e0.data.entry_id": held["entry_id"]}
        answer = sitting.post("/people/change", **about, **form, action="send")
        assert answer.status_code == 303, answer.text
    page = sitting.read(OURS)
    assert "Heard by telephone" in page
    assert "Entered in error" in page
    assert f"add=EntryMarkedInError&amp;entry_id={held['entry_id']}" not in page
    assert world.member()["name"] == "Hazel Sample"


def test_what_stands_by_itself_is_not_offered(world: World) -> None:
    """What was proposed and decided stays as it was said; a correction is taken back, not corrected."""
    world.propose(world.promoted())
    proposal = own(world, "ChangeProposed")
    sitting = at(world, "admin")
    assert proposal["entry_id"] not in sitting.read(OURS)
    page = sitting.read(f"/people/change?correct={proposal['entry_id']}")
    assert "What changes?" in page


@pytest.mark.parametrize("role", ["supervisor", "privacy_officer"])
def test_who_does_not_amend_is_given_no_form_and_a_forged_one_is_refused(
    steady_world: World, role: str
) -> None:
    """Nothing is put on their sheet; nothing they send about an earlier entry is recorded."""
    held, sitting = own(steady_world, "LegalHoldPlaced"), at(steady_world, role)
    assert "What changes?" in sitting.read(f"/people/change?correct={held['entry_id']}")
    form = {"e0.type": "EntryMarkedInError", "e0.data.entry_id": held["entry_id"], "why": WHY}
    with steady_world.house.nothing_written():
        answer = sitting.post("/people/change", **form, action="send")
    assert answer.status_code == 403, answer.text
    sitting.post("/people/change", action="discard")


@pytest.mark.parametrize(
    "asked",
    ["correct=nonsense", "correct=", "add=EntryCorrected", "add=NoSuchThing&entry_id={id}",
     "correct=00000000-0000-4000-8000-000000000001"],
)  # fmt: skip
def test_an_address_that_was_tampered_with_does_no_harm(steady_world: World, asked: str) -> None:
    """The form is shown as it was."""
    held = own(steady_world, "LegalHoldPlaced")
    sitting = at(steady_world, "admin")
    assert "What changes?" in sitting.read(f"/people/change?{asked.format(id=held['entry_id'])}")
