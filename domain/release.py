"""Release: what of a plan its client sees – all but the working notes of those who treat them.

A note is held back by its type (``PRIVATE``); whatever corrects, marks or adds to it, too. The client's
plan is the one fold, fed what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any

from domain.checkpoints import Checkpoints
from domain.entry import Entry
from domain.errors import MomentNotFoundError
from domain.fold import AMENDING, Settled, fold
from domain.obligations import obligations
from domain.plan import Plan
from domain.policy import DEFAULT_POLICY, Policy
from domain.record import AddendumAdded
from domain.state import PlanState

CONCERNS_CLIENTS = frozenset(
    {"formal_review", "client_agreement", "answer_discomfort", "answer_mismatch", "resume_check"}
)
"""The obligations a client sees: what they wait for, or what waits for them."""


def held_back(entries: Sequence[Entry]) -> frozenset[str]:
    """The ids of the entries (given in recorded order) that are not released."""
    found: set[str] = set()
    for entry in entries:
        about = isinstance(entry.data, (*AMENDING, AddendumAdded)) and entry.data.entry_id in found
        if entry.data.PRIVATE or about:
            found.add(entry.entry_id)
    return frozenset(found)


def released_order(
    plan: Plan, settled: Settled, effective_at: datetime | None = None
) -> list[Entry]:
    """The released entries that count by a moment, in their order; MomentNotFoundError for none."""
    back = held_back(plan.entries)
    order = [entry for entry in settled.until(effective_at) if entry.entry_id not in back]
    if not order:
        raise MomentNotFoundError("The plan did not exist at that moment; ask for a later one.")
    return order


class Released:
    """A plan as its client sees it, to be read at any moment like the plan itself.

    ``entries`` are those that are released, with the numbers they have in the plan; what they add up
    to is the one fold of them. Made anew whenever the plan is read; ``folds`` may outlive it.
    """

    def __init__(self, plan: Plan, folds: Checkpoints | None = None) -> None:
        self.id, self.version = plan.id, plan.version
        self._plan = plan
        self._back = held_back(plan.entries)
        self._folds = folds or Checkpoints(PlanState)
        self.entries = [entry for entry in plan.entries if entry.entry_id not in self._back]

    @cached_property
    def settled(self) -> Settled:
        """Which released entries stand, knowing all that is recorded."""
        return self.settled_at(None)

    def settled_at(self, version: int | None) -> Settled:
        """Which released entries stand, knowing what was recorded until ``version``."""
        settled = self._plan.settled_at(version)
        order = [entry for entry in settled.order if entry.entry_id not in self._back]
        return replace(settled, order=order)

    @cached_property
    def state(self) -> PlanState:
        """What all released entries that stand add up to."""
        return self.at(None)

    def at(self, version: int | None) -> PlanState:
        """The plan as its client knew it at ``version`` (None: now)."""
        settled = self.settled_at(version)
        state: PlanState = self._folds.fold(settled.order)
        if settled.opened_in_error:
            state.mark_in_error()
        return state


Readable = Plan | Released
"""A plan, or as much of it as somebody sees."""


def released_document(
    plan: Plan,
    version: int | None = None,
    effective_at: datetime | None = None,
    policy: Policy = DEFAULT_POLICY,
) -> dict[str, Any]:
    """The plan at a moment as its client sees it, in JSON types."""
    settled = plan.settled_at(version)
    state = fold(released_order(plan, settled, effective_at), PlanState())
    if settled.order[0].entry_id in settled.gone:
        state.mark_in_error()
    head = plan.entries[(version or plan.version) - 1]
    owed = [held for held in obligations(state, policy) if held.kind in CONCERNS_CLIENTS]
    return {
        "plan_id": str(plan.id),
        "version": head.version,
        "position": head.position,
        **state.document(),
        "obligations": [held.document() for held in owed],
    }
