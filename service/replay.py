"""Replay: any moment of a plan's life, what it changed, and what lies between two.

Clients walk through what is released to them. What was told once is kept, for as long as the plan does
not change, apart for those who see it all and those who see what is released.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.checkpoints import Checkpoints
from domain.entry import Entry
from domain.errors import MomentNotFoundError
from domain.fold import AMENDING, Settled, fold
from domain.obligations import obligations
from domain.plan import Plan
from domain.policy import Policy
from domain.release import CONCERNS_CLIENTS, Readable, Released
from domain.state import PlanState
from domain.trace import Change, diff
from service.access import Gate, Principal, Sight
from service.access.table import RELEASED
from service.errors import NotAllowedError
from service.kept import Kept
from service.life import Clock, Life, life_of, numbered
from service.reading import reading_plan
from service.record.plans import Plans


@dataclass(frozen=True, slots=True)
class Seen:
    """A plan at one step: its document, the entry of the step, and what it changed."""

    step: int
    steps: int
    entry: Entry
    sentence: str
    late: bool
    document: dict[str, Any]
    changes: Sequence[Change]
    corrected_by: Sequence[int]
    in_error_by: int | None


class ReplayService:
    """Walks through one plan, as much of it as the reader sees."""

    def __init__(self, plans: Plans, policy: Callable[[UUID], Policy], gate: Gate) -> None:
        self.plans = plans
        self.policy = policy
        self.gate = gate
        self._lives: Kept[tuple[UUID, UUID, Clock, str, int], Life] = Kept(64)
        self._seen: Kept[tuple[UUID, UUID, Clock, str, int, int], Seen] = Kept(512)
        self._folds: Kept[tuple[UUID, UUID], Checkpoints] = Kept(64)
        gate.forgetting.append(self._forget)

    def _forget(self, clinic_id: UUID, plan_id: UUID) -> None:
        """Keep nothing told of a plan that was erased."""
        self._lives.drop_where(lambda key: key[:2] == (clinic_id, plan_id))
        self._seen.drop_where(lambda key: key[:2] == (clinic_id, plan_id))
        self._folds.drop((clinic_id, plan_id))

    def life(self, principal: Principal, plan_id: UUID, clock: Clock) -> Life:
        """The plan's life on a clock; raises PlanNotFoundError."""
        sight = self._sight(principal, plan_id)
        with self._reading(principal, sight, plan_id) as plan:
            life = self._life(principal.clinic_id, sight, plan, clock)
        self.gate.looked(principal, sight, plan_id, version=life.version, asked="replay")
        return life

    def _sight(self, principal: Principal, plan_id: UUID) -> Sight:
        """How the principal sees the plan; who sees no words of it has nothing to walk through."""
        sight = self.gate.see(principal, "plans.read", plan_id)
        if not (sight.full or sight.view == RELEASED):
            with self.gate.noting_refusals(principal, sight.action, plan_id):
                raise NotAllowedError(
                    "A replay tells what a plan says; your role does not include it."
                )
        return sight

    @contextlib.contextmanager
    def _reading(self, principal: Principal, sight: Sight, plan_id: UUID) -> Iterator[Readable]:
        """As much of the plan as is seen."""
        with reading_plan(self.plans, principal.clinic_id, plan_id) as plan:
            yield plan if sight.full else self._released(principal.clinic_id, plan)

    def _released(self, clinic_id: UUID, plan: Plan) -> Released:
        key = (clinic_id, plan.id)
        folds = self._folds.get(key) or Checkpoints(PlanState)
        self._folds.put(key, folds)
        return Released(plan, folds)

    def _life(self, clinic_id: UUID, sight: Sight, plan: Readable, clock: Clock) -> Life:
        key = (clinic_id, plan.id, clock, sight.view, plan.version)
        held = self._lives.get(key)
        if held is None:
            held = life_of(plan, clock, self.policy(clinic_id))
            self._lives.put(key, held)
        return held

    def moment(self, principal: Principal, plan_id: UUID, clock: Clock, step: int) -> Seen:
        """The plan at a step of its life, and what that step changed.

        Raises MomentNotFoundError for a step there is not.
        """
        sight = self._sight(principal, plan_id)
        with self._reading(principal, sight, plan_id) as plan:
            life = self._life(principal.clinic_id, sight, plan, clock)
            if not 1 <= step <= len(life.steps):
                raise MomentNotFoundError(f"This plan has steps 1 to {len(life.steps)} so far.")
            key = (principal.clinic_id, plan_id, clock, sight.view, plan.version, step)
            seen = self._seen.get(key)
            if seen is None:
                seen = seen_at(plan, clock, life, step, self.policy(principal.clinic_id))
                self._seen.put(key, seen)
        version = seen.entry.version
        self.gate.looked(principal, sight, plan_id, version=version, asked=f"replay {clock}")
        return seen

    def between(
        self, principal: Principal, plan_id: UUID, clock: Clock, one: int, other: int
    ) -> Sequence[Change]:
        """What changed from one step to another, each change with its entries."""
        sight = self._sight(principal, plan_id)
        with self._reading(principal, sight, plan_id) as plan:
            life = self._life(principal.clinic_id, sight, plan, clock)
            first, last = (life.steps[step - 1].version for step in (one, other))
            if clock == "effective":
                settled = plan.settled
                changes = diff(settled, settled.order[:one], settled, settled.order[:other])
            else:
                before, after = plan.settled_at(first), plan.settled_at(last)
                changes = diff(before, before.order, after, after.order)
        asked = f"replay {clock}, {first} – {last}"
        self.gate.looked(principal, sight, plan_id, version=last, asked=asked)
        return changes


def seen_at(plan: Readable, clock: Clock, life: Life, step: int, policy: Policy) -> Seen:
    """A plan at a step of its life."""
    version = life.steps[step - 1].version
    before, earlier, settled, order = _sides(plan, clock, life, step)
    if clock == "recorded":
        entry, state = numbered(plan, version), plan.at(version)
    else:
        entry, state = order[-1], fold(order)
    owed = obligations(state, policy)
    if isinstance(plan, Released):
        owed = [held for held in owed if held.kind in CONCERNS_CLIENTS]
    return Seen(
        step=step,
        steps=len(life.steps),
        entry=entry,
        sentence=entry.data.tell(state),
        late=entry.recorded_at - entry.occurred_at > timedelta(hours=policy.late_after_hours),
        document={**state.document(), "obligations": [held.document() for held in owed]},
        changes=diff(before, earlier, settled, order) if before and earlier else [],
        corrected_by=_amended_by(plan, entry),
        in_error_by=plan.settled.gone.get(entry.entry_id),
    )


def _sides(
    plan: Readable, clock: Clock, life: Life, step: int
) -> tuple[Settled | None, Sequence[Entry], Settled, Sequence[Entry]]:
    """What is settled and counts just before a step, and at it."""
    if clock == "effective":
        order = plan.settled.order
        return plan.settled, order[: step - 1], plan.settled, order[:step]
    settled = plan.settled_at(life.steps[step - 1].version)
    before = plan.settled_at(life.steps[step - 2].version) if step > 1 else None
    return before, before.order if before else (), settled, settled.order


def _amended_by(plan: Readable, entry: Entry) -> list[int]:
    """The versions that corrected an entry or marked it in error."""
    return [
        later.version
        for later in plan.entries
        if isinstance(later.data, AMENDING) and later.data.entry_id == entry.entry_id
    ]
