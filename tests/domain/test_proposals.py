"""Changes by two people: proposed, approved, declined, withdrawn – and never by one alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.approval import Approval
from domain.clinic import Clinic, ClinicRenamed, PolicySet
from domain.entry import CLINIC_TYPES, Author, EntryData, Reason
from domain.errors import (
    ApprovalRequiredError,
    ChangeNotPossibleError,
    InvalidDataError,
    NotYoursError,
    PlanHistoryError,
    RecordedElsewhereError,
    TransitionError,
    UnknownReferenceError,
)
from domain.holds import LegalHoldLifted, LegalHoldPlaced
from domain.people import (
    ROLES,
    CaseloadAssigned,
    MemberJoined,
    MemberLeft,
    MemberRoleChanged,
    SupervisionAssigned,
)
from domain.proposals import (
    LASTS,
    ChangeProposed,
    ProposalApproved,
    ProposalDeclined,
    ProposalWithdrawn,
    ProposedEntry,
)
from domain.record import AddendumAdded, EntryCorrected, EntryMarkedInError
from tests.domain.clinics import (
    ADMIN,
    CLIENT,
    DEPUTY,
    OFFICER,
    OTHER_ADMIN,
    ROWAN,
    THIRD,
    WHY,
    Told,
    proposed,
    somebody,
)

HAZEL = somebody("Hazel Sample", "clinician")
ASTER = somebody("Aster Sample", "clinician")
PROMOTED = MemberRoleChanged(member_id=HAZEL.member_id, role="supervisor")
RENAMED = ClinicRenamed(name="Clinic at the Mill")
TWO_PEOPLE = PolicySet(two_people=True)
LIFTED = LegalHoldLifted(client_ref="c-1")


@pytest.fixture
def told() -> Told:
    """A clinic with people of every kind that has a word here."""
    told = Told()
    told.arrive(ROWAN, HAZEL, OFFICER, DEPUTY)
    return told


@pytest.fixture
def strict(told: Told) -> Told:
    """One that wants two people for its changes."""
    told.arrive(OTHER_ADMIN)
    told.tell(TWO_PEOPLE)
    return told


# A proposal's life


def test_a_proposal_changes_nothing_until_it_is_approved(told: Told) -> None:
    """Then what was proposed is recorded in the same moment, by who approved, caused by the proposal."""
    held = told.propose(PROMOTED)
    assert (held.status, held.needed, held.approved_by) == ("open", 1, ("privacy_officer", "admin"))
    assert told.clinic.state.members[HAZEL.member_id].role == "clinician"
    approval, change = told.approve(held, OFFICER)
    assert told.clinic.state.members[HAZEL.member_id].role == "supervisor"
    assert (approval.type, change.type) == ("ProposalApproved", "MemberRoleChanged")
    assert (change.recorded_by, change.causation_id) == (OFFICER, held.entry_id)
    assert change.reason == WHY
    again = told.proposal(held.proposal_id)
    assert again.status == "approved"
    assert [word.by for word in again.approvals] == [OFFICER]
    assert again.closing == again.approvals[-1]
    assert again.closing.at == told.now


def test_a_proposal_says_why_and_so_may_each_of_its_entries(told: Told) -> None:
    """An entry without a reason of its own takes the proposal's."""
    assert told.refused(proposed(PROMOTED), None, ROWAN).code == "reason-required"
    own = Reason(text="Her licence has come.")
    data = ChangeProposed(
        entries=(ProposedEntry.of(PROMOTED, own), ProposedEntry.of(MemberLeft(member_id=ROWAN.member_id)))
    )  # fmt: skip
    entry = told.tell(data, WHY, ADMIN)
    assert isinstance(entry.data, ChangeProposed)
    _, promoted, left = told.approve(told.proposal(entry.data.proposal_id), OFFICER)
    assert (promoted.reason, left.reason) == (own, WHY)


def test_entries_of_a_proposal_build_on_each_other(told: Told) -> None:
    """Somebody joins and is supervised at once; the sentence knows their name before they are here."""
    joins = MemberJoined(member_id=ASTER.member_id, name=ASTER.name, role="clinician")
    guided = SupervisionAssigned(member_id=ASTER.member_id, supervisor_id=ROWAN.member_id)
    held = told.propose(joins, guided)
    state: Any = told.clinic.state
    assert told.clinic.entries[-1].data.tell(state) == (
        "Proposed: Aster Sample joined as clinician; Rowan Sample supervises Aster Sample."
    )
    told.approve(held, OFFICER)
    assert told.clinic.state.members[ASTER.member_id].supervisor_id == ROWAN.member_id


