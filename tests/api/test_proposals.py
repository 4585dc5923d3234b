"""Changes by two people through the API: who proposes, who approves, what comes of it, and at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event
from typing import Any
from uuid import UUID

import pytest

from api.app import create_app
from api.examples import entry_example
from domain.entry import CLINIC_TYPES, Reason
from domain.errors import ChangeNotPossibleError, PlanHistoryError, TransitionError
from domain.holds import LegalHoldLifted
from domain.proposals import LASTS, ChangeProposed, ProposedEntry
from service.access import ACCESS, ROLES, Principal
from service.access.table import APPROVES, CLINIC_RECORDS, PROPOSES
from service.container import Container, build
from service.recording import Draft, Recorded, Request
from tests.api.cast import supervised
from tests.api.house import House, an_id, desk_of, entry, refused
from tests.api.world import PLACE, WHY, World, proposing
from tests.conftest import Caller


def examples(world: World) -> dict[str, dict[str, Any]]:
    """For each type that somebody proposes: one that is possible, about the supervisor's team."""
    member, chief = world.member_id, str(world["supervisor"].who.member_id)
    return {
        "ClinicRenamed": entry("ClinicRenamed", name="Clinic at the Mill"),
        "PolicySet": entry("PolicySet", answer_days=9),
        "MemberJoined": entry("MemberJoined", name="Aster Sample", role="clinician"),
        "MemberRoleChanged": world.promoted(),
        "MemberLeft": entry("MemberLeft", member_id=member),
        "SupervisionAssigned": entry("SupervisionAssigned", member_id=member, supervisor_id=chief),
        "SupervisionEnded": entry("SupervisionEnded", member_id=member),
        "CaseloadAssigned": entry("CaseloadAssigned", member_id=member, plan_id=world.plan_id),
        "CaseloadEnded": entry("CaseloadEnded", member_id=member, plan_id=world.plan_id),
        "LegalHoldLifted": entry("LegalHoldLifted", client_ref="c-held"),
        "EntryMarkedInError": entry("EntryMarkedInError", entry_id=an_id()),
        "EntryCorrected": entry("EntryCorrected", entry_id=an_id(), data={"name": "Mill"}),
    }


NOT_POSSIBLE = {"CaseloadEnded", "EntryMarkedInError", "EntryCorrected"}
"""Of these the example names what is not there: allowed to propose it gets that far and no further."""


# A proposal's life


def test_a_supervisor_proposes_and_a_privacy_officer_approves(world: World) -> None:
    """Then the change is in force at once; the trail tells who asked, who agreed, and what came of it."""
    place = world.propose(world.promoted(role="supervisor"))
    assert world.trainee.get("/v1/me").json["role"] == "clinician"
    shown = world["privacy_officer"].get(place).json
    assert shown["status"] == "open"
    assert shown["proposed"]["by"]["name"] == "Some supervisor"
    assert shown["proposed"]["reason"] == {"text": WHY}
    assert [held["sentence"] for held in shown["entries"]] == ["Hazel Sample is supervisor now."]
    assert (shown["approvals_needed"], shown["may"]) == (1, ["approve", "decline"])
    done = world["privacy_officer"].post(f"{place}/approve", {})
    assert done.status_code == 201, done.text
    types = [held["type"] for held in done.json["entries"]]
    assert types == ["ProposalApproved", "MemberRoleChanged"]
    assert world.trainee.get("/v1/me").json["role"] == "supervisor"
    *_, asked, agreed, change = world["auditor"].get("/v1/clinic/timeline").json["entries"]
    assert asked["sentence"] == "Proposed: Hazel Sample is supervisor now."
    assert agreed["sentence"] == "Approved: Hazel Sample is supervisor now."
    assert agreed["recorded_by"]["name"] == "Some privacy_officer"
    assert (change["causation_id"], change["reason"]) == (asked["entry_id"], {"text": WHY})
    assert agreed["command_id"] == change["command_id"]
    after = world["supervisor"].get(place).json
    assert (after["status"], after["may"]) == ("approved", [])
    assert after["closed"]["by"]["name"] == "Some privacy_officer"


