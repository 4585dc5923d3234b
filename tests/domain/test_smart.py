"""SMART feedback: what a goal has, what could still be added, and that nothing is demanded."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import combinations
from typing import Any

import pytest

from domain.goals import (
    SUGGESTIONS,
    GoalAchieved,
    GoalDropped,
    GoalPaused,
    GoalRevised,
    Measure,
    smart,
    smart_suggestions,
)
from domain.opening import ConcernIdentified
from tests.domain.specs import CONCERN, GOAL, Spec, a_goal, given, opened

VISITS = Measure(name="Visits", unit="visits", target=2, direction="increase")
CONCERN_NAMED = ConcernIdentified(concern_id=CONCERN, description="Hardly leaves the house")
PARTS: dict[str, dict[str, Any]] = {
    "measurable": {"measure": VISITS},
    "attainable": {"attainable_because": "She reaches the gate already"},
    "relevant": {"relevant_because": "The dog needs it"},
    "time_limited": {"within": "P2M"},
}


EVERY_CHOICE = [parts for size in range(len(PARTS) + 1) for parts in combinations(PARTS, size)]


def with_goal(**said: Any) -> Spec:
    """A plan with a goal of which that was said."""
    return given(opened(), CONCERN_NAMED, a_goal(**said))


def suggested(spec: Spec) -> list[str]:
    """The parts for which the goal's document has a suggestion."""
    return [held["part"] for held in spec.document()["goals"][0]["suggestions"]]


@pytest.mark.parametrize("parts", EVERY_CHOICE, ids=lambda parts: " and ".join(parts) or "none")
def test_there_is_a_suggestion_for_each_missing_part_and_no_other(parts: tuple[str, ...]) -> None:
    """In the order of the letters; the goal is taken as it is."""
    said = {name: held for part in parts for name, held in PARTS[part].items()}
    spec = with_goal(**said)
    missing = [part for part in PARTS if part not in parts]
    assert suggested(spec) == missing
    smart_parts = spec.document()["goals"][0]["smart"]
    assert [part for part, held in smart_parts.items() if held == "missing"] == missing


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("relevant", {"concern_ids": (CONCERN,)}),
        ("time_limited", {"target_on": date(2026, 3, 1)}),
        ("measurable", {"measure": replace(VISITS, baseline=0)}),
    ],
)
def test_a_part_may_be_there_in_more_than_one_way(part: str, said: dict[str, Any]) -> None:
    """Then nothing is suggested for it."""
    assert part not in suggested(with_goal(**said))


def test_a_suggestion_is_gone_once_it_is_taken_up() -> None:
    """By revising the goal."""
    spec = with_goal()
    assert "measurable" in suggested(spec)
    spec.when(GoalRevised(goal_id=GOAL, measure=VISITS), reason="She asked how she would notice")
    assert "measurable" not in suggested(spec)


@pytest.mark.parametrize("part", SUGGESTIONS)
def test_a_suggestion_invites(part: str) -> None:
    """It asks, gives an example, and says neither must nor missing."""
    said = SUGGESTIONS[part]
    assert "?" in said
    assert said.endswith(".")
    assert len(said) <= 100
    assert not {"must", "missing", "required", "invalid", "should"} & set(said.lower().split())


def test_every_part_has_its_suggestion() -> None:
    """Also the one that no goal can be without."""
    goal = with_goal().plan.state.goals[GOAL]
    assert list(smart(goal)) == list(SUGGESTIONS)
    assert smart(goal)["specific"] == "present"


def test_a_resting_goal_keeps_its_suggestions() -> None:
    """It can still be put differently."""
    spec = with_goal().when(GoalPaused(goal_id=GOAL), reason="Moving house")
    assert suggested(spec) == list(PARTS)


def test_nothing_is_suggested_for_a_goal_that_is_over() -> None:
    """Reached or let go, it is not to be improved any more."""
    reached = with_goal().when(GoalAchieved(goal_id=GOAL, evidence="Three weeks in a row"))
    dropped = with_goal().when(GoalDropped(goal_id=GOAL), reason="It was never hers")
    assert suggested(reached) == suggested(dropped) == []
    assert smart_suggestions(reached.plan.state.goals[GOAL]) == []
