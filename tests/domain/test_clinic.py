"""The clinic's own history: people, supervision, caseload, policy, holds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.clinic import Clinic, ClinicFounded, ClinicRenamed, PolicySet
from domain.entry import from_stored, to_stored
from domain.errors import PlanHistoryError
from domain.fields import fields_of
from domain.goals import GoalSet
from domain.holds import LegalHoldLifted, LegalHoldPlaced
from domain.people import (
    CaseloadAssigned,
    CaseloadEnded,
    MemberJoined,
    MemberLeft,
    MemberRoleChanged,
    SupervisionAssigned,
    SupervisionEnded,
)
from domain.policy import Policy
from domain.record import EntryCorrected, EntryMarkedInError
from tests.domain.clinics import ADMIN, DEPUTY, OFFICER, START, Told


@pytest.fixture
def told() -> Told:
    """A founded clinic."""
    return Told()


def test_a_clinic_begins_with_its_founding_once(told: Told) -> None:
    """Nothing comes before the founding, and it happens once."""
    assert told.refused(ClinicFounded(name="Again")).code == "impossible-transition"
    empty = Clinic.new(uuid4())
    with pytest.raises(PlanHistoryError):
        empty.decide(
            ClinicRenamed(name="X"), now=START, recorded_by=ADMIN, new_id=lambda: str(uuid4())
        )


def test_a_clinic_takes_no_entries_of_plans(told: Told) -> None:
    """Each history takes its own vocabulary."""
    assert told.refused(GoalSet(statement="A goal")).code == "unknown-entry-type"


def test_members_join_change_and_leave(told: Told) -> None:
    """Roles and credentials are current, and somebody who left stays on record."""
    member = told.join("Alder Sample", "clinician")
    told.tell(MemberRoleChanged(member_id=member, role="supervisor", credential="Licence 1"))
    told.tell(MemberLeft(member_id=member))
    held = told.clinic.state.members[member]
    assert (held.role, held.credential, held.status) == ("supervisor", "Licence 1", "left")
    assert told.refused(MemberLeft(member_id=member)).pointer == "/data/member_id"
    assert told.refused(MemberRoleChanged(member_id=member, role="admin")).code == (
        "impossible-transition"
    )


def test_a_change_of_role_says_what_changes_and_why(told: Told) -> None:
    """An empty change and one without reason are refused."""
    member = told.join("Alder Sample", "clinician")
    assert told.refused(MemberRoleChanged(member_id=member)).code == "invalid-data"
    told_role = MemberRoleChanged(member_id=member, role="admin")
    assert told.refused(told_role, None).code == "reason-required"
    assert told.refused(MemberLeft(member_id=member), None).code == "reason-required"


def test_a_member_of_role_client_says_which_client_they_are(told: Told) -> None:
    """It is asked of them, refused for anybody else, and shown with them."""
    nobody = told.refused(MemberJoined(name="Maple Sample", role="client"))
    assert nobody.problems[0].pointer == "/data/client_ref"
    assert "which client" in nobody.problems[0].detail
    staff = told.refused(MemberJoined(name="Alder Sample", role="clinician", client_ref="c-1"))
    assert staff.problems[0].pointer == "/data/client_ref"
    told.tell(MemberJoined(name="Maple Sample", role="client", client_ref="c-1"))
    (member,) = told.clinic.document()["members"]
    assert (member["role"], member["client_ref"]) == ("client", "c-1")


def test_nobody_becomes_a_client_by_a_change_of_role(told: Told) -> None:
    """Nor ceases to be one: what is recorded of a client can be forgotten, of staff it cannot."""
    member, client = told.join("Alder Sample", "clinician"), str(uuid4())
    told.tell(MemberJoined(member_id=client, name="Maple Sample", role="client", client_ref="c-1"))
    becomes = MemberRoleChanged(member_id=member, role="client", client_ref="c-1")
    assert told.refused(becomes).pointer == "/data/role"
    ceases = MemberRoleChanged(member_id=client, role="auditor")
    assert told.refused(ceases).pointer == "/data/role"
    stays = MemberRoleChanged(member_id=member, client_ref="c-1")
    assert told.refused(stays).problems[0].pointer == "/data/client_ref"
    told.tell(MemberRoleChanged(member_id=client, name="Maple Example"))
    assert told.clinic.state.members[client].client_ref == "c-1"
    told.tell(MemberRoleChanged(member_id=client, client_ref="c-2"))
    assert told.clinic.state.members[client].client_ref == "c-2"


def test_members_stored_before_clients_were_named_are_still_read(told: Told) -> None:
    """An old entry has no client_ref; it is applied as it is and says of nobody which client."""
    plain = {"member_id": str(uuid4()), "name": "Maple Sample", "role": "client"}
    who = {"member_id": ADMIN.member_id, "name": ADMIN.name, "role": ADMIN.role}
    stored = {"recorded_by": who, "data": plain}
    entry = from_stored(
        "clinic.member-joined",
        stored,
        originator_id=told.clinic.id,
        originator_version=2,
        timestamp=told.now,
        entry_id=str(uuid4()),
        position=2,
    )
    told.clinic.learn(entry)
    assert told.clinic.state.members[plain["member_id"]].client_ref is None
    assert to_stored(entry)["data"] == {**plain}


def test_the_policy_that_is_set_has_every_number_of_the_policy() -> None:
    """A number without its field could never be changed."""
    assert {held.name for held in fields_of(PolicySet)} == {held.name for held in fields_of(Policy)}


def test_only_known_members_are_referred_to(told: Told) -> None:
    """An unknown member is named as the problem."""
    refused = told.refused(MemberLeft(member_id=str(uuid4())))
    assert (refused.code, refused.pointer) == ("unknown-reference", "/data/member_id")


def test_supervision_is_by_a_supervisor_and_never_in_a_circle(told: Told) -> None:
    """Who supervises is a supervisor, not oneself, not the supervised one's own trainee."""
    trainee, other = told.join("Hazel Sample", "clinician"), told.join("Ivy Sample", "clinician")
    rowan, elm = told.join("Rowan Sample", "supervisor"), told.join("Elm Sample", "supervisor")
    told.tell(SupervisionAssigned(member_id=trainee, supervisor_id=rowan))
    assert told.clinic.state.members[trainee].supervisor_id == rowan
    no_supervisor = SupervisionAssigned(member_id=trainee, supervisor_id=other)
    assert told.refused(no_supervisor).pointer == "/data/supervisor_id"
    told.tell(SupervisionAssigned(member_id=elm, supervisor_id=rowan))
    for above in (rowan, elm):
        circle = SupervisionAssigned(member_id=rowan, supervisor_id=above)
        assert told.refused(circle).code == "impossible-transition"


