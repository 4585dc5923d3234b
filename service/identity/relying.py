"""The authorization code flow with PKCE: off to the clinic's issuer, and back with who somebody is."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from authlib.common.errors import AuthlibBaseError
from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Client

from service.errors import (
    NotSignedInError,
    SignInDeclinedError,
    SignInLapsedError,
    SignInRefusedError,
    SignInUnavailableError,
)
from service.identity.discovery import Announced, Discovery
from service.identity.issuer import whom
from service.identity.sources import Answer, ask, in_time
from service.identity.trip import Trip
from service.identity.vouching import IdTokens

log = logging.getLogger("plan_history.identity")
PATIENCE = 5.0
"""Seconds a code may take to be redeemed."""
DECLINED = frozenset(
    {"access_denied", "consent_required", "interaction_required", "login_required"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who this service is to the issuer. ``secret``: None for a public client.

    ``prompt``: what the issuer is to ask of whoever comes, empty for what it likes.
    """

    client_id: str
    secret: str | None = None
    scope: str = "openid"
    prompt: str = "login"


@dataclass(frozen=True, slots=True)
class Vouched:
    """Who the issuer says somebody is, ``once``; whether they are a member is for the clinic's log to say."""

    clinic_id: UUID
    member_id: UUID
    subject: str
    trip: Trip


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """This service as a client of the issuer. ``back``: where the issuer sends people back to."""

    client: Client
    discovery: Discovery
    id_tokens: IdTokens
    clock: Callable[[], datetime]

    def depart(self, back: str, wanted: str | None) -> tuple[str, Trip]:
        """Where to send somebody, and what their browser is to keep; raises SignInUnavailableError."""
        trip = Trip.beginning(self.clock().timestamp(), wanted)
        found = self.discovery()
        address, _ = self._oauth(found, back).create_authorization_url(
            found.authorization_endpoint,
            state=trip.state,
            code_verifier=trip.verifier,
            nonce=trip.nonce,
            prompt=self.client.prompt or None,
        )
        return str(address), trip

    def arrive(self, kept: str | None, said: Mapping[str, str], back: str) -> Vouched:
        """Who came back; ``said``: what the issuer's answer says, ``kept``: what the browser kept.

        Raises a SignInFailedError, or SignInUnavailableError when the issuer does not answer.
        """
        trip = self._answered(kept, said)
        found = self.discovery()
        self._refuse_another_issuer(found, said)
        self._refuse_errors(said)
        given = self._redeemed(found, trip, said.get("code", ""), back)
        claims = self.id_tokens.claims(
            _text(given, "id_token"),
            nonce=trip.nonce,
            access_token=_text(given, "access_token"),
            since=trip.begun,
        )
        try:
            clinic_id, member_id = whom(self.id_tokens.rules, claims)
        except NotSignedInError as wrong:
            raise SignInRefusedError(wrong.detail) from wrong
        return Vouched(clinic_id, member_id, claims[self.id_tokens.rules.member_claim], trip)

    def farewell(self, back: str) -> str | None:
        """Where one signs out at the issuer, too; None when it has no such place."""
        place = self.discovery().end_session_endpoint
        said = {"client_id": self.client.client_id, "post_logout_redirect_uri": back}
        return str(add_params_to_uri(place, said)) if place else None

    def _answered(self, kept: str | None, said: Mapping[str, str]) -> Trip:
        """The trip that the issuer's answer belongs to."""
        trip = Trip.of(kept)
        if trip is None or trip.is_over(self.clock().timestamp()):
            raise SignInLapsedError(
                "It was used already, was begun in another window, or took more than ten minutes."
            )
        if not trip.is_answered_by(said.get("state")):
            raise SignInRefusedError("The answer belongs to another sign-in (state).")
        return trip

    def _refuse_another_issuer(self, found: Announced, said: Mapping[str, str]) -> None:
        named = said.get("iss")
        if named != self.discovery.issuer and (named is not None or found.names_itself):
            raise SignInRefusedError("The answer comes from another issuer (iss).")

    def _refuse_errors(self, said: Mapping[str, str]) -> None:
        if said.get("error") in DECLINED:
            raise SignInDeclinedError("Nothing has happened; begin again whenever you like.")
        if said.get("error") in ("temporarily_unavailable", "server_error"):
            raise SignInUnavailableError(
                "Your clinic's sign-in says that it cannot help just now. Try again in a moment."
            )
        if "error" in said or not 0 < len(said.get("code", "")) <= 4000:
            raise SignInRefusedError("The clinic's sign-in gave no code.")

    def _redeemed(self, found: Announced, trip: Trip, code: str, back: str) -> Mapping[str, Any]:
        """What the issuer gives for a code."""
        oauth = self._oauth(found, back)
        place, verifier = found.token_endpoint, trip.verifier
        try:
            given: Mapping[str, Any] = in_time(
                lambda: oauth.fetch_token(
                    place, grant_type="authorization_code", code=code, code_verifier=verifier
                ),
                PATIENCE,
            )
        except AuthlibBaseError as refused:
            raise _not_redeemed(str(refused.error)) from refused
        except (OSError, ValueError) as failed:
            log.warning("no code can be redeemed: %s", type(failed).__name__)
            raise SignInUnavailableError(
                "Your clinic's sign-in does not answer just now. Begin again in a moment."
            ) from failed
        return given

    def _oauth(self, found: Announced, back: str) -> OAuth2Client:
        return OAuth2Client(
            _Wire(),
            self.client.client_id,
            self.client.secret,
            token_endpoint_auth_method=found.secret_by if self.client.secret else "none",
            scope=self.client.scope,
            redirect_uri=back,
            code_challenge_method="S256",
        )


class _Wire:
    """What Authlib sends through: one POST, bounded, that follows no redirect."""

    def post(self, url: str, *, data: Mapping[str, str], headers: Any, auth: Any) -> _Reply:
        """The issuer's answer."""
        body = urlencode(data)
        url, headers, body = auth.prepare("POST", url, dict(headers), body)
        return _Reply(ask(url, body.encode(), headers, PATIENCE))


@dataclass(frozen=True, slots=True)
class _Reply:
    """The answer in the shape that Authlib reads."""

    answer: Answer

    @property
    def status_code(self) -> int:
        """Its status."""
        return self.answer.status

    def raise_for_status(self) -> None:
        """Raises OSError unless it is a good one."""
        if self.answer.status != 200:
            raise OSError(f"status {self.answer.status}")

    def json(self) -> Any:
        """What of it is used, as far as it is text."""
        said = json.loads(self.answer.raw)
        if not isinstance(said, dict):
            return None
        names = ("access_token", "error", "id_token", "token_type")
        return {name: said[name] for name in names if isinstance(said.get(name), str)}


def _text(given: Mapping[str, Any], name: str) -> str:
    held = given.get(name)
    if not isinstance(held, str) or not held:
        raise SignInRefusedError(f"The clinic's sign-in gave no {name}.")
    return held


def _not_redeemed(error: str) -> Exception:
    """Why the issuer gave nothing for a code, by its word for it."""
    if error in ("invalid_client", "unauthorized_client"):
        log.error("the issuer does not know this client, or not its secret: %s", error)
        return SignInUnavailableError(
            "Your clinic's sign-in does not know this service. Tell your administrator."
        )
    return SignInRefusedError("The clinic's sign-in did not redeem its code.")
