"""FHIR resources become the entries of a plan: what is understood, in the order in which it happened.

A plan claims nothing the file does not say: no consent, no agreement, no direction of a measure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

from domain.course import ObservationRecorded
from domain.entry import EntryData, Reason
from domain.goals import (
    GoalAchieved,
    GoalDropped,
    GoalPaused,
    GoalSet,
    Instrument,
    Measure,
    MeasureRecorded,
    ProgressNoted,
)
from domain.lifecycle import PlanCompleted, PlanDiscontinued, PlanPaused
from domain.opening import ConcernIdentified, ConcernResolved, PlanOpened
from service.fhir.source import Source, cut
from service.fhir.terms import INSTRUMENTS, LOINC, Resource
from service.recording import Draft

UNSAID = "Not said in the imported file."
CERTAINTY = {"confirmed": "settled", "provisional": "working", "differential": "working"}
PROGRESS = {"improving": "improving", "worsening": "worsening", "no-change": "unchanged"}
WITHOUT = ("entered-in-error",)


@dataclass
class Intake:
    """One plan while it is read from resources.

    ``sources``: what it is read from, by reference; ``things``: reference → id in the plan.
    """

    plan: Source
    sources: dict[str, Source]
    therapist_id: str
    now: datetime
    drafts: list[Draft] = field(default_factory=list)
    last: list[Draft] = field(default_factory=list)
    end: list[Draft] = field(default_factory=list)
    things: dict[str, str] = field(default_factory=dict)

    def read(self, client_ref: str | None = None) -> tuple[Draft, list[Draft]]:
        """The opening and everything after it."""
        opening = self._opening(client_ref)
        for source in self._of("Condition"):
            self._concern(source)
        goals = list(self._of("Goal"))
        for source in goals:
            self._goal(source)
        for source in self._of("Observation"):
            self._observation(source, goals)
        self.drafts += self.last
        self._status()
        noted = [text for source in self._everything() for text in source.notes()]
        self.drafts += [_draft(ObservationRecorded(kind="other", text=text)) for text in noted]
        drafts = [*self.drafts, *self.end]
        dated = [held.occurred_at for held in drafts if held.occurred_at]
        if opening.occurred_at is None and dated:
            opening = replace(opening, occurred_at=min(dated))
        return opening, drafts

    def _everything(self) -> Iterator[Source]:
        yield self.plan
        yield from (held for held in self.sources.values() if held is not self.plan)

    def _of(self, kind: str) -> Iterator[Source]:
        """The sources of one type; those entered in error are named, and left out."""
        for source in self._everything():
            if source.kind != kind:
                continue
            status = source.look("verificationStatus.coding[0].code") or source.look("status")
            if (source.look("lifecycleStatus") or status) in WITHOUT:
                source.found("", "left out: entered in error")
                source.understood.update(source.resource)
            else:
                yield source

    def _opening(self, client_ref: str | None) -> Draft:
        held = self.plan
        began = self._past(held.moment("period.start") or held.moment("created"))
        if held.kind == "CarePlan":
            held.take("intent")
        subject = held.look("subject.reference") or held.look("subject.display")
        patient = self._patient(subject)
        label = patient.words("name[0].text") if patient else None
        ref = client_ref or (patient.words("identifier[0].value") if patient else None)
        data = PlanOpened(
            client_ref=cut(ref or str(subject or uuid4()), 120),
            client_label=cut(label or held.words("subject.display") or ref or "Imported", 200),
            initiated_by="An imported file",
            presenting_concern=held.words("description") or held.words("title") or UNSAID,
            hopes=UNSAID,
            signs_of_improvement=UNSAID,
            therapist_id=self.therapist_id,
        )
        held.take("subject.reference")
        for name in ("presenting_concern", "hopes", "signs_of_improvement"):
            if getattr(data, name) == UNSAID:
                held.found("", f"{name} is not in the file: “{UNSAID}”")
        return _draft(data, began)

    def _patient(self, reference: Any) -> Source | None:
        found = self.sources.get(str(reference))
        return found if found and found.kind == "Patient" else None

    def _past(self, at: datetime | None) -> datetime | None:
        """A moment that has been; an entry is never dated ahead."""
        return at if at and at <= self.now else None

    def _concern(self, source: Source) -> None:
        words = source.concept("code")
        if words is None:
            return
        certainty = (source.take("verificationStatus.coding[0]") or {}).get("code")
        concern_id = self._new(source)
        source.take("subject.reference")
        began = self._past(source.moment("recordedDate"))
        data = ConcernIdentified(
            concern_id=concern_id,
            description=words,
            certainty=CERTAINTY.get(str(certainty), "tentative"),  # type: ignore[arg-type] # of those three
        )
        self.drafts.append(_draft(data, began))
        status = (source.take("clinicalStatus.coding[0]") or {}).get("code")
        if status in ("resolved", "remission", "inactive"):
            ended = self._past(source.moment("abatementDateTime"))
            told = ConcernResolved(concern_id=concern_id, summary=f"{status} in the imported file")
            self.last.append(_draft(told, ended))

    def _new(self, source: Source) -> str:
        """A new id for what a source becomes."""
        made = self.things[source.name] = str(uuid4())
        return made

    def _goal(self, source: Source) -> None:
        statement = source.concept("description")
        if statement is None:
            return
        goal_id = self._new(source)
        source.take("subject.reference")
        began, start = self._past(source.moment("startDate")), source.day("startDate")
        due = source.day("target[0].dueDate")
        if due is not None and due < (start or (began or self.now).date()):
            source.understood.discard("target[0].dueDate")
            due = None
        data = GoalSet(
            goal_id=goal_id,
            statement=statement,
            measure=self._measure(source),
            start_on=start,
            target_on=due,
            concern_ids=tuple(self._referred(source, "addresses")),
        )
        self.drafts.append(_draft(data, began))
        self._goal_status(source, goal_id)

    def _referred(self, source: Source, path: str) -> Iterator[str]:
        """The ids of what a list of references leads to in this plan."""
        for place, held in source.many(path):
            known = self.things.get(source.named(held))
            if known:
                source.take(f"{place}.reference")
                yield known

    def _measure(self, source: Source) -> Measure | None:
        """The measure, if the file says enough: a target and a beginning with their unit."""
        name, target = source.look("target[0].measure"), source.look("target[0].detailQuantity")
        began = next(
            (
                held.take("valueQuantity")
                for _, reference in source.many("addresses")
                if (held := self.sources.get(source.named(reference)))
                and held.kind == "Observation"
                and held.look("valueQuantity.value") is not None
            ),
            None,
        )
        if not name or not target or not began or not target.get("unit") or "value" not in target:
            return None
        source.take("target[0].detailQuantity")
        called = source.concept("target[0].measure") or "Measured value"
        direction = "decrease" if target["value"] < began["value"] else "increase"
        return Measure(
            name=cut(called, 200),
            unit=cut(target["unit"], 200),
            baseline=float(began["value"]),
            target=float(target["value"]),
            direction="maintain" if target["value"] == began["value"] else cast("Any", direction),
        )

    def _goal_status(self, source: Source, goal_id: str) -> None:
        progress = PROGRESS.get(str(source.look("achievementStatus.coding[0].code")))
        if progress:
            source.take("achievementStatus.coding[0]")
            told = ProgressNoted(
                goal_id=goal_id,
                direction=cast("Any", progress),
                evidence="As the imported file says",
            )
            self.last.append(_draft(told))
        status = source.take("lifecycleStatus")
        since = self._past(source.moment("statusDate"))
        why = source.words("statusReason") or f"“{status}” in the imported file"
        data: EntryData | None = None
        if status == "on-hold":
            data = GoalPaused(goal_id=goal_id)
        elif status == "completed":
            source.take("achievementStatus.coding[0]")
            data = GoalAchieved(goal_id=goal_id, evidence=why)
        elif status in ("cancelled", "rejected"):
            data = GoalDropped(goal_id=goal_id)
        elif status != "active":
            source.found("lifecycleStatus", "taken as active", status)
        if data:
            self.last.append(_draft(data, since, why))

    def _observation(self, source: Source, goals: list[Source]) -> None:
        value = source.look("valueQuantity.value")
        value = source.look("valueInteger") if value is None else value
        goal_id = next(
            (
                self.things[goal.name]
                for goal in goals
                if goal.name in self.things
                and source.name in {goal.named(held) for _, held in goal.many("outcomeReference")}
            ),
            None,
        )
        instrument = _instrument(source.resource)
        if not isinstance(value, int | float) or not (goal_id or instrument):
            return
        at = self._past(source.moment("effectiveDateTime") or source.moment("issued"))
        unit = source.words("valueQuantity.unit") if not instrument else None
        for path in ("valueQuantity", "valueInteger", "status", "subject.reference"):
            source.take(path)
        if instrument:
            source.take("code.coding[0]")
        data = MeasureRecorded(
            goal_id=goal_id,
            instrument=cast("Instrument | None", instrument),
            value=float(value),
            unit=cut(unit, 200) if unit else None,
            by="instrument" if instrument else "therapist",
        )
        self.drafts.append(_draft(data, at))

    def _status(self) -> None:
        """Where the plan stands; that it was agreed is for client and clinician to say."""
        if self.plan.kind != "CarePlan":
            return
        status = self.plan.take("status")
        ended = self._past(self.plan.moment("period.end"))
        if status == "on-hold":
            self.drafts.append(_draft(PlanPaused()))
        elif status == "completed":
            self.end = [_draft(PlanCompleted(outcome="other", summary=UNSAID), ended)]
        elif status == "revoked":
            why = "“revoked” in the imported file"
            self.end = [_draft(PlanDiscontinued(), ended, why)]
        elif status != "draft":
            self.plan.found("status", "taken as draft until it is agreed or signed", status)
        for path in ("goal", "addresses"):
            for _ in self._referred(self.plan, path):
                pass  # what the plan refers to is in it


def _draft(data: EntryData, at: datetime | None = None, why: str | None = None) -> Draft:
    reason = Reason(text=why) if why else None
    return Draft(data=data, occurred_at=at.astimezone(UTC) if at else None, reason=reason)


def _instrument(resource: Resource) -> str | None:
    codes = {
        held.get("code")
        for held in resource.get("code", {}).get("coding", ())
        if held.get("system") == LOINC
    }
    return next((name for name, (code, _) in INSTRUMENTS.items() if code in codes), None)
