"""``worklist``: what every plan owes, each obligation as the JSON the API serves.

Rows hold due days, never whether something is overdue: that turns by the clock alone and is said when
the list is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from uuid import UUID

import orjson

from domain.obligations import obligations
from domain.plan import Plan
from domain.policy import Policy
from projections.projection import Batch, Cursor, Projection
from projections.replacing import Row, replace_rows
from projections.sealing import Seals

COLUMNS = {
    "plan_id": "uuid",
    "kind": "text",
    "about": "text",
    "due_on": "date",
    "therapist_id": "uuid",
    "supervisor_id": "uuid",
    "shown": "bytea",
}


class Worklist(Projection):
    """One row per obligation, found by therapist and supervisor in order of the day it is due."""

    name = "worklist"
    version = 3
    shape = "9ea2e2150a53"

    def apply(self, batch: Batch, cursor: Cursor, table: str) -> None:
        """Write what the batch's plans owe now, where that is not what they owed before."""
        rows = {
            row for plan in batch.plans.values() for row in _rows(batch.seals, plan, batch.policy)
        }
        replace_rows(cursor, table, COLUMNS, batch.clinic_id, batch.plans, rows)


def _rows(seals: Seals, plan: Plan, policy: Policy) -> Iterator[Row]:
    outline = plan.state.opening.outline
    client = {"ref": outline.client_ref, "label": outline.client_label}
    therapist_id, supervisor_id = outline.therapist_id, outline.supervisor_id
    whose = UUID(therapist_id), UUID(supervisor_id) if supervisor_id else None
    for owed in obligations(plan.state, policy):
        shown = {
            "plan_id": str(plan.id),
            "client": client,
            "kind": owed.kind,
            "about": owed.about,
            "since": owed.since,
            "due_on": owed.due_on,
            "words": owed.words,
            "therapist_id": therapist_id,
            "supervisor_id": supervisor_id,
        }
        yield (
            plan.id,
            owed.kind,
            owed.about,
            date.fromisoformat(owed.due_on) if owed.due_on else None,
            *whose,
            seals.row(
                plan.key_id,
                Worklist.name,
                plan.id,
                f"{owed.kind} {owed.about}",
                orjson.dumps(shown),
            ),
        )
