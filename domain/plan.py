"""The Plan aggregate: one client's treatment plan, from opening to its end."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from domain.entry import TYPES, Entry, as_recorded
from domain.errors import PlanClosedError
from domain.fold import AMENDING
from domain.history import AHEAD, History
from domain.obligations import obligations
from domain.opening import PlanOpened
from domain.policy import DEFAULT_POLICY, Policy
from domain.state import PlanState

__all__ = ["AHEAD", "Plan"]


class Plan(History):
    """One client's treatment plan: its entries in recorded order, and what they add up to."""

    CALLED = "plan"
    FIRST = PlanOpened
    TAKES = TYPES
    fresh = PlanState

    @property
    def state(self) -> PlanState:
        """What all standing entries add up to."""
        state: PlanState = super().state
        return state

    def document(
        self,
        version: int | None = None,
        effective_at: datetime | None = None,
        policy: Policy = DEFAULT_POLICY,
    ) -> dict[str, Any]:
        """The plan at a moment in JSON types, with what it owes and by when."""
        now = version in (None, self.version) and effective_at is None
        state = self.state if now else self.at(version, effective_at)
        head = self.entries[(version or self.version) - 1]
        return {
            "plan_id": str(self.id),
            "version": head.version,
            "position": head.position,
            **state.document(),
            "obligations": [held.document() for held in obligations(state, policy)],
        }

    def content_hash(self, version: int) -> str:
        """SHA-256 (hex) of what was recorded until ``version``: what a signature stands under.

        The entries that stand at that version, corrected, in the order in which they count, as a
        JSON list: for each what its line in an export holds as ``entry_id`` and ``topic``, together
        with all of its ``state``; ``occurred_at`` is ``recorded_at`` where nobody gave it. Of a
        corrected entry ``data``, its format and ``occurred_at`` are those of the correction in use.
        Sorted keys, no spaces, UTF-8. No sentence or derived fact is in it, so other words for the
        same entries leave it as it was.
        """
        order = self.settled_at(version).order
        content = [as_recorded(entry) for entry in order if not isinstance(entry.data, AMENDING)]
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def _refuse_by_status(self, entry: Entry, before: PlanState) -> None:
        status = before.lifecycle.status
        in_error = status == "entered_in_error" and not isinstance(entry.data, AMENDING)
        if before.lifecycle.closed and (in_error or not entry.data.WHEN_CLOSED):
            way_out = "mark that mark in error" if in_error else "reopen it first"
            raise PlanClosedError(
                f"The plan is {status.replace('_', ' ')}; {way_out}, or correct the record.",
                "/type",
                plan_status=status,  # a problem's own status is that of the answer
            )
