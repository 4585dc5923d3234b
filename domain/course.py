"""Course: relapse, setback, plateau, resistance, life events, focus, safety, observations, insights."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from domain.entry import Entry, EntryData, recorded
from domain.errors import InvalidDataError, Problem, TransitionError
from domain.fields import Line, ManyRule, New, Ref, Scale, Text
from domain.goals import GoalMention, GoalRef, Score
from domain.opening import ConcernMention
from domain.parts import Part, Parts, Section, short

if TYPE_CHECKING:
    from domain.state import PlanState

NewLifeEvent = Annotated[str, New("life_event")]
LifeEventRef = Annotated[str, Ref("life_event")]
FocusKind = Literal[
    "practical", "reflective", "coping", "deep_work", "grief", "crisis", "skills", "space_to_think"
]


@dataclass(slots=True, kw_only=True)
class Relapse(Part):
    """Something resurfaced; it calls for immediate re-evaluation, which a review closes."""

    entry_id: str
    what_resurfaced: str
    severity: str
    goal_ids: tuple[str, ...]
    concern_ids: tuple[str, ...]
    onset_on: date | None
    triggers: tuple[str, ...]
    indicators: str | None
    noted_at: datetime
    status: str = "open"
    reviewed_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Raised(Part):
    """Something raised that wants an answer: a plateau, resistance, a safety concern."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"touched", "said", "answered"})

    entry_id: str
    said: dict[str, Any]
    raised_at: datetime
    status: str = "open"
    answered: dict[str, Any] | None = None
    answered_at: datetime | None = None

    def document(self) -> dict[str, Any]:
        """What was raised, and how it was answered."""
        shown = Part.document(self)
        return {"entry_id": shown.pop("entry_id"), **self.said, **shown, **(self.answered or {})}

    def close(self, entry: Entry, **answered: Any) -> None:
        """It is answered (the part must have been taken for writing)."""
        self.status, self.answered_at, self.answered = "answered", entry.occurred_at, answered


@dataclass(slots=True, kw_only=True)
class LifeEvent(Part):
    """Something that happened in the client's life and weighs on the work."""

    life_event_id: str
    kind: str
    summary: str
    impact: str
    affected_goal_ids: tuple[str, ...]
    since: datetime
    status: str = "present"
    eased_at: datetime | None = None
    eased: str | None = None


@dataclass(slots=True, kw_only=True)
class Focus(Part):
    """What the sessions are about at present."""

    focus: str | None = None
    focus_in_words: str | None = None
    focus_since: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Note(Part):
    """A note of the course, newest kept in the plan, all in the timeline."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"touched", "said"})

    entry_id: str
    at: datetime
    said: dict[str, Any]

    def document(self) -> dict[str, Any]:
        """The note with its words as fields."""
        return {**Part.document(self), **self.said}


class Course(Section):
    """How it goes: uneven, and that is information, not failure."""

    FLAT = frozenset({"focus"})

    def __init__(self) -> None:
        self.focus = Focus()
        self.relapses: Parts[Relapse] = Parts()
        self.setbacks: Parts[Note] = Parts()
        self.plateaus: Parts[Raised] = Parts()
        self.resistances: Parts[Raised] = Parts()
        self.life_events: Parts[LifeEvent] = Parts()
        self.safety_concerns: Parts[Raised] = Parts()
        self.observations: Parts[Note] = Parts()
        self.self_reports: Parts[Note] = Parts()
        self.insights: Parts[Note] = Parts()
        self.scores: Parts[Score] = Parts(keyed=True)

    def note(self, group: Parts[Note], entry: Entry, **said: Any) -> None:
        """Keep a note in its group."""
        held = Note(entry_id=entry.entry_id, at=entry.occurred_at, said=said)
        group.add_newest(entry.entry_id, held, entry)

    def raise_(self, group: Parts[Raised], entry: Entry, **said: Any) -> None:
        """Keep something raised until it is answered, and after."""
        held = Raised(entry_id=entry.entry_id, said=said, raised_at=entry.occurred_at)
        group.add(entry.entry_id, held, entry)


def require_open(group: Parts[Raised], entry_id: str, field: str) -> None:
    """Refuse to answer the same thing twice."""
    if group[entry_id].status != "open":
        raise TransitionError("That is answered already.", f"/data/{field}")


@recorded("plan.relapse-noted")
class RelapseNoted(EntryData):
    """Something resurfaced. A fact, not a failure; it opens a re-evaluation, due at once."""

    what_resurfaced: Text
    goal_ids: Annotated[tuple[GoalMention, ...], ManyRule(most=20)] = ()
    concern_ids: Annotated[tuple[ConcernMention, ...], ManyRule(most=20)] = ()
    severity: Literal["mild", "moderate", "severe"]
    onset_on: date | None = None
    triggers: Annotated[tuple[Line, ...], ManyRule(most=20)] = ()
    indicators: Text | None = None

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """It did not begin after it was noticed."""
        if self.onset_on is not None and self.onset_on > entry.occurred_at.date():
            detail = "Lies after the relapse was noted; give the day it began."
            raise InvalidDataError([Problem("/data/onset_on", detail)])

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """A re-evaluation is owed; the goals named are at risk."""
        held = Relapse(
            entry_id=entry.entry_id,
            what_resurfaced=self.what_resurfaced,
            severity=self.severity,
            goal_ids=self.goal_ids,
            concern_ids=self.concern_ids,
            onset_on=self.onset_on,
            triggers=self.triggers,
            indicators=self.indicators,
            noted_at=entry.occurred_at,
        )
        plan.course.relapses.add(entry.entry_id, held, entry)
        for goal_id in self.goal_ids:
            if plan.goals.get(goal_id):
                goal = plan.goals.edit(goal_id, entry)
                goal.at_risk_from = (*goal.at_risk_from, entry.entry_id)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"A {self.severity} relapse was noted: {short(self.what_resurfaced)}."


@recorded("plan.setback-noted")
class SetbackNoted(EntryData):
    """A step back, noted neutrally; it opens nothing."""

    what: Text
    meaning: Annotated[Text | None, "What it may tell us."] = None

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The note is kept."""
        plan.course.note(plan.course.setbacks, entry, what=self.what, meaning=self.meaning)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"A setback: {short(self.what)}."


