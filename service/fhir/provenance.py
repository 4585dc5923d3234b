"""Every entry as a Provenance: who recorded what, when it was true, in whose words, and why."""

from __future__ import annotations

from domain.entry import Entry, created_ids, references
from domain.fold import AMENDING
from domain.record import EntryMarkedInError
from domain.signatures import PlanAgreed, PlanCosigned, PlanReturned, PlanSigned
from service.fhir.chart import Chart
from service.fhir.terms import (
    CONTENT_HASH,
    REASON,
    SIGNATURE,
    Resource,
    coded,
    coding,
    concept,
    given,
    moment,
)

AUTHOR, REVIEW, VERIFICATION, CONSENT = ("1", "13", "5", "7")
_MEANINGS = {
    AUTHOR: "Author's Signature",
    REVIEW: "Review Signature",
    VERIFICATION: "Verification Signature",
    CONSENT: "Consent Signature",
}


def provenance(chart: Chart, entry: Entry) -> Resource:
    """The Provenance of an entry as it was recorded; it never changes."""
    return given(
        target=_targets(chart, entry),
        occurredDateTime=moment(entry.occurred_at),
        recorded=moment(entry.recorded_at),
        reason=_reason(entry),
        activity=coded("v3-DataOperation", _activity(entry), entry.type),
        agent=_agents(chart, entry),
        entity=_sources(chart, entry),
        signature=_signature(chart, entry),
    )


def _targets(chart: Chart, entry: Entry) -> list[Resource]:
    """The plan at that version, and what of it the entry made or changed, at that version."""
    about = [entry.entry_id, *(held for _, held, _ in created_ids(entry))]
    if isinstance(entry.data, AMENDING):
        about.append(entry.data.entry_id)
    about += [held for rule, held, _ in references(entry) if rule.hard]
    found = dict.fromkeys(
        f"{reference['reference']}/_history/{entry.version}"
        for held in about
        for kind in chart.makers
        if (reference := chart.made(kind, held, entry.version))
    )
    return [chart.whole(entry.version), *({"reference": held} for held in found)]


def _activity(entry: Entry) -> str:
    if isinstance(entry.data, EntryMarkedInError):
        return "NULLIFY"
    return "CREATE" if any(created_ids(entry)) or entry.version == 1 else "UPDATE"


def _reason(entry: Entry) -> list[Resource]:
    if isinstance(entry.data, PlanReturned):
        return [concept(entry.data.what_to_change)]
    if entry.reason is None:
        return []
    codes = [coding(REASON, entry.reason.code)] if entry.reason.code else []
    return [concept(entry.reason.text, *codes)]


def _agents(chart: Chart, entry: Entry) -> list[Resource]:
    kind = "verifier" if isinstance(entry.data, PlanCosigned) else "author"
    agents = [_agent(kind, chart.author(entry.recorded_by))]
    if entry.voiced_by:
        agents.append(_agent("informant", chart.voice(entry.voiced_by, entry)))
    return agents


def _agent(kind: str, who: Resource) -> Resource:
    return {"type": coded("provenance-participant-type", kind), "who": who}


def _sources(chart: Chart, entry: Entry) -> list[Resource]:
    """For a signature: the version signed and the hash of its content."""
    if not isinstance(entry.data, PlanSigned):
        return []
    signed = {
        **chart.whole(entry.data.of_version),
        "identifier": {"system": CONTENT_HASH, "value": entry.data.content_hash},
    }
    return [{"role": "source", "what": signed}]


def _signature(chart: Chart, entry: Entry) -> list[Resource]:
    data = entry.data
    who = chart.author(entry.recorded_by)
    if isinstance(data, PlanSigned):
        meaning = AUTHOR if data.meaning == "author" else REVIEW
    elif isinstance(data, PlanCosigned):
        meaning = VERIFICATION
    elif isinstance(data, PlanAgreed):
        meaning, who = CONSENT, chart.voice(data.by, entry)
    else:
        return []
    code = f"1.2.840.10065.1.12.1.{meaning}"
    kind = coding(SIGNATURE, code, _MEANINGS[meaning])
    return [{"type": [kind], "when": moment(entry.occurred_at), "who": who}]
