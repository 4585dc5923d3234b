"""``current_plans``: each plan as it stands, as the finished document the API serves."""

from __future__ import annotations

from typing import Any

import orjson

from domain.plan import Plan
from domain.policy import Policy
from projections.projection import Batch, Cursor, Projection
from projections.sealing import Seals

_UPSERT = """
INSERT INTO {table} AS held (clinic_id, plan_id, version, position, status, client_ref, client_label,
    therapist_id, supervisor_id, opened_at, changed_at, document)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (clinic_id, plan_id) DO UPDATE SET
    version = excluded.version, position = excluded.position, status = excluded.status,
    client_ref = excluded.client_ref, client_label = excluded.client_label,
    therapist_id = excluded.therapist_id, supervisor_id = excluded.supervisor_id,
    opened_at = excluded.opened_at, changed_at = excluded.changed_at, document = excluded.document
"""


class CurrentPlans(Projection):
    """One row per plan: its document, and what plans are found by."""

    name = "current_plans"
    version = 4
    SEALED = {"client_label": "client_label"}  # noqa: RUF012 - as its base declares it
    shape = "160e5c3f4b75"

    def apply(self, batch: Batch, cursor: Cursor, table: str) -> None:
        """Write the document of every plan the batch touches."""
        rows = [_row(batch.seals, plan, batch.policy) for plan in batch.plans.values()]
        cursor.executemany(_UPSERT.format(table=table).encode(), rows)


def _row(seals: Seals, plan: Plan, policy: Policy) -> tuple[Any, ...]:
    outline = plan.state.opening.outline

    def sealed(column: str, text: bytes) -> bytes:
        return seals.row(plan.key_id, CurrentPlans.name, plan.id, column, text)

    return (
        seals.clinic_id,
        plan.id,
        plan.version,
        plan.entries[-1].position,
        plan.state.lifecycle.status,
        outline.client_ref,
        sealed("client_label", outline.client_label.encode()),
        outline.therapist_id,
        outline.supervisor_id,
        outline.opened_at,
        plan.modified_on,
        sealed("document", orjson.dumps(plan.document(policy=policy))),
    )