def test_a_long_proposal_is_told_in_short(told: Told) -> None:
    """The first of its entries, and how many more."""
    held = told.propose(*[ClinicRenamed(name=f"Name {number}") for number in range(5)], by=ADMIN)
    state: Any = told.clinic.state
    sentence = told.clinic.entries[-1].data.tell(state)
    assert sentence.endswith("“Name 2”; and 2 more.")
    told.approve(held, OFFICER)
    assert told.clinic.state.outline.name == "Name 4"


def test_a_proposal_is_declined_with_a_reason_once(told: Told) -> None:
    """It stays on record with who said no; nothing more can come of it."""
    held = told.propose(PROMOTED)
    word = ProposalDeclined(proposal_id=held.proposal_id)
    assert told.refused(word, None, OFFICER).code == "reason-required"
    told.decline(held, OFFICER)
    again = told.proposal(held.proposal_id)
    assert (again.status, again.closing and again.closing.by) == ("declined", OFFICER)
    for data, by in (
        (word, DEPUTY),
        (ProposalApproved(proposal_id=held.proposal_id), DEPUTY),
        (ProposalWithdrawn(proposal_id=held.proposal_id), ROWAN),
    ):
        refused = told.refused(data, WHY, by)
        assert isinstance(refused, TransitionError)
        assert "declined already, by Juniper Sample" in refused.detail


def test_a_proposal_is_withdrawn_by_who_made_it_alone(told: Told) -> None:
    """Anybody else declines it."""
    held = told.propose(PROMOTED)
    word = ProposalWithdrawn(proposal_id=held.proposal_id)
    assert isinstance(told.refused(word, None, OFFICER), NotYoursError)
    told.withdraw(held, ROWAN)
    assert told.proposal(held.proposal_id).status == "withdrawn"


def test_a_proposal_waits_for_two_weeks(told: Told) -> None:
    """Until the last moment it is decided on; from then on by no word of anybody, also where one approved."""
    told.tell(LegalHoldPlaced(client_ref="c-1"), WHY, OFFICER)
    held = told.propose(PROMOTED)
    lifting = told.propose(LIFTED, by=ADMIN)
    told.approve(lifting, OFFICER)
    assert held.expires_at == held.proposed.at + LASTS
    for data, by in (
        (ProposalApproved(proposal_id=held.proposal_id), DEPUTY),
        (ProposalDeclined(proposal_id=held.proposal_id), DEPUTY),
        (ProposalWithdrawn(proposal_id=held.proposal_id), ROWAN),
    ):
        told.now = held.expires_at - timedelta(hours=1)  # another hour passes with each entry
        refused = told.refused(data, WHY, by)
        assert isinstance(refused, TransitionError)
        assert "Propose it again" in refused.detail
    assert held.standing(held.expires_at - timedelta(microseconds=1)) == held.status == "open"
    assert held.standing(held.expires_at) == "expired"
    told.now = held.expires_at - timedelta(hours=1, seconds=1)
    told.approve(held, OFFICER)
    assert lifting.expires_at is not None
    told.now = lifting.expires_at
    assert "expired" in told.not_approved(lifting, DEPUTY).detail
    assert told.proposal(held.proposal_id).standing(told.now + LASTS) == "approved"


def test_what_a_client_asks_for_waits_until_it_is_answered(told: Told) -> None:
    """Nobody lets it lie until it is over."""
    told.tell(LegalHoldPlaced(client_ref="c-1"), WHY, OFFICER)
    held = told.propose(LIFTED, by=CLIENT)
    told.approve(held, OFFICER)
    told.now += 10 * LASTS
    assert (held.expires_at, held.standing(told.now)) == (None, "open")
    told.approve(held, DEPUTY)
    assert told.proposal(held.proposal_id).status == "approved"


def test_what_was_said_to_a_proposal_stands(told: Told) -> None:
    """It is neither corrected nor marked in error, and nor is what it refers to; addenda are welcome."""
    held = told.propose(PROMOTED)
    told.approve(held, OFFICER)
    for entry in told.clinic.entries[-3:-1]:
        mark = EntryMarkedInError(entry_id=entry.entry_id, including_dependents=True)
        assert told.refused(mark).pointer == "/data/entry_id"
        corrected = EntryCorrected(entry_id=entry.entry_id, data={})
        assert told.refused(corrected).code == "impossible-transition"
        told.tell(AddendumAdded(entry_id=entry.entry_id, text="In the team meeting"))


