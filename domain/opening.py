"""Opening: the client in their own words, context, concerns, expectations, orientation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from domain.entry import Entry, EntryData, recorded
from domain.errors import InvalidDataError, Problem, TransitionError
from domain.fields import (
    Days,
    Line,
    ManyRule,
    MemberId,
    New,
    Opaque,
    PlanId,
    Ref,
    Scale,
    Text,
    Weight,
)
from domain.parts import Part, Parts, Section, short

if TYPE_CHECKING:
    from domain.state import PlanState

NewConcern = Annotated[str, New("concern")]
ConcernRef = Annotated[str, Ref("concern")]
ConcernMention = Annotated[str, Ref("concern", hard=False)]
Area = Literal["work", "family", "health", "culture", "beliefs", "relationships", "living", "other"]
School = Literal["cbt", "psychodynamic", "narrative", "strengths_based", "dbt", "emdr", "other"]


@dataclass(frozen=True, kw_only=True)
class Person:
    """Someone who belongs to the plan beside the client: a partner, a parent, a guardian."""

    ref: Opaque
    label: Line
    relation: Line


@dataclass(frozen=True, kw_only=True)
class Blended:
    """One orientation of a blend, with its share (0 to 1) where the clinician gives one."""

    orientation: School
    weight: Weight | None = None
    in_words: Annotated[Line | None, "What ‘other’ stands for."] = None


@dataclass(slots=True, kw_only=True)
class Outline(Part):
    """Who the plan is for and with, and how it began."""

    client_ref: str = ""
    client_label: str = ""
    people: tuple[Person, ...] = ()
    therapist_id: str = ""
    supervisor_id: str | None = None
    opened_at: datetime | None = None
    review_interval_days: int | None = None
    replaces_plan_id: str | None = None
    intake: dict[str, str] | None = None

    def document(self) -> dict[str, Any]:
        """The outline as the plan's document shows it."""
        shown = Part.document(self)
        client = {"ref": shown.pop("client_ref"), "label": shown.pop("client_label")}
        return {"client": client, **shown}


@dataclass(slots=True, kw_only=True)
class Context(Part):
    """What is known of one area of the client's life; earlier words stay in the timeline."""

    area: str
    summary: str
    impact: str | None
    since: datetime


@dataclass(slots=True, kw_only=True)
class Concern(Part):
    """Something the client wants to be different; a label is optional and may stay tentative."""

    concern_id: str
    description: str
    impact_areas: tuple[str, ...]
    certainty: str
    status: str = "open"
    since: datetime
    resolved_at: datetime | None = None
    resolution: str | None = None


@dataclass(slots=True, kw_only=True)
class ConcernLink(Part):
    """Concerns that overlap, and how."""

    entry_id: str
    concern_ids: tuple[str, ...]
    how: str


@dataclass(slots=True, kw_only=True)
class Preference(Part):
    """How the client wants the work to be."""

    about: str
    text: str
    since: datetime


@dataclass(slots=True, kw_only=True)
class Noted(Part):
    """Words noted once, with their moment."""

    entry_id: str
    at: datetime
    words: dict[str, Any]

    def document(self) -> dict[str, Any]:
        """The note with its words as fields."""
        shown = Part.document(self)
        return {"entry_id": shown["entry_id"], "at": shown["at"], **shown["words"]}


@dataclass(slots=True, kw_only=True)
class Orientation(Part):
    """The theoretical orientation in use; two or more make it integrative."""

    blend: tuple[Blended, ...] = ()
    integrative: bool = False
    rationale: str | None = None
    disclosed_to_client: bool | None = None
    since: datetime | None = None


class Opening(Section):
    """The client's side of the plan."""

    FLAT = frozenset({"outline"})

    def __init__(self) -> None:
        self.outline = Outline()
        self.context: Parts[Context] = Parts(keyed=True)
        self.concerns: Parts[Concern] = Parts()
        self.concern_links: Parts[ConcernLink] = Parts()
        self.preferences: Parts[Preference] = Parts()
        self.prior_therapy: Parts[Noted] = Parts()
        self.strengths: Parts[Noted] = Parts()
        self.expectations: Parts[Noted] = Parts()
        self.readiness: Parts[Noted] = Parts(keyed=True)
        self.orientation = Orientation()

    def concern(self, concern_id: str) -> str:
        """The concern of that id in quotation marks."""
        held = self.concerns.get(concern_id)
        return short(held.description, 60) if held else "“…”"


