"""Reading the record for projections: batches by position, with the plans they belong to."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any
from uuid import UUID

from domain.entry import Entry
from domain.plan import Plan
from projections.projection import Batch, Cursor
from projections.rows import COLUMNS, entry_from_row

_NEXT = f"""
SELECT {COLUMNS}, plan_id FROM entries WHERE clinic_id = %s AND position > %s ORDER BY position LIMIT %s
"""
_EARLIER = f"""
SELECT {COLUMNS} FROM entries WHERE clinic_id = %s AND plan_id = %s AND version < %s ORDER BY version
"""


class PoisonError(Exception):
    """An entry that cannot be taken in; the message names position and kind of failure, never content."""

    def __init__(self, position: int, cause: BaseException) -> None:
        super().__init__(f"position {position}: {type(cause).__name__}")
        self.position = position


class Reader:
    """Makes batches, and keeps the plans it has folded so that the next batch goes on from there."""

    def __init__(self, most_entries: int = 400_000) -> None:
        self.most_entries = most_entries
        self._plans: OrderedDict[tuple[UUID, UUID], Plan] = OrderedDict()
        self._held = 0

    def forget(self, clinic_id: UUID) -> None:
        """Let the clinic's plans go: something failed half-way, they may be ahead of the tables."""
        for key in [key for key in self._plans if key[0] == clinic_id]:
            self._held -= len(self._plans.pop(key).entries)

    def batch(self, cursor: Cursor, clinic_id: UUID, after: int, size: int) -> Batch | None:
        """The next at most ``size`` entries after position ``after``; None if there are none.

        A batch ends before an entry that cannot be read; if that is the first, raises PoisonError.
        """
        rows = cursor.execute(_NEXT, [clinic_id, after, size], binary=True).fetchall()
        entries: list[Entry] = []
        told: list[str] = []
        touched: dict[UUID, Plan] = {}
        for row in rows:
            try:
                entry = entry_from_row(row[:7], row[7])
                plan = touched.get(entry.originator_id)
                if plan is None:
                    plan = self._plan_before(cursor, clinic_id, entry)
                    touched[entry.originator_id] = plan
                plan.learn(entry)
                told.append(entry.data.tell(plan.state))
            except Exception as failed:
                self.forget(clinic_id)
                if not entries:
                    raise PoisonError(row[0], failed) from failed
                return self.batch(cursor, clinic_id, after, len(entries))
            entries.append(entry)
        if not entries:
            return None
        self._keep(clinic_id, touched)
        return Batch(clinic_id, entries, told, touched)

    def _plan_before(self, cursor: Cursor, clinic_id: UUID, entry: Entry) -> Plan:
        plan = self._plans.pop((clinic_id, entry.originator_id), None)
        if plan is not None:
            self._held -= len(plan.entries)
            if plan.version == entry.version - 1:
                return plan
        plan = Plan.shell(entry)
        if entry.version > 1:
            rows: list[Any] = cursor.execute(
                _EARLIER, [clinic_id, entry.originator_id, entry.version], binary=True
            ).fetchall()
            for row in rows:
                plan.learn(entry_from_row(row, entry.originator_id))
        return plan

    def _keep(self, clinic_id: UUID, touched: dict[UUID, Plan]) -> None:
        for plan_id, plan in touched.items():
            self._plans[(clinic_id, plan_id)] = plan
            self._held += len(plan.entries)
        while self._held > self.most_entries and len(self._plans) > len(touched):
            _, old = self._plans.popitem(last=False)
            self._held -= len(old.entries)
