"""An example of every type of entry, derived from its declaration, for the description and its readers.

An example can be recorded as it stands once the ids in it are those of things the plan has: each id
is a placeholder made from its kind. What is required is there, and of the rest what a newcomer wants
to see: texts, numbers, choices and groups, but neither dates nor references that may be left out.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from api.schemas import given_fields
from domain.entry import EntryData, Reason
from domain.fields import (
    DurationRule,
    Field,
    IdRule,
    ManyRule,
    New,
    RangeRule,
    Ref,
    Rule,
    TextRule,
)

WORDS = {
    "client_label": "Mira T.",
    "client_ref": "C-2041",
    "credential": "LMFT",
    "decisions": "Walks go on, first with her sister",
    "explained_by": "Dr Nadia Okafor",
    "frequency": "weekly",
    "hopes": "To sit in the park with a friend",
    "initiated_by": "Herself",
    "name": "outings",
    "participants": "Mira T.",
    "per": "week",
    "presenting_concern": "Since spring I have hardly left the house",
    "signs_of_improvement": "I would take the dog out before breakfast",
    "skill": "breathing out slowly",
    "statement": "Half an hour in the park, twice a week",
    "task": "Coffee on the balcony",
    "technique": "exposure",
    "text": "To the gate and back",
    "triggers": "a dark stairwell",
    "unit": "times",
    "why_not": "She was ill",
    "window": "the last six weeks",
    "words": "It goes too fast for me",
}
"""What a text says, by the name of its field; any other says OTHERWISE."""
AT_TIMES = {"client_ref", "two_people"}
"""What may be left out and is refused where it does not belong: a clinician is no client, one is not two."""
OTHERWISE = "A sentence or two, in plain words"
NUMBER = 3
SIMPLE: dict[Any, Any] = {
    bool: True,
    date: "2026-03-31",
    datetime: "2026-03-31T09:30:00Z",
    dict: {"text": "What the earlier entry should have said"},
    float: NUMBER,
    int: NUMBER,
}


def entry_example(cls: type[EntryData]) -> dict[str, Any]:
    """An entry of that type as it is sent."""
    reason = {"reason": group_example(Reason)} if cls.WHY else {}
    return {"type": cls.__name__, **reason, "data": group_example(cls)}


def group_example(cls: type) -> dict[str, Any]:
    """The data of an entry, or a group inside it."""
    return {held.key: _value(held) for held in given_fields(cls) if _shown(held)}


def placeholder(name: str, number: int = 1) -> str:
    """The id that stands for e.g. a ``goal_id`` until you put in one of your own."""
    return str(uuid5(NAMESPACE_URL, f"plan-history/examples/{name.removesuffix('s')}/{number}"))


def _shown(declared: Field) -> bool:
    rules = (*declared.rules, *declared.item_rules)
    plain = not any(isinstance(rule, New | Ref | IdRule | DurationRule) for rule in rules)
    welcome = plain and declared.key not in AT_TIMES and declared.type not in (date, datetime)
    return declared.required or welcome


def _value(declared: Field) -> object:
    if not declared.many:
        return _one(declared, declared.rules, 1)
    least = max(rule.least for rule in declared.rules if isinstance(rule, ManyRule))
    return [_one(declared, declared.item_rules, number + 1) for number in range(max(least, 1))]


def _one(declared: Field, rules: tuple[Rule, ...], number: int) -> object:
    if declared.nested:
        return group_example(declared.type)
    if declared.choices:
        return declared.choices[0]
    for rule in rules:
        if isinstance(rule, New | Ref | IdRule):
            return placeholder(declared.key, number)
        if isinstance(rule, TextRule):
            return WORDS.get(declared.key, OTHERWISE)
        if isinstance(rule, RangeRule):
            least = NUMBER if rule.least is None else rule.least
            return max(least, NUMBER if rule.most is None else min(NUMBER, rule.most))
    return SIMPLE[declared.type]
