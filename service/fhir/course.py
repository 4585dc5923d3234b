"""Concerns and relapses as Conditions; what wants watching as Flags."""

from __future__ import annotations

from domain.course import RelapseNoted, SafetyConcernNoted
from domain.entry import Entry
from domain.opening import ConcernIdentified
from service.fhir.chart import Chart
from service.fhir.terms import (
    ENTRY_TYPE,
    SNOMED,
    Resource,
    coded,
    coding,
    concept,
    day,
    given,
    joined,
    moment,
    notes,
    period,
)

CERTAINTY = {"tentative": "unconfirmed", "working": "provisional", "settled": "confirmed"}
SEVERITY = {
    "mild": ("255604002", "Mild"),
    "moderate": ("6736007", "Moderate"),
    "severe": ("24484000", "Severe"),
}


def concern(chart: Chart, entry: Entry) -> Resource:
    """Something the client wants to be different, in the words it has now."""
    data = entry.data
    assert isinstance(data, ConcernIdentified)
    held = chart.state.opening.concerns[data.concern_id]
    linked = [
        link for link in chart.state.opening.concern_links if held.concern_id in link.concern_ids
    ]
    others = dict.fromkeys(
        other for link in linked for other in link.concern_ids if other != held.concern_id
    )
    return given(
        clinicalStatus=coded(
            "condition-clinical", "active" if held.status == "open" else "resolved"
        ),
        verificationStatus=coded("condition-ver-status", CERTAINTY[held.certainty]),
        category=[coded("condition-category", "problem-list-item")],
        code=concept(held.description),
        subject=chart.subject,
        abatementDateTime=moment(held.resolved_at),
        recordedDate=moment(entry.recorded_at),
        recorder=_recorder(chart, entry),
        evidence=[{"detail": [other]} for other in chart.each("Condition", others)],
        note=notes(
            ("Touches", joined(held.impact_areas, ", ")),
            *(("Belongs together with others", link.how) for link in linked),
            ("Resolved", held.resolution),
        ),
    )


def _recorder(chart: Chart, entry: Entry) -> Resource | None:
    who = chart.author(entry.recorded_by)
    return who if "reference" in who else None


def relapse(chart: Chart, entry: Entry) -> Resource:
    """Something resurfaced: a fact, not a failure."""
    data = entry.data
    assert isinstance(data, RelapseNoted)
    held = chart.state.course.relapses[entry.entry_id]
    code, display = SEVERITY[data.severity]
    reviewed = str(held.reviewed_at.date()) if held.reviewed_at else None
    return given(
        clinicalStatus=coded("condition-clinical", "relapse"),
        verificationStatus=coded("condition-ver-status", "confirmed"),
        category=[coded("condition-category", "problem-list-item")],
        severity=concept(data.severity, coding(SNOMED, code, display)),
        code=concept(data.what_resurfaced),
        subject=chart.subject,
        onsetDateTime=day(data.onset_on),
        recordedDate=moment(entry.recorded_at),
        recorder=_recorder(chart, entry),
        evidence=[{"detail": [held]} for held in chart.each("Condition", data.concern_ids)],
        note=notes(
            ("Triggers", joined(data.triggers, ", ")),
            ("Indicators", data.indicators),
            ("Re-evaluated on", reviewed),
        ),
    )


def relapse_flag(chart: Chart, entry: Entry) -> Resource:
    """A relapse wants watching until it has been re-evaluated."""
    held = chart.state.course.relapses[entry.entry_id]
    return _flag(chart, entry, "behavioral", f"Relapse ({held.severity})", held.reviewed_at)


def safety_flag(chart: Chart, entry: Entry) -> Resource:
    """A concern for someone's safety wants watching until it is resolved."""
    data = entry.data
    assert isinstance(data, SafetyConcernNoted)
    held = chart.state.course.safety_concerns[entry.entry_id]
    text = f"Safety concern ({data.level}): {data.concern}"
    return _flag(chart, entry, "safety", text, held.answered_at)


def _flag(chart: Chart, entry: Entry, category: str, text: str, ended: object) -> Resource:
    return given(
        status="inactive" if ended else "active",
        category=[coded("flag-category", category)],
        code=concept(text, coding(ENTRY_TYPE, entry.type)),
        subject=chart.subject,
        period=period(entry.occurred_at, ended),  # type: ignore[arg-type] # a moment or None
        author=_recorder(chart, entry),
    )
