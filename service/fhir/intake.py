"""FHIR resources become the entries of a plan: what is understood, in the order in which it happened.

A plan claims nothing the file does not say: no consent, no agreement, no direction of a measure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast
from uuid import uuid4

from domain.course import ObservationRecorded
from domain.goals import Instrument, MeasureRecorded
from domain.lifecycle import PlanCompleted, PlanDiscontinued, PlanPaused
from domain.opening import ConcernIdentified, ConcernResolved, PlanOpened
from service.fhir.intake_goals import read_goal
from service.fhir.reading import Reading, draft
from service.fhir.source import Source, cut
from service.fhir.terms import INSTRUMENTS, LOINC
from service.recording import Draft

UNSAID = "Not said in the imported file."
CERTAINTY = {
    "confirmed": "settled",
    "provisional": "working",
    "differential": "working",
    "unconfirmed": "tentative",
}
OVER = frozenset({"resolved", "remission", "inactive"})
MEASURED = frozenset({"final", "amended", "corrected", "preliminary"})
RECORD_NUMBER = "MR"
"""HL7's code for the number by which an institution knows a patient."""


class Intake(Reading):
    """Reads a plan: its opening, concerns, goals, measured values, and how it stands."""

    def read(self, client_ref: str | None = None) -> tuple[Draft, list[Draft]]:
        """The opening and everything after it."""
        opening = self._opening(client_ref)
        for source in self.of("Condition"):
            self._concern(source)
        goals = list(self.of("Goal"))
        for source in goals:
            read_goal(self, source)
        for source in self.of("Observation"):
            self._observation(source, goals)
        self.drafts += self.last
        self._status()
        noted = [text for source in self.everything() for text in source.notes()]
        self.drafts += [draft(ObservationRecorded(kind="other", text=text)) for text in noted]
        drafts = [*self.drafts, *self.end]
        dated = [held.occurred_at for held in drafts if held.occurred_at]
        if opening.occurred_at is None and dated:
            opening = replace(opening, occurred_at=min(dated))
        return opening, drafts

    # The plan itself

    def _opening(self, client_ref: str | None) -> Draft:
        held = self.plan
        began = held.past("period.start", self.now) or held.past("created", self.now)
        if held.kind == "CarePlan" and (intent := held.take("intent")) != "plan":
            held.found("intent", "taken as a plan", intent)
        patient = self._patient()
        ref = client_ref or self._known_as(patient)
        label = _name(patient) or held.words("subject.display") or ref or "Imported"
        concern = held.words("description") or held.words("title")
        data = PlanOpened(
            client_ref=cut(ref or str(uuid4()), 120),
            client_label=cut(label, 200),
            initiated_by="An imported file",
            presenting_concern=concern or UNSAID,
            hopes=UNSAID,
            signs_of_improvement=UNSAID,
            therapist_id=self.therapist_id,
        )
        if ref is None:
            held.found("", "the client is not in the file; the plan has a reference of its own")
        for name in ("presenting_concern", "hopes", "signs_of_improvement"):
            if getattr(data, name) == UNSAID:
                held.found("", f"{name} is not in the file: “{UNSAID}”")
        return draft(data, began)

    def _patient(self) -> Source | None:
        found = self.sources.get(self.plan.named(self.plan.look("subject")))
        if found is None or found.kind != "Patient" or found.closed:
            return None
        return found

    def _known_as(self, patient: Source | None) -> str | None:
        """The client's reference: their record number, else another identifier, else what the plan says."""
        if patient is not None:
            self.plan.take("subject.reference")
            numbers = [path for path, _ in patient.many("identifier")]
            kinds = {path: patient.code(f"{path}.type") for path in numbers}
            numbers.sort(key=lambda path: kinds[path] != RECORD_NUMBER)
            found = (patient.words(f"{path}.value", 120) for path in numbers)
            return next(filter(None, found), None) or patient.name
        for path in ("subject.identifier.value", "subject.reference", "subject.display"):
            if said := self.plan.words(path, 120):
                self.plan.found(path, "the client is not in the file, and known by this", said)
                return said
        return None

    def _status(self) -> None:
        """Where the plan stands; that it was agreed is for client and clinician to say."""
        if self.plan.kind != "CarePlan":
            return
        status = self.plan.take("status")
        ended = self.plan.past("period.end", self.now)
        if status == "on-hold":
            self.drafts.append(draft(PlanPaused()))
        elif status == "completed":
            self.end = [draft(PlanCompleted(outcome="other", summary=UNSAID), ended)]
        elif status == "revoked":
            self.end = [draft(PlanDiscontinued(), ended, "“revoked” in the imported file")]
        elif status != "draft":
            self.plan.found("status", "taken as draft until it is agreed or signed", status)
        for path in ("goal", "addresses"):
            for _ in self.referred(self.plan, path):
                pass  # what the plan refers to is in it

    # What belongs to it

    def _concern(self, source: Source) -> None:
        certainty, status = source.code("verificationStatus"), source.code("clinicalStatus")
        words = source.concept("code") if certainty != "refuted" else None
        if words is None:
            return
        concern_id = self.new(source)
        source.take("subject.reference")
        data = ConcernIdentified(
            concern_id=concern_id,
            description=words,
            certainty=cast("Any", CERTAINTY.get(certainty or "", "tentative")),
        )
        source.take_code("verificationStatus")
        self.drafts.append(draft(data, source.past("recordedDate", self.now)))
        source.take_code("clinicalStatus")
        if status in OVER:
            ended = source.past("abatementDateTime", self.now)
            told = ConcernResolved(concern_id=concern_id, summary=f"{status} in the imported file")
            self.last.append(draft(told, ended))
        elif status not in (None, "active"):
            source.found("clinicalStatus", "taken as open", status)

    def _observation(self, source: Source, goals: list[Source]) -> None:
        path = "valueInteger" if source.look("valueInteger") is not None else "valueQuantity"
        value = source.number("valueInteger" if path == "valueInteger" else "valueQuantity.value")
        goal_id = next(
            (self.things[held.name] for held in goals if self._outcome(held, source)), None
        )
        instrument = _instrument(source)
        status = source.code("status")
        if value is None or not (goal_id or instrument) or status not in MEASURED:
            return
        if status == "preliminary":
            source.found("status", "taken as measured", status)
        unit = source.words("valueQuantity.unit", 200) if not instrument else None
        for taken in (path, "status", "subject.reference"):
            source.take(taken)
        data = MeasureRecorded(
            goal_id=goal_id,
            instrument=cast("Instrument | None", instrument),
            value=value,
            unit=unit,
            by="instrument" if instrument else "therapist",
        )
        at = source.past("effectiveDateTime", self.now) or source.past("issued", self.now)
        self.drafts.append(draft(data, at))

    def _outcome(self, goal: Source, source: Source) -> bool:
        """Whether an Observation is an outcome of a goal that is in the plan."""
        named = {goal.named(held) for _, held in goal.many("outcomeReference")}
        return goal.name in self.things and source.name in named


def _name(patient: Source | None) -> str | None:
    """What a patient is called: as a whole, or put together from the parts."""
    if patient is None:
        return None
    if whole := patient.words("name[0].text", 200):
        return whole
    given = [patient.words(path, 100) for path, _ in patient.many("name[0].given")]
    return " ".join(filter(None, [*given, patient.words("name[0].family", 100)])) or None


def _instrument(source: Source) -> str | None:
    """Which questionnaire an Observation is the total of; its coding is understood then."""
    for path, held in source.many("code.coding"):
        if isinstance(held, dict) and held.get("system") == LOINC:
            for name, (code, _) in INSTRUMENTS.items():
                if held.get("code") == code:
                    source.take(path)
                    return name
    return None
