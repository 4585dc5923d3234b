"""The clinic's people as pages: who sees what, proposing and recording by form, deciding with a button."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from api.examples import entry_example
from api.pages import clinic_words
from api.pages.change import ways
from api.pages.forms import Form
from api.pages.typed import flatten, joined, read
from domain.entry import CLINIC_TYPES
from domain.fields import fields_of
from domain.policy import DEFAULT_POLICY, Policy
from service.access import ACCESS, ROLES
from service.access.table import AMENDING, CLINIC_RECORDS, PROPOSES
from tests.api.house import House, entry
from tests.api.test_pages_reach import at_the_browser
from tests.api.test_proposals import two_weeks_on
from tests.api.world import WHY, World
from tests.conftest import Caller

SENT = "Proposed. It takes effect once it is approved."


class Sitting:
    """Somebody at a browser, who reads forms as they are shown and sends them."""

    def __init__(self, house: House, caller: Caller) -> None:
        self.browser: FlaskClient = at_the_browser(house, caller)
        found = re.search(r'name="csrf" value="(\w+)"', self.browser.get("/account").text)
        assert found is not None
        self.csrf = found[1]

    def read(self, path: str, status: int = 200) -> str:
        """A page."""
        answer = self.browser.get(path)
        assert answer.status_code == status, answer.text
        return str(answer.text)

    def post(self, path: str, /, **form: str) -> Any:
        """Send a form."""
        return self.browser.post(path, data={"csrf": self.csrf, **form})

    def fill(self, form: dict[str, str], *types: str, action: str = "send") -> Any:
        """Put these types on the sheet one after the other, fill it in, and send it."""
        for name in types:
            assert (
                self.post("/people/change", **self.sheet(), action=f"add:{name}").status_code == 303
            )
        return self.post("/people/change", **{**self.sheet(), **form}, action=action)

    def sheet(self) -> dict[str, str]:
        """What the sheet holds, as a browser would send it back (fields that are typed start empty)."""
        page = self.read("/people/change")
        hidden = re.findall(r'<input type="hidden" name="([\w.]+)" value="([^"]*)"', page)
        return {name: held for name, held in hidden if name != "csrf"}


def at(world: World, role: str) -> Sitting:
    """Somebody of that role at their browser."""
    return Sitting(world.house, world[role])


# Who sees what


@pytest.mark.parametrize("role", ROLES)
def test_who_reads_the_people_is_in_the_table(steady_world: World, role: str) -> None:
    """Those who may read proposals; whoever may change something has the form for it."""
    sitting = at(steady_world, role)
    reads = role in ACCESS["proposals.read"] and role != "client"
    for path in ("/people", "/people/proposals"):
        sitting.read(path, 200 if reads else 403)
    changes = reads and (role in PROPOSES or role in CLINIC_RECORDS)
    sitting.read("/people/change", 200 if changes else 403)
    if reads:
        shown = sitting.read("/people")
        assert ("/people/change" in shown) == changes
        assert "Hazel Sample" in shown
        assert "c-held" in shown


@pytest.mark.parametrize("role", ROLES)
def test_where_the_day_begins(world: World, role: str) -> None:
    """Admins with the people, privacy officers too when something waits for their word."""
    homes = {
        "clinician": "worklist", "supervisor": "worklist", "client": "my-plan", "auditor": "audit",
        "admin": "people", "privacy_officer": "audit", "integration": "plans",
    }  # fmt: skip
    sitting = at(world, role)
    assert sitting.browser.get("/home").headers["Location"] == f"/{homes[role]}"
    world.propose(world.promoted())
    if role in ACCESS["proposals.decide"]:
        assert sitting.browser.get("/home").headers["Location"] == "/people"
        assert '1<span class="sr"> proposal waits for you' in sitting.read("/people")
    else:
        assert "for you</span>" not in sitting.read("/account")


def test_the_list_of_members_is_filtered(world: World) -> None:
    """By name and role; those who left when they are asked for, with the day."""
    world.record(entry("MemberLeft", WHY, member_id=world.member_id))
    sitting = at(world, "auditor")

    def listed(query: str) -> str:
        return sitting.read(f"/people{query}").partition('id="members"')[2]

    assert "Hazel Sample" not in listed("")
    assert "Left <time" in listed("?status=left")
    assert "Some client" not in listed("?status=left")
    assert "Some client" in listed("?status=all&role=client")
    assert "Some admin" not in listed("?status=all&role=client")
    assert "Hazel Sample" in listed("?status=all&q=hAZel")
    assert "Nobody like that" in listed("?q=%00&role=king")


def test_a_supervisor_changes_those_of_their_team(steady_world: World) -> None:
    """An admin everybody; beside anybody else no link leads to a form that would not take them."""
    link = "add=MemberRoleChanged&amp;member_id={}".format
    team, other = steady_world.member_id, str(steady_world["admin"].who.member_id)
    for role, seen in (("supervisor", [True, False]), ("admin", [True, True])):
        page = at(steady_world, role).read("/people")
        assert [link(held) in page for held in (team, other)] == seen, role


def test_a_caseload_counts_open_plans_once(world: World) -> None:
    """As their therapist and by assignment alike; closed ones no more."""
    plans = world.house.container.clinic
    world.record(entry("CaseloadAssigned", member_id=world.member_id, plan_id=world.plan_id))
    world.record(
        entry(
            "CaseloadAssigned",
            member_id=str(world["supervisor"].who.member_id),
            plan_id=world.plan_id,
        )
    )
    world.house.catch_up()
    expected = {world.member_id: 1, str(world["supervisor"].who.member_id): 1}
    assert plans.caseloads(world["admin"].who) == expected
    done = entry("PlanCompleted", None, outcome="goals_met", summary="Done")
    world.trainee.post(f"/v1/plans/{world.plan_id}/entries", {"entries": [done]})
    world.house.catch_up()
    assert plans.caseloads(world["admin"].who) == {}


# Forms


def test_a_supervisor_proposes_by_form_and_an_officer_approves_by_button(world: World) -> None:
    """Two changes in one proposal, the second about whom the first brings in; sent twice it is one."""
    sitting = at(world, "supervisor")
    sitting.fill({}, "MemberJoined", "SupervisionAssigned", action="save")
    sheet = sitting.sheet()
    form = {
        **sheet,
        "e0.data.name": "Aster Sample",
        "e0.data.role": "clinician",
        "e1.data.member_id": sheet["e0.data.member_id"],
        "e1.data.supervisor_id": str(world["supervisor"].who.member_id),
        "why": "She begins her training",
        "action": "send",
    }
    for _ in range(2):
        answer = sitting.post("/people/change", **form)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/people?done=propose")
    assert SENT in sitting.read("/people?done=propose")
    [held] = world["admin"].get("/v1/clinic/proposals").json["proposals"]
    assert [one["type"] for one in held["entries"]] == ["MemberJoined", "SupervisionAssigned"]
    officer = at(world, "privacy_officer")
    page = officer.read("/people")
    assert "Rowan" not in page
    assert "Some supervisor supervises Aster Sample." in page
    place = f"/people/proposals/{held['proposal_id']}/approve"
    assert place in page
    key = str(uuid4())
    for _ in range(2):
        assert officer.post(place, key=key).headers["Location"] == "/people?done=approve"
    assert "Aster Sample" in officer.read("/people?q=aster")
    refused = officer.post(place)
    assert refused.status_code == 409
    assert "approved already" in refused.text


def test_an_admin_records_by_form_and_proposes_where_it_takes_two(world: World) -> None:
    """The same form; what it says and does follows the clinic's policy."""
    sitting = at(world, "admin")
    change = {"e0.data.member_id": world.member_id, "e0.data.credential": "LMFT", "why": WHY}
    answer = sitting.fill(change, "MemberRoleChanged")
    assert answer.headers["Location"] == "/people?done=record"
    assert world.member()["credential"] == "LMFT"
    assert sitting.fill({"e0.data.two_people": "yes", "why": WHY}, "PolicySet").status_code == 303
    world.house.container.clinic.recording.policy._known.clear()  # type: ignore[attr-defined] # the real one
    assert "Propose a change" in sitting.read("/people")
    change["e0.data.credential"] = "LPC"
    answer = sitting.fill(change, "MemberRoleChanged")
    assert answer.headers["Location"] == "/people?done=propose"
    assert world.member()["credential"] == "LMFT"
    shown = sitting.read("/people")
    assert "Withdraw" in shown
    assert "Approve<" not in shown


