"""The Plan aggregate: one client's treatment plan, from opening to its end."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from domain.entry import TYPES, Entry
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
        """SHA-256 (hex) of the plan's content at ``version``: its document as canonical JSON.

        Sorted keys, no spaces, UTF-8; without position and obligations, which are not its content.
        """
        content = self.at(version).document()
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def _refuse_by_status(self, entry: Entry, before: PlanState) -> None:
        status = before.lifecycle.status
        in_error = status == "entered_in_error" and not isinstance(entry.data, AMENDING)
        if before.lifecycle.closed and (in_error or not entry.data.WHEN_CLOSED):
            raise PlanClosedError(
                f"The plan is {status.replace('_', ' ')}; reopen it first, or correct the record.",
                "/type",
                status=status,
            )
