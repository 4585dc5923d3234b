"""The gate: the one place where it is decided who sees a plan, by which relation, and how much of it.

Relations are read when they are needed; what is remembered of them is forgotten within a second.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.rows import TupleRow

from domain.consents import Permission
from domain.errors import PlanNotFoundError
from domain.plan import Plan
from domain.state import PlanState
from service.access import table
from service.access.looks import AccessLog, Look, Still
from service.access.principal import Principal
from service.access.roster import Roster, Rosters
from service.database import BoundedConnection, Database
from service.errors import NotAllowedError
from service.kept import Kept
from service.reading import reading_plan
from service.record.plans import Plans

REMEMBERED = 0.5
_FACTS = "SELECT therapist_id, supervisor_id, client_ref, fresh FROM plan_facts(%s, %s)"
_REACH = (
    "{plan} IN (SELECT r.plan_id FROM current_plans r WHERE r.clinic_id = %s AND "
    "(r.therapist_id = ANY(%s) OR r.supervisor_id = %s OR r.plan_id = ANY(%s) OR r.client_ref = %s))"
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What of a plan decides who may see it."""

    therapist_id: UUID
    supervisor_id: UUID | None
    client_ref: str | None


@dataclass(frozen=True, slots=True)
class Sight:
    """How somebody sees a plan: by which relation, and how much of it (``table.VIEWS``)."""

    action: str
    relation: str
    view: str

    @property
    def full(self) -> bool:
        """Whether they see all of it."""
        return self.view == table.FULL


@dataclass(slots=True)
class Gate:
    """Decides, and keeps every look and every refusal in the access log."""

    database: Database
    plans: Plans
    rosters: Rosters
    log: AccessLog
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    forgetting: list[Callable[[UUID, UUID], None]] = field(default_factory=list)
    """Who else keeps something of plans in mind, and lets go of one that was erased."""
    _facts: Kept[tuple[UUID, UUID], tuple[float, Facts]] = field(
        default_factory=lambda: Kept(10_000)
    )

    def __post_init__(self) -> None:
        """Whoever is erased is let go of as soon as the roster knows, whether or not anybody asks for them."""
        self.rosters.gone = self.let_go

    def require(self, principal: Principal, action: str, plan_id: UUID | None = None) -> None:
        """Refuse, and note the attempt, unless the principal's role has the action at all."""
        with self.noting_refusals(principal, action, plan_id):
            principal.require(action)

    @contextlib.contextmanager
    def noting_refusals(
        self, principal: Principal, action: str, plan_id: UUID | None = None
    ) -> Iterator[None]:
        """Keep a NotAllowedError raised in here as a refused attempt."""
        try:
            yield
        except NotAllowedError:
            self.log.note(principal, Look(action=action, plan_id=plan_id, allowed=False))
            raise

    def see(self, principal: Principal, action: str, plan_id: UUID) -> Sight:
        """How the principal sees the plan for an action.

        Raises NotAllowedError when their role never has it, and PlanNotFoundError when there is no
        such plan, or none within their reach: nobody learns which. Refusals are noted; a look is
        noted with ``looked`` once it is known what was seen.
        """
        self.require(principal, action, plan_id)
        relation = self.relation(principal, action, plan_id)
        if relation is None:
            self.log.note(principal, Look(action=action, plan_id=plan_id, allowed=False))
            raise PlanNotFoundError("There is no such plan here; check its id.")
        grant = principal.grant(action)
        assert grant is not None
        return Sight(action, relation, grant[relation])

    def looked(
        self,
        principal: Principal,
        sight: Sight,
        plan_id: UUID | None,
        *,
        version: int | None = None,
        asked: str | None = None,
    ) -> None:
        """Keep that the principal looked; returns when it is committed."""
        self.log.note(principal, _look(sight, plan_id, version, asked))

    def looked_while(
        self,
        principal: Principal,
        sight: Sight,
        plan_id: UUID | None,
        still: Still,
        *,
        version: int | None = None,
        asked: str | None = None,
    ) -> bool:
        """As ``looked``, at something kept ready: False, and no look is kept, if it no longer holds."""
        return self.log.note_while(principal, _look(sight, plan_id, version, asked), still)

    def looked_through(self, principal: Principal, action: str, *, asked: str) -> Sight:
        """Keep that the principal looked through a list; returns how they see it, once committed."""
        sight = self.sight_of_lists(principal, action)
        self.looked(principal, sight, None, asked=asked)
        return sight

    def sight_of_lists(self, principal: Principal, action: str) -> Sight:
        """How the principal, whose role has the action, sees what lists hold."""
        grant = principal.grant(action) or {}
        why = next(held for held in table.RELATIONS if held in grant)
        return Sight(action, why, grant[why])

    def relation(self, principal: Principal, action: str, plan_id: UUID) -> str | None:
        """The first relation of the principal to the plan that allows the action, or None."""
        grant = principal.grant(action) or {}
        roster = self.rosters(principal.clinic_id)
        if plan_id in roster.erased:
            self.let_go(principal.clinic_id, plan_id)
            return table.ERASED if table.ERASED in grant else None
        facts = self.facts(principal.clinic_id, plan_id)
        if facts is None:
            return None
        stands: Mapping[str, Callable[[], bool]] = {
            table.CASELOAD: lambda: treats(principal, facts, plan_id, roster),
            table.TEAM: lambda: supervises(principal, facts, plan_id, roster),
            table.SELF: lambda: is_client(principal, facts, roster),
            table.CONSENTED: lambda: self._consented(principal, plan_id),
            table.CLINIC: lambda: True,
            table.EMERGENCY: lambda: self._broke_the_glass(principal, plan_id),
        }
        return next((held for held in table.RELATIONS if held in grant and stands[held]()), None)

    def let_go(self, clinic_id: UUID, plan_id: UUID) -> None:
        """Keep nothing of a plan in mind that was erased, perhaps by another process."""
        for forget in (self.forget, self.plans.forget_erased, *self.forgetting):
            forget(clinic_id, plan_id)

    def facts(self, clinic_id: UUID, plan_id: UUID) -> Facts | None:
        """What decides about a plan, no older than a second; None when there is no such plan."""
        now = time.monotonic()
        known = self._facts.get((clinic_id, plan_id))
        if known and now - known[0] < REMEMBERED:
            return known[1]
        found = self._look_up(clinic_id, plan_id)
        if found is not None:
            self._facts.put((clinic_id, plan_id), (now, found))
        return found

    def stands(self, clinic_id: UUID, plan: Plan, since: float) -> None:
        """Somebody recorded in the plan, so what decides about it is known as it was then: nobody need ask."""
        self._facts.put((clinic_id, plan.id), (since, facts_of(plan)))

    def forget(self, clinic_id: UUID, plan_id: UUID) -> None:
        """Ask anew who may see a plan: something was recorded in this process."""
        self._facts.drop((clinic_id, plan_id))
        if plan_id == clinic_id:
            self.rosters.forget(clinic_id)

    def _look_up(self, clinic_id: UUID, plan_id: UUID) -> Facts | None:
        def read(conn: BoundedConnection) -> TupleRow | None:
            return conn.execute(_FACTS, [clinic_id, plan_id], binary=True).fetchone()

        row = None if plan_id == clinic_id else self.database.run(read)
        if row is None:
            return None
        if row[3]:
            return Facts(*row[:3])
        with reading_plan(self.plans, clinic_id, plan_id) as plan:
            return facts_of(plan)

    def _consented(self, principal: Principal, plan_id: UUID) -> bool:
        with reading_plan(self.plans, principal.clinic_id, plan_id) as plan:
            return consents_to(plan.state, principal, self.clock())

    def _broke_the_glass(self, principal: Principal, plan_id: UUID) -> bool:
        with reading_plan(self.plans, principal.clinic_id, plan_id) as plan:
            return plan.state.emergency.active(str(principal.member_id), self.clock())

    def reach(
        self, principal: Principal, action: str, plan: str
    ) -> tuple[sql.Composable, list[Any]]:
        """A condition on the SQL column ``plan``: that it is a plan within the principal's reach.

        For lists; consents and broken glass open single plans, not lists.
        """
        self.require(principal, action)
        grant = principal.grant(action) or {}
        if table.CLINIC in grant:
            return sql.SQL("TRUE"), []
        roster, me = self.rosters(principal.clinic_id), principal.member_id
        treating = {me} if table.CASELOAD in grant else set[UUID]()
        treating |= roster.team(me) if table.TEAM in grant else frozenset()
        supervisor = me if table.TEAM in grant else None
        client = roster.client_ref(me) if table.SELF in grant else None
        parameters: Sequence[Any] = (
            principal.clinic_id,
            list(treating),
            supervisor,
            list(roster.caseloads(treating)),
            client,
        )
        return sql.SQL(_REACH).format(plan=sql.SQL(plan)), list(parameters)


