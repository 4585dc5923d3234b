"""Exporting one plan: a bundle of evidence, FHIR, a table, a page."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
from psycopg.rows import TupleRow

from domain.fields import plain_moment
from projections.rows import COLUMNS
from service.access import Gate, Principal
from service.database import BoundedConnection
from service.export import tables
from service.export.archive import Archive
from service.export.page import page
from service.fhir.facade import FhirService
from service.fhir.terms import Resource
from service.reading import reading_plan
from service.timeline import TimelineService
from service.transfer import entry_line, to_line

FORMATS = ("bundle", "fhir", "csv", "html")
EVIDENCE = "plan-history/evidence/v1"
_READ = f"""
SELECT {COLUMNS}, leaf FROM entries WHERE clinic_id = %s AND plan_id = %s AND version <= %s ORDER BY version
"""
_LIMITS = (
    "Each entry's leaf is the SHA-256 of its row and of the plan's previous leaf (docs/operations.md), so a "
    "changed, missing or moved entry shows. Inclusion proofs and a signed checkpoint are not part of this "
    "bundle yet: that the chain itself is the clinic's, it cannot prove."
)


@dataclass(slots=True)
class PlanExports:
    """Exports of single plans, for whoever may export them."""

    gate: Gate
    timeline: TimelineService
    fhir: FhirService
    clock: Callable[[], datetime]

    def export(self, principal: Principal, plan_id: UUID, kind: str, base_url: str) -> bytes:
        """The plan in one of ``FORMATS``; raises PlanNotFoundError."""
        sight = self.gate.see(principal, "plans.export", plan_id)
        version, made = self._made(principal, plan_id, kind, base_url)
        self.gate.looked(principal, sight, plan_id, version=version, asked=f"export {kind}")
        return made

    def _made(
        self, principal: Principal, plan_id: UUID, kind: str, base_url: str
    ) -> tuple[int, bytes]:
        told = list(self.timeline.whole(principal, plan_id)) if kind != "fhir" else []
        with reading_plan(self.gate.plans, principal.clinic_id, plan_id) as plan:
            version = plan.version
            document = orjson.dumps(plan.document(), option=orjson.OPT_INDENT_2)
            shown = page(plan, map(orjson.loads, told)) if kind in ("bundle", "html") else b""
        if kind == "html":
            return version, shown
        if kind == "csv":
            return version, "".join(tables.timeline(told)).encode()
        resources = self.fhir.of_plan(principal, plan_id)
        collection = orjson.dumps(bundle(resources, base_url, plain_moment(self.clock())))
        if kind == "fhir":
            return version, collection
        files = {
            "entries.ndjson": b"".join(self._entries(principal, plan_id, version)),
            "plan.json": document,
            "timeline.csv": "".join(tables.timeline(told)).encode(),
            "fhir.json": collection,
            "index.html": shown,
        }
        return version, self._archive(principal, plan_id, version, files)

    def _archive(
        self, principal: Principal, plan_id: UUID, version: int, files: dict[str, bytes]
    ) -> bytes:
        out = io.BytesIO()
        with contextlib.closing(Archive(out)) as archive:
            for name, content in files.items():
                archive.add(name, content)
            archive.seal(
                format=EVIDENCE,
                plan_id=str(plan_id),
                clinic_id=str(principal.clinic_id),
                version=version,
                exported_at=plain_moment(self.clock()),
                exported_by={"member_id": str(principal.member_id), "role": principal.role},
                limits=_LIMITS,
            )
        return out.getvalue()

    def _entries(self, principal: Principal, plan_id: UUID, version: int) -> Iterator[bytes]:
        """The entries as they are kept, each with its leaf; a line is like one of a clinic's log."""

        def read(conn: BoundedConnection) -> list[TupleRow]:
            parameters = [principal.clinic_id, plan_id, version]
            return conn.execute(_READ.encode(), parameters, binary=True).fetchall()

        seals = self.gate.plans.seals(principal.clinic_id)
        for *row, leaf in self.gate.database.in_clinic(principal.clinic_id, read):
            yield to_line(entry_line(seals, row, plan_id, leaf))


def bundle(resources: Sequence[Resource], base_url: str, at: str) -> Resource:
    """Resources as a FHIR Bundle of type collection."""
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": at,
        "entry": [
            {"fullUrl": f"{base_url}/{held['resourceType']}/{held['id']}", "resource": held}
            for held in resources
        ],
    }
