"""Rounds of a workload, each beside the no-op, and their medians."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.figures import Run, middle
from bench.others import CALM

ENOUGH = 3
"""Undisturbed rounds that are enough to leave the disturbed ones out."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A workload's run and the no-op's just before it.

    ``cpu``: milliseconds a request by part; ``others``: cores that others used meanwhile.
    """

    noop: Run
    noop_cpu: float
    run: Run
    cpu: dict[str, float]
    others: float = 0.0

    @property
    def ratio(self) -> float:
        """The workload's rate as a share of the no-op's."""
        return self.run.rate / self.noop.rate

    @property
    def cpu_ratio(self) -> float:
        """The no-op's CPU time a request as a share of the workload's, all parts together."""
        return self.noop_cpu / (sum(self.cpu.values()) or 1)


@dataclass(slots=True)
class Rounds:
    """All rounds of one workload at one number of connections."""

    name: str
    connections: int
    size: int = 0
    held: list[Beside] = field(default_factory=list)

    @property
    def void(self) -> int:
        """Rounds in which an answer was not as expected."""
        return sum(one.run.void or one.noop.void for one in self.held)

    @property
    def good(self) -> Sequence[Beside]:
        """The rounds that count: none that is void, and only undisturbed ones if there are enough."""
        valid = [one for one in self.held if not (one.run.void or one.noop.void)]
        calm = [one for one in valid if one.others <= CALM]
        return calm if len(calm) >= ENOUGH else valid

    def row(self) -> dict[str, Any]:
        """Medians for the table."""
        named = {"name": self.name, "connections": self.connections, "bytes": self.size}
        if not self.good:
            return {**named, "void": self.void}
        shares = {
            share: middle(self.good, lambda one, share=share: getattr(one.run, share))  # type: ignore[misc]
            for share in ("p50", "p90", "p99")
        }
        cpu = {
            part: middle(self.good, lambda one, part=part: one.cpu[part])  # type: ignore[misc]
            for part in self.good[0].cpu
        }
        return {
            **named,
            "void": self.void,
            "rate": middle(self.good, lambda one: one.run.rate),
            "noop": middle(self.good, lambda one: one.noop.rate),
            "ratio": middle(self.good, lambda one: one.ratio),
            "cpu_ratio": middle(self.good, lambda one: one.cpu_ratio),
            "others": middle(self.good, lambda one: one.others),
            **shares,
            "cpu": cpu,
            "rounds": [asdict(one) for one in self.held],
        }
