"""Drafts: what somebody has typed into a form and not recorded yet. Only its writer sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import TupleRow

from service.access import Principal
from service.database import BoundedConnection, Database

_SAVE = """
INSERT INTO page_drafts (clinic_id, member_id, plan_id, form) VALUES (%s, %s, %s, %s)
ON CONFLICT (clinic_id, member_id, plan_id)
DO UPDATE SET form = excluded.form, saved_at = clock_timestamp()
"""
_OLD = "DELETE FROM page_drafts WHERE saved_at < clock_timestamp() - interval '7 days'"


@dataclass(frozen=True, slots=True)
class Drafts:
    """Keeps one draft a member and plan."""

    database: Database

    def find(self, principal: Principal, plan_id: UUID) -> dict[str, Any] | None:
        """What the member had typed, or None."""

        def read(conn: BoundedConnection) -> TupleRow | None:
            return conn.execute(
                "SELECT form FROM page_drafts "
                "WHERE clinic_id = %s AND member_id = %s AND plan_id = %s",
                [principal.clinic_id, principal.member_id, plan_id],
            ).fetchone()

        row = self.database.in_clinic(principal.clinic_id, read)
        return orjson.loads(row[0]) if row else None

    def save(self, principal: Principal, plan_id: UUID, form: Mapping[str, Any]) -> None:
        """Keep what is typed, instead of what was; what the clinic forgot a week ago goes."""
        held = [principal.clinic_id, principal.member_id, plan_id, orjson.dumps(form)]
        with self.database.clinic(principal.clinic_id) as conn:
            conn.execute(_SAVE, held)
            conn.execute(_OLD)

    def discard(self, principal: Principal, plan_id: UUID) -> None:
        """Put it away."""
        with self.database.clinic(principal.clinic_id) as conn:
            conn.execute(
                "DELETE FROM page_drafts WHERE clinic_id = %s AND member_id = %s AND plan_id = %s",
                [principal.clinic_id, principal.member_id, plan_id],
            )
