"""Goals: SMART goals, their objectives, measures and progress."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from domain.entry import Entry, EntryData, recorded
from domain.errors import InvalidDataError, Problem, TransitionError
from domain.fields import (
    Duration,
    Line,
    ManyRule,
    New,
    Number,
    Priority,
    Ref,
    Text,
    add_duration,
)
from domain.opening import ConcernMention
from domain.parts import Part, Parts, Section, short

if TYPE_CHECKING:
    from domain.state import PlanState

NewGoal = Annotated[str, New("goal")]
GoalRef = Annotated[str, Ref("goal")]
GoalMention = Annotated[str, Ref("goal", hard=False)]
NewObjective = Annotated[str, New("objective")]
ObjectiveRef = Annotated[str, Ref("objective")]
LifeEventMention = Annotated[str, Ref("life_event", hard=False)]
Owner = Literal["client", "therapist", "couple", "family"]
Instrument = Literal["phq9", "gad7", "other"]
KEPT_VALUES = 60

INSTRUMENT_RANGES: dict[str, tuple[float, float]] = {"phq9": (0, 27), "gad7": (0, 21)}
"""Lowest and highest total: PHQ-9 nine items of 0-3 (Kroenke, Spitzer & Williams 2001),
GAD-7 seven items of 0-3 (Spitzer, Kroenke, Williams & Löwe 2006)."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """How a goal is measured: what is counted, from where, to where."""

    name: Line
    unit: Line
    baseline: Number | None = None
    target: Number
    direction: Literal["decrease", "increase", "maintain"]
    per: Annotated[Line | None, "The period the count belongs to, e.g. week."] = None
    instrument: Instrument | None = None
    in_words: Annotated[Line | None, "Which instrument ‘other’ stands for."] = None
    method: Line | None = None


@dataclass(slots=True, kw_only=True)
class Objective(Part):
    """A graded step towards a goal."""

    objective_id: str
    text: str
    due_on: date | None
    met_at: datetime | None = None
    note: str | None = None


@dataclass(slots=True, kw_only=True)
class Value:
    """One measured value and when it was true."""

    at: datetime
    value: float
    by: str
    version: int
    own: bool
    """Whether it is told in the goal's own measure, not in another unit or instrument."""


@dataclass(slots=True, kw_only=True)
class Goal(Part):
    """A goal as it stands."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset(
        {"touched", "values", "measured_so_since", "at_risk_from"}
    )

    goal_id: str
    statement: str
    status: str = "active"
    status_since: datetime
    priority: int | None
    owner: str
    measure: Measure | None
    attainable_because: str | None
    relevant_because: str | None
    start_on: date
    target_on: date | None
    within: str | None
    concern_ids: tuple[str, ...]
    follows_goal_id: str | None
    latest: dict[str, Any] | None = None
    progress: dict[str, Any] | None = None
    objectives: dict[str, Objective]
    at_risk_from: tuple[str, ...] = ()
    paused_because_of: str | None = None
    resume_check_on: date | None = None
    evidence: str | None = None
    replaced_by: str | None = None
    interventions: tuple[str, ...] = ()
    values: list[Value]
    measured_so_since: datetime | None = None  # when the measure was last put differently

    @property
    def due_on(self) -> date | None:
        """The day the agreed period ends."""
        if self.target_on is None and self.within is not None:
            return add_duration(self.start_on, self.within)
        return self.target_on

    def document(self) -> dict[str, Any]:
        """The goal with its SMART parts."""
        shown = Part.document(self)
        shown["objectives"] = [objective.document() for objective in self.objectives.values()]
        shown["due_on"] = self.due_on.isoformat() if self.due_on else None
        shown["baseline"] = self.measure.baseline if self.measure else None
        shown["target"] = self.measure.target if self.measure else None
        shown["at_risk"] = bool(self.at_risk_from)
        shown["smart"] = smart(self)
        shown["suggestions"] = smart_suggestions(self)
        return shown


class Goals(Section):
    """The goals of the plan."""

    def __init__(self) -> None:
        self.goals: Parts[Goal] = Parts()

    def __getitem__(self, goal_id: str) -> Goal:
        return self.goals[goal_id]

    def get(self, goal_id: str | None) -> Goal | None:
        """The goal of that id, or None."""
        return self.goals.get(goal_id)

    def edit(self, goal_id: str, entry: Entry) -> Goal:
        """The goal of that id, for writing."""
        return self.goals.edit(goal_id, entry)

    def named(self, goal_id: str | None) -> str:
        """The goal's statement in quotation marks."""
        held = self.goals.get(goal_id)
        return short(held.statement, 70) if held else "“…”"

    def move(self, goal_id: str, status: str, entry: Entry) -> Goal:
        """The goal in its new status, for writing."""
        goal = self.edit(goal_id, entry)
        if goal.status != status:
            goal.status, goal.status_since = status, entry.occurred_at
        if status != "paused":
            goal.paused_because_of = goal.resume_check_on = None
        return goal

    def require(self, goal_id: str, allowed: tuple[str, ...], doing: str) -> Goal:
        """The goal of that id; refuses when its status is not one of ``allowed``."""
        goal = self.goals[goal_id]
        if goal.status not in allowed:
            wanted = " or ".join(allowed)
            raise TransitionError(
                f"Only an {wanted} goal can be {doing}; this one is {goal.status}.", "/data/goal_id"
            )
        return goal


