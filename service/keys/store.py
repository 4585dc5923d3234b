"""What a store of keys promises; the vault file and the key table both keep to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A key as it is stored: encrypted under the master key of an epoch."""

    epoch: int
    text: bytes


class Destroyed:
    """That a key was destroyed: it was here and nobody will have it again."""


DESTROYED: Final = Destroyed()
Found = Wrapped | Destroyed | None


class KeyStore(Protocol):
    """Keeps wrapped keys. Every call raises StoreUnavailableError when the store is out of reach."""

    def add(self, keys: Mapping[UUID, Wrapped]) -> None:
        """Keep keys; those that are there already stay as they are. They are safely kept when it returns."""

    def find(self, key_id: UUID) -> Found:
        """The key of that id, DESTROYED, or None when it was never here."""

    def destroy(self, key_ids: Iterable[UUID]) -> int:
        """Destroy keys and keep that it happened; how many there were."""

    def wrapped(self, *, before: int) -> Iterator[tuple[UUID, Wrapped]]:
        """Every key wrapped in an epoch before that one."""

    def sample(self) -> list[tuple[UUID, Wrapped]]:
        """One key of those there are."""

    def rewrap(self, keys: Mapping[UUID, Wrapped]) -> None:
        """Keep these keys, wrapped anew, in place of what is there; those destroyed meanwhile stay so."""

    def counts(self) -> tuple[int, int]:
        """How many keys there are, and how many were destroyed."""

    def close(self) -> None:
        """Let go of the store."""
