"""What the read models hold, and who fills them meanwhile."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import psycopg

from projections import ALL
from projections.projection import Projection
from projections.rebuild import rebuild
from projections.sealing import Keys
from service.serving.projector import project
from tests.keys import keys

Owner = psycopg.Connection[Any]


def content(owner: Owner, table: str) -> list[str]:
    """Every row of a table, each as the text that tells any two values apart, in no order of theirs."""
    rows = owner.execute(f"SELECT t::text FROM {table} AS t".encode()).fetchall()
    return sorted(row[0] for row in rows)


def contents(owner: Owner, projections: Iterable[Projection] = ALL) -> dict[str, list[str]]:
    """Every row of every read model."""
    return {held.name: content(owner, held.table()) for held in projections}


def assert_equal_to_rebuilt(owner: Owner, batch: int = 1_000, vault: Keys | None = None) -> None:
    """All read models are, row by row and byte by byte, what a rebuild makes."""
    before = contents(owner)
    for projection in ALL:
        rebuild(owner, projection, vault or keys(), batch=batch)
    after = contents(owner)
    for name, rows in before.items():
        assert rows == after[name], name


def behind(owner: Owner) -> dict[str, int]:
    """How many entries each projection has not taken in."""
    names = [held.name for held in ALL]
    rows = owner.execute("SELECT projection, behind FROM projection_lag(%s)", [names])
    return dict(rows.fetchall())


def stopped(owner: Owner) -> dict[tuple[str, UUID], int]:
    """Which projection has stopped in which clinic, and at which position."""
    rows = owner.execute(
        "SELECT projection, clinic_id, stopped_at FROM projection_positions "
        "WHERE stopped_at IS NOT NULL"
    )
    return {(name, clinic_id): position for name, clinic_id, position in rows.fetchall()}


@contextlib.contextmanager
def projecting(url: str, processes: int = 1) -> Iterator[None]:
    """Projectors at work, each on a connection of its own as a process would be."""
    stop = threading.Event()
    threads = [threading.Thread(target=project, args=(url, stop, keys())) for _ in range(processes)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive(), "a projector does not end"
