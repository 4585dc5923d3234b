"""A plan to take along: as a bundle of evidence, as FHIR, as a table, as a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields
from marshmallow.validate import OneOf

from api.blueprint import Blueprint
from api.conventions import principal, services, takes_query
from api.fhir.bundles import base_url
from api.fhir.outcome import FHIR_JSON
from api.queries import Query
from service.export.plan import FORMATS

MEDIA = {
    "bundle": ("application/zip", "zip"),
    "fhir": (FHIR_JSON, "json"),
    "csv": ("text/csv; charset=utf-8", "csv"),
    "html": ("text/html; charset=utf-8", "html"),
}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
export = Blueprint("export", "export", description="Plans to take along")


class ExportQuery(Query):
    """In which format."""

    format = fields.String(
        load_default="bundle",
        validate=OneOf(FORMATS, error="Must be one of: {choices}."),
        metadata={"description": "`bundle` (zip), `fhir`, `csv` or `html`."},
    )


@export.get(
    "/v1/plans/<uuid:plan_id>/export",
    "export_plan",
    action="plans.export",
    media=tuple(kind.partition(";")[0] for kind, _ in MEDIA.values()),
)
@export.query(ExportQuery)
@takes_query
def export_plan(query: Mapping[str, Any], plan_id: UUID) -> Response:
    """Export a plan with everything that was ever recorded in it."""
    return exported(plan_id, query["format"])


def exported(plan_id: UUID, kind: str) -> Response:
    """A plan in one of the formats, as a file to keep."""
    made = services().exports.export(principal(), plan_id, kind, base_url())
    media, suffix = MEDIA[kind]
    answer = Response(made, content_type=media)
    answer.headers["Content-Disposition"] = f'attachment; filename="plan-{plan_id}.{suffix}"'
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Security-Policy"] = _POLICY
    return answer
