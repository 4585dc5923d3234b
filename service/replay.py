"""Replay: a plan's life as steps, lines, lanes and turning points, and any moment of it.

Two clocks: ``recorded`` walks the entries in the order in which they were written down, ``effective``
the standing entries, as corrected, in the order in which they count. Steps are numbered from 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from domain.course import LifeEventEased, LifeEventNoted, RelapseNoted, SafetyConcernNoted
from domain.entry import Entry, EntryData, chapter_of, references
from domain.errors import MomentNotFoundError
from domain.fold import AMENDING, Settled, advance, fold
from domain.goals import MeasureRecorded
from domain.obligations import obligations
from domain.plan import Plan
from domain.policy import Policy
from domain.record import AddendumAdded
from domain.reviews import ReviewHeld
from domain.state import PlanState
from domain.trace import Change, diff
from service.access import Gate, Principal, Sight
from service.errors import NotAllowedError
from service.kept import Kept
from service.measures import series_of
from service.reading import reading_plan
from service.record.plans import Plans

Clock = Literal["recorded", "effective"]
MARKING: dict[str, tuple[type[EntryData], ...]] = {
    "relapse": (RelapseNoted,),
    "safety": (SafetyConcernNoted,),
    "life": (LifeEventNoted, LifeEventEased),
    "review": (ReviewHeld,),
    "amendment": (*AMENDING, AddendumAdded),
}
"""Turning points by what kind of entry makes them; signatures are a chapter, lateness a fact."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the walk: an entry's version, and where on the axis it lies."""

    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Point:
    """A measured value; ``was`` is what was written before a correction."""

    at: datetime
    value: float
    version: int
    late: bool
    was: float | None = None


@dataclass(slots=True)
class Line:
    """A measure's values, and its target over time."""

    goal_id: str | None
    name: str
    statement: str | None
    unit: str | None
    baseline: float | None
    points: list[Point] = field(default_factory=list)
    targets: list[tuple[datetime, float]] = field(default_factory=list)


@dataclass(slots=True)
class Span:
    """An intervention in one status for a while; ``end`` None: until now."""

    intervention_id: str
    technique: str
    status: str
    start: datetime
    version: int
    end: datetime | None = None


@dataclass(slots=True)
class Lane:
    """A lineage of interventions: each swap goes on in the same lane."""

    goal_ids: tuple[str, ...]
    spans: list[Span] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mark:
    """A turning point."""

    kind: str
    at: datetime
    version: int
    sentence: str
    about: frozenset[str]


@dataclass(frozen=True, slots=True)
class Life:
    """A plan's whole life on one clock."""

    version: int
    steps: Sequence[Step]
    lines: Sequence[Line]
    lanes: Sequence[Lane]
    marks: Sequence[Mark]
    goals: Sequence[tuple[str, str]]

    def step_of(self, version: int) -> int:
        """The step at which that version is; the last one before it where it stands no more."""
        found = {step.version: number for number, step in enumerate(self.steps, start=1)}
        while version > 1 and version not in found:
            version -= 1
        return found.get(version, 1)


@dataclass(frozen=True, slots=True)
class Seen:
    """A plan at one step: its document, the entry of the step, and what it changed."""

    step: int
    steps: int
    entry: Entry
    sentence: str
    late: bool
    document: dict[str, Any]
    changes: Sequence[Change]
    corrected_by: Sequence[int]
    in_error_by: int | None


