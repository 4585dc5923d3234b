"""What is left of an entry when its client was erased: that it was there, its number and its kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from domain.entry import TOPICS, Author, Entry, EntryData
from domain.errors import UnknownEntryTypeError

if TYPE_CHECKING:
    from domain.state import PlanState

NOBODY = Author(member_id="00000000-0000-0000-0000-000000000000", name="(erased)", role="erased")
"""Who recorded it was among what is gone."""


@dataclass(frozen=True, kw_only=True)
class Erased(EntryData):
    """Data whose words are gone. It changes nothing and refers to nothing; nobody can record it."""

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return "What was recorded here has been erased."


@cache
def _erased(topic: str) -> Erased:
    """The data of an erased entry: of the name, topic and chapter it had."""
    cls = TOPICS.get(topic)
    if cls is None:
        raise UnknownEntryTypeError(f"Stored topic “{topic[:80]}” is not in the registry.")
    kind = type(cls.__name__, (Erased,), {"TOPIC": topic, "__module__": cls.__module__})
    made: Erased = kind()
    return made


def erased_entry(topic: str, *, timestamp: datetime, **columns: Any) -> Entry:
    """The entry of a row whose state nobody can open any more; ``columns`` are the facts beside it.

    Raises UnknownEntryTypeError for a topic outside the closed registry.
    """
    return Entry(
        data=_erased(topic),
        timestamp=timestamp,
        occurred_at=timestamp,
        dated=False,
        recorded_by=NOBODY,
        **columns,
    )
