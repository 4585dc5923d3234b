"""All resources of a plan at a version: what its entries made, what was entered in error, and who said so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

from domain.entry import Entry
from domain.release import Readable
from service.fhir.careplan import care_plan, patient
from service.fhir.chart import Chart
from service.fhir.decisions import DECISIONS, MAKERS, Build
from service.fhir.provenance import provenance
from service.fhir.terms import Resource, coded, moment

_NUMBER = re.compile(r"[1-9]\d{0,8}", re.ASCII)
Key = tuple[str, str]
"""Type and id of a resource."""
NULLIFIED: dict[str, Resource] = {
    "Goal": {"lifecycleStatus": "entered-in-error"},
    "Condition": {"verificationStatus": coded("condition-ver-status", "entered-in-error")},
}
"""How a resource says that it was entered in error, where it is not its ``status``."""


def resources(clinic_id: UUID, plan: Readable, version: int | None = None) -> dict[Key, Resource]:
    """Every resource of a plan at a version (None: now), by type and id."""
    return _resources(clinic_id, plan, version or plan.version, {})


def _resources(
    clinic_id: UUID, plan: Readable, version: int, known: dict[int, dict[Key, Resource]]
) -> dict[Key, Resource]:
    if version in known:
        return known[version]
    chart = Chart(clinic_id, plan, version, MAKERS)
    found: dict[Key, Resource] = {}
    for shown in _made(chart):
        found[shown["resourceType"], shown["id"]] = shown
    for entry_id, by in chart.gone.items():
        earlier = _resources(clinic_id, plan, by - 1, known)
        for kind, _ in DECISIONS[chart.origins[entry_id].type].makes:
            key = kind, chart.id_of(chart.origins[entry_id])
            if key in earlier:
                found[key] = _nullified(earlier[key], chart.newest(by))
    known[version] = found
    return found


def resource(clinic_id: UUID, plan: Readable, version: int, key: Key) -> Resource | None:
    """One resource of a plan at a version, made alone where that is possible; None if there is none."""
    kind, resource_id = key
    chart = Chart(clinic_id, plan, version, MAKERS)
    if kind in ("CarePlan", "Patient"):
        shown = _care_plan(chart) if kind == "CarePlan" else patient(chart)
        return shown if shown["id"] == resource_id else None
    origin = _origin(chart, resource_id)
    if origin is None:
        return None
    if kind == "Provenance":
        return _whole(kind, resource_id, provenance(chart, origin), origin)
    if origin.entry_id in chart.gone:
        return resources(clinic_id, plan, version).get(key)
    standing = chart.settled.standing(origin.entry_id)
    build = dict(DECISIONS[origin.type].makes).get(kind)
    if standing is None or build is None:
        return None
    return _built(chart, kind, build, chart.settled.order[standing])


def _origin(chart: Chart, resource_id: str) -> Entry | None:
    plan_id, _, number = resource_id.partition(".")
    if plan_id != str(chart.plan.id) or not _NUMBER.fullmatch(number):
        return None
    held = chart.newest(min(int(number), chart.version))
    return held if held.version == int(number) else None


def _care_plan(chart: Chart) -> Resource:
    shown = care_plan(chart)
    return _whole("CarePlan", str(chart.plan.id), shown, chart.recorded[-1])


def _built(chart: Chart, kind: str, build: Build, entry: Entry) -> Resource | None:
    shown = build(chart, entry)
    if shown is None:
        return None
    return _whole(kind, chart.id_of(entry), shown, chart.newest(chart.version_of(entry)))


def _made(chart: Chart) -> Iterator[Resource]:
    yield patient(chart)
    yield _care_plan(chart)
    for entry in chart.settled.order:
        for kind, build in DECISIONS[entry.type].makes:
            shown = _built(chart, kind, build, entry)
            if shown is not None:
                yield shown
    for entry in chart.recorded:
        yield _whole("Provenance", chart.id_of(entry), provenance(chart, entry), entry)


def _whole(kind: str, resource_id: str, shown: Resource, newest: Entry) -> Resource:
    meta = {"versionId": str(newest.version), "lastUpdated": moment(newest.recorded_at)}
    return {"resourceType": kind, "id": resource_id, "meta": meta, **shown}


def _nullified(shown: Resource, mark: Entry) -> Resource:
    kind = shown["resourceType"]
    said = NULLIFIED.get(kind, {"status": "entered-in-error"})
    kept = {
        name: held
        for name, held in shown.items()
        if (kind, name) != ("Condition", "clinicalStatus")
    }
    return {
        **_whole(kind, shown["id"], kept, mark),
        **said,
        "meta": _whole(kind, "", {}, mark)["meta"],
    }
