"""What was recorded since the version a writer saw: told as far as they may read it, and kept as a look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.entry import Entry
from domain.history import History
from domain.plan import Plan
from domain.release import held_back
from service.access import Gate, Principal, Sight
from service.access.table import METADATA, RELEASED

MOST = 50
"""Entries that a refusal tells; the newest ones."""
_READING = "plans.timeline"


@dataclass(frozen=True, slots=True)
class Newer:
    """Tells a writer what they had not seen; nothing of what they may not read."""

    gate: Gate

    def __call__(self, principal: Principal, history: History, seen: int) -> list[dict[str, Any]]:
        """The entries after version ``seen`` as the principal reads them in the timeline, oldest first.

        None of a history they may record in but not read.
        """
        if not isinstance(history, Plan):
            whole = principal.grant("clinic.history") is not None
            return (
                [_told(held, history) for held in history.entries[seen:][-MOST:]] if whole else []
            )
        relation = self.gate.relation(principal, _READING, history.id)
        if relation is None:
            return []
        sight = Sight(_READING, relation, (principal.grant(_READING) or {})[relation])
        told = [_told(held, history, sight) for held in _within(history, sight, seen)[-MOST:]]
        self.gate.looked(
            principal, sight, history.id, version=history.version, asked="newer entries"
        )
        return told


def _within(plan: Plan, sight: Sight, seen: int) -> Sequence[Entry]:
    back = held_back(plan.entries) if sight.view == RELEASED else ()
    return [held for held in plan.entries[seen:] if held.entry_id not in back]


def _told(entry: Entry, history: History, sight: Sight | None = None) -> dict[str, Any]:
    told = {
        "version": entry.version,
        "type": entry.type,
        "recorded_at": entry.recorded_at,
        "recorded_by": entry.recorded_by.name,
    }
    if sight is None or sight.view != METADATA:
        told["sentence"] = entry.data.tell(history.state)
    return told
