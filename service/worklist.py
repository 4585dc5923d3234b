"""The worklist: what is owed across plans, and what one plan owes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.rows import TupleRow

from domain.errors import PlanHistoryError
from domain.obligations import KINDS, obligations
from domain.plan import Plan
from domain.policy import Policy
from domain.release import CONCERNS_CLIENTS
from projections.sealing import Seals
from projections.worklist import Worklist
from service.access import Gate, Principal, Still
from service.database import BoundedConnection, Database
from service.errors import NotYetVisibleError
from service.reading import reading_plan
from service.record.plans import Plans
from service.shown import Ready, Shown

__all__ = ["KINDS", "Page", "Wanted", "WorklistService"]

PATIENCE = 2.0
"""How long a reader waits for a position, in seconds."""
PAUSE = 0.01
MOST_REASONS = 60
"""For how many plans of a page the reasons are looked up."""
_PLAIN = """
SELECT position, shown, overdue, due_by, plan_id, kind, about, head FROM read_worklist(%s, %s, %s, %s, %s, %s)
"""
_POSITION = """
SELECT coalesce(max(position), 0) FROM projection_positions
WHERE projection = 'worklist' AND version = %s AND clinic_id = %s
"""
_HEAD = "SELECT position FROM clinic_logs WHERE clinic_id = %s"
_PART = """
(SELECT NULL::bigint, shown, due_by < %s AS overdue, due_by, plan_id, kind, about FROM worklist
WHERE clinic_id = %s AND {whose} = %s{conditions} ORDER BY due_by, plan_id, kind, about LIMIT %s)
"""
_COUNTS = """
SELECT count(*) FILTER (WHERE due_by < %s), count(*) FILTER (WHERE due_by >= %s AND due_by <= %s),
    count(*) FILTER (WHERE due_by > %s)
FROM worklist WHERE clinic_id = %s AND {} = %s
"""
_BOTH = "{one} UNION {other} ORDER BY due_by, plan_id, kind, about LIMIT %s"
Place = tuple[date, UUID, str, str]
"""Where a page begins: after this due day (the last of all days for none), plan, kind and thing."""


class BeyondLogError(PlanHistoryError):
    """The worklist is asked to show a position that nothing was recorded at."""

    code = "beyond-the-log"
    title = "Nothing is recorded there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which obligations to list: of plans whose therapist (``mine``) or supervisor (``team``) asks.

    ``overdue`` and ``due_before`` leave out what has no due day, unless overdue is False; ``due_from``
    keeps it.
    ``at_least``: the clinic's position the list must have taken in.
    """

    mine: bool = False
    team: bool = False
    kind: str | None = None
    overdue: bool | None = None
    due_before: date | None = None
    due_from: date | None = None
    at_least: int = 0
    limit: int = 50
    after: Place | None = None

    @property
    def plain(self) -> bool:
        """Whether it is the first page of one list, unfiltered."""
        filters = (self.kind, self.overdue, self.due_before, self.due_from, self.after)
        return self.mine != self.team and all(held is None for held in filters)


@dataclass(frozen=True, slots=True)
class Page:
    """Obligations in order of their due day, each as JSON, and where the next page begins.

    ``position``: up to where the clinic's log is taken in; ``today`` is what ``overdue`` goes by (UTC).
    """

    obligations: list[bytes]
    next: Place | None
    position: int
    today: date


@dataclass(frozen=True, slots=True)
class Counts:
    """A worklist at a glance."""

    overdue: int
    soon: int
    later: int


