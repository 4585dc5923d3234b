"""Who is asking, and from where."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

from domain.entry import Author
from service.access.table import ACCESS, Grant
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

    def require(self, action: str) -> None:
        """Refuse with NotAllowedError unless their role has the action."""
        if not self.may(action):
            raise NotAllowedError(f"The role {self.role} does not include {action}.", action=action)


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
