"""A plan's life as steps, lines, lanes and turning points, on one of two clocks.

``recorded`` walks the entries in the order in which they were written down, ``effective`` the standing
entries, as corrected, in the order in which they count. Steps are numbered from 1.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from domain.course import LifeEventEased, LifeEventNoted, RelapseNoted, SafetyConcernNoted
from domain.entry import Entry, EntryData, chapter_of, references
from domain.fold import AMENDING, advance
from domain.goals import MeasureRecorded
from domain.policy import Policy
from domain.record import AddendumAdded
from domain.release import Readable
from domain.reviews import ReviewHeld
from domain.state import PlanState
from service.measures import series_of

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


def numbered(plan: Readable, version: int) -> Entry:
    """The entry of that number, which is one of those that are seen."""
    return plan.entries[bisect_left(plan.entries, version, key=lambda entry: entry.version)]


def life_of(plan: Readable, clock: Clock, policy: Policy) -> Life:
    """A plan's whole life on a clock."""
    return _Telling(plan, clock, timedelta(hours=policy.late_after_hours)).life()


class _Telling:
    """Tells one plan's life: one walk over what stands, noting what each entry touched."""

    def __init__(self, plan: Readable, clock: Clock, late_after: timedelta) -> None:
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
        entry = numbered(self.plan, value["version"])
        assert isinstance(entry.data, MeasureRecorded)
        was = entry.data.value if entry.data.value != value["value"] else None
        at = entry.recorded_at
        if self.clock == "effective":
            at = datetime.fromisoformat(value["at"]).astimezone(UTC)
        return Point(at, value["value"], entry.version, self._is_late(entry), was)


def _distinct(lanes: Iterable[Lane]) -> list[Lane]:
    """Each lane once, in the order in which they began."""
    return list({id(lane): lane for lane in lanes if lane.spans}.values())
