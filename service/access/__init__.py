"""Who may do what, by which relation, and the record of every look: default deny, deny wins."""

from domain.people import ROLES
from service.access.gate import Gate, Sight
from service.access.looks import AccessLog, Asked, Look, Still
from service.access.principal import Origin, Principal, origin, said_from, stranger
from service.access.roster import Roster, Rosters
from service.access.table import ACCESS, RELATIONS, STRANGER, VIEWS

__all__ = [
    "ACCESS",
    "RELATIONS",
    "ROLES",
    "STRANGER",
    "VIEWS",
    "AccessLog",
    "Asked",
    "Gate",
    "Look",
    "Origin",
    "Principal",
    "Roster",
    "Rosters",
    "Sight",
    "Still",
    "origin",
    "said_from",
    "stranger",
]
