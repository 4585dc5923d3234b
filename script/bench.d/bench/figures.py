"""What was measured: single runs, medians over rounds, and figures with their facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the load generator. Latencies in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p90: float
    p99: float
    refused: int = 0
    broken: int = 0
    bytes: int = 0

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    @property
    def void(self) -> bool:
        """Whether something went wrong in it: then it says nothing."""
        return bool(self.refused or self.broken) or not self.requests


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value for a target, and a note on how it came about."""

    key: str
    value: float | None
    note: str = ""


def middle(held: Iterable[T], of: Callable[[T], float]) -> float:
    """The median of something over rounds."""
    return median(map(of, held))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
