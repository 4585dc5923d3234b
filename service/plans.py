"""Use cases of a plan: open it, record entries, read it at any moment, compare two moments."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
from domain.policy import Policy
from domain.release import released_document, released_order
from domain.trace import diff, trace
from projections.current_plans import CurrentPlans
from service import succession
from service.access import Gate, Principal, Sight, Still
from service.access.recording import (
    refuse_elsewhere,
    refuse_foreign_opening,
    refuse_foreign_types,
)
from service.database import BoundedConnection
from service.reading import reading_plan
from service.recording import Draft, Moment, Recorded, Recording, Request, created
from service.shown import Ready, Shown, What

__all__ = ["Draft", "Moment", "PlanService", "Recorded", "Request", "created"]

_MOVING = (TherapistTransferred, SupervisorAssigned, *AMENDING)
"""Entries after which others may see the plan."""
_NOW = ("now",)


@dataclass(slots=True)
class PlanService:
    """The use cases of plans."""

    recording: Recording
    gate: Gate
    shown: Shown

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

        A fresh row of the read model is served as it is, once it was opened for as long as it is that
        row; when it is behind, the missing entries are folded live, so a reader always sees their own
        writes.
        """
        sight = self.gate.see(principal, "plans.read", plan_id)
        if ready := self.shown.look(principal, plan_id, sight, _NOW, version=True):
            kept: tuple[int, bytes] = ready.answer
            return kept
        version, document = self._current(principal, sight, plan_id)
        self.gate.looked(principal, sight, plan_id, version=version)
        return version, document

    def _current(self, principal: Principal, sight: Sight, plan_id: UUID) -> tuple[int, bytes]:
        def read(conn: BoundedConnection) -> TupleRow | None:
            parameters = [principal.clinic_id, plan_id]
            return conn.execute(
                "SELECT document, version, head, made FROM read_plan(%s, %s)",
                parameters,
                binary=True,
            ).fetchone()

        row = self.recording.database.run(read) if sight.full else None
        if row is not None and row[1] == row[2]:
            seals = self.recording.plans.seals(principal.clinic_id)
            document = seals.read(CurrentPlans.name, plan_id, "document", row[0])
            if document is not None:
                still = Still(version=row[2], made=row[3])
                ready = Ready((row[2], document), len(document), row[2], still)
                self.shown.put(principal.clinic_id, plan_id, sight, _NOW, ready)
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

        What was known at a version never changes, so such documents are kept for a while, whichever way
        the moment was given.
        """
        sight = self.gate.see(principal, "plans.read", plan_id)
        known, document = self._at(principal, sight, plan_id, moment, traced=traced)
        self.gate.looked(principal, sight, plan_id, version=known, asked=moment.words())
        return known, document

    def _at(
        self, principal: Principal, sight: Sight, plan_id: UUID, moment: Moment, *, traced: bool
    ) -> tuple[int, bytes]:
        clinic_id = principal.clinic_id
        policy = self.recording.policy(clinic_id)

        def kept(known: int) -> Ready | None:
            return self.shown.get(clinic_id, plan_id, sight, _at(known, moment, traced, policy))

        if moment.as_of is None and moment.version is not None and (ready := kept(moment.version)):
            return moment.version, ready.answer
        with self._plan(principal, plan_id, moment) as plan:
            known = moment.known(plan)
            if ready := kept(known):
                return known, ready.answer
            document = self._document(principal, sight, plan, moment)
            if traced:
                order = _order(sight, plan, plan.settled_at(known), moment.effective_at)
                document["entries"] = trace(order, document)
        shown = orjson.dumps(document)
        what = _at(known, moment, traced, policy)
        self.shown.put(clinic_id, plan_id, sight, what, Ready(shown, len(shown)))
        return known, shown

    def diff(
        self, principal: Principal, plan_id: UUID, before: Moment, after: Moment
    ) -> tuple[int, int, bytes]:
        """The two head versions and what changed between two moments, each change with its entries.

        The changes are a JSON list; between two moments that are known they never change.
        """
        sight = self.gate.see(principal, "plans.read", plan_id)
        one, other, changes = self._diff(principal, sight, plan_id, before, after)
        asked = f"diff {before.words()} – {after.words()}"
        self.gate.looked(principal, sight, plan_id, version=other, asked=asked)
        return one, other, changes

    def _diff(
        self, principal: Principal, sight: Sight, plan_id: UUID, before: Moment, after: Moment
    ) -> tuple[int, int, bytes]:
        with self._plan(principal, plan_id, before, after) as plan:
            one, other = before.known(plan), after.known(plan)
            what = ("diff", one, before.effective_at, other, after.effective_at)
            if ready := self.shown.get(principal.clinic_id, plan_id, sight, what):
                return one, other, ready.answer
            old, new = plan.settled_at(one), plan.settled_at(other)
            old_order = _order(sight, plan, old, before.effective_at)
            new_order = _order(sight, plan, new, after.effective_at)
            changes = orjson.dumps(diff(old, old_order, new, new_order))
        self.shown.put(principal.clinic_id, plan_id, sight, what, Ready(changes, len(changes)))
        return one, other, changes


def _at(known: int, moment: Moment, traced: bool, policy: Policy) -> What:  # noqa: FBT001 - a part of a key
    """What a document at a moment goes by, once it is known until which version."""
    return "at", known, moment.effective_at, traced, policy


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