@recorded("plan.plateau-noted")
class PlateauNoted(EntryData):
    """A goal has stayed where it is for a while."""

    goal_id: GoalRef
    window: Annotated[Line, "Since when or over which period, e.g. the last six weeks."]
    detected_by: Literal["therapist", "client", "measures"]

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """An answer is owed."""
        plan.course.raise_(
            plan.course.plateaus,
            entry,
            goal_id=self.goal_id,
            window=self.window,
            detected_by=self.detected_by,
        )

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"A plateau with {plan.goals.named(self.goal_id)} ({self.window})."


@recorded("plan.plateau-answered")
class PlateauAnswered(EntryData):
    """What follows from a plateau."""

    plateau_entry_id: Annotated[str, Ref("PlateauNoted")]
    answer: Literal["adjust", "go_deeper", "wait", "review"]
    note: Text | None = None

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """A plateau is answered once."""
        require_open(plan.course.plateaus, self.plateau_entry_id, "plateau_entry_id")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """Nothing is owed any more."""
        held = plan.course.plateaus.edit(self.plateau_entry_id, entry)
        held.close(entry, answer=self.answer, note=self.note)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"The plateau was answered: {self.answer.replace('_', ' ')}."


@recorded("plan.resistance-noted")
class ResistanceNoted(EntryData):
    """Something in the client holds back; that is worth understanding."""

    PRIVATE = True

    about: Line
    reason: Literal["fear", "habit", "not_ready", "disagreement", "unknown"]
    words: Text | None = None

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """It is to be explored."""
        plan.course.raise_(
            plan.course.resistances, entry, about=self.about, reason=self.reason, words=self.words
        )

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"Holding back was noticed about {self.about} ({self.reason.replace('_', ' ')})."


@recorded("plan.resistance-explored")
class ResistanceExplored(EntryData):
    """What was understood about the holding back."""

    PRIVATE = True

    resistance_entry_id: Annotated[str, Ref("ResistanceNoted")]
    understanding: Text

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """It is closed once."""
        require_open(plan.course.resistances, self.resistance_entry_id, "resistance_entry_id")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """It is understood for now."""
        held = plan.course.resistances.edit(self.resistance_entry_id, entry)
        held.close(entry, understanding=self.understanding)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"The holding back was explored: {short(self.understanding)}."