def test_a_proposal_is_declined_or_withdrawn(world: World) -> None:
    """With the word that ended it; an empty reason is asked for at its field."""
    place = world.propose(world.promoted())
    refused(world["admin"].post(f"{place}/decline", {}), 422, "reason-required", "/reason")
    said = {"reason": {"text": "Not before the examination"}}
    assert world["admin"].post(f"{place}/decline", said).status_code == 201
    shown = world["supervisor"].get(place).json
    assert (shown["status"], shown["closed"]["reason"]) == ("declined", said["reason"])
    other = world.propose(world.promoted())
    refused(world["admin"].post(f"{other}/withdraw", {}), 403, "not-yours")
    assert world["supervisor"].post(f"{other}/withdraw", {}).status_code == 201
    assert world["admin"].get(other).json["status"] == "withdrawn"
    for one in (place, other):
        answer = world["privacy_officer"].post(f"{one}/approve", {})
        refused(answer, 409, "impossible-transition", saying="already, by Some")


def test_entries_may_name_whom_an_earlier_one_brings_in(world: World) -> None:
    """The service makes the ids that are left out, and keeps those that are given."""
    member = an_id()
    joins = entry("MemberJoined", member_id=member, name="Aster Sample", role="clinician")
    guided = entry(
        "SupervisionAssigned",
        member_id=member,
        supervisor_id=str(world["supervisor"].who.member_id),
    )
    place = world.propose(joins, guided, entry("MemberJoined", name="Ash", role="clinician"))
    shown = world["admin"].get(place).json
    made = UUID(shown["entries"][2]["data"]["member_id"])
    done = world["admin"].post(f"{place}/approve", {}).json
    assert done["entries"][3]["member_id"] == str(made)
    assert world.member(member)["supervisor_id"] == guided["data"]["supervisor_id"]


def test_who_leaves_by_an_approved_proposal_is_out_at_once(world: World) -> None:
    """Like one whom an admin lets go directly."""
    place = world.propose(entry("MemberLeft", member_id=world.member_id))
    assert world.trainee.get("/v1/me").status_code == 200
    assert world["privacy_officer"].post(f"{place}/approve", {}).status_code == 201
    refused(world.trainee.get("/v1/me"), 401, "not-signed-in", saying="no longer belong")


# Whoever may, as the table says


@pytest.mark.parametrize("name", sorted({*CLINIC_TYPES, "EntryMarkedInError", "EntryCorrected"}))
@pytest.mark.parametrize("role", ROLES)
def test_who_proposes_what_is_in_the_table(steady_world: World, role: str, name: str) -> None:
    """Every role and every type: allowed as PROPOSES says, refused before anything is written."""
    world, caller = steady_world, steady_world[role]
    if name not in examples(world):
        body = entry(name, WHY, client_ref="c-2", entries=[], proposal_id=an_id(), name="X")
        with world.house.nothing_written():
            assert proposing(caller, body).status_code in (403, 422)
        return
    answer = proposing(caller, examples(world)[name])
    if name not in PROPOSES.get(role, frozenset()):
        refused(answer, 403, "not-allowed")
    elif name in NOT_POSSIBLE:
        assert answer.status_code in (409, 422), answer.text
    else:
        assert answer.status_code == 201, answer.text
        assert caller.post(f"{answer.headers['Location']}/withdraw", {}).status_code == 201


ASKED = [
    (role, name, asking)
    for role in ROLES
    for name in sorted(set().union(*PROPOSES.values()) - NOT_POSSIBLE)
    for asking in [next((one for one in PROPOSES if name in PROPOSES[one] and one != role), None)]
    if asking
]
"""(Who tries to decide, on what, asked by whom of another role)."""


@pytest.mark.parametrize(("role", "name", "asking"), ASKED)
def test_who_approves_what_is_declared_on_the_type(
    steady_world: World, role: str, name: str, asking: str
) -> None:
    """Every role and every type: those of APPROVES decide on it, all others are refused."""
    world = steady_world
    place = world.propose(examples(world)[name], by=world[asking])
    answer = world[role].post(f"{place}/decline", {"reason": {"text": "Only tried"}})
    if name in APPROVES.get(role, frozenset()):
        assert answer.status_code == 201, answer.text
        return
    code = "not-yours" if role in ACCESS["proposals.decide"] else "not-allowed"
    refused(answer, 403, code)
    refused(world[role].post(f"{place}/approve", {}), 403, code)
    assert world[asking].post(f"{place}/withdraw", {}).status_code == 201


