"""Interventions: techniques, swaps, discomfort and its answer, consent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from domain.entry import Entry, EntryData, Voice, recorded
from domain.errors import InvalidDataError, Problem, TransitionError
from domain.fields import Line, ManyRule, New, Ref, Scale, Text
from domain.goals import GoalMention
from domain.opening import School
from domain.parts import Part, Parts, Section, short

if TYPE_CHECKING:
    from domain.state import PlanState

NewIntervention = Annotated[str, New("intervention")]
InterventionRef = Annotated[str, Ref("intervention")]
OtherSchool = Annotated[Line | None, "Which orientation ‘other’ stands for."]
Format = Literal["individual", "group", "couple", "family", "phone", "self_guided"]

TECHNIQUES: dict[str, tuple[str, ...]] = {
    "cbt": ("thought record", "behavioural experiment", "exposure"),
    "psychodynamic": ("free association", "dream analysis", "exploring transference"),
    "narrative": ("externalising", "unique outcomes", "re-authoring"),
    "strengths_based": ("applying strengths", "positive identity", "past successes"),
    "dbt": (
        "mindfulness",
        "distress tolerance",
        "emotion regulation",
        "interpersonal effectiveness",
        "skills group",
        "phone coaching",
    ),
    "emdr": ("preparation", "target memories", "bilateral stimulation"),
}
"""Techniques suggested per orientation; any other text is welcome, too."""


@dataclass(frozen=True, kw_only=True)
class Consent:
    """Whether the client agreed after it was explained, by whom, and within which limits."""

    given: bool
    explained_by: Line
    limits: Text | None = None


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What is agreed when an intervention begins."""

    intervention_id: NewIntervention = ""
    technique: Line
    orientation: School
    in_words: OtherSchool = None
    goal_ids: Annotated[tuple[GoalMention, ...], ManyRule(1, 20)]
    frequency: Line | None = None
    format: Format
    rationale: Text | None = None
    consent: Consent


@dataclass(slots=True, kw_only=True)
class Step(Part):
    """One intervention in a lineage of swaps, and why it gave way to the next."""

    intervention_id: str
    technique: str
    swapped_because: str | None = None
    swapped_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Intervention(Part):
    """An intervention as it stands."""

    intervention_id: str
    technique: str
    orientation: str
    in_words: str | None
    goal_ids: tuple[str, ...]
    frequency: str | None
    format: str
    rationale: str | None
    consent: Consent
    status: str = "active"
    since: datetime
    ended_at: datetime | None = None
    why: str | None = None
    swapped_from: str | None = None
    swapped_to: str | None = None
    decided_with: str | None = None
    lineage: tuple[Step, ...] = ()  # from the first of the chain to itself


@dataclass(slots=True, kw_only=True)
class Discomfort(Part):
    """Words of discomfort with an intervention, and the answer they got."""

    entry_id: str
    intervention_id: str
    words: str
    intensity: int | None
    voiced_at: datetime
    status: str = "open"
    answer: str | None = None
    answer_note: str | None = None
    answered_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Feedback(Part):
    """What the client found useful or not."""

    entry_id: str
    about: str
    useful: str
    words: str
    at: datetime


class Interventions(Section):
    """What is being done, by which technique, and how the client finds it."""

    def __init__(self) -> None:
        self.interventions: Parts[Intervention] = Parts()
        self.discomforts: Parts[Discomfort] = Parts()
        self.feedback: Parts[Feedback] = Parts()

    def __getitem__(self, intervention_id: str) -> Intervention:
        return self.interventions[intervention_id]

    def named(self, intervention_id: str) -> str:
        """The technique in quotation marks."""
        held = self.interventions.get(intervention_id)
        return short(held.technique, 60) if held else "“…”"

    def begin(self, agreed: Agreement, entry: Entry) -> Intervention:
        """Put a newly agreed intervention into the plan."""
        held = Intervention(
            intervention_id=agreed.intervention_id,
            technique=agreed.technique,
            orientation=agreed.orientation,
            in_words=agreed.in_words,
            goal_ids=agreed.goal_ids,
            frequency=agreed.frequency,
            format=agreed.format,
            rationale=agreed.rationale,
            consent=agreed.consent,
            since=entry.occurred_at,
            lineage=(Step(intervention_id=agreed.intervention_id, technique=agreed.technique),),
        )
        return self.interventions.add(agreed.intervention_id, held, entry)

    def require(self, intervention_id: str, allowed: tuple[str, ...], doing: str) -> None:
        """Refuse when the intervention's status is not one of ``allowed``."""
        status = self.interventions[intervention_id].status
        if status not in allowed:
            raise TransitionError(
                f"Only an {' or '.join(allowed)} intervention can be {doing}; this one is {status}.",
                "/data/intervention_id",
            )


