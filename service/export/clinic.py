"""Exporting a whole clinic, as the owner: its logs with their seals, tables of the read models, FHIR for each plan."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import psycopg

from domain.aggregates import shell
from domain.clinic import Clinic
from domain.history import History
from domain.plan import Plan
from projections import ALL
from projections.rows import COLUMNS, entry_from_row
from projections.sealing import Seals
from service.export import tables
from service.export.archive import Archive, written_whole
from service.export.plan import bundle
from service.fhir.people import NO_STAFF, practitioner
from service.fhir.resources import resources
from service.fhir.terms import Resource
from service.ledger.books import TREES, Head
from service.ledger.evidence import leaves, looks, sealed_head
from service.transfer import export_lines, to_line, whole_log

Connection = psycopg.Connection[Any]
Told = Callable[[int], None]
EVERYTHING = "plan-history/clinic/v1"
NOWHERE = "http://plan-history.invalid/fhir/R4"
"""The address resources have in a file: none that answers."""
_PLANS = "SELECT plan_id FROM entries WHERE clinic_id = %s AND version = 1 ORDER BY position"
_ENTRIES = f"SELECT {COLUMNS} FROM entries WHERE clinic_id = %s AND plan_id = %s ORDER BY version"


def export_tables(conn: Connection, seals: Seals, folder: Path) -> dict[str, int]:
    """Write one CSV file for each read model; how many rows each holds."""
    _known(conn, seals)
    folder.mkdir(parents=True, exist_ok=True)
    rows = {}
    for projection in ALL:
        with written_whole(folder / f"{projection.name}.csv") as file:
            count = -1  # the heading
            for line in tables.read_model(conn, seals, projection):
                file.write(line.encode())
                count += 1
        rows[projection.name] = count
    return rows


def export_everything(
    conn: Connection,
    seals: Seals,
    path: Path,
    *,
    began: Told = lambda _: None,
    told: Told = lambda _: None,
) -> dict[str, Any]:
    """Write one archive with everything of a clinic; it is there whole or not at all."""
    clinic_id = seals.clinic_id
    # First the checkpoints, then what they are about: so an archive holds all that its checkpoints say.
    heads = [head for tree in TREES if (head := sealed_head(conn, clinic_id, tree))]
    heading, log = export_lines(conn, clinic_id, seals.keys)
    plan_ids = [row[0] for row in conn.execute(_PLANS, [clinic_id]).fetchall()]
    began(heading["entries"] + len(plan_ids))
    with (
        contextlib.closing(log),
        written_whole(path) as file,
        contextlib.closing(Archive(file)) as archive,
    ):
        archive.add("clinic.ndjson", whole_log(heading, log, told))
        archive.add("access-log.ndjson", map(to_line, looks(conn, clinic_id)))
        for head in heads:
            archive.add(f"ledger/{head.tree}.checkpoint", str(head.note).encode())
            archive.add(f"ledger/{head.tree}.vkeys", _keys(head))
            archive.add(f"ledger/{head.tree}.leaves", leaves(conn, head))
        for projection in ALL:
            pieces = (line.encode() for line in tables.read_model(conn, seals, projection))
            archive.add(f"tables/{projection.name}.csv", pieces)
        for name, content in _as_fhir(conn, seals, plan_ids, heading["exported_at"]):
            archive.add(name, content)
            told(1)
        archive.seal(**{**heading, "format": EVERYTHING})
    return {"entries": heading["entries"], "files": len(archive.files)}


def _keys(head: Head) -> bytes:
    return "".join(f"{key}\n" for key in head.vkeys).encode()


def _known(conn: Connection, seals: Seals) -> None:
    """Raise UnknownClinicError unless there is such a clinic; confine the connection to it."""
    _, log = export_lines(conn, seals.clinic_id, seals.keys)
    log.close()


def _as_fhir(
    conn: Connection, seals: Seals, plan_ids: list[UUID], at: str
) -> Iterator[tuple[str, bytes]]:
    """(file, Bundle) of each plan, and of the clinic's people."""
    for plan_id in plan_ids:
        history = _history(conn, seals, plan_id)
        if isinstance(history, Plan) and not history.erased:
            found = list(resources(seals.clinic_id, history).values())
            yield f"fhir/{plan_id}.json", orjson.dumps(bundle(found, NOWHERE, at))
        elif isinstance(history, Clinic):
            yield "fhir/practitioners.json", orjson.dumps(bundle(_people(history), NOWHERE, at))


def _people(clinic: Clinic) -> list[Resource]:
    staff = (held for held in clinic.state.members if held.role not in NO_STAFF)
    return [practitioner(UUID(held.member_id), held) for held in staff]


def _history(conn: Connection, seals: Seals, plan_id: UUID) -> History:
    history: History | None = None
    rows = conn.execute(_ENTRIES.encode(), [seals.clinic_id, plan_id], binary=True).fetchall()
    for row in rows:
        entry = entry_from_row(row, plan_id, seals)
        history = history or shell(entry)
        history.learn(entry)
    assert history is not None
    return history
