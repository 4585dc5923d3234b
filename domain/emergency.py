"""Emergency access: looking into a plan without being part of it, for an hour, looked at afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from domain.entry import Entry, EntryData, recorded
from domain.errors import NotYoursError, TransitionError
from domain.fields import RangeRule, Ref, Text
from domain.parts import Part, Parts, Section, short

if TYPE_CHECKING:
    from domain.state import PlanState

TREATING = frozenset({"clinician", "supervisor"})
REVIEWING = frozenset({"privacy_officer", "auditor"})
TAKING = "POST /v1/emergency-access"
REVIEW = "POST /v1/emergency-access/{entry_id}/review"


@dataclass(slots=True, kw_only=True)
class Access(Part):
    """Somebody's emergency access, open until it was looked at."""

    entry_id: str
    at: datetime
    by: dict[str, str]
    why: str
    expires_at: datetime
    status: str = "open"
    finding: str | None = None
    reviewed_at: datetime | None = None


class Emergency(Section):
    """Every emergency access there was: who looked in, until when, and what was made of it."""

    def __init__(self) -> None:
        self.emergency_access: Parts[Access] = Parts()

    def active(self, member_id: str, now: datetime) -> bool:
        """Whether that member may look in at ``now`` because of an emergency."""
        return any(
            held.by["member_id"] == member_id and held.at <= now < held.expires_at
            for held in self.emergency_access
        )


class _Amended:
    """What an emergency was is not for those who used it to rewrite."""

    def decide_amendment(self, amendment: Entry) -> None:
        """Only those who review it correct it or take it back."""
        if amendment.recorded_by.role not in REVIEWING:
            raise NotYoursError(
                "Emergency access is corrected only by a privacy officer or auditor; write an "
                "addendum instead.",
                "/data/entry_id",
            )


@recorded("plan.emergency-access-taken")
class EmergencyAccessTaken(_Amended, EntryData):
    """Somebody who is not part of the plan had to look into it at once; it ends by itself."""

    WHEN_CLOSED = True
    ONLY_BY = TAKING

    why: Annotated[Text, "What made it necessary to look in at once."]
    minutes: Annotated[int, RangeRule(1, 60), "How long it lasts."] = 60

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """For those who treat people, and are not part of this plan."""
        author, outline = entry.recorded_by, plan.opening.outline
        if author.role not in TREATING:
            raise NotYoursError("Emergency access is for clinicians and supervisors.", "/type")
        if author.member_id in (outline.therapist_id, outline.supervisor_id):
            raise TransitionError("This plan is yours; you need no emergency to see it.", "/type")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """They may look in for a while; that is to be reviewed."""
        author = entry.recorded_by
        held = Access(
            entry_id=entry.entry_id,
            at=entry.occurred_at,
            by={"member_id": author.member_id, "name": author.name},
            why=self.why,
            expires_at=entry.occurred_at + timedelta(minutes=self.minutes),
        )
        plan.emergency.emergency_access.add(entry.entry_id, held, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"Emergency access was taken for {self.minutes} minutes: {short(self.why)}."


@recorded("plan.emergency-access-reviewed")
class EmergencyAccessReviewed(_Amended, EntryData):
    """Somebody looked at whether an emergency access was needed."""

    WHEN_CLOSED = True
    ONLY_BY = REVIEW

    access_entry_id: Annotated[str, Ref("EmergencyAccessTaken")]
    finding: Literal["justified", "not_justified", "unclear"]
    note: Text | None = None

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """By a privacy officer or auditor, never the one who looked in, and once."""
        held = plan.emergency.emergency_access[self.access_entry_id]
        if entry.recorded_by.role not in REVIEWING:
            raise NotYoursError(
                "Emergency access is reviewed by a privacy officer or auditor.", "/type"
            )
        if entry.recorded_by.member_id == held.by["member_id"]:
            raise NotYoursError("Nobody reviews their own emergency access.", "/type")
        if held.status != "open":
            raise TransitionError("That access is reviewed already.", "/data/access_entry_id")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """Nothing is owed any more."""
        held = plan.emergency.emergency_access.edit(self.access_entry_id, entry)
        held.status, held.finding, held.reviewed_at = "reviewed", self.finding, entry.occurred_at

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        words = f": {short(self.note)}" if self.note else ""
        return f"An emergency access was reviewed: {self.finding.replace('_', ' ')}{words}."
