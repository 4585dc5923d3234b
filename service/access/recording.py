"""Who records what: the part of the table that goes by the type of entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from domain.entry import EntryData
from domain.errors import ApprovalRequiredError, EntryNotFoundError, RecordedElsewhereError
from domain.opening import PlanOpened
from domain.people import CaseloadAssigned, CaseloadEnded, MemberJoined, SupervisionAssigned
from domain.proposals import MAKING
from service.access import table
from service.access.gate import Facts, Gate, Sight, supervises, treats
from service.access.principal import Principal
from service.access.roster import Roster
from service.errors import NotAllowedError
from service.reading import reading_plan
from service.record.plans import Plans


class Drafted(Protocol):
    """An entry somebody wants to record."""

    @property
    def data(self) -> EntryData:
        """What it says."""


def refuse_foreign_opening(roster: Roster, principal: Principal, opening: PlanOpened) -> None:
    """Refuse a plan that whoever opens it would not see afterwards."""
    grant = principal.grant("plans.open") or {}
    if table.CLINIC in grant:
        return
    supervisor = UUID(opening.supervisor_id) if opening.supervisor_id else None
    facts = Facts(UUID(opening.therapist_id), supervisor, opening.client_ref)
    nowhere = UUID(int=0)  # a new plan is in nobody's caseload yet
    mine = table.CASELOAD in grant and treats(principal, facts, nowhere, roster)
    teams = table.TEAM in grant and supervises(principal, facts, nowhere, roster)
    if not (mine or teams):
        raise NotAllowedError(
            "Open plans for your own clients: name yourself as the therapist"
            + (", or somebody you supervise." if table.TEAM in grant else "."),
            "/therapist_id",
        )


def refuse_elsewhere(drafts: Sequence[Drafted]) -> None:
    """Some entries come about by something else alone, such as asking for emergency access."""
    for index, draft in enumerate(drafts):
        if draft.data.ONLY_BY:
            name = type(draft.data).__name__
            raise RecordedElsewhereError(
                f"{name} is not recorded among other entries: {draft.data.ONLY_BY} does it.",
                f"/entries/{index}/type",
            )


def refuse_foreign_types(
    plans: Plans, principal: Principal, sight: Sight, plan_id: UUID, drafts: Sequence[Drafted]
) -> None:
    """Refuse entries that the principal, as they stand to the plan, does not record."""
    if sight.relation == table.CONSENTED:
        allowed: frozenset[str] | None = principal.scopes
    else:
        allowed = table.RECORDS.get((principal.role, sight.relation))
    if allowed is None:
        return
    for index, draft in enumerate(drafts):
        name = type(draft.data).__name__
        if name in allowed or _amends_own(plans, principal, plan_id, draft.data):
            continue
        said = ", ".join(sorted(allowed)) or "nothing"
        raise NotAllowedError(
            f"As you stand to this plan you record {said}, and amend what you recorded yourself; "
            f"not {name}.",
            f"/entries/{index}/type",
        )


def recorders(name: str) -> frozenset[str]:
    """The roles that record such an entry in a plan, as they stand to one or another.

    An integration does with a token that was granted the type; what amends, whoever recorded something.
    """
    roles = table.ACCESS["plans.record"]
    return frozenset(
        role
        for role, grant in roles.items()
        if name in table.AMENDING or any(_records(role, relation, name) for relation in grant)
    )


def _records(role: str, relation: str, name: str) -> bool:
    allowed = table.RECORDS.get((role, relation))
    return allowed is None or name in allowed


def _amends_own(plans: Plans, principal: Principal, plan_id: UUID, data: EntryData) -> bool:
    if type(data).__name__ not in table.AMENDING:
        return False
    with reading_plan(plans, principal.clinic_id, plan_id) as plan:
        try:
            held = plan.entry(data.entry_id)  # type: ignore[attr-defined] # all three have it
        except EntryNotFoundError:
            return True  # the plan itself says that there is none
    return held.recorded_by.member_id == str(principal.member_id)


def refuse_foreign_clinic_types(principal: Principal, drafts: Sequence[Drafted]) -> None:
    """Refuse entries of the clinic that the principal's role does not record, or only proposes."""
    records = table.CLINIC_RECORDS.get(principal.role, frozenset())
    proposes = table.PROPOSES.get(principal.role, frozenset()) - records
    for index, draft in enumerate(drafts):
        name = type(draft.data).__name__
        if name in proposes:
            raise ApprovalRequiredError(
                f"{name} is proposed, not recorded at once: {MAKING}.", f"/entries/{index}/type"
            )
    _refuse_others(principal, drafts, records, "records")


def refuse_foreign_proposal(gate: Gate, principal: Principal, drafts: Sequence[Drafted]) -> None:
    """Refuse to propose what the principal's role does not, or not for these people."""
    proposes = table.PROPOSES.get(principal.role, frozenset())
    _refuse_others(principal, drafts, proposes, "proposes")
    if principal.role in table.FOR_THEIR_TEAM:
        team = _Team(gate, principal)
        for index, draft in enumerate(drafts):
            if fault := team.fault(draft.data):
                field, detail = fault
                raise NotAllowedError(detail, f"/entries/{index}/data/{field}")


def _refuse_others(
    principal: Principal, drafts: Sequence[Drafted], allowed: frozenset[str], does: str
) -> None:
    for index, draft in enumerate(drafts):
        name = type(draft.data).__name__
        if name not in allowed:
            raise NotAllowedError(
                f"The role {principal.role.replace('_', ' ')} {does} "
                f"{', '.join(sorted(allowed)) or 'nothing'}; not {name}.",
                f"/entries/{index}/type",
            )


class _Team:
    """Whom and what a supervisor makes proposals for: their team, whoever joins it, and its plans."""

    def __init__(self, gate: Gate, principal: Principal) -> None:
        self._gate, self._principal = gate, principal
        self._roster = gate.rosters(principal.clinic_id)
        self._team = set(self._roster.team(principal.member_id))
        self._chiefs = {principal.member_id, *self._team}

    def fault(self, data: EntryData) -> tuple[str, str] | None:
        """The field by which an entry is none of their business, and why; None when it is.

        Whoever joins with an earlier entry of the same proposal is of the team for the later ones.
        """
        role = getattr(data, "role", None)
        if role is not None and role not in table.CLINICAL:
            return "role", f"You propose people as {', '.join(sorted(table.CLINICAL))}."
        member_id = UUID(data.member_id)  # type: ignore[attr-defined] # all of OF_PEOPLE have it
        if isinstance(data, MemberJoined):
            self._team.add(member_id)
        elif isinstance(data, SupervisionAssigned):
            return self._fault_of_supervision(member_id, UUID(data.supervisor_id))
        elif member_id not in self._team:
            return "member_id", "Propose changes for those you supervise; this is not one of them."
        if isinstance(data, CaseloadAssigned | CaseloadEnded) and not self._reaches(data.plan_id):
            return "plan_id", "There is no such plan within your reach; check its id."
        return None

    def _fault_of_supervision(self, member_id: UUID, chief: UUID) -> tuple[str, str] | None:
        held = self._roster.members.get(member_id)
        free = held is not None and held.supervisor_id is None
        if not free and member_id not in self._team:
            return "member_id", "Somebody else supervises them; that is for others to propose."
        if chief not in self._chiefs:
            return "supervisor_id", "Propose yourself, or a supervisor of your team."
        return None

    def _reaches(self, plan_id: str) -> bool:
        return self._gate.relation(self._principal, "plans.record", UUID(plan_id)) is not None