def test_a_hold_is_placed_and_its_lifting_proposed_from_the_page(world: World) -> None:
    """One sheet is recorded or proposed as a whole: what goes the other way is not offered meanwhile."""
    sitting = at(world, "privacy_officer")
    assert 'value="c-held"' in sitting.read("/people/change?add=LegalHoldLifted&client_ref=c-held")
    answer = sitting.fill({"e0.data.client_ref": "c-7", "why": WHY}, "LegalHoldPlaced")
    assert answer.headers["Location"] == "/people?done=record"
    assert sitting.fill({}, "LegalHoldLifted", action="save").status_code == 200
    assert 'value="add:LegalHoldPlaced"' not in sitting.read("/people/change")
    answer = sitting.fill({"e0.data.client_ref": "c-7", "why": WHY})
    assert answer.headers["Location"] == "/people?done=propose"
    shown = sitting.read("/people")
    assert "Client’s reference: c-7" in shown
    assert "Waits for another privacy officer." in shown


def test_a_refused_form_comes_back_with_the_sentence_beside_the_field(world: World) -> None:
    """Fields, rules and the missing reason; nothing typed is lost, nothing is written."""
    sitting = at(world, "supervisor")
    member = {"e0.data.member_id": world.member_id}
    with world.house.nothing_written():
        answer = sitting.fill({**member, "why": WHY}, "MemberRoleChanged")
        assert answer.status_code == 422
        assert re.search(r'id="e0-data-role-said"><p class="fault">Say what changes', answer.text)
        assert WHY in answer.text
        answer = sitting.fill({**member, "e0.data.credential": "LMFT"})
        assert answer.status_code == 422
        assert re.search(r'id="why-said"><p class="fault">[^<]*needs its reason', answer.text)
        assert 'value="LMFT"' in answer.text
        office = {**member, "e0.data.role": "admin", "why": WHY}
        answer = sitting.fill(office)
        assert answer.status_code == 403
        assert "You propose people as" in answer.text
        sitting.post("/people/change", **sitting.sheet(), action="discard")
        assert "What changes?" in sitting.read("/people/change")
        answer = sitting.fill(
            {"e0.data.member_id": str(world["admin"].who.member_id), "why": WHY}, "SupervisionEnded"
        )
        assert "this is not one of them" in answer.text


