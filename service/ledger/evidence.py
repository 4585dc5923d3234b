"""What exports take along of the ledger, so that others can check them: checkpoints, leaves, proofs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any
from uuid import UUID

import psycopg

from domain.fields import plain_moment
from service.ledger.books import Connection, Head, head_of, tiles_of
from service.ledger.leaves import Look
from service.ledger.logs import LOOK_COLUMNS
from service.ledger.notes import to_base64
from service.ledger.tiles import hash_of, places_of
from service.ledger.tree import HASH, Range, inclusion

LOOKS_FORMAT = "plan-history/access-log/v1"
_ALL_LEAVES = """
SELECT hashes FROM log_tiles WHERE clinic_id = %s AND tree = %s AND level = 0 ORDER BY number
"""
_ALL_LOOKS = f"""
SELECT s.index, {LOOK_COLUMNS} FROM access_log a
LEFT JOIN sealed_looks s ON s.clinic_id = a.clinic_id AND s.look_id = a.look_id
WHERE a.clinic_id = %s ORDER BY s.index NULLS LAST, a.look_id
"""


def sealed_head(conn: Connection, clinic_id: UUID, tree: str) -> Head | None:
    """The newest checkpoint of a tree, if there is one."""
    head = head_of(conn, clinic_id, tree)
    return head if head is not None and head.note is not None else None


def proofs(conn: Connection, head: Head, positions: Sequence[int]) -> list[dict[str, Any]]:
    """For each of the positions that are sealed: its leaf, and the way to the checkpoint's root."""
    sealed = [position for position in positions if position <= head.size]
    paths = {position: inclusion(position - 1, head.size) for position in sealed}
    leaves: dict[int, Range] = {position: (position - 1, position) for position in sealed}
    wanted = {held for path in paths.values() for held in path} | set(leaves.values())
    tiles = tiles_of(conn, head, places_of(wanted))

    @cache
    def hashed(held: Range) -> bytes:
        return hash_of(held, tiles)

    return [
        {
            "position": position,
            "leaf": hashed(leaves[position]).hex(),
            "path": [to_base64(hashed(held)) for held in path],
        }
        for position, path in paths.items()
    ]


def leaves(conn: Connection, head: Head) -> Iterator[bytes]:
    """Every leaf hash under a checkpoint, one after the other, in pieces."""
    left = head.size * HASH
    for (hashes,) in conn.execute(_ALL_LEAVES, head.key, binary=True):
        yield hashes[:left]
        left -= min(left, len(hashes))


def looks(conn: psycopg.Connection[Any], clinic_id: UUID) -> Iterator[dict[str, Any]]:
    """A heading and every look of a clinic in the order of their leaves; those not sealed yet come last."""
    yield {"format": LOOKS_FORMAT, "clinic_id": str(clinic_id)}
    with conn.transaction(), conn.cursor("looks", binary=True) as cursor:
        cursor.itersize = 2_000
        for index, *columns in cursor.execute(_ALL_LOOKS, [clinic_id]):
            look = Look(*columns)._asdict()
            yield {"index": index, **look, "looked_at": plain_moment(look["looked_at"])}
