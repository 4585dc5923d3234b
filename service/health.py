"""Whether the service can do its work: database, migrations, projections."""

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

    @property
    def ready(self) -> bool:
        """Whether requests can be answered (a projection that is behind does not prevent that)."""
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
        }


def look(database: Database) -> Health:
    """Look at the database once; never raises for one that is out of reach."""

    def read(conn: BoundedConnection) -> tuple[list[str], list[TupleRow]]:
        missing = pending(conn)
        if missing:
            return missing, []
        return [], conn.execute("SELECT * FROM projection_lag(%s)", [NAMES]).fetchall()

    try:
        missing, lag = database.run(read)
    except StoreUnavailableError:
        return Health("out of reach", [], {})
    names = ("entries_behind", "clinics_behind", "stopped")
    return Health("ok", missing, {row[0]: dict(zip(names, row[1:], strict=True)) for row in lag})