@pytest.mark.parametrize("name", sorted(CLINIC_TYPES))
@pytest.mark.parametrize("role", ROLES)
def test_who_records_what_at_once_is_in_the_table(
    steady_world: World, role: str, name: str
) -> None:
    """What comes about by a proposal alone is nobody's to record, whatever else they may."""
    body = examples(steady_world).get(name) or entry_example(CLINIC_TYPES[name])
    body = {**body, "reason": {"text": WHY}}
    if name in CLINIC_RECORDS.get(role, frozenset()):
        return  # tried elsewhere: it would change the world
    with steady_world.house.nothing_written():
        answer = steady_world[role].post("/v1/clinic/entries", {"entries": [body]})
    assert answer.status_code in (403, 409, 422), answer.text
    route = CLINIC_TYPES[name].ONLY_BY
    if route and role in CLINIC_RECORDS:
        refused(answer, 422, "recorded-elsewhere", "/entries/0/type", route)
    elif name in PROPOSES.get(role, frozenset()) and role in CLINIC_RECORDS:
        refused(answer, 409, "approval-required", "/entries/0/type", PLACE)


def test_an_amendment_is_proposed_and_approved(world: World) -> None:
    """A correction of a role is looked at by somebody else, if an admin wants it so."""
    change = world.record({**world.promoted(), "reason": {"text": WHY}})["entries"][0]
    fixed = entry("EntryCorrected", entry_id=change["entry_id"], data={"credential": "LPC"})
    place = world.propose(fixed, by=world["admin"])
    assert world["privacy_officer"].post(f"{place}/approve", {}).status_code == 201
    assert world.member()["credential"] == "LPC"


# A supervisor's reach


def test_a_supervisor_proposes_for_their_team_alone(world: World) -> None:
    """Not for colleagues elsewhere, not for offices, not for plans out of their reach."""
    chief = world["supervisor"]
    mine, other = str(chief.who.member_id), world.somebody("clinician", "Ivy Elsewhere")
    theirs = str(other.who.member_id)
    elsewhere = world.somebody("supervisor", "Elm Elsewhere")
    world.record(supervised(other, elsewhere))
    plan = desk_of(world.house, world.clinic, other, client_ref="c-else").plan_id
    member = world.member_id
    for field, tried in (
        ("member_id", entry("MemberLeft", member_id=theirs)),
        ("member_id", entry("MemberRoleChanged", member_id=mine, credential="Chief")),
        ("member_id", entry("SupervisionAssigned", member_id=theirs, supervisor_id=mine)),
        (
            "supervisor_id",
            entry(
                "SupervisionAssigned",
                member_id=member,
                supervisor_id=str(elsewhere.who.member_id),
            ),
        ),
        ("role", entry("MemberJoined", name="Otto", role="admin")),
        ("role", world.promoted(role="privacy_officer")),
        ("plan_id", entry("CaseloadAssigned", member_id=member, plan_id=plan)),
        ("plan_id", entry("CaseloadAssigned", member_id=member, plan_id=an_id())),
    ):
        with world.house.nothing_written():
            answer = proposing(chief, world.promoted(), tried)
        refused(answer, 403, "not-allowed", f"/entries/1/data/{field}")
    free = world.somebody("clinician", "Fir Sample")
    world.propose(supervised(free, chief))
    world.propose(entry("CaseloadAssigned", member_id=member, plan_id=world.plan_id))


def test_proposals_are_read_by_those_who_may(world: World) -> None:
    """Supervisors and clients read their own, those who answer for the clinic's order all; nobody else any."""
    place = world.propose(world.promoted())
    other = world.somebody("supervisor", "Elm Elsewhere")
    refused(other.get(place), 404, "proposal-not-found")
    assert other.get(PLACE).json["proposals"] == []
    refused(other.post(f"{place}/withdraw", {}), 404, "proposal-not-found")
    for role in ("supervisor", "auditor", "admin", "privacy_officer"):
        assert world[role].get(place).status_code == 200
        assert len(world[role].get(PLACE).json["proposals"]) == 1
    for role in ("clinician", "integration"):
        refused(world[role].get(place), 403, "not-allowed")
        refused(world[role].get(PLACE), 403, "not-allowed")
    refused(world["client"].get(place), 404, "proposal-not-found")
    assert world["client"].get(PLACE).json["proposals"] == []
    stranger = world.house.sign_in(world.house.clinic(), "admin")
    refused(stranger.get(place), 404, "proposal-not-found")
    refused(stranger.post(f"{place}/approve", {}), 404, "proposal-not-found")
    assert "proposals" not in world["clinician"].get("/v1/clinic").json


