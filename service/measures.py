"""Measured values of a plan as series, with what happened meanwhile.

They are read from the plan itself, live, so a reader sees their own writes; the ``measures`` read
model holds the same values for analysis across a clinic's plans.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.course import LifeEventEased, LifeEventNoted, RelapseNoted
from domain.entry import Entry, EntryData
from domain.fields import plain_moment
from domain.goals import Goal, GoalPaused, GoalResumed, Measure, MeasureRecorded
from domain.interventions import InterventionPaused, InterventionResumed, InterventionSwapped
from domain.lifecycle import PlanPaused, PlanResumed
from domain.release import Readable
from domain.reviews import ReviewHeld
from domain.state import PlanState
from service.access import Gate, Principal
from service.reading import reading_plan
from service.record.plans import Plans

Key = tuple[str | None, str | None, str | None, str | None]
"""What values must share to be one series: goal, instrument, its name in words, unit."""
_INSTRUMENTS = {"phq9": "PHQ-9", "gad7": "GAD-7", "other": "Another instrument"}


@dataclass(frozen=True, slots=True)
class MeasuresService:
    """Reads the series of one plan."""

    plans: Plans
    gate: Gate

    def of_plan(self, principal: Principal, plan_id: UUID) -> tuple[int, dict[str, Any]]:
        """The plan's version, and a series for each measure; raises PlanNotFoundError."""
        sight = self.gate.see(principal, "plans.read", plan_id)
        with reading_plan(self.plans, principal.clinic_id, plan_id) as plan:
            version, series = plan.version, series_of(plan)
        self.gate.looked(principal, sight, plan_id, version=version, asked="measures")
        return version, {"plan_id": str(plan_id), "series": series}


def series_of(plan: Readable) -> list[dict[str, Any]]:
    """A series for each goal's measure, valued or not, then for whatever else was measured.

    Values told in another unit than the goal's, or with another instrument, are a series of their own.
    """
    found: dict[Key, list[Entry]] = {
        _own_key(goal): [] for goal in plan.state.goals.goals if goal.measure is not None
    }
    events = []
    for entry in plan.settled.order:
        if isinstance(entry.data, MeasureRecorded):
            found.setdefault(_key(entry.data, plan.state), []).append(entry)
        elif (goals := _touched(entry, plan.state)) is not None:
            events.append((goals, _annotation(entry, plan.state)))
    return [
        {
            **_described(key, plan.state),
            "values": [_value(entry) for entry in sorted(entries, key=_when)],
            "annotations": [
                told for goals, told in events if not goals or key[0] in (None, *goals)
            ],
        }
        for key, entries in found.items()
    ]


def _own_key(goal: Goal) -> Key:
    measure = goal.measure
    if measure is None:
        return goal.goal_id, None, None, None
    return goal.goal_id, measure.instrument, _words(measure), measure.unit


def _words(said: Measure | MeasureRecorded) -> str | None:
    """Which instrument ‘other’ stands for; a known one is itself, whatever the words."""
    return said.in_words if said.instrument == "other" else None


def _key(data: MeasureRecorded, state: PlanState) -> Key:
    goal = state.goals.get(data.goal_id)
    if goal is None:
        return None, data.instrument, _words(data), data.unit
    _, instrument, words, unit = _own_key(goal)
    if data.instrument is None or (data.instrument == instrument and _words(data) in (None, words)):
        return goal.goal_id, instrument, words, data.unit or unit
    return goal.goal_id, data.instrument, _words(data), data.unit


def _described(key: Key, state: PlanState) -> dict[str, Any]:
    goal_id, instrument, words, unit = key
    goal = state.goals.get(goal_id)
    measure = goal.measure if goal and key == _own_key(goal) else None
    name = measure.name if measure else words or _INSTRUMENTS.get(instrument or "")
    if name is None and goal is not None:
        name = goal.measure.name if goal.measure else goal.statement
    return {
        "goal_id": goal_id,
        "name": name,
        "unit": unit,
        "instrument": instrument,
        "direction": measure.direction if measure else None,
        "baseline": measure.baseline if measure else None,
        "target": measure.target if measure else None,
    }


def _when(entry: Entry) -> tuple[Any, int]:
    return entry.occurred_at, entry.version


def _value(entry: Entry) -> dict[str, Any]:
    data = entry.data
    assert isinstance(data, MeasureRecorded)
    at = plain_moment(entry.occurred_at)
    return {"at": at, "value": data.value, "by": data.by, "version": entry.version}


def _annotation(entry: Entry, state: PlanState) -> dict[str, Any]:
    return {
        "at": plain_moment(entry.occurred_at),
        "type": entry.type,
        "version": entry.version,
        "sentence": entry.data.tell(state),
    }


def _touched(entry: Entry, state: PlanState) -> Sequence[str] | None:
    """The goals something worth noting beside the values is about; none for the whole plan.

    None when the entry is nothing of the kind.
    """
    goals = _NOTED.get(type(entry.data))
    return None if goals is None else goals(entry.data, state)


def _weighed_on(eased: LifeEventEased, state: PlanState) -> tuple[str, ...]:
    event = state.course.life_events.get(eased.life_event_id)
    return event.affected_goal_ids if event else ()


def _served(intervention_id: str, state: PlanState) -> tuple[str, ...]:
    held = state.interventions.interventions.get(intervention_id)
    return held.goal_ids if held else ()


def _of_swap(swap: InterventionSwapped, state: PlanState) -> tuple[str, ...]:
    return (*_served(swap.from_intervention_id, state), *swap.to.goal_ids)


_NOTED: dict[type[EntryData], Callable[[Any, PlanState], tuple[str, ...]]] = {
    RelapseNoted: lambda said, _: said.goal_ids,
    LifeEventNoted: lambda said, _: said.affected_goal_ids,
    LifeEventEased: _weighed_on,
    InterventionSwapped: _of_swap,
    InterventionPaused: lambda said, state: _served(said.intervention_id, state),
    InterventionResumed: lambda said, state: _served(said.intervention_id, state),
    GoalPaused: lambda said, _: (said.goal_id,),
    GoalResumed: lambda said, _: (said.goal_id,),
    PlanPaused: lambda *_: (),
    PlanResumed: lambda *_: (),
    ReviewHeld: lambda said, _: said.goals_reviewed,
}
"""What is worth noting beside the values, and which goals each is about."""
