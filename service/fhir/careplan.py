"""The plan itself as a CarePlan, and the client as a Patient."""

from __future__ import annotations

from domain.record import AddendumAdded
from service.fhir.chart import Chart, patient_id
from service.fhir.terms import (
    SNOMED,
    Resource,
    coding,
    concept,
    given,
    joined,
    moment,
    note,
    notes,
    period,
    spoken,
)

STATUS = {
    "draft": "draft",
    "active": "active",
    "paused": "on-hold",
    "completed": "completed",
    "discontinued": "revoked",
    "superseded": "revoked",
    "entered_in_error": "entered-in-error",
}
_CATEGORIES = [
    concept(
        None, coding("http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "assess-plan")
    ),
    concept(None, coding(SNOMED, "734163000", "Care plan")),
]


def care_plan(chart: Chart) -> Resource:
    """The plan, with references to all that belongs to it."""
    state, outline = chart.state, chart.state.opening.outline
    standing = state.lifecycle.standing
    ended = standing.status_since if state.lifecycle.closed else None
    members = [outline.supervisor_id] if outline.supervisor_id else []
    return given(
        identifier=[_known_as(chart.plan.id)],
        replaces=_replaced(outline.replaces_plan_id),
        status=STATUS[standing.status],
        intent="plan",
        category=_CATEGORIES,
        title="Therapy plan",
        description=(outline.intake or {}).get("presenting_concern"),
        subject=chart.subject,
        period=period(outline.opened_at, ended),
        created=moment(chart.recorded[0].recorded_at),
        author=chart.member(outline.therapist_id),
        contributor=[chart.member(held) for held in members],
        addresses=[*_concerns(chart), *_relapses(chart)],
        supportingInfo=_supporting(chart),
        goal=chart.each("Goal", [goal.goal_id for goal in state.goals.goals]),
        activity=_activities(chart),
        note=[*_intake(chart), *_current(chart), *_addenda(chart)],
    )


def _concerns(chart: Chart) -> list[Resource]:
    return chart.each("Condition", [held.concern_id for held in chart.state.opening.concerns])


def _relapses(chart: Chart) -> list[Resource]:
    return chart.each("Condition", [held.entry_id for held in chart.state.course.relapses])


def _supporting(chart: Chart) -> list[Resource]:
    """What came of reviews, and the plan that took this one's place."""
    successor = chart.state.lifecycle.standing.superseded_by
    reviews = [held for held in chart.settled.order if held.type == "ReviewHeld"]
    named = {"type": "CarePlan", "display": "Takes its place", "identifier": _known_as(successor)}
    return [
        *chart.each("ClinicalImpression", [held.entry_id for held in reviews]),
        *([named] if successor else []),
    ]


def _replaced(plan_id: str | None) -> list[Resource]:
    """The client's earlier plan whose place this one takes, as its opening says."""
    return [{"reference": f"CarePlan/{plan_id}"}] if plan_id else []


def _known_as(plan_id: object) -> Resource:
    return {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{plan_id}"}


def _activities(chart: Chart) -> list[Resource]:
    """Interventions, practice and planned reviews by reference; the next review due in a detail."""
    held = [
        *chart.each(
            "ServiceRequest",
            [held.intervention_id for held in chart.state.interventions.interventions],
        ),
        *chart.each(
            "Task",
            [held.entry_id for held in chart.settled.order if held.type == "PracticeAssigned"],
        ),
        *chart.each("Task", [held.review_id for held in chart.state.reviews.scheduled]),
    ]
    due = chart.state.reviews.outlook.next_due_on
    review = given(
        kind="Task",
        code=concept("Review"),
        status="scheduled",
        scheduledPeriod=period(None, due),
    )
    return [
        *({"reference": reference} for reference in held),
        *([{"detail": review}] if due else []),
    ]


def _intake(chart: Chart) -> list[Resource]:
    said = chart.state.opening.outline.intake or {}
    return notes(
        ("Therapy was asked for by", said.get("initiated_by")),
        ("Hopes", said.get("hopes")),
        ("Signs of improvement", said.get("signs_of_improvement")),
    )


def _current(chart: Chart) -> list[Resource]:
    """What counts for the work now: orientation, focus, preferences, how it ended."""
    opening, course = chart.state.opening, chart.state.course
    blend = [held.in_words or spoken(held.orientation) for held in opening.orientation.blend]
    focus = joined([spoken(course.focus.focus), course.focus.focus_in_words], ": ")
    standing = chart.state.lifecycle.standing
    ended = joined([spoken(standing.outcome), standing.outcome_summary], ": ")
    return [
        *notes(
            ("Orientation", joined([joined(blend, " + "), opening.orientation.rationale], ": ")),
            ("Focus", focus),
            ("Outcome", ended),
        ),
        *notes(*((f"Preference ({held.about})", held.text) for held in opening.preferences)),
    ]


def _addenda(chart: Chart) -> list[Resource]:
    return [
        held
        for entry in chart.settled.order
        if isinstance(entry.data, AddendumAdded)
        for held in note(_added(chart, entry.data), entry.occurred_at)
    ]


def _added(chart: Chart, data: AddendumAdded) -> str:
    origin = chart.origins[data.entry_id]
    return f"Addendum to version {origin.version} ({origin.type}): {data.text}"


def patient(chart: Chart) -> Resource:
    """The client: the clinic's own reference, and the label by which staff know them."""
    outline = chart.state.opening.outline
    return {
        "resourceType": "Patient",
        "id": patient_id(chart.clinic_id, outline.client_ref),
        "identifier": [
            {"system": f"urn:uuid:{chart.clinic_id}", "value": outline.client_ref},
        ],
        "name": [{"text": outline.client_label}],
    }