class ReplayService:
    """Walks through one plan. What was told once is kept, for as long as the plan does not change."""

    def __init__(self, plans: Plans, policy: Callable[[UUID], Policy], gate: Gate) -> None:
        self.plans = plans
        self.policy = policy
        self.gate = gate
        self._lives: Kept[tuple[UUID, UUID, Clock, int], Life] = Kept(64)
        self._seen: Kept[tuple[UUID, UUID, Clock, int, int], Seen] = Kept(512)

    def life(self, principal: Principal, plan_id: UUID, clock: Clock) -> Life:
        """The plan's life on a clock; raises PlanNotFoundError."""
        sight = self._sight(principal, plan_id)
        with reading_plan(self.plans, principal.clinic_id, plan_id) as plan:
            life = self._life(principal.clinic_id, plan, clock)
        self.gate.looked(principal, sight, plan_id, version=life.version, asked="replay")
        return life

    def _sight(self, principal: Principal, plan_id: UUID) -> Sight:
        """How the principal sees the plan; a replay is for those who see all of it."""
        sight = self.gate.see(principal, "plans.read", plan_id)
        if not sight.full:
            raise NotAllowedError("The replay holds working notes; read the plan and its story.")
        return sight

    def _life(self, clinic_id: UUID, plan: Plan, clock: Clock) -> Life:
        key = (clinic_id, plan.id, clock, plan.version)
        held = self._lives.get(key)
        if held is None:
            held = life_of(plan, clock, self.policy(clinic_id))
            self._lives.put(key, held)
        return held

    def moment(self, principal: Principal, plan_id: UUID, clock: Clock, step: int) -> Seen:
        """The plan at a step of its life, and what that step changed.

        Raises MomentNotFoundError for a step there is not.
        """
        sight = self._sight(principal, plan_id)
        with reading_plan(self.plans, principal.clinic_id, plan_id) as plan:
            life = self._life(principal.clinic_id, plan, clock)
            if not 1 <= step <= len(life.steps):
                raise MomentNotFoundError(f"This plan has steps 1 to {len(life.steps)} so far.")
            key = (principal.clinic_id, plan_id, clock, plan.version, step)
            seen = self._seen.get(key)
            if seen is None:
                seen = seen_at(plan, clock, life, step, self.policy(principal.clinic_id))
                self._seen.put(key, seen)
        version = seen.entry.version
        self.gate.looked(principal, sight, plan_id, version=version, asked=f"replay {clock}")
        return seen

    def between(
        self, principal: Principal, plan_id: UUID, clock: Clock, one: int, other: int
    ) -> Sequence[Change]:
        """What changed from one step to another, each change with its entries."""
        sight = self._sight(principal, plan_id)
        with reading_plan(self.plans, principal.clinic_id, plan_id) as plan:
            life = self._life(principal.clinic_id, plan, clock)
            first, last = (life.steps[step - 1].version for step in (one, other))
            if clock == "effective":
                settled = plan.settled
                changes = diff(settled, settled.order[:one], settled, settled.order[:other])
            else:
                before, after = plan.settled_at(first), plan.settled_at(last)
                changes = diff(before, before.order, after, after.order)
        asked = f"replay {clock}, {first} – {last}"
        self.gate.looked(principal, sight, plan_id, version=last, asked=asked)
        return changes


def life_of(plan: Plan, clock: Clock, policy: Policy) -> Life:
    """A plan's whole life on a clock."""
    return _Telling(plan, clock, timedelta(hours=policy.late_after_hours)).life()


def seen_at(plan: Plan, clock: Clock, life: Life, step: int, policy: Policy) -> Seen:
    """A plan at a step of its life."""
    version = life.steps[step - 1].version
    before, earlier, settled, order = _sides(plan, clock, version, step)
    if clock == "recorded":
        entry, state = plan.entries[version - 1], plan.at(version)
    else:
        entry, state = order[-1], fold(order)
    owed = [held.document() for held in obligations(state, policy)]
    return Seen(
        step=step,
        steps=len(life.steps),
        entry=entry,
        sentence=entry.data.tell(state),
        late=entry.recorded_at - entry.occurred_at > timedelta(hours=policy.late_after_hours),
        document={**state.document(), "obligations": owed},
        changes=diff(before, earlier, settled, order) if before and earlier else [],
        corrected_by=_amended_by(plan, entry),
        in_error_by=plan.settled.gone.get(entry.entry_id),
    )


def _sides(
    plan: Plan, clock: Clock, version: int, step: int
) -> tuple[Settled | None, Sequence[Entry], Settled, Sequence[Entry]]:
    """What is settled and counts just before a step, and at it."""
    if clock == "effective":
        order = plan.settled.order
        return plan.settled, order[: step - 1], plan.settled, order[:step]
    settled = plan.settled_at(version)
    before = plan.settled_at(version - 1) if version > 1 else None
    return before, before.order if before else (), settled, settled.order


def _amended_by(plan: Plan, entry: Entry) -> list[int]:
    """The versions that corrected an entry or marked it in error."""
    return [
        later.version
        for later in plan.entries
        if isinstance(later.data, AMENDING) and later.data.entry_id == entry.entry_id
    ]


