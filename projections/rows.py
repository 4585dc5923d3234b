"""How a row of the record becomes an entry."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import orjson

from domain.entry import Entry, from_stored

Row = tuple[int, int, datetime, UUID | str, UUID | str, str, bytes]
"""position, version, recorded_at, entry_id, command_id, topic, state"""

COLUMNS = "position, version, recorded_at, entry_id::text, command_id::text, topic, state"
"""The ids as text, which entries keep: making UUIDs of them first costs more than all the rest."""


def entry_from_row(row: Row, plan_id: UUID) -> Entry:
    """The entry of a row; raises UnknownEntryTypeError for a topic outside the registry."""
    position, version, recorded_at, entry_id, command_id, topic, state = row
    return from_stored(
        topic,
        orjson.loads(state),
        originator_id=plan_id,
        originator_version=version,
        timestamp=recorded_at,
        entry_id=str(entry_id),
        command_id=str(command_id),
        position=position,
    )