@recorded("plan.plan-opened")
class PlanOpened(EntryData):
    """A plan begins: who it is for, in their own words."""

    client_ref: Annotated[Opaque, "The client in the clinic's own system; opaque to this service."]
    client_label: Annotated[Line, "How staff recognise the client."]
    people: Annotated[tuple[Person, ...], ManyRule(most=20)] = ()
    initiated_by: Annotated[Line, "Who asked for therapy."]
    presenting_concern: Annotated[Text, "What brings the client here."]
    hopes: Annotated[Text, "What the client hopes for."]
    signs_of_improvement: Annotated[Text, "How the client would notice that things are better."]
    therapist_id: MemberId
    supervisor_id: MemberId | None = None
    review_interval_days: Annotated[Days | None, "Days; the clinic's interval when left out."] = (
        None
    )
    replaces_plan_id: Annotated[
        PlanId | None, "The client's earlier plan whose place it takes."
    ] = None

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The plan exists, as a draft."""
        plan.lifecycle.standing.move("draft", entry)
        outline = plan.opening.outline.edit(entry)
        outline.client_ref, outline.client_label = self.client_ref, self.client_label
        outline.people, outline.therapist_id = self.people, self.therapist_id
        outline.supervisor_id, outline.opened_at = self.supervisor_id, entry.occurred_at
        outline.review_interval_days = self.review_interval_days
        outline.replaces_plan_id = self.replaces_plan_id
        outline.intake = {
            "initiated_by": self.initiated_by,
            "presenting_concern": self.presenting_concern,
            "hopes": self.hopes,
            "signs_of_improvement": self.signs_of_improvement,
        }

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"The plan was opened with {self.client_label}: {short(self.presenting_concern)}."


@recorded("plan.context-captured")
class ContextCaptured(EntryData):
    """Something about the client's life that matters here; the newest per area is current."""

    area: Area
    summary: Text
    impact: Text | None = None

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The area's current words are replaced."""
        held = Context(
            area=self.area, summary=self.summary, impact=self.impact, since=entry.occurred_at
        )
        plan.opening.context.add(self.area, held, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"Context ({self.area}): {short(self.summary)}."


@recorded("plan.concern-identified")
class ConcernIdentified(EntryData):
    """Something the client wants to be different is named."""

    concern_id: NewConcern = ""
    description: Text
    impact_areas: Annotated[tuple[Line, ...], ManyRule(most=20)] = ()
    certainty: Literal["tentative", "working", "settled"] = "tentative"

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The concern is open."""
        held = Concern(
            concern_id=self.concern_id,
            description=self.description,
            impact_areas=self.impact_areas,
            certainty=self.certainty,
            since=entry.occurred_at,
        )
        plan.opening.concerns.add(self.concern_id, held, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"A concern was named ({self.certainty}): {short(self.description)}."


@recorded("plan.concern-reframed")
class ConcernReframed(EntryData):
    """A concern is seen in another light."""

    WHY = True

    concern_id: ConcernRef
    description: Text
    certainty: Literal["tentative", "working", "settled"] | None = None

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Only an open concern can be reframed."""
        _require_open(plan, self.concern_id)

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The concern's words are replaced."""
        held = plan.opening.concerns.edit(self.concern_id, entry)
        held.description = self.description
        held.certainty = self.certainty or held.certainty

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"A concern was put into other words: {short(self.description)}."


@recorded("plan.concerns-linked")
class ConcernsLinked(EntryData):
    """Concerns overlap or feed each other."""

    concern_ids: Annotated[tuple[ConcernMention, ...], ManyRule(2, 20)]
    how: Text

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """A link joins different concerns."""
        if len(set(self.concern_ids)) < len(self.concern_ids):
            problem = Problem("/data/concern_ids", "Names a concern twice; name different ones.")
            raise InvalidDataError([problem])

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The link is kept."""
        held = ConcernLink(entry_id=entry.entry_id, concern_ids=self.concern_ids, how=self.how)
        plan.opening.concern_links.add(entry.entry_id, held, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        named = " and ".join(plan.opening.concern(held) for held in self.concern_ids)
        return f"{named} were seen to belong together: {short(self.how)}."


@recorded("plan.concern-resolved")
class ConcernResolved(EntryData):
    """A concern is no longer one."""

    concern_id: ConcernRef
    summary: Text

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Only an open concern can be resolved."""
        _require_open(plan, self.concern_id)

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The concern is resolved."""
        held = plan.opening.concerns.edit(self.concern_id, entry)
        held.status, held.resolved_at = "resolved", entry.occurred_at
        held.resolution = self.summary

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        named = plan.opening.concern(self.concern_id)
        return f"The concern {named} was resolved: {short(self.summary)}."

    def ends(self) -> tuple[str, ...]:
        """The concern."""
        return (self.concern_id,)


def _require_open(plan: PlanState, concern_id: str) -> None:
    if plan.opening.concerns[concern_id].status != "open":
        raise TransitionError(
            "That concern is resolved; name a new one instead.", "/data/concern_id"
        )


@recorded("plan.preference-voiced")
class PreferenceVoiced(EntryData):
    """How the client wants the work to be, e.g. reflection rather than quick answers."""

    about: Line
    text: Text

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The newest words on a subject are current."""
        held = Preference(about=self.about, text=self.text, since=entry.occurred_at)
        plan.opening.preferences.add(self.about, held, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"A preference was voiced about {self.about}: {short(self.text)}."


@recorded("plan.prior-therapy-noted")
class PriorTherapyNoted(EntryData):
    """What earlier therapy was like: what helped, what did not."""

    helped: Text | None = None
    did_not_help: Text | None = None

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """At least one of the two is said."""
        if self.helped is None and self.did_not_help is None:
            detail = "Say what helped, what did not, or both."
            raise InvalidDataError([Problem("/data/helped", detail)])

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The note is kept."""
        words = {"helped": self.helped, "did_not_help": self.did_not_help}
        held = Noted(entry_id=entry.entry_id, at=entry.occurred_at, words=words)
        plan.opening.prior_therapy.add(entry.entry_id, held, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        told = [f"what helped: {short(self.helped)}"] if self.helped else []
        told += [f"what did not: {short(self.did_not_help)}"] if self.did_not_help else []
        return f"Of earlier therapy, {' – '.join(told)}."


@recorded("plan.strength-identified")
class StrengthIdentified(EntryData):
    """Something the client can build on."""

    text: Text
    evidence: Text | None = None

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The strength is kept."""
        words = {"text": self.text, "evidence": self.evidence}
        held = Noted(entry_id=entry.entry_id, at=entry.occurred_at, words=words)
        plan.opening.strengths.add(entry.entry_id, held, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"A strength was seen: {short(self.text)}."


@recorded("plan.expectation-discussed")
class ExpectationDiscussed(EntryData):
    """What the client expects of therapy, and the understanding that was reached."""

    expectation: Text
    realistic: bool
    agreed_understanding: Text

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The understanding is kept."""
        words = {
            "expectation": self.expectation,
            "realistic": self.realistic,
            "agreed_understanding": self.agreed_understanding,
        }
        held = Noted(entry_id=entry.entry_id, at=entry.occurred_at, words=words)
        plan.opening.expectations.add(entry.entry_id, held, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return (
            f"The expectation {short(self.expectation, 60)} was talked over; "
            f"agreed: {short(self.agreed_understanding)}."
        )


@recorded("plan.readiness-assessed")
class ReadinessAssessed(EntryData):
    """How ready the client is for something, from 0 (not at all) to 10."""

    for_: Annotated[Line, "What the readiness is for."]
    level: Scale
    note: Text | None = None

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The newest level for a subject is current."""
        words = {"for": self.for_, "level": self.level, "note": self.note}
        held = Noted(entry_id=entry.entry_id, at=entry.occurred_at, words=words)
        plan.opening.readiness.add(self.for_, held, entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"Readiness for {self.for_}: {self.level} of 10."


@recorded("plan.orientation-adopted")
class OrientationAdopted(EntryData):
    """The theoretical orientation of the work; two or more make it integrative."""

    MATERIAL = True

    blend: Annotated[tuple[Blended, ...], ManyRule(1, 7)]
    rationale: Text
    disclosed_to_client: bool

    def needs_reason(self, plan: PlanState) -> bool:
        """A reason is needed when an earlier orientation is replaced."""
        return bool(plan.opening.orientation.blend)

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Each orientation once; given weights add up to no more than 1."""
        names = [(part.orientation, part.in_words) for part in self.blend]
        if len(set(names)) < len(names):
            problem = Problem("/data/blend", "Names an orientation twice; give it one weight.")
            raise InvalidDataError([problem])
        if sum(part.weight or 0 for part in self.blend) > 1 + 1e-9:
            problem = Problem("/data/blend", "The weights add up to more than 1.")
            raise InvalidDataError([problem])

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The blend replaces the one before."""
        held = plan.opening.orientation.edit(entry)
        held.blend, held.integrative = self.blend, len(self.blend) > 1
        held.rationale, held.since = self.rationale, entry.occurred_at
        held.disclosed_to_client = self.disclosed_to_client

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        named = " + ".join(
            part.in_words or part.orientation.replace("_", " ") for part in self.blend
        )
        kind = "an integrative orientation" if len(self.blend) > 1 else "an orientation"
        return f"The work took {kind}: {named}."
