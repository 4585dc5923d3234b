"""What the façade can do, in FHIR's own words: its CapabilityStatement."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from service.fhir.facade import KINDS, OF_PLANS
from service.fhir.parameters import INCLUDES, PARAMETERS
from service.fhir.terms import Resource, given

SINCE = "2026-11-22"
AUDIT = "AuditEvent"
_AUDIT = {
    "type": AUDIT,
    "interaction": [{"code": "read"}, {"code": "search-type"}],
    "versioning": "no-version",
    "documentation": "The access log; for those who may read it. `date` is a day, month or year.",
    "searchParam": [
        {"name": "date", "type": "date"},
        {"name": "agent", "type": "reference"},
        {"name": "entity", "type": "reference"},
    ],
}
_EVERYWHERE = {"_id": "token", "_lastUpdated": "date"}


def capability_statement(url: str) -> Resource:
    """The statement of the façade at ``url``."""
    return {
        "resourceType": "CapabilityStatement",
        "name": "PlanHistory",
        "status": "active",
        "date": SINCE,
        "kind": "instance",
        "software": {"name": "Plan History", "version": version("plan-history")},
        "implementation": {"description": "Therapy treatment plans, read-only", "url": url},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "Read-only. Record through /v1; every resource shows the plan's entries.",
                "security": {"description": "Authorization: Bearer <token>, as for /v1."},
                "resource": [*(_resource(kind) for kind in KINDS), _AUDIT],
            }
        ],
    }


def _resource(kind: str) -> dict[str, Any]:
    codes = ("read", "vread", "history-instance", "search-type")
    known = codes if kind in OF_PLANS else ("read", "search-type")
    parameters = {name: held.kind for name, held in PARAMETERS.get(kind, {}).items()}
    everywhere = _EVERYWHERE if kind != "Practitioner" else {"_id": "token"}
    return given(
        type=kind,
        interaction=[{"code": code} for code in known],
        versioning="versioned" if kind in OF_PLANS else "no-version",
        readHistory=kind in OF_PLANS,
        searchInclude=[f"{kind}:{name}" for name in INCLUDES.get(kind, {})],
        searchParam=[
            {"name": name, "type": held} for name, held in {**everywhere, **parameters}.items()
        ],
    )