# Who approves


def test_nobody_approves_or_declines_what_they_proposed(told: Told) -> None:
    """Not even somebody of a role that approves it."""
    held = told.propose(PROMOTED, by=ADMIN)
    assert held.needed == 1
    for data in (
        ProposalApproved(proposal_id=held.proposal_id),
        ProposalDeclined(proposal_id=held.proposal_id),
    ):
        refused = told.refused(data, WHY, ADMIN)
        assert isinstance(refused, NotYoursError)
        assert "proposed themselves" in refused.detail
    told.approve(held, OTHER_ADMIN)


def test_self_approval_would_be_noticed(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: with the rule gone, the test above does not pass."""
    monkeypatch.setattr("domain.proposals.Proposal.is_by", lambda *_: False)
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        test_nobody_approves_or_declines_what_they_proposed(told)


@pytest.mark.parametrize("role", ROLES)
def test_only_the_roles_declared_on_the_type_approve_it(told: Told, role: str) -> None:
    """Whoever else tries is told who does."""
    held = told.propose(PROMOTED)
    who = somebody(f"Some {role}", role)
    if role in MemberRoleChanged.APPROVAL.by:
        told.approve(held, who)
        return
    refused = told.not_approved(held, who)
    assert isinstance(refused, NotYoursError)
    assert "a privacy officer or an admin" in refused.detail


def test_nobody_decides_about_themselves(told: Told) -> None:
    """Somebody else does, even if they did not propose it."""
    held = told.propose(
        MemberRoleChanged(member_id=OFFICER.member_id, role="admin"), PROMOTED, by=ADMIN
    )
    assert "about yourself" in told.not_approved(held, OFFICER).detail
    told.approve(held, DEPUTY)


def test_what_takes_two_officers_counts_the_one_who_asks(told: Told) -> None:
    """An officer asks and another approves; a second approval by the same, or one more, is none."""
    told.tell(LegalHoldPlaced(client_ref="c-1"), WHY, OFFICER)
    held = told.propose(LIFTED, by=OFFICER)
    assert (held.approved_by, held.needed) == (("privacy_officer",), 1)
    assert isinstance(told.not_approved(held, OFFICER), NotYoursError)
    assert isinstance(told.not_approved(held, ADMIN), NotYoursError)
    told.approve(held, DEPUTY)
    assert len(told.clinic.state.legal_holds) == 0
    assert isinstance(told.not_approved(held, THIRD), TransitionError)


@pytest.mark.parametrize("asking", [CLIENT, ADMIN], ids=["client", "admin"])
def test_whoever_asks_from_outside_needs_both(told: Told, asking: Author) -> None:
    """A client or an admin may ask; two different officers then stand behind it."""
    told.tell(LegalHoldPlaced(client_ref="c-1"), WHY, OFFICER)
    held = told.propose(LIFTED, by=asking)
    assert held.needed == 2
    (first,) = told.approve(held, OFFICER)
    assert first.type == "ProposalApproved"
    assert (held.status, len(told.clinic.state.legal_holds)) == ("open", 1)
    assert "already" in told.not_approved(held, OFFICER).detail
    assert [entry.type for entry in told.approve(held, DEPUTY)] == [
        "ProposalApproved",
        "LegalHoldLifted",
    ]


def test_one_officer_may_still_decline_what_another_approved(told: Told) -> None:
    """It takes all who approve, and one who does not."""
    told.tell(LegalHoldPlaced(client_ref="c-1"), WHY, OFFICER)
    held = told.propose(LIFTED, by=CLIENT)
    told.approve(held, OFFICER)
    told.decline(held, DEPUTY)
    assert told.proposal(held.proposal_id).status == "declined"


def test_what_different_people_approve_is_proposed_apart(told: Told) -> None:
    """Together: those who approve everything, as many as the gravest takes."""
    told.tell(LegalHoldPlaced(client_ref="c-1"), WHY, OFFICER)
    held = told.propose(PROMOTED, LIFTED, by=ADMIN)
    assert (held.approved_by, held.needed) == (("privacy_officer",), 2)


def test_what_nobody_could_approve_as_a_whole_is_refused(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When no role approves all of it; the refusal names the first that does not fit."""
    monkeypatch.setattr(MemberRoleChanged, "APPROVAL", Approval(by=("auditor",)))
    refused = told.refused(proposed(RENAMED, PROMOTED))
    assert isinstance(refused, TransitionError)
    assert refused.pointer == "/data/entries/1/type"


def test_a_proposal_keeps_what_it_needed_when_it_was_made(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule made stricter tomorrow changes no approval of yesterday: it is in the record."""
    held = told.propose(PROMOTED)
    told.approve(held, OFFICER)
    stricter = replace(MemberRoleChanged.APPROVAL, people=3)
    monkeypatch.setattr(MemberRoleChanged, "APPROVAL", stricter)
    clinic = Clinic.new(told.clinic.id)
    clinic.learn_all(told.clinic.entries)
    assert clinic.state.proposals[held.proposal_id].status == "approved"


# What can be proposed


@pytest.mark.parametrize(
    ("data", "kind", "pointer"),
    [
        (MemberRoleChanged(member_id=HAZEL.member_id), InvalidDataError, "/data/role"),
        (MemberLeft(member_id=str(uuid4())), UnknownReferenceError, "/data/member_id"),
        (MemberJoined(name="Client", role="client"), InvalidDataError, "/data/client_ref"),
        (MemberJoined(name="", role="clinician"), InvalidDataError, "/data/name"),
        (LIFTED, TransitionError, "/data/client_ref"),
        (
            SupervisionAssigned(member_id=ROWAN.member_id, supervisor_id=ROWAN.member_id),
            TransitionError,
            "/data/supervisor_id",
        ),
        (
            CaseloadAssigned(member_id=HAZEL.member_id, plan_id="no id"),
            InvalidDataError,
            "/data/plan_id",
        ),
        (
            EntryMarkedInError(entry_id=str(uuid4())),
            UnknownReferenceError,
            "/data/entry_id",
        ),
        (LegalHoldPlaced(client_ref="c-1"), RecordedElsewhereError, "/type"),
        (proposed(PROMOTED), RecordedElsewhereError, "/type"),
    ],
)
def test_only_what_is_possible_now_is_proposed(
    told: Told, data: EntryData, kind: type[PlanHistoryError], pointer: str
) -> None:
    """By fields and by rules, in its place among the others; the refusal names entry and field."""
    refused = told.refused(proposed(PROMOTED, data), WHY, ADMIN)
    assert type(refused) is kind
    assert refused.problems[0].pointer == f"/data/entries/1{pointer}"


def test_fields_nobody_declared_are_not_proposed(told: Told) -> None:
    """Nor is anything of a topic there is not, or none at all."""
    topic = MemberLeft.TOPIC
    odd = ProposedEntry(topic=topic, data={"member_id": HAZEL.member_id, "gladly": True})
    refused = told.refused(ChangeProposed(entries=(odd,)))
    assert refused.problems[0].pointer == "/data/entries/0/data/gladly"
    bare = ChangeProposed(entries=(ProposedEntry(topic=topic, data={}),))
    assert told.refused(bare).problems[0].pointer == "/data/entries/0/data/member_id"
    unknown = ChangeProposed(entries=(ProposedEntry(topic="clinic.made-up", data={}),))
    assert told.refused(unknown).code == "unknown-entry-type"
    assert told.refused(ChangeProposed(entries=())).code == "invalid-data"


def test_a_proposal_tries_out_and_leaves_no_trace(told: Told) -> None:
    """Refused or not, the clinic is as it was but for the proposal."""
    before = told.clinic.document()
    told.refused(proposed(PROMOTED, LIFTED), WHY, ADMIN)
    told.propose(PROMOTED)
    after = told.clinic.document()
    assert {**after, "version": 0, "position": 0} == {**before, "version": 0, "position": 0}
    assert told.clinic.entries[-1].type == "ChangeProposed"
    told.tell(PROMOTED)  # nothing of it is taken


# Carrying out


def test_what_is_not_possible_any_more_is_not_approved(told: Told) -> None:
    """The refusal names the entry and why; the proposal stays open and nothing is recorded."""
    held = told.propose(PROMOTED, RENAMED, by=ADMIN)
    told.tell(MemberLeft(member_id=HAZEL.member_id))
    refused = told.not_approved(held, OFFICER)
    assert isinstance(refused, ChangeNotPossibleError)
    assert "“Hazel Sample is supervisor now” is not possible any more" in refused.detail
    assert "Hazel Sample has left the clinic." in refused.detail
    assert [held.pointer for held in refused.problems] == ["/entries/0/data/member_id"]
    assert (held.status, held.approvals) == ("open", ())
    told.decline(held, OFFICER)


def test_what_becomes_possible_again_is_approved(told: Told) -> None:
    """The same proposal, once what stood in its way is gone."""
    held = told.propose(PROMOTED)
    left = told.tell(MemberLeft(member_id=HAZEL.member_id))
    told.not_approved(held, OFFICER)
    told.tell(EntryMarkedInError(entry_id=left.entry_id))
    told.approve(held, OFFICER)
    assert told.clinic.state.members[HAZEL.member_id].role == "supervisor"


def test_a_later_entry_of_the_proposal_may_be_the_one_in_the_way(told: Told) -> None:
    """All or none: the first is not recorded either."""
    joins = MemberJoined(member_id=ASTER.member_id, name=ASTER.name, role="clinician")
    guided = SupervisionAssigned(member_id=ASTER.member_id, supervisor_id=ROWAN.member_id)
    held = told.propose(joins, guided)
    told.tell(MemberRoleChanged(member_id=ROWAN.member_id, role="clinician"))
    refused = told.not_approved(held, OFFICER)
    assert "“Rowan Sample supervises Aster Sample”" in refused.detail
    assert refused.problems[0].pointer == "/entries/1/data/supervisor_id"
    assert ASTER.member_id not in told.clinic.state.members


def test_a_format_of_yesterday_is_carried_out_in_todays(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was proposed is stored as entries are, and upcast like them."""
    held = told.propose(PROMOTED)

    def upcast(data: dict[str, Any]) -> None:
        data["credential"] = "Licence of old"

    monkeypatch.setattr(MemberRoleChanged, "class_version", 2, raising=False)
    monkeypatch.setattr(MemberRoleChanged, "upcast_v1_v2", staticmethod(upcast), raising=False)
    told.approve(held, OFFICER)
    assert told.clinic.state.members[HAZEL.member_id].credential == "Licence of old"
    newer = told.propose(MemberRoleChanged(member_id=HAZEL.member_id, role="clinician"))
    assert newer.entries[0].class_version == 2


# Two people for everything


def test_a_clinic_that_wants_two_people_needs_them(told: Told) -> None:
    """A policy that nobody could ever follow, or change again, is refused."""
    alone = Told()
    alone.arrive(OFFICER)
    assert alone.refused(TWO_PEOPLE).pointer == "/data/two_people"
    alone.arrive(OTHER_ADMIN)
    alone.tell(TWO_PEOPLE)
    assert alone.clinic.policy.two_people


@pytest.mark.parametrize(
    "data",
    [PROMOTED, RENAMED, PolicySet(two_people=False), MemberLeft(member_id=HAZEL.member_id)],
    ids=lambda data: type(data).__name__,
)
def test_with_two_people_an_admin_proposes(strict: Told, data: EntryData) -> None:
    """Alone they record nothing; a privacy officer or another admin approves it."""
    refused = strict.refused(data)
    assert isinstance(refused, ApprovalRequiredError)
    assert "POST /v1/clinic/proposals" in refused.detail
    held = strict.propose(data, by=ADMIN)
    strict.not_approved(held, ADMIN)
    assert [entry.type for entry in strict.approve(held, OTHER_ADMIN)][1:] == [type(data).__name__]


def test_it_is_todays_policy_that_counts(strict: Told) -> None:
    """An entry that says it happened before the policy was set is no way round it."""
    early = strict.now.replace(year=2025)
    assert isinstance(strict.refused(PROMOTED, occurred_at=early), ApprovalRequiredError)


def test_saying_that_a_proposal_caused_it_is_no_way_round(strict: Told, told: Told) -> None:
    """Only an approval records what was proposed; else a trail could be made up."""
    held = strict.propose(PROMOTED, by=ADMIN)
    refused = strict.refused(PROMOTED, causation_id=held.entry_id)
    assert isinstance(refused, ApprovalRequiredError)
    easy = Told()
    easy.arrive(HAZEL)
    held = easy.propose(PROMOTED, by=ADMIN)
    assert easy.refused(PROMOTED, causation_id=held.entry_id).problems[0].pointer == "/causation_id"


def test_amending_is_approved_as_what_it_amends(strict: Told) -> None:
    """Correcting a role, marking it in error, taking the mark back: each needs somebody else."""
    change = strict.propose(PROMOTED, by=ADMIN)
    strict.approve(change, OFFICER)
    entry = strict.clinic.entries[-1]
    mark = EntryMarkedInError(entry_id=entry.entry_id)
    corrected = EntryCorrected(entry_id=entry.entry_id, data={"role": "admin"})
    founded = EntryCorrected(entry_id=strict.clinic.entries[0].entry_id, data={"name": "Mine"})
    for data in (mark, corrected, founded):
        assert isinstance(strict.refused(data), ApprovalRequiredError)
    strict.approve(strict.propose(mark, by=ADMIN), OFFICER)
    assert strict.clinic.state.members[HAZEL.member_id].role == "clinician"
    back = EntryMarkedInError(entry_id=strict.clinic.entries[-1].entry_id)
    assert isinstance(strict.refused(back), ApprovalRequiredError)
    strict.approve(strict.propose(back, by=ADMIN), OFFICER)
    assert strict.clinic.state.members[HAZEL.member_id].role == "supervisor"


def test_a_correction_is_carried_out_on_what_stands_then(told: Told) -> None:
    """A proposed correction gives its own fields; what was corrected meanwhile stays."""
    joined = told.tell(MemberJoined(name="Aster Sampel", role="clinician", credential="LMFT"))
    held = told.propose(
        EntryCorrected(entry_id=joined.entry_id, data={"name": "Aster Sample"}), by=ADMIN
    )
    told.tell(EntryCorrected(entry_id=joined.entry_id, data={"credential": "LPC"}))
    told.approve(held, OFFICER)
    member = next(held for held in told.clinic.state.members if held.name.startswith("Aster"))
    assert (member.name, member.credential) == ("Aster Sample", "LPC")


@pytest.mark.parametrize("amending", [EntryMarkedInError, EntryCorrected])
def test_no_hold_is_lifted_by_amending_it(told: Told, amending: Callable[..., EntryData]) -> None:
    """Taking its placing back, or naming another client, lifts it: two privacy officers do."""
    placed = told.tell(LegalHoldPlaced(client_ref="c-1"), WHY, OFFICER)
    said = {"data": {"client_ref": "c-2"}} if amending is EntryCorrected else {}
    data = amending(entry_id=placed.entry_id, **said)
    for who in (ADMIN, OFFICER):
        assert isinstance(told.refused(data, WHY, who), ApprovalRequiredError)
    assert told.propose(data, by=ADMIN).needed == 2


def test_a_hold_that_was_lifted_in_error_is_not_brought_back_and_forth(told: Told) -> None:
    """Marking the lifting in error, and that mark in error, would lift it again: both take two."""
    told.tell(LegalHoldPlaced(client_ref="c-1"), WHY, OFFICER)
    told.approve(told.propose(LIFTED, by=OFFICER), DEPUTY)
    mark = EntryMarkedInError(entry_id=told.clinic.entries[-1].entry_id)
    told.approve(told.propose(mark, by=OFFICER), DEPUTY)
    assert "c-1" in told.clinic.state.legal_holds
    back = EntryMarkedInError(entry_id=told.clinic.entries[-1].entry_id)
    assert isinstance(told.refused(back, WHY, OFFICER), ApprovalRequiredError)


def test_the_last_who_could_approve_stays(strict: Told) -> None:
    """Else nobody could ever change anything again; without the policy they may go."""
    for who in (OTHER_ADMIN, DEPUTY):
        left = MemberLeft(member_id=who.member_id)
        strict.approve(strict.propose(left, by=ADMIN), OFFICER)
    last = MemberLeft(member_id=OFFICER.member_id)
    role = MemberRoleChanged(member_id=OFFICER.member_id, role="auditor")
    for data in (last, role):
        assert "Nobody would be left" in strict.refused(proposed(data)).detail
    other = MemberRoleChanged(member_id=OFFICER.member_id, role="admin")
    strict.propose(other, by=ADMIN)


def test_every_role_that_approves_is_a_role() -> None:
    """What the types declare can be done by somebody."""
    declared = [
        held
        for cls in CLINIC_TYPES.values()
        for held in (cls.APPROVAL, cls.AMENDED_WITH)
        if held is not None
    ]
    assert declared
    for held in declared:
        assert held.by
        assert set(held.by) <= set(ROLES)
        assert 1 <= held.people <= 9
