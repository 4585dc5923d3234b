"""Which search parameters each type of resource has, and what can be brought along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["date", "token", "reference"]


@dataclass(frozen=True)
class Parameter:
    """A search parameter: its kind, and the elements it looks at.

    ``system``: of the codes that stand there alone, as the element's binding says it.
    """

    kind: Kind
    paths: tuple[str, ...]
    system: str = ""


def _date(*paths: str) -> Parameter:
    return Parameter("date", paths)


def _token(*paths: str) -> Parameter:
    return Parameter("token", paths)


def _code(path: str, system: str) -> Parameter:
    return Parameter("token", (path,), f"http://hl7.org/fhir/{system}")


def _reference(*paths: str) -> Parameter:
    return Parameter("reference", paths)


_SUBJECT = {"patient": _reference("subject"), "subject": _reference("subject")}
PARAMETERS: dict[str, dict[str, Parameter]] = {
    "CarePlan": {
        **_SUBJECT,
        "date": _date("period"),
        "status": _code("status", "request-status"),
        "category": _token("category"),
        "goal": _reference("goal"),
        "condition": _reference("addresses"),
        "identifier": _token("identifier"),
        "replaces": _reference("replaces"),
    },
    "Goal": {
        **_SUBJECT,
        "start-date": _date("startDate"),
        "target-date": _date("target.dueDate"),
        "lifecycle-status": _code("lifecycleStatus", "goal-status"),
        "achievement-status": _token("achievementStatus"),
        "category": _token("category"),
    },
    "ServiceRequest": {
        **_SUBJECT,
        "authored": _date("authoredOn"),
        "status": _code("status", "request-status"),
        "category": _token("category"),
        "replaces": _reference("replaces"),
        "based-on": _reference("basedOn"),
    },
    "Task": {
        "patient": _reference("for"),
        "subject": _reference("for"),
        "authored-on": _date("authoredOn"),
        "modified": _date("lastModified"),
        "status": _code("status", "task-status"),
        "code": _token("code"),
        "owner": _reference("owner"),
        "based-on": _reference("basedOn"),
    },
    "ClinicalImpression": {
        **_SUBJECT,
        "date": _date("effectiveDateTime", "effectivePeriod"),
        "status": _code("status", "event-status"),
        "previous": _reference("previous"),
    },
    "Condition": {
        **_SUBJECT,
        "recorded-date": _date("recordedDate"),
        "onset-date": _date("onsetDateTime"),
        "clinical-status": _token("clinicalStatus"),
        "verification-status": _token("verificationStatus"),
        "category": _token("category"),
        "severity": _token("severity"),
    },
    "Flag": {
        **_SUBJECT,
        "date": _date("period"),
        "status": _code("status", "flag-status"),
        "category": _token("category"),
    },
    "Observation": {
        **_SUBJECT,
        "date": _date("effectiveDateTime", "effectivePeriod"),
        "status": _code("status", "observation-status"),
        "category": _token("category"),
        "code": _token("code"),
        "focus": _reference("focus"),
    },
    "Communication": {
        **_SUBJECT,
        "sent": _date("sent"),
        "status": _code("status", "event-status"),
        "category": _token("category"),
        "sender": _reference("sender"),
        "based-on": _reference("basedOn"),
    },
    "Consent": {
        "patient": _reference("patient"),
        "date": _date("dateTime"),
        "status": _code("status", "consent-state-codes"),
        "category": _token("category"),
    },
    "Provenance": {
        "recorded": _date("recorded"),
        "when": _date("occurredDateTime"),
        "target": _reference("target"),
        "agent": _reference("agent.who"),
        "signature-type": _token("signature.type"),
    },
    "Patient": {"identifier": _token("identifier")},
}  # fmt: skip
"""R4's own names, by type of resource, beside ``_id``, ``_lastUpdated``, ``_count`` and ``_include``."""
_SAME_NAMES = {
    "Goal": {"date": "start-date", "status": "lifecycle-status"},
    "ServiceRequest": {"date": "authored"},
    "Task": {"date": "authored-on"},
    "Condition": {"date": "recorded-date", "status": "clinical-status"},
    "Communication": {"date": "sent"},
    "Provenance": {"date": "recorded"},
}
for _kind, _names in _SAME_NAMES.items():  # date and status are understood everywhere
    PARAMETERS[_kind].update({name: PARAMETERS[_kind][own] for name, own in _names.items()})
INCLUDES: dict[str, dict[str, str]] = {
    "CarePlan": {
        "subject": "subject",
        "patient": "subject",
        "goal": "goal",
        "condition": "addresses",
        "activity-reference": "activity.reference",
    },
    "Goal": {"subject": "subject", "patient": "subject"},
    "ServiceRequest": {"subject": "subject", "patient": "subject", "replaces": "replaces"},
    "Task": {"patient": "for", "focus": "focus", "based-on": "basedOn"},
    "Observation": {"subject": "subject", "patient": "subject", "focus": "focus"},
    "Provenance": {"target": "target"},
}
"""What ``_include=<type>:<name>`` follows."""
