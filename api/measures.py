"""A plan's measured values as series."""

from __future__ import annotations

from uuid import UUID

from flask import Response

from api.blueprint import Blueprint
from api.conventions import json_answer, not_modified, principal, services

measures = Blueprint("measures", "measures", description="How things move, in numbers")


@measures.get(
    "/v1/plans/<uuid:plan_id>/measures",
    "read_measures",
    action="plans.read",
    answer="Measures",
    conditional=True,
)
def read_measures(plan_id: UUID) -> Response:
    """A plan's measured values: a series for each measure, with what happened meanwhile."""
    version, shown = services().measures.of_plan(principal(), plan_id)
    return not_modified(version) or json_answer(shown, version=version)
