"""Importing FHIR: plans through the use cases, and a report of what became of every element."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.errors import PlanHistoryError
from service.access import Principal
from service.fhir.belonging import Belonging, plans_in, whose
from service.fhir.file import File, no_fhir, read_file
from service.fhir.intake import Intake
from service.fhir.source import Finding
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
    """Open a plan for each CarePlan of a file (for each client's goals where there is none).

    Sent again, the same file opens nothing twice. ``dry``: decide, and record nothing. Raises
    InvalidDataError for what is no FHIR at all, holds no plan, or is of several clients under one reference.
    """
    file = read_file(raw)
    found = plans_in(file.sources)
    _refuse_without_plan(file, found)
    if client_ref is not None and len({whose(plan) for plan, _ in found}) > 1:
        raise no_fhir(
            "There are plans of several clients in the file: import it without --client-ref."
        )
    done = Imported(findings=list(file.findings))
    digest = hashlib.sha256(raw).digest()
    for number, (plan, sources) in enumerate(found):
        intake = Intake(plan, sources, str(principal.member_id), now)
        opening, drafts = intake.read(client_ref)
        key = f"fhir-{digest.hex()}-{number}"
        request = Request(key=key, digest=digest, alongside=alongside)
        shown = {"resource": plan.name, "entries": 1 + len(drafts), "plan_id": None}
        shown.update(_opened(plans, principal, opening, drafts, request, dry=dry))
        done.plans.append(shown)
    done.findings += [held for source in file.sources for held in source.findings]
    return done


def _opened(
    plans: PlanService,
    principal: Principal,
    opening: Draft,
    drafts: list[Draft],
    request: Request,
    *,
    dry: bool,
) -> dict[str, Any]:
    try:
        attempt = plans.try_opening if dry else plans.open_plan
        made = attempt(principal, opening, drafts, request)
    except PlanHistoryError as refused:
        return {"refused": str(refused)}
    if made is None:
        return {}
    return {"plan_id": str(made.plan_id), "replayed": made.replayed}


def _refuse_without_plan(file: File, found: Sequence[Belonging]) -> None:
    if found:
        return
    kinds = ", ".join(sorted({held.kind for held in file.sources})) or "nothing"
    closed = next((f" {held.name} is {held.closed}." for held in file.sources if held.closed), "")
    raise no_fhir(f"There is no CarePlan and no Goal here, only {kinds}: no plan to open.{closed}")
