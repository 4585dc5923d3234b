"""Use cases of a plan: open it, record entries, read it at any moment, compare two moments."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import orjson
from psycopg.rows import TupleRow

from domain.alliance import SupervisorAssigned, TherapistTransferred
from domain.entry import Entry
from domain.errors import MomentNotFoundError, PlanAlreadyOpenError, PlanHistoryError
from domain.fold import AMENDING, Settled
from domain.history import History
from domain.opening import PlanOpened
from domain.plan import Plan
from domain.release import released_document, released_order
from domain.trace import Change, diff, trace
from projections.current_plans import CurrentPlans
from service import succession
from service.access import Gate, Principal, Sight
from service.access.recording import (
    refuse_elsewhere,
    refuse_foreign_opening,
    refuse_foreign_types,
)
from service.database import BoundedConnection
from service.kept import Kept
from service.reading import reading_plan
from service.recording import Draft, Moment, Recorded, Recording, Request, created

__all__ = ["Draft", "Moment", "PlanService", "Recorded", "Request", "created"]

_MOVING = (TherapistTransferred, SupervisorAssigned, *AMENDING)
"""Entries after which others may see the plan."""
PAST = 512
"""How many documents of past moments a process keeps."""


@dataclass(slots=True)
class PlanService:
    """The use cases of plans."""

    recording: Recording
    gate: Gate
    past: Kept[tuple[Any, ...], tuple[int, bytes]] = field(default_factory=lambda: Kept(PAST))

    def __post_init__(self) -> None:
        self.gate.forgetting.append(self._forget)

    def _forget(self, clinic_id: UUID, plan_id: UUID) -> None:
        """Keep no document of a plan that was erased."""
        self.past.drop_where(lambda key: key[:2] == (clinic_id, plan_id))

    def open_plan(
        self, principal: Principal, opening: Draft, drafts: Sequence[Draft], request: Request
    ) -> Recorded:
        """Open a plan, with its first entries if there are any; all or none.

        Raises PlanAlreadyOpenError when the client has an open plan, unless alongside, and
        NotAllowedError for a plan that would be nobody's business of theirs.
        """
        self._refuse_opening(principal, opening, drafts)
        plan = Plan.new(uuid4())
        try:
            with self._naming_no_plan_out_of_reach(principal):
                return self.recording.write(
                    principal, plan, [opening, *drafts], request, opening=True
                )
        except PlanHistoryError:
            return self.recording.replayed_or_raise(principal, request)

    @contextlib.contextmanager
    def _naming_no_plan_out_of_reach(self, principal: Principal) -> Iterator[None]:
        """That a client has an open plan is said to whoever opens another; which one, to who may read it."""
        try:
            yield
        except PlanAlreadyOpenError as refused:
            plan_id = UUID(refused.facts["plan_id"])
            if self.gate.relation(principal, "plans.read", plan_id) is not None:
                raise
            raise PlanAlreadyOpenError(
                "This client has an open plan with somebody else here; ask them, or say alongside: true.",
                refused.pointer,
            ) from None

    def try_opening(
        self, principal: Principal, opening: Draft, drafts: Sequence[Draft], request: Request
    ) -> Recorded | None:
        """Raise whatever ``open_plan`` would refuse this with, and record nothing.

        The first answer, when this very request was recorded before.
        """
        self._refuse_opening(principal, opening, drafts)
        before = self.recording.recorded_before(principal, request)
        if before is None:
            with self._naming_no_plan_out_of_reach(principal):
                self.recording.try_opening(principal, [opening, *drafts], request)
        return before

    def _refuse_opening(
        self, principal: Principal, opening: Draft, drafts: Sequence[Draft]
    ) -> None:
        self.gate.require(principal, "plans.open")
        if isinstance(opening.data, PlanOpened):
            roster = self.gate.rosters(principal.clinic_id)
            with self.gate.noting_refusals(principal, "plans.open"):
                refuse_foreign_opening(roster, principal, opening.data)
            succession.refuse_strange_opening(self.gate, principal, opening.data)
        refuse_elsewhere(drafts)

    def record(
        self, principal: Principal, plan_id: UUID, drafts: Sequence[Draft], request: Request
    ) -> Recorded:
        """Record entries in a plan, in order, all or none; see Recording.record_in."""
        sight = self.gate.see(principal, "plans.record", plan_id)
        with self.gate.noting_refusals(principal, "plans.record", plan_id):
            refuse_foreign_types(self.recording.plans, principal, sight, plan_id, drafts)
        refuse_elsewhere(drafts)
        succession.refuse_strange_corrections(self.gate, principal, plan_id, drafts)
        succession.refuse_strange_successors(self.gate, principal, plan_id, drafts)
        with self._naming_no_plan_out_of_reach(principal):
            done = self.recording.record_in(principal, plan_id, drafts, request)
        if any(isinstance(draft.data, _MOVING) for draft in drafts):
            self.gate.forget(principal.clinic_id, plan_id)
        mend = list(succession.warnings(self.gate, principal, done.entries))
        return replace(done, warnings=[*done.warnings, *mend]) if mend else done

    def _plan(
        self, principal: Principal, plan_id: UUID, *moments: Moment
    ) -> contextlib.AbstractContextManager[Plan]:
        """The plan as it is recorded now, or, as far as these moments go, as it is kept."""

        def enough(plan: History) -> bool:
            return all(moment.is_past_in(plan) for moment in moments)

        plans, clinic_id = self.recording.plans, principal.clinic_id
        return reading_plan(plans, clinic_id, plan_id, enough if moments else None)

    def current(self, principal: Principal, plan_id: UUID) -> tuple[int, bytes]:
        """The plan as it stands: its version and its document as JSON bytes.

        A fresh row of the read model is served as it is; when it is behind, the missing entries are
        folded live, so a reader always sees their own writes.
        """
        sight = self.gate.see(principal, "plans.read", plan_id)
        version, document = self._current(principal, sight, plan_id)
        self.gate.looked(principal, sight, plan_id, version=version)
        return version, document

    def _current(self, principal: Principal, sight: Sight, plan_id: UUID) -> tuple[int, bytes]:
        def read(conn: BoundedConnection) -> TupleRow | None:
            parameters = [principal.clinic_id, plan_id]
            return conn.execute(
                "SELECT document, version, head FROM read_plan(%s, %s)", parameters, binary=True
            ).fetchone()

        row = self.recording.database.run(read) if sight.full else None
        if row is not None and row[1] == row[2]:
            seals = self.recording.plans.seals(principal.clinic_id)
            document = seals.read(CurrentPlans.name, plan_id, "document", row[0])
            if document is not None:
                return row[2], document
        with self._plan(principal, plan_id) as plan:
            return plan.version, orjson.dumps(self._document(principal, sight, plan, Moment()))

    def _document(
        self, principal: Principal, sight: Sight, plan: Plan, moment: Moment
    ) -> dict[str, Any]:
        """The plan at a moment, as much of it as is seen."""
        policy = self.recording.policy(principal.clinic_id)
        show = plan.document if sight.full else partial(released_document, plan)
        return show(moment.known(plan), moment.effective_at, policy)

    def at(
        self, principal: Principal, plan_id: UUID, moment: Moment, *, traced: bool = False
    ) -> tuple[int, bytes]:
        """The plan at a moment: its head version then, its document as JSON (``entries`` when traced).

        What was known at a version never changes, so such documents are kept for a while.
        """
        sight = self.gate.see(principal, "plans.read", plan_id)
        known, document = self._at(principal, sight, plan_id, moment, traced=traced)
        self.gate.looked(principal, sight, plan_id, version=known, asked=moment.words())
        return known, document

    def _at(
        self, principal: Principal, sight: Sight, plan_id: UUID, moment: Moment, *, traced: bool
    ) -> tuple[int, bytes]:
        policy = self.recording.policy(principal.clinic_id)
        key = (principal.clinic_id, plan_id, moment, traced, policy, sight.view)
        if moment.version is not None and (kept := self.past.get(key)):
            return kept
        with self._plan(principal, plan_id, moment) as plan:
            known = moment.known(plan)
            document = self._document(principal, sight, plan, moment)
            if traced:
                order = _order(sight, plan, plan.settled_at(known), moment.effective_at)
                document["entries"] = trace(order, document)
        shown = known, orjson.dumps(document)
        if moment.version is not None:
            self.past.put(key, shown)
        return shown

    def diff(
        self, principal: Principal, plan_id: UUID, before: Moment, after: Moment
    ) -> tuple[int, int, list[Change]]:
        """The two head versions and what changed between two moments, each change with its entries."""
        sight = self.gate.see(principal, "plans.read", plan_id)
        with self._plan(principal, plan_id, before, after) as plan:
            one, other = before.known(plan), after.known(plan)
            old, new = plan.settled_at(one), plan.settled_at(other)
            old_order = _order(sight, plan, old, before.effective_at)
            new_order = _order(sight, plan, new, after.effective_at)
            changes = diff(old, old_order, new, new_order)
        asked = f"diff {before.words()} – {after.words()}"
        self.gate.looked(principal, sight, plan_id, version=other, asked=asked)
        return one, other, changes


def _order(
    sight: Sight, plan: Plan, settled: Settled, effective_at: datetime | None
) -> Sequence[Entry]:
    """What counts by a moment, of what is seen; raises MomentNotFoundError for nothing."""
    if not sight.full:
        return released_order(plan, settled, effective_at)
    order = settled.until(effective_at)
    if not order:
        raise MomentNotFoundError("The plan did not exist at one of those moments.")
    return order
