"""What of a request is knowing who asks, deciding whether they may, and keeping that they looked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from uuid import UUID

from bench.keys import settings
from bench.report import Section
from service.container import Container, build

ACTION = "plans.read"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a read, in milliseconds a call: at the clock, and of this process's processor time."""

    what: str
    wall: float
    cpu: float


def measure(url: str, token: str, plan_id: UUID, seconds: float) -> list[Step]:
    """Each step by itself, in process, over and over, as a therapist who reads their client's plan."""
    container = build(settings(url))
    try:
        return [
            Step(what, *_timed(step, seconds)) for what, step in _steps(container, token, plan_id)
        ]
    finally:
        container.close()


def _steps(
    container: Container, token: str, plan_id: UUID
) -> list[tuple[str, Callable[[], object]]]:
    gate, tokens = container.gate, container.tokens
    who = tokens.principal(token)
    sight = gate.see(who, ACTION, plan_id)

    def decided_anew() -> object:
        gate.forget(who.clinic_id, plan_id)
        return gate.see(who, ACTION, plan_id)

    return [
        ("token, remembered", lambda: tokens.principal(token)),
        ("member as the clinic's log knows them", lambda: gate.rosters(who.clinic_id).present(who)),
        ("relation, remembered", lambda: gate.see(who, ACTION, plan_id)),
        ("relation, read", decided_anew),
        ("access log, committed", lambda: gate.looked(who, sight, plan_id, version=1)),
        ("the whole read, all of it included", lambda: container.plans.current(who, plan_id)),
    ]


def _timed(step: Callable[[], object], seconds: float) -> tuple[float, float]:
    until, walls = time.perf_counter() + seconds, []
    cpu = time.process_time()
    while time.perf_counter() < until:
        begun = time.perf_counter()
        step()
        walls.append(time.perf_counter() - begun)
    return median(walls) * 1000, (time.process_time() - cpu) / len(walls) * 1000


def section(steps: list[Step]) -> Section:
    """The steps as a table."""
    return Section(
        "Who asks, whether they may, and that they looked",
        ("step of reading the current plan", "ms, median", "ms of CPU in the worker"),
        [(held.what, f"{held.wall:.3f}", f"{held.cpu:.3f}") for held in steps],
        "In process, one caller, everything else at rest; without Flask.",
    )
