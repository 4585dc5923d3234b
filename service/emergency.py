"""Emergency access: looking into a plan without being part of it – told at once, looked at afterwards."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.rows import TupleRow

from domain.emergency import EmergencyAccessReviewed, EmergencyAccessTaken
from domain.errors import EntryNotFoundError, PlanNotFoundError, TransitionError
from domain.plan import Plan
from service.access import Gate, Principal
from service.access.table import EMERGENCY
from service.database import BoundedConnection
from service.reading import reading_plan
from service.recording import Draft, Recorded, Recording, Request

log = logging.getLogger("plan_history.security")
MOST = 200
_IN_ALREADY = "You are in already; ask again when it has ended."
_THEIRS_ALREADY = "You see this plan already; no emergency is needed."
_NONE = "There is no such emergency access; check its id."
_OF_CLIENT = """
SELECT plan_id FROM (
    SELECT plan_id, true AS open, NULL::timestamptz AS opened_at FROM open_plans
    WHERE clinic_id = %(clinic)s AND client_ref = %(value)s
    UNION ALL SELECT plan_id, false, opened_at FROM current_plans
    WHERE clinic_id = %(clinic)s AND client_ref = %(value)s
) AS known ORDER BY open DESC, opened_at DESC LIMIT 1
"""
_OF_ENTRY = "SELECT plan_id FROM entries WHERE clinic_id = %(clinic)s AND entry_id = %(value)s"
_TAKEN = """
SELECT plan_id FROM timeline WHERE clinic_id = %s AND type = 'EmergencyAccessTaken'
GROUP BY plan_id ORDER BY max(position) DESC LIMIT %s
"""
_WAITING = "SELECT count(*) FROM worklist WHERE clinic_id = %s AND kind = 'emergency_review'"


@dataclass(frozen=True, slots=True)
class EmergencyService:
    """Takes, lists and reviews emergency access."""

    recording: Recording
    gate: Gate

    def take(
        self,
        principal: Principal,
        plan_id: UUID | str,
        data: EmergencyAccessTaken,
        request: Request,
    ) -> Recorded:
        """Let the principal look into one plan for up to an hour; it is on the plan's timeline at once.

        ``plan_id``: the plan, or the client_ref whose newest open plan is meant. Raises
        PlanNotFoundError, and TransitionError for a plan they see anyway.
        """
        self.gate.require(principal, "emergency.take")
        if isinstance(plan_id, str):
            plan_id = self._one(principal, _OF_CLIENT, plan_id)
        sight = self.gate.see(principal, "emergency.take", plan_id)
        try:
            self._refuse_who_is_in(principal, plan_id)
        except TransitionError:
            return self.recording.replayed_or_raise(principal, request)
        done = self.recording.record_in(principal, plan_id, [Draft(data=data)], request)
        self.gate.looked(principal, sight, plan_id, version=done.version, asked="emergency access")
        log.warning(
            "emergency access: clinic %s plan %s member %s entry %s, review it",
            principal.clinic_id,
            plan_id,
            principal.member_id,
            done.entries[-1].entry_id,
        )
        return done

    def _refuse_who_is_in(self, principal: Principal, plan_id: UUID) -> None:
        relation = self.gate.relation(principal, "plans.read", plan_id)
        if relation is not None:
            said = _IN_ALREADY if relation == EMERGENCY else _THEIRS_ALREADY
            raise TransitionError(said, "/type", plan_id=plan_id)

    def review(
        self,
        principal: Principal,
        entry_id: UUID,
        finding: Any,
        note: str | None,
        request: Request,
    ) -> Recorded:
        """Keep what was made of an emergency access; raises EntryNotFoundError for none of that id."""
        self.gate.require(principal, "emergency.review")
        plan_id = self._plan_of(principal, entry_id)
        data = EmergencyAccessReviewed(access_entry_id=str(entry_id), finding=finding, note=note)
        return self.recording.record_in(principal, plan_id, [Draft(data=data)], request)

    def taken(self, principal: Principal, *, status: str | None = None) -> list[dict[str, Any]]:
        """Every emergency access of the clinic (of the newest 200 plans), newest first."""
        self.gate.require(principal, "emergency.review")

        def read(conn: BoundedConnection) -> list[TupleRow]:
            return conn.execute(_TAKEN, [principal.clinic_id, MOST]).fetchall()

        found: list[dict[str, Any]] = []
        for (plan_id,) in self.gate.database.in_clinic(principal.clinic_id, read):
            with reading_plan(self.recording.plans, principal.clinic_id, plan_id) as plan:
                found += taken_in(plan)
        self.gate.looked_through(principal, "emergency.review", asked="emergency access")
        shown = [held for held in found if status in (None, held["status"])]
        return sorted(shown, key=lambda held: held["at"], reverse=True)

    def waiting(self, principal: Principal) -> int:
        """How many emergency accesses of the clinic nobody has looked at yet; no more is told."""
        self.gate.require(principal, "emergency.review")

        def read(conn: BoundedConnection) -> TupleRow | None:
            return conn.execute(_WAITING, [principal.clinic_id]).fetchone()

        row = self.gate.database.in_clinic(principal.clinic_id, read)
        return int(row[0]) if row else 0

    def access(self, principal: Principal, entry_id: UUID) -> dict[str, Any]:
        """One emergency access, to look at; raises EntryNotFoundError for none of that id."""
        self.gate.require(principal, "emergency.review")
        plan_id = self._plan_of(principal, entry_id)
        with reading_plan(self.recording.plans, principal.clinic_id, plan_id) as plan:
            found = {held["entry_id"]: held for held in taken_in(plan)}
        self.gate.looked_through(principal, "emergency.review", asked="emergency access")
        if str(entry_id) not in found:
            raise EntryNotFoundError(_NONE)
        return found[str(entry_id)]

    def _plan_of(self, principal: Principal, entry_id: UUID) -> UUID:
        try:
            plan_id = self._one(principal, _OF_ENTRY, entry_id)
            self.gate.see(principal, "emergency.review", plan_id)
        except PlanNotFoundError:
            raise EntryNotFoundError(_NONE) from None
        return plan_id

    def _one(self, principal: Principal, query: str, value: object) -> UUID:
        def read(conn: BoundedConnection) -> TupleRow | None:
            return conn.execute(
                query.encode(), {"clinic": principal.clinic_id, "value": value}
            ).fetchone()

        row = self.gate.database.in_clinic(principal.clinic_id, read)
        if row is None:
            raise PlanNotFoundError("There is no plan of that client here; check the reference.")
        plan_id: UUID = row[0]
        return plan_id


def taken_in(plan: Plan) -> list[dict[str, Any]]:
    """The emergency accesses to a plan that stand, each with its review."""
    reviews = {
        entry.data.access_entry_id: (entry.recorded_by.name, entry.data.note)
        for entry in plan.settled.order
        if isinstance(entry.data, EmergencyAccessReviewed)
    }
    found = []
    for held in plan.state.emergency.emergency_access:
        reviewed_by, note = reviews.get(held.entry_id, (None, None))
        shown = {"plan_id": str(plan.id), "client_ref": plan.state.opening.outline.client_ref}
        found.append({**shown, **held.document(), "reviewed_by": reviewed_by, "note": note})
    return found
