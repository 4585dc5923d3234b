"""``export`` and ``import``: a clinic's whole log as NDJSON, and back, with nothing changed."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import click
from rich.console import Console
from rich.progress import Progress

from service import transfer
from service.commandline import exchange
from service.commandline.shared import (
    answer,
    json_option,
    keys_of,
    owner_connection,
    settings,
    written,
)
from service.export.archive import written_whole


@click.command()
@click.option("--clinic", "clinic_id", type=click.UUID, required=True)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    default="-",
    help="A file; standard output if left out.",
)
@click.option(
    "--everything",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write this zip file instead: the log, a table for each read model, FHIR for each plan.",
)
@click.option(
    "--csv",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a CSV file for each read model into this folder instead.",
)
def export(clinic_id: UUID, output: Path, everything: Path | None, folder: Path | None) -> None:
    """Write a clinic's log as NDJSON: a heading, one line an entry in order, and an end."""
    if everything is not None:
        exchange.write_everything(clinic_id, everything)
    elif folder is not None:
        exchange.write_tables(clinic_id, folder)
    else:
        _write_log(clinic_id, output)


def _write_log(clinic_id: UUID, output: Path) -> None:
    if str(output) == "-":
        with written("Standard output"):
            _write_lines(clinic_id, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        return
    with written(output), written_whole(output) as file:
        entries = _write_lines(clinic_id, file)
    click.echo(f"{entries} entries exported.", err=True)


def _write_lines(clinic_id: UUID, output: IO[bytes]) -> int:
    console = Console(stderr=True)
    held = settings()
    with owner_connection(held) as conn:
        heading, lines = transfer.export_lines(conn, clinic_id, keys_of(held))
        with (
            contextlib.closing(lines),
            Progress(console=console, disable=not console.is_terminal) as progress,
        ):
            task = progress.add_task("Exporting", total=heading["entries"])
            for line in transfer.whole_log(
                heading, lines, lambda count: progress.update(task, advance=count)
            ):
                output.write(line)
    return int(heading["entries"])


@click.command("import")
@click.argument("source", type=click.File("rb"))
@click.option("--fhir", is_flag=True, help="SOURCE is FHIR R4: a Bundle, CarePlan or Goal as JSON.")
@click.option("--clinic", "clinic_id", type=click.UUID, help="With --fhir: the clinic.")
@click.option(
    "--member", "member_id", type=click.UUID, help="With --fhir: the therapist of the plans."
)
@click.option("--client-ref", help="With --fhir: the client in your own system.")
@click.option("--alongside", is_flag=True, help="With --fhir: beside an open plan of the client.")
@click.option("--dry-run", "dry", is_flag=True, help="With --fhir: report only, record nothing.")
@json_option
def import_(
    source: IO[bytes],
    *,
    fhir: bool,
    clinic_id: UUID | None,
    member_id: UUID | None,
    as_json: bool,
    **how: Any,
) -> None:
    """Restore a clinic from an export (a file, or - for standard input).

    Positions, times and ids stay as they were. Interrupted, it goes on where it was; a clinic that
    holds anything else is refused. With --fhir, plans are opened from FHIR resources instead, and a
    report says what became of every element.
    """
    if not fhir:
        _restore(source, as_json=as_json)
    elif clinic_id is None or member_id is None:
        raise click.UsageError("With --fhir, give --clinic and --member: whose plans they will be.")
    else:
        exchange.read_fhir(source.read(), clinic_id, member_id, as_json=as_json, **how)


def _restore(source: IO[bytes], *, as_json: bool) -> None:
    console = Console(stderr=True)
    held = settings()
    with (
        owner_connection(held) as conn,
        Progress(console=console, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task("Importing", total=None)
        done = transfer.import_lines(
            conn,
            source,
            keys_of(held),
            began=lambda total: progress.update(task, total=total),
            told=lambda count: progress.update(task, advance=count),
        )
    people = f"Clinic {done['clinic_id']}: {done['imported']} entries imported, {done['known']} were there."
    answer(done, as_json=as_json, people=people)
