"""Which entries a reader wants, as a query and among the entries of one plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql

from domain.entry import EVERY_TYPE, VOICES, Entry, type_named
from projections.timeline import about

ORDERS = ("recorded", "-recorded", "occurred", "-occurred")
COLUMNS = """
e.position, e.version, e.plan_id::text, e.recorded_at, e.entry_id::text, e.command_id::text, e.topic,
e.state, t.sentence, t.corrected_by, t.addenda, t.in_error_by
"""
"""What is read of an entry and of its row in the read model."""
_OF_CLIENT = """
e.plan_id IN (SELECT plan_id FROM current_plans c WHERE c.clinic_id = e.clinic_id AND c.client_ref = %s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which entries to tell. ``since`` (included) and ``until`` (excluded) go by the order's clock.

    ``order``: ``recorded`` or ``occurred``, with a leading ``-`` newest first.
    ``after``: the place the last page ended at, as ``Page.next`` gave it.
    """

    type: str | None = None
    recorded_by: UUID | None = None
    voiced_by: str | None = None
    about: UUID | None = None
    client_ref: str | None = None
    plan_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    order: str = "recorded"
    limit: int = 50
    after: tuple[str, int] | None = None


def matches(entry: Entry, moment: datetime, wanted: Filter) -> bool:
    """Whether an entry is wanted; ``moment``: its own by the clock that the order goes by."""
    wishes = (
        wanted.type in (None, entry.type),
        wanted.recorded_by is None or str(wanted.recorded_by) == entry.recorded_by.member_id,
        wanted.voiced_by in (None, entry.voiced_by),
        wanted.since is None or moment >= wanted.since,
        wanted.until is None or moment < wanted.until,
        wanted.about is None or str(wanted.about) in set(about(entry)),
    )
    return all(wishes)


def comes_after(entry: Entry, wanted: Filter, newest_first: bool) -> bool:  # noqa: FBT001 - one of two orders
    """Whether an entry lies behind the place a page ended at; its number is a version or a position."""
    assert wanted.after is not None
    clock, number = wanted.after
    plain = wanted == Filter(limit=wanted.limit, after=wanted.after)
    mine: tuple[Any, ...] = (entry.version if plain else entry.position,)
    theirs: tuple[Any, ...] = (number,)
    if wanted.order.endswith("occurred"):
        mine, theirs = (entry.occurred_at, *mine), (datetime.fromisoformat(clock), *theirs)
    return mine < theirs if newest_first else mine > theirs


def search(
    clinic_id: UUID,
    plan_id: UUID | None,
    wanted: Filter,
    within: tuple[sql.Composable, Sequence[Any]] | None = None,
) -> tuple[sql.Composed, list[Any]]:
    """The query for a filter: conditions from a closed list, values as parameters.

    In recorded order positions do it all: they grow with recorded_at.
    """
    newest_first, occurred = wanted.order.startswith("-"), wanted.order.endswith("occurred")
    conditions, parameters = _conditions(clinic_id, plan_id, wanted)
    if within is not None:
        conditions.append(within[0])
        parameters.extend(within[1])
    for bound, operator in ((wanted.since, ">="), (wanted.until, "<")):
        if bound is None:
            continue
        if occurred:
            conditions.append(sql.SQL("t.occurred_at {} %s").format(sql.SQL(operator)))
        else:
            place = sql.SQL(">" if operator == ">=" else "<=")
            conditions.append(sql.SQL("e.position {} position_before(%s, %s)").format(place))
            parameters.append(clinic_id)
        parameters.append(bound)
    if wanted.after is not None:
        step = sql.SQL("<" if newest_first else ">")
        if occurred:
            pair = sql.SQL("(t.occurred_at, e.position) {} (%s::timestamptz, %s)")
            conditions.append(pair.format(step))
            parameters.extend(wanted.after)
        else:
            conditions.append(sql.SQL("e.position {} %s").format(step))
            parameters.append(wanted.after[1])
    direction = sql.SQL("DESC" if newest_first else "ASC")
    order = sql.SQL("t.occurred_at {0}, e.position {0}" if occurred else "e.position {0}")
    query = sql.SQL(
        "SELECT {columns} FROM entries e JOIN timeline t "
        "ON t.clinic_id = e.clinic_id AND t.position = e.position "
        "WHERE {conditions} ORDER BY {order} LIMIT %s"
    ).format(
        columns=sql.SQL(COLUMNS),
        conditions=sql.SQL(" AND ").join(conditions),
        order=order.format(direction),
    )
    return query, [*parameters, wanted.limit + 1]


def _conditions(
    clinic_id: UUID, plan_id: UUID | None, wanted: Filter
) -> tuple[list[sql.Composable], list[Any]]:
    conditions: list[sql.Composable] = [sql.SQL("e.clinic_id = %s")]
    parameters: list[Any] = [clinic_id]
    tests = (
        ("e.plan_id = %s", plan_id),
        ("t.type = %s", type_named(wanted.type, EVERY_TYPE).__name__ if wanted.type else None),
        ("t.recorded_by = %s", wanted.recorded_by),
        ("t.voiced_by = %s", wanted.voiced_by if wanted.voiced_by in VOICES else None),
        ("t.about @> ARRAY[%s]::uuid[]", wanted.about),
        (_OF_CLIENT, wanted.client_ref),
    )
    for condition, value in tests:
        if value is not None:
            conditions.append(sql.SQL(condition))
            parameters.append(value)
    return conditions, parameters
