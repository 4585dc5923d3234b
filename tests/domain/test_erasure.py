"""Erasure: what it takes along, what speaks against it, and how what is left reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.aggregates import shell
from domain.clinic import Clinic, PolicySet
from domain.entry import Author, Entry, Reason
from domain.erased import Erased, erased_entry
from domain.erasure import ClientErased, clients_in, what_is_about
from domain.errors import TransitionError, UnknownEntryTypeError
from domain.holds import LegalHoldLifted, LegalHoldPlaced
from domain.people import CaseloadAssigned, MemberJoined, MemberLeft, MemberRoleChanged
from domain.plan import Plan
from domain.proposals import ProposalDeclined
from domain.record import AddendumAdded, EntryCorrected
from tests.domain.clinics import Told
from tests.domain.samples import a_life

PLAN, MAPLE, OTIS = str(uuid4()), str(uuid4()), str(uuid4())
OFFICER = Author(member_id=str(uuid4()), name="Sasha Reed", role="privacy_officer")
DEPUTY = Author(member_id=str(uuid4()), name="Noor Reed", role="privacy_officer")


def erased(**given: Any) -> ClientErased:
    """The erasure of Maple with their plan."""
    return ClientErased(
        **{"client_ref": "c-1", "plan_ids": (PLAN,), "member_ids": (MAPLE,), **given}
    )


@pytest.fixture
def told() -> Told:
    """A clinic with two officers and two clients."""
    told = Told()
    told.arrive(OFFICER, DEPUTY)
    for member_id, name, ref in ((MAPLE, "Maple Sample", "c-1"), (OTIS, "Otis Sample", "c-2")):
        told.tell(MemberJoined(member_id=member_id, name=name, role="client", client_ref=ref))
    return told


def test_two_officers_stand_behind_it(told: Told) -> None:
    """One asks, another approves; then it is known what was erased."""
    held = told.propose(erased(), by=OFFICER)
    assert (held.approved_by, held.needed) == (("privacy_officer",), 1)
    *_, done = told.approve(held, DEPUTY)
    [known] = told.clinic.state.erasures
    assert (known.client_ref, known.plan_ids, known.member_ids) == ("c-1", (PLAN,), (MAPLE,))
    state: Any = told.clinic.state
    assert done.data.tell(state) == "The records of client c-1 were erased (1 plan)."
    assert told.clinic.document()["erasures"][0]["client_ref"] == "c-1"


def test_somebody_else_who_asks_does_not_count(told: Told) -> None:
    """An admin, or the client: two officers approve."""
    client = Author(member_id=MAPLE, name="The client", role="client")
    held = told.propose(erased(), by=client)
    assert held.needed == 2
    told.approve(held, OFFICER)
    assert len(told.clinic.state.erasures) == 0
    told.approve(held, DEPUTY)
    assert len(told.clinic.state.erasures) == 1


def test_it_only_comes_about_by_approval(told: Told) -> None:
    """Nobody records it by themselves."""
    refused = told.refused(erased(), by=OFFICER)
    assert refused.code == "approval-required"


def test_a_legal_hold_keeps_everything(told: Told) -> None:
    """Also when it is placed between asking and approving; lifted, it can go on."""
    held = told.propose(erased(), by=OFFICER)
    told.tell(LegalHoldPlaced(client_ref="c-1"), by=OFFICER)
    assert "legal hold" in told.not_approved(held, DEPUTY).detail
    lifted = told.propose(LegalHoldLifted(client_ref="c-1"), by=OFFICER)
    told.approve(lifted, DEPUTY)
    told.approve(held, DEPUTY)
    assert len(told.clinic.state.erasures) == 1


def test_nothing_is_not_erased(told: Told) -> None:
    """A mistyped reference is refused, naming the field."""
    with pytest.raises(TransitionError) as refused:
        told.propose(erased(client_ref="c-9", plan_ids=(), member_ids=()), by=OFFICER)
    assert refused.value.pointer.endswith("/data/client_ref")


def test_it_cannot_be_taken_back(told: Told) -> None:
    """Correcting it would change nothing; an addendum may be written."""
    *_, done = told.approve(told.propose(erased(), by=OFFICER), DEPUTY)
    back = EntryCorrected(entry_id=done.entry_id, data={"client_ref": "c-2"})
    assert "taken back" in told.refused(back, by=OFFICER).detail


# What it takes along


def test_what_names_a_client_is_about_them(told: Told) -> None:
    """Joining, holds, leaving, and what is said about such an entry; nothing of staff."""
    clinic = told.clinic
    assert clients_in(clinic, MemberJoined(name="X", role="client", client_ref="c-3")) == {"c-3"}
    assert clients_in(clinic, LegalHoldPlaced(client_ref="c-1")) == {"c-1"}
    assert clients_in(clinic, MemberLeft(member_id=MAPLE)) == {"c-1"}
    moved = MemberRoleChanged(member_id=MAPLE, client_ref="c-2")
    assert clients_in(clinic, moved) == {"c-1", "c-2"}
    joined = next(held for held in clinic.entries if clients_in(clinic, held.data) == {"c-1"})
    assert clients_in(clinic, AddendumAdded(entry_id=joined.entry_id, text="More")) == {"c-1"}
    assert clients_in(clinic, AddendumAdded(entry_id=str(uuid4()), text="More")) == set()
    staff = MemberJoined(name="Alder Sample", role="clinician")
    assert clients_in(clinic, staff) == set()
    assert clients_in(clinic, CaseloadAssigned(member_id=OFFICER.member_id, plan_id=PLAN)) == set()
    assert clients_in(clinic, PolicySet(retention_days=30)) == set()
    assert clients_in(clinic, erased()) == set(), "that somebody was erased is kept"


def test_a_proposal_is_about_those_whom_it_names(told: Told) -> None:
    """All of them, and so is every word on it; a proposal to erase is kept."""
    both = told.propose(
        MemberJoined(name="Ada", role="client", client_ref="c-7"),
        MemberJoined(name="Bo", role="client", client_ref="c-8"),
    )
    declined = told.decline(both, OFFICER)
    assert clients_in(told.clinic, declined.data) == {"c-7", "c-8"}
    asked = told.propose(erased(), by=OFFICER)
    word = ProposalDeclined(proposal_id=asked.proposal_id)
    assert clients_in(told.clinic, word) == set()


def test_everything_about_a_client_is_found(told: Told) -> None:
    """Their entries and as whom they signed in; the other client's stay."""
    told.tell(MemberLeft(member_id=MAPLE))
    entries, members = what_is_about(told.clinic, "c-1")
    assert [held.type for held in entries] == ["MemberJoined", "MemberLeft"]
    assert members == [MAPLE]
    assert what_is_about(told.clinic, "c-9") == ([], [])


