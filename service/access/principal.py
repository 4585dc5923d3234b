"""Who is asking, and from where."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

from domain.entry import Author
from service.access.table import ACCESS, OWN_ACTIONS, STRANGER, Grant
from service.errors import NotAllowedError


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: a member of one clinic, signed in by a token.

    ``scopes``: the entry types an integration's token was granted to record.
    """

    clinic_id: UUID
    member_id: UUID
    name: str
    role: str
    credential: str | None
    token_id: UUID
    scopes: frozenset[str] = frozenset()

    @property
    def author(self) -> Author:
        """Them as the author of an entry."""
        return Author(
            member_id=str(self.member_id),
            name=self.name,
            role=self.role,
            credential=self.credential,
        )

    def grant(self, action: str) -> Grant | None:
        """By which relations their role has the action, or None."""
        return ACCESS.get(action, {}).get(self.role)

    def may(self, action: str) -> bool:
        """Whether their role has the action by any relation."""
        return self.grant(action) is not None

    def sees_own_actions(self, action: str) -> bool:
        """Whether by that action their role sees what they did themselves, and no more."""
        return self.role in OWN_ACTIONS.get(action, ())

    def require(self, action: str) -> None:
        """Refuse with NotAllowedError unless their role has the action."""
        if not self.may(action):
            raise NotAllowedError(f"The role {self.role} does not include {action}.", action=action)


def stranger(
    clinic_id: UUID, member_id: UUID, token_id: UUID, scopes: frozenset[str] = frozenset()
) -> Principal:
    """Somebody by what an issuer says of them; name and role are for the clinic's log to say."""
    return Principal(clinic_id, member_id, "unknown", STRANGER, None, token_id, scopes)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from: its address and id, for the access log."""

    address: str | None = None
    request_id: str | None = None


_origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 - it is frozen


def said_from(held: Origin) -> None:
    """What is looked at from here on is looked at from there."""
    _origin.set(held)


def origin() -> Origin:
    """Where the request at hand came from."""
    return _origin.get()
