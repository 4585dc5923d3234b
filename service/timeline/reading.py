"""Reading timelines: the record beside its read model, and what that still lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg import sql
from psycopg.rows import TupleRow

from domain.entry import Entry
from domain.errors import EntryNotFoundError, PlanNotFoundError
from domain.policy import Policy
from domain.release import held_back
from projections.timeline import threads
from service.access import Gate, Principal, Sight, Still
from service.access.table import CLINIC, FULL, METADATA, RELEASED
from service.database import BoundedConnection, Database
from service.record.plans import Plans
from service.shown import Ready, Shown
from service.timeline.finding import COLUMNS, Filter, comes_after, matches, search
from service.timeline.telling import Told, entry_json, without_words

_PLAIN = """
SELECT position, version, plan, recorded_at, entry, command, topic, state,
    sentence, corrected_by, addenda, in_error_by, behind, head FROM read_timeline(%s, %s, %s, %s)
"""
_BEHIND = """
SELECT NOT EXISTS (SELECT FROM timeline t WHERE t.clinic_id = e.clinic_id AND t.position = e.position)
FROM entries e WHERE e.clinic_id = %s AND e.plan_id = %s ORDER BY e.version DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of entries, each as JSON text, and where the next one begins (None: this is the last).

    ``head``: the plan's newest version, where the page holds for as long as it is that one; ``joined``: the
    entries with commas between them, where that was made already.
    """

    entries: list[str]
    next: tuple[str, int] | None
    head: int | None = None
    joined: bytes = b""


class TimelineService:
    """Reads the record beside the ``timeline`` read model; what that still lacks is told live."""

    def __init__(
        self,
        database: Database,
        plans: Plans,
        policy: Callable[[UUID], Policy],
        gate: Gate,
        shown: Shown,
    ) -> None:
        self.database = database
        self.plans = plans
        self.policy = policy
        self.gate = gate
        self.shown = shown

    def of_plan(self, principal: Principal, plan_id: UUID, wanted: Filter) -> Page:
        """A page of one plan's timeline; raises PlanNotFoundError."""
        sight = self.gate.see(principal, "plans.timeline", plan_id)
        what = ("timeline", wanted, self.policy(principal.clinic_id).late_after)
        if ready := self.shown.look(principal, plan_id, sight, what, asked="timeline"):
            page: Page = ready.answer
            return page
        page = self._of_history(principal, plan_id, wanted)
        self.gate.looked(principal, sight, plan_id, asked="timeline")
        seen = Page(self._as_seen(principal, sight, page.entries), page.next)
        if page.head is not None and sight.full:
            seen = replace(seen, joined=",".join(seen.entries).encode())
            ready = Ready(seen, 2 * len(seen.joined), page.head, Still(version=page.head))
            self.shown.put(principal.clinic_id, plan_id, sight, what, ready)
        return seen

    def whole(self, principal: Principal, plan_id: UUID) -> Iterator[str]:
        """Every entry of a plan, for a use case that has seen to it that they may see all of it."""
        wanted = Filter(limit=200)
        while True:
            page = self._of_history(principal, plan_id, wanted)
            yield from page.entries
            if page.next is None:
                return
            wanted = replace(wanted, after=page.next)

    def of_clinics_own(self, principal: Principal, wanted: Filter) -> Page:
        """A page of what the clinic recorded about itself: people, supervision, policy."""
        self.gate.require(principal, "clinic.history")
        return self._of_history(principal, principal.clinic_id, wanted)

    def _of_history(self, principal: Principal, plan_id: UUID, wanted: Filter) -> Page:
        plain = wanted == Filter(limit=wanted.limit, after=wanted.after)
        rows = self._plain(principal, plan_id, wanted) if plain else []
        behind = rows[0][12] if rows else self._behind(principal, plan_id)
        if behind:
            rows = self._live(principal, plan_id, wanted)
        elif not plain:
            rows = self._found(principal, plan_id, wanted)
        page = self._page(principal, rows, wanted, by_version=plain, live=bool(behind))
        return replace(page, head=rows[0][13]) if plain and rows and not behind else page

    def _behind(self, principal: Principal, plan_id: UUID) -> bool:
        """Whether the read model lacks the plan's newest entry; raises PlanNotFoundError for no plan."""

        def read(conn: BoundedConnection) -> TupleRow | None:
            return conn.execute(_BEHIND, [principal.clinic_id, plan_id]).fetchone()

        row = self.database.in_clinic(principal.clinic_id, read)
        if row is None and plan_id != principal.clinic_id:
            raise PlanNotFoundError("There is no such plan here; check its id.")
        return row is not None and bool(row[0])

    def _live(self, principal: Principal, plan_id: UUID, wanted: Filter) -> list[TupleRow]:
        """What a filter finds among the entries themselves, for a plan the read model is behind with."""
        occurred, newest_first = wanted.order.endswith("occurred"), wanted.order.startswith("-")

        def moment(entry: Entry) -> datetime:
            return entry.occurred_at if occurred else entry.recorded_at

        def place(entry: Entry) -> tuple[datetime | None, int]:
            return (entry.occurred_at if occurred else None), entry.version

        with self.plans.reading(principal.clinic_id, plan_id) as plan:
            found = [held for held in plan.entries if matches(held, moment(held), wanted)]
        found.sort(key=place, reverse=newest_first)
        if wanted.after is not None:
            found = [held for held in found if comes_after(held, wanted, newest_first)]
        versions = [held.version for held in found[: wanted.limit + 1]]
        rows = {row[1]: row for row in self._of_versions(principal, plan_id, versions)}
        return [rows[version] for version in versions]

    def of_clinic(self, principal: Principal, wanted: Filter) -> Page:
        """A page of the clinic's timeline: the audit search."""
        within = self.gate.reach(principal, "clinic.timeline", "e.plan_id")
        if principal.sees_own_actions("clinic.timeline"):
            wanted = replace(wanted, recorded_by=principal.member_id)
        rows = self._found(principal, wanted.plan_id, wanted, within)
        page = self._page(principal, rows, wanted)
        sight = self.gate.looked_through(principal, "clinic.timeline", asked="timeline")
        return Page(self._as_seen(principal, sight, page.entries), page.next)

    def entry(self, principal: Principal, plan_id: UUID, entry_id: UUID) -> dict[str, Any]:
        """One entry with the corrections, addenda and mark that are about it, told in full."""
        sight = self.gate.see(principal, "plans.timeline", plan_id)
        shown = self._in_full(principal, sight, plan_id, entry_id)
        self.gate.looked(principal, sight, plan_id, version=shown["version"], asked="entry")
        return shown

    def entry_of_clinics_own(self, principal: Principal, entry_id: UUID) -> dict[str, Any]:
        """One entry of what the clinic recorded about itself, told in full like one of a plan."""
        self.gate.require(principal, "clinic.history")
        sight = Sight("clinic.history", CLINIC, FULL)
        return self._in_full(principal, sight, principal.clinic_id, entry_id)

    def _in_full(
        self, principal: Principal, sight: Sight, plan_id: UUID, entry_id: UUID
    ) -> dict[str, Any]:
        with self.plans.reading(principal.clinic_id, plan_id) as plan:
            held = next((e for e in plan.entries if e.entry_id == str(entry_id)), None)
            hidden = sight.view == RELEASED and str(entry_id) in held_back(plan.entries)
            if held is None or hidden:
                raise EntryNotFoundError("This plan has no such entry; check its id.")
            said = threads(plan).get(held.version, ([], [], None))
        corrections, addenda, mark = said
        versions = {held.version, *corrections, *addenda, *([mark] if mark else [])}
        rows = self._of_versions(principal, plan_id, sorted(versions))
        page = self._page(principal, rows, Filter(limit=len(rows)), live=True)
        seen = self._as_seen(principal, sight, page.entries)
        told = {shown["version"]: shown for shown in map(orjson.loads, seen)}
        shown: dict[str, Any] = dict(told[held.version])
        shown["corrections"] = [told[version] for version in corrections]
        shown["addenda"] = [told[version] for version in addenda]
        shown["marked_in_error"] = told[mark] if mark else None
        return shown

    def _plain(self, principal: Principal, plan_id: UUID, wanted: Filter) -> list[TupleRow]:
        after = wanted.after[1] if wanted.after else 0

        def read(conn: BoundedConnection) -> list[TupleRow]:
            parameters = [principal.clinic_id, plan_id, after, wanted.limit + 1]
            return conn.execute(_PLAIN, parameters, binary=True).fetchall()

        return self.database.run(read)

    def _of_versions(
        self, principal: Principal, plan_id: UUID, versions: list[int]
    ) -> list[TupleRow]:
        def read(conn: BoundedConnection) -> list[TupleRow]:
            query = (
                f"SELECT {COLUMNS} FROM entries e LEFT JOIN timeline t "
                "ON t.clinic_id = e.clinic_id AND t.position = e.position "
                "WHERE e.clinic_id = %s AND e.plan_id = %s AND e.version = ANY(%s) ORDER BY e.version"
            )
            parameters = [principal.clinic_id, plan_id, versions]
            return conn.execute(query.encode(), parameters, binary=True).fetchall()

        return self.database.in_clinic(principal.clinic_id, read)

    def _as_seen(self, principal: Principal, sight: Sight, entries: list[str]) -> list[str]:
        """Entries (JSON texts) as far as they are seen: all, without working notes, without words."""
        if sight.full:
            return entries
        shown = [orjson.loads(text) for text in entries]
        if sight.view == METADATA:
            return [orjson.dumps(without_words(held)).decode() for held in shown]
        back: frozenset[str] = frozenset()
        for plan_id in {held["plan_id"] for held in shown}:
            with self.plans.reading(principal.clinic_id, UUID(plan_id)) as plan:
                back |= held_back(plan.entries)
        return [
            text for held, text in zip(shown, entries, strict=True) if held["entry_id"] not in back
        ]

    def _found(
        self,
        principal: Principal,
        plan_id: UUID | None,
        wanted: Filter,
        within: tuple[sql.Composable, Sequence[Any]] | None = None,
    ) -> list[TupleRow]:
        query, parameters = search(principal.clinic_id, plan_id, wanted, within)

        def read(conn: BoundedConnection) -> list[TupleRow]:
            return conn.execute(query, parameters, binary=True).fetchall()

        return self.database.in_clinic(principal.clinic_id, read)

    def _page(
        self,
        principal: Principal,
        rows: list[TupleRow],
        wanted: Filter,
        *,
        by_version: bool = False,
        live: bool = False,
    ) -> Page:
        more = len(rows) > wanted.limit
        rows = rows[: wanted.limit]
        untold: dict[str, set[int]] = {}
        for row in rows:
            if live or row[8] is None:
                untold.setdefault(row[2], set()).update([row[1]] if row[8] is None else [])
        told = {held: self._told_live(principal, held, need) for held, need in untold.items()}
        late_after = self.policy(principal.clinic_id).late_after
        seals = self.plans.seals(principal.clinic_id)
        shown = [entry_json(seals, row, told, late_after) for row in rows]
        place = None
        if more and shown:
            last = orjson.loads(shown[-1])
            clock = last["occurred_at" if "occurred" in wanted.order else "recorded_at"]
            place = (clock, last["version" if by_version else "position"])
        return Page(shown, place)

    def _told_live(self, principal: Principal, plan_id: str, versions: set[int]) -> Told:
        """The sentences of ``versions`` in the words of then, and every thread of the plan."""
        with self.plans.reading(principal.clinic_id, UUID(plan_id)) as plan:
            walk = type(plan).new(plan.id)
            sentences = {}
            for held in plan.entries if versions else ():
                walk.learn(held)
                if held.version in versions:
                    sentences[held.version] = held.data.tell(walk.state)
            return sentences, threads(plan)
