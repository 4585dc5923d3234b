"""Lifecycle: a plan is paused, resumed, completed, discontinued, reopened, superseded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal

from domain.entry import Entry, EntryData, recorded
from domain.errors import TransitionError
from domain.fields import PlanId, Text
from domain.parts import Part, Section, short

if TYPE_CHECKING:
    from domain.state import PlanState

CLOSED = frozenset({"completed", "discontinued", "superseded", "entered_in_error"})


@dataclass(slots=True, kw_only=True)
class Standing(Part):
    """Where the plan as a whole stands."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"touched", "agreed_or_signed"})

    status: str = "draft"
    status_since: datetime | None = None
    outcome: str | None = None
    outcome_summary: str | None = None
    superseded_by: str | None = None
    agreed_or_signed: bool = False

    def move(self, status: str, entry: Entry) -> Standing:
        """This part with its new status, for writing."""
        part = self.edit(entry)
        part.status, part.status_since = status, entry.occurred_at
        return part


class Lifecycle(Section):
    """Where the plan stands; its status is ``draft`` until agreed or signed, then ``active``."""

    FLAT = frozenset({"standing"})

    def __init__(self) -> None:
        self.standing = Standing()

    @property
    def status(self) -> str:
        """draft, active, paused, completed, discontinued, superseded or entered_in_error."""
        return self.standing.status

    @property
    def closed(self) -> bool:
        """Whether the plan is over (it may be reopened)."""
        return self.standing.status in CLOSED

    @property
    def working_status(self) -> str:
        """What the plan is when it is neither paused nor over."""
        return "active" if self.standing.agreed_or_signed else "draft"

    def activate(self, entry: Entry) -> None:
        """The plan was agreed or signed: a draft becomes active."""
        self.standing.edit(entry).agreed_or_signed = True
        if self.standing.status == "draft":
            self.standing.move("active", entry)

    def mark_in_error(self) -> None:
        """The opening itself was entered in error, and with it the whole plan."""
        self.standing.status = "entered_in_error"


@recorded("plan.plan-paused")
class PlanPaused(EntryData):
    """Work on the whole plan rests for a while."""

    note: Text | None = None

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Only a plan at work can be paused."""
        if plan.lifecycle.status == "paused":
            raise TransitionError("The plan is paused already.", "/type")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The plan rests."""
        plan.lifecycle.standing.move("paused", entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return "The plan was paused" + (f": {short(self.note)}." if self.note else ".")


@recorded("plan.plan-resumed")
class PlanResumed(EntryData):
    """Work on the plan goes on."""

    note: Text | None = None

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Only a paused plan can be resumed."""
        if plan.lifecycle.status != "paused":
            raise TransitionError(
                f"Only a paused plan can be resumed; this one is {plan.lifecycle.status}.", "/type"
            )

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The plan is at work again."""
        plan.lifecycle.standing.move(plan.lifecycle.working_status, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return "Work on the plan was taken up again" + (
            f": {short(self.note)}." if self.note else "."
        )


@recorded("plan.plan-completed")
class PlanCompleted(EntryData):
    """The work this plan was made for is done."""

    outcome: Literal["goals_met", "partly_met", "not_met", "referred", "other"]
    summary: Text

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The plan is completed."""
        part = plan.lifecycle.standing.move("completed", entry)
        part.outcome, part.outcome_summary = self.outcome, self.summary

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"The plan was completed ({self.outcome.replace('_', ' ')}): {short(self.summary)}."

    def ends(self) -> tuple[str, ...]:
        """The plan itself."""
        return ("plan",)


@recorded("plan.plan-discontinued")
class PlanDiscontinued(EntryData):
    """The plan ends before its work is done."""

    WHY = True

    summary: Text | None = None

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The plan is over."""
        part = plan.lifecycle.standing.move("discontinued", entry)
        part.outcome, part.outcome_summary = None, self.summary

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return "The plan was discontinued" + (f": {short(self.summary)}." if self.summary else ".")

    def ends(self) -> tuple[str, ...]:
        """The plan itself."""
        return ("plan",)


@recorded("plan.plan-reopened")
class PlanReopened(EntryData):
    """A plan that was over is taken up again."""

    MATERIAL = True
    WHY = True
    WHEN_CLOSED = True

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Only a plan that is over can be reopened."""
        if not plan.lifecycle.closed:
            raise TransitionError("The plan is open; there is nothing to reopen.", "/type")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The plan is at work again."""
        part = plan.lifecycle.standing.move(plan.lifecycle.working_status, entry)
        part.outcome = part.outcome_summary = part.superseded_by = None

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return "The plan was reopened."


@recorded("plan.plan-superseded")
class PlanSuperseded(EntryData):
    """Another plan takes this one's place."""

    by_plan_id: PlanId

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """A plan cannot take its own place."""
        if self.by_plan_id == str(entry.plan_id):
            raise TransitionError("A plan cannot supersede itself.", "/data/by_plan_id")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The plan is over; its successor is named."""
        plan.lifecycle.standing.move("superseded", entry).superseded_by = self.by_plan_id

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return "Another plan took this plan's place."

    def ends(self) -> tuple[str, ...]:
        """The plan itself."""
        return ("plan",)
