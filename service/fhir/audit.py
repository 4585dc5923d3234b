"""The access log as AuditEvents, after IHE's Basic Audit Log Patterns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.access import Principal
from service.access.looks import Asked
from service.access.report import AccessReport
from service.access.table import EMERGENCY
from service.fhir.facade import ResourceNotFoundError
from service.fhir.terms import HL7, MEMBER, Resource, coding, concept, given

_DONE, _REFUSED = "0", "4"
DICOM, SIGNING_IN = "http://dicom.nema.org/resources/ontology/DCM", "sign-in"


def audit_event(look: Mapping[str, Any]) -> Resource:
    """One look, or refused attempt, of the access log."""
    emergency = concept(None, coding(f"{HL7}v3-ActReason", "BTG", "break the glass"))
    return given(
        resourceType="AuditEvent",
        id=str(look["look_id"]),
        meta={"lastUpdated": look["looked_at"]},
        **_what(look),
        recorded=look["looked_at"],
        outcome=_DONE if look["allowed"] else _REFUSED,
        outcomeDesc=None if look["allowed"] else "Refused",
        purposeOfEvent=[emergency] if look["why"] == EMERGENCY else None,
        agent=[_agent(look)],
        source={"observer": {"display": "Plan History"}},
        entity=[*_plan(look), *_request(look)],
    )


def _what(look: Mapping[str, Any]) -> Resource:
    """What was done: read, searched, or signed in."""
    if look["action"] == SIGNING_IN:
        return {
            "type": coding(DICOM, "110114", "User Authentication"),
            "subtype": [coding(DICOM, "110122", "Login")],
            "action": "E",
        }
    reading = "read" if look["plan_id"] else "search-type"
    return {
        "type": coding(f"{HL7}audit-event-type", "rest", "RESTful Operation"),
        "subtype": [coding("http://hl7.org/fhir/restful-interaction", reading)],
        "action": "R",
    }


def _agent(look: Mapping[str, Any]) -> Resource:
    address = look["address"]
    return given(
        type=concept(None, coding(DICOM, "110153", "Source Role ID")),
        role=[concept(look["role"])],
        who={"identifier": {"system": MEMBER, "value": look["member_id"]}, "display": look["name"]},
        requestor=True,
        network={"address": address, "type": "2"} if address else None,
    )


def _plan(look: Mapping[str, Any]) -> list[Resource]:
    """The plan that was looked at; named by its identifier, for a refused attempt may name none."""
    if look["plan_id"] is None:
        return []
    facts = ("action", "version", "asked", "why", "view")
    what = {
        "type": "CarePlan",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{look['plan_id']}"},
    }
    return [
        given(
            what=what,
            type=coding(f"{HL7}audit-entity-type", "2", "System Object"),
            role=coding(f"{HL7}object-role", "4", "Domain Resource"),
            detail=[
                {"type": name, "valueString": str(look[name])}
                for name in facts
                if look[name] is not None
            ],
        )
    ]


def _request(look: Mapping[str, Any]) -> list[Resource]:
    if look["request_id"] is None:
        return []
    told = {"identifier": {"value": look["request_id"]}}
    return [{"what": told, "type": coding(f"{HL7}audit-entity-type", "4", "Other")}]


def audit_events(
    report: AccessReport, principal: Principal, wanted: Asked
) -> tuple[list[Resource], int | None]:
    """A page of the access log as far as the principal may read it, newest first."""
    looks, following = report.looks(principal, wanted)
    return [audit_event(held) for held in looks], following


def one_audit_event(report: AccessReport, principal: Principal, look_id: int) -> Resource:
    """One look; raises ResourceNotFoundError."""
    looks, _ = report.looks(principal, Asked(limit=1, after=look_id + 1))
    if not looks or looks[0]["look_id"] != look_id:
        raise ResourceNotFoundError("There is no such AuditEvent here, or it is not yours to see.")
    return audit_event(looks[0])