def smart(goal: Goal) -> dict[str, str]:
    """Which SMART parts of a goal are ``present`` and which are ``missing``. Missing parts block nothing.

    Source: Doran, G. T. (1981), There's a S.M.A.R.T. way to write management's goals and objectives.
    """
    parts = {
        "specific": bool(goal.statement),
        "measurable": goal.measure is not None,
        "attainable": goal.attainable_because is not None,
        "relevant": goal.relevant_because is not None or bool(goal.concern_ids),
        "time_limited": goal.due_on is not None,
    }
    return {name: "present" if there else "missing" for name, there in parts.items()}


SUGGESTIONS: dict[str, str] = {
    "specific": "What will be different? Put it in the client's own words.",
    "measurable": "How would it show? A count, a scale from 0 to 10 or a questionnaire will do.",
    "attainable": "What makes it possible now? Name something that works already, however small.",
    "relevant": "Why does it matter to the client? A sentence, or the concern it belongs to.",
    "time_limited": "By when do you want to look at it? A day, or a period such as two months.",
}
"""For each SMART part what to think of when it is missing: an offer, never a demand."""


def smart_suggestions(goal: Goal) -> list[dict[str, str]]:
    """What could still be added to a goal that is being worked on: ``part`` and ``suggestion``."""
    if goal.status not in ("active", "paused"):
        return []
    return [
        {"part": part, "suggestion": SUGGESTIONS[part]}
        for part, state in smart(goal).items()
        if state == "missing"
    ]


def _refuse_two_ends(target_on: date | None, within: str | None, start_on: date | None) -> None:
    if target_on is not None and within is not None:
        detail = "Give either target_on or within, not both."
        raise InvalidDataError([Problem("/data/within", detail)])
    if target_on is not None and start_on is not None and target_on < start_on:
        detail = f"Lies before {start_on}, when the period begins; give a later day."
        raise InvalidDataError([Problem("/data/target_on", detail)])