# Lists and counts


def test_proposals_are_listed_newest_first_page_by_page(world: World) -> None:
    """By status, too; a cursor goes on where the page ended, and belongs to its own list."""
    places = [world.propose(world.promoted(credential=f"No. {n}")) for n in range(5)]
    world["admin"].post(f"{places[1]}/approve", {})
    reader = world["auditor"]
    first = reader.get(f"{PLACE}?limit=2")
    assert first.headers["Link"].endswith('rel="next"')
    found, cursor = [*first.json["proposals"]], first.json["next_cursor"]
    while cursor:
        page = reader.get(f"{PLACE}?limit=2&cursor={cursor}").json
        found, cursor = found + page["proposals"], page["next_cursor"]
    assert [f"{PLACE}/{held['proposal_id']}" for held in found] == places[::-1]
    still = reader.get(f"{PLACE}?status=open").json["proposals"]
    assert [held["status"] for held in still] == ["open"] * 4
    foreign = first.json["next_cursor"]
    refused(reader.get(f"{PLACE}?status=open&cursor={foreign}"), 400, "invalid-query", "cursor")
    refused(reader.get(f"{PLACE}?status=lost"), 400, "invalid-query", "status")


def test_everybody_is_told_how_many_wait_for_them(world: World) -> None:
    """What one may approve, has not proposed, and has not said anything to yet."""

    def waiting(who: Caller) -> int:
        held: int = who.get("/v1/me").json["proposals_waiting"]
        return held

    place = world.propose(world.promoted())
    lifting = world.propose(examples(world)["LegalHoldLifted"], by=world["privacy_officer"])
    deputy = world.somebody("privacy_officer", "Elder Sample")
    counts = {role: waiting(world[role]) for role in ROLES}
    assert counts == {**dict.fromkeys(ROLES, 0), "admin": 1, "privacy_officer": 1}
    assert waiting(deputy) == 2
    assert world["admin"].post(f"{place}/approve", {}).status_code == 201
    assert deputy.post(f"{lifting}/approve", {}).status_code == 201
    assert [waiting(who) for who in (world["admin"], world["privacy_officer"], deputy)] == [0, 0, 0]


@contextmanager
def two_weeks_on(world: World) -> Iterator[Callable[[str], Caller]]:
    """The service two weeks later, and how somebody of a role asks it."""
    held = build(world.house.container.settings, lambda: datetime.now(UTC) + LASTS)
    browser = create_app(held).test_client()

    def ask(role: str) -> Caller:
        who = world[role].who
        token = world.clinic.token(who, days=30)
        return Caller(browser, who, {"Authorization": f"Bearer {token}"})

    yield ask
    held.close()


def test_a_proposal_expires(world: World) -> None:
    """It stays to be read, waits for nobody, and nothing is said to it any more; a client's request waits."""
    place = world.propose(world.promoted())
    world.house.catch_up()
    wish = {"reason": {"text": "I want it gone"}, "before_retention_ends": True}
    asked = world["client"].post("/v1/clients/c-1/erasure", wish)
    assert asked.status_code == 201, asked.text
    held = world["privacy_officer"].get(place).json
    assert (held["status"], held["may"]) == ("open", ["approve", "decline"])
    waits = datetime.fromisoformat(held["expires_at"])
    assert waits - datetime.fromisoformat(held["proposed"]["at"]) == timedelta(days=14)
    with two_weeks_on(world) as ask, world.house.nothing_written():
        officer = ask("privacy_officer")
        shown = officer.get(place).json
        assert shown == {**held, "status": "expired", "may": []}
        assert officer.get("/v1/me").json["proposals_waiting"] == 1
        [over] = officer.get(f"{PLACE}?status=expired").json["proposals"]
        [client] = officer.get(f"{PLACE}?status=open").json["proposals"]
        assert (over["proposal_id"], client["expires_at"]) == (held["proposal_id"], None)
        assert client["may"] == ["approve", "decline"]
        for by, doing in (
            ("privacy_officer", "approve"),
            ("privacy_officer", "decline"),
            ("supervisor", "withdraw"),
        ):
            said = ask(by).post(f"{place}/{doing}", {"reason": {"text": WHY}})
            refused(said, 409, "impossible-transition", saying="Propose it again if it is still")


