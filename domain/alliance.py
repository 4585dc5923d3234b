"""Alliance: rapport, mismatch, and who works with the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from domain.course import Note, Raised, require_open
from domain.entry import Entry, EntryData, recorded
from domain.errors import TransitionError
from domain.fields import Line, MemberId, Ref, Scale, Text
from domain.parts import Parts, Section, short

if TYPE_CHECKING:
    from domain.state import PlanState


class Alliance(Section):
    """How client and therapist work together."""

    def __init__(self) -> None:
        self.rapport: Parts[Note] = Parts()
        self.mismatches: Parts[Raised] = Parts()


@recorded("plan.rapport-noted")
class RapportNoted(EntryData):
    """How client and therapist get on, from 0 to 10."""

    rating: Scale
    basis: Annotated[Text, "What the rating rests on."]

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The note is kept."""
        plan.course.note(plan.alliance.rapport, entry, rating=self.rating, basis=self.basis)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"Rapport: {self.rating} of 10 – {short(self.basis)}."


@recorded("plan.mismatch-raised")
class MismatchRaised(EntryData):
    """Client and therapist may not fit in some respect; it has to be talked about."""

    raised_by: Literal["client", "guardian", "partner", "therapist", "supervisor", "team"]
    dimension: Annotated[Line, "In which respect, e.g. pace, style, background."]
    words: Text

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """A talk is owed."""
        plan.course.raise_(
            plan.alliance.mismatches,
            entry,
            raised_by=self.raised_by,
            dimension=self.dimension,
            words=self.words,
        )

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"A mismatch was raised by the {self.raised_by} ({self.dimension}): {short(self.words)}."


@recorded("plan.mismatch-discussed")
class MismatchDiscussed(EntryData):
    """A mismatch was talked about."""

    mismatch_entry_id: Annotated[str, Ref("MismatchRaised")]
    outcome: Literal["continue", "adjust", "transfer"]
    note: Text | None = None

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """It is closed once."""
        require_open(plan.alliance.mismatches, self.mismatch_entry_id, "mismatch_entry_id")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """Nothing is owed any more."""
        held = plan.alliance.mismatches.edit(self.mismatch_entry_id, entry)
        held.close(entry, outcome=self.outcome, note=self.note)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"The mismatch was talked about; outcome: {self.outcome}."


@recorded("plan.therapist-transferred")
class TherapistTransferred(EntryData):
    """Another therapist takes over."""

    MATERIAL = True
    WHY = True

    to_member_id: MemberId
    handover: Text
    client_consented: bool

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """The plan moves to someone else."""
        if plan.opening.outline.therapist_id == self.to_member_id:
            raise TransitionError("That member is the therapist already.", "/data/to_member_id")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The plan has its new therapist."""
        plan.opening.outline.edit(entry).therapist_id = self.to_member_id

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        agreed = "with" if self.client_consented else "without"
        return f"Another therapist took over {agreed} the client's consent: {short(self.handover)}."


@recorded("plan.supervisor-assigned")
class SupervisorAssigned(EntryData):
    """Who supervises the work on this plan."""

    supervisor_id: MemberId

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The plan has its supervisor."""
        plan.opening.outline.edit(entry).supervisor_id = self.supervisor_id

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return "A supervisor was assigned."
