"""Use cases of the clinic itself: its people, supervision, caseload, policy, holds."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg.rows import TupleRow

from domain.approval import Approval
from domain.approving import needs_approval
from domain.clinic import Clinic, ClinicFounded
from domain.entry import Entry, EntryData
from domain.errors import PlanNotFoundError
from domain.fold import AMENDING
from domain.policy import DEFAULT_POLICY, Policy
from domain.record import AddendumAdded, EntryCorrected, EntryMarkedInError
from service.access import Gate, Principal
from service.access.recording import refuse_elsewhere, refuse_foreign_clinic_types
from service.access.table import CLINIC_RECORDS, PROPOSES
from service.database import BoundedConnection, Database
from service.errors import UnknownClinicError
from service.record.plans import Plans
from service.recording import Draft, Moment, Recorded, Recording, Request

REMEMBERED = 0.8
CLOSED = ("completed", "discontinued", "superseded", "entered_in_error")
_CASELOADS = """
SELECT t.member_id, count(DISTINCT c.plan_id) FROM current_plans c CROSS JOIN LATERAL (
    SELECT c.therapist_id AS member_id
    UNION SELECT a.member_id FROM unnest(%s::uuid[], %s::uuid[]) AS a (member_id, plan_id)
    WHERE a.plan_id = c.plan_id
) AS t WHERE c.clinic_id = %s AND c.status <> ALL(%s) GROUP BY t.member_id
"""


@dataclass(slots=True)
class Policies:
    """The policy of each clinic, remembered for less than a second."""

    plans: Plans
    _known: dict[UUID, tuple[float, Policy]] = field(default_factory=dict)

    def __call__(self, clinic_id: UUID) -> Policy:
        """The policy in force; a clinic that has set none has the defaults."""
        known = self._known.get(clinic_id)
        if known and time.monotonic() - known[0] < REMEMBERED:
            return known[1]
        policy = self._look_up(clinic_id)
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[clinic_id] = (time.monotonic(), policy)
        return policy

    def _look_up(self, clinic_id: UUID) -> Policy:
        try:
            with self.plans.reading(clinic_id, clinic_id) as clinic:
                return clinic.policy if isinstance(clinic, Clinic) else DEFAULT_POLICY
        except PlanNotFoundError:
            return DEFAULT_POLICY


def _amendments(
    clinic: Clinic, held: Entry, records: frozenset[str], proposes: frozenset[str]
) -> Iterator[tuple[str, Approval | None]]:
    """Each type that may be recorded or proposed about an entry, and who approves it."""
    found: dict[str, EntryData] = {
        "EntryCorrected": EntryCorrected(entry_id=held.entry_id, data={}),
        "EntryMarkedInError": EntryMarkedInError(entry_id=held.entry_id),
        "AddendumAdded": AddendumAdded(entry_id=held.entry_id, text="…"),
    }
    if isinstance(held.data, AMENDING):
        del found["EntryCorrected"]  # what it amends is corrected again
    for name, data in found.items():
        approval = needs_approval(clinic, data)
        if name in (proposes if approval else records):
            yield name, approval


@dataclass(slots=True)
class ClinicService:
    """Reads and changes the clinic of the principal."""

    database: Database
    recording: Recording
    gate: Gate

    def record(self, principal: Principal, drafts: Sequence[Draft], request: Request) -> Recorded:
        """Record entries in the clinic's own history, in order, all or none.

        Raises ApprovalRequiredError for what somebody else approves first.
        """
        self.gate.require(principal, "clinic.record")
        refuse_elsewhere(drafts)
        with self.gate.noting_refusals(principal, "clinic.record"):
            refuse_foreign_clinic_types(principal, drafts)
        return self.append(principal, drafts, request)

    def append(self, principal: Principal, drafts: Sequence[Draft], request: Request) -> Recorded:
        """Record entries for a use case that has seen to it that they may.

        The first of them begins with the clinic's founding, which is added by itself.
        """
        try:
            return self._append(principal, drafts, request)
        finally:
            self.gate.forget(principal.clinic_id, principal.clinic_id)

    def _append(self, principal: Principal, drafts: Sequence[Draft], request: Request) -> Recorded:
        clinic_id = principal.clinic_id
        try:
            return self.recording.record_in(principal, clinic_id, drafts, request)
        except PlanNotFoundError:
            founding = Draft(data=ClinicFounded(name=self._name(clinic_id)))
            founded = self.recording.write(
                principal, Clinic.new(clinic_id), [founding, *drafts], request, opening=True
            )
            return Recorded(
                plan_id=clinic_id,
                entries=founded.entries[1:] or founded.entries,
                warnings=founded.warnings,
                replayed=founded.replayed,
            )

    def _name(self, clinic_id: UUID) -> str:
        def read(conn: BoundedConnection) -> TupleRow | None:
            query = "SELECT name FROM clinics WHERE clinic_id = %s"
            return conn.execute(query, [clinic_id]).fetchone()

        row = self.database.in_clinic(clinic_id, read)
        if row is None:
            raise UnknownClinicError(
                "There is no such clinic; `plan-history clinic list` shows those there are."
            )
        return str(row[0])

    def at(self, principal: Principal, moment: Moment) -> tuple[int, dict[str, Any]]:
        """The clinic at a moment: its version then, and its document."""
        self.gate.require(principal, "clinic.read")
        with self.reading(principal) as clinic:
            if not clinic.entries:
                return 0, self._unfounded(principal)
            known = moment.known(clinic)
            return known, clinic.document(known, moment.effective_at)

    def amending(
        self, principal: Principal, entry_ids: Iterable[str]
    ) -> dict[str, dict[str, Approval | None]]:
        """By which types the principal amends each of these entries of the clinic's own.

        For each type who approves it first (None: nobody has to); an entry there is not, or that came about by
        something else than being recorded, is amended by none.
        """
        may = (
            CLINIC_RECORDS.get(principal.role, frozenset()),
            PROPOSES.get(principal.role, frozenset()),
        )
        with self.reading(principal) as clinic:
            known = {held.entry_id: held for held in clinic.entries if not held.data.ONLY_BY}
            return {
                entry_id: dict(_amendments(clinic, known[entry_id], *may))
                for entry_id in entry_ids
                if entry_id in known
            }

    def members(
        self, principal: Principal, *, role: str | None = None, status: str | None = None
    ) -> list[dict[str, Any]]:
        """The clinic's people, by name."""
        self.gate.require(principal, "members.read")
        with self.reading(principal) as clinic:
            shown = [member.document() for member in clinic.state.members]
        found = [
            held
            for held in shown
            if role in (None, held["role"]) and status in (None, held["status"])
        ]
        return sorted(found, key=lambda held: (held["name"], held["member_id"]))

    def caseloads(self, principal: Principal) -> dict[str, int]:
        """How many open plans each member treats, by their id: as their therapist, or by assignment."""
        self.gate.require(principal, "members.read")
        assigned = [
            (member_id, plan_id)
            for member_id, held in self.gate.rosters(principal.clinic_id).members.items()
            for plan_id in held.caseload
        ]

        def read(conn: BoundedConnection) -> list[TupleRow]:
            members, plans = zip(*assigned, strict=True) if assigned else ((), ())
            given = [[*members], [*plans], principal.clinic_id, list(CLOSED)]
            return conn.execute(_CASELOADS, given).fetchall()

        return {str(row[0]): row[1] for row in self.database.in_clinic(principal.clinic_id, read)}

    @contextlib.contextmanager
    def reading(self, principal: Principal) -> Iterator[Clinic]:
        """The principal's clinic as it is recorded now; an empty one before its founding."""
        with self.reading_clinic(principal.clinic_id) as clinic:
            yield clinic

    @contextlib.contextmanager
    def reading_clinic(self, clinic_id: UUID) -> Iterator[Clinic]:
        """A clinic, for a use case that has seen to it that it may be read."""
        with contextlib.ExitStack() as stack:
            try:
                clinic = stack.enter_context(self.recording.plans.reading(clinic_id, clinic_id))
            except PlanNotFoundError:
                clinic = Clinic.new(clinic_id)
            assert isinstance(clinic, Clinic)
            yield clinic

    def _unfounded(self, principal: Principal) -> dict[str, Any]:
        fresh = Clinic.new(principal.clinic_id).state.document()
        fresh["name"] = self._name(principal.clinic_id)
        return {"clinic_id": str(principal.clinic_id), "version": 0, "position": 0, **fresh}
