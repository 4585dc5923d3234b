"""``ledger`` and ``seal``: how far the clinics' histories are sealed, and doing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import click
import psycopg

from service.commandline.shared import (
    UsageError,
    answer,
    json_option,
    owner_connection,
    settings,
    table,
    url_of,
)
from service.ledger.books import ENTRIES, TREES, Head, head_of
from service.ledger.keys import new_key as make_key
from service.ledger.keys import read_keys
from service.ledger.seen import Seen
from service.logs import set_up
from service.serving import supervise
from service.serving.sealer import seal as run_sealer

F = TypeVar("F", bound=Callable[..., Any])
_STATUS = """
SELECT l.clinic_id, t.tree, coalesce(c.size, 0) AS sealed, CASE t.tree
    WHEN 'entries' THEN l.position - coalesce(c.size, 0)
    ELSE (SELECT count(*) FROM access_log a WHERE a.clinic_id = l.clinic_id AND NOT EXISTS (
        SELECT FROM sealed_looks s WHERE s.clinic_id = a.clinic_id AND s.look_id = a.look_id)) END AS behind,
    c.sealed_at, c.stopped_at, c.stopped_why
FROM clinic_logs l CROSS JOIN unnest(%s::text[]) AS t (tree)
LEFT JOIN checkpoints c ON c.clinic_id = l.clinic_id AND c.tree = t.tree ORDER BY l.clinic_id, t.tree DESC
"""
_RESUME = """
UPDATE checkpoints SET stopped_at = NULL, stopped_why = NULL WHERE stopped_why IS NOT NULL
AND (%s::uuid IS NULL OR clinic_id = %s) AND (%s::text IS NULL OR tree = %s)
"""
_RESTART = """
UPDATE checkpoints SET generation = generation + 1, size = 0, note = NULL, keys = '{}', sealed_at = NULL,
    stopped_at = NULL, stopped_why = NULL WHERE clinic_id = %s AND tree = %s
"""
clinic_option = click.option("--clinic", "clinic_id", type=click.UUID, required=True)
tree_option = click.option(
    "--tree", type=click.Choice(TREES), default=ENTRIES, show_default=True, help="Which of the two."
)


@click.command()
@click.option("--new-key", is_flag=True, help="Make a key, or one more to change over to, and end.")
def seal(*, new_key: bool) -> None:
    """Run the sealer alone: signs what was recorded within a second."""
    held = settings()
    if new_key:
        _make_key()
        return
    url, keys, seen = (
        held.sealer_url or url_of(held),
        read_keys(held.sealer_key),
        Seen(held.sealer_seen),
    )
    set_up(held.log_level)
    supervise.end_with_supervisor()
    with supervise.signals() as stop:
        run_sealer(url, keys, seen, stop)


def _make_key() -> None:
    place = settings().sealer_key
    count = make_key(place)
    more = " Checkpoints are signed by both until you take the older one out." if count > 1 else ""
    click.echo(f"{place} holds {count} key(s), the new one first; restart the sealer.{more}")


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def ledger(context: click.Context, *, as_json: bool) -> None:
    """Show how far each clinic's entries and access log are sealed."""
    if context.invoked_subcommand is not None:
        return
    with owner_connection(settings()) as conn:
        found = _status(conn)
    columns = ("clinic_id", "tree", "sealed", "behind", "sealed_at", "stopped_at", "stopped_why")
    people = table(found, columns) if found else "There are no clinics."
    answer(found, as_json=as_json, people=people)


def _status(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    cursor = conn.execute(_STATUS, [list(TREES)])
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _sealed(clinic_id: UUID, tree: str) -> Head:
    with owner_connection(settings()) as conn:
        head = head_of(conn, clinic_id, tree)
    if head is None or head.note is None:
        raise UsageError("Nothing of that clinic is sealed yet: see plan-history ledger.")
    return head


@ledger.command("checkpoint")
@clinic_option
@tree_option
def checkpoint(clinic_id: UUID, tree: str) -> None:
    """Print the newest signed checkpoint, to be kept somewhere else."""
    click.echo(_sealed(clinic_id, tree).note, nl=False)


@ledger.command("vkey")
@clinic_option
@tree_option
def vkey(clinic_id: UUID, tree: str) -> None:
    """Print the keys that checkpoints are checked with, for those who check them."""
    for key in _sealed(clinic_id, tree).vkeys:
        click.echo(str(key))


@ledger.command("resume")
@click.option("--clinic", "clinic_id", type=click.UUID, help="Only this clinic.")
@click.option("--tree", type=click.Choice(TREES), help="Only this of the two.")
@json_option
def resume(clinic_id: UUID | None, tree: str | None, *, as_json: bool) -> None:
    """Let the sealer look again where it stopped, once what was wrong is mended."""
    with owner_connection(settings()) as conn:
        done = conn.execute(_RESUME, [clinic_id, clinic_id, tree, tree]).rowcount
    people = f"{done} tree(s) are tried again: see plan-history ledger."
    answer({"resumed": done}, as_json=as_json, people=people)


@ledger.command("restart")
@clinic_option
@tree_option
@click.option("--yes", is_flag=True, help="Do it.")
@json_option
def restart(clinic_id: UUID, tree: str, *, yes: bool, as_json: bool) -> None:
    """Seal a tree anew from the beginning, under a new name.

    For a clinic restored from a backup that lacks what was sealed last, or whose key is lost. No earlier
    checkpoint fits the new tree, and everybody who holds one will see that.
    """
    if not yes:
        raise UsageError("No checkpoint held so far will fit any more; say --yes to do it.")
    with owner_connection(settings()) as conn, conn.transaction():
        done = conn.execute(_RESTART, [clinic_id, tree]).rowcount
        conn.execute("DELETE FROM log_tiles WHERE clinic_id = %s AND tree = %s", [clinic_id, tree])
        if tree != ENTRIES:
            conn.execute("DELETE FROM sealed_looks WHERE clinic_id = %s", [clinic_id])
    if not done:
        raise UsageError("Nothing of that clinic is sealed yet: see plan-history ledger.")
    answer({"restarted": tree}, as_json=as_json, people=f"{tree} is sealed anew.")
