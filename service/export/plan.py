"""Exporting one plan: a bundle of evidence, FHIR, a table, a page."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from domain.fields import plain_moment
from projections.rows import COLUMNS
from service.access import Gate, Principal, Sight
from service.access.table import CASELOAD, TEAM
from service.database import BoundedConnection
from service.export import tables
from service.export.archive import Archive
from service.export.page import page
from service.fhir.facade import FhirService
from service.fhir.terms import Resource
from service.ledger.books import ENTRIES, Head
from service.ledger.evidence import proofs, sealed_head
from service.reading import reading_plan
from service.timeline import TimelineService
from service.transfer import entry_line, to_line, with_key

FORMATS = ("bundle", "fhir", "csv", "html")
EVIDENCE = "plan-history/evidence/v1"
TREATING = frozenset({CASELOAD, TEAM})
_READ = f"""
SELECT {COLUMNS}, leaf FROM entries WHERE clinic_id = %s AND plan_id = %s AND version <= %s ORDER BY version
"""
_LIMITS = (
    "Each entry's leaf is the SHA-256 of its row and of the plan's previous leaf, and proofs.ndjson leads from it to "
    "the root that checkpoint.txt signs (docs/proofs.md). Check with verify_history.py, got from elsewhere than "
    "this bundle, against a checkpoint and a key held by yourself. What the bundle cannot prove: entries "
    "younger than the checkpoint; that no entry came after its last; plan.json, timeline.csv, fhir.json and "
    "index.html, which are told from the entries."
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
        version, made = self._made(principal, sight, plan_id, kind, base_url)
        self.gate.looked(principal, sight, plan_id, version=version, asked=f"export {kind}")
        return made

    def _made(
        self, principal: Principal, sight: Sight, plan_id: UUID, kind: str, base_url: str
    ) -> tuple[int, bytes]:
        clinic_id = principal.clinic_id
        told = list(self.timeline.whole(principal, plan_id)) if kind != "fhir" else []
        head = self._head(clinic_id) if kind in ("bundle", "html") else None
        with reading_plan(self.gate.plans, clinic_id, plan_id) as plan:
            version = plan.version
            document = orjson.dumps(plan.document(), option=orjson.OPT_INDENT_2)
            entries = map(orjson.loads, told)
            shown = page(plan, entries, head) if kind in ("bundle", "html") else b""
        if kind == "html":
            return version, shown
        if kind == "csv":
            return version, "".join(tables.timeline(told)).encode()
        resources = self.fhir.of_plan(principal, plan_id)
        collection = orjson.dumps(bundle(resources, base_url, plain_moment(self.clock())))
        if kind == "fhir":
            return version, collection
        files = {
            **self._evidence(principal, sight, plan_id, version, head),
            "plan.json": document,
            "timeline.csv": "".join(tables.timeline(told)).encode(),
            "fhir.json": collection,
            "index.html": shown,
        }
        return version, self._archive(principal, plan_id, version, files)

    def _head(self, clinic_id: UUID) -> Head | None:
        """The checkpoint that everything in an export leads to, or is printed with."""
        return self.gate.database.in_clinic(
            clinic_id, lambda conn: sealed_head(conn, clinic_id, ENTRIES)
        )

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

    def _evidence(
        self, principal: Principal, sight: Sight, plan_id: UUID, version: int, head: Head | None
    ) -> dict[str, bytes]:
        """The entries as they are kept, a line like one of a clinic's log; what is sealed of them, and by whom.

        The plan's key, with which it can be checked that the words are those that were sealed, is taken
        along by those who treat, and by nobody else.
        """
        clinic_id, seals = principal.clinic_id, self.gate.plans.seals(principal.clinic_id)
        told: set[UUID] | None = set() if sight.relation in TREATING else None

        def line(row: Sequence[Any]) -> bytes:
            shown = entry_line(seals, row[:7], plan_id, row[7])
            return to_line(shown if told is None else with_key(shown, seals, told))

        def read(conn: BoundedConnection) -> dict[str, bytes]:
            parameters = [clinic_id, plan_id, version]
            rows = conn.execute(_READ.encode(), parameters, binary=True).fetchall()
            files = {"entries.ndjson": b"".join(map(line, rows))}
            if head is not None:
                shown = proofs(conn, head, [row[0] for row in rows])
                files["proofs.ndjson"] = b"".join(map(to_line, shown))
                files["checkpoint.txt"] = str(head.note).encode()
                files["vkeys.txt"] = "".join(f"{key}\n" for key in head.vkeys).encode()
            return files

        return self.gate.database.in_clinic(clinic_id, read)


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
