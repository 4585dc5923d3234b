"""How a row of the record becomes an entry."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import orjson

from domain.entry import Entry, from_stored
from domain.erased import erased_entry
from projections.sealing import Seals, key_of

Row = tuple[int, int, datetime, UUID | str, UUID | str, str, bytes]
"""position, version, recorded_at, entry_id, command_id, topic, state"""

COLUMNS = "position, version, recorded_at, entry_id::text, command_id::text, topic, state"
"""The ids as text, which entries keep: making UUIDs of them first costs more than all the rest."""


def entry_from_row(row: Row, plan_id: UUID, seals: Seals) -> Entry:
    """The entry of a row of the clinic of ``seals``; an erased one where its key was destroyed.

    Raises UnknownEntryTypeError for a topic outside the registry, LookupError for a key nobody knows
    of, and ValueError for a state that was moved or changed.
    """
    position, version, recorded_at, entry_id, command_id, topic, kept = row
    state = seals.state(plan_id, version, entry_id, kept)
    columns = {
        "originator_id": plan_id,
        "originator_version": version,
        "timestamp": recorded_at,
        "entry_id": str(entry_id),
        "command_id": str(command_id),
        "position": position,
    }
    if state is not kept:
        columns["key_id"] = key_of(kept)
    if state is None:
        return erased_entry(topic, **columns)  # type: ignore[arg-type] # what they are stands above
    return from_stored(topic, orjson.loads(state), **columns)
