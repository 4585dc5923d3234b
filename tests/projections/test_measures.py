"""The ``measures`` read model: every value that stands, the same however it came about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from domain.goals import MeasureRecorded
from projections.measures import Measures
from service.container import Container
from tests.conftest import Clinic
from tests.projections.lived import Given, folded, incremental_equals_rebuilt, lived


@pytest.fixture
def given(
    database_url: str,
    owner: psycopg.Connection[Any],
    container: Container,
    new_clinic: Callable[..., Clinic],
) -> Given:
    """A database with nothing in it."""
    return Given(database_url, owner, container, new_clinic)


def measured(row: dict[str, Any]) -> float:
    """The value in a row of a record that is kept plain."""
    value: float = Measures().told("measured", row["measured"])["value"]
    return value


def test_batches_and_a_rebuild_make_the_same_rows_as_the_fold(given: Given) -> None:
    """Corrected values as corrected, values in error not at all, brought back ones again."""
    built = incremental_equals_rebuilt(given, Measures())

    standing = {
        (plan.id, held.version): (held.occurred_at, held.data.value, held.data.by)
        for plan in folded(lived())
        for held in plan.settled.order
        if isinstance(held.data, MeasureRecorded)
    }
    assert {
        (row["plan_id"], row["version"]): (row["occurred_at"], measured(row), row["by"])
        for row in built
    } == standing
    assert any(row["goal_id"] for row in built)
    assert any(row["instrument"] for row in built)
