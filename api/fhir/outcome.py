"""Refusals below /fhir as OperationOutcomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FHIR_JSON = "application/fhir+json"
BASE = "/fhir/R4"
_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    412: "conflict",
    415: "not-supported",
    500: "exception",
    503: "transient",
}
"""FHIR's issue type for a status."""


def operation_outcome(problem: Mapping[str, Any]) -> dict[str, Any]:
    """A problem (RFC 9457) as an OperationOutcome: the same words, the same code."""
    status = problem["status"]
    issue: dict[str, Any] = {
        "severity": "fatal" if status >= 500 else "error",
        "code": _CODES.get(status, "processing"),
        "details": {
            "coding": [{"system": "urn:plan-history:problem", "code": problem["code"]}],
            "text": problem["title"],
        },
        "diagnostics": f"{problem['detail']} (request {problem['request_id']})",
    }
    return {"resourceType": "OperationOutcome", "issue": [issue]}