def test_a_supervisor_does_not_leave_trainees_in_the_air(told: Told) -> None:
    """Another supervisor is assigned first; then they may go."""
    trainee, rowan = told.join("Hazel Sample", "clinician"), told.join("Rowan Sample", "supervisor")
    told.tell(SupervisionAssigned(member_id=trainee, supervisor_id=rowan))
    assert "Hazel Sample" in told.refused(MemberLeft(member_id=rowan)).detail
    told.tell(SupervisionEnded(member_id=trainee))
    assert told.refused(SupervisionEnded(member_id=trainee)).code == "impossible-transition"
    told.tell(MemberLeft(member_id=rowan))


def test_who_left_earlier_than_recorded_may_still_be_used(told: Told) -> None:
    """The answer warns of what counts later and is about them."""
    member = told.join("Alder Sample", "clinician")
    before = told.now + timedelta(minutes=1)
    assigned = told.tell(CaseloadAssigned(member_id=member, plan_id=str(uuid4())))
    left = told.tell(MemberLeft(member_id=member), occurred_at=before)
    [warning] = told.clinic.warnings(left)
    assert warning["entry_id"] == assigned.entry_id


def test_a_caseload_holds_plans_of_those_who_treat(told: Told) -> None:
    """Assigned once, ended once, and only to clinicians and supervisors."""
    clinician, admin = told.join("Alder Sample", "clinician"), told.join("Birch Sample", "admin")
    plan_id = str(uuid4())
    told.tell(CaseloadAssigned(member_id=clinician, plan_id=plan_id))
    assert told.clinic.state.members[clinician].caseload == (plan_id,)
    again = CaseloadAssigned(member_id=clinician, plan_id=plan_id)
    assert told.refused(again).pointer == "/data/plan_id"
    assert told.refused(CaseloadAssigned(member_id=admin, plan_id=plan_id)).pointer == (
        "/data/member_id"
    )
    told.tell(CaseloadEnded(member_id=clinician, plan_id=plan_id))
    assert told.clinic.state.members[clinician].caseload == ()
    ended = CaseloadEnded(member_id=clinician, plan_id=plan_id)
    assert told.refused(ended).pointer == "/data/plan_id"


