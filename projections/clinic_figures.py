"""``clinic_figures``: countable facts of each plan by day, from which the clinic's figures are summed.

| figure | key | day |
|---|---|---|
| ``plan_opened`` | – | the opening |
| ``plan_closed`` | the status, with ``:outcome`` where there is one | the end, for plans that are over |
| ``relapse`` | ``answered_in_time``, ``answered_late`` or ``open`` | when it was noted |
| ``formal_review`` | ``in_time`` or ``late`` | when it was held |
| ``review_due`` | – | the day the next formal review is due, for plans that are not over |
| ``swap`` | JSON list: technique given up, technique taken up, by the catalogue | the swap |

In time means: by the day it was due, by the clinic's policy as it stands. A plan that was entered in
error has no facts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import orjson

from domain.interventions import TECHNIQUES
from domain.obligations import formal_review
from domain.opening import PlanOpened
from domain.plan import Plan
from domain.policy import Policy
from domain.reviews import ReviewHeld
from domain.state import PlanState
from projections.projection import Batch, Cursor, Projection
from projections.replacing import replace_rows

Fact = tuple[str, str, date]
COLUMNS = {
    "plan_id": "uuid",
    "figure": "text",
    "key": "text",
    "day": "date",
    "count": "int4",
}


class ClinicFigures(Projection):
    """One row per plan, figure, key and day; how often."""

    name = "clinic_figures"
    version = 2
    shape = "23908ea99962"

    def apply(self, batch: Batch, cursor: Cursor, table: str) -> None:
        """Write the facts of the batch's plans, where they are not what they were before."""
        rows = {
            (plan.id, *fact, count)
            for plan in batch.plans.values()
            for fact, count in Counter(facts(plan, batch.policy)).items()
        }
        replace_rows(cursor, table, COLUMNS, batch.clinic_id, batch.plans, rows)


def facts(plan: Plan, policy: Policy) -> Iterator[Fact]:
    """What is counted of a plan: figure, key and day of each fact."""
    state = plan.state
    standing, opened_at = state.lifecycle.standing, state.opening.outline.opened_at
    if standing.status == "entered_in_error" or opened_at is None:
        return
    yield "plan_opened", "", opened_at.date()
    if state.lifecycle.closed and standing.status_since is not None:
        outcome = f":{standing.outcome}" if standing.outcome else ""
        yield "plan_closed", standing.status + outcome, standing.status_since.date()
    else:
        yield from (("review_due", "", day) for day in _formal_review_due(state, policy))
    yield from _relapses(state, policy)
    yield from _formal_reviews(plan, policy)
    yield from _swaps(state)


def _formal_review_due(state: PlanState, policy: Policy) -> Iterator[date]:
    for owed in formal_review(state, policy):
        if owed.due_on is not None:
            yield date.fromisoformat(owed.due_on)


def _relapses(state: PlanState, policy: Policy) -> Iterator[Fact]:
    for held in state.course.relapses:
        noted_on, key = held.noted_at.date(), "open"
        if held.reviewed_at is not None:
            late = held.reviewed_at.date() > noted_on + timedelta(days=policy.reevaluation_days)
            key = "answered_late" if late else "answered_in_time"
        yield "relapse", key, noted_on


def _formal_reviews(plan: Plan, policy: Policy) -> Iterator[Fact]:
    """Each formal review against the day it was due: the fold of what sets that day, review by review."""
    known = PlanState()
    for entry in plan.settled.order:
        if isinstance(entry.data, ReviewHeld) and entry.data.kind == "formal":
            held_on = entry.occurred_at.date()
            late = any(held_on > due for due in _formal_review_due(known, policy))
            yield "formal_review", "late" if late else "in_time", held_on
        if isinstance(entry.data, PlanOpened | ReviewHeld):
            entry.data.apply(known, entry)


def _swaps(state: PlanState) -> Iterator[Fact]:
    for held in state.interventions.interventions:
        if held.swapped_from is not None:
            before, after = held.lineage[-2:]
            if before.swapped_at is not None:
                pair = [_in_general(before.technique), _in_general(after.technique)]
                yield "swap", orjson.dumps(pair).decode(), before.swapped_at.date()


_KNOWN = frozenset(name for names in TECHNIQUES.values() for name in names)
OTHER = "another technique"


def _in_general(technique: str) -> str:
    """A technique by its name in the catalogue: figures repeat no words of a single plan."""
    name = technique.partition(":")[0].strip().casefold()
    return name if name in _KNOWN else OTHER
