"""FHIR R4: what the façade can do, resources, their versions, and searching them."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response, request

from api.conventions import principal, services, takes_query
from api.fhir.asked import history_asked, negotiate, pairs, wanted
from api.fhir.bundles import base_url, history, searchset
from api.fhir.outcome import BASE, FHIR_JSON
from service.fhir.capability import capability_statement
from service.fhir.facade import KINDS, ResourceNotFoundError
from service.fhir.terms import Resource

fhir = Blueprint("fhir", __name__, url_prefix=BASE)
fhir.before_request(negotiate)


def _answer(shown: Resource) -> Response:
    return Response(orjson.dumps(shown), content_type=FHIR_JSON)


def _versioned(shown: Resource) -> Response:
    """A resource with its ETag, or 304 for a caller who has that version."""
    version = shown.get("meta", {}).get("versionId")
    if version is None:
        return _answer(shown)
    tag = f'W/"{version}"'
    known = {held.strip() for held in request.headers.get("If-None-Match", "").split(",")}
    answer = Response(status=304) if tag in known else _answer(shown)
    answer.headers["ETag"] = tag
    return answer


def _require_known(kind: str) -> None:
    if kind not in KINDS:
        raise ResourceNotFoundError(f"Resources here are of these types: {', '.join(KINDS)}.")


@fhir.get("/metadata")
@takes_query
def metadata() -> Response:
    """What the façade can do: its CapabilityStatement."""
    return _answer(capability_statement(base_url()))


@fhir.get("/<kind>")
@takes_query
def search(kind: str) -> Response:
    """Search resources of one type."""
    _require_known(kind)
    asked = pairs()
    return _answer(searchset(services().fhir.search(principal(), wanted(kind, asked)), asked))


@fhir.post("/<kind>/_search")
@takes_query
def search_posted(kind: str) -> Response:
    """Search with the parameters in a form, so that nothing of a client is in an address."""
    return search(kind)


@fhir.get("/<kind>/<resource_id>")
@takes_query
def read(kind: str, resource_id: str) -> Response:
    """Read a resource as it is now."""
    _require_known(kind)
    return _versioned(services().fhir.read(principal(), kind, resource_id))


@fhir.get("/<kind>/<resource_id>/_history")
@takes_query
def versions(kind: str, resource_id: str) -> Response:
    """The versions of a resource, newest first."""
    _require_known(kind)
    many, before = history_asked()
    found, older = services().fhir.history(principal(), kind, resource_id, many, before)
    return _answer(history(found, older, many))


@fhir.get("/<kind>/<resource_id>/_history/<int:version>")
@takes_query
def version(kind: str, resource_id: str, version: int) -> Response:
    """Read a resource as it was in one version."""
    _require_known(kind)
    return _versioned(services().fhir.version(principal(), kind, resource_id, version))
