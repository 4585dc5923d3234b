"""Erasing: what is left to do once the clinic's log says that a client was erased.

Whoever recorded it destroys the keys at once; whoever projects does so again, in case that came to
nothing: the entry in the log is the promise, and it is kept sooner or later.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from domain.erasure import ClientErased
from projections.projection import Batch, Cursor, Erased
from projections.sealing import Keys

_KEYS = """
SELECT DISTINCT key_id FROM entries WHERE clinic_id = %s AND plan_id = ANY(%s) AND key_id IS NOT NULL
UNION SELECT key_id FROM entries WHERE clinic_id = %s AND entry_id = ANY(%s) AND key_id IS NOT NULL
"""


def erased_by(clinic_id: UUID, data: ClientErased) -> Erased:
    """What an entry says was erased."""
    return Erased(
        clinic_id,
        [UUID(held) for held in data.plan_ids],
        [UUID(held) for held in data.entry_ids],
        [UUID(held) for held in data.member_ids],
    )


def erasures(batch: Batch) -> Iterator[Erased]:
    """The erasures among a batch's entries."""
    for entry in batch.clinic_entries:
        if isinstance(entry.data, ClientErased):
            yield erased_by(batch.clinic_id, entry.data)


def destroy_keys(cursor: Cursor, keys: Keys, erased: Erased) -> int:
    """Destroy the keys of what was erased; how many there still were."""
    clinic_id = erased.clinic_id
    given = [clinic_id, list(erased.plan_ids), clinic_id, list(erased.entry_ids)]
    return keys.destroy([row[0] for row in cursor.execute(_KEYS, given).fetchall()])