@recorded("plan.goal-set")
class GoalSet(EntryData):
    """A goal is agreed; every SMART part is shown as present or missing, missing ones do not block."""

    MATERIAL = True

    goal_id: NewGoal = ""
    statement: Annotated[Text, "The goal, specific and in the client's words."]
    measure: Measure | None = None
    attainable_because: Text | None = None
    relevant_because: Text | None = None
    start_on: date | None = None
    target_on: date | None = None
    within: Annotated[Duration | None, "The agreed period from start_on, e.g. P2M."] = None
    owner: Owner = "client"
    concern_ids: Annotated[tuple[ConcernMention, ...], ManyRule(most=20)] = ()
    follows_goal_id: GoalMention | None = None
    priority: Priority | None = None

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """The period is given one way, and runs forward."""
        _refuse_two_ends(self.target_on, self.within, self.start_on or entry.occurred_at.date())

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The goal is active."""
        held = Goal(
            goal_id=self.goal_id,
            statement=self.statement,
            status_since=entry.occurred_at,
            priority=self.priority,
            owner=self.owner,
            measure=self.measure,
            attainable_because=self.attainable_because,
            relevant_because=self.relevant_because,
            start_on=self.start_on or entry.occurred_at.date(),
            target_on=self.target_on,
            within=self.within,
            concern_ids=self.concern_ids,
            follows_goal_id=self.follows_goal_id,
            objectives={},
            values=[],
        )
        plan.goals.goals.add(self.goal_id, held, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"A goal was set: {short(self.statement)}."


@recorded("plan.goal-revised")
class GoalRevised(EntryData):
    """A goal is put differently: the fields given replace the goal's."""

    MATERIAL = True
    WHY = True

    goal_id: GoalRef
    statement: Text | None = None
    measure: Measure | None = None
    attainable_because: Text | None = None
    relevant_because: Text | None = None
    start_on: date | None = None
    target_on: date | None = None
    within: Duration | None = None
    owner: Owner | None = None
    concern_ids: Annotated[tuple[ConcernMention, ...] | None, ManyRule(most=20)] = None
    priority: Priority | None = None

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Something changes, and the goal is one that is being worked on."""
        goal = plan.goals.require(self.goal_id, ("active", "paused"), "revised")
        if not self._changed():
            detail = "Say what changes: give at least one field beside goal_id."
            raise InvalidDataError([Problem("/data", detail)])
        _refuse_two_ends(self.target_on, self.within, self.start_on or goal.start_on)
        kept = goal.target_on if self.target_on is None and self.within is None else None
        if self.start_on is not None and kept is not None and kept < self.start_on:
            detail = f"Lies after {kept}, when the period ends; give a new target_on, too."
            raise InvalidDataError([Problem("/data/start_on", detail)])

    def _changed(self) -> dict[str, Any]:
        held = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            name: value for name, value in held.items() if value is not None and name != "goal_id"
        }

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The given fields replace the goal's."""
        goal = plan.goals.edit(self.goal_id, entry)
        for name, value in self._changed().items():
            setattr(goal, name, value)
        if self.measure is not None:
            goal.measured_so_since = entry.occurred_at
        if self.within is not None:
            goal.target_on = None
        elif self.target_on is not None:
            goal.within = None

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        changed = ", ".join(name.replace("_", " ") for name in self._changed())
        return f"The goal {plan.goals.named(self.goal_id)} was revised ({changed})."


@recorded("plan.goal-reprioritised")
class GoalReprioritised(EntryData):
    """The goals' order of importance changes: the ids given come first, in that order."""

    WHY = True

    goal_ids: Annotated[tuple[GoalMention, ...], ManyRule(1, 100)]

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Every goal once."""
        if len(set(self.goal_ids)) < len(self.goal_ids):
            detail = "Names a goal twice; name each once, most important first."
            raise InvalidDataError([Problem("/data/goal_ids", detail)])

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The named goals get priorities 1, 2, 3 …; the others follow in the order they had."""
        named = [held for held in self.goal_ids if plan.goals.get(held)]
        others = [g for g in plan.goals.goals if g.goal_id not in named and g.priority is not None]
        others.sort(key=lambda goal: goal.priority or 0)
        ordered = named + [goal.goal_id for goal in others]
        for priority, goal_id in enumerate(ordered, start=1):
            if plan.goals[goal_id].priority != priority:
                plan.goals.edit(goal_id, entry).priority = priority

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return (
            f"The goals were put in a new order; first comes {plan.goals.named(self.goal_ids[0])}."
        )


@recorded("plan.objective-added")
class ObjectiveAdded(EntryData):
    """A graded step towards a goal is agreed."""

    goal_id: GoalRef
    objective_id: NewObjective = ""
    text: Text
    due_on: date | None = None

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Steps belong to goals that are being worked on."""
        plan.goals.require(self.goal_id, ("active", "paused"), "given a step")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The step is open."""
        held = Objective(objective_id=self.objective_id, text=self.text, due_on=self.due_on)
        plan.goals.edit(self.goal_id, entry).objectives[self.objective_id] = held

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"A step towards {plan.goals.named(self.goal_id)} was agreed: {short(self.text)}."


