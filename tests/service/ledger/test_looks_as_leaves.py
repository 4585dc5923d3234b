"""Leaves: what is sealed of an entry is what the database sealed it under; what is sealed of a look is all of it."""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from service.ledger.leaves import Entry, Look
from service.ledger.tree import leaf_hash
from tests.service.test_leaves import COLUMNS, LEAF

CLINIC = UUID("3f1d0000-0000-4000-8000-000000000001")
AT = datetime(2026, 11, 28, 9, 30, 0, 123456, UTC)
LOOK = Look(
    look_id=7,
    looked_at=AT,
    member_id=UUID(int=1),
    token_id=UUID(int=2),
    name="Zoë",
    role="clinician",
    action="plans.read",
    plan_id=UUID(int=3),
    version=4,
    asked="version 4",
    why="caseload",
    view="full",
    allowed=True,
    address="127.0.0.1",
    request_id="r-1",
)


def text(held: str) -> bytes:
    """A text with its length before it."""
    return struct.pack(">i", len(held.encode())) + held.encode()


def test_a_look_is_laid_out_as_documented() -> None:
    """Field by field, in the order of docs/proofs.md; what is missing is one zero byte."""
    microseconds = (AT - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    before = (
        b"plan-history/look/v1" + CLINIC.bytes + struct.pack(">qq", 7, microseconds)
        + UUID(int=1).bytes + UUID(int=2).bytes + text("Zoë") + text("clinician") + text("plans.read")
    )  # fmt: skip
    whole = (
        before + b"\x01" + UUID(int=3).bytes + b"\x01" + struct.pack(">i", 4)
        + b"\x01" + text("version 4") + b"\x01" + text("caseload") + b"\x01" + text("full")
        + b"\x01" + b"\x01" + text("127.0.0.1") + b"\x01" + text("r-1")
    )  # fmt: skip
    assert LOOK.data(CLINIC) == whole
    nothing = dict.fromkeys(("plan_id", "version", "asked", "why", "view", "address", "request_id"))
    bare = LOOK._replace(**nothing, allowed=False)  # type: ignore[arg-type] # each may be None
    assert bare.data(CLINIC) == before + b"\x00" * 8


def other(value: Any) -> Any:
    """Another value of the same kind."""
    kinds: dict[type, Any] = {
        int: lambda: value + 1,
        bool: lambda: not value,
        UUID: uuid4,
        str: lambda: value + "x",
        datetime: lambda: value + timedelta(microseconds=1),
    }
    return kinds[type(value)]()


@pytest.mark.parametrize("name", Look._fields)
def test_every_column_of_a_look_is_under_its_leaf(name: str) -> None:
    """Another value, or none, is another leaf; so is another clinic."""
    changed = LOOK._replace(**{name: other(getattr(LOOK, name))})
    assert changed.data(CLINIC) != LOOK.data(CLINIC) != LOOK.data(uuid4())


def test_no_two_looks_share_their_bytes() -> None:
    """What stands in one field cannot be taken for the next, nor an empty text for none."""
    apart = [
        LOOK,
        LOOK._replace(asked="version 4caseload", why=""),
        LOOK._replace(asked="", why="version 4caseload"),
        LOOK._replace(asked=None, why="version 4caseload"),
        LOOK._replace(asked="version 4caseload", why=None),
    ]
    assert len({held.data(CLINIC) for held in apart}) == len(apart)


def test_an_entry_has_the_leaf_the_database_gave_it(owner: psycopg.Connection[Any]) -> None:
    """Whatever stands in its row; the data of the leaf is what an entry bundle holds."""
    rng = Random(5)
    for number in range(60):
        entry = Entry(
            position=rng.choice([1, 2**31, 2**62]),
            entry_id=uuid4(),
            plan_id=uuid4(),
            version=rng.choice([1, 2**31 - 1]),
            topic=rng.choice(["plan.goal-set", "größer", ""]),
            recorded_at=AT + timedelta(microseconds=rng.randint(-(10**15), 10**15)),
            key_id=rng.choice([None, uuid4()]),
            state=rng.randbytes(number),
        )
        previous = rng.choice([None, rng.randbytes(32)])
        row = {**entry._asdict(), "clinic_id": CLINIC}
        found = owner.execute(LEAF, [*(row[name] for name in COLUMNS), previous]).fetchone()
        data = entry.data(CLINIC, previous)
        assert found == (leaf_hash(data),)
        assert hashlib.sha256(b"\x00" + data).digest() == leaf_hash(data)
        assert len(data) < 2**16, "an entry bundle gives each leaf's length in two bytes"
