"""The library's ApplicationRecorder, bound to one clinic: its notification ids are the positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    Notification,
    StoredEvent,
    Subscription,
)
from psycopg.rows import TupleRow

from domain.errors import PlanAlreadyOpenError, PlanErasedError
from projections.sealing import Seals, place_of_entry
from service.database import BoundedConnection, Database
from service.errors import (
    KeyReusedError,
    NotARehearsalError,
    PlanChangedError,
    StoreUnavailableError,
    UnknownClinicError,
)
from service.record.mapper import StoredEntry

_APPEND = """
SELECT outcome, plan, first_version, last_version, last_position, recorded
FROM append_entries(%s, %s, %s, %s, %b::uuid[], %s::text[], %b::bytea[], %s, %s, %s, %s, %s, %s, %s,
    %b::uuid[])
"""
_BY_PLAN = """
SELECT position, version, recorded_at, entry_id, command_id, topic, state
FROM entries WHERE clinic_id = %s AND plan_id = %s AND version > %s AND version <= %s
"""
_BY_POSITION = """
SELECT position, version, recorded_at, entry_id, command_id, topic, state, plan_id
FROM entries WHERE clinic_id = %s AND position >= %s AND position <= %s
AND (%s::text[] IS NULL OR topic = ANY(%s::text[])) ORDER BY position LIMIT %s
"""
LAST = 2_147_483_647


@dataclass(slots=True)
class Command:
    """What an append needs beside the entries, and what came of it.

    ``key`` and ``digest``: the idempotency key and the SHA-256 of the request it came with.
    ``client_ref`` and ``open``: whether the plan is open for its client from now on (None: as it was).
    ``recorded_at``: only for a rehearsal clinic.
    """

    command_id: UUID
    principal: UUID | None = None
    key: str | None = None
    digest: bytes | None = None
    client_ref: str | None = None
    open: bool | None = None
    alongside: bool = False
    told_recorded_at: datetime | None = None
    # what came of it
    replayed: bool = False
    plan_id: UUID | None = None
    first_version: int = 0
    last_version: int = 0
    last_position: int = 0
    recorded_at: datetime | None = None


class ClinicRecorder(ApplicationRecorder):
    """Appends through ``append_entries`` and reads under the clinic's row-level security."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self.database = database
        self.seals = seals
        self.clinic_id = seals.clinic_id

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Append one plan's entries in one round trip and one commit; returns their positions.

        ``command``: a Command. Raises PlanChangedError, KeyReusedError, PlanAlreadyOpenError,
        StoreUnavailableError. After an ambiguous failure what was stored is looked up before
        answering, so an acknowledged write is never called a conflict.
        """
        command: Command = kwargs["command"]
        entries = [held for held in stored_events if isinstance(held, StoredEntry)]
        if not entries:
            return []
        sealed = [self._sealed(entry) for entry in entries]
        with self.database.time_limit():
            row = self._append_surely(sealed, command)
        self._settle(row, entries, command)
        if command.replayed:
            return None
        first = command.last_position - len(entries) + 1
        return range(first, command.last_position + 1)

    def _sealed(self, entry: StoredEntry) -> StoredEntry:
        """The entry with its state as it is kept; raises PlanErasedError when its key is no more."""
        if entry.key_id is None:
            return entry
        cipher = self.seals.keys.cipher(entry.key_id)
        if cipher is None:
            raise PlanErasedError("This plan was erased; nothing is recorded in it any more.")
        place = place_of_entry(
            self.clinic_id, entry.originator_id, entry.originator_version, entry.entry_id
        )
        return replace(entry, state=cipher.seal(entry.state, place))

    def _append_surely(self, entries: list[StoredEntry], command: Command) -> TupleRow:
        """Append, or find out that an append which did not answer had been committed all the same.

        Tried again for as long as connections prove dead and there is time. Then the attempt before
        may be committed between the look and the next attempt, and that one be told of a change.
        """
        again = False
        while True:
            try:
                row = self._append(entries, command)
            except StoreUnavailableError as failed:
                found = self._stored_already(entries)
                if found is not None:
                    return found
                if not failed.facts.get("stale"):
                    raise
                again = True
            else:
                changed = again and row[0] == "plan-changed"
                return (changed and self._stored_already(entries)) or row

    def _append(self, entries: list[StoredEntry], command: Command) -> TupleRow:
        first = entries[0]
        parameters = (
            self.clinic_id,
            first.originator_id,
            first.originator_version - 1,
            command.command_id,
            [entry.entry_id for entry in entries],
            [entry.topic for entry in entries],
            [entry.state for entry in entries],
            command.principal,
            command.key,
            command.digest,
            command.client_ref,
            command.open,
            command.alongside,
            command.told_recorded_at,
            [entry.key_id for entry in entries],
        )
        with self.database.connection() as conn:
            row = conn.execute(_APPEND, parameters).fetchone()
        assert row is not None
        return row

    def _stored_already(self, entries: list[StoredEntry]) -> TupleRow | None:
        """What ``append_entries`` would have answered, if exactly these entries are stored."""
        last = entries[-1]

        def look(conn: BoundedConnection) -> TupleRow | None:
            return conn.execute(
                "SELECT 'appended', plan_id, %s::int, version, position, recorded_at FROM entries "
                "WHERE clinic_id = %s AND plan_id = %s AND version = %s AND entry_id = %s",
                [
                    entries[0].originator_version,
                    self.clinic_id,
                    last.originator_id,
                    last.originator_version,
                    last.entry_id,
                ],
            ).fetchone()

        return self.database.in_clinic(self.clinic_id, look)

    def _settle(self, row: TupleRow, entries: list[StoredEntry], command: Command) -> None:
        outcome, plan_id, first_version, last_version, last_position, recorded_at = row
        if outcome == "plan-changed":
            raise PlanChangedError(
                f"The plan is at version {last_version} now; read it, then record again.",
                newest=last_version,
            )
        if outcome == "key-reused":
            raise KeyReusedError(
                "This Idempotency-Key came with another request before; use a fresh one."
            )
        if outcome == "already-open":
            raise already_open(plan_id)
        if outcome == "unknown-clinic":
            raise UnknownClinicError(
                "There is no such clinic; `plan-history clinic list` shows those there are."
            )
        if outcome == "not-a-rehearsal":
            raise NotARehearsalError("Only a rehearsal clinic may be told when it recorded.")
        command.replayed = outcome == "replayed"
        command.plan_id, command.recorded_at = plan_id, recorded_at
        command.first_version, command.last_version = first_version, last_version
        command.last_position = last_position or 0

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The stored entries of one plan."""
        query = _BY_PLAN + (" ORDER BY version DESC" if desc else " ORDER BY version")
        parameters: list[Any] = [
            self.clinic_id,
            originator_id,
            0 if gt is None else gt,
            LAST if lte is None else lte,
        ]
        if limit is not None:
            query, parameters = query + " LIMIT %s", [*parameters, limit]

        def read(conn: BoundedConnection) -> list[TupleRow]:
            return conn.execute(query.encode(), parameters, binary=True).fetchall()

        rows = self.database.in_clinic(self.clinic_id, read)
        return [_stored(row, UUID(str(originator_id))) for row in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """The clinic's entries by position: gapless and in commit order."""
        first = (start or 1) if inclusive_of_start else (start or 0) + 1
        wanted = list(topics) or None

        def read(conn: BoundedConnection) -> list[TupleRow]:
            last = 2**62 if stop is None else stop
            parameters = [self.clinic_id, first, last, wanted, wanted, limit]
            return conn.execute(_BY_POSITION, parameters, binary=True).fetchall()

        return [_stored(row[:7], row[7]) for row in self.database.in_clinic(self.clinic_id, read)]

    def max_notification_id(self) -> int | None:
        """The clinic's newest position, or None while its log is empty."""

        def read(conn: BoundedConnection) -> TupleRow | None:
            return conn.execute(
                "SELECT nullif(position, 0) FROM clinic_logs WHERE clinic_id = %s", [self.clinic_id]
            ).fetchone()

        row = self.database.in_clinic(self.clinic_id, read)
        return row[0] if row else None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Not offered: read models and the feed read by position, which cannot skip or hang."""
        raise NotImplementedError("Read by position with select_notifications.")


def _stored(row: Sequence[Any], plan_id: UUID) -> StoredEntry:
    position, version, recorded_at, entry_id, command_id, topic, state = row
    return StoredEntry(
        originator_id=plan_id,
        originator_version=version,
        topic=topic,
        state=state,
        id=position,
        entry_id=entry_id,
        command_id=command_id,
        recorded_at=recorded_at,
    )


def already_open(plan_id: UUID) -> PlanAlreadyOpenError:
    """The refusal of a second plan for a client who has an open one."""
    return PlanAlreadyOpenError(
        f"This client's plan {plan_id} is open; work on it, or say alongside: true.",
        "/client_ref",
        plan_id=str(plan_id),
    )
