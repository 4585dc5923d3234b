"""What is sealed of an entry and of a look: one unambiguous string of bytes each, its leaf in the tree.

Every string begins with a tag that says what it is and in which layout; numbers have a fixed width, texts their
length before them, and what may be missing a byte that says whether it is there. Numbers are big-endian, texts
UTF-8, moments microseconds since 1970 UTC. Of an entry's words only the SHA-256 of what is stored goes in.
The same layout is computed by ``entry_leaf()`` in service/migrations/003_append_entries.sql.
"""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

ENTRY_TAG, LOOK_TAG = b"plan-history/leaf/v1", b"plan-history/look/v1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ENTRY = struct.Struct(">q16s16si")


class Entry(NamedTuple):
    """An entry as it is stored."""

    position: int
    entry_id: UUID
    plan_id: UUID
    version: int
    topic: str
    recorded_at: datetime
    key_id: UUID | None
    state: bytes

    def data(self, clinic_id: UUID, previous: bytes | None) -> bytes:
        """Its leaf's data; ``previous`` is the leaf hash of the plan's entry before it."""
        fixed = _ENTRY.pack(self.position, self.entry_id.bytes, self.plan_id.bytes, self.version)
        return b"".join(
            (
                ENTRY_TAG,
                clinic_id.bytes,
                fixed,
                _text(self.topic),
                _moment(self.recorded_at),
                _id_if_any(self.key_id),
                hashlib.sha256(self.state).digest(),
                _if_any(previous),
            )
        )


class Look(NamedTuple):
    """A look as the access log has it."""

    look_id: int
    looked_at: datetime
    member_id: UUID
    token_id: UUID
    name: str
    role: str
    action: str
    plan_id: UUID | None
    version: int | None
    asked: str | None
    why: str | None
    view: str | None
    allowed: bool
    address: str | None
    request_id: str | None

    def data(self, clinic_id: UUID) -> bytes:
        """Its leaf's data."""
        version = None if self.version is None else struct.pack(">i", self.version)
        return b"".join(
            (
                LOOK_TAG,
                clinic_id.bytes,
                struct.pack(">q", self.look_id),
                _moment(self.looked_at),
                self.member_id.bytes,
                self.token_id.bytes,
                *map(_text, (self.name, self.role, self.action)),
                _id_if_any(self.plan_id),
                _if_any(version),
                *map(_text_if_any, (self.asked, self.why, self.view)),
                b"\x01" if self.allowed else b"\x00",
                *map(_text_if_any, (self.address, self.request_id)),
            )
        )


def _moment(moment: datetime) -> bytes:
    return struct.pack(">q", (moment - _EPOCH) // _MICROSECOND)


def _text(text: str) -> bytes:
    held = text.encode()
    return struct.pack(">i", len(held)) + held


def _if_any(held: bytes | None) -> bytes:
    return b"\x00" if held is None else b"\x01" + held


def _id_if_any(held: UUID | None) -> bytes:
    return _if_any(None if held is None else held.bytes)


def _text_if_any(text: str | None) -> bytes:
    return _if_any(None if text is None else _text(text))
