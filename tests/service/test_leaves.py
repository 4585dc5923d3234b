"""Leaves: computed here from the documented layout, and equal to what the database stored."""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from service.container import Container
from tests.conftest import Clinic
from tests.service.recording import open_plan, set_goal, stored

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LEAF = "SELECT entry_leaf(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
COLUMNS = (
    "clinic_id",
    "position",
    "entry_id",
    "plan_id",
    "version",
    "topic",
    "recorded_at",
    "key_id",
    "state",
)


def leaf_of(row: dict[str, Any], previous: bytes | None) -> bytes:
    """The leaf of a row: RFC 6962 prefix, tag, fixed-width or length-prefixed fields, the chain."""
    topic = row["topic"].encode()
    microseconds = (row["recorded_at"] - EPOCH) // timedelta(microseconds=1)
    parts = (
        b"\x00plan-history/leaf/v1",
        row["clinic_id"].bytes,
        struct.pack(">q", row["position"]),
        row["entry_id"].bytes,
        row["plan_id"].bytes,
        struct.pack(">i", row["version"]),
        struct.pack(">i", len(topic)),
        topic,
        struct.pack(">q", microseconds),
        b"\x00" if row["key_id"] is None else b"\x01" + row["key_id"].bytes,
        hashlib.sha256(row["state"]).digest(),
        b"\x00" if previous is None else b"\x01" + previous,
    )
    return hashlib.sha256(b"".join(parts)).digest()


def recomputed(rows: list[dict[str, Any]]) -> list[bytes]:
    """The leaf of every row, each chained to the one before it of the same plan."""
    newest: dict[UUID, bytes] = {}
    for row in rows:
        newest[row["plan_id"]] = row["leaf"] = leaf_of(row, newest.get(row["plan_id"]))
    return [row["leaf"] for row in rows]


@pytest.fixture
def rows(
    container: Container, clinic: Clinic, owner: psycopg.Connection[Any]
) -> list[dict[str, Any]]:
    """The stored rows of two plans, recorded in turn."""
    who = clinic.member()
    plans = [open_plan(container, who, client).plan_id for client in ("c-1", "c-2")]
    for plan_id in plans * 2:
        set_goal(container, who, plan_id)
    return stored(owner, clinic.clinic_id)


def test_stored_leaves_follow_the_layout(rows: list[dict[str, Any]]) -> None:
    """Anybody who has the rows can compute their leaves, without the database."""
    assert recomputed([dict(row) for row in rows]) == [row["leaf"] for row in rows]


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_is_under_the_leaf(rows: list[dict[str, Any]], column: str) -> None:
    """A change in any column changes the row's leaf, and those of the plan's later entries alone."""
    changed = [dict(row) for row in rows]
    held = changed[2][column]
    others: dict[type, Any] = {
        int: lambda: held + 1,
        UUID: uuid4,
        type(None): uuid4,
        str: lambda: held + "x",
        datetime: lambda: held + timedelta(microseconds=1),
        bytes: lambda: bytes([held[0] ^ 1]) + held[1:],
    }
    changed[2][column] = others[type(held)]()
    if column == "plan_id":  # then its later entries miss it, too
        assert recomputed(changed)[2] != rows[2]["leaf"]
        return
    differing = [
        row["position"]
        for row, leaf in zip(rows, recomputed(changed), strict=True)
        if leaf != row["leaf"]
    ]
    later = [row["position"] for row in rows[2:] if row["plan_id"] == rows[2]["plan_id"]]
    assert differing == later


def test_the_database_computes_the_same(owner: psycopg.Connection[Any]) -> None:
    """Whatever stands in a row – keys, umlauts, times before 1970, empty states – both agree."""
    rng = Random(7)
    for number in range(60):
        row = {
            "clinic_id": uuid4(),
            "position": rng.choice([1, 2**31, 2**62]),
            "entry_id": uuid4(),
            "plan_id": uuid4(),
            "version": rng.choice([1, 2**31 - 1]),
            "topic": rng.choice(["plan.goal-set", "größer", ""]),
            "recorded_at": EPOCH + timedelta(microseconds=rng.randint(-(10**15), 10**16)),
            "key_id": rng.choice([None, uuid4()]),
            "state": rng.randbytes(number),
        }
        previous = rng.choice([None, rng.randbytes(32)])
        answer = owner.execute(LEAF, [*(row[name] for name in COLUMNS), previous]).fetchone()
        assert answer == (leaf_of(row, previous),)
