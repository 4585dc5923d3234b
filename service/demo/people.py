"""The people of the demo clinic, all made up: first names are trees, last names are birds."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import NAMESPACE_DNS, uuid5

DEMO = uuid5(NAMESPACE_DNS, "demo.plan-history.org")
"""The namespace from which every id of the demo is made, so that each is the same on every load."""


def name_id(*names: str) -> str:
    """The id that readable names stand for, e.g. ``name_id("panic", "goal-attacks")``."""
    return str(uuid5(DEMO, "/".join(names)))


@dataclass(frozen=True, kw_only=True)
class Person:
    """Someone with an account in the clinic.

    ``supervised_by``: the key of a trainee's supervisor; ``client_of``: the key of a client's plan.
    """

    name: str
    role: str
    credential: str | None
    member_id: str
    supervised_by: str | None = None
    client_of: str | None = None


PEOPLE: dict[str, Person] = {
    "alder": Person(
        name="Alder Finch",
        role="clinician",
        credential="Licensed psychotherapist",
        member_id=name_id("people", "alder"),
    ),
    "hazel": Person(
        name="Hazel Wren",
        role="clinician",
        credential="Psychotherapist in training",
        member_id=name_id("people", "hazel"),
        supervised_by="rowan",
    ),
    "rowan": Person(
        name="Rowan Heron",
        role="supervisor",
        credential="Licensed psychotherapist, supervisor",
        member_id=name_id("people", "rowan"),
    ),
    "maple": Person(
        name="Maple Sparrow",
        role="client",
        credential=None,
        member_id=name_id("people", "maple"),
        client_of="panic",
    ),
    "linden": Person(
        name="Linden Owl",
        role="auditor",
        credential="Clinical records auditor",
        member_id=name_id("people", "linden"),
    ),
    "birch": Person(
        name="Birch Magpie",
        role="admin",
        credential=None,
        member_id=name_id("people", "birch"),
    ),
    "juniper": Person(
        name="Juniper Crane",
        role="privacy_officer",
        credential="Data protection officer",
        member_id=name_id("people", "juniper"),
    ),
    "elder": Person(
        name="Elder Robin",
        role="privacy_officer",
        credential="Deputy data protection officer",
        member_id=name_id("people", "elder"),
    ),
    "tablet": Person(
        name="Waiting-room questionnaires",
        role="integration",
        credential=None,
        member_id=name_id("people", "tablet"),
    ),
}


def member_id(key: str) -> str:
    """The member id of the person called ``key``."""
    return PEOPLE[key].member_id
