"""A chart: one plan at one version, or as much of it as its client sees, from which its FHIR resources are made.

Resources are known by the entry that made them: ``Goal/<plan id>.<version of its GoalSet>``. A resource's
version is that of the last entry recorded about it, so that each version of a plan shows, unchanged for
ever, which version of everything in it was current.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any
from uuid import UUID

from domain.entry import Author, Entry, created_ids, references
from domain.fold import AMENDING, Settled
from domain.goals import GoalSet
from domain.release import Readable
from domain.state import PlanState
from service.fhir.terms import MEMBER, Resource, given

ALL = "*"
"""Stands for everything in a plan, where an amendment may have changed anything."""


def says_more(entry: Entry) -> bool:
    """Whether an entry makes its Observation: a goal does only when it says where it began."""
    data = entry.data
    return not isinstance(data, GoalSet) or (
        data.measure is not None and data.measure.baseline is not None
    )


def patient_id(clinic_id: UUID, client_ref: str) -> str:
    """The FHIR id of a client: a digest, since the clinic's own reference may be no valid id."""
    return sha256(f"{clinic_id} {client_ref}".encode()).hexdigest()[:32]


@dataclass
class Chart:
    """What builders look things up in. ``makers``: type of resource → the types of entry that make it.

    A plan as its client sees it lacks the entries that are held back, and with them the versions of
    the CarePlan which only they made.
    """

    clinic_id: UUID
    plan: Readable
    version: int
    makers: dict[str, frozenset[str]]
    settled: Settled = field(init=False)
    state: PlanState = field(init=False)

    def __post_init__(self) -> None:
        """Fold the plan at the version."""
        self.settled = self.plan.settled_at(self.version)
        now = self.version == self.plan.version
        self.state = self.plan.state if now else self.plan.at(self.version)

    @cached_property
    def recorded(self) -> Sequence[Entry]:
        """The entries recorded until then, as they were recorded."""
        return self.plan.entries[: self._many(self.version)]

    def _many(self, version: int) -> int:
        return bisect_right(self.plan.entries, version, key=lambda entry: entry.version)

    def newest(self, version: int) -> Entry:
        """The newest entry there is up to a version (at least 1: the opening is always there)."""
        return self.plan.entries[self._many(max(version, 1)) - 1]

    def whole(self, version: int) -> Resource:
        """A reference to the plan as it was at a version, or at the newest before it that is seen."""
        return {"reference": f"CarePlan/{self.plan.id}/_history/{self.newest(version).version}"}

    @cached_property
    def origins(self) -> dict[str, Entry]:
        """The entry that made each thing, by the thing's id; the entry itself by its own."""
        made: dict[str, Entry] = {}
        for entry in self.recorded:
            made[entry.entry_id] = entry
            for _, created, _ in created_ids(entry):
                made[created] = entry
        return made

    @cached_property
    def gone(self) -> dict[str, int]:
        """What of it was taken out, by id: the version of the entry that did."""
        return {held: by for held, by in self.settled.gone.items() if held in self.origins}

    @cached_property
    def _about(self) -> dict[str, int]:
        """The version of the last entry recorded about each thing, by its id."""
        last: dict[str, int] = {}
        parents: dict[str, str] = {}
        for entry in self.recorded:
            for named in self._named(entry, parents):
                last[named] = entry.version
        for entry_id, by in self.gone.items():
            if by <= self.version:
                for named in self._named(self.origins[entry_id], parents):
                    last[named] = max(last.get(named, 0), by)
        for _, parts in self.state.pieces():
            for key, part in getattr(parts, "by_id", {}).items():
                last[key] = max(last.get(key, 0), part.touched)
        return last

    def _named(self, entry: Entry, parents: dict[str, str]) -> Iterator[str]:
        """The ids of what an entry is about: what it makes and refers to, and a step's goal."""
        yield entry.entry_id
        if isinstance(entry.data, AMENDING):
            yield from self._amended(entry, parents)
            return
        mentioned = [held for _, held, _ in references(entry)]
        for kind, created, _ in created_ids(entry):
            yield created
            if kind == "objective":
                parents[created] = mentioned[0]
        for held in mentioned:
            yield held
            if held in parents:
                yield parents[held]

    def _amended(self, entry: Entry, parents: dict[str, str]) -> Iterator[str]:
        original = self.origins[entry.data.entry_id]  # type: ignore[attr-defined] # both amendments have it
        if original.version == 1 or isinstance(original.data, AMENDING):
            yield ALL
        else:
            yield from self._named(original, parents)

    def version_of(self, entry: Entry) -> int:
        """The version of what ``entry`` made."""
        named = [entry.entry_id, *(created for _, created, _ in created_ids(entry)), ALL]
        return max(entry.version, *(self._about.get(held, 0) for held in named))

    # References

    def id_of(self, entry: Entry) -> str:
        """The FHIR id of what ``entry`` made."""
        return f"{self.plan.id}.{entry.version}"

    def about(self, kind: str, thing_id: str | None) -> Resource | None:
        """A reference to the resource of that kind made of the thing, or None if it makes none."""
        origin = self.origins.get(thing_id or "")
        if origin is None or origin.type not in self.makers[kind]:
            return None
        if kind == "Observation" and not any(map(says_more, self._forms(origin))):
            return None
        return {"reference": f"{kind}/{self.id_of(origin)}"}

    def made(self, kind: str, thing_id: str, version: int) -> Resource | None:
        """As ``about``, if the thing was there at ``version`` and did make such a resource."""
        origin = self.origins.get(thing_id)
        if origin is None or origin.version > version:
            return None
        if kind == "Observation" and not says_more(origin):
            return None
        return self.about(kind, thing_id)

    def _forms(self, origin: Entry) -> Iterator[Entry]:
        """An entry as it was recorded, and as it is corrected."""
        yield origin
        place = self.settled.standing(origin.entry_id) if origin.type == "GoalSet" else None
        if place is not None:
            yield self.settled.order[place]

    def each(self, kind: str, thing_ids: Any) -> list[Resource]:
        """References to the resources of several things."""
        return [held for thing_id in thing_ids if (held := self.about(kind, thing_id))]

    @property
    def subject(self) -> Resource:
        """The client."""
        outline = self.state.opening.outline
        return {"reference": f"Patient/{patient_id(self.clinic_id, outline.client_ref)}"}

    @property
    def care_plan(self) -> Resource:
        """The plan."""
        return {"reference": f"CarePlan/{self.plan.id}"}

    def member(self, member_id: str) -> Resource:
        """A member of the clinic."""
        return {"reference": f"Practitioner/{member_id}"}

    def author(self, by: Author) -> Resource:
        """Who recorded something: a practitioner, the client, or a device."""
        if by.role == "client":
            return {**self.subject, "display": by.name}
        if by.role == "integration":
            return given(
                type="Device",
                identifier={"system": MEMBER, "value": by.member_id},
                display=by.name,
            )
        return {**self.member(by.member_id), "display": by.name}

    def voice(self, voice: str, entry: Entry) -> Resource:
        """Whose words something is in."""
        if voice == "client":
            return self.subject
        if voice in ("guardian", "partner"):
            return {"type": "RelatedPerson", "display": voice.capitalize()}
        if voice == "therapist":
            return self.author(entry.recorded_by)
        return {"display": voice.capitalize()}
