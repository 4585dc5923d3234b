"""Checkpoints: states on the way to a moment (what they add up to, the fold's oracle tests say)."""

from __future__ import annotations

from datetime import timedelta

from domain.checkpoints import Checkpoints
from domain.plan import Plan
from domain.state import PlanState
from tests.domain.lives import play


def a_plan() -> Plan:
    """A plan with a long life."""
    return play(range(40)).plan


def test_a_state_belongs_to_who_asked() -> None:
    """Changing what was given does not change what the next one is given."""
    order = a_plan().settled.order
    checkpoints = Checkpoints(PlanState)
    truth = checkpoints.fold(order).document()
    checkpoints.fold(order).mark_in_error()
    assert checkpoints.fold(order).document() == truth
    assert checkpoints.kept == len(order) // 3


def test_entries_to_be_stamped_leave_no_checkpoint() -> None:
    """Until the database has stamped them, entries still change: what came of them is not kept."""
    order = a_plan().settled.order
    checkpoints = Checkpoints(PlanState)
    checkpoints.fold([*order[:7], *(entry.but(position=0) for entry in order[7:])])
    assert checkpoints.kept == 2


def test_what_differs_early_is_folded_from_there() -> None:
    """Another entry among the first makes no use of what was kept of the rest, and is kept itself."""
    order = a_plan().settled.order
    checkpoints = Checkpoints(PlanState)
    before = checkpoints.fold(order).document()
    moved = order[1].but(occurred_at=order[1].occurred_at + timedelta(seconds=1))
    other = [order[0], moved, *order[2:]]
    assert checkpoints.fold(other).document() == Checkpoints(PlanState).fold(other).document()
    assert checkpoints.fold(order).document() == before


def test_histories_rewritten_again_and_again_do_not_pile_up() -> None:
    """However many versions of the same entries were asked for, only so many checkpoints are kept."""
    order = a_plan().settled.order
    checkpoints = Checkpoints(PlanState)
    for second in range(50):
        moved = order[1].but(occurred_at=order[1].occurred_at + timedelta(seconds=second))
        checkpoints.fold([order[0], moved, *order[2:]])
    assert checkpoints.kept <= 4 * (len(order) // 3)