@recorded("plan.objective-met")
class ObjectiveMet(EntryData):
    """A step was made."""

    objective_id: ObjectiveRef
    note: Text | None = None

    def _goal(self, plan: PlanState) -> Goal:
        return next(goal for goal in plan.goals.goals if self.objective_id in goal.objectives)

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """A step is met once."""
        if self._goal(plan).objectives[self.objective_id].met_at is not None:
            raise TransitionError("That step is met already.", "/data/objective_id")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The step is met."""
        goal = self._goal(plan).edit(entry)
        plan.goals.goals.touched = entry.originator_version
        objective = goal.objectives[self.objective_id]
        objective.met_at, objective.note = entry.occurred_at, self.note

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        held = (goal.objectives.get(self.objective_id) for goal in plan.goals.goals)
        step = next(filter(None, held), None)
        return f"A step was made: {short(step.text)}." if step else "A step was made."


def _refuse_out_of_range(value: float, instrument: str | None) -> None:
    least, most = INSTRUMENT_RANGES.get(instrument or "", (float("-inf"), float("inf")))
    whole = instrument not in INSTRUMENT_RANGES or float(value).is_integer()
    if not (least <= value <= most and whole):
        name = {"phq9": "PHQ-9", "gad7": "GAD-7"}[str(instrument)]
        detail = f"{name} totals are whole numbers from {least:g} to {most:g}."
        raise InvalidDataError([Problem("/data/value", detail)])


@recorded("plan.measure-recorded")
class MeasureRecorded(EntryData):
    """A value was measured, for a goal, with an instrument, or both."""

    goal_id: GoalRef | None = None
    instrument: Instrument | None = None
    in_words: Annotated[Line | None, "Which instrument ‘other’ stands for."] = None
    value: Number
    unit: Line | None = None
    by: Literal["client", "therapist", "instrument"]
    note: Text | None = None

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """The value belongs somewhere and lies in the instrument's range."""
        goal = plan.goals.get(self.goal_id)
        if goal is None and self.instrument is None:
            detail = "Name the goal, the instrument, or both."
            raise InvalidDataError([Problem("/data/goal_id", detail)])
        if goal is not None:
            plan.goals.require(goal.goal_id, ("active", "paused", "achieved"), "measured")
        own = goal.measure.instrument if goal and goal.measure else None
        _refuse_out_of_range(self.value, self.instrument or own)

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The value is the goal's latest."""
        if self.goal_id is None:
            held = Score(
                instrument=self.instrument or "other",
                in_words=self.in_words,
                value=self.value,
                unit=self.unit,
                by=self.by,
                at=entry.occurred_at,
            )
            plan.course.scores.add(held.key, held, entry)
            return
        goal = plan.goals.edit(self.goal_id, entry)
        unit = self.unit or (goal.measure.unit if goal.measure else None)
        goal.latest = {"value": self.value, "unit": unit, "by": self.by, "at": entry.occurred_at}
        value = Value(
            at=entry.occurred_at,
            value=self.value,
            by=self.by,
            version=entry.version,
            own=self._is_in(goal.measure),
        )
        goal.values = [*goal.values[-(KEPT_VALUES - 1) :], value]

    def _is_in(self, measure: Measure | None) -> bool:
        if measure is None:
            return False
        same_unit = self.unit in (None, measure.unit)
        return same_unit and self.instrument in (None, measure.instrument)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        goal = plan.goals.get(self.goal_id)
        measure = goal.measure if goal else None
        instruments = {"phq9": "PHQ-9", "gad7": "GAD-7"}
        name = measure.name if measure else instruments.get(self.instrument or "", self.in_words)
        unit = self.unit or (measure.unit if measure else "")
        named = f" ({name})" if name else ""
        return f"Measured{named}: {self.value:.15g} {unit}".rstrip() + "."


@dataclass(slots=True, kw_only=True)
class Score(Part):
    """The newest total of an instrument that belongs to no single goal."""

    instrument: str
    in_words: str | None
    value: float
    unit: str | None
    by: str
    at: datetime

    @property
    def key(self) -> str:
        """What tells it from other instruments: each ‘other’ one goes by its name."""
        named = self.instrument == "other" and self.in_words
        return f"other: {self.in_words}" if named else self.instrument


@recorded("plan.progress-noted")
class ProgressNoted(EntryData):
    """How things move with a goal, and from what that is seen."""

    goal_id: GoalRef
    direction: Literal["improving", "unchanged", "worsening", "mixed"]
    evidence: Text

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Progress is noted on goals that are being worked on."""
        plan.goals.require(self.goal_id, ("active", "paused"), "followed")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The newest note is current."""
        plan.goals.edit(self.goal_id, entry).progress = {
            "direction": self.direction,
            "evidence": self.evidence,
            "at": entry.occurred_at,
        }

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"{plan.goals.named(self.goal_id)}: {self.direction} – {short(self.evidence)}."


