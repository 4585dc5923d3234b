"""Rebuilding: a new table beside the old one, in resumable batches, then a switch in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql

from projections.projection import Projection
from projections.runner import Runner, rebuilding
from projections.sealing import Keys

LOCK = 7_243_901_886_511_205
_LEFT = """
SELECT coalesce(sum(l.position - coalesce(n.position, 0)), 0)::bigint FROM clinic_logs l
LEFT JOIN projection_positions n ON n.projection = %s AND n.clinic_id = l.clinic_id
WHERE n.stopped_at IS NULL
"""
_BEHIND_LIVE = """
SELECT p.clinic_id FROM projection_positions p
LEFT JOIN projection_positions n ON n.projection = %s AND n.clinic_id = p.clinic_id
WHERE p.projection = %s AND coalesce(n.position, 0) < p.position AND n.stopped_at IS NULL
"""


def rebuild(
    conn: psycopg.Connection[Any],
    projection: Projection,
    keys: Keys,
    *,
    batch: int = 5_000,
    told: Callable[[int], None] = lambda _: None,
) -> int:
    """Rebuild ``projection`` from the whole record (as the owner, in autocommit); returns how many entries.

    The live table serves on until the switch, and stays as ``<name>_old`` until it is dropped or the
    next rebuild. Interrupted, a rebuild goes on from its last batch. ``told`` hears of each batch's size.
    """
    conn.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    try:
        with conn.transaction():
            _drop_another_versions(conn, projection)
            projection.ensure_tables(conn, fresh=True)
        runner = Runner(conn, [rebuilding(projection)], keys, batch)
        runner.enrol()
        _catch_up(conn, projection, runner, told)
        _switch(conn, projection, runner, told)
        done = conn.execute(
            "SELECT coalesce(sum(position), 0)::bigint FROM projection_positions "
            "WHERE projection = %s AND version = %s",
            [projection.name, projection.version],
        ).fetchone()
        return int(done[0]) if done else 0
    finally:
        conn.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


class RebuildStoppedError(Exception):
    """An entry could not be taken in; the live table stays as it was."""


def _refuse_stopped(conn: psycopg.Connection[Any], key: str) -> None:
    row = conn.execute(
        "SELECT stopped_why FROM projection_positions WHERE projection = %s AND stopped_at IS NOT NULL",
        [key],
    ).fetchone()
    if row is not None:
        raise RebuildStoppedError(
            f"The rebuild stopped ({row[0]}); the live table is untouched. Mend the cause, then "
            f"`plan-history projections resume {key}` and rebuild again."
        )


def _drop_another_versions(conn: psycopg.Connection[Any], projection: Projection) -> None:
    """Begin anew if an interrupted rebuild was that of another version."""
    dropped = conn.execute(
        "DELETE FROM projection_positions WHERE projection = %s AND version <> %s",
        [rebuilding(projection).key, projection.version],
    )
    if dropped.rowcount:
        fresh = sql.Identifier(projection.table(fresh=True))
        conn.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(fresh))


def _catch_up(
    conn: psycopg.Connection[Any],
    projection: Projection,
    runner: Runner,
    told: Callable[[int], None],
) -> None:
    """Take in what there is; again while that leaves less and less, for others write meanwhile."""

    def left() -> int:
        row = conn.execute(_LEFT, [rebuilding(projection).key]).fetchone()
        return int(row[0]) if row else 0

    before, now = left() * 2, left()
    while 0 < now <= before / 2:
        taken = 0
        while taken < now and (more := runner.round()):
            told(more)
            taken += more
        before, now = now, left()


def _overtake(
    conn: psycopg.Connection[Any],
    projection: Projection,
    runner: Runner,
    told: Callable[[int], None],
) -> None:
    """Take in what the live table has, which nobody adds to; the rest is for the live projectors."""
    key = rebuilding(projection).key
    runner.enrol()
    while behind := conn.execute(_BEHIND_LIVE, [key, projection.name]).fetchall():
        for (clinic_id,) in behind:
            told(runner.step(clinic_id))


def _switch(
    conn: psycopg.Connection[Any],
    projection: Projection,
    runner: Runner,
    told: Callable[[int], None],
) -> None:
    """Hold the live positions, take in what is missing, and let the tables change names."""
    live, fresh = projection.table(), projection.table(fresh=True)
    key = rebuilding(projection).key
    with conn.transaction():
        conn.execute("LOCK TABLE projection_positions IN EXCLUSIVE MODE")  # new clinics wait, too
        _overtake(conn, projection, runner, told)
        _refuse_stopped(conn, key)
        old = sql.Identifier(f"{live}_old")
        conn.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(old))
        for before, after in ((live, old), (fresh, sql.Identifier(live))):
            rename = sql.SQL("ALTER TABLE {} RENAME TO {}")
            conn.execute(rename.format(sql.Identifier(before), after))
        conn.execute("DELETE FROM projection_positions WHERE projection = %s", [projection.name])
        conn.execute(
            "UPDATE projection_positions SET projection = %s WHERE projection = %s",
            [projection.name, key],
        )