class _Telling:
    """Tells one plan's life: one walk over what stands, noting what each entry touched."""

    def __init__(self, plan: Plan, clock: Clock, late_after: timedelta) -> None:
        self.plan, self.clock, self.late_after = plan, clock, late_after
        self.settled = plan.settled
        self.lanes: dict[str, Lane] = {}
        self.targets: dict[str, list[tuple[datetime, float]]] = {}
        self.marks: list[Mark] = []
        self.state = PlanState()

    def life(self) -> Life:
        for entry in self.settled.order:
            advance(self.state, entry)
            self._lane(entry)
            self._target(entry)
            if not isinstance(entry.data, AMENDING):
                self._mark(entry)
        for entry in self.plan.entries:
            if isinstance(entry.data, AMENDING):
                self._mark(entry)
        for lane in self.lanes.values():
            lane.spans.sort(key=lambda span: span.start)
        self.marks.sort(key=lambda mark: mark.at)
        return Life(
            version=self.plan.version,
            steps=[*self._steps()],
            lines=self._lines(),
            lanes=_distinct(self.lanes.values()),
            marks=self.marks,
            goals=[(goal.goal_id, goal.statement) for goal in self.state.goals.goals],
        )

    def _at(self, entry: Entry) -> datetime:
        if self.clock == "recorded":
            return entry.recorded_at
        return self.settled.counts_at.get(entry.entry_id, entry.occurred_at)

    def _steps(self) -> Iterator[Step]:
        walked = self.plan.entries if self.clock == "recorded" else self.settled.order
        for entry in walked:
            yield Step(entry.version, self._at(entry))

    def _is_late(self, entry: Entry) -> bool:
        return entry.recorded_at - entry.occurred_at > self.late_after

    def _lane(self, entry: Entry) -> None:
        """Note every intervention the entry brought into another status."""
        held = self.state.interventions.interventions
        if held.touched != entry.version:
            return
        for one in held:
            if one.touched == entry.version:
                self._in_lane(one, entry)

    def _in_lane(self, one: Any, entry: Entry) -> None:
        lane = self.lanes.get(one.swapped_from or "") or self.lanes.get(one.intervention_id)
        if lane is None:
            lane = Lane(one.goal_ids)
        self.lanes[one.intervention_id] = lane
        mine = [span for span in lane.spans if span.intervention_id == one.intervention_id]
        if mine and mine[-1].status == one.status and mine[-1].technique == one.technique:
            return
        if mine and mine[-1].end is None:
            mine[-1].end = self._at(entry)
        if one.status in ("active", "paused"):
            start = self._at(entry)
            lane.spans.append(
                Span(one.intervention_id, one.technique, one.status, start, entry.version)
            )

    def _target(self, entry: Entry) -> None:
        goals = self.state.goals.goals
        if goals.touched != entry.version or chapter_of(type(entry.data)) != "goals":
            return
        for goal in goals:
            if goal.touched == entry.version and goal.measure is not None:
                known = self.targets.setdefault(goal.goal_id, [])
                if not known or known[-1][1] != goal.measure.target:
                    known.append((self._at(entry), goal.measure.target))

    def _mark(self, entry: Entry) -> None:
        kinds = [kind for kind, types in MARKING.items() if isinstance(entry.data, types)]
        if chapter_of(type(entry.data)) == "signatures":
            kinds.append("signature")
        if self._is_late(entry) and not isinstance(entry.data, AMENDING):
            kinds.append("late")
        if kinds:
            about = frozenset(held for _, held, _ in references(entry))
            sentence = entry.data.tell(self.state)
            for kind in kinds:
                self.marks.append(Mark(kind, self._at(entry), entry.version, sentence, about))

    def _lines(self) -> list[Line]:
        found = []
        for series in series_of(self.plan):
            goal = self.state.goals.get(series["goal_id"])
            if not series["values"] and series["baseline"] is None:
                continue
            line = Line(
                goal_id=series["goal_id"],
                name=series["name"] or "Measured",
                statement=goal.statement if goal else None,
                unit=series["unit"],
                baseline=series["baseline"],
                targets=self.targets.get(series["goal_id"], [])
                if series["target"] is not None
                else [],
            )
            line.points = sorted(
                (self._point(held) for held in series["values"]), key=lambda p: (p.at, p.version)
            )
            found.append(line)
        return found

    def _point(self, value: dict[str, Any]) -> Point:
        entry = self.plan.entries[value["version"] - 1]
        assert isinstance(entry.data, MeasureRecorded)
        was = entry.data.value if entry.data.value != value["value"] else None
        at = entry.recorded_at
        if self.clock == "effective":
            at = datetime.fromisoformat(value["at"]).astimezone(UTC)
        return Point(at, value["value"], entry.version, self._is_late(entry), was)


def _distinct(lanes: Any) -> list[Lane]:
    """Each lane once, in the order in which they began."""
    return list({id(lane): lane for lane in lanes if lane.spans}.values())
