"""Keeping the newest of what never changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """At most ``size`` values by key; those longest unused are let go. For any thread."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._held: OrderedDict[K, V] = OrderedDict()
        self._lock = Lock()

    def get(self, key: K) -> V | None:
        """The value kept under ``key``, or None."""
        with self._lock:
            held = self._held.get(key)
            if held is not None:
                self._held.move_to_end(key)
            return held

    def drop(self, key: K) -> None:
        """Keep nothing under ``key``."""
        with self._lock:
            self._held.pop(key, None)

    def drop_where(self, of: Callable[[K], bool]) -> None:
        """Keep nothing under the keys that ``of`` is true of."""
        with self._lock:
            for key in [key for key in self._held if of(key)]:
                del self._held[key]

    def put(self, key: K, value: V) -> None:
        """Keep ``value``."""
        with self._lock:
            self._held[key] = value
            if len(self._held) > self.size:
                self._held.popitem(last=False)
