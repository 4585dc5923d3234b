"""Which keys the entries of a database are sealed with, and whether they are here."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from service.errors import KeyMissingError
from service.keys.places import begun, given_master, open_ring
from service.keys.ring import Ring
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Use:
    """How many keys entries are sealed with, how many of these are missing, how many do not open."""

    in_use: int
    missing: int
    shut: int


def keys_used(conn: psycopg.Connection[Any]) -> list[UUID]:
    """The keys that entries are sealed with (as the owner)."""
    query = "SELECT DISTINCT key_id FROM entries WHERE key_id IS NOT NULL"
    return [row[0] for row in conn.execute(query).fetchall()]


def use_of(held: Settings, used: Collection[UUID]) -> Use | None:
    """Try every key used; None where no keys were begun. It makes nothing.

    Raises MasterKeyError, StoreUnavailableError, and OSError for a folder that cannot be read.
    """
    given_master(held)
    if not begun(held):
        return None
    with contextlib.closing(open_ring(held)) as ring:
        return tried(ring, used)


def tried(ring: Ring, used: Collection[UUID]) -> Use:
    """Try these keys; one that was destroyed is in order."""
    found = Counter(_found(ring, key_id) for key_id in used)
    return Use(len(used), found["missing"], found["shut"])


def _found(ring: Ring, key_id: UUID) -> str:
    if ring.store.find(key_id) is None:
        return "missing"
    try:
        ring.secret(key_id)
    except KeyMissingError:
        return "shut"
    return "in order"
