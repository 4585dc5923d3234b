"""Reviews: scheduled and held, formal or called for, and check-ins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from domain.course import Note
from domain.entry import Entry, EntryData, recorded
from domain.errors import InvalidDataError, Problem, TransitionError
from domain.fields import Line, ManyRule, New, Ref, Text
from domain.goals import GoalMention
from domain.parts import Part, Parts, Section, short

if TYPE_CHECKING:
    from domain.state import PlanState

NewReview = Annotated[str, New("review")]
ReviewMention = Annotated[str, Ref("review", hard=False)]
EntryAnswered = Annotated[str, Ref("entry", hard=False)]
ReviewKind = Literal[
    "formal", "relapse", "life_event", "safety", "progress", "transfer", "discharge", "ad_hoc"
]


@dataclass(slots=True, kw_only=True)
class Scheduled(Part):
    """A review that is planned."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"touched", "by_review"})

    review_id: str
    kind: str
    in_words: str | None
    due_on: date
    status: str = "scheduled"
    by_review: bool = False
    """Whether a review planned the next of its kind; then any review of that kind is the one."""


@dataclass(slots=True, kw_only=True)
class Outlook(Part):
    """When the last formal review was, and what was said about the next."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"touched", "last_safety_at"})

    last_formal_at: datetime | None = None
    next_due_on: date | None = None
    last_safety_at: datetime | None = None


class Reviews(Section):
    """Reviews held and to come. A formal one resets the clock."""

    FLAT = frozenset({"outlook"})
    UNDER = "reviews"

    def __init__(self) -> None:
        self.outlook = Outlook()
        self.scheduled: Parts[Scheduled] = Parts()
        self.held: Parts[Note] = Parts()
        self.check_ins: Parts[Note] = Parts()


def _named(kind: str) -> str:
    article = "An" if kind == "ad_hoc" else "A"
    return f"{article} {kind.replace('_', ' ')} review"


@recorded("plan.review-scheduled")
class ReviewScheduled(EntryData):
    """A review is planned."""

    review_id: NewReview = ""
    kind: ReviewKind
    in_words: Annotated[Line | None, "What is to be looked at, if the kind does not say."] = None
    due_on: date

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """It is to come."""
        held = Scheduled(
            review_id=self.review_id, kind=self.kind, in_words=self.in_words, due_on=self.due_on
        )
        plan.reviews.scheduled.add(self.review_id, held, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        words = f": {short(self.in_words)}" if self.in_words else ""
        return f"{_named(self.kind)} was planned for {self.due_on}{words}."


@recorded("plan.review-held")
class ReviewHeld(EntryData):
    """The plan was reviewed. ``formal`` resets the clock; the entries named are answered by it."""

    review_id: ReviewMention | None = None
    kind: ReviewKind
    participants: Annotated[tuple[Line, ...], ManyRule(1, 30)]
    client_participated: bool
    why_not: Annotated[Text | None, "Why the client was not there."] = None
    summary: Text
    decisions: Annotated[tuple[Text, ...], ManyRule(most=50)] = ()
    goals_reviewed: Annotated[tuple[GoalMention, ...], ManyRule(most=100)] = ()
    answers_entry_ids: Annotated[
        tuple[EntryAnswered, ...], ManyRule(most=50), "The relapses and concerns it closes."
    ] = ()
    next_due_on: Annotated[
        date | None, "The day of the next of this kind; of a formal one its due day."
    ] = None

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """The client's absence is explained; a planned review is held once; answers name what is open."""
        if not self.client_participated and self.why_not is None:
            detail = "Say why the client did not take part."
            raise InvalidDataError([Problem("/data/why_not", detail)])
        planned = plan.reviews.scheduled.get(self.review_id)
        if planned is not None and planned.status != "scheduled":
            raise TransitionError("That review was held already.", "/data/review_id")
        self._require_open(plan)
        if self.next_due_on is not None and self.next_due_on < entry.occurred_at.date():
            detail = "Lies before this review; give a later day."
            raise InvalidDataError([Problem("/data/next_due_on", detail)])

    def _require_open(self, plan: PlanState) -> None:
        for index, entry_id in enumerate(self.answers_entry_ids):
            pointer = f"/data/answers_entry_ids/{index}"
            relapse = plan.course.relapses.get(entry_id)
            answered = relapse or plan.course.safety_concerns.get(entry_id)
            if answered is None:
                detail = "A review answers relapses and safety concerns; this entry is neither."
                raise InvalidDataError([Problem(pointer, detail)])
            if answered.status != "open":
                raise TransitionError("That is answered already; leave it out.", pointer)

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The review is kept and closes what it names; a formal one resets the clock."""
        plan.course.note(plan.reviews.held, entry, **self._said())
        if self.review_id in plan.reviews.scheduled.by_id:
            plan.reviews.scheduled.edit(str(self.review_id), entry).status = "held"
        if self.kind == "formal":
            plan.reviews.outlook.edit(entry).last_formal_at = entry.occurred_at
            plan.reviews.outlook.next_due_on = self.next_due_on
        self._plan_next(plan, entry)
        if self.kind == "safety":
            plan.reviews.outlook.edit(entry).last_safety_at = entry.occurred_at
        for entry_id in self.answers_entry_ids:
            self._answer(plan, entry_id, entry)

    def _plan_next(self, plan: PlanState, entry: Entry) -> None:
        """The next of another kind is planned under this entry's id; this review is what was planned so."""
        planned = plan.reviews.scheduled
        for held in planned:
            if held.by_review and held.kind == self.kind and held.status == "scheduled":
                planned.edit(held.review_id, entry).status = "held"
        if self.kind != "formal" and self.next_due_on is not None:
            following = Scheduled(
                review_id=entry.entry_id,
                kind=self.kind,
                in_words=None,
                due_on=self.next_due_on,
                by_review=True,
            )
            planned.add(entry.entry_id, following, entry)

    def _said(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "participants": list(self.participants),
            "client_participated": self.client_participated,
            "why_not": self.why_not,
            "summary": self.summary,
            "decisions": list(self.decisions),
            "goals_reviewed": list(self.goals_reviewed),
            "answers_entry_ids": list(self.answers_entry_ids),
        }

    def _answer(self, plan: PlanState, entry_id: str, entry: Entry) -> None:
        if entry_id in plan.course.relapses:
            relapse = plan.course.relapses.edit(entry_id, entry)
            relapse.status, relapse.reviewed_at = "reviewed", entry.occurred_at
            for goal in plan.goals.goals:
                if entry_id in goal.at_risk_from:
                    rest = tuple(held for held in goal.at_risk_from if held != entry_id)
                    plan.goals.edit(goal.goal_id, entry).at_risk_from = rest
        elif entry_id in plan.course.safety_concerns:
            plan.course.safety_concerns.edit(entry_id, entry).close(entry, summary=self.summary)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        with_client = "with the client" if self.client_participated else "without the client"
        return f"{_named(self.kind)} was held {with_client}: {short(self.summary)}."


@recorded("plan.check-in-held")
class CheckInHeld(EntryData):
    """A short look at how things go; it does not reset the clock."""

    working: Text | None = None
    not_working: Text | None = None
    insight: Text | None = None

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Something is said."""
        if self.working is None and self.not_working is None and self.insight is None:
            detail = "Say what works, what does not, or what was understood."
            raise InvalidDataError([Problem("/data/working", detail)])

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The note is kept."""
        said = {"working": self.working, "not_working": self.not_working, "insight": self.insight}
        plan.course.note(plan.reviews.check_ins, entry, **said)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        said = self.working or self.not_working or self.insight or ""
        return f"A check-in: {short(said)}."
