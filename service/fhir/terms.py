"""FHIR's words: code systems, and the small shapes that resources are made of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from domain.fields import plain_moment

Resource = dict[str, Any]

ENTRY_TYPE = "urn:plan-history:entry-type"
MEMBER = "urn:plan-history:member"
REASON = "urn:plan-history:reason-code"
CONTENT_HASH = "urn:plan-history:content-sha256"
HL7 = "http://terminology.hl7.org/CodeSystem/"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
SIGNATURE = "urn:iso-astm:E1762-95:2013"

INSTRUMENTS: dict[str, tuple[str, str]] = {
    "phq9": ("44261-6", "Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]"),
    "gad7": ("70274-6", "Generalized anxiety disorder 7 item (GAD-7) total score [Reported.PHQ]"),
}
"""LOINC's codes of the totals, by instrument."""


def concept(text: str | None = None, *codings: Resource) -> Resource:
    """A CodeableConcept."""
    return given(coding=list(codings), text=text)


def coding(system: str, code: str, display: str | None = None) -> Resource:
    """A Coding."""
    return given(system=system, code=code, display=display)


def coded(system: str, code: str, text: str | None = None) -> Resource:
    """A CodeableConcept of one code of an HL7 code system, by its short name."""
    return concept(text, coding(HL7 + system, code))


def given(**held: Any) -> Resource:
    """What there is of ``held``: FHIR knows neither nulls nor empty lists. ``class_`` is ``class``."""
    return {
        name.rstrip("_"): value
        for name, value in held.items()
        if value is not None and value not in ("", [], {}, ())
    }


def moment(at: datetime | None) -> str | None:
    """An instant."""
    return plain_moment(at) if at else None


def day(on: date | None) -> str | None:
    """A date."""
    return on.isoformat() if on else None


def period(start: datetime | date | None, end: datetime | date | None = None) -> Resource:
    """A Period; moments and days may both stand in it."""
    return given(start=_point(start), end=_point(end))


def _point(at: datetime | date | None) -> str | None:
    return moment(at) if isinstance(at, datetime) else day(at)


def note(text: str | None, at: datetime | None = None) -> list[Resource]:
    """An Annotation, or none when there are no words; shaped for joining lists."""
    return [given(time=moment(at), text=text)] if text else []


def notes(*words: tuple[str, str | None]) -> list[Resource]:
    """Annotations of labelled words; those without words are left out."""
    return [{"text": f"{label}: {text}"} for label, text in words if text]


def quantity(value: float, unit: str | None = None, code: str | None = None) -> Resource:
    """A Quantity; with ``code`` in UCUM."""
    plain = int(value) if float(value).is_integer() and abs(value) < 1e15 else value
    return given(value=plain, unit=unit, system=UCUM if code else None, code=code)


def joined(parts: Iterable[str | None], between: str = "\n") -> str | None:
    """The parts there are as one text, or None."""
    return between.join(filter(None, parts)) or None


def spoken(choice: str | None) -> str | None:
    """One of the record's choices, as people write it."""
    return choice.replace("_", " ") if choice else None
