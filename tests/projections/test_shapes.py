"""A read model whose rows hold something else has another version: then operators rebuild it."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import orjson
import pytest

from domain.parts import Parts
from domain.plan import Plan
from domain.policy import Policy
from domain.state import PlanState
from projections import ALL
from projections.projection import Projection
from projections.sealing import NO_KEYS, Seals
from projections.worklist import _rows
from tests.domain.samples import a_life

BY_KEY = {"/".join(path) for path, piece in PlanState().pieces() if getattr(piece, "keyed", False)}
"""The groups of a plan that stand under a key each: a key is no field."""


def fields(held: Any, path: str = "") -> Iterator[str]:
    """Every field below ``held``, whichever item of a list or group has it."""
    if isinstance(held, list):
        for item in held:
            yield from fields(item, f"{path}[]")
    elif isinstance(held, dict):
        for name, value in held.items():
            place = f"{path}/{'*' if path in BY_KEY else name}".removeprefix("/")
            yield place
            yield from fields(value, place)


def rows_of(projection: Projection, plan: Plan) -> Any:
    """What of a plan the read model keeps as JSON."""
    if projection.name == "current_plans":
        return plan.document()
    if projection.name == "worklist":
        owing = Plan.new(plan.id)
        owing.learn(plan.entries[0])
        return [orjson.loads(row[-1]) for row in _rows(Seals(NO_KEYS, plan.id), owing, Policy())]
    return None


def shape_of(projection: Projection) -> str:
    """A digest of the read model's table and of the fields of its JSON."""
    told = [projection.definition("x"), *sorted(set(fields(rows_of(projection, a_life()))))]
    return sha256("\n".join(told).encode()).hexdigest()[:12]


@pytest.mark.parametrize("projection", ALL, ids=lambda held: held.name)
def test_a_read_model_of_another_shape_has_another_version(projection: Projection) -> None:
    """Old rows lack what was added: only a rebuild gives it to plans which nobody touches."""
    name, shape = type(projection).__name__, shape_of(projection)
    assert projection.shape == shape, (
        f"What {name} keeps has changed. In projections/{projection.name}.py raise its version by one "
        f'(once between two releases) and set shape = "{shape}"; tell operators to rebuild it in the '
        "changelog."
    )


def test_a_new_field_is_another_shape() -> None:
    """In a group, in any item of a list, or under any key; another key alone is not."""
    plain = {"goals": [{"a": 1}, {"a": 1, "b": 2}], "context": {"work": {"c": 3}}}
    assert {*fields(plain)} == {
        "goals",
        "goals[]/a",
        "goals[]/b",
        "context",
        "context/*",
        "context/*/c",
    }
    assert isinstance(PlanState().opening.context, Parts)
    assert "context" in BY_KEY
