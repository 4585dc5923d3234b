"""A clinic's figures: plans opened and closed, relapses and reviews in time, swaps – by month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import orjson
from psycopg.rows import TupleRow

from service.access import Gate, Principal
from service.database import BoundedConnection, Database

_SUMS = """
SELECT figure, key, to_char(day, 'YYYY-MM') AS month, sum(count)::bigint,
    coalesce(sum(count) FILTER (WHERE day < %s), 0)::bigint
FROM clinic_figures WHERE clinic_id = %s AND day >= %s AND day < %s::date + interval '1 month'
GROUP BY figure, key, month ORDER BY figure, month, key
"""


@dataclass(frozen=True, slots=True)
class FiguresService:
    """Sums what the ``clinic_figures`` read model counts of each plan."""

    database: Database
    gate: Gate
    clock: Callable[[], datetime]

    def of_clinic(
        self, principal: Principal, first: date | None = None, last: date | None = None
    ) -> dict[str, Any]:
        """The figures of the months from that of ``first`` to that of ``last``, both included.

        Left out, ``last`` is this month (UTC; or ``first``, should that lie ahead) and ``first`` eleven
        months before it. What is counted
        belongs to the month in which it was true: the day a plan was opened or closed, a relapse noted,
        a review held (or due, when it is overdue), a technique swapped.
        """
        self.gate.require(principal, "figures.read")
        today = self.clock().astimezone(UTC).date()
        last = (last or max(today, first or today)).replace(day=1)
        first = (first or _a_year_to(last)).replace(day=1)

        def read(conn: BoundedConnection) -> list[TupleRow]:
            parameters = [today, principal.clinic_id, first, last]
            return conn.execute(_SUMS, parameters, binary=True).fetchall()

        rows = self.database.in_clinic(principal.clinic_id, read)
        months = {"from": f"{first:%Y-%m}", "to": f"{last:%Y-%m}"}
        return {**months, "today": today.isoformat(), **_summed(rows)}


def _a_year_to(last: date) -> date:
    return date(last.year, 1, 1) if last.month == 12 else date(last.year - 1, last.month + 1, 1)


def _summed(rows: Sequence[TupleRow]) -> dict[str, Any]:
    totals: Counter[tuple[str, str]] = Counter()
    for figure, key, _, count, _ in rows:
        totals[figure, key] += count
    relapses = {
        key: totals["relapse", key] for key in ("answered_in_time", "answered_late", "open")
    }
    return {
        "plans": {
            "opened": [
                {"month": month, "count": count}
                for figure, _, month, count, _ in rows
                if figure == "plan_opened"
            ],
            "closed": [
                {"month": month, **_ending(key), "count": count}
                for figure, key, month, count, _ in rows
                if figure == "plan_closed"
            ],
        },
        "relapses": {"noted": sum(relapses.values()), **relapses},
        "reviews": {
            "held_in_time": totals["formal_review", "in_time"],
            "held_late": totals["formal_review", "late"],
            "overdue": sum(past for figure, *_, past in rows if figure == "review_due"),
        },
        "swaps": _swaps(totals),
    }


def _ending(key: str) -> dict[str, str | None]:
    status, _, outcome = key.partition(":")
    return {"status": status, "outcome": outcome or None}


def _swaps(totals: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    """Technique to technique, the most frequent first."""
    found = [
        (count, orjson.loads(key)) for (figure, key), count in totals.items() if figure == "swap"
    ]
    return [
        {"from": before, "to": after, "count": count}
        for count, (before, after) in sorted(found, key=lambda held: (-held[0], held[1]))
    ]
