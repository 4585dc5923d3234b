"""The OpenAPI 3.1 description: what flask-smorest cannot derive, and where it is served."""

from __future__ import annotations

from typing import Any

from flask_smorest import Api

from api.answers import HEADERS
from api.described import components, examples
from api.links import add_links

SETTINGS: dict[str, Any] = {
    "API_TITLE": "Plan History",
    "API_VERSION": "v1",
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": "/",
    "OPENAPI_JSON_PATH": "openapi.json",
    "API_SPEC_OPTIONS": {
        "info": {
            "description": "Therapy treatment plans as living documents: the current state and the "
            "full audit timeline.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}],
    },
}


def link(api: Api) -> None:
    """Say where answers lead, once all routes are described."""
    add_links(api.spec._paths)  # noqa: SLF001 - apispec shows its paths only as a finished document


def describe(api: Api) -> None:
    """Add the components and how to sign in; take out what flask-smorest adds and nobody uses."""
    shown = examples()
    for name, schema in components().items():
        example = {"examples": [shown[name]]} if name in shown else {}
        api.spec.components.schema(name, {**schema, **example})
    for name, header in HEADERS.items():
        api.spec.components.header(name, header)
    for unused in ("Error", "PaginationMetadata"):
        api.spec.components.schemas.pop(unused, None)
    api.spec.components.security_scheme(
        "token",
        {"type": "http", "scheme": "bearer", "description": "From `plan-history token issue`."},
    )
