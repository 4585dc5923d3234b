"""Who a bearer token stands for: the service's own tokens, and JWTs of one configured issuer."""

from service.identity.brake import Brake
from service.identity.configured import configured
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
]
