"""The Clinic aggregate: members, roles, supervision, caseload, policy, legal holds.

What a clinic decides about its people and itself is recorded in its own log with the same envelope as
any plan's entries, so the audit trail covers who was allowed what, when.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, get_args

from domain.entry import CLINIC_TYPES, Entry, EntryData, recorded
from domain.errors import InvalidDataError, Problem, TransitionError
from domain.fields import Line, New, Opaque, PlanId, RangeRule, Ref, Text
from domain.fold import AMENDING
from domain.history import History
from domain.parts import Part, Parts, short
from domain.policy import DEFAULT_POLICY, Policy, PolicyDays
from domain.record import AddendumAdded

__all__ = ["DEFAULT_POLICY", "ROLES", "Clinic", "ClinicState", "Policy", "Role"]

Role = Literal[
    "clinician", "supervisor", "client", "auditor", "integration", "admin", "privacy_officer"
]
ROLES: tuple[str, ...] = get_args(Role)
NewMember = Annotated[str, New("member")]
MemberRef = Annotated[str, Ref("member")]
ClientRef = Annotated[Opaque | None, "For the role client: which client of the clinic they are."]


@dataclass(slots=True, kw_only=True)
class Outline(Part):
    """The clinic itself."""

    name: str = ""
    founded_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Member(Part):
    """Somebody who belongs, or belonged, to the clinic."""

    member_id: str
    name: str
    role: str
    credential: str | None
    status: str = "present"
    since: datetime
    left_at: datetime | None = None
    supervisor_id: str | None = None
    caseload: tuple[str, ...] = ()
    client_ref: str | None = None


@dataclass(slots=True, kw_only=True)
class Hold(Part):
    """A legal hold: nothing about this client may be erased."""

    client_ref: str
    since: datetime
    why: str | None


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


def _refuse_wrong_client(role: str, given: str | None, known: str | None) -> None:
    """``given``: the client they are said to be; ``known``: that, or what was known before."""
    if role == "client" and known is None:
        detail = "Say which client they are: give the client_ref their plan was opened with."
        raise InvalidDataError([Problem("/data/client_ref", detail)])
    if role != "client" and given is not None:
        detail = f"Only a member of role client is a client; leave it out for {role}."
        raise InvalidDataError([Problem("/data/client_ref", detail)])


@recorded("clinic.member-joined")
class MemberJoined(EntryData):
    """Somebody belongs to the clinic from now on."""

    member_id: NewMember = ""
    name: Line
    role: Role
    credential: Line | None = None
    client_ref: ClientRef = None

    def decide(self, plan: Any, entry: Entry) -> None:
        """A client is somebody the clinic treats, and nobody else is."""
        _refuse_wrong_client(self.role, self.client_ref, self.client_ref)

    def apply(self, plan: Any, entry: Entry) -> None:
        """They are a member."""
        held = Member(
            member_id=self.member_id,
            name=self.name,
            role=self.role,
            credential=self.credential,
            since=entry.occurred_at,
            client_ref=self.client_ref,
        )
        plan.members.add(self.member_id, held, entry)

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        return f"{self.name} joined as {self.role.replace('_', ' ')}."


@recorded("clinic.member-role-changed")
class MemberRoleChanged(EntryData):
    """A member has another role, credential or name, or is another client."""

    WHY = True

    member_id: MemberRef
    role: Role | None = None
    credential: Line | None = None
    name: Line | None = None
    client_ref: ClientRef = None

    def decide(self, plan: Any, entry: Entry) -> None:
        """They are here, something changes, and a client is somebody the clinic treats."""
        held = plan.present(self.member_id, "/data/member_id")
        if not (self.role or self.credential or self.name or self.client_ref):
            detail = "Say what changes: role, credential, name, client_ref."
            raise InvalidDataError([Problem("/data/role", detail)])
        known = self.client_ref or held.client_ref
        _refuse_wrong_client(self.role or held.role, self.client_ref, known)

    def apply(self, plan: Any, entry: Entry) -> None:
        """The given fields replace theirs."""
        held = plan.members.edit(self.member_id, entry)
        held.role = self.role or held.role
        held.credential = self.credential or held.credential
        held.name = self.name or held.name
        held.client_ref = (self.client_ref or held.client_ref) if held.role == "client" else None

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        held = plan.members.get(self.member_id)
        role = (self.role or (held.role if held else "")).replace("_", " ")
        return f"{plan.named(self.member_id)} is {role} now."


@recorded("clinic.member-left")
class MemberLeft(EntryData):
    """A member no longer belongs to the clinic; what they recorded stays theirs."""

    WHY = True

    member_id: MemberRef

    def decide(self, plan: Any, entry: Entry) -> None:
        """They leave once, and nobody is left with a supervisor or caseload in the air."""
        plan.present(self.member_id, "/data/member_id")
        supervised = [held.name for held in plan.members if held.supervisor_id == self.member_id]
        if supervised:
            raise TransitionError(
                f"They supervise {', '.join(supervised)}; assign another supervisor first.",
                "/data/member_id",
            )

    def apply(self, plan: Any, entry: Entry) -> None:
        """They are gone, with an empty caseload."""
        held = plan.members.edit(self.member_id, entry)
        held.status, held.left_at = "left", entry.occurred_at
        held.caseload, held.supervisor_id = (), None

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        return f"{plan.named(self.member_id)} left the clinic."

    def ends(self) -> tuple[str, ...]:
        """The membership."""
        return (self.member_id,)


@recorded("clinic.supervision-assigned")
class SupervisionAssigned(EntryData):
    """A supervisor answers for a clinician's work from now on."""

    member_id: MemberRef
    supervisor_id: MemberRef

    def decide(self, plan: Any, entry: Entry) -> None:
        """A supervisor who is here, for somebody else who is here, and not in a circle."""
        plan.present(self.member_id, "/data/member_id")
        supervisor = plan.present(self.supervisor_id, "/data/supervisor_id")
        if supervisor.role != "supervisor":
            raise TransitionError(f"{supervisor.name} is no supervisor.", "/data/supervisor_id")
        above: str | None = self.supervisor_id
        while above is not None:
            if above == self.member_id:
                raise TransitionError(
                    "Nobody supervises themselves, not in a circle either.", "/data/supervisor_id"
                )
            above = plan.members[above].supervisor_id

    def apply(self, plan: Any, entry: Entry) -> None:
        """They are supervised."""
        plan.members.edit(self.member_id, entry).supervisor_id = self.supervisor_id

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        return f"{plan.named(self.supervisor_id)} supervises {plan.named(self.member_id)}."


