"""How a replay speaks: to those who treat, and to the client whose plan it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from api.pages import own_words, words


@dataclass(frozen=True, slots=True)
class Wording:
    """The names of turning points, levels and things, and how something stands."""

    marks: Mapping[str, str] = field(default_factory=lambda: words.MARKS)
    levels: Mapping[str, str] = field(default_factory=lambda: words.LEVELS)
    things: Mapping[str, str] = field(default_factory=lambda: words.THINGS)
    above: Mapping[str, str] = field(default_factory=lambda: words.ABOVE)
    statuses: Mapping[str, str] = field(default_factory=dict)
    obligations: Mapping[str, str] = field(default_factory=dict)
    own: bool = False
    """Whether it speaks to the client."""

    def status(self, status: str) -> str:
        """How something stands."""
        return self.statuses.get(status) or words.label(status)

    def owed(self, kind: str) -> str:
        """Something the plan needs."""
        return self.obligations.get(kind) or words.label(kind)


FOR_STAFF = Wording()
FOR_CLIENTS = Wording(
    marks=own_words.MARKS,
    levels=own_words.LEVELS,
    things=words.THINGS.but(own_words.THINGS),
    above=own_words.ABOVE,
    statuses=own_words.STATUS,
    obligations=own_words.OWED,
    own=True,
)


def wording_for(role: str) -> Wording:
    """How the pages speak to somebody of that role."""
    return FOR_CLIENTS if role == "client" else FOR_STAFF
