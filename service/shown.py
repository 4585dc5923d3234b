"""What was told, ready to be told again: kept for a while, and used only while it holds.

What belongs to a past moment holds for ever. For all else whoever looks asks, in the very round trip that
keeps their look, whether it is still what is recorded. The gate has decided before, each time, who sees
what; views are kept apart. What was told of a plan that is erased is let go at once.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from service.access import Gate, Principal, Sight, Still
from service.kept import Kept

SIZE, MOST = 2_000, 4 * 1024 * 1024
"""How many answers a process keeps at most, and of how many characters altogether."""
What = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Ready:
    """An answer of so many characters; ``version``: of the plan. ``still``: while what holds (None: always)."""

    answer: Any
    size: int
    version: int | None = None
    still: Still | None = None


class Shown:
    """Answers by plan (or clinic), view and what they tell."""

    def __init__(self, gate: Gate, most: int = MOST) -> None:
        self.gate = gate
        self._kept: Kept[tuple[UUID, UUID, str, What], Ready] = Kept(
            SIZE, most=most, weigh=lambda ready: ready.size
        )
        gate.forgetting.append(self.forget)

    def put(self, clinic_id: UUID, about: UUID, sight: Sight, what: What, ready: Ready) -> None:
        """Keep an answer about a plan (or the clinic) in place of the one before.

        Not about a plan that was erased while the answer was made.
        """
        if about in self.gate.rosters(clinic_id).erased:
            return
        self._kept.put((clinic_id, about, sight.view, what), ready)

    def get(self, clinic_id: UUID, about: UUID, sight: Sight, what: What) -> Ready | None:
        """An answer that always holds; that somebody looks at it is for the caller to keep."""
        ready = self._kept.get((clinic_id, about, sight.view, what))
        return ready if ready is not None and ready.still is None else None

    def look(
        self,
        principal: Principal,
        plan_id: UUID | None,
        sight: Sight,
        what: What,
        *,
        asked: str | None = None,
        version: bool = False,
    ) -> Ready | None:
        """An answer that holds now, once it is kept that the principal looked at it.

        None, and no look is kept, where there is none. Without a plan it is about the clinic;
        ``version``: whether the look tells the version.
        """
        key = (principal.clinic_id, plan_id or principal.clinic_id, sight.view, what)
        ready = self._kept.get(key)
        if ready is None or ready.still is None:
            return None
        seen = ready.version if version else None
        holds = self.gate.looked_while(
            principal, sight, plan_id, ready.still, version=seen, asked=asked
        )
        return ready if holds else None

    def forget(self, clinic_id: UUID, plan_id: UUID) -> None:
        """Keep nothing about a plan that was erased, nor lists it may stand in."""
        gone = (plan_id, clinic_id)
        self._kept.drop_where(lambda key: key[0] == clinic_id and key[1] in gone)
