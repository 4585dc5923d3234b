"""Goals with their steps as Goals; where they began and what was measured as Observations."""

from __future__ import annotations

from domain.entry import Entry
from domain.goals import Goal, GoalSet, Measure, MeasureRecorded
from service.fhir.chart import Chart
from service.fhir.observations import observation, performer
from service.fhir.terms import (
    INSTRUMENTS,
    LOINC,
    Resource,
    coded,
    coding,
    concept,
    day,
    given,
    joined,
    notes,
    quantity,
    spoken,
)

LIFECYCLE = {
    "active": "active",
    "paused": "on-hold",
    "achieved": "completed",
    "dropped": "cancelled",
}
ACHIEVEMENT = {
    "improving": "improving",
    "unchanged": "no-change",
    "worsening": "worsening",
    "mixed": "in-progress",
}


def goal(chart: Chart, entry: Entry) -> Resource:
    """A goal as it stands; its steps are further targets."""
    data = entry.data
    assert isinstance(data, GoalSet)
    held = chart.state.goals[data.goal_id]
    achieved = _achievement(chart, held)
    return given(
        lifecycleStatus=LIFECYCLE[held.status],
        achievementStatus=coded("goal-achievement", achieved) if achieved else None,
        category=[coded("goal-category", "behavioral")],
        priority=concept(f"Priority {held.priority}") if held.priority else None,
        description=concept(held.statement),
        subject=chart.subject,
        startDate=day(held.start_on),
        target=_targets(held),
        statusDate=day(held.status_since.date()),
        statusReason=held.evidence or _why(chart, held),
        expressedBy=chart.subject if held.owner == "client" else chart.author(entry.recorded_by),
        addresses=[
            *chart.each("Condition", held.concern_ids),
            *chart.each("Observation", [entry.entry_id]),
        ],
        note=_notes(held),
        outcomeReference=chart.each("Observation", _measured(chart, held)),
    )


def _achievement(chart: Chart, held: Goal) -> str | None:
    """How it goes: at risk from a relapse, reached, lasting, or as progress was last noted."""
    if held.at_risk_from:
        return "worsening"
    if held.status == "achieved":
        return "sustaining" if _last_of(chart, held, "GoalSustained") else "achieved"
    return ACHIEVEMENT[held.progress["direction"]] if held.progress else None


def _last_of(chart: Chart, held: Goal, kind: str) -> Entry | None:
    """The last entry of that kind about the goal since it has its status."""
    for entry in reversed(chart.settled.order):
        if entry.type == kind and entry.data.goal_id == held.goal_id:  # type: ignore[attr-defined] # a goal's entry
            return entry if entry.occurred_at >= held.status_since else None
    return None


def _why(chart: Chart, held: Goal) -> str | None:
    kind = {"paused": "GoalPaused", "dropped": "GoalDropped"}.get(held.status, "")
    last = _last_of(chart, held, kind)
    return last.reason.text if last and last.reason else None


def _targets(held: Goal) -> list[Resource]:
    """The measure and its due day, then the steps (gol-1: a detail needs its measure)."""
    measure = held.measure
    main = given(
        measure=_measure(measure) if measure else None,
        detailQuantity=quantity(measure.target, _unit(measure)) if measure else None,
        dueDate=day(held.due_on),
    )
    steps = [
        given(measure=concept("Step"), detailString=step.text, dueDate=day(step.due_on))
        for step in held.objectives.values()
    ]
    return [*([main] if main else []), *steps]


def _measure(measure: Measure) -> Resource:
    code = INSTRUMENTS.get(measure.instrument or "")
    return concept(measure.name, *([coding(LOINC, *code)] if code else []))


def _unit(measure: Measure) -> str:
    return f"{measure.unit} per {measure.per}" if measure.per else measure.unit


def _measured(chart: Chart, held: Goal) -> list[str]:
    return [
        entry.entry_id
        for entry in chart.settled.order
        if isinstance(entry.data, MeasureRecorded) and entry.data.goal_id == held.goal_id
    ]


def _notes(held: Goal) -> list[Resource]:
    progress = (held.progress or {}).get("evidence")
    made = [
        (f"Step made on {step.met_at.date()}", joined([step.text, step.note], " – "))
        for step in held.objectives.values()
        if step.met_at
    ]
    owner = spoken(held.owner) if held.owner != "client" else None
    return notes(
        ("Whose goal", owner),
        ("Attainable because", held.attainable_because),
        ("Relevant because", held.relevant_because),
        ("Progress", progress),
        *made,
    )


def baseline(chart: Chart, entry: Entry) -> Resource | None:
    """Where a goal began, or None where that was never said."""
    if chart.about("Observation", entry.entry_id) is None:
        return None
    data = entry.data
    assert isinstance(data, GoalSet)
    shown = observation(chart, entry, "Baseline")
    measure = data.measure
    if measure is None or measure.baseline is None:  # a correction took it back
        return {**shown, "status": "entered-in-error"}
    code = INSTRUMENTS.get(measure.instrument or "")
    return {
        **shown,
        "code": concept(f"Baseline: {measure.name}", *([coding(LOINC, *code)] if code else [])),
        "effectiveDateTime": day(data.start_on or entry.occurred_at.date()),
        "valueQuantity": quantity(measure.baseline, _unit(measure)),
    }


def measured(chart: Chart, entry: Entry) -> Resource:
    """A measured value; PHQ-9 and GAD-7 totals carry their LOINC codes."""
    data = entry.data
    assert isinstance(data, MeasureRecorded)
    goal_ = chart.state.goals.get(data.goal_id)
    own = goal_.measure if goal_ else None
    instrument = data.instrument or (
        own.instrument if own and data.unit in (None, own.unit) else None
    )
    code = INSTRUMENTS.get(instrument or "")
    name = data.in_words or (own.name if own else spoken(instrument))
    unit = data.unit or (_unit(own) if own else None)
    return given(
        **{
            **observation(chart, entry, "Measured value", data.note),
            "category": [coded("observation-category", "survey")],
            "code": concept(name or "Measured value", coding(LOINC, *code))
            if code
            else concept(name or "Measured value"),
            "performer": [chart.subject if data.by == "client" else performer(chart, entry)],
            "valueQuantity": quantity(
                data.value, unit or ("score" if code else None), "{score}" if code else None
            ),
            "focus": chart.each("Goal", [data.goal_id]) if data.goal_id else None,
        }
    )
