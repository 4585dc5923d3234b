"""A sentence for each type of entry: what the demo clinic's plans tell, and a clinic's first day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

from domain import holds, people, proposals
from domain.clinic import Clinic, ClinicFounded, ClinicRenamed, PolicySet
from domain.entry import CLINIC_TYPES, Author, Entry, EntryData, Reason
from domain.opening import PlanOpened
from domain.plan import Plan
from service.demo.load import ReadyDraft, load
from service.demo.people import PEOPLE, Person, name_id

ANCHOR = datetime(2026, 3, 4, 12, tzinfo=UTC)


@dataclass
class Recorded:
    """What recording answers."""

    plan_id: UUID
    entries: Sequence[Entry]


@dataclass
class Stage:
    """The demo clinic without a database: its plans, and the first sentence of each type."""

    plans: dict[UUID, Plan] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    def new_id(self) -> str:
        """The next id."""
        return str(UUID(int=next(self.numbers)))

    def open_plan(
        self, by: Person, data: PlanOpened, drafts: Sequence[ReadyDraft], at: datetime
    ) -> Recorded:
        """As the service opens a plan."""
        plan_id = UUID(self.new_id())
        self.plans[plan_id] = Plan.new(plan_id)
        return self.record(by, plan_id, [ReadyDraft(data=data), *drafts], at)

    def record(
        self, by: Person, plan_id: UUID, drafts: Sequence[ReadyDraft], at: datetime
    ) -> Recorded:
        """As the service records a request's entries."""
        plan, new = self.plans[plan_id], []
        for draft in drafts:
            entry = plan.record(now=at, recorded_by=author(by), new_id=self.new_id, **vars(draft))
            self.told.setdefault(entry.type, entry.data.tell(plan.state))
            new.append(entry)
        return Recorded(plan_id, new)


def author(by: Person) -> Author:
    """A person of the demo as the author of entries."""
    return Author(member_id=by.member_id, name=by.name, role=by.role, credential=by.credential)


def told_of_plans() -> dict[str, str]:
    """A sentence for each type of entry that occurs in the demo's plans."""
    stage = Stage()
    load(stage.open_plan, stage.record, ANCHOR)
    return stage.told


def told_of_the_clinic() -> dict[str, str]:
    """A sentence for each type of entry of the clinic's own."""
    clinic, numbers = Clinic.new(UUID(name_id("clinic"))), count()
    for by, data in own_entries():
        shared: dict[str, Any] = {
            "now": ANCHOR,
            "recorded_by": author(PEOPLE[by]),
            "new_id": lambda: str(UUID(int=next(numbers))),
        }
        entry = clinic.record(data, reason=Reason(text="For the catalogue"), **shared)
        clinic.follow(entry, **shared)
    told: dict[str, str] = {}
    for entry in clinic.entries:
        told.setdefault(entry.type, entry.data.tell(clinic.at(entry.version)))
    return {name: sentence for name, sentence in told.items() if name in CLINIC_TYPES}


def own_entries() -> Iterator[tuple[str, EntryData]]:
    """Who records which entry of the clinic's own, in an order in which all are possible."""
    hazel, rowan, plan = PEOPLE["hazel"], PEOPLE["rowan"], name_id("catalogue", "plan")
    licensed = people.MemberRoleChanged(
        member_id=hazel.member_id, credential="Licensed psychotherapist"
    )
    for data in (
        ClinicFounded(name="The Demo Clinic"),
        ClinicRenamed(name="Clinic at the Mill"),
        joined(hazel),
        joined(rowan),
        licensed,
        people.SupervisionAssigned(member_id=hazel.member_id, supervisor_id=rowan.member_id),
        people.SupervisionEnded(member_id=hazel.member_id),
        people.CaseloadAssigned(member_id=hazel.member_id, plan_id=plan),
        people.CaseloadEnded(member_id=hazel.member_id, plan_id=plan),
        PolicySet(formal_review_days=120),
    ):
        yield "birch", data
    yield "juniper", holds.LegalHoldPlaced(client_ref="c-1041")
    for ending, by, said in (
        ("approved", "juniper", proposals.ProposalApproved),
        ("declined", "juniper", proposals.ProposalDeclined),
        ("withdrawn", "rowan", proposals.ProposalWithdrawn),
    ):
        asked = name_id("catalogue", ending)
        entries = (proposals.ProposedEntry.of(licensed),)
        yield "rowan", proposals.ChangeProposed(proposal_id=asked, entries=entries)
        yield by, said(proposal_id=asked)
    lifting, lifted = name_id("catalogue", "lifting"), holds.LegalHoldLifted(client_ref="c-1041")
    entries = (proposals.ProposedEntry.of(lifted),)
    yield "juniper", proposals.ChangeProposed(proposal_id=lifting, entries=entries)
    yield "elder", proposals.ProposalApproved(proposal_id=lifting)
    yield "birch", people.MemberLeft(member_id=rowan.member_id)


def joined(person: Person) -> people.MemberJoined:
    """A person of the demo joins."""
    return people.MemberJoined(
        member_id=person.member_id,
        name=person.name,
        role=person.role,  # type: ignore[arg-type] # the demo's people have roles of the list
        credential=person.credential,
    )
