"""What a projection is: a name, a version, its tables, and how it takes in a batch of entries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, ClassVar
from uuid import UUID

import psycopg

from domain.clinic import DEFAULT_POLICY, Policy
from domain.entry import Entry
from domain.plan import Plan

Cursor = psycopg.Cursor[Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries of one clinic in order of position, without gaps.

    ``told``: each entry's sentence, in the words the plan had when it was recorded.
    ``plans``: the plans the entries belong to, as they stand after the batch.
    ``policy``: what the clinic has set for itself, as it stands after the batch.
    """

    clinic_id: UUID
    entries: Sequence[Entry]
    told: Sequence[str]
    plans: dict[UUID, Plan]
    policy: Policy = DEFAULT_POLICY


class Projection(ABC):
    """One read model. ``version`` goes up when its tables or their meaning change: then rebuild."""

    name: ClassVar[str]
    version: ClassVar[int]

    @abstractmethod
    def apply(self, batch: Batch, cursor: Cursor, table: str) -> None:
        """Take in a batch; ``table`` is the live table or the one being rebuilt beside it."""

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