@dataclass(frozen=True, slots=True)
class WorklistService:
    """Reads the ``worklist`` read model, and single plans live. ``pause`` waits between two looks."""

    database: Database
    plans: Plans
    policy: Callable[[UUID], Policy]
    clock: Callable[[], datetime]
    gate: Gate
    shown: Shown
    now: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep

    def find(self, principal: Principal, wanted: Wanted) -> Page:
        """A page of the worklist, soonest due first, what has no due day last.

        Waits up to two seconds for ``at_least``; then raises NotYetVisibleError. Raises BeyondLogError
        when the clinic's log is not that long.
        """
        self.gate.require(principal, "worklist.read")
        today = self._today()
        sight = self.gate.sight_of_lists(principal, "worklist.read")
        what = ("worklist", principal.member_id, wanted, today)
        if ready := self.shown.look(principal, None, sight, what, asked="worklist"):
            kept: Page = ready.answer
            return kept
        read = self._plain if wanted.plain else self._found
        until = self.now() + PATIENCE
        position, rows, head = read(principal, wanted, today)
        if position < wanted.at_least:
            self._refuse_beyond(principal.clinic_id, wanted.at_least)
        while position < wanted.at_least:
            if self.now() >= until:
                raise NotYetVisibleError(
                    f"The list shows what was recorded up to position {position}; try again shortly.",
                    position=position,
                )
            self.pause(PAUSE)
            position, rows, head = read(principal, wanted, today)
        self.gate.looked(principal, sight, None, asked="worklist")
        shown = rows[: wanted.limit]
        place = tuple(shown[-1][3:7]) if len(rows) > wanted.limit else None
        seals = self.plans.seals(principal.clinic_id)
        page = Page([*_told_of(seals, shown)], place, position, today)
        if position == head:
            ready = Ready(page, sum(map(len, page.obligations)), still=Still(position=head))
            self.shown.put(principal.clinic_id, principal.clinic_id, sight, what, ready)
        return page

    def counts(self, principal: Principal, *, team: bool, days: int) -> Counts:
        """How much of one list is overdue, due within so many days from today, and later."""
        self.gate.require(principal, "worklist.read")
        today = self._today()
        query = sql.SQL(_COUNTS).format(sql.Identifier("supervisor_id" if team else "therapist_id"))

        def read(conn: BoundedConnection) -> TupleRow | None:
            until = today + timedelta(days=days)
            parameters = [today, today, until, until, principal.clinic_id, principal.member_id]
            return conn.execute(query, parameters, binary=True).fetchone()

        row = self.database.in_clinic(principal.clinic_id, read)
        return Counts(*row) if row else Counts(0, 0, 0)

    def _refuse_beyond(self, clinic_id: UUID, position: int) -> None:
        def read(conn: BoundedConnection) -> TupleRow | None:
            return conn.execute(_HEAD, [clinic_id]).fetchone()

        row = self.database.in_clinic(clinic_id, read)
        last = row[0] if row else 0
        if position > last:
            raise BeyondLogError(
                f"The clinic's log ends at {last}; ask for at_least={last} or less.", position=last
            )

    def of_plan(self, principal: Principal, plan_id: UUID) -> dict[str, Any]:
        """What one plan owes now, with everything that is recorded; raises PlanNotFoundError."""
        sight = self.gate.see(principal, "plans.read", plan_id)
        policy, today = self.policy(principal.clinic_id), self._today().isoformat()
        with reading_plan(self.plans, principal.clinic_id, plan_id) as plan:
            owed = [
                {**held.document(), "overdue": held.due_on is not None and held.due_on < today}
                for held in obligations(plan.state, policy)
                if sight.full or held.kind in CONCERNS_CLIENTS
            ]
            version = plan.version
        self.gate.looked(principal, sight, plan_id, version=version, asked="obligations")
        shown = {"plan_id": str(plan_id), "version": version}
        return {**shown, "obligations": owed, "today": today}

    def reasons(
        self, principal: Principal, owed: Sequence[Mapping[str, Any]]
    ) -> dict[tuple[str, str], str]:
        """By plan and thing, what each obligation is about, in a sentence: the entry that called for it."""
        by_plan: dict[str, set[str]] = {}
        for held in owed:
            if held["about"] != "plan":
                by_plan.setdefault(held["plan_id"], set()).add(held["about"])
        found = {}
        for plan_id, things in islice(by_plan.items(), MOST_REASONS):
            if self.gate.relation(principal, "worklist.read", UUID(plan_id)) is None:
                continue
            with reading_plan(self.plans, principal.clinic_id, UUID(plan_id)) as plan:
                for thing in things:
                    found[plan_id, thing] = _told(plan, thing)
        return found

    def _today(self) -> date:
        return self.clock().astimezone(UTC).date()

    def _plain(
        self, principal: Principal, wanted: Wanted, today: date
    ) -> tuple[int, Sequence[TupleRow], int | None]:
        """The position the list holds, its rows, and the end of the clinic's log (None: nobody looked)."""

        def read(conn: BoundedConnection) -> list[TupleRow]:
            parameters = [
                principal.clinic_id,
                Worklist.version,
                principal.member_id,
                wanted.team,
                today,
                wanted.limit + 1,
            ]
            return conn.execute(_PLAIN, parameters, binary=True).fetchall()

        first, *rows = self.database.run(read)
        return first[0], rows, first[7]

    def _found(
        self, principal: Principal, wanted: Wanted, today: date
    ) -> tuple[int, Sequence[TupleRow], int | None]:
        query, parameters = _search(principal, wanted, today)

        def read(conn: BoundedConnection) -> tuple[int, list[TupleRow], None]:
            # First the position, then the page: what is shown is never older than what is said.
            position = conn.execute(_POSITION, [Worklist.version, principal.clinic_id]).fetchone()
            assert position is not None
            return position[0], conn.execute(query, parameters, binary=True).fetchall(), None

        return self.database.in_clinic(principal.clinic_id, read)