@recorded("clinic.supervision-ended")
class SupervisionEnded(EntryData):
    """A clinician works without a supervisor from now on."""

    WHY = True

    member_id: MemberRef

    def decide(self, plan: Any, entry: Entry) -> None:
        """They are supervised."""
        if plan.present(self.member_id, "/data/member_id").supervisor_id is None:
            raise TransitionError("Nobody supervises them.", "/data/member_id")

    def apply(self, plan: Any, entry: Entry) -> None:
        """They are no longer supervised."""
        plan.members.edit(self.member_id, entry).supervisor_id = None

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        return f"{plan.named(self.member_id)} is no longer supervised."


@recorded("clinic.caseload-assigned")
class CaseloadAssigned(EntryData):
    """A plan belongs to a clinician's caseload from now on."""

    member_id: MemberRef
    plan_id: PlanId

    def decide(self, plan: Any, entry: Entry) -> None:
        """Once, to somebody who treats people."""
        member = plan.present(self.member_id, "/data/member_id")
        if member.role not in ("clinician", "supervisor"):
            raise TransitionError(
                f"{member.name} treats nobody as {member.role}.", "/data/member_id"
            )
        if self.plan_id in member.caseload:
            raise TransitionError("That plan is in their caseload already.", "/data/plan_id")

    def apply(self, plan: Any, entry: Entry) -> None:
        """The plan is in their caseload."""
        held = plan.members.edit(self.member_id, entry)
        held.caseload = (*held.caseload, self.plan_id)

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        return f"A plan joined the caseload of {plan.named(self.member_id)}."


@recorded("clinic.caseload-ended")
class CaseloadEnded(EntryData):
    """A plan no longer belongs to a clinician's caseload."""

    member_id: MemberRef
    plan_id: PlanId

    def decide(self, plan: Any, entry: Entry) -> None:
        """It is there."""
        if self.plan_id not in plan.present(self.member_id, "/data/member_id").caseload:
            raise TransitionError("That plan is not in their caseload.", "/data/plan_id")

    def apply(self, plan: Any, entry: Entry) -> None:
        """The plan is in it no more."""
        held = plan.members.edit(self.member_id, entry)
        held.caseload = tuple(plan_id for plan_id in held.caseload if plan_id != self.plan_id)

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        return f"A plan left the caseload of {plan.named(self.member_id)}."


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


@recorded("clinic.legal-hold-placed")
class LegalHoldPlaced(EntryData):
    """Nothing about a client may be erased until the hold is lifted."""

    WHY = True

    client_ref: Opaque

    def decide(self, plan: Any, entry: Entry) -> None:
        """Once."""
        if self.client_ref in plan.legal_holds:
            raise TransitionError("There is a hold on that client already.", "/data/client_ref")

    def apply(self, plan: Any, entry: Entry) -> None:
        """The hold is in force."""
        why: Text | None = entry.reason.text if entry.reason else None
        held = Hold(client_ref=self.client_ref, since=entry.occurred_at, why=why)
        plan.legal_holds.add(self.client_ref, held, entry)

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        return "A legal hold was placed on a client's records."


@recorded("clinic.legal-hold-lifted")
class LegalHoldLifted(EntryData):
    """A legal hold is over."""

    WHY = True

    client_ref: Opaque

    def decide(self, plan: Any, entry: Entry) -> None:
        """There is one."""
        if self.client_ref not in plan.legal_holds:
            raise TransitionError("There is no hold on that client.", "/data/client_ref")

    def apply(self, plan: Any, entry: Entry) -> None:
        """The hold is gone."""
        plan.legal_holds.remove(self.client_ref, entry)

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        return "A legal hold on a client's records was lifted."


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
