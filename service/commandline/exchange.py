"""What ``export`` and ``import`` do beside the log: archives, tables, FHIR."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from service.access import Principal
from service.commandline.shared import (
    UsageError,
    answer,
    owner_connection,
    seals,
    settings,
    url_of,
    written,
)
from service.container import Container, build
from service.export.clinic import export_everything, export_tables
from service.fhir.importing import Imported, import_fhir

SHOWN = 500
"""How many findings of an import are shown to people."""


def write_everything(clinic_id: UUID, path: Path) -> None:
    """Write an archive of a whole clinic."""
    console = Console(stderr=True)
    held = settings()
    with (
        written(path),
        owner_connection(held) as conn,
        Progress(console=console, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task("Exporting", total=None)
        done = export_everything(
            conn,
            seals(held, clinic_id),
            path,
            began=lambda total: progress.update(task, total=total),
            told=lambda count: progress.update(task, advance=count),
        )
    click.echo(f"{path}: {done['entries']} entries in {done['files']} files.", err=True)


def write_tables(clinic_id: UUID, folder: Path) -> None:
    """Write a table for each read model."""
    held = settings()
    with written(folder), owner_connection(held) as conn:
        rows = export_tables(conn, seals(held, clinic_id), folder)
    told = ", ".join(f"{name}.csv ({count} rows)" for name, count in rows.items())
    click.echo(f"{folder}: {told}.", err=True)


def read_fhir(raw: bytes, clinic_id: UUID, member_id: UUID, *, as_json: bool, **how: Any) -> None:
    """Open plans from FHIR in a member's name, and say what became of everything."""
    held = settings()
    container = build(replace(held, database_url=url_of(held), pool_size=2))
    try:
        who = _member(container, clinic_id, member_id)
        done = import_fhir(container.plans, who, raw, datetime.now(UTC), **how)
    finally:
        container.close()
    if as_json:
        answer(
            {"plans": done.plans, "report": [asdict(one) for one in done.findings]},
            as_json=True,
            people="",
        )
    else:
        _show(done)
    refused = sum("refused" in plan for plan in done.plans)
    if refused:
        raise UsageError(f"{refused} of {len(done.plans)} plans were refused: see above.")


def _member(container: Container, clinic_id: UUID, member_id: UUID) -> Principal:
    """The member whose plans they will be; they record the entries, so they must treat people here."""
    held = container.gate.rosters(clinic_id).members.get(member_id)
    if held is None or held.status != "present":
        raise UsageError(
            f"There is no member {member_id} in that clinic: see plan-history member list."
        )
    return Principal(clinic_id, member_id, held.name, held.role, held.credential, uuid4())


def _show(done: Imported) -> None:
    console = Console()
    for plan in done.plans:
        told = plan.get("refused") or plan["plan_id"] or "not recorded (--dry-run)"
        console.print(f"{plan['resource']}: {plan['entries']} entries – {told}", markup=False)
    if not done.findings:
        return
    shown = Table("resource", "element", "what became of it", "value")
    for one in done.findings[:SHOWN]:
        value = " ".join(one.value.split())
        cut = f"{value[:57]}…" if len(value) > 58 else value
        shown.add_row(*map(_plain, (one.resource, one.path, one.became, cut)))
    console.print(shown)
    if len(done.findings) > SHOWN:
        console.print(f"… and {len(done.findings) - SHOWN:,} more: --json shows them all.")
    for became, count in Counter(one.became for one in done.findings).most_common():
        console.print(f"{count:,} × {became}", markup=False)


def _plain(text: str) -> str:
    """Text that rich does not take for its own markup."""
    return text.replace("[", "\\[")
