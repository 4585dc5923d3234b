"""Practice: homework, skills, celebrations, looking back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from domain.course import Note
from domain.entry import Entry, EntryData, recorded
from domain.errors import InvalidDataError, Problem
from domain.fields import Line, ManyRule, New, RangeRule, Ref, Scale, Text
from domain.goals import GoalMention
from domain.parts import Part, Parts, Section, short

if TYPE_CHECKING:
    from domain.state import PlanState

NewPractice = Annotated[str, New("practice")]
PracticeRef = Annotated[str, Ref("practice")]
Count = Annotated[int, RangeRule(0, 10_000)]


@dataclass(frozen=True, kw_only=True)
class Period:
    """From one day to another, both included."""

    from_: date
    to: date


@dataclass(slots=True, kw_only=True)
class Task(Part):
    """Something to practise between sessions, and the newest report on it."""

    practice_id: str
    task: str
    dose: str | None
    due_on: date | None
    goal_ids: tuple[str, ...]
    assigned_at: datetime
    reports: int = 0
    latest: dict[str, Any] | None = None


class Practice(Section):
    """The work between sessions."""

    def __init__(self) -> None:
        self.practice: Parts[Task] = Parts()
        self.skills: Parts[Note] = Parts()
        self.celebrations: Parts[Note] = Parts()
        self.look_backs: Parts[Note] = Parts()


@recorded("plan.practice-assigned")
class PracticeAssigned(EntryData):
    """Something to practise until next time."""

    practice_id: NewPractice = ""
    task: Text
    dose: Annotated[Line | None, "How much or how often, e.g. ten minutes a day."] = None
    due_on: date | None = None
    goal_ids: Annotated[tuple[GoalMention, ...], ManyRule(most=20)] = ()

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The task is set."""
        held = Task(
            practice_id=self.practice_id,
            task=self.task,
            dose=self.dose,
            due_on=self.due_on,
            goal_ids=self.goal_ids,
            assigned_at=entry.occurred_at,
        )
        plan.practice.practice.add_newest(self.practice_id, held, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"To practise: {short(self.task)}."


@recorded("plan.practice-reported")
class PracticeReported(EntryData):
    """How the practice went."""

    practice_id: PracticeRef
    done: Literal["yes", "partly", "no"]
    count: Count | None = None
    difficulty: Scale | None = None
    barrier: Text | None = None

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The newest report is current (a task long past may no longer be shown)."""
        if self.practice_id not in plan.practice.practice:
            return
        held = plan.practice.practice.edit(self.practice_id, entry)
        held.reports += 1
        held.latest = {
            "done": self.done,
            "count": self.count,
            "difficulty": self.difficulty,
            "barrier": self.barrier,
            "at": entry.occurred_at,
        }

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        held = plan.practice.practice.get(self.practice_id)
        done = {"yes": "done", "partly": "partly done", "no": "not done this time"}[self.done]
        return f"Practice {short(held.task, 60) if held else ''} was {done}.".replace("  ", " ")


@recorded("plan.skill-demonstrated")
class SkillDemonstrated(EntryData):
    """One of the quiet skills, seen in use."""

    skill: Line
    independently: bool
    example: Text

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The note is kept."""
        said = {"skill": self.skill, "independently": self.independently, "example": self.example}
        plan.course.note(plan.practice.skills, entry, **said)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        alone = "independently" if self.independently else "with support"
        return f"{short(self.skill)} was used {alone}: {short(self.example)}."


@recorded("plan.progress-celebrated")
class ProgressCelebrated(EntryData):
    """Small victories count."""

    what: Text
    goal_ids: Annotated[tuple[GoalMention, ...], ManyRule(most=20)] = ()
    how: Text | None = None

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The note is kept."""
        said = {"what": self.what, "goal_ids": list(self.goal_ids), "how": self.how}
        plan.course.note(plan.practice.celebrations, entry, **said)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"Celebrated: {short(self.what)}."


@recorded("plan.look-back-held")
class LookBackHeld(EntryData):
    """Looking back together over a period."""

    period: Period
    summary: Text

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """The period runs forward."""
        if self.period.to < self.period.from_:
            detail = "Lies before its beginning; give the later day here."
            raise InvalidDataError([Problem("/data/period/to", detail)])

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The note is kept."""
        period = {"from": self.period.from_.isoformat(), "to": self.period.to.isoformat()}
        plan.course.note(plan.practice.look_backs, entry, period=period, summary=self.summary)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"A look back over {self.period.from_} to {self.period.to}: {short(self.summary)}."
