"""``people``: the clinic's members with role, supervision and caseload, folded from the Clinic."""

from __future__ import annotations

from uuid import UUID

from projections.projection import Batch, Cursor, Erased, Projection

_COLUMNS = (
    "clinic_id, member_id, name, role, credential, status, supervisor_id, caseload, since, left_at"
)


class People(Projection):
    """One row per member, for queries that need to know who somebody is. Clients are not named here."""

    name = "people"
    version = 2
    shape = "ae0a6b8a1846"

    def apply(self, batch: Batch, cursor: Cursor, table: str) -> None:
        """Write the members anew when the clinic recorded something of its own."""
        if batch.clinic is None or not batch.clinic_entries:
            return
        rows = [
            (
                batch.clinic_id,
                held.member_id,
                held.name if held.role != "client" else None,
                held.role,
                held.credential,
                held.status,
                held.supervisor_id,
                [UUID(plan_id) for plan_id in held.caseload],
                held.since,
                held.left_at,
            )
            for held in batch.clinic.state.members
        ]
        cursor.execute(f"DELETE FROM {table} WHERE clinic_id = %s".encode(), [batch.clinic_id])
        marks = ", ".join(["%s"] * len(rows[0])) if rows else ""
        if rows:
            insert = f"INSERT INTO {table} ({_COLUMNS}) VALUES ({marks})"
            cursor.executemany(insert.encode(), rows)

    def forget(self, erased: Erased, cursor: Cursor, table: str) -> None:
        """Not whom the client signed in as."""
        query = f"DELETE FROM {table} WHERE clinic_id = %s AND member_id = ANY(%s)"
        cursor.execute(query.encode(), [erased.clinic_id, list(erased.member_ids)])
