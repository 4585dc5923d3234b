"""Who may do what: one table. Default deny; an action that is not in the table is nobody's."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.clinic import ROLES
from domain.entry import Author
from service.errors import NotAllowedError

__all__ = ["ACCESS", "ROLES", "Principal"]

READERS = frozenset({"clinician", "supervisor", "auditor"})
WRITERS = frozenset({"clinician", "supervisor"})
EVERYONE = frozenset(ROLES)

ACCESS: dict[str, frozenset[str]] = {
    "plans.open": WRITERS,
    "plans.record": WRITERS,
    "plans.read": READERS,
    "plans.find": READERS,
    "plans.timeline": READERS,
    "clinic.timeline": READERS,
    "clinic.read": frozenset({"clinician", "supervisor", "auditor", "admin", "privacy_officer"}),
    "clinic.record": frozenset({"admin"}),
    "clinic.history": frozenset({"auditor", "admin", "privacy_officer"}),
    "members.read": frozenset({"clinician", "supervisor", "auditor", "admin", "privacy_officer"}),
    "worklist.read": frozenset({"clinician", "supervisor"}),
    "figures.read": frozenset({"supervisor", "auditor", "admin"}),
    "entry-types.read": EVERYONE,
    "me.read": EVERYONE,
}
"""Action → the roles that have it. Relations (own caseload, team, self) narrow it further."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: a member of one clinic, signed in by a token."""

    clinic_id: UUID
    member_id: UUID
    name: str
    role: str
    credential: str | None
    token_id: UUID

    @property
    def author(self) -> Author:
        """Them as the author of an entry."""
        return Author(
            member_id=str(self.member_id),
            name=self.name,
            role=self.role,
            credential=self.credential,
        )

    def may(self, action: str) -> bool:
        """Whether their role has the action."""
        return self.role in ACCESS.get(action, frozenset())

    def require(self, action: str) -> None:
        """Refuse with NotAllowedError unless their role has the action."""
        if not self.may(action):
            raise NotAllowedError(f"The role {self.role} does not include {action}.", action=action)
