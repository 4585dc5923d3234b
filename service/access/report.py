"""Reading the access log and the accounting of disclosures, each as far as the reader may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import sql

from domain.consents import DisclosureMade
from domain.fields import plain_moment
from service.access import table
from service.access.gate import Gate
from service.access.looks import Asked
from service.access.principal import Principal
from service.reading import reading_plan


@dataclass(frozen=True, slots=True)
class AccessReport:
    """Who looked at what, and what was told to whom."""

    gate: Gate

    def looks(self, principal: Principal, wanted: Asked) -> tuple[list[dict[str, Any]], int | None]:
        """A page of the access log, newest first: one's own looks, one's team's, or the clinic's.

        Clients see the looks at their own plans, without what was refused.
        """
        within, values = self._within(principal)
        return self.gate.log.read(principal.clinic_id, wanted, within, values)

    def _within(self, principal: Principal) -> tuple[sql.Composable, Sequence[Any]]:
        within, values = self.gate.reach(principal, "access-log.read", "plan_id")
        grant = principal.grant("access-log.read") or {}
        if table.CLINIC in grant or table.SELF in grant:
            own = sql.SQL("") if table.CLINIC in grant else sql.SQL(" AND allowed")
            return sql.SQL("{}{}").format(within, own), values
        roster = self.gate.rosters(principal.clinic_id)
        team = roster.team(principal.member_id) if table.TEAM in grant else frozenset()
        return sql.SQL("member_id = ANY(%s)"), [[principal.member_id, *team]]

    def disclosures(self, principal: Principal, plan_id: UUID) -> list[dict[str, Any]]:
        """What of a plan was told to whom, oldest first; each as the newest correction has it.

        Raises PlanNotFoundError.
        """
        sight = self.gate.see(principal, "plans.disclosures", plan_id)
        with reading_plan(self.gate.plans, principal.clinic_id, plan_id) as plan:
            shown = [
                {
                    "entry_id": entry.entry_id,
                    "version": entry.version,
                    "disclosed_at": plain_moment(entry.occurred_at),
                    "recorded_at": plain_moment(entry.recorded_at),
                    "recorded_by": entry.recorded_by.name,
                    "recipient": entry.data.recipient,
                    "address": entry.data.address,
                    "what": entry.data.what,
                    "purpose": entry.data.purpose,
                    "legal_basis": entry.data.legal_basis,
                }
                for entry in plan.settled.order
                if isinstance(entry.data, DisclosureMade)
            ]
            version = plan.version
        self.gate.looked(principal, sight, plan_id, version=version, asked="disclosures")
        return shown
