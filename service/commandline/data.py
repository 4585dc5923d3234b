"""``export`` and ``import``: a clinic's whole log as NDJSON, and back, with nothing changed."""

from __future__ import annotations

import contextlib
import sys
from typing import IO
from uuid import UUID

import click
from rich.console import Console
from rich.progress import Progress

from service import transfer
from service.commandline.shared import answer, json_option, owner_connection, settings


@click.command()
@click.option("--clinic", "clinic_id", type=click.UUID, required=True)
@click.option(
    "--output",
    "-o",
    type=click.File("wb"),
    default="-",
    help="A file; standard output if left out.",
)
def export(clinic_id: UUID, output: IO[bytes]) -> None:
    """Write a clinic's log as NDJSON: a heading, then one line an entry, in order."""
    console = Console(stderr=True)
    with owner_connection(settings()) as conn:
        heading, lines = transfer.export_lines(conn, clinic_id)
        with (
            contextlib.closing(lines),
            Progress(console=console, disable=not console.is_terminal) as progress,
        ):
            task = progress.add_task("Exporting", total=heading["entries"])
            output.write(transfer.to_line(heading))
            for line in lines:
                output.write(line)
                progress.update(task, advance=1)
    if output is not sys.stdout.buffer:
        click.echo(f"{heading['entries']} entries exported.", err=True)


@click.command("import")
@click.argument("source", type=click.File("rb"))
@json_option
def import_(source: IO[bytes], *, as_json: bool) -> None:
    """Restore a clinic from an export (a file, or - for standard input).

    Positions, times and ids stay as they were. Interrupted, it goes on where it was; a clinic that
    holds anything else is refused.
    """
    console = Console(stderr=True)
    with (
        owner_connection(settings()) as conn,
        Progress(console=console, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task("Importing", total=None)
        done = transfer.import_lines(
            conn,
            source,
            began=lambda total: progress.update(task, total=total),
            told=lambda count: progress.update(task, advance=count),
        )
    people = f"Clinic {done['clinic_id']}: {done['imported']} entries imported, {done['known']} were there."
    answer(done, as_json=as_json, people=people)