# Refusals


def test_a_refused_proposal_names_entry_and_field(steady_world: World) -> None:
    """By its declaration, by the clinic's rules, by what is proposed at all; nothing is written."""
    world, admin = steady_world, steady_world["admin"]
    fine = world.promoted()
    tried: list[tuple[int, str, str, list[dict[str, Any]]]] = [
        (422, "invalid-data", "/entries/1/data/role", [fine, world.promoted(role="king")]),
        (422, "invalid-data", "/entries/0/data/member_id", [entry("MemberLeft", member_id="x")]),
        (422, "unknown-reference", "/entries/1/data/member_id",
         [fine, entry("MemberLeft", member_id=an_id())]),
        (409, "impossible-transition", "/entries/0/data/member_id",
         [entry("SupervisionEnded", member_id=str(admin.who.member_id))]),
        (422, "invalid-data", "/entries/0/data/name",
         [entry("ClinicRenamed", name="  ")]),
        (422, "invalid-data", "/entries/0/occurred_at",
         [{**fine, "occurred_at": "2026-01-01T00:00:00Z"}]),
        (422, "invalid-data", "/entries/0/causation_id", [{**fine, "causation_id": an_id()}]),
        (422, "invalid-data", "/entries/0/type", [entry("Nonsense")]),
        (422, "invalid-data", "/entries", []),
        (422, "invalid-data", "/entries", [fine] * 51),
        (403, "not-allowed", "/entries/0/type", [entry("LegalHoldPlaced", client_ref="c-2")]),
    ]  # fmt: skip
    for status, code, pointer, entries in tried:
        with world.house.nothing_written():
            refused(proposing(admin, *entries), status, code, pointer)
    with world.house.nothing_written():
        refused(admin.post(PLACE, {"entries": [fine]}), 422, "reason-required", "/reason")
        refused(admin.post(PLACE, {"entries": [fine], "x": 1}), 422, "invalid-data", "/x")
        refused(admin.post(f"{PLACE}/{an_id()}/approve", {}), 404, "proposal-not-found")


def test_what_is_not_possible_any_more_stays_open(world: World) -> None:
    """Somebody else changed the member meanwhile: 409 with the entry by its sentence, nothing written."""
    place = world.propose(world.promoted(), examples(world)["SupervisionEnded"])
    world.record(entry("MemberLeft", WHY, member_id=world.member_id))
    with world.house.nothing_written():
        answer = world["privacy_officer"].post(f"{place}/approve", {})
    problem = refused(answer, 409, "change-not-possible", "/entries/0/data/member_id")
    assert "“Hazel Sample has another credential now" in problem["detail"]
    assert "has left the clinic" in problem["detail"]
    assert world["supervisor"].get(place).json["status"] == "open"


def test_nobody_approves_alone(world: World) -> None:
    """Neither their own proposal, nor one about themselves; both are told who does."""
    mine = world.propose(entry("ClinicRenamed", name="Mill"), by=world["admin"])
    refused(world["admin"].post(f"{mine}/approve", {}), 403, "not-yours", saying="themselves")
    officer = world["privacy_officer"]
    office = entry("MemberRoleChanged", member_id=str(officer.who.member_id), role="admin")
    about = world.propose(office, by=world["admin"])
    refused(officer.post(f"{about}/approve", {}), 403, "not-yours", saying="about yourself")


