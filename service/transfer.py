"""A clinic's log as NDJSON and back: one heading, then one line an entry, in order of position."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from domain.entry import TOPICS
from domain.errors import InvalidDataError, Problem
from domain.fields import plain_moment
from domain.plan import Plan
from projections.rows import COLUMNS, entry_from_row
from service.clinics import create_clinic
from service.errors import UnknownClinicError

FORMAT = "plan-history/clinic-log/v1"
BATCH = 500
_READ = f"SELECT {COLUMNS}, plan_id, leaf FROM entries WHERE clinic_id = %s ORDER BY position"
_RESTORE = """
SELECT restore_entries(%s, %s, %s::uuid[], %s::int[], %s::uuid[], %s::uuid[], %s::timestamptz[],
    %s::text[], %s::bytea[])
"""


def to_line(held: dict[str, Any]) -> bytes:
    """One line of NDJSON."""
    return orjson.dumps(held) + b"\n"


def _confine(conn: Any, clinic_id: UUID) -> None:
    conn.execute("SELECT set_config('plan_history.clinic_id', %s, false)", [str(clinic_id)])


def export_lines(conn: Any, clinic_id: UUID) -> tuple[dict[str, Any], Generator[bytes, None, None]]:
    """The heading and the lines of a clinic's log (as the owner); raises UnknownClinicError."""
    _confine(conn, clinic_id)
    row = conn.execute(
        "SELECT c.name, c.rehearsal, l.position FROM clinics c JOIN clinic_logs l USING (clinic_id) "
        "WHERE clinic_id = %s",
        [clinic_id],
    ).fetchone()
    if row is None:
        raise UnknownClinicError(f"There is no clinic {clinic_id}: see plan-history clinic list.")
    heading = {
        "format": FORMAT,
        "clinic_id": str(clinic_id),
        "name": row[0],
        "rehearsal": row[1],
        "entries": row[2],
        "exported_at": plain_moment(datetime.now(UTC)),
    }
    return heading, _lines(conn, clinic_id, row[2])


def _lines(conn: Any, clinic_id: UUID, last: int) -> Generator[bytes, None, None]:
    with conn.transaction(), conn.cursor("export", binary=True) as cursor:
        cursor.itersize = 2_000
        for held in cursor.execute(_READ, [clinic_id]):
            position, version, recorded_at, entry_id, command_id, topic, state, plan_id, leaf = held
            if position > last:
                return  # recorded since the heading was written
            yield to_line(
                {
                    "position": position,
                    "plan_id": plan_id,
                    "version": version,
                    "entry_id": entry_id,
                    "command_id": command_id,
                    "recorded_at": plain_moment(recorded_at),
                    "topic": topic,
                    "leaf": bytes(leaf).hex(),
                    "state": orjson.loads(state),
                }
            )


