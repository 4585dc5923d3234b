"""Finding plans by what the ``current_plans`` read model knows of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.rows import TupleRow

from domain.fields import plain_moment
from projections.current_plans import CurrentPlans
from projections.sealing import Seals
from service.access import Gate, Principal
from service.access.table import METADATA
from service.database import BoundedConnection

STATUSES = (
    "draft",
    "active",
    "paused",
    "completed",
    "discontinued",
    "superseded",
    "entered_in_error",
)
_COLUMNS = (
    "plan_id, version, position, status, client_ref, client_label, therapist_id, supervisor_id, "
    "opened_at, changed_at"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFilter:
    """Which plans to find; ``q`` looks in the client's label and reference, whatever the case."""

    client_ref: str | None = None
    therapist_id: UUID | None = None
    supervisor_id: UUID | None = None
    status: str | None = None
    q: str | None = None
    limit: int = 50
    after: tuple[str, UUID] | None = None


def find_plans(
    gate: Gate, principal: Principal, wanted: PlanFilter
) -> tuple[list[dict[str, Any]], tuple[str, str] | None]:
    """The plans within the principal's reach, most recently changed first, and where the next page begins.

    Who sees no words of a plan sees no label either, and finds none by it.
    """
    within, values = gate.reach(principal, "plans.find", "plan_id")
    labels = METADATA not in (principal.grant("plans.find") or {}).values()
    conditions: list[sql.Composable] = [sql.SQL("clinic_id = %s"), within]
    parameters: list[Any] = [principal.clinic_id, *values]
    for column in ("client_ref", "therapist_id", "supervisor_id", "status"):
        value = getattr(wanted, column)
        if value is not None:
            conditions.append(sql.SQL("{} = %s").format(sql.Identifier(column)))
            parameters.append(value)
    if wanted.after is not None:
        conditions.append(sql.SQL("(changed_at, plan_id) < (%s::timestamptz, %s)"))
        parameters += list(wanted.after)
    query = sql.SQL(
        "SELECT {} FROM current_plans WHERE {} ORDER BY changed_at DESC, plan_id DESC{}"
    ).format(
        sql.SQL(_COLUMNS),
        sql.SQL(" AND ").join(conditions),
        sql.SQL("" if wanted.q else " LIMIT %s"),
    )
    if not wanted.q:
        parameters.append(wanted.limit + 1)
    seals = gate.plans.seals(principal.clinic_id)

    def read(conn: BoundedConnection) -> list[dict[str, Any]]:
        # All rows fit on a page, or only some of them: then no more are read than it takes.
        with conn.cursor("plans" if wanted.q else "", binary=True) as cursor:
            found = (_shown(seals, row, labels=labels) for row in cursor.execute(query, parameters))
            return [*islice(filter(partial(_fits, wanted.q), found), wanted.limit + 1)]

    rows = gate.database.in_clinic(principal.clinic_id, read)
    gate.looked_through(principal, "plans.find", asked="plans")
    shown = rows[: wanted.limit]
    more = len(rows) > wanted.limit
    return shown, (shown[-1]["changed_at"], shown[-1]["plan_id"]) if more else None


def _fits(words: str | None, shown: dict[str, Any]) -> bool:
    """Whether label or reference hold the words. Labels are sealed, so no database looks for them."""
    client, looked_for = shown["client"], (words or "").casefold()
    return any(looked_for in (held or "").casefold() for held in (client["label"], client["ref"]))


def _shown(seals: Seals, row: TupleRow, *, labels: bool) -> dict[str, Any]:
    plan_id, version, position, status, ref, kept, therapist, supervisor, opened, changed = row
    label = _label(seals, plan_id, kept) if labels else None
    moments: tuple[datetime, datetime] = (opened, changed)
    return {
        "plan_id": str(plan_id),
        "version": version,
        "position": position,
        "status": status,
        "client": {"ref": ref, "label": label},
        "therapist_id": str(therapist),
        "supervisor_id": str(supervisor) if supervisor else None,
        "opened_at": plain_moment(moments[0]),
        "changed_at": plain_moment(moments[1]),
    }


def clients_of(
    gate: Gate, principal: Principal, plan_ids: Iterable[str]
) -> dict[str, dict[str, str | None]]:
    """The client of each plan within reach as the principal may know them: reference, and label."""
    within, values = gate.reach(principal, "plans.find", "plan_id")
    labels = METADATA not in (principal.grant("plans.find") or {}).values()
    query = sql.SQL(
        "SELECT plan_id, client_ref, client_label FROM current_plans "
        "WHERE clinic_id = %s AND plan_id = ANY(%s) AND {}"
    ).format(within)
    wanted = [UUID(held) for held in set(plan_ids)]

    def read(conn: BoundedConnection) -> list[TupleRow]:
        return conn.execute(query, [principal.clinic_id, wanted, *values], binary=True).fetchall()

    rows = gate.database.in_clinic(principal.clinic_id, read) if wanted else []
    seals = gate.plans.seals(principal.clinic_id)
    return {
        str(plan): {"ref": ref, "label": _label(seals, plan, kept) if labels else None}
        for plan, ref, kept in rows
    }


def _label(seals: Seals, plan_id: UUID, kept: bytes) -> str | None:
    """What the client is called; None when the plan was erased."""
    label = seals.read(CurrentPlans.name, plan_id, "client_label", kept)
    return None if label is None else label.decode()