# What is left


def without_words(entries: list[Entry], gone: set[str]) -> list[Entry]:
    """The entries as they are read once the keys of some were destroyed."""
    return [
        erased_entry(
            held.data.TOPIC,
            timestamp=held.timestamp,
            originator_id=held.plan_id,
            originator_version=held.version,
            entry_id=held.entry_id,
            position=held.position,
        )
        if held.entry_id in gone
        else held
        for held in entries
    ]


def test_a_clinic_reads_on_without_what_was_about_a_client(told: Told) -> None:
    """As if they had never been a member; everything else stands, and is recorded on."""
    told.tell(LegalHoldPlaced(client_ref="c-1"), by=OFFICER)
    lifted = told.propose(LegalHoldLifted(client_ref="c-1"), by=OFFICER)
    told.approve(lifted, DEPUTY)
    told.tell(MemberLeft(member_id=MAPLE))
    entries, _ = what_is_about(told.clinic, "c-1")
    gone = {held.entry_id for held in entries}
    told.approve(told.propose(erased(), by=OFFICER), DEPUTY)
    left = Clinic.new(told.clinic.id)
    left.learn_all(without_words(told.clinic.entries, gone))
    assert len(gone) == 6
    assert left.version == told.clinic.version
    assert MAPLE not in left.state.members
    assert OTIS in left.state.members
    assert [*left.state.legal_holds] == []
    assert len(left.state.erasures) == 1
    assert left.document(left.version - 1)["members"] == left.document()["members"]
    again = left.decide(
        MemberJoined(name="Ada Sample", role="clinician"),
        now=datetime.now(UTC),
        recorded_by=OFFICER,
        new_id=lambda: str(uuid4()),
        reason=Reason(text="Begins"),
    )
    assert again.version == left.version + 1


def test_an_erased_plan_still_has_its_entries() -> None:
    """Their kinds, numbers and times; nothing they said, and no sentence but that."""
    plan = a_life()
    entries = without_words(plan.entries, {held.entry_id for held in plan.entries})
    left = shell(entries[0])
    assert isinstance(left, Plan)
    left.learn_all(entries)
    assert left.erased
    assert not plan.erased
    assert [held.type for held in left.entries] == [held.type for held in plan.entries]
    assert {held.data.tell(left.state) for held in left.entries} == {
        "What was recorded here has been erased."
    }
    assert left.document()["goals"] == left.document()["obligations"] == []
    assert all(isinstance(held.data, Erased) for held in left.entries)


def test_what_was_erased_is_of_a_known_kind() -> None:
    """A topic outside the registry is refused as ever."""
    with pytest.raises(UnknownEntryTypeError):
        erased_entry("os.path:join", timestamp=datetime.now(UTC), originator_id=UUID(int=1))
