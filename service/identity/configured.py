"""The issuer that the settings name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from service.identity.issuer import Issuer, IssuerRules
from service.identity.keys import KINDS, KeyRing
from service.identity.sources import source
from service.settings import Settings


def rules_of(held: Settings) -> IssuerRules | None:
    """What a JWT must say here, or None when no issuer is set.

    Raises ValueError, naming the setting, for one that is missing or not to be trusted.
    """
    if held.oidc_issuer is None:
        return None
    if held.oidc_audience is None or held.oidc_jwks is None:
        raise ValueError(
            "With PLAN_HISTORY_OIDC_ISSUER set PLAN_HISTORY_OIDC_AUDIENCE and PLAN_HISTORY_OIDC_JWKS too."
        )
    algorithms = frozenset(held.oidc_algorithms)
    if not algorithms or not algorithms <= KINDS.keys():
        raise ValueError(f"PLAN_HISTORY_OIDC_ALGORITHMS: choose from {', '.join(KINDS)}.")
    return IssuerRules(
        issuer=held.oidc_issuer,
        audience=held.oidc_audience,
        algorithms=algorithms,
        types=frozenset(name.lower() for name in held.oidc_types),
        clinic_claim=held.oidc_clinic_claim,
        member_claim=held.oidc_member_claim,
    )


def configured(held: Settings, clock: Callable[[], datetime]) -> Issuer | None:
    """The issuer, or None when none is set; raises ValueError as ``rules_of``."""
    rules = rules_of(held)
    if rules is None:
        return None
    try:
        load = source(held.oidc_jwks or "")
    except ValueError as wrong:
        raise ValueError(f"PLAN_HISTORY_OIDC_JWKS: {wrong}") from wrong
    return Issuer(rules, KeyRing(load), clock)
