"""A clinic's log as NDJSON and back: one heading, then one line an entry, in order of position."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import psycopg

from domain.aggregates import shell
from domain.errors import InvalidDataError, Problem
from domain.fields import plain_moment
from domain.history import History
from domain.plan import Plan
from projections.rows import COLUMNS, Row, entry_from_row
from projections.sealing import Keys, Seals, key_of
from service.clinics import create_clinic
from service.errors import UnknownClinicError

Connection = psycopg.Connection[Any]
FORMAT = "plan-history/clinic-log/v2"
TAKEN = (FORMAT, "plan-history/clinic-log/v1")
"""The formats that are read; in the first one nothing was sealed."""
END = f"{FORMAT}/end"
"""The format of the last line, which says what all lines before it add up to: their SHA-256."""
BATCH = 500
_READ = f"SELECT {COLUMNS}, plan_id, leaf FROM entries WHERE clinic_id = %s ORDER BY position"
_RESTORE = """
SELECT restore_entries(%s, %s, %s::uuid[], %s::int[], %s::uuid[], %s::uuid[], %s::timestamptz[],
    %s::text[], %s::uuid[], %s::bytea[])
"""
_RESTORED = (
    "plan_id", "version", "entry_id", "command_id", "recorded_at", "topic", "key_id", "state",
)  # fmt: skip
_HELD = f"SELECT {', '.join(_RESTORED)}, leaf FROM entries WHERE clinic_id = %s AND position = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An entry as a line of an export holds it."""

    position: int
    plan_id: UUID
    version: int
    entry_id: UUID
    command_id: UUID
    recorded_at: datetime
    topic: str
    key_id: UUID | None
    state: bytes
    leaf: bytes

    def row(self) -> Row:
        """It as a row of the record."""
        return (
            self.position,
            self.version,
            self.recorded_at,
            self.entry_id,
            self.command_id,
            self.topic,
            self.state,
        )


def to_line(held: dict[str, Any]) -> bytes:
    """One line of NDJSON."""
    return orjson.dumps(held) + b"\n"


def _confine(conn: Connection, clinic_id: UUID) -> None:
    conn.execute("SELECT set_config('plan_history.clinic_id', %s, false)", [str(clinic_id)])


