"""Goals of a file become goals of a plan: where they began and ended, as far as the file says it."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

from domain.entry import EntryData
from domain.goals import GoalAchieved, GoalDropped, GoalPaused, GoalSet, Measure, ProgressNoted
from service.fhir.reading import Reading, draft
from service.fhir.source import Source, cut

PROGRESS = {"improving": "improving", "worsening": "worsening", "no-change": "unchanged"}
SHORT = frozenset({"not-achieved", "not-attainable", "no-progress"})
"""What a goal that is over did not come to (HL7 goal-achievement)."""


def read_goal(reading: Reading, source: Source) -> None:
    """A goal with its measure, its progress and how it stands; one without a description is kept as a note."""
    statement = source.concept("description")
    if statement is None:
        return
    goal_id = reading.new(source)
    source.take("subject.reference")
    start, began = source.day("startDate"), source.past("startDate", reading.now)
    if start is not None:
        source.take("startDate")
    data = GoalSet(
        goal_id=goal_id,
        statement=statement,
        measure=_measure(reading, source),
        start_on=start,
        target_on=_due(source, start or (began or reading.now).date()),
        concern_ids=tuple(reading.referred(source, "addresses")),
    )
    reading.drafts.append(draft(data, began))
    _progress(reading, source, goal_id)
    _standing(reading, source, goal_id)


def _due(source: Source, start: date) -> date | None:
    """The day it is to be reached by; one before it began is none, and left for its words."""
    due = source.day("target[0].dueDate")
    if due is not None and due < start:
        source.understood.discard("target[0].dueDate")
        return None
    return due


def _measure(reading: Reading, source: Source) -> Measure | None:
    """The measure, if the file says enough: a target and a beginning with their unit."""
    target, unit = source.number("target[0].detailQuantity.value"), "target[0].detailQuantity.unit"
    held = _beginning(reading, source)
    if held is None or target is None or not source.look("target[0].measure"):
        return None
    baseline = held.number("valueQuantity.value")
    called = source.words(unit, 200)
    if baseline is None or called is None:
        source.understood.discard(unit)
        return None
    held.take("valueQuantity")
    source.take("target[0].detailQuantity")
    direction = "decrease" if target < baseline else "increase"
    return Measure(
        name=cut(source.concept("target[0].measure") or "Measured value", 200),
        unit=called,
        baseline=baseline,
        target=target,
        direction="maintain" if target == baseline else cast("Any", direction),
    )


def _beginning(reading: Reading, source: Source) -> Source | None:
    """The Observation that says where it began: the first value that the goal addresses."""
    for _, reference in source.many("addresses"):
        held = reading.sources.get(source.named(reference))
        if held and held.kind == "Observation" and held.number("valueQuantity.value") is not None:
            return held
    return None


def _progress(reading: Reading, source: Source, goal_id: str) -> None:
    progress = PROGRESS.get(source.code("achievementStatus") or "")
    if progress:
        source.take_code("achievementStatus")
        direction: Any = progress
        told = ProgressNoted(
            goal_id=goal_id, direction=direction, evidence="As the imported file says"
        )
        reading.last.append(draft(told))


def _standing(reading: Reading, source: Source, goal_id: str) -> None:
    """Where the goal stands. It counts as achieved only where nothing in the file says otherwise."""
    status, came_to = source.code("lifecycleStatus"), source.code("achievementStatus")
    data: EntryData | None = None
    if status == "on-hold":
        data = GoalPaused(goal_id=goal_id)
    elif status == "completed" and came_to not in SHORT:
        data = GoalAchieved(goal_id=goal_id, evidence=_why(source, status))
    elif status in ("completed", "cancelled", "rejected"):
        data = GoalDropped(goal_id=goal_id)
        if status == "completed":
            source.found("lifecycleStatus", "taken as given up: it was not achieved", came_to)
    elif status != "active":
        source.found("lifecycleStatus", "taken as active", status)
    source.take("lifecycleStatus")
    if status == "completed":
        source.take_code("achievementStatus")
    if data is not None:
        why = _why(source, status)
        reading.last.append(draft(data, source.past("statusDate", reading.now), why))


def _why(source: Source, status: str | None) -> str:
    return source.words("statusReason") or f"“{status}” in the imported file"
