"""Bundles: what a search found, and the versions of one resource."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Response, request

from api.conventions import to_cursor
from api.fhir.outcome import BASE, FHIR_JSON
from service.fhir.facade import Page
from service.fhir.terms import Resource


def resource_answer(shown: Resource) -> Response:
    """A resource as an answer."""
    return Response(orjson.dumps(shown), content_type=FHIR_JSON)


def base_url() -> str:
    """Where the façade is, as the caller sees it."""
    return request.host_url.rstrip("/") + BASE


def searchset(
    page: Page, query: Sequence[tuple[str, str]], *, older: int | None = None
) -> dict[str, Any]:
    """A page of a search; ``total`` only where the page is all there is.

    ``older``: where the next page of a list begins that goes back in time.
    """
    held: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    first = not any(name in ("cursor", "before") for name, _ in query)
    if page.next is None and older is None and first:
        held["total"] = len(page.found)
    links = [_link("self", query)]
    if page.next is not None:
        rest = [pair for pair in query if pair[0] != "cursor"]
        links.append(_link("next", [*rest, ("cursor", str(to_cursor(page.next)))]))
    if older is not None:
        rest = [pair for pair in query if pair[0] != "before"]
        links.append(_link("next", [*rest, ("before", str(older))]))
    entries = [_found(one, "match") for one in page.found]
    entries += [_found(one, "include") for one in page.included]
    return {**held, "link": links, **({"entry": entries} if entries else {})}


def _found(one: Resource, mode: str) -> dict[str, Any]:
    return {"fullUrl": _url(one), "resource": one, "search": {"mode": mode}}


def _url(one: Resource) -> str:
    return f"{base_url()}/{one['resourceType']}/{one['id']}"


def _link(relation: str, query: Sequence[tuple[str, str]]) -> dict[str, str]:
    asked = f"?{urlencode(query)}" if query else ""
    return {"relation": relation, "url": request.base_url + asked}


def history(found: Sequence[Resource], before: int | None, count: int) -> dict[str, Any]:
    """The versions of a resource, newest first."""
    links = [{"relation": "self", "url": request.url}]
    if before is not None:
        links.append(_link("next", [("_count", str(count)), ("before", str(before))]))
    return {
        "resourceType": "Bundle",
        "type": "history",
        "link": links,
        "entry": [_version(one) for one in found],
    }


def _version(one: Resource) -> dict[str, Any]:
    place = f"{one['resourceType']}/{one['id']}"
    return {
        "fullUrl": _url(one),
        "resource": one,
        "request": {"method": "PUT", "url": place},
        "response": {
            "status": "200",
            "etag": f'W/"{one["meta"]["versionId"]}"',
            "lastModified": one["meta"]["lastUpdated"],
        },
    }
