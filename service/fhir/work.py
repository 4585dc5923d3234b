"""Practice and planned reviews as Tasks; reviews, check-ins and looks back as ClinicalImpressions."""

from __future__ import annotations

from domain.entry import Entry
from domain.practice import LookBackHeld, PracticeAssigned, PracticeReported
from domain.reviews import CheckInHeld, ReviewHeld, ReviewScheduled
from service.fhir.chart import Chart
from service.fhir.terms import (
    ENTRY_TYPE,
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

DONE = {"yes": "completed", "partly": "in-progress", "no": "requested"}


def practice(chart: Chart, entry: Entry) -> Resource:
    """Something to practise, with every report on it."""
    data = entry.data
    assert isinstance(data, PracticeAssigned)
    reports = [
        (held, held.data)
        for held in chart.settled.order
        if isinstance(held.data, PracticeReported) and held.data.practice_id == data.practice_id
    ]
    goals = chart.each("Goal", data.goal_ids)
    return given(
        basedOn=[chart.care_plan],
        status=DONE[reports[-1][1].done] if reports else "requested",
        intent="plan",
        code=concept("Practice between sessions", coding(ENTRY_TYPE, entry.type)),
        description=joined([data.task, data.dose], " – "),
        focus=goals[0] if goals else None,
        for_=chart.subject,
        authoredOn=moment(entry.occurred_at),
        lastModified=moment(reports[-1][0].recorded_at if reports else entry.recorded_at),
        requester=chart.author(entry.recorded_by),
        owner=chart.subject,
        note=[told for held, report in reports for told in note(_report(report), held.occurred_at)],
        restriction={"period": period(None, data.due_on)} if data.due_on else None,
        input=[{"type": concept("Goal"), "valueReference": goal} for goal in goals[1:]],
    )


def _report(report: PracticeReported) -> str:
    count = None if report.count is None else f"{report.count} times"
    hard = None if report.difficulty is None else f"difficulty {report.difficulty} of 10"
    barrier = f"barrier: {report.barrier}" if report.barrier else None
    return joined([f"Done: {report.done}", count, hard, barrier], "; ") or ""


def planned_review(chart: Chart, entry: Entry) -> Resource:
    """A review that is planned, or was held."""
    data = entry.data
    assert isinstance(data, ReviewScheduled)
    held = chart.state.reviews.scheduled[data.review_id]
    return given(
        basedOn=[chart.care_plan],
        status="completed" if held.status == "held" else "requested",
        intent="plan",
        code=concept(f"Review: {spoken(data.kind)}", coding(ENTRY_TYPE, entry.type)),
        description=data.in_words,
        focus=chart.care_plan,
        for_=chart.subject,
        authoredOn=moment(entry.occurred_at),
        owner=chart.author(entry.recorded_by),
        restriction={"period": period(None, data.due_on)},
    )


def _impression(chart: Chart, entry: Entry, title: str, **more: object) -> Resource:
    """What every ClinicalImpression made of an entry has."""
    who = chart.author(entry.recorded_by)
    held: dict[str, object] = {
        "effectiveDateTime": moment(entry.occurred_at),
        "date": moment(entry.recorded_at),
        **more,
    }
    return given(
        status="completed",
        code=concept(title, coding(ENTRY_TYPE, entry.type)),
        subject=chart.subject,
        assessor=who if "reference" in who else None,
        **held,
    )


def review(chart: Chart, entry: Entry) -> Resource:
    """A review, with the version of the plan that lay on the table."""
    data = entry.data
    assert isinstance(data, ReviewHeld)
    answered = chart.each("Condition", data.answers_entry_ids)
    return _impression(
        chart,
        entry,
        f"Review: {spoken(data.kind)}",
        previous=_previous(chart, entry),
        summary=data.summary,
        finding=[{"itemReference": held} for held in answered],
        supportingInfo=[chart.whole(entry.version - 1), *chart.each("Goal", data.goals_reviewed)],
        note=notes(
            ("Took part", joined(data.participants, ", ")),
            ("The client took part", "yes" if data.client_participated else f"no: {data.why_not}"),
            *(("Decided", held) for held in data.decisions),
            ("Next review by", str(data.next_due_on) if data.next_due_on else None),
        ),
    )


def _previous(chart: Chart, entry: Entry) -> Resource | None:
    """The review recorded before this one: whatever becomes of it later, that does not change."""
    reviews = (held for held in reversed(chart.recorded) if held.type == "ReviewHeld")
    last = next((held for held in reviews if held.version < entry.version), None)
    return chart.about("ClinicalImpression", last.entry_id) if last else None


def check_in(chart: Chart, entry: Entry) -> Resource:
    """A short look at how things go."""
    data = entry.data
    assert isinstance(data, CheckInHeld)
    words = (
        ("Works", data.working),
        ("Does not work", data.not_working),
        ("Insight", data.insight),
    )
    summary = joined(f"{label}: {text}" for label, text in words if text)
    return _impression(chart, entry, "Check-in", summary=summary)


def look_back(chart: Chart, entry: Entry) -> Resource:
    """Looking back together over a period."""
    data = entry.data
    assert isinstance(data, LookBackHeld)
    over = period(data.period.from_, data.period.to)
    return _impression(
        chart,
        entry,
        "Look back",
        summary=data.summary,
        effectiveDateTime=None,
        effectivePeriod=over,
    )
