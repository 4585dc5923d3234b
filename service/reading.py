"""Reading one plan live, with everything that is recorded in it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from uuid import UUID

from domain.errors import PlanNotFoundError
from domain.history import History
from domain.plan import Plan
from service.record.plans import Plans


@contextlib.contextmanager
def reading_plan(
    plans: Plans,
    clinic_id: UUID,
    plan_id: UUID,
    enough: Callable[[History], bool] | None = None,
) -> Iterator[Plan]:
    """The plan as it is recorded now, or as it is kept if that is ``enough`` for what is asked.

    Raises PlanNotFoundError (the clinic itself is no plan either).
    """
    with plans.reading(clinic_id, plan_id, enough) as held:
        if not isinstance(held, Plan):
            raise PlanNotFoundError("There is no such plan here; check its id.")
        yield held