def import_lines(
    conn: Any,
    lines: Iterable[bytes],
    *,
    began: Callable[[int], None] = lambda _: None,
    told: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Restore a clinic from an export's lines (as the owner); goes on where an earlier import stopped.

    Raises InvalidDataError naming the line at fault; batches before it stay, nothing is half-written.
    """
    given = iter(lines)
    heading = _heading(next(given, b""))
    clinic_id = UUID(heading["clinic_id"])
    began(heading["entries"])
    known = _known(conn, clinic_id, heading)
    imported, batch, number = 0, [], 1
    for number, line in enumerate(given, start=2):
        held = _entry(line, number)
        if held["position"] <= known:
            _refuse_other(conn, clinic_id, held, number)
            told(1)
            continue
        batch.append(held)
        if len(batch) == BATCH:
            imported += _restore(conn, clinic_id, batch, number)
            told(len(batch))
            batch = []
    if batch:
        imported += _restore(conn, clinic_id, batch, number)
        told(len(batch))
    if known + imported < heading["entries"] and number - 1 < heading["entries"]:
        raise _wrong(number + 1, f"The file ends early: its heading promises {heading['entries']} entries.")
    _claim(conn, clinic_id)
    return {"clinic_id": str(clinic_id), "imported": imported, "known": known}


def _wrong(number: int, detail: str) -> InvalidDataError:
    return InvalidDataError([Problem(f"/line/{number}", detail)])


def _heading(line: bytes) -> dict[str, Any]:
    try:
        held = orjson.loads(line)
        if held["format"] != FORMAT:
            raise ValueError(held["format"])
        UUID(held["clinic_id"])
        return {**held, "entries": int(held["entries"]), "name": str(held["name"])}
    except (ValueError, KeyError, TypeError) as wrong:
        raise _wrong(1, f"This is no export of a clinic's log ({FORMAT}).") from wrong


def _known(conn: Any, clinic_id: UUID, heading: dict[str, Any]) -> int:
    _confine(conn, clinic_id)
    row = conn.execute("SELECT position FROM clinic_logs WHERE clinic_id = %s", [clinic_id]).fetchone()
    if row is None:
        rehearsal = bool(heading.get("rehearsal"))
        create_clinic(conn, heading["name"], rehearsal=rehearsal, clinic_id=clinic_id)
        return 0
    return int(row[0])


def _entry(line: bytes, number: int) -> dict[str, Any]:
    try:
        held = orjson.loads(line)
        entry = {
            "position": int(held["position"]),
            "plan_id": UUID(held["plan_id"]),
            "version": int(held["version"]),
            "entry_id": UUID(held["entry_id"]),
            "command_id": UUID(held["command_id"]),
            "recorded_at": datetime.fromisoformat(held["recorded_at"]),
            "topic": held["topic"],
            "leaf": bytes.fromhex(held["leaf"]),
            "state": orjson.dumps(held["state"]),
        }
        if entry["topic"] not in TOPICS:
            raise ValueError(f"unknown topic {str(entry['topic'])[:60]}")
        _readable(entry)
    except Exception as wrong:
        raise _wrong(number, f"This line is no entry of a log: {type(wrong).__name__}.") from wrong
    return entry


def _readable(held: dict[str, Any]) -> None:
    """Raise unless the entry can be read back."""
    names = ("position", "version", "recorded_at", "entry_id", "command_id", "topic", "state")
    values = [held[name] for name in names]
    entry_from_row(tuple(values), held["plan_id"])  # type: ignore[arg-type] # the columns in order


def _refuse_other(conn: Any, clinic_id: UUID, held: dict[str, Any], number: int) -> None:
    row = conn.execute(
        "SELECT entry_id, leaf FROM entries WHERE clinic_id = %s AND position = %s",
        [clinic_id, held["position"]],
    ).fetchone()
    if row is None or row[0] != held["entry_id"] or bytes(row[1]) != held["leaf"]:
        raise _wrong(number, "The clinic holds another entry at this position; import into an empty one.")


def _restore(conn: Any, clinic_id: UUID, batch: list[dict[str, Any]], number: int) -> int:
    names = ("plan_id", "version", "entry_id", "command_id", "recorded_at", "topic", "state")
    columns = [[held[name] for held in batch] for name in names]
    try:
        with conn.transaction():
            conn.execute(_RESTORE, [clinic_id, batch[0]["position"], *columns])
            last = batch[-1]
            row = conn.execute(
                "SELECT leaf FROM entries WHERE clinic_id = %s AND position = %s",
                [clinic_id, last["position"]],
            ).fetchone()
            if row is None or bytes(row[0]) != last["leaf"]:
                detail = "An entry up to here differs from what was exported: its leaf does not match."
                raise _wrong(number, detail)
    except InvalidDataError:
        raise
    except Exception as refused:
        said = getattr(getattr(refused, "diag", None), "message_primary", None) or type(refused).__name__
        raise _wrong(number, f"The entries up to this line do not fit the log: {said}.") from refused
    return len(batch)


def _claim(conn: Any, clinic_id: UUID) -> None:
    """Note which plans are open for which client, as appending would have."""
    plans: dict[UUID, Plan] = {}
    with conn.transaction(), conn.cursor("claims", binary=True) as cursor:
        cursor.itersize = 2_000
        for row in cursor.execute(_READ, [clinic_id]):
            entry = entry_from_row(row[:7], row[7])
            plan = plans.get(entry.plan_id)
            if plan is None:
                plan = plans[entry.plan_id] = Plan.shell(entry)
            plan.learn(entry)
    with conn.transaction():
        conn.execute("DELETE FROM open_plans WHERE clinic_id = %s", [clinic_id])
        for plan_id, plan in plans.items():
            if not plan.state.lifecycle.closed:
                client_ref = plan.state.opening.outline.client_ref
                conn.execute(
                    "INSERT INTO open_plans VALUES (%s, %s, %s)", [clinic_id, client_ref, plan_id]
                )
