"""What else the machine is busy with: figures taken beside other work are told apart."""

from __future__ import annotations

import os
import time

from bench.processes import PROC, TICK, cpu_seconds

CALM = 0.25
"""Cores that others may use while a round counts as undisturbed."""


class Others:
    """How many cores other processes (and other guests of the same host) use from now on."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.busy, self.own = _busy(), cpu_seconds(os.getpid())

    def cores(self) -> float:
        """Cores used by others since; 0 where unknown."""
        passed = time.monotonic() - self.started
        used = _busy() - self.busy - (cpu_seconds(os.getpid()) - self.own)
        return max(used / passed, 0.0)


def _busy() -> float:
    """CPU seconds of the whole machine so far, other guests' included."""
    try:
        line = (PROC / "stat").read_text().partition("\n")[0]
    except OSError:
        return 0.0
    user, nice, system, _idle, _waiting, irq, softirq, steal = map(int, line.split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICK


def wait_until_calm(patience: float) -> None:
    """Wait until others leave the machine alone for half a second, at most ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        others = Others()
        time.sleep(0.5)
        if others.cores() <= CALM:
            return
