"""Whether the service can do its work: database, migrations, projections, seals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg.rows import TupleRow

from projections import ALL
from service.database import BoundedConnection, Database
from service.errors import StoreUnavailableError
from service.migrate import pending

NAMES = [projection.name for projection in ALL]


@dataclass(frozen=True, slots=True)
class Health:
    """What a look at the database showed."""

    database: str
    migrations_pending: list[str]
    projections: dict[str, dict[str, int]]
    seals: dict[str, dict[str, int]]
    """By tree: how far the ledger is behind, and in how many clinics it stands still."""

    @property
    def ready(self) -> bool:
        """Whether requests can be answered (what is behind does not prevent that)."""
        return self.database == "ok" and not self.migrations_pending

    def document(self) -> dict[str, Any]:
        """It in JSON types."""
        stopped = sum(held["stopped"] for held in self.projections.values())
        return {
            "ready": self.ready,
            "database": self.database,
            "migrations_pending": self.migrations_pending,
            "projections": self.projections,
            "projections_stopped": stopped,
            "ledger": self.seals,
            "ledger_stopped": sum(held["stopped"] for held in self.seals.values()),
        }


def look(database: Database) -> Health:
    """Look at the database once; never raises for one that is out of reach."""

    def read(conn: BoundedConnection) -> tuple[list[str], list[TupleRow], list[TupleRow]]:
        missing = pending(conn)
        if missing:
            return missing, [], []
        lag = conn.execute("SELECT * FROM projection_lag(%s)", [NAMES]).fetchall()
        return [], lag, conn.execute("SELECT * FROM seal_lag()").fetchall()

    try:
        missing, lag, seals = database.run(read)
    except StoreUnavailableError:
        return Health("out of reach", [], {}, {})
    return Health("ok", missing, _by_name("entries_behind", lag), _by_name("behind", seals))


def _by_name(behind: str, rows: list[TupleRow]) -> dict[str, dict[str, int]]:
    names = (behind, "clinics_behind", "stopped")
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}
