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
from service.reading import reading_plan
from service.record.plans import Plans

_TABLE = "page_drafts"
_SAVE = """
INSERT INTO page_drafts (clinic_id, member_id, plan_id, form) VALUES (%s, %s, %s, %s)
ON CONFLICT (clinic_id, member_id, plan_id)
DO UPDATE SET form = excluded.form, saved_at = clock_timestamp()
"""
_OLD = "DELETE FROM page_drafts WHERE saved_at < clock_timestamp() - interval '7 days'"


@dataclass(frozen=True, slots=True)
class Drafts:
    """Keeps one draft a member and plan; under the clinic's id, one of its own entries."""

    database: Database
    plans: Plans

    def find(self, principal: Principal, plan_id: UUID) -> dict[str, Any] | None:
        """What the member had typed, or None."""

        def read(conn: BoundedConnection) -> TupleRow | None:
            return conn.execute(
                "SELECT form FROM page_drafts "
                "WHERE clinic_id = %s AND member_id = %s AND plan_id = %s",
                [principal.clinic_id, principal.member_id, plan_id],
            ).fetchone()

        row = self.database.in_clinic(principal.clinic_id, read)
        seals = self.plans.seals(principal.clinic_id)
        return seals.document(_TABLE, plan_id, principal.member_id, row[0]) if row else None

    def save(self, principal: Principal, plan_id: UUID, form: Mapping[str, Any]) -> None:
        """Keep what is typed, instead of what was; what the clinic forgot a week ago goes."""
        key_id = self._key_of(principal.clinic_id, plan_id)
        seals = self.plans.seals(principal.clinic_id)
        text = seals.row(key_id, _TABLE, plan_id, principal.member_id, orjson.dumps(form))
        held = [principal.clinic_id, principal.member_id, plan_id, text]
        with self.database.clinic(principal.clinic_id) as conn:
            conn.execute(_SAVE, held)
            conn.execute(_OLD)

    def _key_of(self, clinic_id: UUID, plan_id: UUID) -> UUID | None:
        """What a draft is sealed with: the plan's key; the clinic's own entries, and drafts of them, have none."""
        if plan_id == clinic_id:
            return None
        with reading_plan(self.plans, clinic_id, plan_id) as plan:
            return plan.key_id

    def discard(self, principal: Principal, plan_id: UUID) -> None:
        """Put it away."""
        with self.database.clinic(principal.clinic_id) as conn:
            conn.execute(
                "DELETE FROM page_drafts WHERE clinic_id = %s AND member_id = %s AND plan_id = %s",
                [principal.clinic_id, principal.member_id, plan_id],
            )
