"""Legal holds: whose records are kept although they could be erased."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.approval import TWO_OFFICERS
from domain.entry import Entry, EntryData, recorded
from domain.errors import TransitionError
from domain.fields import Opaque, Text
from domain.parts import Part


@dataclass(slots=True, kw_only=True)
class Hold(Part):
    """A legal hold: nothing about this client may be erased."""

    client_ref: str
    since: datetime
    why: str | None


@recorded("clinic.legal-hold-placed")
class LegalHoldPlaced(EntryData):
    """Nothing about a client may be erased until the hold is lifted."""

    WHY = True
    AMENDED_WITH = TWO_OFFICERS  # who takes it back lifts it

    client_ref: Opaque

    def decide(self, plan: Any, entry: Entry) -> None:
        """Once."""
        if self.client_ref in plan.legal_holds:
            raise TransitionError("There is a hold on that client already.", "/data/client_ref")

    def apply(self, plan: Any, entry: Entry) -> None:
        """The hold is in force."""
        why: Text | None = entry.reason.text if entry.reason else None
        held = Hold(client_ref=self.client_ref, since=entry.occurred_at, why=why)
        plan.legal_holds.add(self.client_ref, held, entry)

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        return "A legal hold was placed on a client's records."


@recorded("clinic.legal-hold-lifted")
class LegalHoldLifted(EntryData):
    """A legal hold is over."""

    WHY = True
    APPROVAL = TWO_OFFICERS

    client_ref: Opaque

    def decide(self, plan: Any, entry: Entry) -> None:
        """There is one."""
        if self.client_ref not in plan.legal_holds:
            raise TransitionError("There is no hold on that client.", "/data/client_ref")

    def apply(self, plan: Any, entry: Entry) -> None:
        """The hold is gone."""
        plan.legal_holds.remove(self.client_ref, entry)

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        return "A legal hold on a client's records was lifted."
