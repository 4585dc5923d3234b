"""Two checkers of FHIR R4 resources that know nothing of this service.

HL7's JSON Schema, and pyfhircheck with HL7's StructureDefinitions, value sets and code systems. Both read
``data/r4-definitions.tgz``, which script/fhir-definitions makes.
"""

from __future__ import annotations

import contextlib
import io
import json
import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft6Validator
from pyfhircheck import Validator
from pyfhircheck.config import ValidatorConfig

Resource = dict[str, Any]
DEFINITIONS = Path(__file__).parent / "data" / "r4-definitions.tgz"
NEVER_MIND = {
    "reference.unresolved",  # one resource at a time: what references lead to is a test of its own
    "invariant.dom-6",  # a resource should have narrative; ours carry none, see docs/fhir.md
    "profile.element.cardinality.max",  # pyfhircheck 0.2.0 counts over all items of lists in lists
}
FALSE_ALARM = "[x] is required"
"""Inside a group pyfhircheck 0.2.0 looks for a key called ``content[x]``, not for ``contentString``."""


@cache
def _schemas() -> dict[str, Any]:
    with tarfile.open(DEFINITIONS) as held:
        file = held.extractfile("package/fhir.schema.json")
        assert file is not None
        schema: dict[str, Any] = json.load(file)
    return schema["definitions"]  # type: ignore[no-any-return] # JSON


@cache
def _schema(kind: str) -> Draft6Validator:
    return Draft6Validator({"$ref": f"#/definitions/{kind}", "definitions": _schemas()})


@cache
def _validator() -> Validator:
    config = {"localPackagePaths": [str(DEFINITIONS)], "terminology": {"mode": "local"}}
    return Validator(ValidatorConfig.load_dict(config))


def by_schema(resource: Resource) -> list[str]:
    """What HL7's JSON Schema finds wrong."""
    found = _schema(resource["resourceType"]).iter_errors(resource)
    return [f"{held.json_path}: {held.message}" for held in found]


def by_rules(resource: Resource) -> list[str]:
    """What pyfhircheck finds wrong: structure, invariants, codes; warnings are wrong, too."""
    with contextlib.redirect_stdout(io.StringIO()):  # fhirpathpy traces to standard output
        issues = _validator().validate_resource(resource).issues
    return [
        f"{held.code} {held.path}: {held.message}"
        for held in issues
        if held.code not in NEVER_MIND
        and not held.message.endswith(FALSE_ALARM)
        and not _own_code(held)
    ]


def _own_code(issue: Any) -> bool:
    """A code the checker cannot judge: a clinic's own for a reason, or one deeper in HL7's tree of purposes."""
    places = ("Provenance.reason", "AuditEvent.purposeOfEvent")
    return bool(issue.path.startswith(places)) and "extensible" in issue.code


def references(held: Any) -> Iterator[str]:
    """Every literal reference in a resource."""
    if isinstance(held, dict):
        if isinstance(held.get("reference"), str):
            yield held["reference"]
        for value in held.values():
            yield from references(value)
    elif isinstance(held, list):
        for value in held:
            yield from references(value)
