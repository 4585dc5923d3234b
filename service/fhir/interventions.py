"""Interventions as ServiceRequests; what the client says of them as Communications."""

from __future__ import annotations

from typing import Any

from domain.alliance import MismatchDiscussed, MismatchRaised
from domain.consents import ConsentRecorded, DisclosureMade
from domain.entry import Entry
from domain.interventions import (
    DiscomfortAnswered,
    DiscomfortVoiced,
    FeedbackGiven,
    Intervention,
    InterventionAgreed,
    InterventionDeclined,
    InterventionSwapped,
)
from domain.signatures import PlanDisagreed
from service.fhir.chart import Chart
from service.fhir.terms import (
    ENTRY_TYPE,
    HL7,
    Resource,
    coding,
    concept,
    given,
    joined,
    moment,
    notes,
    period,
    spoken,
)

STATUS = {
    "active": "active",
    "paused": "on-hold",
    "swapped": "revoked",
    "ended": "completed",
}


def service_request(chart: Chart, entry: Entry) -> Resource:
    """An intervention as it stands; a swap replaces the one before it."""
    data = entry.data
    assert isinstance(data, (InterventionAgreed, InterventionSwapped))
    agreed = data.to if isinstance(data, InterventionSwapped) else data
    held = chart.state.interventions[agreed.intervention_id]
    replaced = chart.about("ServiceRequest", held.swapped_from)
    return given(
        basedOn=[chart.care_plan],
        replaces=[replaced] if replaced else None,
        status=STATUS[held.status],
        intent="plan",
        category=[concept(held.in_words or spoken(held.orientation))],
        code=concept(held.technique),
        orderDetail=[concept(spoken(held.format))],
        subject=chart.subject,
        occurrenceTiming={"code": concept(held.frequency)} if held.frequency else None,
        authoredOn=moment(held.since),
        requester=_requester(chart, entry),
        supportingInfo=chart.each("Goal", held.goal_ids),
        note=_notes(held),
    )


def _requester(chart: Chart, entry: Entry) -> Resource:
    return chart.author(entry.recorded_by)


def _notes(held: Intervention) -> list[Resource]:
    consent = held.consent
    given_ = "given" if consent.given else "not given"
    return notes(
        ("Rationale", held.rationale),
        (
            "Consent",
            joined([f"{given_}, explained by {consent.explained_by}", consent.limits], "; "),
        ),
        ("Reason for its status", held.why),
        ("Decided with", spoken(held.decided_with)),
        ("Over since", moment(held.ended_at)),
    )


def _communication(chart: Chart, entry: Entry, sender: Resource, *texts: str | None) -> Resource:
    """What every Communication made of an entry has."""
    return given(
        basedOn=[chart.care_plan],
        status="completed",
        category=[concept(None, coding(ENTRY_TYPE, entry.type))],
        subject=chart.subject,
        sent=moment(entry.occurred_at),
        sender=sender,
        payload=[{"contentString": text} for text in texts if text],
    )


def _from_client(chart: Chart, entry: Entry) -> Resource:
    return chart.voice(entry.voiced_by or "client", entry)


def discomfort(chart: Chart, entry: Entry) -> Resource:
    """Words of discomfort with an intervention."""
    data = entry.data
    assert isinstance(data, DiscomfortVoiced)
    felt = None if data.intensity is None else f"{data.intensity} of 10"
    return {
        **_communication(chart, entry, _from_client(chart, entry), data.words),
        **given(
            topic=concept("Discomfort with an intervention"),
            about=chart.each("ServiceRequest", [data.intervention_id]),
            note=notes(("Intensity", felt)),
        ),
    }


def discomfort_answer(chart: Chart, entry: Entry) -> Resource:
    """How a discomfort was answered."""
    data = entry.data
    assert isinstance(data, DiscomfortAnswered)
    sender = chart.author(entry.recorded_by)
    return {
        **_communication(chart, entry, sender, data.note),
        **given(
            topic=concept(f"Discomfort answered: {spoken(data.answer)}"),
            inResponseTo=chart.each("Communication", [data.discomfort_entry_id]),
        ),
    }


def feedback(chart: Chart, entry: Entry) -> Resource:
    """What the client finds useful or not."""
    data = entry.data
    assert isinstance(data, FeedbackGiven)
    return {
        **_communication(chart, entry, _from_client(chart, entry), data.words),
        **given(topic=concept(f"Feedback on {data.about}"), note=notes(("Useful", data.useful))),
    }


def declined(chart: Chart, entry: Entry) -> Resource:
    """An intervention was offered and not wanted."""
    data = entry.data
    assert isinstance(data, InterventionDeclined)
    why = entry.reason.text if entry.reason else None
    school = data.in_words or spoken(data.orientation)
    return {
        **_communication(chart, entry, _from_client(chart, entry), why),
        **given(
            topic=concept(f"Intervention declined: {data.technique}"),
            note=notes(("Orientation", school)),
        ),
    }


def mismatch(chart: Chart, entry: Entry) -> Resource:
    """Client and therapist may not fit in some respect."""
    data = entry.data
    assert isinstance(data, MismatchRaised)
    sender = chart.voice(data.raised_by, entry)
    return {
        **_communication(chart, entry, sender, data.words),
        **given(topic=concept(f"Mismatch: {data.dimension}")),
    }


def mismatch_talk(chart: Chart, entry: Entry) -> Resource:
    """A mismatch was talked about."""
    data = entry.data
    assert isinstance(data, MismatchDiscussed)
    return {
        **_communication(chart, entry, chart.author(entry.recorded_by), data.note),
        **given(
            topic=concept(f"Mismatch talked about; outcome: {data.outcome}"),
            inResponseTo=chart.each("Communication", [data.mismatch_entry_id]),
        ),
    }


def disagreement(chart: Chart, entry: Entry) -> Resource:
    """The client does not agree with a version of the plan."""
    data = entry.data
    assert isinstance(data, PlanDisagreed)
    return {
        **_communication(chart, entry, chart.voice(data.by, entry), data.what, data.statement),
        **given(topic=concept("Disagreement with the plan"), about=[chart.whole(data.of_version)]),
    }


def disclosure(chart: Chart, entry: Entry) -> Resource:
    """Something of the plan was told to somebody outside."""
    data = entry.data
    assert isinstance(data, DisclosureMade)
    return {
        **_communication(chart, entry, chart.author(entry.recorded_by), data.what),
        **given(
            topic=concept("Disclosure"),
            recipient=[{"display": data.recipient}],
            reasonCode=[concept(data.purpose)],
            note=notes(("Address", data.address), ("Legal basis", data.legal_basis)),
        ),
    }


def consent(chart: Chart, entry: Entry) -> Resource:
    """The client consents to somebody seeing something of the plan, or has taken that back."""
    data = entry.data
    assert isinstance(data, ConsentRecorded)
    held = chart.state.consents.consents[data.consent_id]
    actor: list[Any] = [
        {
            "role": concept(None, coding(f"{HL7}v3-ParticipationType", "IRCP")),
            "reference": {"display": data.recipient},
        }
    ]
    return given(
        status="active" if held.status == "given" else "inactive",
        scope=concept(None, coding(f"{HL7}consentscope", "patient-privacy")),
        category=[concept(None, coding("http://loinc.org", "59284-0", "Consent Document"))],
        patient=chart.subject,
        dateTime=moment(entry.occurred_at),
        policyRule=concept(data.scope),
        provision=given(
            type="permit",
            period=period(held.since, held.revoked_at or held.expires_on),
            actor=actor if data.recipient else None,
        ),
    )
