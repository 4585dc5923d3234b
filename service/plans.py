"""Use cases of a plan: open it, record entries, read it at any moment, compare two moments."""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import orjson
from psycopg.rows import TupleRow

from domain.errors import (
    MomentNotFoundError,
    PlanHistoryError,
    PlanNotFoundError,
    RecordedElsewhereError,
)
from domain.plan import Plan
from domain.trace import Change, diff, trace
from service.access import Principal
from service.database import BoundedConnection
from service.kept import Kept
from service.recording import Draft, Moment, Recorded, Recording, Request, created

__all__ = ["Draft", "Moment", "PlanService", "Recorded", "Request", "created"]

PAST = 512
"""How many documents of past moments a process keeps."""


@dataclass(slots=True)
class PlanService:
    """The use cases of plans."""

    recording: Recording
    past: Kept[Hashable, tuple[int, bytes]] = field(default_factory=lambda: Kept(PAST))

    def open_plan(
        self, principal: Principal, opening: Draft, drafts: Sequence[Draft], request: Request
    ) -> Recorded:
        """Open a plan, with its first entries if there are any; all or none.

        Raises PlanAlreadyOpenError when the client has an open plan, unless alongside.
        """
        principal.require("plans.open")
        _refuse_elsewhere(drafts)
        plan = Plan.new(uuid4())
        try:
            return self.recording.write(principal, plan, [opening, *drafts], request, opening=True)
        except PlanHistoryError:
            return self.recording.replayed_or_raise(principal, request)

    def record(
        self, principal: Principal, plan_id: UUID, drafts: Sequence[Draft], request: Request
    ) -> Recorded:
        """Record entries in a plan, in order, all or none; see Recording.record_in."""
        principal.require("plans.record")
        if plan_id == principal.clinic_id:
            raise _no_plan()
        _refuse_elsewhere(drafts)
        return self.recording.record_in(principal, plan_id, drafts, request)

    @contextlib.contextmanager
    def _plan(self, principal: Principal, plan_id: UUID) -> Iterator[Plan]:
        with self.recording.plans.reading(principal.clinic_id, plan_id) as plan:
            if not isinstance(plan, Plan):
                raise _no_plan()
            yield plan

    def current(self, principal: Principal, plan_id: UUID) -> tuple[int, bytes]:
        """The plan as it stands: its version and its document as JSON bytes.

        A fresh row of the read model is served as it is; when it is behind, the missing entries are
        folded live, so a reader always sees their own writes.
        """
        principal.require("plans.read")

        def read(conn: BoundedConnection) -> TupleRow | None:
            parameters = [principal.clinic_id, plan_id]
            return conn.execute(
                "SELECT document, version, head FROM read_plan(%s, %s)", parameters, binary=True
            ).fetchone()

        row = self.recording.database.run(read)
        if row is None:
            raise PlanNotFoundError("There is no such plan here; check its id.")
        document, version, head = row
        if version == head:
            return head, document
        with self._plan(principal, plan_id) as plan:
            return plan.version, orjson.dumps(
                plan.document(policy=self.recording.policy(principal.clinic_id))
            )

    def at(
        self, principal: Principal, plan_id: UUID, moment: Moment, *, traced: bool = False
    ) -> tuple[int, bytes]:
        """The plan at a moment: its head version then, its document as JSON (``entries`` when traced).

        What was known at a version never changes, so such documents are kept for a while.
        """
        principal.require("plans.read")
        policy = self.recording.policy(principal.clinic_id)
        key = (principal.clinic_id, plan_id, moment, traced, policy)
        if moment.version is not None and (kept := self.past.get(key)):
            return kept
        with self._plan(principal, plan_id) as plan:
            known = moment.known(plan)
            document = plan.document(known, moment.effective_at, policy)
            if traced:
                order = plan.settled_at(known).until(moment.effective_at)
                document["entries"] = trace(order, document)
        shown = known, orjson.dumps(document)
        if moment.version is not None:
            self.past.put(key, shown)
        return shown

    def diff(
        self, principal: Principal, plan_id: UUID, before: Moment, after: Moment
    ) -> tuple[int, int, list[Change]]:
        """The two head versions and what changed between two moments, each change with its entries."""
        principal.require("plans.read")
        with self._plan(principal, plan_id) as plan:
            one, other = before.known(plan), after.known(plan)
            old, new = plan.settled_at(one), plan.settled_at(other)
            old_order, new_order = old.until(before.effective_at), new.until(after.effective_at)
            if not old_order or not new_order:
                raise MomentNotFoundError("The plan did not exist at one of those moments.")
            return one, other, diff(old, old_order, new, new_order)


def _refuse_elsewhere(drafts: Sequence[Draft]) -> None:
    """Some entries come about by something else alone, such as asking for emergency access."""
    for index, draft in enumerate(drafts):
        if draft.data.ONLY_BY:
            name = type(draft.data).__name__
            raise RecordedElsewhereError(
                f"{name} is not recorded among other entries: {draft.data.ONLY_BY} does it.",
                f"/entries/{index}/type",
            )


def _no_plan() -> PlanNotFoundError:
    return PlanNotFoundError("There is no such plan here; check its id.")
