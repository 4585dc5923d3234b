"""Free text beside every closed list: what life brings need not fit the list."""

from __future__ import annotations

import pytest

from domain.entry import TYPES, EntryData
from domain.fields import Field, TextRule, fields_of
from domain.goals import GoalRevised, Measure, MeasureRecorded
from tests.domain.specs import (
    GOAL,
    a_goal,
    given,
    opened,
)

NOTHING_TO_ADD = {"PlanSigned"}  # a signature says who stands behind what, nothing else


def free_text(declared: Field) -> bool:
    """Whether a field takes words of one's own."""
    rules = (*declared.rules, *declared.item_rules)
    return not declared.choices and any(isinstance(rule, TextRule) for rule in rules)


def lists_without_words(cls: type, name: str) -> list[str]:
    """The closed lists of a group which have no free text beside them."""
    declared = fields_of(cls)
    inner = [
        found
        for held in declared
        if held.nested
        for found in lists_without_words(held.type, f"{name}.{held.key}")
    ]
    if any(free_text(held) for held in declared) or getattr(cls, "WHY", False):
        return inner
    return inner + [f"{name}.{held.key}" for held in declared if held.choices]


@pytest.mark.parametrize("cls", TYPES.values(), ids=list(TYPES))
def test_every_closed_list_has_free_text_beside_it(cls: type[EntryData]) -> None:
    """In the same group of fields, or as the reason which the entry needs."""
    if cls.__name__ not in NOTHING_TO_ADD:
        assert not lists_without_words(cls, cls.__name__)


def test_words_beside_a_known_instrument_do_not_change_which_it_is() -> None:
    """Its totals stay together."""
    known = MeasureRecorded(instrument="phq9", in_words="on paper", value=9, by="instrument")
    spec = given(opened()).when(known).tells("Measured (PHQ-9): 9.")
    assert list(spec.document()["scores"]) == ["phq9"]


def test_a_goals_own_instrument_can_be_named() -> None:
    """In its measure."""
    measure = Measure(
        name="Wellbeing",
        unit="points",
        target=18,
        direction="increase",
        instrument="other",
        in_words="WHO-5",
    )
    given(opened(), a_goal()).when(
        GoalRevised(goal_id=GOAL, measure=measure), reason="A scale she knows"
    ).then({"/goals/0/measure/in_words": "WHO-5"})
