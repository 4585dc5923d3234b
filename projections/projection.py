"""What a projection is: a name, a version, its tables, and how it takes in a batch of entries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, ClassVar
from uuid import UUID

import psycopg

from domain.clinic import Clinic
from domain.entry import Entry
from domain.plan import Plan
from domain.policy import DEFAULT_POLICY, Policy
from projections.sealing import Seals

Cursor = psycopg.Cursor[Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries of one clinic in order of position, without gaps, up to ``position``: ``size`` of them.

    ``entries`` are those of plans, ``told`` their sentences in the words the plan had when each was
    recorded; ``plans``: the plans they belong to (all of the clinic's when its policy changed), as they
    stand after the batch. Neither holds what was erased. ``clinic_entries`` and ``clinic_told`` are the
    clinic's own; ``clinic`` and ``policy`` as they stand after the batch.
    """

    seals: Seals
    position: int
    size: int
    entries: Sequence[Entry]
    told: Sequence[str]
    plans: dict[UUID, Plan]
    clinic: Clinic | None = None
    clinic_entries: Sequence[Entry] = ()
    clinic_told: Sequence[str] = ()

    @property
    def clinic_id(self) -> UUID:
        """The clinic."""
        return self.seals.clinic_id

    @property
    def policy(self) -> Policy:
        """What the clinic has set for itself."""
        return self.clinic.policy if self.clinic is not None else DEFAULT_POLICY


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure took: plans, entries of the clinic's own log, members."""

    clinic_id: UUID
    plan_ids: Sequence[UUID]
    entry_ids: Sequence[UUID]
    member_ids: Sequence[UUID]


class Projection(ABC):
    """One read model. ``version`` goes up when its tables or their meaning change: then rebuild.

    ``shape``: a digest of its table and of what its rows hold; a test says when that has changed.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    shape: ClassVar[str]
    SEALED: ClassVar[Mapping[str, str]] = {}
    """Its sealed columns that a table for people shows, and what each is about, from the others of its row."""

    @abstractmethod
    def apply(self, batch: Batch, cursor: Cursor, table: str) -> None:
        """Take in a batch; ``table`` is the live table or the one being rebuilt beside it."""

    def told(self, column: str, text: bytes) -> dict[str, Any]:
        """What an opened column says, by the names of the columns it is shown as."""
        return {column: text.decode()}

    def forget(self, erased: Erased, cursor: Cursor, table: str) -> None:
        """Keep nothing of plans that were erased."""
        query = f"DELETE FROM {table} WHERE clinic_id = %s AND plan_id = ANY(%s)"
        cursor.execute(query.encode(), [erased.clinic_id, list(erased.plan_ids)])

    def table(self, *, fresh: bool = False) -> str:
        """The name of its table, or of the one a rebuild fills."""
        return f"{self.name}_new" if fresh else self.name

    def definition(self, table: str) -> str:
        """The SQL that makes its table, from the file of its name beside it."""
        sql = resources.files("projections").joinpath(f"{self.name}.sql").read_text("utf-8")
        return sql.replace("{table}", table)

    def ensure_tables(self, conn: psycopg.Connection[Any], *, fresh: bool = False) -> None:
        """Make its table unless it is there (as the owner)."""
        table = self.table(fresh=fresh)
        there = conn.execute("SELECT to_regclass(%s)", [f"plan_history.{table}"]).fetchone()
        if there is not None and there[0] is None:
            conn.execute(self.definition(table).encode())