def _serve(plan: PlanState, intervention_id: str, goal_ids: tuple[str, ...], entry: Entry) -> None:
    """Let the goals know which interventions serve them: this one those named, and no others."""
    for goal in plan.goals.goals:
        serves = goal.goal_id in goal_ids
        if serves != (intervention_id in goal.interventions):
            rest = tuple(held for held in goal.interventions if held != intervention_id)
            known = (*rest, intervention_id) if serves else rest
            plan.goals.edit(goal.goal_id, entry).interventions = known


def _require_active_goals(plan: PlanState, goal_ids: tuple[str, ...], pointer: str) -> None:
    for index, goal_id in enumerate(goal_ids):
        goal = plan.goals[goal_id]
        if goal.status not in ("active", "paused"):
            raise TransitionError(
                f"That goal is {goal.status}; interventions serve goals that are being worked on.",
                f"{pointer}/{index}",
            )


@recorded("plan.intervention-agreed")
class InterventionAgreed(EntryData):
    """An intervention is agreed with the client."""

    MATERIAL = True

    intervention_id: NewIntervention = ""
    technique: Annotated[Line, "Suggested per orientation by the catalogue; free text is welcome."]
    orientation: School
    in_words: OtherSchool = None
    goal_ids: Annotated[tuple[GoalMention, ...], ManyRule(1, 20)]
    frequency: Line | None = None
    format: Format
    rationale: Text | None = None
    consent: Consent

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """It serves goals that are being worked on."""
        _require_active_goals(plan, self.goal_ids, "/data/goal_ids")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The intervention is active."""
        held = {name: getattr(self, name) for name in Agreement.__dataclass_fields__}
        plan.interventions.begin(Agreement(**held), entry)
        _serve(plan, self.intervention_id, self.goal_ids, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        served = plan.goals.named(self.goal_ids[0])
        return f"{short(self.technique)} was agreed for {served}."


@recorded("plan.intervention-declined")
class InterventionDeclined(EntryData):
    """The client does not want an intervention; the reason is theirs, in their words."""

    WHY = True

    technique: Line
    orientation: School | None = None
    in_words: OtherSchool = None

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"{short(self.technique)} was offered and declined."


@recorded("plan.intervention-adjusted")
class InterventionAdjusted(EntryData):
    """An intervention goes on in another way: the fields given replace its own."""

    MATERIAL = True
    WHY = True

    intervention_id: InterventionRef
    technique: Line | None = None
    goal_ids: Annotated[tuple[GoalMention, ...] | None, ManyRule(1, 20)] = None
    frequency: Line | None = None
    format: Format | None = None
    rationale: Text | None = None
    consent: Consent | None = None

    def _changed(self) -> dict[str, Any]:
        held = {name: getattr(self, name) for name in self.__dataclass_fields__}
        held.pop("intervention_id")
        return {name: value for name, value in held.items() if value is not None}

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Something changes, and the intervention is going on."""
        plan.interventions.require(self.intervention_id, ("active", "paused"), "adjusted")
        if not self._changed():
            detail = "Say what changes: give at least one field beside intervention_id."
            raise InvalidDataError([Problem("/data", detail)])
        _require_active_goals(plan, self.goal_ids or (), "/data/goal_ids")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The given fields replace its own."""
        held = plan.interventions.interventions.edit(self.intervention_id, entry)
        for name, value in self._changed().items():
            setattr(held, name, value)
        _serve(plan, self.intervention_id, held.goal_ids, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        changed = ", ".join(name.replace("_", " ") for name in self._changed())
        return f"{plan.interventions.named(self.intervention_id)} was adjusted ({changed})."


@recorded("plan.intervention-swapped")
class InterventionSwapped(EntryData):
    """One intervention gives way to another; both stay linked, chains of swaps are one lineage."""

    MATERIAL = True
    WHY = True

    from_intervention_id: InterventionRef
    to: Agreement
    decided_with: Annotated[Voice, "Who decided it together with the recorder."]

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """The old one is going on, the new one serves goals that are being worked on."""
        status = plan.interventions[self.from_intervention_id].status
        if status not in ("active", "paused"):
            raise TransitionError(
                f"Only an intervention that is going on can be swapped; this one is {status}.",
                "/data/from_intervention_id",
            )
        _require_active_goals(plan, self.to.goal_ids, "/data/to/goal_ids")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The old one ends, the new one starts."""
        old = plan.interventions.interventions.edit(self.from_intervention_id, entry)
        why = entry.reason.text if entry.reason else None
        old.status, old.ended_at, old.why = "swapped", entry.occurred_at, why
        old.swapped_to, old.decided_with = self.to.intervention_id, self.decided_with
        new = plan.interventions.begin(self.to, entry)
        new.swapped_from = old.intervention_id
        last = Step(
            intervention_id=old.intervention_id,
            technique=old.technique,
            swapped_because=why,
            swapped_at=entry.occurred_at,
        )
        new.lineage = (*old.lineage[:-1], last, new.lineage[0])
        _serve(plan, self.to.intervention_id, self.to.goal_ids, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        old = plan.interventions.named(self.from_intervention_id)
        return (
            f"{old} gave way to {short(self.to.technique)}, decided with the {self.decided_with}."
        )

    def ends(self) -> tuple[str, ...]:
        """The old intervention."""
        return (self.from_intervention_id,)


@recorded("plan.intervention-paused")
class InterventionPaused(EntryData):
    """An intervention rests for a while."""

    WHY = True

    intervention_id: InterventionRef

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Only an active intervention can be paused."""
        plan.interventions.require(self.intervention_id, ("active",), "paused")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """It rests."""
        held = plan.interventions.interventions.edit(self.intervention_id, entry)
        held.status, held.why = "paused", entry.reason.text if entry.reason else None

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"{plan.interventions.named(self.intervention_id)} was paused."


@recorded("plan.intervention-resumed")
class InterventionResumed(EntryData):
    """A paused intervention goes on."""

    intervention_id: InterventionRef

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Only a paused intervention can be resumed."""
        plan.interventions.require(self.intervention_id, ("paused",), "resumed")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """It goes on."""
        held = plan.interventions.interventions.edit(self.intervention_id, entry)
        held.status, held.why = "active", None

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"{plan.interventions.named(self.intervention_id)} was taken up again."


@recorded("plan.intervention-ended")
class InterventionEnded(EntryData):
    """An intervention is over."""

    MATERIAL = True
    WHY = True

    intervention_id: InterventionRef

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Only an intervention that is going on can end."""
        plan.interventions.require(self.intervention_id, ("active", "paused"), "ended")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """It is over."""
        held = plan.interventions.interventions.edit(self.intervention_id, entry)
        held.status, held.ended_at = "ended", entry.occurred_at
        held.why = entry.reason.text if entry.reason else None

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"{plan.interventions.named(self.intervention_id)} came to its end."

    def ends(self) -> tuple[str, ...]:
        """The intervention."""
        return (self.intervention_id,)


@recorded("plan.discomfort-voiced")
class DiscomfortVoiced(EntryData):
    """The client is not at ease with an intervention; it has to be answered."""

    intervention_id: InterventionRef
    words: Annotated[Text, "In the client's words."]
    intensity: Scale | None = None

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """An answer is owed."""
        held = Discomfort(
            entry_id=entry.entry_id,
            intervention_id=self.intervention_id,
            words=self.words,
            intensity=self.intensity,
            voiced_at=entry.occurred_at,
        )
        plan.interventions.discomforts.add(entry.entry_id, held, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        named = plan.interventions.named(self.intervention_id)
        return f"Discomfort with {named} was voiced: {short(self.words)}."


@recorded("plan.discomfort-answered")
class DiscomfortAnswered(EntryData):
    """How a voiced discomfort was answered."""

    discomfort_entry_id: Annotated[str, Ref("DiscomfortVoiced")]
    answer: Literal["clarified", "adjusted", "swapped", "paused", "continued_by_choice"]
    note: Text

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """A discomfort is answered once."""
        if plan.interventions.discomforts[self.discomfort_entry_id].status != "open":
            raise TransitionError(
                "That discomfort is answered already.", "/data/discomfort_entry_id"
            )

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """Nothing is owed any more."""
        held = plan.interventions.discomforts.edit(self.discomfort_entry_id, entry)
        held.status, held.answer, held.answer_note = "answered", self.answer, self.note
        held.answered_at = entry.occurred_at

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"The discomfort was answered ({self.answer.replace('_', ' ')}): {short(self.note)}."


@recorded("plan.feedback-given")
class FeedbackGiven(EntryData):
    """What the client finds useful, and what not."""

    about: Line
    useful: Literal["yes", "somewhat", "no"]
    words: Text

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The newest words are shown first in the plan."""
        held = Feedback(
            entry_id=entry.entry_id,
            about=self.about,
            useful=self.useful,
            words=self.words,
            at=entry.occurred_at,
        )
        plan.interventions.feedback.add_newest(entry.entry_id, held, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        useful = {"yes": "useful", "somewhat": "somewhat useful", "no": "not useful"}[self.useful]
        return f"Feedback on {self.about} ({useful}): {short(self.words)}."
