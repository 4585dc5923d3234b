"""The issuer that the settings name: for bearer tokens, for signing in to the pages, or for both."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from service.errors import IssuerUnavailableError
from service.identity.discovery import Discovery
from service.identity.issuer import Issuer, IssuerRules
from service.identity.keys import KINDS, KeyRing
from service.identity.sources import ask, keys_in, source, trusted
from service.settings import Settings

if TYPE_CHECKING:
    from service.identity.relying import RelyingParty


def check(held: Settings) -> None:
    """Raise ValueError, naming the setting, for one that is missing or not to be trusted."""
    algorithms = frozenset(held.oidc_algorithms)
    if not algorithms or not algorithms <= KINDS.keys():
        raise ValueError(
            f"PLAN_HISTORY_OIDC_ALGORITHMS: choose from {', '.join(KINDS)}, or unset it for RS256,ES256."
        )
    if held.oidc_issuer is None:
        _check_alone(held)
        return
    if held.oidc_audience is None and held.oidc_client_id is None:
        raise ValueError(
            "With PLAN_HISTORY_OIDC_ISSUER set PLAN_HISTORY_OIDC_AUDIENCE and PLAN_HISTORY_OIDC_JWKS too "
            "(its JWTs are bearer tokens then), or PLAN_HISTORY_OIDC_CLIENT_ID (people sign in there)."
        )
    if held.oidc_audience is not None and held.oidc_jwks is None:
        raise ValueError("With PLAN_HISTORY_OIDC_AUDIENCE set PLAN_HISTORY_OIDC_JWKS too.")
    if held.oidc_client_id is not None:
        _check_signing_in(held, held.oidc_issuer)


def _check_alone(held: Settings) -> None:
    """Without an issuer, what is said of one would have no effect."""
    said = {
        "CLIENT_ID": held.oidc_client_id,
        "AUDIENCE": held.oidc_audience,
        "JWKS": held.oidc_jwks,
    }
    for name, value in said.items():
        if value is not None:
            raise ValueError(
                f"With PLAN_HISTORY_OIDC_{name} set PLAN_HISTORY_OIDC_ISSUER too, or unset it: then "
                "nobody signs in at an issuer."
            )


def _check_signing_in(held: Settings, issuer: str) -> None:
    try:
        trusted(issuer)
    except ValueError as wrong:
        raise ValueError(f"PLAN_HISTORY_OIDC_ISSUER: {wrong}") from wrong
    if "openid" not in held.oidc_scope.split():
        raise ValueError("PLAN_HISTORY_OIDC_SCOPE: must hold openid.")
    if importlib.util.find_spec("authlib") is None:
        raise ValueError(
            "PLAN_HISTORY_OIDC_CLIENT_ID is set, but Authlib is not installed: "
            "pip install 'plan-history[oidc]', or unset it."
        )


def configured(held: Settings, clock: Callable[[], datetime]) -> Issuer | None:
    """The issuer whose JWTs are bearer tokens, or None when there is none; raises as ``check``."""
    check(held)
    if held.oidc_issuer is None or held.oidc_audience is None:
        return None
    return Issuer(_rules(held, held.oidc_issuer, held.oidc_audience), KeyRing(_keys(held)), clock)


def signing_in(
    held: Settings, clock: Callable[[], datetime], issuer: Issuer | None
) -> RelyingParty | None:
    """This service as a client of the issuer, or None when nobody signs in there; raises as ``check``.

    ``issuer``: the one whose JWTs are bearer tokens; its keys are used.
    """
    check(held)
    if held.oidc_issuer is None or held.oidc_client_id is None:
        return None
    # Authlib is there only if it is needed.
    from service.identity.relying import Client, RelyingParty  # noqa: PLC0415 - as above
    from service.identity.vouching import IdTokens  # noqa: PLC0415 - as above

    discovery = Discovery(held.oidc_issuer)
    keys = issuer.keys if issuer else KeyRing(_keys(held, discovery))
    rules = _rules(held, held.oidc_issuer, held.oidc_client_id)
    client = Client(
        client_id=held.oidc_client_id,
        secret=held.oidc_client_secret,
        scope=held.oidc_scope,
        prompt=held.oidc_prompt,
    )
    id_tokens = IdTokens(rules, keys, clock, asked="login" in held.oidc_prompt.split())
    return RelyingParty(client, discovery, id_tokens, clock)


def _rules(held: Settings, issuer: str, audience: str) -> IssuerRules:
    return IssuerRules(
        issuer=issuer,
        audience=audience,
        algorithms=frozenset(held.oidc_algorithms),
        types=frozenset(name.lower() for name in held.oidc_types),
        clinic_claim=held.oidc_clinic_claim,
        member_claim=held.oidc_member_claim,
    )


def _keys(held: Settings, discovery: Discovery | None = None) -> Callable[[], Sequence[object]]:
    """What loads the issuer's keys: from where the settings say, or else from where it says itself."""
    if held.oidc_jwks is None and discovery is not None:
        return lambda: _published(discovery)
    try:
        return source(held.oidc_jwks or "")
    except ValueError as wrong:
        raise ValueError(f"PLAN_HISTORY_OIDC_JWKS: {wrong}") from wrong


def _published(discovery: Discovery) -> Sequence[object]:
    try:
        return keys_in(ask(discovery().jwks_uri).document())
    except IssuerUnavailableError as away:
        raise OSError("the issuer does not say where its keys are") from away
