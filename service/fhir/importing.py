"""Importing FHIR: plans through the use cases, and a report of what became of every element."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from domain.errors import InvalidDataError, PlanHistoryError, Problem
from service.access import Principal
from service.fhir.intake import Intake
from service.fhir.source import Finding, Source
from service.fhir.terms import Resource
from service.plans import PlanService
from service.recording import Draft, Request

READ = ("CarePlan", "Goal", "Observation", "Condition", "Patient")


@dataclass
class Imported:
    """What came of a file: the plans that were opened, and what became of every other element."""

    plans: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def import_fhir(
    plans: PlanService,
    principal: Principal,
    raw: bytes,
    now: datetime,
    *,
    client_ref: str | None = None,
    alongside: bool = False,
    dry: bool = False,
) -> Imported:
    """Open a plan for each CarePlan of a Bundle or resource (for each client's goals where there is none).

    Sent again, the same file opens nothing twice. Raises InvalidDataError for what is no FHIR at all.
    """
    done = Imported()
    digest = hashlib.sha256(raw).digest()
    for number, (plan, sources) in enumerate(_plans(_document(raw))):
        intake = Intake(plan, sources, str(principal.member_id), now)
        opening, drafts = intake.read(client_ref)
        key = f"fhir-{digest.hex()}-{number}"
        request = Request(key=key, digest=digest, alongside=alongside)
        shown = {"resource": plan.name, "entries": 1 + len(drafts), "plan_id": None}
        if not dry:
            shown.update(_opened(plans, principal, opening, drafts, request))
        done.plans.append(shown)
        done.findings += [held for source in sources.values() for held in source.findings]
    return done


def _opened(
    plans: PlanService, principal: Principal, opening: Draft, drafts: list[Draft], request: Request
) -> dict[str, Any]:
    try:
        made = plans.open_plan(principal, opening, drafts, request)
    except PlanHistoryError as refused:
        return {"refused": str(refused)}
    return {"plan_id": str(made.plan_id), "replayed": made.replayed}


def _document(raw: bytes) -> Resource:
    try:
        held = orjson.loads(raw)
    except orjson.JSONDecodeError as broken:
        raise _no_fhir(f"This is no JSON: {broken.msg}.") from broken
    if not isinstance(held, dict) or not isinstance(held.get("resourceType"), str):
        raise _no_fhir("This is no FHIR resource: it has no resourceType.")
    return held


def _no_fhir(detail: str) -> InvalidDataError:
    return InvalidDataError([Problem("/", detail)])


def _plans(document: Resource) -> Iterator[tuple[Source, dict[str, Source]]]:
    """(what a plan begins with, everything that belongs to it, by name)."""
    sources = list(_sources(document))
    heads = [held for held in sources if held.kind == "CarePlan"]
    heads = heads or _heads_without_plan(sources)
    if not heads:
        kinds = ", ".join(sorted({held.kind for held in sources})) or "nothing"
        raise _no_fhir(f"There is no CarePlan and no Goal here, only {kinds}: no plan to open.")
    for number, head in enumerate(heads):
        mine = _belonging(head, sources, heads, first=number == 0)
        yield head, {held.name: held for held in mine}


def _heads_without_plan(sources: list[Source]) -> list[Source]:
    """The first goal of each client."""
    goals = [held for held in sources if held.kind == "Goal"]
    return list({_subject(held): held for held in reversed(goals)}.values())[::-1]


def _belonging(
    head: Source, sources: list[Source], heads: list[Source], *, first: bool
) -> list[Source]:
    """What a plan refers to, and whatever of its client no other plan does; the first takes the rest."""
    mine = [head]
    for held in sources:
        if held in heads:
            continue
        named = [one for one in heads if _names(one, held)]
        same = [one for one in heads if _subject(one) == _subject(held) is not None]
        owners = named or same or (heads if first else [])
        if owners and owners[0] is head:
            mine.append(held)
    return mine


def _names(head: Source, held: Source) -> bool:
    raw = orjson.dumps(head.resource).decode()
    place = held.name.partition("#")
    return place[0] == head.name if place[1] else f'"{held.name}"' in raw


def _subject(held: Source) -> str | None:
    if held.kind == "Patient":
        return held.name
    subject = held.look("subject.reference")
    return subject if isinstance(subject, str) else None


def _sources(document: Resource) -> Iterator[Source]:
    for resource in _resources(document):
        whole = Source(resource)
        yield whole
        for number, inner in enumerate(resource.get("contained", ())):
            yield Source(inner, f"{whole.name}#{inner.get('id', number)}")


def _resources(document: Resource) -> list[Resource]:
    """The resources of a Bundle, or the one there is.

    In a Bundle each has an id, and is referred to by it: references to a ``fullUrl`` are put so.
    """
    if document["resourceType"] != "Bundle":
        return [document]
    found, known = [], {}
    for number, held in enumerate(document.get("entry", ())):
        resource = held.get("resource")
        if isinstance(resource, dict) and isinstance(resource.get("resourceType"), str):
            resource.setdefault("id", f"entry-{number}")
            known[held.get("fullUrl")] = f"{resource['resourceType']}/{resource['id']}"
            found.append(resource)
    return [_by_id(resource, known) for resource in found]


def _by_id(held: Any, known: dict[Any, str]) -> Any:
    if isinstance(held, dict):
        return {
            name: known.get(value, value)
            if name == "reference" and isinstance(value, str)
            else _by_id(value, known)
            for name, value in held.items()
        }
    return [_by_id(value, known) for value in held] if isinstance(held, list) else held
