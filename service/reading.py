"""Reading one plan live, with everything that is recorded in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from uuid import UUID

from domain.errors import PlanNotFoundError
from domain.plan import Plan
from service.record.plans import Plans


@contextlib.contextmanager
def reading_plan(plans: Plans, clinic_id: UUID, plan_id: UUID) -> Iterator[Plan]:
    """The plan as it is recorded now; raises PlanNotFoundError (the clinic itself is no plan either)."""
    with plans.reading(clinic_id, plan_id) as held:
        if not isinstance(held, Plan):
            raise PlanNotFoundError("There is no such plan here; check its id.")
        yield held
