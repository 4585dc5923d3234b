"""What is at hand while a plan is read from resources: its sources, and what they have become so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from domain.entry import EntryData, Reason
from service.fhir.belonging import WITHOUT
from service.fhir.source import Source
from service.recording import Draft


@dataclass
class Reading:
    """One plan while it is read.

    ``sources``: what it is read from, by reference; ``things``: reference → id in the plan. ``last`` are
    entries that come after all others, ``end`` what ends the plan.
    """

    plan: Source
    sources: dict[str, Source]
    therapist_id: str
    now: datetime
    drafts: list[Draft] = field(default_factory=list)
    last: list[Draft] = field(default_factory=list)
    end: list[Draft] = field(default_factory=list)
    things: dict[str, str] = field(default_factory=dict)

    def everything(self) -> Iterator[Source]:
        """All sources, the plan first."""
        yield self.plan
        yield from (held for held in self.sources.values() if held is not self.plan)

    def of(self, kind: str) -> Iterator[Source]:
        """The sources of one type that may be read; those entered in error are named, and left out."""
        for source in self.everything():
            if source.kind != kind or source.closed:
                continue
            status = source.code("verificationStatus") or source.code("status")
            if (source.code("lifecycleStatus") or status) in WITHOUT:
                source.found("", "left out: entered in error")
                source.understood.update(source.resource)
            else:
                yield source

    def new(self, source: Source) -> str:
        """A new id for what a source becomes."""
        made = self.things[source.name] = str(uuid4())
        return made

    def referred(self, source: Source, path: str) -> Iterator[str]:
        """The ids of what a list of references leads to in this plan."""
        for place, held in source.many(path):
            known = self.things.get(source.named(held))
            if known:
                source.take(f"{place}.reference")
                yield known
            elif isinstance(held, dict) and source.named(held) not in self.sources:
                source.found(f"{place}.reference", "leads to nothing in the file")


def draft(data: EntryData, at: datetime | None = None, why: str | None = None) -> Draft:
    """An entry as it is to be recorded."""
    reason = Reason(text=why) if why else None
    return Draft(data=data, occurred_at=at.astimezone(UTC) if at else None, reason=reason)
