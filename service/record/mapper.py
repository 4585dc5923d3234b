"""Between entries and their stored form, through the library's Mapper and Transcoder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, Notification, StoredEvent, Transcoder

from domain.entry import Entry, to_stored
from projections.rows import entry_from_row
from projections.sealing import Seals


class EntryTranscoder(Transcoder):
    """Plain JSON through orjson; what JSON cannot hold the entry's own declaration brings back."""

    def encode(self, obj: Any) -> bytes:
        """JSON bytes of plain JSON types."""
        return orjson.dumps(obj)

    def decode(self, data: bytes) -> Any:
        """Plain JSON types from JSON bytes."""
        return orjson.loads(data)


@dataclass(frozen=True)
class StoredEntry(Notification):
    """A stored event with the facts the record keeps beside its state; ``id`` is its position.

    ``key_id``: what a new entry's state is to be sealed with; of one that was read it is in the state.
    """

    entry_id: UUID
    command_id: UUID
    recorded_at: datetime
    key_id: UUID | None = None


class EntryMapper(Mapper[UUID]):
    """Topics come from the closed registry of entries, never from a path in the database.

    States go out plain and are sealed by the recorder, which knows where they will be kept.
    """

    def __init__(self, transcoder: Transcoder, seals: Seals) -> None:
        super().__init__(transcoder)
        self.seals = seals

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        """The stored form of a new entry; position and recorded_at are the database's to give."""
        assert isinstance(domain_event, Entry)
        entry = domain_event
        return StoredEntry(
            originator_id=entry.originator_id,
            originator_version=entry.originator_version,
            topic=entry.data.TOPIC,
            state=self.transcoder.encode(to_stored(entry)),
            id=0,
            entry_id=UUID(entry.entry_id),
            command_id=UUID(str(entry.command_id)),
            recorded_at=entry.timestamp,
            key_id=entry.key_id,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Entry:
        """The entry of a stored row."""
        assert isinstance(stored_event, StoredEntry)
        stored = stored_event
        plan_id = stored.originator_id
        assert isinstance(plan_id, UUID)
        return entry_from_row(
            (
                stored.id,
                stored.originator_version,
                stored.recorded_at,
                stored.entry_id,
                stored.command_id,
                stored.topic,
                stored.state,
            ),
            plan_id,
            self.seals,
        )