def test_a_policy_changes_only_the_numbers_given(told: Told) -> None:
    """The rest stays in force; an empty change and nonsense are refused."""
    told.tell(PolicySet(reevaluation_days=3))
    told.tell(PolicySet(require_if_match=True))
    policy = told.clinic.policy
    assert (policy.reevaluation_days, policy.require_if_match) == (3, True)
    assert policy.formal_review_days == 182
    assert told.refused(PolicySet()).pointer == ""
    assert told.refused(PolicySet(answer_days=0)).problems[0].pointer == "/data/answer_days"


def test_a_legal_hold_is_placed_and_lifted_once(told: Told) -> None:
    """Each client has at most one hold."""
    told.tell(LegalHoldPlaced(client_ref="c-1"))
    assert told.refused(LegalHoldPlaced(client_ref="c-1")).pointer == "/data/client_ref"
    lifted = LegalHoldLifted(client_ref="c-1")
    told.approve(told.propose(lifted, by=OFFICER), DEPUTY)
    assert len(told.clinic.state.legal_holds) == 0
    assert told.refused(lifted).pointer == "/data/client_ref"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"role": "privacy_officer"}, "is privacy officer now."),
        ({"credential": "LMFT"}, "has another credential now, “LMFT”."),
        ({"name": "Alder Example"}, "goes by the name of “Alder Example” now."),
        ({"role": "supervisor", "credential": "A"}, "is supervisor now and has another credential now, “A”."),
    ],
)  # fmt: skip
def test_a_change_of_a_member_tells_what_changes(
    told: Told, changed: dict[str, Any], sentence: str
) -> None:
    """And nothing that stays as it was."""
    member = told.join("Alder Sample", "clinician")
    entry = told.tell(MemberRoleChanged(member_id=member, **changed))
    state: Any = told.clinic.state
    assert entry.data.tell(state).endswith(sentence)


def test_the_clinic_travels_in_time_like_a_plan(told: Told) -> None:
    """As known at a version, as true at a moment, corrected and in error: the same fold."""
    joined = told.tell(MemberJoined(name="Alder Sampel", role="clinician"))
    told.tell(PolicySet(answer_days=7), occurred_at=told.now - timedelta(days=1))
    assert told.clinic.at(2).policy.policy.answer_days == 14
    told.tell(EntryCorrected(entry_id=joined.entry_id, data={"name": "Alder Sample"}))
    (member,) = told.clinic.state.members
    assert member.name == "Alder Sample"
    told.tell(EntryMarkedInError(entry_id=joined.entry_id))
    assert len(told.clinic.state.members) == 0
    assert [held.name for held in told.clinic.at(3).members] == ["Alder Sampel"]
    assert told.clinic.document(3)["members"][0]["name"] == "Alder Sampel"
