"""Reading the record for projections: batches by position, with the plans they belong to."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from domain.aggregates import shell
from domain.clinic import Clinic
from domain.entry import Entry
from domain.erased import Erased
from domain.history import History
from domain.plan import Plan
from projections.projection import Batch, Cursor
from projections.rows import COLUMNS, entry_from_row
from projections.sealing import Keys, Seals

THistory = TypeVar("THistory", bound=History)
_NEXT = f"""
SELECT {COLUMNS}, plan_id FROM entries WHERE clinic_id = %s AND position > %s ORDER BY position LIMIT %s
"""
_UNTIL = f"""
SELECT {COLUMNS} FROM entries
WHERE clinic_id = %s AND plan_id = %s AND version > %s AND position <= %s ORDER BY version
"""
_PLANS = """
SELECT plan_id FROM entries
WHERE clinic_id = %s AND version = 1 AND plan_id <> %s AND position <= %s ORDER BY plan_id
"""


class PoisonError(Exception):
    """An entry that cannot be taken in; the message names position and kind of failure, never content."""

    def __init__(self, position: int, cause: BaseException) -> None:
        super().__init__(f"position {position}: {type(cause).__name__}")
        self.position = position


class Reader:
    """Makes batches, and keeps the plans it has folded so that the next batch goes on from there."""

    def __init__(self, keys: Keys, most_entries: int = 50_000) -> None:
        self.keys = keys
        self.most_entries = most_entries
        self._histories: OrderedDict[tuple[UUID, UUID], History] = OrderedDict()
        self._held = 0
        self._until: dict[UUID, int] = {}  # where the last batch of each clinic ended

    def forget(self, clinic_id: UUID) -> None:
        """Let the clinic's plans go: something failed half-way, they may be ahead of the tables."""
        for key in [key for key in self._histories if key[0] == clinic_id]:
            self._held -= len(self._histories.pop(key).entries)
        self._until.pop(clinic_id, None)

    def batch(self, cursor: Cursor, clinic_id: UUID, after: int, size: int) -> Batch | None:
        """The next at most ``size`` entries after position ``after``; None if there are none.

        A batch ends before an entry that cannot be read; if that is the first, raises PoisonError.
        """
        rows = cursor.execute(_NEXT, [clinic_id, after, size], binary=True).fetchall()
        if not rows:
            return None
        read = _Reading(seals := Seals(self.keys, clinic_id))
        policy = self._clinic(cursor, clinic_id, after).policy
        for number, row in enumerate(rows):
            try:
                entry = entry_from_row(row[:7], row[7], seals)
                history = read.touched.get(entry.originator_id)
                if history is None:
                    history = self._before(cursor, clinic_id, entry)
                history.learn(entry)
                read.take(entry, history, entry.data.tell(history.state))
            except Exception as failed:
                self.forget(clinic_id)
                if number == 0:
                    raise PoisonError(row[0], failed) from failed
                return self.batch(cursor, clinic_id, after, number)
        self._keep(clinic_id, read.touched)
        self._until[clinic_id] = read.position
        clinic = self._clinic(cursor, clinic_id, read.position)
        if clinic.policy != policy:
            self._load_all(cursor, clinic_id, read)
        return read.batch(clinic)

    def _clinic(self, cursor: Cursor, clinic_id: UUID, until: int) -> Clinic:
        """The clinic's own history as it stands at a position."""
        held = self._histories.get((clinic_id, clinic_id))
        if isinstance(held, Clinic) and self._until.get(clinic_id) == until:
            return held
        clinic = self._brought_to(cursor, clinic_id, Clinic.new(clinic_id), until)
        self._keep(clinic_id, {clinic_id: clinic})
        return clinic

    def _load_all(self, cursor: Cursor, clinic_id: UUID, read: _Reading) -> None:
        """Take every plan of the clinic along: what they owe depends on its policy."""
        for (plan_id,) in cursor.execute(_PLANS, [clinic_id, clinic_id, read.position]).fetchall():
            if plan_id not in read.touched:
                plan = self._brought_to(cursor, clinic_id, Plan.new(plan_id), read.position)
                self._keep(clinic_id, {plan_id: plan})
                read.touched[plan_id] = plan

    def _before(self, cursor: Cursor, clinic_id: UUID, entry: Entry) -> History:
        """The history as it stands just before ``entry``."""
        held = self._histories.get((clinic_id, entry.originator_id))
        if held is not None and held.version == entry.version - 1:
            self._take(clinic_id, entry.originator_id)
            return held
        return self._brought_to(cursor, clinic_id, shell(entry), entry.position - 1)

    def _brought_to(self, cursor: Cursor, clinic_id: UUID, fresh: THistory, until: int) -> THistory:
        """A history as it stands at a position: the kept one brought up, or ``fresh`` if it is ahead.

        Another runner may have taken in what came since, and a projection that was held up comes later.
        """
        kept = self._take(clinic_id, fresh.id)
        ahead = kept is not None and kept.entries and kept.entries[-1].position > until
        history = kept if isinstance(kept, type(fresh)) and not ahead else fresh
        parameters = [clinic_id, fresh.id, history.version, until]
        for row in cursor.execute(_UNTIL, parameters, binary=True).fetchall():
            history.learn(entry_from_row(row, fresh.id, Seals(self.keys, clinic_id)))
        return history

    def _take(self, clinic_id: UUID, history_id: UUID) -> History | None:
        history = self._histories.pop((clinic_id, history_id), None)
        if history is not None:
            self._held -= len(history.entries)
        return history

    def _keep(self, clinic_id: UUID, touched: Mapping[UUID, History]) -> None:
        for history_id, history in touched.items():
            self._held -= len(getattr(self._histories.get((clinic_id, history_id)), "entries", ()))
            self._histories[(clinic_id, history_id)] = history
            self._held += len(history.entries)
        while self._held > self.most_entries and len(self._histories) > len(touched):
            _, old = self._histories.popitem(last=False)
            self._held -= len(old.entries)


@dataclass(slots=True)
class _Reading:
    """A batch in the making."""

    seals: Seals
    position: int = 0
    size: int = 0
    touched: dict[UUID, History] = field(default_factory=dict)
    plans_said: list[tuple[Entry, str]] = field(default_factory=list)
    clinic_said: list[tuple[Entry, str]] = field(default_factory=list)

    def take(self, entry: Entry, history: History, told: str) -> None:
        """The next entry, its history as it stands with it, and its sentence."""
        self.touched[entry.originator_id] = history
        self.position, self.size = entry.position, self.size + 1
        if not isinstance(entry.data, Erased):
            said = self.plans_said if isinstance(history, Plan) else self.clinic_said
            said.append((entry, told))

    def batch(self, clinic: Clinic) -> Batch:
        """The finished batch."""
        return Batch(
            seals=self.seals,
            position=self.position,
            size=self.size,
            entries=[entry for entry, _ in self.plans_said],
            told=[told for _, told in self.plans_said],
            plans={
                key: held
                for key, held in self.touched.items()
                if isinstance(held, Plan) and not held.erased
            },
            clinic=clinic,
            clinic_entries=[entry for entry, _ in self.clinic_said],
            clinic_told=[told for _, told in self.clinic_said],
        )
