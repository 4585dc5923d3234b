"""Keeping the newest of what never changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """At most ``size`` values by key; those longest unused are let go. For any thread.

    With ``most`` at most of that weight altogether, as ``weigh`` says; what is heavier is not kept at all.
    """

    def __init__(
        self, size: int, *, most: int | None = None, weigh: Callable[[V], int] = lambda _: 0
    ) -> None:
        self.size, self.most, self.weigh = size, most, weigh
        self.weight = 0
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
            self._let_go(key)

    def _let_go(self, key: K) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            self.weight -= self.weigh(held)

    def drop_where(self, of: Callable[[K], bool]) -> None:
        """Keep nothing under the keys that ``of`` is true of."""
        with self._lock:
            for key in [key for key in self._held if of(key)]:
                self._let_go(key)

    def put(self, key: K, value: V) -> None:
        """Keep ``value``."""
        with self._lock:
            self._let_go(key)
            if self.most is not None and self.weigh(value) > self.most:
                return
            self._held[key] = value
            self.weight += self.weigh(value)
            while len(self._held) > self.size or (
                self.most is not None and self.weight > self.most
            ):
                self._let_go(next(iter(self._held)))