def export_lines(
    conn: Connection, clinic_id: UUID, keys: Keys
) -> tuple[dict[str, Any], Generator[bytes, None, None]]:
    """The heading and the lines of a clinic's log (as the owner); raises UnknownClinicError."""
    _confine(conn, clinic_id)
    row = conn.execute(
        "SELECT c.name, c.rehearsal, l.position FROM clinics c "
        "JOIN clinic_logs l USING (clinic_id) WHERE clinic_id = %s",
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
    return heading, _lines(conn, Seals(keys, clinic_id), row[2])


def _lines(conn: Connection, seals: Seals, last: int) -> Generator[bytes, None, None]:
    told: set[UUID] = set()  # the keys that an earlier line brought
    with conn.transaction(), conn.cursor("export", binary=True) as cursor:
        cursor.itersize = 2_000
        for held in cursor.execute(_READ, [seals.clinic_id]):
            *row, plan_id, leaf = held
            if row[0] > last:
                return  # recorded since the heading was written
            yield to_line(with_key(entry_line(seals, row, plan_id, leaf), seals, told))


def with_key(line: dict[str, Any], seals: Seals, told: set[UUID]) -> dict[str, Any]:
    """A line that brings its key along, unless it is among those an earlier one brought."""
    key_id = line["key_id"]
    if key_id is None or key_id in told:
        return line
    told.add(key_id)
    return {**line, "key": _key_text(seals.keys.secret(key_id))}


def whole_log(
    heading: dict[str, Any],
    lines: Iterable[bytes],
    told: Callable[[int], None] = lambda _: None,
) -> Iterator[bytes]:
    """A clinic's log as a file: its heading, its entries, and a last line by which damage shows."""
    first = to_line(heading)
    digest = hashlib.sha256(first)
    yield first
    for line in lines:
        digest.update(line)
        yield line
        told(1)
    yield to_line({"format": END, "sha256": digest.hexdigest()})


def entry_line(seals: Seals, row: Sequence[Any], plan_id: UUID, leaf: bytes) -> dict[str, Any]:
    """An entry as a line of an export holds it.

    ``stored`` (base64) is what the leaf was made over, ``state`` what it says: null once it is erased.
    """
    position, version, recorded_at, entry_id, command_id, topic, kept = row
    state, key_id = seals.state(plan_id, version, entry_id, kept), key_of(kept)
    return {
        "position": position,
        "plan_id": plan_id,
        "version": version,
        "entry_id": entry_id,
        "command_id": command_id,
        "recorded_at": plain_moment(recorded_at),
        "topic": topic,
        "leaf": bytes(leaf).hex(),
        "key_id": key_id,
        "stored": b64encode(kept).decode(),
        "state": None if state is None else orjson.loads(state),
    }


def _key_text(secret: bytes | None) -> str | None:
    """A key in a line; null for one that was destroyed."""
    return None if secret is None else b64encode(secret).decode()


def import_lines(
    conn: Connection,
    lines: Iterable[bytes],
    keys: Keys,
    *,
    began: Callable[[int], None] = lambda _: None,
    told: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Restore a clinic from an export's lines (as the owner); goes on where an import stopped.

    Raises InvalidDataError naming the line at fault; batches before it stay whole.
    """
    given = iter(lines)
    first = next(given, b"")
    heading, digest = _heading(first), hashlib.sha256(first)
    clinic_id, total = UUID(heading["clinic_id"]), heading["entries"]
    seals = Seals(keys, clinic_id)
    began(total)
    known = _known(conn, clinic_id, heading)
    batch: list[Line] = []
    position, claimed = 0, ""
    for position, line in enumerate(given, start=1):
        if position == total + 1 and (claimed := _claimed(line)):
            continue
        digest.update(line)
        held = _entry(line, position, total, seals)
        if position <= known:
            _refuse_other(conn, clinic_id, held)
            told(1)
            continue
        batch.append(held)
        if len(batch) == BATCH:
            _restore(conn, clinic_id, batch)
            told(len(batch))
            batch = []
    with conn.transaction():
        if batch:
            _restore(conn, clinic_id, batch)  # names the line at fault, if its leaf shows it
        if claimed and claimed != digest.hexdigest():
            detail = "The file is not as it was written: its lines do not add up to this SHA-256."
            raise _wrong(_number(total + 1), detail)
    told(len(batch))
    if position < total:
        early = f"The file ends early: its heading promises {total} entries."
        raise _wrong(_number(position + 1), early)
    _claim(conn, seals)
    return {"clinic_id": str(clinic_id), "imported": max(total - known, 0), "known": known}


def _number(position: int) -> int:
    """The number of the line that holds the entry at a position: the first line is the heading."""
    return position + 1


def _wrong(number: int, detail: str) -> InvalidDataError:
    return InvalidDataError([Problem(f"/line/{number}", detail)])


def _heading(line: bytes) -> dict[str, Any]:
    try:
        held = orjson.loads(line)
        known = held["format"] in TAKEN
        UUID(str(held["clinic_id"]))
        heading = {**held, "entries": int(held["entries"]), "name": str(held["name"])}
    except (ValueError, KeyError, TypeError):
        known, heading = False, {}
    if not known:
        raise _wrong(1, f"This is no export of a clinic's log ({FORMAT}).")
    return heading


def _claimed(line: bytes) -> str:
    """What the last line of an export says that all lines before it add up to; empty for another line."""
    try:
        held = orjson.loads(line)
        return str(held["sha256"]) if held["format"] == END else ""
    except (ValueError, KeyError, TypeError):
        return ""


def _known(conn: Connection, clinic_id: UUID, heading: dict[str, Any]) -> int:
    _confine(conn, clinic_id)
    found = conn.execute("SELECT position FROM clinic_logs WHERE clinic_id = %s", [clinic_id])
    row = found.fetchone()
    if row is None:
        rehearsal = bool(heading.get("rehearsal"))
        create_clinic(conn, heading["name"], rehearsal=rehearsal, clinic_id=clinic_id)
        return 0
    return int(row[0])


def _entry(line: bytes, position: int, total: int, seals: Seals) -> Line:
    try:
        held = orjson.loads(line)
        state = _kept(held, seals)
        entry = Line(
            position=int(held["position"]),
            plan_id=UUID(held["plan_id"]),
            version=int(held["version"]),
            entry_id=UUID(held["entry_id"]),
            command_id=UUID(held["command_id"]),
            recorded_at=datetime.fromisoformat(held["recorded_at"]),
            topic=held["topic"],
            key_id=key_of(state),
            state=state,
            leaf=bytes.fromhex(held["leaf"]),
        )
        entry_from_row(entry.row(), entry.plan_id, seals)  # whatever is kept must be readable
        same = _says_what_is_stored(held, entry, seals)
    except Exception as wrong:
        detail = f"This line is no entry of a log: {type(wrong).__name__}."
        raise _wrong(_number(position), detail) from wrong
    if not same:
        detail = "This entry is not as it was exported: what it says is not what is stored."
        raise _wrong(_number(position), detail)
    if entry.position != position:
        detail = (
            f"Position {position} belongs here, not {entry.position}: lines are missing or moved."
        )
        raise _wrong(_number(position), detail)
    if position > total:
        detail = f"The file goes on here, but its heading promises {total} entries."
        raise _wrong(_number(position), detail)
    return entry


def _kept(held: dict[str, Any], seals: Seals) -> bytes:
    """The state as it is kept; the key it came with is kept, too."""
    if "stored" not in held:
        return orjson.dumps(held["state"])
    kept = b64decode(held["stored"], validate=True)
    key_id = key_of(kept)
    if key_id is not None and "key" in held:
        seals.keys.adopt(key_id, b64decode(held["key"]) if held["key"] else None)
    return kept


def _says_what_is_stored(held: dict[str, Any], entry: Line, seals: Seals) -> bool:
    """Whether what a line says for people is what it brings along."""
    state = seals.state(entry.plan_id, entry.version, entry.entry_id, entry.state)
    said: object = None if state is None else orjson.loads(state)
    return bool(held["state"] == said)


def _refuse_other(conn: Connection, clinic_id: UUID, held: Line) -> None:
    row = conn.execute(_HELD, [clinic_id, held.position], binary=True).fetchone()
    if row != tuple(getattr(held, name) for name in (*_RESTORED, "leaf")):
        detail = "The clinic holds another entry at this position; import into an empty one."
        raise _wrong(_number(held.position), detail)


def _restore(conn: Connection, clinic_id: UUID, batch: Sequence[Line]) -> None:
    columns = [[getattr(held, name) for held in batch] for name in _RESTORED]
    first, last = batch[0].position, batch[-1].position
    try:
        with conn.transaction():
            conn.execute(_RESTORE, [clinic_id, first, *columns])
            _refuse_changed(conn, clinic_id, batch)
    except (psycopg.IntegrityError, psycopg.DataError) as refused:
        said = refused.diag.message_primary or type(refused).__name__
        detail = f"The entries up to this line do not fit the log: {said}."
        raise _wrong(_number(last), detail) from refused


def _refuse_changed(conn: Connection, clinic_id: UUID, batch: Sequence[Line]) -> None:
    """Raise at the first entry whose leaf, computed anew, is not the one that was exported."""
    leaves = conn.execute(
        "SELECT leaf FROM entries WHERE clinic_id = %s AND position >= %s ORDER BY position",
        [clinic_id, batch[0].position],
    ).fetchall()
    for (leaf,), held in zip(leaves, batch, strict=True):
        if bytes(leaf) != held.leaf:
            detail = "This entry is not as it was exported: its leaf does not match."
            raise _wrong(_number(held.position), detail)


def _claim(conn: Connection, seals: Seals) -> None:
    """Note which plans are open for which client, as appending would have."""
    clinic_id = seals.clinic_id
    histories: dict[UUID, History] = {}
    with conn.transaction():
        # Nobody appends until the claims are noted.
        conn.execute("SELECT FROM clinic_logs WHERE clinic_id = %s FOR UPDATE", [clinic_id])
        with conn.cursor("claims", binary=True) as cursor:
            cursor.itersize = 2_000
            for row in cursor.execute(_READ, [clinic_id]):
                entry = entry_from_row(row[:7], row[7], seals)
                if entry.plan_id not in histories:
                    histories[entry.plan_id] = shell(entry)
                histories[entry.plan_id].learn(entry)
        conn.execute("DELETE FROM open_plans WHERE clinic_id = %s", [clinic_id])
        for plan_id, plan in histories.items():
            if isinstance(plan, Plan) and not plan.erased and not plan.state.lifecycle.closed:
                client_ref = plan.state.opening.outline.client_ref
                conn.execute(
                    "INSERT INTO open_plans VALUES (%s, %s, %s)", [clinic_id, client_ref, plan_id]
                )