@recorded("plan.life-event-noted")
class LifeEventNoted(EntryData):
    """Life happens: something that may pause goals or shift the focus."""

    life_event_id: NewLifeEvent = ""
    kind: Literal[
        "job", "relationship", "bereavement", "health", "trauma", "crisis", "housing", "other"
    ]
    summary: Text
    impact: Literal["low", "medium", "high"]
    affected_goal_ids: Annotated[tuple[GoalMention, ...], ManyRule(most=20)] = ()

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """It is present."""
        held = LifeEvent(
            life_event_id=self.life_event_id,
            kind=self.kind,
            summary=self.summary,
            impact=self.impact,
            affected_goal_ids=self.affected_goal_ids,
            since=entry.occurred_at,
        )
        plan.course.life_events.add(self.life_event_id, held, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"A life event ({self.kind}, {self.impact} impact): {short(self.summary)}."


@recorded("plan.life-event-eased")
class LifeEventEased(EntryData):
    """A life event weighs less."""

    life_event_id: LifeEventRef
    summary: Text | None = None

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """It eases once."""
        if plan.course.life_events[self.life_event_id].status != "present":
            raise TransitionError("That life event has eased already.", "/data/life_event_id")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """It has eased."""
        held = plan.course.life_events.edit(self.life_event_id, entry)
        held.status, held.eased_at, held.eased = "eased", entry.occurred_at, self.summary

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        held = plan.course.life_events.get(self.life_event_id)
        return f"The life event{f' {short(held.summary, 60)}' if held else ''} has eased."

    def ends(self) -> tuple[str, ...]:
        """The life event."""
        return (self.life_event_id,)


@recorded("plan.focus-shifted")
class FocusShifted(EntryData):
    """The sessions turn to something else."""

    WHY = True

    from_: Annotated[FocusKind | None, "Where the focus was, when it is worth saying."] = None
    to: FocusKind
    in_words: Annotated[Line | None, "What they turn to, where the list does not say it."] = None

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The focus is the new one."""
        held = plan.course.focus.edit(entry)
        held.focus, held.focus_since = self.to, entry.occurred_at
        held.focus_in_words = self.in_words

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        came = f" from {self.from_.replace('_', ' ')}" if self.from_ else ""
        words = f": {short(self.in_words)}" if self.in_words else ""
        return f"The focus turned{came} to {self.to.replace('_', ' ')}{words}."


@recorded("plan.safety-concern-noted")
class SafetyConcernNoted(EntryData):
    """A concern for someone's safety and what was done at once; a high one needs a review in a day."""

    concern: Text
    level: Literal["low", "medium", "high"]
    actions_taken: Text

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """It is open."""
        plan.course.raise_(
            plan.course.safety_concerns,
            entry,
            concern=self.concern,
            level=self.level,
            actions_taken=self.actions_taken,
        )

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"A {self.level} safety concern: {short(self.concern)}."


@recorded("plan.safety-concern-resolved")
class SafetyConcernResolved(EntryData):
    """A safety concern no longer stands."""

    safety_entry_id: Annotated[str, Ref("SafetyConcernNoted")]
    summary: Text

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """It is resolved once."""
        require_open(plan.course.safety_concerns, self.safety_entry_id, "safety_entry_id")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """It is resolved."""
        held = plan.course.safety_concerns.edit(self.safety_entry_id, entry)
        held.close(entry, summary=self.summary)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"The safety concern was resolved: {short(self.summary)}."


@recorded("plan.observation-recorded")
class ObservationRecorded(EntryData):
    """What the therapist sees."""

    PRIVATE = True

    kind: Literal["pattern", "deeper_issue", "readiness", "strength", "other"]
    text: Text

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The note is kept."""
        plan.course.note(plan.course.observations, entry, kind=self.kind, text=self.text)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"Observed ({self.kind.replace('_', ' ')}): {short(self.text)}."


@recorded("plan.self-report-recorded")
class SelfReportRecorded(EntryData):
    """What the client tells of their time, with their mood from 0 to 10."""

    text: Text
    mood: Scale | None = None

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The note is kept."""
        plan.course.note(plan.course.self_reports, entry, text=self.text, mood=self.mood)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        mood = f" (mood {self.mood} of 10)" if self.mood is not None else ""
        return f"In the client's own words{mood}: {short(self.text)}."


@recorded("plan.insight-shared")
class InsightShared(EntryData):
    """A breakthrough."""

    text: Text
    goal_ids: Annotated[tuple[GoalMention, ...], ManyRule(most=20)] = ()

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The note is kept."""
        plan.course.note(plan.course.insights, entry, text=self.text, goal_ids=list(self.goal_ids))

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"An insight: {short(self.text)}."