def _look(sight: Sight, plan_id: UUID | None, version: int | None, asked: str | None) -> Look:
    return Look(
        action=sight.action,
        plan_id=plan_id,
        version=version,
        asked=asked,
        why=sight.relation,
        view=sight.view,
    )


def facts_of(plan: Plan) -> Facts:
    """What decides about a plan as it stands."""
    held = plan.state.opening.outline
    supervisor = UUID(held.supervisor_id) if held.supervisor_id else None
    return Facts(UUID(held.therapist_id), supervisor, held.client_ref)


def treats(principal: Principal, facts: Facts, plan_id: UUID, roster: Roster) -> bool:
    """Whether the plan is of their own caseload."""
    me = principal.member_id
    return facts.therapist_id == me or plan_id in roster.caseload(me)


def supervises(principal: Principal, facts: Facts, plan_id: UUID, roster: Roster) -> bool:
    """Whether they answer for the plan, or for somebody who treats the client."""
    team = roster.team(principal.member_id)
    return (
        facts.supervisor_id == principal.member_id
        or facts.therapist_id in team
        or plan_id in roster.caseloads(team)
    )


def is_client(principal: Principal, facts: Facts, roster: Roster) -> bool:
    """Whether it is their own plan."""
    mine = roster.client_ref(principal.member_id)
    return mine is not None and mine == facts.client_ref


def consents_to(plan: PlanState, principal: Principal, now: datetime) -> bool:
    """Whether a consent that is good now names the principal, by name or id, as who may see."""
    names = {principal.name.casefold(), str(principal.member_id)}
    return any(_good(held, names, now) for held in plan.consents.consents)


def _good(held: Permission, names: set[str], now: datetime) -> bool:
    expired = held.expires_on is not None and held.expires_on < now.astimezone(UTC).date()
    named = held.recipient is not None and held.recipient.casefold() in names
    return named and held.status == "given" and held.since <= now and not expired
