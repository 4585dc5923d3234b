"""Erasing a client: asked for by one, approved by two privacy officers, done by destroying keys."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from psycopg.rows import TupleRow

from domain.entry import Entry
from domain.erasure import ClientErased, what_is_about
from domain.errors import ChangeNotPossibleError, Problem
from domain.opening import PlanOpened
from domain.proposals import Proposal
from domain.record import EntryCorrected, EntryMarkedInError
from projections.current_plans import CurrentPlans
from projections.erasing import destroy_keys, erased_by
from service.access import Gate, Principal
from service.access.table import SELF
from service.clinic import ClinicService
from service.database import BoundedConnection
from service.errors import (
    KeptUnsealedError,
    NotAllowedError,
    NotYetVisibleError,
    RetentionError,
    StoreUnavailableError,
)
from service.reading import reading_plan

log = logging.getLogger("plan_history.security")
_PLANS = """
SELECT plan_id FROM open_plans WHERE clinic_id = %(clinic)s AND client_ref = %(ref)s
UNION SELECT plan_id FROM current_plans WHERE clinic_id = %(clinic)s AND client_ref = %(ref)s
ORDER BY plan_id
"""
_BEHIND = """
SELECT EXISTS (
    SELECT FROM entries WHERE clinic_id = %(clinic)s AND topic = ANY(%(topics)s) AND position > coalesce((
        SELECT p.position FROM projection_positions p
        WHERE p.clinic_id = %(clinic)s AND p.projection = 'current_plans' AND p.version = %(version)s), 0)
)
"""
_WHOSE = (PlanOpened.TOPIC, EntryCorrected.TOPIC, EntryMarkedInError.TOPIC)
"""After these a plan may be another client's than the read model knows."""
_PLAIN = """
SELECT EXISTS (SELECT FROM entries WHERE clinic_id = %(clinic)s AND plan_id = ANY(%(plans)s) AND key_id IS NULL)
    OR EXISTS (SELECT FROM entries WHERE clinic_id = %(clinic)s AND entry_id = ANY(%(entries)s) AND key_id IS NULL)
"""
_FORGET = "SELECT forget_client(%s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Eraser:
    """Finds what is kept of a client, says why it cannot be erased, and erases what was approved."""

    clinic: ClinicService
    gate: Gate

    def asked(
        self, principal: Principal, client_ref: str, *, before_retention_ends: bool
    ) -> ClientErased:
        """The entry that would erase everything kept of a client now.

        Raises NotAllowedError for a client who asks for another, NotYetVisibleError while the read
        models are behind, KeptUnsealedError and RetentionError.
        """
        self._refuse_another(principal, client_ref)
        data = self._everything(principal.clinic_id, client_ref, before=before_retention_ends)
        self._refuse_unsealed(principal.clinic_id, data)
        if not before_retention_ends:
            self._refuse_too_early(principal.clinic_id, data)
        return data

    def _refuse_another(self, principal: Principal, client_ref: str) -> None:
        grant = principal.grant("erasure.ask") or {}
        mine = self.gate.rosters(principal.clinic_id).client_ref(principal.member_id)
        if SELF in grant and mine != client_ref:
            with self.gate.noting_refusals(principal, "erasure.ask"):
                raise NotAllowedError("You can ask for your own records alone.", "/client_ref")

    def _everything(self, clinic_id: UUID, client_ref: str, *, before: bool) -> ClientErased:
        def read(conn: BoundedConnection) -> tuple[bool, list[TupleRow]]:
            given = {"clinic": clinic_id, "ref": client_ref, "topics": list(_WHOSE)}
            given["version"] = CurrentPlans.version
            behind = conn.execute(_BEHIND, given).fetchone()
            found = conn.execute(_PLANS, given).fetchall()
            return bool(behind and behind[0]), found

        behind, rows = self.gate.database.in_clinic(clinic_id, read)
        if behind:
            raise NotYetVisibleError(
                "The read models do not show everything yet that was recorded; try again shortly."
            )
        with self.clinic.reading_clinic(clinic_id) as clinic:
            entries, members = what_is_about(clinic, client_ref)
        gone = self.gate.rosters(clinic_id).erased
        return ClientErased(
            client_ref=client_ref,
            plan_ids=tuple(str(row[0]) for row in rows if row[0] not in gone),
            entry_ids=tuple(held.entry_id for held in entries),
            member_ids=tuple(members),
            before_retention_ends=before,
        )

    def _refuse_unsealed(self, clinic_id: UUID, data: ClientErased) -> None:
        given = {
            "clinic": clinic_id,
            "plans": [UUID(held) for held in data.plan_ids],
            "entries": [UUID(held) for held in data.entry_ids],
        }
        row = self.gate.database.in_clinic(
            clinic_id, lambda conn: conn.execute(_PLAIN, given).fetchone()
        )
        if row is not None and row[0]:
            raise KeptUnsealedError(
                "Some of this was recorded without keys (see PLAN_HISTORY_KEYS), so no key can be "
                "destroyed for it: it cannot be erased here."
            )

    def _refuse_too_early(self, clinic_id: UUID, data: ClientErased) -> None:
        """Refuse while the clinic's own rule says that records are kept: days after the last entry."""
        days = self.clinic.recording.policy(clinic_id).retention_days
        now = self.clinic.recording.clock()
        for plan_id in data.plan_ids:
            with reading_plan(self.gate.plans, clinic_id, UUID(plan_id)) as plan:
                until = plan.modified_on + timedelta(days=days)
                if not plan.state.lifecycle.closed:
                    detail = "a plan of theirs is still open"
                elif until > now:
                    detail = f"their records are kept until {until.date().isoformat()}"
                else:
                    continue
            raise RetentionError(
                f"By the clinic's policy ({days} days) {detail}. Say before_retention_ends: true if the "
                "law wants it earlier.",
                "/before_retention_ends",
            )

    def refuse_changed(self, clinic_id: UUID, held: Proposal) -> None:
        """Refuse to approve an erasure of other things than there are now (ChangeNotPossibleError)."""
        for number, proposed in enumerate(held.entries):
            data = proposed.revived
            if not isinstance(data, ClientErased):
                continue
            now = self._everything(clinic_id, data.client_ref, before=data.before_retention_ends)
            if now != data:
                detail = "Something was recorded about this client since it was asked for."
                raise ChangeNotPossibleError(
                    f"{detail} Let it be withdrawn, and asked for again.",
                    [Problem(f"/entries/{number}/data", detail)],
                )

    def finish(self, clinic_id: UUID, entries: Sequence[Entry]) -> None:
        """Destroy the keys of what these entries say was erased, and forget it here.

        Should the keys be out of reach just now, the projector does it as soon as they are not.
        """
        for entry in entries:
            if isinstance(entry.data, ClientErased):
                try:
                    self._finish(clinic_id, entry.data)
                except StoreUnavailableError:
                    log.exception("an erasure waits for the keys: clinic %s", clinic_id)
                log.warning("a client was erased: clinic %s entry %s", clinic_id, entry.entry_id)

    def _finish(self, clinic_id: UUID, data: ClientErased) -> None:
        erased, keys = erased_by(clinic_id, data), self.gate.plans.keys

        def forget(conn: BoundedConnection) -> None:
            with conn.cursor() as cursor:
                destroy_keys(cursor, keys, erased)
            conn.execute(_FORGET, [clinic_id, [*erased.plan_ids], [*erased.member_ids]])

        self.gate.database.in_clinic(clinic_id, forget)
        self.gate.plans.drop(clinic_id, clinic_id)
        self.gate.forget(clinic_id, clinic_id)
        for plan_id in erased.plan_ids:
            self.gate.let_go(clinic_id, plan_id)
