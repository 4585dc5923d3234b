"""A file as resources: one resource, a Bundle of any type, or a resource a line (NDJSON, as in bulk exports)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from domain.errors import InvalidDataError, Problem
from service.fhir.source import Finding, Source
from service.fhir.terms import Resource

BOM = b"\xef\xbb\xbf"
WHOLE = frozenset({"resourceType", "id", "meta", "type", "total", "entry"})
_ENTRY = frozenset({"fullUrl", "resource", "response"})
"""What says nothing of a plan, in a Bundle and in each of its entries."""


@dataclass
class File:
    """The resources of a file, and what of it is none."""

    sources: list[Source] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _named: Counter[str] = field(default_factory=Counter)
    _raw: dict[str, Resource] = field(default_factory=dict)

    def found(self, place: str, path: str, became: str, value: object = "") -> None:
        """Say what became of something that is no resource."""
        self.findings.append(Finding(place, path, became, str(value)))

    def add(self, resource: Resource) -> None:
        """Take in a resource and whatever it contains; one that is there already is said to be."""
        whole = Source(resource)
        self._named[whole.name] += 1
        if self._named[whole.name] > 1:
            if self._raw[whole.name] == resource:
                self.found(whole.name, "", "left out: it stands in the file twice")
                return
            whole.name = f"{whole.name} (again, {self._named[whole.name]})"
            whole.closed = "not read: another of that id comes before it"
        self._raw[whole.name] = resource
        self.sources.append(whole)
        self._contained(whole)

    def _contained(self, whole: Source) -> None:
        for number, inner in enumerate(_items(whole.resource.get("contained"))):
            if not _is_resource(inner):
                self.found(whole.name, f"contained[{number}]", "not understood", inner)
                continue
            held = Source(inner, f"{whole.name}#{inner.get('id', number)}", closed=whole.closed)
            self.sources.append(held)
            for deeper in _items(inner.get("contained")):
                self.found(
                    held.name, "contained", "not understood: nothing is contained twice", deeper
                )


def read_file(raw: bytes) -> File:
    """The resources in a file; raises InvalidDataError for what is no FHIR at all."""
    file = File()
    for document in _documents(raw.removeprefix(BOM)):
        _take(file, document, "Bundle")
    return file


def _documents(raw: bytes) -> list[Resource]:
    """The document, or that of each line where there are many; all or none."""
    try:
        return [_resource(orjson.loads(raw), "")]
    except orjson.JSONDecodeError as broken:
        lines = [(number, line) for number, line in enumerate(raw.splitlines(), 1) if line.strip()]
        if len(lines) < 2 or not _is_json(lines[0][1]):
            xml = (
                " FHIR as XML is not read: have it converted to JSON."
                if raw.lstrip()[:1] == b"<"
                else ""
            )
            raise no_fhir(f"This is no JSON: {broken.msg}.{xml}") from broken
    return [_resource(_line(number, line), f"Line {number}: ") for number, line in lines]


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _line(number: int, line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as broken:
        raise no_fhir(f"Line {number}: This is no JSON: {broken.msg}.") from broken


def _resource(held: Any, place: str) -> Resource:
    if not _is_resource(held):
        raise no_fhir(f"{place}This is no FHIR resource: it has no resourceType.")
    resource: Resource = held
    return resource


def no_fhir(detail: str) -> InvalidDataError:
    """The refusal of a file as a whole."""
    return InvalidDataError([Problem("/", detail)])


def _is_resource(held: Any) -> bool:
    return isinstance(held, dict) and isinstance(held.get("resourceType"), str)


def _items(held: Any) -> list[Any]:
    """The items of a list; what should be one and is none is its only item."""
    return held if isinstance(held, list) else [] if held is None else [held]


# Bundles


def _take(file: File, document: Resource, place: str) -> None:
    """Add a resource, or those of a Bundle; Bundles in a Bundle are opened as well."""
    if document["resourceType"] != "Bundle":
        file.add(document)
        return
    for name, value in document.items():
        if name not in WHOLE and name != "link":
            file.found(place, name, "not understood", value)
    for link in _items(document.get("link")):
        if isinstance(link, dict) and link.get("relation") == "next":
            said = "this is one page of several: import the others as well"
            file.found(place, "link", said, link.get("url", ""))
    entries = _items(document.get("entry"))
    known = dict(_addresses(entries))
    for number, entry in enumerate(entries):
        resource = _entry(file, entry, f"{place}.entry[{number}]")
        if resource is not None:
            _take(file, _by_id(resource, known), f"{place}.entry[{number}]")


def _entry(file: File, entry: Any, place: str) -> Resource | None:
    """The resource of an entry, with an id; None where there is none, or it is not to be kept."""
    if not isinstance(entry, dict):
        file.found(place, "", "not understood", entry)
        return None
    for name, value in entry.items():
        if name not in _ENTRY and name not in ("request", "search"):
            file.found(place, name, "not understood", value)
    asked = entry.get("request")
    method = asked.get("method") if isinstance(asked, dict) else None
    if method not in (None, "POST", "PUT"):
        file.found(place, "request.method", "not done: an import only adds", method)
        return None
    found = _resource_of(entry)
    if found is None:
        file.found(place, "resource", "left out: this is no resource", entry.get("resource"))
        return None
    found.setdefault("id", place.rpartition("Bundle.")[2])
    return found


def _resource_of(entry: Any) -> Resource | None:
    resource: Resource | None = entry.get("resource") if isinstance(entry, dict) else None
    return resource if _is_resource(resource) else None


def _addresses(entries: list[Any]) -> Iterator[tuple[str, str]]:
    """(full URL, type and id) of the resources: references to the one are put as the other."""
    for number, entry in enumerate(entries):
        resource = _resource_of(entry)
        if resource is not None and isinstance(url := entry.get("fullUrl"), str):
            yield url, f"{resource['resourceType']}/{resource.get('id', f'entry[{number}]')}"


def _by_id(held: Any, known: dict[str, str]) -> Any:
    if isinstance(held, dict):
        return {
            name: known.get(value, value)
            if name == "reference" and isinstance(value, str)
            else _by_id(value, known)
            for name, value in held.items()
        }
    return [_by_id(value, known) for value in held] if isinstance(held, list) else held
