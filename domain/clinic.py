"""The Clinic aggregate: its founding, its name, its policy, and what its other chapters record.

What a clinic decides about its people and itself is recorded in its own log with the same envelope as
any plan's entries, so the audit trail covers who was allowed what, when.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, ClassVar

from domain.entry import CLINIC_TYPES, Entry, EntryData, recorded
from domain.errors import InvalidDataError, Problem, TransitionError
from domain.fields import Line, RangeRule
from domain.fold import AMENDING
from domain.history import History
from domain.holds import Hold
from domain.parts import Part, Parts, short
from domain.people import Member
from domain.policy import DEFAULT_POLICY, Policy, PolicyDays
from domain.record import AddendumAdded


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

    __slots__ = ("legal_holds", "members", "outline", "policy")

    def __init__(self) -> None:
        self.outline = Outline()
        self.policy = Rules()
        self.members: Parts[Member] = Parts()
        self.legal_holds: Parts[Hold] = Parts()

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
        }

    def present(self, member_id: str, pointer: str) -> Member:
        """The member, who must not have left."""
        member = self.members[member_id]
        if member.status != "present":
            raise TransitionError(f"{member.name} has left the clinic.", pointer)
        return member


@recorded("clinic.clinic-founded")
class ClinicFounded(EntryData):
    """The clinic's log begins."""

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

    name: Line

    def apply(self, plan: Any, entry: Entry) -> None:
        """The name is the new one."""
        plan.outline.edit(entry).name = self.name

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        return f"The clinic is now called {short(self.name)}."


@recorded("clinic.policy-set")
class PolicySet(EntryData):
    """The clinic sets its own intervals and thresholds: the numbers given replace those in force."""

    WHY = True

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

    def given(self) -> dict[str, Any]:
        """The numbers that change."""
        held = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in held.items() if value is not None}

    def decide(self, plan: Any, entry: Entry) -> None:
        """Something changes."""
        if not self.given():
            raise InvalidDataError(
                [Problem("/data", "Say what changes: give at least one number.")]
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
