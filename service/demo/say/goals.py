"""Saying what the work is for, and how it moves."""

from __future__ import annotations

from typing import Any, Literal

from domain.goals import (
    GoalAchieved,
    GoalPaused,
    GoalRegressed,
    GoalResumed,
    GoalSet,
    GoalSustained,
    Instrument,
    Measure,
    MeasureRecorded,
    ObjectiveAdded,
    ObjectiveMet,
    ProgressNoted,
)
from service.demo.script import Draft


def counted(name: str, unit: str, baseline: float, target: float, **said: Any) -> Measure:
    """How a goal is measured: from ``baseline`` to ``target``, per week unless told otherwise."""
    return Measure(
        name=name,
        unit=unit,
        baseline=baseline,
        target=target,
        direction="decrease" if target < baseline else "increase",
        **{"per": "week", **said},
    )


def goal(goal_id: str, statement: str, measure: Measure | None, **said: Any) -> Draft:
    """A goal is agreed."""
    data = GoalSet(goal_id=goal_id, statement=statement, measure=measure, **said)
    return Draft(data, voiced_by="client")


def step(goal_id: str, objective_id: str, text: str, *, due: int | None = None) -> Draft:
    """A graded step towards a goal, due on a day of the plan's life."""
    return Draft(
        lambda known: ObjectiveAdded(
            goal_id=goal_id,
            objective_id=objective_id,
            text=text,
            due_on=None if due is None else known.on(due),
        )
    )


def step_made(objective_id: str, note: str) -> Draft:
    """A step was made."""
    return Draft(ObjectiveMet(objective_id=objective_id, note=note))


def measured(
    goal_id: str,
    value: float,
    note: str | None = None,
    by: Literal["client", "therapist"] = "client",
) -> Draft:
    """A value of a goal's measure."""
    return Draft(MeasureRecorded(goal_id=goal_id, value=value, by=by, note=note), voiced_by=by)


def scored(instrument: Instrument, value: int) -> Draft:
    """The total of a questionnaire."""
    return Draft(MeasureRecorded(instrument=instrument, value=value, by="instrument"))


def progress(
    goal_id: str, direction: Literal["improving", "unchanged", "worsening", "mixed"], evidence: str
) -> Draft:
    """How things move with a goal."""
    return Draft(ProgressNoted(goal_id=goal_id, direction=direction, evidence=evidence))


def achieved(goal_id: str, evidence: str, value: float | None = None) -> Draft:
    """A goal is reached."""
    return Draft(GoalAchieved(goal_id=goal_id, evidence=evidence, value=value))


def sustained(goal_id: str, evidence: str) -> Draft:
    """What was reached lasts."""
    return Draft(GoalSustained(goal_id=goal_id, evidence=evidence))


def regressed(goal_id: str, evidence: str) -> Draft:
    """What was reached needs work again."""
    return Draft(GoalRegressed(goal_id=goal_id, evidence=evidence))


def goal_paused(goal_id: str, *, because_of: str | None = None, check: int | None = None) -> Draft:
    """A goal rests, to be looked at again on a day of the plan's life."""
    return Draft(
        lambda known: GoalPaused(
            goal_id=goal_id,
            because_of=because_of,
            resume_check_on=None if check is None else known.on(check),
        ),
        voiced_by="client",
    )


def goal_resumed(goal_id: str) -> Draft:
    """Work on a goal goes on."""
    return Draft(GoalResumed(goal_id=goal_id), voiced_by="client")
