"""The Clinic aggregate: its founding, its name, its policy, and what its other chapters record.

What a clinic decides about its people and itself is recorded in its own log with the same envelope as
any plan's entries, so the audit trail covers who was allowed what, when.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, ClassVar

from domain import approving
from domain.approval import ANOTHER_PERSON
from domain.entry import CLINIC_TYPES, Entry, EntryData, recorded
from domain.erasure import Erasure
from domain.errors import InvalidDataError, Problem, TransitionError
from domain.fields import Line, RangeRule
from domain.fold import AMENDING
from domain.history import History
from domain.holds import Hold
from domain.parts import Part, Parts, short
from domain.people import Member
from domain.policy import DEFAULT_POLICY, Policy, PolicyDays
from domain.proposals import ChangeProposed, Proposal, ProposalApproved
from domain.record import AddendumAdded

TWO = 2


@dataclass(slots=True, kw_only=True)
class Outline(Part):
    """The clinic itself."""

    name: str = ""
    founded_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Rules(Part):
    """The policy in force."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"touched", "policy"})

    policy: Policy = DEFAULT_POLICY

    def document(self) -> dict[str, Any]:
        """The policy's numbers."""
        return {name: getattr(self.policy, name) for name in self.policy.__dataclass_fields__}


class ClinicState:
    """A clinic at one moment."""

    __slots__ = ("erasures", "legal_holds", "members", "outline", "policy", "proposals")

    def __init__(self) -> None:
        self.outline = Outline()
        self.policy = Rules()
        self.members: Parts[Member] = Parts()
        self.legal_holds: Parts[Hold] = Parts()
        self.proposals: Parts[Proposal] = Parts()
        self.erasures: Parts[Erasure] = Parts()

    def named(self, member_id: str) -> str:
        """The member's name."""
        held = self.members.get(member_id)
        return held.name if held else "a member"

    def mark_in_error(self) -> None:
        """A clinic's founding cannot be taken back; its name is all it holds."""

    def document(self) -> dict[str, Any]:
        """The clinic in JSON types."""
        return {
            **self.outline.document(),
            "policy": self.policy.document(),
            "members": self.members.document(),
            "legal_holds": self.legal_holds.document(),
            "erasures": self.erasures.document(),
        }

    def approvers(self) -> list[Member]:
        """Whoever is here and could approve what an admin changes."""
        return [
            held
            for held in self.members
            if held.status == "present" and held.role in ANOTHER_PERSON.by
        ]

    def refuse_last_approver(self, member_id: str) -> None:
        """Refuse to let the last of them go while the clinic's changes need one."""
        if self.policy.policy.two_people and [held.member_id for held in self.approvers()] == [
            member_id
        ]:
            raise TransitionError(
                "Nobody would be left to approve the clinic's changes; let another admin or privacy "
                "officer join first.",
                "/data/member_id",
            )

    def present(self, member_id: str, pointer: str) -> Member:
        """The member, who must not have left."""
        member = self.members[member_id]
        if member.status != "present":
            raise TransitionError(f"{member.name} has left the clinic.", pointer)
        return member


@recorded("clinic.clinic-founded")
class ClinicFounded(EntryData):
    """The clinic's log begins."""

    AMENDED_WITH = ANOTHER_PERSON

    name: Line

    def apply(self, plan: Any, entry: Entry) -> None:
        """The clinic exists."""
        held = plan.outline.edit(entry)
        held.name, held.founded_at = self.name, entry.occurred_at

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        return f"The clinic {short(self.name)} was founded."


@recorded("clinic.clinic-renamed")
class ClinicRenamed(EntryData):
    """The clinic has another name."""

    APPROVAL = ANOTHER_PERSON

    name: Line

    def apply(self, plan: Any, entry: Entry) -> None:
        """The name is the new one."""
        plan.outline.edit(entry).name = self.name

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        return f"The clinic is now called {short(self.name)}."


@recorded("clinic.policy-set")
class PolicySet(EntryData):
    """The clinic sets its own intervals, thresholds and rules: those given replace those in force."""

    WHY = True
    APPROVAL = ANOTHER_PERSON

    formal_review_days: PolicyDays | None = None
    reevaluation_days: PolicyDays | None = None
    safety_review_days: PolicyDays | None = None
    answer_days: PolicyDays | None = None
    first_signature_days: PolicyDays | None = None
    cosignature_days: PolicyDays | None = None
    client_agreement_days: PolicyDays | None = None
    emergency_review_days: PolicyDays | None = None
    plateau_values: Annotated[int, RangeRule(3, 20)] | None = None
    plateau_days: PolicyDays | None = None
    late_after_hours: Annotated[int, RangeRule(1, 8760)] | None = None
    require_if_match: bool | None = None
    retention_days: Annotated[int, RangeRule(1, 36_500)] | None = None
    two_people: Annotated[
        bool | None, "Whether what an admin changes is a proposal that somebody else approves."
    ] = None

    def given(self) -> dict[str, Any]:
        """The numbers that change."""
        held = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in held.items() if value is not None}

    def decide(self, plan: Any, entry: Entry) -> None:
        """Something changes, and whoever wants two people for it has them."""
        if not self.given():
            raise InvalidDataError(
                [Problem("/data", "Say what changes: give at least one number.")]
            )
        if self.two_people and len(plan.approvers()) < TWO:
            raise TransitionError(
                "Nobody could approve anything: let a privacy officer and an admin, or two admins, "
                "join first.",
                "/data/two_people",
            )

    def apply(self, plan: Any, entry: Entry) -> None:
        """The numbers given are in force."""
        held = plan.policy.edit(entry)
        held.policy = replace(held.policy, **self.given())

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        told = ", ".join(
            f"{name.replace('_', ' ')}: {value}" for name, value in self.given().items()
        )
        return f"The clinic set its policy ({told})."


class Clinic(History):
    """A clinic's own history."""

    CALLED = "clinic"
    FIRST = ClinicFounded
    TAKES: ClassVar = {**CLINIC_TYPES, **{cls.__name__: cls for cls in (*AMENDING, AddendumAdded)}}
    fresh = ClinicState

    def decide(self, data: EntryData, *, approved: bool = False, **given: Any) -> Entry:
        """As any history does; and what others approve first only comes about by their approval.

        ``approved``: it is recorded by an approval, in the same append.
        """
        shared = {name: given[name] for name in ("now", "recorded_by", "new_id")}
        if isinstance(data, ChangeProposed):
            data = approving.asked(self, data)
        entry = super().decide(data, **given)
        approving.refuse(self, entry, approved=approved)
        if isinstance(entry.data, ChangeProposed):
            approving.refuse_impossible(self, entry, entry.data, **shared)
        return entry

    def follow(self, entry: Entry, **given: Any) -> list[Entry]:
        """With the last approval it needs, what was proposed."""
        if not isinstance(entry.data, ProposalApproved):
            return []
        held = self.state.proposals[entry.data.proposal_id]
        return approving.carry_out(self, held, **given) if held.status == "approved" else []

    @property
    def state(self) -> ClinicState:
        """What all standing entries add up to."""
        state: ClinicState = super().state
        return state

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.state.policy.policy

    def document(
        self, version: int | None = None, effective_at: datetime | None = None
    ) -> dict[str, Any]:
        """The clinic at a moment in JSON types."""
        now = version in (None, self.version) and effective_at is None
        state = self.state if now else self.at(version, effective_at)
        head = self.entries[(version or self.version) - 1]
        shown = {"version": head.version, "position": head.position, **state.document()}
        return {"clinic_id": str(self.id), **shown}
