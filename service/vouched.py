"""Signing in to the pages at the clinic's issuer: who they are is its word, whether they belong the log's."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from service.access import Principal, Rosters, stranger
from service.door import Door
from service.errors import (
    NoMemberError,
    NotAMemberError,
    SignInFailedError,
    SignInLapsedError,
)
from service.identity import Brake
from service.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.identity.relying import RelyingParty, Vouched

log = logging.getLogger("plan_history.security")
HOW = "oidc"


@dataclass(frozen=True, slots=True)
class VouchedSignIn:
    """Sends people to the clinic's issuer, and begins sessions for those who come back as members."""

    party: RelyingParty
    sessions: Sessions
    rosters: Rosters
    door: Door
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
        self.door.came_in(who, HOW)
        return secret

    def _member(self, vouched: Vouched) -> Principal:
        """Them as the clinic's log knows them now; raises NotAMemberError, and keeps the attempt."""
        who = stranger(vouched.clinic_id, vouched.member_id, uuid4())
        try:
            return self.rosters(who.clinic_id).member(
                who, f"Your sign-in calls you {vouched.subject}; no member is called that."
            )
        except NoMemberError as refused:
            self.door.turned_away(refused.who, HOW)
            raise NotAMemberError(refused.detail) from refused
