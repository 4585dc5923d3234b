"""What a clinic sets for itself: intervals, due periods, thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from domain.fields import RangeRule

PolicyDays = Annotated[int, RangeRule(1, 3650)]


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The clinic's numbers; periods in days unless the name says otherwise.

    ``plateau_values`` over at least ``plateau_days`` are enough to suspect a plateau. ``two_people``:
    what an admin changes is a proposal which somebody else approves.
    """

    formal_review_days: PolicyDays = 182
    reevaluation_days: PolicyDays = 7
    safety_review_days: PolicyDays = 1
    answer_days: PolicyDays = 14
    first_signature_days: PolicyDays = 30
    cosignature_days: PolicyDays = 14
    client_agreement_days: PolicyDays = 30
    emergency_review_days: PolicyDays = 3
    plateau_values: Annotated[int, RangeRule(3, 20)] = 4
    plateau_days: PolicyDays = 28
    late_after_hours: Annotated[int, RangeRule(1, 8760)] = 24
    require_if_match: bool = False
    retention_days: Annotated[int, RangeRule(1, 36_500)] = 3650
    two_people: bool = False

    @property
    def late_after(self) -> timedelta:
        """How long after it was true an entry may be recorded without being late."""
        return timedelta(hours=self.late_after_hours)


DEFAULT_POLICY = Policy()
