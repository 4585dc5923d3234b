"""Liveness, readiness, metrics."""

from __future__ import annotations

import os

from flask import Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client import REGISTRY as OWN

from api.blueprint import Blueprint
from api.conventions import json_answer, services
from service.health import look

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
    """The database answers and is migrated; how far the projections are."""
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
    behind = Gauge(
        "plan_history_projection_entries_behind",
        "Entries a projection has not taken in.",
        ["projection"],
        registry=lag,
    )
    stopped = Gauge(
        "plan_history_projection_clinics_stopped",
        "Clinics a projection has stopped for at a poison entry.",
        ["projection"],
        registry=lag,
    )
    for name, held in look(services().database).projections.items():
        behind.labels(name).set(held["entries_behind"])
        stopped.labels(name).set(held["stopped"])
    return Response(
        generate_latest(registry) + generate_latest(lag), content_type=CONTENT_TYPE_LATEST
    )
