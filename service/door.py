"""The door: who came in to the pages, and who was turned away although they are known or vouched for."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from uuid import UUID

from psycopg.rows import TupleRow

from service.access import Gate, Look, Principal
from service.database import BoundedConnection

log = logging.getLogger("plan_history.security")
ACTION = "sign-in"


@dataclass(frozen=True, slots=True)
class Door:
    """Keeps who came in and who did not."""

    gate: Gate

    def came_in(self, who: Principal, how: str) -> None:
        """A session begins; ``how``: by token, link or oidc."""
        why = next(iter(who.grant(ACTION) or ()), None)
        self.gate.log.note(who, Look(action=ACTION, asked=how, why=why, view="full"))

    def turned_away(self, who: Principal, how: str) -> None:
        """They do not belong to the clinic, or no longer; nothing is kept of clinics there are not."""
        log.warning("turned away: clinic %s member %s", who.clinic_id, who.member_id)
        if self._is_a_clinic(who.clinic_id):
            self.gate.log.note(who, Look(action=ACTION, asked=how, allowed=False))

    def _is_a_clinic(self, clinic_id: UUID) -> bool:
        def read(conn: BoundedConnection) -> TupleRow | None:
            return conn.execute(
                "SELECT 1 FROM clinics WHERE clinic_id = %s", [clinic_id]
            ).fetchone()

        return self.gate.database.in_clinic(clinic_id, read) is not None
