"""``projections`` and ``rebuild``: how far the read models are, and making them anew."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import click
import psycopg
from rich.console import Console
from rich.progress import Progress

from projections import ALL
from projections.rebuild import rebuild as rebuild_projection
from service.commandline.shared import (
    UsageError,
    answer,
    json_option,
    keys_of,
    owner_connection,
    settings,
    table,
)

_STATUS = """
SELECT p.projection, p.version, p.clinic_id, p.position, l.position - p.position AS behind,
    p.stopped_at, p.stopped_why, p.updated_at
FROM projection_positions p JOIN clinic_logs l USING (clinic_id) ORDER BY p.projection, p.clinic_id
"""


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def projections(context: click.Context, *, as_json: bool) -> None:
    """Show how far each projection is in each clinic's log."""
    if context.invoked_subcommand is not None:
        return
    with owner_connection(settings()) as conn:
        found = status(conn)
    columns = (
        "projection",
        "version",
        "clinic_id",
        "position",
        "behind",
        "stopped_at",
        "stopped_why",
    )
    people = table(found, columns) if found else "No projection has started yet."
    answer(found, as_json=as_json, people=people)


def status(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Where each projection stands, clinic by clinic."""
    cursor = conn.execute(_STATUS)
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@projections.command("resume")
@click.argument("name")
@click.option("--clinic", "clinic_id", type=click.UUID, help="Only this clinic.")
@json_option
def resume(name: str, clinic_id: UUID | None, *, as_json: bool) -> None:
    """Let projection NAME go on where it stopped at a poison entry."""
    _named(name.removesuffix(":new"))
    with owner_connection(settings()) as conn:
        done = conn.execute(
            "UPDATE projection_positions SET stopped_at = NULL, stopped_why = NULL "
            "WHERE projection = %s AND stopped_at IS NOT NULL AND (%s::uuid IS NULL OR clinic_id = %s)",
            [name, clinic_id, clinic_id],
        ).rowcount
    answer({"resumed": done}, as_json=as_json, people=f"{done} clinic(s) go on.")


def _named(name: str) -> Any:
    for held in ALL:
        if held.name == name:
            return held
    known = ", ".join(held.name for held in ALL)
    raise UsageError(f"There is no projection {name!r}; there are: {known}.")


@click.command()
@click.argument("name")
@click.option("--batch", type=click.IntRange(100, 50_000), default=5_000, show_default=True)
@json_option
def rebuild(name: str, batch: int, *, as_json: bool) -> None:
    """Build projection NAME anew beside the old one, then switch. Interrupted, it goes on where it was."""
    projection = _named(name)
    console = Console(stderr=True)
    held = settings()
    with owner_connection(held) as conn:
        total = conn.execute(
            "SELECT coalesce(sum(position), 0)::bigint FROM clinic_logs"
        ).fetchone()
        with Progress(console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task(f"Rebuilding {name}", total=total[0] if total else 0)
            done = rebuild_projection(
                conn,
                projection,
                keys_of(held),
                batch=batch,
                told=lambda count: progress.update(task, advance=count),
            )
    answer(
        {"projection": name, "entries": done},
        as_json=as_json,
        people=f"{name} was rebuilt from {done} entries; the old tables are kept as {name}_old.",
    )
