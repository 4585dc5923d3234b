"""Who approves a type of entry when somebody proposes it: declared on the entry's class."""

from __future__ import annotations

from dataclasses import dataclass

_IN_WORDS = {2: "two", 3: "three"}


@dataclass(frozen=True, kw_only=True)
class Approval:
    """``people`` of the roles ``by`` stand behind such an entry before it is recorded.

    Whoever proposes it counts if they are one of them, but never alone: at least one other approves.
    ``always``: it comes about by an approved proposal and in no other way; otherwise only where the
    clinic wants two people for its changes (``Policy.two_people``).
    """

    by: tuple[str, ...]
    people: int = 1
    always: bool = False

    @property
    def words(self) -> str:
        """Who approves it, for people: ``a privacy officer or an admin``, ``two privacy officers``."""
        roles = [role.replace("_", " ") for role in self.by]
        if self.people == 1:
            return " or ".join(f"{'an' if role[0] in 'aeiou' else 'a'} {role}" for role in roles)
        count = _IN_WORDS.get(self.people, str(self.people))
        return f"{count} {' or '.join(f'{role}s' for role in roles)}"


ANOTHER_PERSON = Approval(by=("privacy_officer", "admin"))
"""What an admin changes: somebody else of those who answer for the clinic's order approves it."""
TWO_OFFICERS = Approval(by=("privacy_officer",), people=2, always=True)
"""What cannot be undone for a client, or takes a protection away: two privacy officers, always."""