def test_self_approval_would_be_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: with the rule gone, the test above does not pass."""
    monkeypatch.setattr("domain.proposals.Proposal.is_by", lambda *_: False)
    with pytest.raises(AssertionError):
        test_nobody_approves_alone(world)


def test_refused_attempts_are_kept(world: World) -> None:
    """A clinician who would propose, an auditor who would approve, a supervisor beyond their team."""
    place = world.propose(world.promoted())
    refused(proposing(world["clinician"], world.promoted()), 403, "not-allowed")
    refused(world["auditor"].post(f"{place}/approve", {}), 403, "not-allowed")
    office = entry("MemberJoined", name="Otto", role="admin")
    refused(proposing(world["supervisor"], office), 403, "not-allowed")
    looks = world["auditor"].get("/v1/access-log?allowed=false").json["looks"]
    assert {(held["role"], held["action"]) for held in looks} >= {
        ("clinician", "proposals.make"),
        ("auditor", "proposals.decide"),
        ("supervisor", "proposals.make"),
    }


# Two people for everything


def test_with_two_people_an_admin_proposes_too(world: World) -> None:
    """The policy is turned on by one, and off by two; meanwhile nothing is recorded alone."""
    world.record(entry("PolicySet", WHY, two_people=True))
    assert world["clinician"].get("/v1/clinic").json["policy"]["two_people"] is True
    alone = {"entries": [{**world.promoted(), "reason": {"text": WHY}}]}
    with world.house.nothing_written():
        answer = world["admin"].post("/v1/clinic/entries", alone)
    refused(answer, 409, "approval-required", "/entries/0/type", PLACE)
    place = world.propose(world.promoted(), by=world["admin"])
    refused(world["admin"].post(f"{place}/approve", {}), 403, "not-yours")
    assert world["privacy_officer"].post(f"{place}/approve", {}).status_code == 201
    assert world.member()["credential"] == "Licensed psychotherapist"
    off = world.propose(entry("PolicySet", two_people=False), by=world["admin"])
    other = world.propose(
        entry("MemberJoined", name="Olive", role="admin", member_id=an_id()), by=world["admin"]
    )
    assert world["privacy_officer"].post(f"{other}/approve", {}).status_code == 201
    assert world["privacy_officer"].post(f"{off}/approve", {}).status_code == 201
    assert world["admin"].post("/v1/clinic/entries", alone).status_code == 201


def test_a_hold_is_placed_by_one_and_lifted_by_two(world: World) -> None:
    """An admin does neither; the officer who asks does not lift it alone."""
    hold = entry("LegalHoldPlaced", WHY, client_ref="c-9")
    lifted = entry("LegalHoldLifted", client_ref="c-9")
    refused(world["admin"].post("/v1/clinic/entries", {"entries": [hold]}), 403, "not-allowed")
    world.record(hold, by="privacy_officer")
    officer, deputy = world["privacy_officer"], world.somebody("privacy_officer", "Elder Sample")
    place = world.propose(lifted, by=officer)
    refused(officer.post(f"{place}/approve", {}), 403, "not-yours")
    refused(world["admin"].post(f"{place}/approve", {}), 403, "not-yours", saying="privacy officer")
    assert deputy.post(f"{place}/approve", {}).status_code == 201
    holds = officer.get("/v1/clinic").json["legal_holds"]
    assert [held["client_ref"] for held in holds] == ["c-held"]


def test_a_clinic_that_wants_the_version_wants_it_here_too(world: World) -> None:
    """428 without If-Match, 412 with a stale one."""
    world.record(entry("PolicySet", WHY, require_if_match=True))
    world.house.container.clinic.recording.policy._known.clear()  # type: ignore[attr-defined] # the real one
    chief = world["supervisor"]
    refused(proposing(chief, world.promoted()), 428, "precondition-required")
    refused(proposing(chief, world.promoted(), If_Match='"1"'), 412, "plan-changed")
    seen = world["admin"].get("/v1/clinic").headers["ETag"]
    place = proposing(chief, world.promoted(), If_Match=seen).headers["Location"]
    officer = world["privacy_officer"]
    refused(officer.post(f"{place}/approve", {}, If_Match=seen), 412, "plan-changed")
    now = officer.get("/v1/clinic").headers["ETag"]
    assert officer.post(f"{place}/approve", {}, If_Match=now).status_code == 201


# At once


def test_a_double_click_is_one_approval(world: World) -> None:
    """Under one key the same answer again; without, the second is told that it is done."""
    made = proposing(world["supervisor"], world.promoted(), Idempotency_Key="p-1")
    again = proposing(world["supervisor"], world.promoted(), Idempotency_Key="p-1")
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json == made.json
    place, officer = made.headers["Location"], world["privacy_officer"]
    first = officer.post(f"{place}/approve", {}, Idempotency_Key="a-1")
    second = officer.post(f"{place}/approve", {}, Idempotency_Key="a-1")
    assert second.headers["Idempotent-Replay"] == "true"
    assert first.json == second.json
    third = officer.post(f"{place}/approve", {})
    refused(third, 409, "impossible-transition", saying="approved already")
    told = world["auditor"].get("/v1/clinic/timeline?type=MemberRoleChanged").json["entries"]
    assert len(told) == 1


def test_a_repeated_proposal_is_answered_as_it_was(world: World) -> None:
    """Also when it would not be theirs to make any more: whom it was about has left the team."""
    leaves = entry("MemberLeft", member_id=world.member_id)
    made = proposing(world["supervisor"], leaves, Idempotency_Key="p-2")
    place = made.headers["Location"]
    assert world["admin"].post(f"{place}/approve", {}).status_code == 201
    again = proposing(world["supervisor"], leaves, Idempotency_Key="p-2")
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json == made.json
    refused(proposing(world["supervisor"], leaves), 403, "not-allowed")


@pytest.fixture
def processes(house: House) -> Iterator[list[Container]]:
    """The service as two processes have it: each with what it keeps to itself."""
    held = [build(house.container.settings) for _ in range(2)]
    yield held
    for container in held:
        container.close()


def at_once(*doing: Callable[[], Recorded]) -> list[Recorded | PlanHistoryError]:
    """What comes of things that begin in the same moment."""
    barrier = Barrier(len(doing))

    def run(act: Callable[[], Recorded]) -> Recorded | PlanHistoryError:
        barrier.wait()
        try:
            return act()
        except PlanHistoryError as refusal:
            return refusal

    with ThreadPoolExecutor(len(doing)) as pool:
        return [*pool.map(run, doing)]


def types(done: Recorded | PlanHistoryError) -> list[str]:
    """What was recorded."""
    return [held.type for held in done.entries] if isinstance(done, Recorded) else []


def approving(container: Container, who: Principal, place: str) -> Callable[[], Recorded]:
    """Somebody approves a proposal in one of the processes."""
    proposal_id = UUID(place.rpartition("/")[2])
    return lambda: container.proposals.approve(who, proposal_id, None, Request())


def test_of_two_who_approve_at_once_one_does(world: World, processes: list[Container]) -> None:
    """Again and again: what was proposed is recorded once, and the other is told so."""
    for number in range(12):
        place = world.propose(world.promoted(credential=f"No. {number}"))
        done = at_once(
            approving(processes[0], world["privacy_officer"].who, place),
            approving(processes[1], world["admin"].who, place),
        )
        assert sorted(map(types, done)) == [[], ["ProposalApproved", "MemberRoleChanged"]]
        [refusal] = [held for held in done if isinstance(held, PlanHistoryError)]
        assert refusal.code == "impossible-transition"
        assert world.member()["credential"] == f"No. {number}"


def test_of_two_needed_the_later_brings_it_about(world: World, processes: list[Container]) -> None:
    """Both at once: one is the first word, the other the last, and the hold is lifted once."""
    deputy = world.somebody("privacy_officer", "Elder Sample")
    for number in range(8):
        ref = f"c-{number}"
        world.record(entry("LegalHoldPlaced", WHY, client_ref=ref), by="privacy_officer")
        place = asked_by_a_client(world, ref)
        done = at_once(
            approving(processes[0], world["privacy_officer"].who, place),
            approving(processes[1], deputy.who, place),
        )
        assert sorted(map(types, done)) == [
            ["ProposalApproved"],
            ["ProposalApproved", "LegalHoldLifted"],
        ]


def asked_by_a_client(world: World, ref: str) -> str:
    """A proposal that a client made, as a type may allow it: two officers then stand behind it."""
    lifted = ProposedEntry.of(LegalHoldLifted(client_ref=ref))
    draft = Draft(data=ChangeProposed(entries=(lifted,)), reason=Reason(text="I asked for it"))
    who = world["client"].who
    done = world.house.container.clinic.append(who, [draft], Request())
    data = done.entries[0].data
    assert isinstance(data, ChangeProposed)
    place = f"{PLACE}/{data.proposal_id}"
    assert world["auditor"].get(place).json["approvals_needed"] == 2
    return place


def test_an_approval_and_another_change_at_once_come_one_after_the_other(
    world: World, processes: list[Container]
) -> None:
    """Either the approval sees that they left and changes nothing, or they leave with the new role."""
    outcomes = set()
    for number in range(12):
        member = world.somebody("clinician", f"Member {number}")
        member_id = str(member.who.member_id)
        change = entry("MemberRoleChanged", member_id=member_id, credential="LMFT")
        place = world.propose(change, by=world["admin"])
        left = {"entries": [entry("MemberLeft", WHY, member_id=member_id)]}
        approve = approving(processes[0], world["privacy_officer"].who, place)
        with ThreadPoolExecutor(1) as pool:
            leaving = pool.submit(world["admin"].post, "/v1/clinic/entries", left)
            (done,) = at_once(approve)
            assert leaving.result().status_code == 201
        held = world.member(member_id)
        outcomes.add((type(done).__name__, held["status"], held["credential"]))
    assert outcomes <= {("Recorded", "left", "LMFT"), ("ChangeNotPossibleError", "left", None)}


def test_a_decline_and_an_approval_at_once_end_it_once(
    world: World, processes: list[Container]
) -> None:
    """Whoever comes second is told; nothing is both declined and recorded."""
    for number in range(8):
        place = world.propose(world.promoted(credential=f"No. {number}"))
        proposal_id = UUID(place.rpartition("/")[2])
        decline = processes[1].proposals.decline
        who = world["admin"].who
        done = at_once(
            approving(processes[0], world["privacy_officer"].who, place),
            lambda: decline(who, proposal_id, Reason(text="Not now"), Request()),  # noqa: B023 - run at once
        )
        assert sum(isinstance(held, PlanHistoryError) for held in done) == 1
        changed = world.member()["credential"] == f"No. {number}"
        assert changed == (world["admin"].get(place).json["status"] == "approved")


def test_a_host_whose_clock_is_behind_approves_nothing_that_is_over(world: World) -> None:
    """Declined, or not possible any more: what is recorded counts, not what that clock says."""
    behind = build(world.house.container.settings, lambda: datetime.now(UTC) - timedelta(hours=1))
    try:
        declined, overtaken = (world.propose(world.promoted(credential=held)) for held in "AB")
        why = {"reason": {"text": "Not now"}}
        assert world["admin"].post(f"{declined}/decline", why).status_code == 201
        world.record(entry("MemberLeft", WHY, member_id=world.member_id))
        who = world["privacy_officer"].who
        with world.house.nothing_written():
            (one,) = at_once(approving(behind, who, declined))
            (other,) = at_once(approving(behind, who, overtaken))
        assert isinstance(one, TransitionError)
        assert isinstance(other, ChangeNotPossibleError)
    finally:
        behind.close()


def test_what_is_tried_out_is_in_force_for_nobody(world: World) -> None:
    """While a change is proposed or an approval fails, nobody has the role, and nobody is out."""
    service, member = world.house.container, UUID(world.member_id)
    known = service.gate.rosters(world.clinic.clinic_id)
    odd = entry("MemberLeft", member_id=an_id())
    for tried in (
        world.promoted(role="supervisor"),
        entry("MemberLeft", member_id=world.member_id),
    ):
        refused(proposing(world["admin"], tried, odd), 422, "unknown-reference")
        world.propose(tried, by=world["admin"])
        held = known.members[member]
        assert (held.role, held.status) == ("clinician", "present")
    assert known.proposals == ()


def test_nobody_slips_through_while_a_change_is_proposed(world: World) -> None:
    """Asked again and again at the same time, the trainee is who they are."""
    stop, seen = Event(), set()

    def ask() -> None:
        while not stop.is_set():
            answer = world.trainee.get("/v1/me")
            seen.add((answer.status_code, answer.json.get("role")))

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask) for _ in range(2)]
        try:
            for number in range(40):
                changed = {"role": "supervisor"} if number % 2 else {"name": f"No. {number}"}
                world.propose(world.promoted(**changed))
        finally:
            stop.set()
        for done in asking:
            done.result()
    assert seen == {(200, "clinician")}
