"""People of the clinic: members, their roles, who supervises whom, and whose caseload holds which plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from domain.approval import ANOTHER_PERSON
from domain.entry import Entry, EntryData, recorded
from domain.errors import InvalidDataError, Problem, TransitionError
from domain.fields import Line, New, Opaque, PlanId, Ref
from domain.parts import Part, short

Role = Literal[
    "clinician", "supervisor", "client", "auditor", "integration", "admin", "privacy_officer"
]
ROLES: tuple[str, ...] = get_args(Role)
NewMember = Annotated[str, New("member")]
MemberRef = Annotated[str, Ref("member")]
ClientRef = Annotated[Opaque | None, "For the role client: which client of the clinic they are."]


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

    APPROVAL = ANOTHER_PERSON

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
    APPROVAL = ANOTHER_PERSON

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
        if self.role and (self.role == "client") != (held.role == "client"):
            raise TransitionError(
                "Nobody becomes a client, or stops being one, by a change of role: let them join anew.",
                "/data/role",
            )
        _refuse_wrong_client(held.role, self.client_ref, self.client_ref or held.client_ref)
        if self.role and self.role not in ANOTHER_PERSON.by:
            plan.refuse_last_approver(self.member_id)

    def apply(self, plan: Any, entry: Entry) -> None:
        """The given fields replace theirs."""
        held = plan.members.edit(self.member_id, entry)
        held.role = self.role or held.role
        held.credential = self.credential or held.credential
        held.name = self.name or held.name
        held.client_ref = (self.client_ref or held.client_ref) if held.role == "client" else None

    def tell(self, plan: Any) -> str:
        """One sentence for people: what changes."""
        said = {
            f"is {(self.role or '').replace('_', ' ')} now": self.role,
            f"has another credential now, {short(self.credential or '')}": self.credential,
            f"goes by the name of {short(self.name or '')} now": self.name,
            "is another client now": self.client_ref and not self.role,
        }
        told = " and ".join(words for words, changed in said.items() if changed)
        return f"{plan.named(self.member_id)} {told or 'has changed'}."


@recorded("clinic.member-left")
class MemberLeft(EntryData):
    """A member no longer belongs to the clinic; what they recorded stays theirs."""

    WHY = True
    APPROVAL = ANOTHER_PERSON

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
        plan.refuse_last_approver(self.member_id)

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

    APPROVAL = ANOTHER_PERSON

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
    APPROVAL = ANOTHER_PERSON

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

    APPROVAL = ANOTHER_PERSON

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

    APPROVAL = ANOTHER_PERSON

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
