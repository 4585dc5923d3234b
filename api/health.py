"""Liveness, readiness, metrics."""

from __future__ import annotations

import os
from collections.abc import Iterator

from flask import Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client import REGISTRY as OWN
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.blueprint import Blueprint
from api.conventions import json_answer, services
from service.health import Health, look

health = Blueprint("health", "health", description="Is it there, can it work, how is it doing")

REQUESTS = Counter(
    "plan_history_requests_total", "Requests answered.", ["method", "route", "status"]
)
SECONDS = Histogram(
    "plan_history_request_seconds",
    "Time from arrival to answer, in seconds.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3),
)


@health.get("/livez", "is_alive", answer="Alive")
def livez() -> Response:
    """The process answers."""
    return json_answer({"alive": True})


@health.get("/readyz", "is_ready", answer="Ready")
def readyz() -> Response:
    """The database answers and is migrated; how far the projections and the seals are."""
    health_now = look(services().database)
    return json_answer(health_now.document(), 200 if health_now.ready else 503)


@health.get("/metrics", "metrics", answer="text")
def metrics() -> Response:
    """Figures for Prometheus."""
    registry = OWN
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # published without types
    lag = CollectorRegistry()
    lag.register(_Lag(look(services().database)))
    return Response(
        generate_latest(registry) + generate_latest(lag), content_type=CONTENT_TYPE_LATEST
    )


_GAUGES = (
    (
        "plan_history_projection_entries_behind",
        "Entries a projection has not taken in.",
        "projection",
        "entries_behind",
    ),
    (
        "plan_history_projection_clinics_stopped",
        "Clinics a projection has stopped for at a poison entry.",
        "projection",
        "stopped",
    ),
    (
        "plan_history_ledger_behind",
        "Entries, or looks up to 10,000, that are not sealed yet.",
        "tree",
        "behind",
    ),
    (
        "plan_history_ledger_clinics_stopped",
        "Clinics whose tree is sealed no further because something is wrong.",
        "tree",
        "stopped",
    ),
)
"""What is told of the projections and the trees: name, help, label, and which of their facts."""


class _Lag(Collector):
    """How far everything is behind, and where it stands still: as it is now, whichever worker is asked."""

    def __init__(self, held: Health) -> None:
        self.told = {"projection": held.projections, "tree": held.seals}

    def collect(self) -> Iterator[Metric]:
        """A gauge for each fact."""
        for name, said, label, fact in _GAUGES:
            gauge = GaugeMetricFamily(name, said, labels=[label])
            for which, found in self.told[label].items():
                gauge.add_metric([which], found[fact])
            yield gauge