@recorded("plan.goal-paused")
class GoalPaused(EntryData):
    """A goal rests for a while; with a date, it has to be looked at again then."""

    MATERIAL = True
    WHY = True

    goal_id: GoalRef
    because_of: Annotated[LifeEventMention | None, "The life event that called for it."] = None
    resume_check_on: date | None = None

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Only an active goal can be paused; a paused one can get a new date."""
        plan.goals.require(self.goal_id, ("active", "paused"), "paused")
        if plan.goals[self.goal_id].status == "paused" and self.resume_check_on is None:
            detail = "The goal is paused already; give resume_check_on to set a new date."
            raise TransitionError(detail, "/data/goal_id")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The goal rests."""
        goal = plan.goals.move(self.goal_id, "paused", entry)
        goal.paused_because_of = self.because_of or goal.paused_because_of
        goal.resume_check_on = self.resume_check_on

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        until = f", to be looked at again on {self.resume_check_on}" if self.resume_check_on else ""
        return f"The goal {plan.goals.named(self.goal_id)} was paused{until}."


@recorded("plan.goal-resumed")
class GoalResumed(EntryData):
    """Work on a paused goal goes on."""

    MATERIAL = True

    goal_id: GoalRef

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Only a paused goal can be resumed."""
        if plan.goals[self.goal_id].status != "paused":
            raise TransitionError(
                f"Only a paused goal can be resumed; this one is {plan.goals[self.goal_id].status}.",
                "/data/goal_id",
            )

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The goal is active."""
        plan.goals.move(self.goal_id, "active", entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"The goal {plan.goals.named(self.goal_id)} was taken up again."


@recorded("plan.goal-achieved")
class GoalAchieved(EntryData):
    """A goal is reached."""

    MATERIAL = True

    goal_id: GoalRef
    evidence: Text
    value: Number | None = None

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Only an active goal can be achieved; a value is one of its measure."""
        goal = plan.goals.require(self.goal_id, ("active",), "achieved")
        if self.value is not None and goal.measure is None:
            detail = (
                "The goal has no measure; leave the value out, or give the goal a measure first."
            )
            raise InvalidDataError([Problem("/data/value", detail)])
        if self.value is not None and goal.measure is not None:
            _refuse_out_of_range(self.value, goal.measure.instrument)

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The goal is achieved; the value, if there is one, is its latest."""
        goal = plan.goals.move(self.goal_id, "achieved", entry)
        goal.evidence, goal.at_risk_from = self.evidence, ()
        if self.value is not None:
            unit = goal.measure.unit if goal.measure else None
            said = {"value": self.value, "unit": unit, "by": "therapist"}
            goal.latest = {**said, "at": entry.occurred_at}

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"The goal {plan.goals.named(self.goal_id)} was reached: {short(self.evidence)}."

    def ends(self) -> tuple[str, ...]:
        """The goal, as one to work on."""
        return (self.goal_id,)


@recorded("plan.goal-sustained")
class GoalSustained(EntryData):
    """What was reached lasts."""

    goal_id: GoalRef
    evidence: Text

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Only an achieved goal can be sustained."""
        plan.goals.require(self.goal_id, ("achieved",), "sustained")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The newest evidence is current."""
        plan.goals.edit(self.goal_id, entry).evidence = self.evidence

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"{plan.goals.named(self.goal_id)} is holding: {short(self.evidence)}."


@recorded("plan.goal-regressed")
class GoalRegressed(EntryData):
    """What was reached needs work again; the goal is active once more."""

    MATERIAL = True

    goal_id: GoalRef
    evidence: Text

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Only an achieved goal can regress."""
        plan.goals.require(self.goal_id, ("achieved",), "taken up after regress")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The goal is active."""
        plan.goals.move(self.goal_id, "active", entry).evidence = self.evidence

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"{plan.goals.named(self.goal_id)} needs work again: {short(self.evidence)}."


@recorded("plan.goal-dropped")
class GoalDropped(EntryData):
    """A goal is given up, for a reason; another may take its place."""

    MATERIAL = True
    WHY = True

    goal_id: GoalRef
    replaced_by: GoalMention | None = None

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Only a goal that is being worked on can be dropped, and not for itself."""
        plan.goals.require(self.goal_id, ("active", "paused"), "dropped")
        if self.replaced_by == self.goal_id:
            detail = "A goal cannot replace itself."
            raise InvalidDataError([Problem("/data/replaced_by", detail)])

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The goal is dropped."""
        goal = plan.goals.move(self.goal_id, "dropped", entry)
        goal.replaced_by, goal.at_risk_from = self.replaced_by, ()

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"The goal {plan.goals.named(self.goal_id)} was let go."

    def ends(self) -> tuple[str, ...]:
        """The goal."""
        return (self.goal_id,)
