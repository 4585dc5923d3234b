"""One life of a clinic in which every type of its own entries occurs, in an order in which all can be recorded.

``LIFE`` is that life, with fixed ids; what a proposal brings along is recorded with its approval and has
no line of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from domain.clinic import Clinic, ClinicFounded, ClinicRenamed, PolicySet
from domain.entry import Author, EntryData, Reason
from domain.erasure import ClientErased
from domain.holds import LegalHoldLifted, LegalHoldPlaced
from domain.people import (
    CaseloadAssigned,
    CaseloadEnded,
    MemberJoined,
    MemberLeft,
    MemberRoleChanged,
    Role,
    SupervisionAssigned,
    SupervisionEnded,
)
from domain.proposals import (
    ChangeProposed,
    ProposalApproved,
    ProposalDeclined,
    ProposalWithdrawn,
    ProposedEntry,
)


def _id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"plan-history/samples/clinic/{name}"))


CLINIC, PLAN = _id("clinic"), _id("plan")
ADMIN = Author(member_id=_id("admin"), name="Robin Sample", role="admin")
IDA = Author(member_id=_id("ida"), name="Prof. Ida Lund", role="supervisor")
OFFICER = Author(member_id=_id("officer"), name="Sasha Reed", role="privacy_officer")
DEPUTY = Author(member_id=_id("deputy"), name="Noor Reed", role="privacy_officer")
NADIA, JO = _id("nadia"), _id("jo")
HOLD = "C-2041"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """An entry with its envelope, as it is recorded in the sample life."""

    data: EntryData
    by: Author = ADMIN
    why: str | None = None


def _joined(member_id: str, name: str, role: Role, **more: Any) -> Sample:
    return Sample(data=MemberJoined(member_id=member_id, name=name, role=role, **more))


def _proposed(name: str, by: Author, why: str, *data: EntryData) -> Sample:
    entries = tuple(ProposedEntry.of(held) for held in data)
    return Sample(data=ChangeProposed(proposal_id=_id(name), entries=entries), by=by, why=why)


LIFE: tuple[Sample, ...] = (
    Sample(data=ClinicFounded(name="Clinic at the Bridge")),
    Sample(data=ClinicRenamed(name="Clinic at the Mill")),
    _joined(ADMIN.member_id, ADMIN.name, "admin"),
    _joined(OFFICER.member_id, OFFICER.name, "privacy_officer"),
    _joined(DEPUTY.member_id, DEPUTY.name, "privacy_officer"),
    _joined(IDA.member_id, IDA.name, "supervisor", credential="Psychologist"),
    _joined(NADIA, "Dr Nadia Okafor", "clinician", credential="In training"),
    _joined(_id("mira"), "Mira T.", "client", client_ref=HOLD),
    Sample(data=SupervisionAssigned(member_id=NADIA, supervisor_id=IDA.member_id)),
    Sample(data=CaseloadAssigned(member_id=NADIA, plan_id=PLAN)),
    Sample(data=CaseloadEnded(member_id=NADIA, plan_id=PLAN)),
    Sample(
        data=MemberRoleChanged(member_id=NADIA, credential="LMFT"), why="She passed her examination"
    ),
    Sample(data=SupervisionEnded(member_id=NADIA), why="She works by herself now"),
    Sample(
        data=PolicySet(formal_review_days=120, two_people=True), why="Decided by the whole team"
    ),
    Sample(data=LegalHoldPlaced(client_ref=HOLD), by=OFFICER, why="A court has asked for it"),
    _proposed(
        "jo joins",
        IDA,
        "She begins her training with us",
        MemberJoined(member_id=JO, name="Jo Marsh", role="clinician"),
        SupervisionAssigned(member_id=JO, supervisor_id=IDA.member_id),
    ),
    Sample(data=ProposalApproved(proposal_id=_id("jo joins")), by=OFFICER),
    _proposed("hold lifted", OFFICER, "The court has decided", LegalHoldLifted(client_ref=HOLD)),
    Sample(data=ProposalApproved(proposal_id=_id("hold lifted")), by=DEPUTY, why="Read with care"),
    _proposed("jo works alone", IDA, "She is ready", SupervisionEnded(member_id=JO)),
    Sample(
        data=ProposalDeclined(proposal_id=_id("jo works alone")),
        by=OFFICER,
        why="Her contract has her supervised until June",
    ),
    _proposed("jo leaves", IDA, "She moves away", MemberLeft(member_id=JO)),
    Sample(data=ProposalWithdrawn(proposal_id=_id("jo leaves")), by=IDA, why="She stays after all"),
    _proposed("nadia leaves", ADMIN, "She has a practice of her own", MemberLeft(member_id=NADIA)),
    Sample(data=ProposalApproved(proposal_id=_id("nadia leaves")), by=OFFICER),
    _proposed(
        "mira is forgotten",
        OFFICER,
        "She asked for it, and nothing speaks against it",
        ClientErased(
            client_ref=HOLD,
            plan_ids=(PLAN,),
            entry_ids=(_id("entry 8"),),
            member_ids=(_id("mira"),),
            before_retention_ends=True,
        ),
    ),
    Sample(data=ProposalApproved(proposal_id=_id("mira is forgotten")), by=DEPUTY),
)


def a_clinics_life() -> Clinic:
    """The clinic that has lived the whole sample life, a day for each line of it."""
    clinic = Clinic.new(UUID(CLINIC))
    for day, sample in enumerate(LIFE):
        shared: dict[str, Any] = {
            "now": datetime(2025, 3, 3, 15, tzinfo=UTC) + timedelta(days=day),
            "recorded_by": sample.by,
            "new_id": _ids(clinic),
        }
        reason = Reason(text=sample.why) if sample.why else None
        clinic.follow(clinic.record(sample.data, reason=reason, **shared), **shared)
    return clinic


def _ids(clinic: Clinic) -> Callable[[], str]:
    return lambda: _id(f"entry {clinic.version + 1}")
