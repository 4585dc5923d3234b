"""FHIR R4: what the façade can do, resources, their versions, and searching them."""

from __future__ import annotations

from flask import Blueprint, Response, request

from api.conventions import F, principal, services, takes_query
from api.fhir.asked import as_answered, history_asked, negotiate, only_format, pairs, wanted
from api.fhir.bundles import base_url, history, resource_answer, searchset
from api.fhir.outcome import BASE
from service.fhir.capability import AUDIT, capability_statement
from service.fhir.facade import KINDS, READ, ResourceNotFoundError
from service.fhir.terms import Resource

fhir = Blueprint("fhir", __name__, url_prefix=BASE)
fhir.before_request(negotiate)


def _versioned(shown: Resource) -> Response:
    """A resource with its ETag, or 304 for a caller who has that version."""
    version = shown.get("meta", {}).get("versionId")
    if version is None:
        return resource_answer(shown)
    tag = f'W/"{version}"'
    known = {held.strip() for held in request.headers.get("If-None-Match", "").split(",")}
    answer = Response(status=304) if tag in known else resource_answer(shown)
    answer.headers["ETag"] = tag
    return answer


def _require_known(kind: str) -> None:
    if kind == AUDIT:
        raise ResourceNotFoundError(f"{AUDIT}s are found by GET, read by number, have no versions.")
    if kind not in KINDS:
        told = ", ".join((*KINDS, AUDIT))
        raise ResourceNotFoundError(f"Resources here are of these types: {told}.")


def _reads(view: F) -> F:
    """Mark a view as one that reads resources, with a query of its own."""
    view.action = READ  # type: ignore[attr-defined] # read in api/auth.py
    return takes_query(view)


@fhir.get("/metadata")
@takes_query
def metadata() -> Response:
    """What the façade can do: its CapabilityStatement."""
    only_format()
    return resource_answer(capability_statement(base_url()))


@fhir.get("/<kind>")
@_reads
def search(kind: str) -> Response:
    """Search resources of one type."""
    _require_known(kind)
    asked = pairs()
    page = services().fhir.search(principal(), wanted(kind, asked))
    return resource_answer(searchset(page, as_answered(asked)))


@fhir.post("/<kind>/_search")
@_reads
def search_posted(kind: str) -> Response:
    """Search with the parameters in a form, so that nothing of a client is in an address."""
    return search(kind)


@fhir.get("/<kind>/<resource_id>")
@_reads
def read(kind: str, resource_id: str) -> Response:
    """Read a resource as it is now."""
    only_format()
    _require_known(kind)
    return _versioned(services().fhir.read(principal(), kind, resource_id))


@fhir.get("/<kind>/<resource_id>/_history")
@_reads
def versions(kind: str, resource_id: str) -> Response:
    """The versions of a resource, newest first."""
    _require_known(kind)
    many, before = history_asked()
    found, older = services().fhir.history(principal(), kind, resource_id, many, before)
    return resource_answer(history(found, older, many))


@fhir.get("/<kind>/<resource_id>/_history/<int:version>")
@_reads
def version(kind: str, resource_id: str, version: int) -> Response:
    """Read a resource as it was in one version."""
    only_format()
    _require_known(kind)
    return _versioned(services().fhir.version(principal(), kind, resource_id, version))