def test_what_is_typed_is_kept(world: World) -> None:
    """Put on the sheet, saved, taken out; a supervisor chooses among their team and their plans."""
    world.house.catch_up()
    sitting = at(world, "supervisor")
    shown = sitting.read(f"/people/change?add=CaseloadAssigned&member_id={world.member_id}")
    assert f'<option value="{world.member_id}" selected>' in shown
    assert f'<option value="{world.plan_id}">' in shown
    assert str(world["clinician"].who.member_id) in shown  # supervised by nobody
    assert str(world["admin"].who.member_id) not in shown
    sitting.fill({"e0.data.name": "Ash Sample"}, "MemberJoined", action="save")
    assert 'value="Ash Sample"' in sitting.read("/people/change")
    sitting.post("/people/change", **sitting.sheet(), action="remove:e0")
    assert "Ash Sample" not in sitting.read("/people/change")


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"action": "send"},
        {"action": "send", "e0.type": "NoSuchThing"},
        {"action": "send", "e0.type": "ProposalApproved", "e0.data.proposal_id": "x"},
        {"action": "send", "e0.type": "ClinicFounded", "e0.data.name": "Mine"},
        {"action": "send", "e0.type": "LegalHoldPlaced", "e0.data.client_ref": "c", "why": "x"},
        {"action": "send", "e0.type": "MemberLeft", "why": "\0", "key": "\0" * 36},
        {"action": "add:ClinicFounded"},
        {"action": "add:PolicySet"},
        {"action": "remove:e7"},
        {"action": "save", "e0.type": "MemberJoined", "seen": "x" * 500},
    ],
)
def test_a_form_that_was_tampered_with_does_no_harm(
    steady_world: World, form: dict[str, str]
) -> None:
    """It is refused, or leads back; nothing is recorded, nothing breaks."""
    sitting = at(steady_world, "supervisor")
    with steady_world.house.nothing_written():
        answer = sitting.post("/people/change", **form)
    assert answer.status_code in (200, 303, 403, 409, 422), answer.text
    sitting.read("/people/change")
    sitting.post("/people/change", action="discard")


# Deciding


def test_the_page_says_why_an_approval_is_refused(world: World) -> None:
    """Beside the proposal, with what to do next; it stays open."""
    place = world.propose(world.promoted()).replace("/v1/clinic", "/people")
    world.record(entry("MemberLeft", WHY, member_id=world.member_id))
    officer = at(world, "privacy_officer")
    with world.house.nothing_written():
        answer = officer.post(f"{place}/approve")
        assert answer.status_code == 409
        assert "is not possible any more" in answer.text
        assert 'role="alert"' in answer.text
        bare = officer.post(f"{place}/decline")
        assert (bare.status_code, "reason" in bare.text) == (422, True)
    assert officer.post(f"{place}/decline", why="They have left").status_code == 303
    shown = officer.read("/people/proposals?status=declined")
    assert "They have left" in shown
    assert "Proposed:" in shown
    assert "Nothing is open." in officer.read("/people")


