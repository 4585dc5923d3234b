"""Who somebody is: by the service's own tokens, by JWTs of one configured issuer, by signing in there."""

from service.identity.brake import Brake
from service.identity.configured import configured, signing_in
from service.identity.identity import Identity
from service.identity.issuer import Issuer, IssuerRules, member_id_of
from service.identity.keys import KeyRing

__all__ = [
    "Brake",
    "Identity",
    "Issuer",
    "IssuerRules",
    "KeyRing",
    "configured",
    "member_id_of",
    "signing_in",
]
