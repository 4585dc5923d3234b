"""The access log: every look at client content, and every refused attempt, kept before the answer.

Looks of several requests are written in one transaction: one of those who wait writes for all who wait
with them, then hands on to one who came meanwhile. Each waits until theirs is committed, none longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock
from typing import Any
from uuid import UUID

import orjson
from psycopg import sql
from psycopg.rows import TupleRow

from domain.fields import plain_moment
from service.access.principal import Principal, origin
from service.database import BoundedConnection, Database
from service.errors import StoreUnavailableError

CLIENT = "The client"
"""What clients are called here: the log outlives what is erased."""
_NOTE = "SELECT note_looks(%s)"
_NOTE_AT_KEPT = "SELECT note_looks_at_kept(%s)"
_OF_CLIENT = """
plan_id IN (SELECT c.plan_id FROM current_plans c WHERE c.clinic_id = access_log.clinic_id AND c.client_ref = %s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look, or attempt: at which plan, which version or moment, and why it was allowed.

    ``why``: the relation; None when it was refused. ``asked``: which moment or list, never words.
    """

    action: str
    plan_id: UUID | None = None
    version: int | None = None
    asked: str | None = None
    why: str | None = None
    view: str | None = None
    allowed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """What is to hold when somebody looks at something that was kept ready.

    ``version`` is the newest of the plan; ``made`` the row of ``current_plans`` it was read from; ``position``
    the newest of the clinic.
    """

    version: int | None = None
    made: int | None = None
    position: int | None = None


@dataclass(slots=True, eq=False)
class _Waiting:
    row: dict[str, Any]
    holds: bool = True
    woken: Event = field(default_factory=Event)
    writes: bool = False
    """Whether it is the turn of whoever waits for this to write; else it is written when woken."""
    failed: BaseException | None = None


class AccessLog:
    """Writes looks, and reads them back."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.patience = database.seconds
        self._lock = Lock()
        self._waiting: list[_Waiting] = []
        self._writing = False

    def note(self, principal: Principal, look: Look) -> None:
        """Keep a look; returns when it is committed, raises StoreUnavailableError when it is not."""
        self.note_all(principal, [look])

    def note_all(self, principal: Principal, looks: Sequence[Look]) -> None:
        """Keep several looks together, as ``note`` does one; at least one."""
        self._keep([_Waiting(_row(principal, look)) for look in looks])

    def note_while(self, principal: Principal, look: Look, still: Still) -> bool:
        """Keep a look, as ``note`` does, if that still holds; else False, and nothing is kept."""
        mine = _Waiting(_row(principal, look))
        mine.row["still_version"], mine.row["still_made"] = still.version, still.made
        mine.row["still_position"] = still.position
        self._keep([mine])
        return mine.holds

    def _keep(self, mine: list[_Waiting]) -> None:
        last = mine[-1]
        with self._lock:
            self._waiting += mine
            if not self._writing:
                self._writing = True
                self._hand_on(last)
        if not last.woken.wait(self.patience) and self._gave_up(mine):
            raise _no_answer()
        if last.writes:
            self._take_a_turn()
        if last.failed is not None:
            raise _no_answer()

    def _hand_on(self, to: _Waiting) -> None:
        """Let whoever waits for ``to`` write next. The lock must be held."""
        to.writes = True
        to.woken.set()

    def _gave_up(self, mine: list[_Waiting]) -> bool:
        """Take back what nobody will wait for any longer; False if it was its turn at the last moment."""
        with self._lock:
            if mine[-1].woken.is_set():
                return False
            self._waiting = [held for held in self._waiting if held not in mine]
            return True

    def _take_a_turn(self) -> None:
        """Write everything that waits, and hand on to the last who came meanwhile."""
        with self._lock:
            batch, self._waiting = self._waiting, []
        self._write(batch)
        with self._lock:
            if self._waiting:
                self._hand_on(self._waiting[-1])
            else:
                self._writing = False

    def _write(self, batch: list[_Waiting]) -> None:
        failed: BaseException | None = None
        try:
            looks = orjson.dumps([held.row for held in batch]).decode()
            if any("still_version" in held.row for held in batch):
                self._write_what_holds(batch, looks)
            else:
                self.database.run(lambda conn: conn.execute(_NOTE, [looks]))
        except BaseException as error:  # noqa: BLE001 - each who waits is told
            failed = error
        for held in batch:
            held.failed = failed
            held.woken.set()

    def _write_what_holds(self, batch: list[_Waiting], looks: str) -> None:
        def note(conn: BoundedConnection) -> TupleRow | None:
            return conn.execute(_NOTE_AT_KEPT, [looks], binary=True).fetchone()

        row = self.database.run(note)
        assert row is not None
        for held, holds in zip(batch, row[0], strict=True):
            held.holds = holds

    def read(
        self, clinic_id: UUID, wanted: Asked, within: sql.Composable, values: Sequence[Any]
    ) -> tuple[list[dict[str, Any]], int | None]:
        """A page of looks, newest first, that fulfil ``within``; and where the next one begins."""
        conditions: list[sql.Composable] = [sql.SQL("clinic_id = %s"), within]
        parameters: list[Any] = [clinic_id, *values]
        for condition, value in wanted.conditions():
            conditions.append(sql.SQL(condition))
            parameters.append(value)
        query = sql.SQL(
            "SELECT look_id, looked_at, member_id, name, role, token_id, action, plan_id, version, "
            "asked, why, view, allowed, address, request_id FROM access_log WHERE {} "
            "ORDER BY look_id DESC LIMIT %s"
        ).format(sql.SQL(" AND ").join(conditions))

        def find(conn: BoundedConnection) -> list[TupleRow]:
            return conn.execute(query, [*parameters, wanted.limit + 1], binary=True).fetchall()

        rows = self.database.in_clinic(clinic_id, find)
        shown = [_shown(row) for row in rows[: wanted.limit]]
        return shown, shown[-1]["look_id"] if len(rows) > wanted.limit else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which looks to read. ``since`` (included) and ``until`` (excluded) go by when they happened."""

    member_id: UUID | None = None
    plan_id: UUID | None = None
    client_ref: str | None = None
    action: str | None = None
    allowed: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 50
    after: int | None = None

    def conditions(self) -> list[tuple[str, Any]]:
        """Conditions from a closed list, with their values."""
        tests = (
            ("member_id = %s", self.member_id),
            ("plan_id = %s", self.plan_id),
            (_OF_CLIENT, self.client_ref),
            ("action = %s", self.action),
            ("allowed = %s", self.allowed),
            ("looked_at >= %s", self.since),
            ("looked_at < %s", self.until),
            ("look_id < %s", self.after),
        )
        return [(condition, value) for condition, value in tests if value is not None]


def _no_answer() -> StoreUnavailableError:
    return StoreUnavailableError("The access log did not answer; try again shortly.")


def _row(principal: Principal, look: Look) -> dict[str, Any]:
    there = origin()
    return {
        "clinic_id": principal.clinic_id,
        "member_id": principal.member_id,
        "token_id": principal.token_id,
        "name": principal.name if principal.role != "client" else CLIENT,
        "role": principal.role,
        "action": look.action,
        "plan_id": look.plan_id,
        "version": look.version,
        "asked": look.asked,
        "why": look.why,
        "view": look.view,
        "allowed": look.allowed,
        "address": there.address,
        "request_id": there.request_id,
    }


_NAMES = (
    "look_id", "looked_at", "member_id", "name", "role", "token_id", "action", "plan_id", "version",
    "asked", "why", "view", "allowed", "address", "request_id",
)  # fmt: skip


def _shown(row: TupleRow) -> dict[str, Any]:
    held = dict(zip(_NAMES, row, strict=True))
    held["looked_at"] = plain_moment(held["looked_at"])
    for name in ("member_id", "token_id", "plan_id"):
        held[name] = str(held[name]) if held[name] else None
    return held
