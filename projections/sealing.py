"""Sealing: what is kept of a plan is encrypted under a key of that plan alone; without it, it is gone.

A sealed text says which key opens it and belongs to one place: moved to another plan, version or table it
does not open. What is kept without a key is plain JSON, which begins otherwise. The keys themselves, and
the cipher, are the service's (service/keys); this room knows what to ask of them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID

import orjson

SEALED = b"\x01"
"""What a sealed text begins with; then the 16 bytes of the key's id. No JSON begins so."""
_KEY = slice(1, 17)


class Cipher(Protocol):
    """One key. ``place`` says where a text is kept; it opens there and nowhere else."""

    def seal(self, text: bytes, place: bytes) -> bytes:
        """The sealed text, another one each time."""

    def seal_same(self, text: bytes, place: bytes) -> bytes:
        """The sealed text, the same each time: read models are rebuilt byte for byte."""

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """The text; raises ValueError for what was not sealed with this key, for this place."""


class Keys(Protocol):
    """Every key there is."""

    def cipher(self, key_id: UUID) -> Cipher | None:
        """The key of that id; None when it was destroyed. Raises LookupError when nobody knows of it."""

    def fresh(self) -> UUID | None:
        """The id of a key that nothing is sealed with yet, safely kept; None: nothing is to be sealed."""

    def blinded(self, digest: bytes) -> bytes:
        """A digest that tells nothing to who does not have the keys, however short what it is of."""

    def secret(self, key_id: UUID) -> bytes | None:
        """The key itself, for who takes along what it opens; None and LookupError as ``cipher``."""

    def adopt(self, key_id: UUID, secret: bytes | None) -> None:
        """Keep a key that came with what it opens (None: that it was destroyed); ValueError for another."""

    def forget(self, key_ids: Collection[UUID]) -> None:
        """Keep keys in mind no longer; whether they are still there is asked anew."""

    def destroy(self, key_ids: Collection[UUID]) -> int:
        """Destroy keys for good; how many there were."""

    def close(self) -> None:
        """Let go of the place they are kept at."""


class NoKeys:
    """For a record that is kept as plain JSON."""

    def cipher(self, key_id: UUID) -> Cipher | None:
        """Nobody knows of any."""
        raise LookupError(key_id)

    def fresh(self) -> UUID | None:
        """Nothing is to be sealed."""
        return None

    def blinded(self, digest: bytes) -> bytes:
        """The digest itself."""
        return digest

    def secret(self, key_id: UUID) -> bytes | None:
        """Nobody knows of any."""
        raise LookupError(key_id)

    def adopt(self, key_id: UUID, secret: bytes | None) -> None:
        """There is no place for keys."""
        raise ValueError("keys are off here")

    def forget(self, key_ids: Collection[UUID]) -> None:
        """There are none."""

    def destroy(self, key_ids: Collection[UUID]) -> int:
        """There are none."""
        return 0

    def close(self) -> None:
        """There is nothing to let go of."""


NO_KEYS = NoKeys()


def key_of(kept: bytes) -> UUID | None:
    """The key a text is sealed with; None for plain JSON."""
    return _named(bytes(kept[_KEY])) if kept[:1] == SEALED else None


@lru_cache(1024)
def _named(key: bytes) -> UUID:
    return UUID(bytes=key)  # a page of a hundred texts names the same key a hundred times


def opened(keys: Keys, kept: bytes, place: bytes) -> bytes | None:
    """What is kept, opened; None when its key was destroyed.

    Raises LookupError when nobody knows of the key, ValueError when it was moved or changed.
    """
    key_id = key_of(kept)
    if key_id is None:
        return kept
    cipher = keys.cipher(key_id)
    return None if cipher is None else cipher.open(kept, place)


def place_of_entry(clinic_id: object, plan_id: object, version: int, entry_id: object) -> bytes:
    """Where an entry's state is kept; ids as UUIDs or their texts."""
    return f"entry {clinic_id} {plan_id} {version} {entry_id}".encode()


def place_of_row(table: str, clinic_id: object, plan_id: object, about: object = "") -> bytes:
    """Where a read model keeps a text: in the row of its plan, or of something in it."""
    return f"{table} {clinic_id} {plan_id} {about}".encode()


@dataclass(frozen=True, slots=True)
class Seals:
    """Seals and opens what one clinic keeps."""

    keys: Keys
    clinic_id: UUID
    _clinic: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "_clinic", str(self.clinic_id)
        )  # made a text once, not for each place

    def state(self, plan_id: object, version: int, entry_id: object, kept: bytes) -> bytes | None:
        """The state of an entry as JSON; None when its key was destroyed."""
        if kept[:1] != SEALED:
            return kept
        return opened(self.keys, kept, place_of_entry(self._clinic, plan_id, version, entry_id))

    def row(
        self, key_id: UUID | None, table: str, plan_id: object, about: object, text: bytes
    ) -> bytes:
        """A text as a read model keeps it; plain for a plan that is kept so."""
        cipher = None if key_id is None else self.keys.cipher(key_id)
        if cipher is None:
            return text
        return cipher.seal_same(text, place_of_row(table, self._clinic, plan_id, about))

    def read(self, table: str, plan_id: object, about: object, kept: bytes) -> bytes | None:
        """A text of a read model; None when its key was destroyed."""
        if kept[:1] != SEALED:
            return kept
        return opened(self.keys, kept, place_of_row(table, self._clinic, plan_id, about))

    def document(self, table: str, plan_id: object, about: object, kept: bytes) -> Any:
        """A JSON text of a read model, parsed; None when its key was destroyed."""
        text = self.read(table, plan_id, about, kept)
        return None if text is None else orjson.loads(text)
