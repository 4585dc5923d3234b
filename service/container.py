"""Wiring: the one place where the service's parts are put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from service.database import API_ROLE, Database
from service.plans import PlanService
from service.record.plans import Plans
from service.settings import Settings
from service.timeline import TimelineService
from service.tokens import Tokens
from service.wake import Waker


@dataclass(frozen=True, slots=True)
class Container:
    """What the API needs, opened once per process."""

    settings: Settings
    database: Database
    plans: PlanService
    timeline: TimelineService
    tokens: Tokens
    waker: Waker
    clock: Callable[[], datetime]

    def close(self) -> None:
        """Close connections and threads."""
        self.waker.close()
        self.database.close()


def build(settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Container:
    """Everything wired for ``settings``; nothing has touched the network yet but the pool's threads."""
    if settings.database_url is None:
        raise ValueError("DATABASE_URL is needed here; `plan-history serve` brings its own database.")
    database = Database(
        settings.database_url,
        API_ROLE,
        size=settings.pool_size,
        seconds=settings.request_seconds,
    ).open()
    kept = Plans(database, settings.cached_plans)
    waker = Waker(database)
    return Container(
        settings=settings,
        database=database,
        plans=PlanService(database, kept, recorded=waker, clock=clock),
        timeline=TimelineService(database, kept),
        tokens=Tokens(database, clock),
        waker=waker,
        clock=clock,
    )
