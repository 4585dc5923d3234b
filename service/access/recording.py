"""Who records what: the part of the table that goes by the type of entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from domain.entry import EntryData
from domain.errors import EntryNotFoundError
from domain.opening import PlanOpened
from service.access import table
from service.access.gate import Facts, Sight, supervises, treats
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
    """Refuse entries of the clinic that the principal's role does not record."""
    allowed = table.CLINIC_RECORDS.get(principal.role)
    for index, draft in enumerate(drafts):
        name = type(draft.data).__name__
        if allowed is not None and name not in allowed:
            raise NotAllowedError(
                f"A {principal.role.replace('_', ' ')} records {', '.join(sorted(allowed))}; not {name}.",
                f"/entries/{index}/type",
            )
