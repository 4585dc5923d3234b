"""Signing in to the pages at the clinic's issuer: who they are is its word, whether they belong the log's."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from psycopg.rows import TupleRow

from domain.clinic import Member
from service.access import STRANGER, Gate, Look, Principal
from service.database import BoundedConnection
from service.errors import (
    NotAMemberError,
    NotSignedInError,
    SignInFailedError,
    SignInLapsedError,
)
from service.identity import Brake
from service.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.identity.relying import RelyingParty, Vouched

log = logging.getLogger("plan_history.security")
ACTION, HOW = "sign-in", "oidc"


@dataclass(frozen=True, slots=True)
class VouchedSignIn:
    """Sends people to the clinic's issuer, and begins sessions for those who come back as members."""

    party: RelyingParty
    sessions: Sessions
    gate: Gate
    brake: Brake

    def depart(self, back: str, wanted: str | None, address: str | None) -> tuple[str, str]:
        """Where to send somebody, and what their browser is to keep until they are ``back``.

        Raises SignInUnavailableError, and QuotaExceededError after too many failures from the address.
        """
        self.brake.refuse(address)
        place, trip = self.party.depart(back, wanted)
        return place, trip.kept

    def arrive(
        self, kept: str | None, said: Mapping[str, str], back: str, address: str | None
    ) -> tuple[str, str]:
        """A new session's secret for who came back, and where they wanted to go ('' for nowhere).

        Raises a SignInFailedError saying why there is none, SignInUnavailableError, and
        QuotaExceededError as ``depart``.
        """
        self.brake.refuse(address)
        try:
            vouched = self.party.arrive(kept, said, back)
            return self._begin(vouched), vouched.trip.wanted
        except SignInFailedError as failed:
            if failed.suspicious:
                self.brake.failed(address)
                log.warning("sign-in refused: %s", failed.title)
            raise

    def farewell(self, back: str) -> str | None:
        """Where one signs out at the issuer, too; None when it has no such place."""
        return self.party.farewell(back)

    def _begin(self, vouched: Vouched) -> str:
        who = self._member(vouched)
        issuer = self.party.discovery.issuer
        secret = self.sessions.vouched(who, issuer, vouched.trip.once)
        if secret is None:
            raise SignInLapsedError("It was used already. If that was you, just go on.")
        why = Look(action=ACTION, asked=HOW, why="clinic", view="full")
        self.gate.log.note(who, why)
        return secret

    def _member(self, vouched: Vouched) -> Principal:
        """Them as the clinic's log knows them now; raises NotAMemberError, and keeps the attempt."""
        roster = self.gate.rosters(vouched.clinic_id)
        known = roster.members.get(vouched.member_id)
        who = _principal(vouched, known)
        try:
            if known is None:
                raise NotAMemberError(f"It has no member who is {vouched.subject} there.")
            return roster.present(who)
        except NotSignedInError as refused:
            if self._is_a_clinic(who.clinic_id):
                self.gate.log.note(who, Look(action=ACTION, asked=HOW, allowed=False))
            raise NotAMemberError(refused.detail) from refused

    def _is_a_clinic(self, clinic_id: UUID) -> bool:
        def read(conn: BoundedConnection) -> TupleRow | None:
            return conn.execute(
                "SELECT 1 FROM clinics WHERE clinic_id = %s", [clinic_id]
            ).fetchone()

        return self.gate.database.in_clinic(clinic_id, read) is not None


def _principal(vouched: Vouched, known: Member | None) -> Principal:
    name, role, credential = (
        (known.name, known.role, known.credential) if known else ("unknown", STRANGER, None)
    )
    return Principal(vouched.clinic_id, vouched.member_id, name, role, credential, uuid4())
