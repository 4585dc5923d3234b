"""What was seen, said and lived through, as Observations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.course import LifeEventNoted
from domain.entry import Entry
from domain.fields import fields_of
from service.fhir.chart import Chart
from service.fhir.terms import (
    ENTRY_TYPE,
    Resource,
    coded,
    coding,
    concept,
    given,
    joined,
    moment,
    notes,
    period,
    spoken,
)


def observation(
    chart: Chart, entry: Entry, title: str, note: str | None = None, category: str = "therapy"
) -> Resource:
    """What every Observation made of an entry has."""
    status = "corrected" if entry.sources else "final"
    return given(
        status=status,
        category=[coded("observation-category", category)],
        code=concept(title, coding(ENTRY_TYPE, entry.type)),
        subject=chart.subject,
        effectiveDateTime=moment(entry.occurred_at),
        issued=moment(entry.recorded_at),
        performer=[performer(chart, entry)],
        note=notes(*([("Note", note)] if note else [])),
    )


def performer(chart: Chart, entry: Entry) -> Resource:
    """Who an Observation is by: the person whose words it is in, else who recorded it."""
    voiced = chart.voice(entry.voiced_by, entry) if entry.voiced_by else {}
    recorder = chart.author(entry.recorded_by)
    known = (who for who in (voiced, recorder) if "reference" in who)
    return next(known, {"display": entry.recorded_by.name})


def said(
    title: str,
    value: str = "",
    *,
    number: str = "",
    goals: str = "",
    category: str = "therapy",
) -> Any:
    """A builder for an entry that is words: ``value`` names the field that is the Observation's value.

    ``number``: a whole-number field that is the value instead; ``goals``: the field with the goals it
    is about. Every other field becomes a component, so that nothing said is lost.
    """

    def build(chart: Chart, entry: Entry) -> Resource:
        data = entry.data
        held = {spec.key: _plain(getattr(data, spec.name)) for spec in fields_of(type(data))}
        shown = observation(chart, entry, title, category=category)
        apart = {value, number, goals}
        main = held.get(number) if number else None
        text = held.get(value)
        if main is not None:
            shown["valueInteger"] = main
            shown["note"] = notes(("Note", text))
        else:
            shown["valueString"] = text
        goal_ids = held.get(goals)
        shown["focus"] = chart.each("Goal", goal_ids if isinstance(goal_ids, list) else [goal_ids])
        shown["component"] = [
            {"code": concept(str(spoken(name))), **_value(said_)}
            for name, said_ in held.items()
            if name not in apart
            and said_ not in (None, "", [])
            and not name.endswith(("_id", "_ids"))
        ]
        return given(**shown)

    return build


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _value(said_: Any) -> Resource:
    if isinstance(said_, bool):
        return {"valueBoolean": said_}
    if isinstance(said_, int):
        return {"valueInteger": said_}
    if isinstance(said_, list):
        return {"valueString": ", ".join(map(str, said_))}
    return {"valueString": str(said_)}


def raised(title: str, value: str, group: str, *, goals: str = "") -> Any:
    """A builder for what was raised and, perhaps, answered later; ``group`` is its place in the course."""
    build_said = said(title, value, goals=goals)

    def build(chart: Chart, entry: Entry) -> Resource:
        shown: Resource = build_said(chart, entry)
        part = getattr(chart.state.course, group).get(entry.entry_id)
        answered = part.answered if part else None
        if answered:
            words = [
                (f"Answered ({spoken(name)})", str(held)) for name, held in answered.items() if held
            ]
            shown["note"] = [*shown.get("note", []), *notes(*words)]
        return shown

    return build


def life_event(chart: Chart, entry: Entry) -> Resource:
    """A life event: from when it weighs until it has eased."""
    data = entry.data
    assert isinstance(data, LifeEventNoted)
    part = chart.state.course.life_events[data.life_event_id]
    shown = observation(chart, entry, f"Life event: {data.kind}", category="social-history")
    shown.pop("effectiveDateTime")
    eased: datetime | None = part.eased_at
    return given(
        **shown,
        effectivePeriod=period(part.since, eased),
        valueString=data.summary,
        focus=chart.each("Goal", data.affected_goal_ids),
        component=[{"code": concept("Impact"), "valueString": data.impact}],
    ) | ({"note": notes(("Eased", joined([part.eased]) or "yes"))} if eased else {})