def _search(principal: Principal, wanted: Wanted, today: date) -> tuple[sql.Composed, list[Any]]:
    """The query for what is wanted: conditions from a closed list, values as parameters.

    Each of the two lists is read in the order of its own index; both together are merged.
    """
    tests: list[tuple[str, Sequence[Any] | None]] = [
        ("kind = %s", [wanted.kind] if wanted.kind else None),
        ("due_by < %s", [today] if wanted.overdue is True else None),
        ("due_by >= %s", [today] if wanted.overdue is False else None),
        ("due_by < %s", [wanted.due_before] if wanted.due_before else None),
        ("due_by >= %s", [wanted.due_from] if wanted.due_from else None),
        ("(due_by, plan_id, kind, about) > (%s, %s, %s, %s)", wanted.after),
    ]
    held = [(condition, values) for condition, values in tests if values is not None]
    conditions = sql.SQL("").join(sql.SQL(f" AND {condition}") for condition, _ in held)
    values = [value for _, given in held for value in given]
    most = wanted.limit + 1
    part = [today, principal.clinic_id, principal.member_id, *values, most]
    mine, team = (
        sql.SQL(_PART).format(whose=sql.Identifier(whose), conditions=conditions)
        for whose in ("therapist_id", "supervisor_id")
    )
    if wanted.mine and wanted.team:
        return sql.SQL(_BOTH).format(one=mine, other=team), [*part, *part, most]
    return mine if wanted.mine else team, part


def _told(plan: Plan, thing: str) -> str:
    goal = plan.state.goals.get(thing)
    if goal is not None:
        return goal.statement
    entry = plan.standing_entry(thing)
    return entry.data.tell(plan.state) if entry else ""


def _told_of(seals: Seals, rows: Sequence[TupleRow]) -> Iterator[bytes]:
    """The kept obligations, each told whether it is overdue; those of an erased plan are left out."""
    for _, kept, overdue, _, plan_id, kind, about, *_ in rows:
        shown = seals.read(Worklist.name, plan_id, f"{kind} {about}", kept)
        if shown is not None:
            yield shown[:-1] + (b',"overdue":true}' if overdue else b',"overdue":false}')