def test_the_page_says_until_when_a_proposal_waits(world: World) -> None:
    """And, when it has expired, what to do; there is no button any more."""
    world.propose(world.promoted())
    officer = at(world, "privacy_officer")
    assert "It expires on" in officer.read("/people")
    with two_weeks_on(world) as ask:
        later = ask("privacy_officer")
        token = later.headers["Authorization"].removeprefix("Bearer ")
        assert later.client.post("/sign-in", data={"token": token}).status_code == 303
        shown = later.client.get("/people/proposals?status=expired").text
        assert "nobody had decided on it by then. Propose it again" in shown
        assert "/approve" not in shown
        assert "Nothing is open." in later.client.get("/people").text


def test_who_may_not_decide_is_told_so(world: World) -> None:
    """Auditors read; a supervisor withdraws what is theirs; another clinic finds nothing."""
    place = world.propose(world.promoted()).replace("/v1/clinic", "/people")
    with world.house.nothing_written():
        for role, doing, status in (
            ("auditor", "approve", 403),
            ("supervisor", "approve", 403),
            ("clinician", "approve", 403),
            ("admin", "withdraw", 403),
            ("admin", "explode", 404),
        ):
            assert at(world, role).post(f"{place}/{doing}").status_code == status, (role, doing)
        stranger = world.house.sign_in(world.house.clinic(), "admin")
        assert Sitting(world.house, stranger).post(f"{place}/approve").status_code == 404
        forged = at(world, "admin").browser.post(f"{place}/approve", data={"csrf": "x"})
        assert forged.status_code == 403
    assert at(world, "supervisor").post(f"{place}/withdraw").status_code == 303


def test_proposals_are_turned_page_by_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Newest first, and a mistyped status shows all."""
    monkeypatch.setattr("api.pages.people.MOST", 2)
    for number in range(3):
        world.propose(world.promoted(credential=f"Credential {number}"))
    sitting = at(world, "auditor")
    first = sitting.read("/people/proposals?status=nonsense")
    assert "Credential 2" in first
    assert "Credential 0" not in first
    following = re.search(r'href="([^"]+)">Older proposals', first)
    assert following is not None
    assert "Credential 0" in sitting.read(following[1].replace("&amp;", "&"))


# Derived from the declarations


@pytest.mark.parametrize("name", sorted(clinic_words.TYPES))
def test_every_change_has_a_form(name: str) -> None:
    """Its example, typed in, is read as the example; every field has a control with a label."""
    cls, example = CLINIC_TYPES[name], entry_example(CLINIC_TYPES[name])["data"]
    typed = joined(cls, flatten(example, "e0.data"), "e0.data")
    assert read(cls, typed, "e0.data") == example
    controls = Form({}, {}, {}).controls(cls, "e0.data")
    assert len({held.name for held in controls}) == len(fields_of(cls))
    assert all(held.label for held in controls)


def test_every_change_somebody_makes_is_offered(steady_world: World) -> None:
    """Whatever a role records or proposes, but for what amends an entry, which begins there."""
    policy = dict.fromkeys(vars(DEFAULT_POLICY), 1)
    for role in ROLES:
        who = steady_world[role].who
        every = CLINIC_RECORDS.get(role, frozenset()) | PROPOSES.get(role, frozenset())
        for two_people in (False, True):
            found = ways(who, {**policy, "two_people": two_people})
            assert set(found) == every - AMENDING
            proposes = two_people or role == "supervisor"
            assert not proposes or found.get("MemberLeft", "propose") == "propose"


def test_every_number_of_the_policy_is_said_in_words() -> None:
    """A new one without words would be missing from the page."""
    assert {held.name for held in fields_of(Policy)} == set(clinic_words.POLICY)
    numbers = {held.name: getattr(DEFAULT_POLICY, held.name) for held in fields_of(Policy)}
    said = dict(clinic_words.policy(numbers))
    assert said["A formal review"] == "every 182 days"
    assert said["A review of a grave safety concern"] == "within 1 day"
    assert said["An entry counts as late"] == "after 24 hours"
    assert said["What an admin changes is approved by somebody else"] == "no"
