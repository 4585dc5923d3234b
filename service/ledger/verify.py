"""Verifying the live store: every leaf computed anew from its row, every tile, every root, every signature.

What is found is told by the first bad row and the kind of damage. A tree is verified only when it agrees with a
checkpoint that was held outside; all that lies in the same database can be rewritten together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from service.ledger.books import ENTRIES, Connection, Head, head_of, tiles_of
from service.ledger.leaves import Entry, Look
from service.ledger.logs import ENTRY_COLUMNS, LOOK_COLUMNS
from service.ledger.notes import Checkpoint, MalformedNoteError, Vkey
from service.ledger.signing import UntrustedNoteError, open_note
from service.ledger.tiles import WIDTH, Edge, split
from service.ledger.tree import leaf_hash

CHANGED, MISSING, MOVED, INSERTED, CUT_OFF = "changed", "missing", "moved", "inserted", "cut off"
REWRITTEN, SIGNATURE, TILE, UNSEALED = (
    "rewritten",
    "wrong signature",
    "damaged tile",
    "never sealed",
)
Told = Callable[[int], None]
_ENTRIES = (
    f"SELECT {ENTRY_COLUMNS}, e.leaf FROM entries e WHERE e.clinic_id = %s ORDER BY e.position"
)
_LEAVES = "SELECT leaf FROM entries WHERE clinic_id = %s ORDER BY position OFFSET %s"
_LAST = "SELECT position FROM clinic_logs WHERE clinic_id = %s"
_LOOKS = f"""
SELECT {LOOK_COLUMNS}, s.index FROM sealed_looks s
LEFT JOIN access_log a ON a.clinic_id = s.clinic_id AND a.look_id = s.look_id
WHERE s.clinic_id = %s ORDER BY s.index
"""
_UNSEALED = """
SELECT count(*), min(look_id) FILTER (WHERE looked_at < clock_timestamp() - interval '5 minutes')
FROM access_log a WHERE clinic_id = %s
AND NOT EXISTS (SELECT FROM sealed_looks s WHERE s.clinic_id = a.clinic_id AND s.look_id = a.look_id)
"""


_NEVER = "Nothing was ever sealed; is plan-history seal running?"


class DamageError(Exception):
    """The first thing that is not as it was: what kind of damage, and where (a position, or a look's leaf)."""

    def __init__(self, kind: str, at: int, why: str) -> None:
        super().__init__(why)
        self.kind = kind
        self.at = at


@dataclass(slots=True)
class Verdict:
    """What was found of one tree."""

    clinic_id: UUID
    tree: str
    sealed: int = 0
    unsealed: int = 0
    agrees_with: list[int] = field(default_factory=list)
    """The sizes of the held checkpoints it agrees with."""
    kind: str | None = None
    at: int | None = None
    why: str | None = None

    @property
    def damaged(self) -> bool:
        """Whether something is not as it was."""
        return self.kind is not None

    @property
    def verified(self) -> bool:
        """Whether it is as it was by something held outside."""
        return bool(self.agrees_with) and not self.damaged

    def document(self) -> dict[str, Any]:
        """It in JSON types."""
        return {
            "clinic_id": self.clinic_id,
            "tree": self.tree,
            "verified": self.verified,
            "sealed": self.sealed,
            "unsealed": self.unsealed,
            "agrees_with": self.agrees_with,
            "kind": self.kind,
            "at": self.at,
            "why": self.why,
        }


def verify(
    conn: Connection,
    clinic_id: UUID,
    tree: str,
    held: Sequence[Checkpoint] = (),
    trusted: Sequence[Vkey] = (),
    told: Told = lambda _: None,
) -> Verdict:
    """Verify one tree, as the owner, against the checkpoints of it that are ``held`` outside.

    ``trusted``: the keys its checkpoint must be signed with; those it names itself when there are none.
    """
    verdict = Verdict(clinic_id, tree)
    try:
        with conn.transaction():
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            head = _known(conn, clinic_id, tree)
            verdict.sealed = head.size
            mine = [one for one in held if one.origin == head.origin]
            signed = _signed(head, [key for key in trusted if key.name == head.origin])
            rebuilt = Rebuilt(conn, head, mine)
            check = check_entries if tree == ENTRIES else check_looks
            verdict.unsealed = check(conn, rebuilt, told)
            rebuilt.compare(signed)
            verdict.agrees_with = [one.size for one in mine]
    except DamageError as found:
        verdict.kind, verdict.at, verdict.why = found.kind, found.at, str(found)
    return verdict


def _known(conn: Connection, clinic_id: UUID, tree: str) -> Head:
    head = head_of(conn, clinic_id, tree)
    if head is None:
        raise DamageError(UNSEALED, 0, _NEVER)
    return head


def _signed(head: Head, trusted: Sequence[Vkey]) -> Checkpoint:
    if head.note is None:
        raise DamageError(UNSEALED, 0, _NEVER)
    try:
        note, _ = open_note(head.note.encode(), trusted or head.vkeys)
        signed = Checkpoint.parse(note.text)
    except (MalformedNoteError, UntrustedNoteError) as wrong:
        raise DamageError(SIGNATURE, head.size, f"The last checkpoint: {wrong}") from wrong
    if (signed.origin, signed.size) != (head.origin, head.size):
        raise DamageError(SIGNATURE, head.size, "The last checkpoint is one of another tree.")
    return signed


class Rebuilt:
    """A tree built anew from leaves, beside the one that is kept."""

    def __init__(self, conn: Connection, head: Head, held: Sequence[Checkpoint]) -> None:
        self.conn = conn
        self.head = head
        self.held = held
        self.edge = Edge(0, {})
        self.roots = {0: self.edge.root()}
        self._wanted = {head.size, *(one.size for one in held)}
        self._tile: tuple[int, list[bytes]] = (-1, [])

    @property
    def size(self) -> int:
        """How many leaves it has so far."""
        return self.edge.size

    def sealed(self, index: int) -> bytes:
        """The leaf that was sealed at a place; raises DamageError when its tile is lost."""
        number, at = divmod(index, WIDTH)
        if self._tile[0] != number:
            found = tiles_of(self.conn, self.head, [(0, number)])
            self._tile = (number, split(found.get((0, number), b"")))
        row = self._tile[1]
        if at >= len(row):
            raise DamageError(TILE, index + 1, f"Tile {number} of level 0 lacks hashes.")
        return row[at]

    def add(self, leaf: bytes) -> None:
        """The next leaf."""
        self.edge.append(leaf)
        if self.edge.size in self._wanted:
            self.roots[self.edge.size] = self.edge.root()
        if self.edge.size == self.head.size:
            self._refuse_damaged(self.edge.tiles())
        elif self.edge.grown and self.edge.size < self.head.size:
            self._refuse_damaged(self.edge.grown)
        self.edge.grown.clear()

    def _refuse_damaged(self, tiles: dict[tuple[int, int], bytes]) -> None:
        kept = tiles_of(self.conn, self.head, list(tiles))
        for place, hashes in tiles.items():
            if kept.get(place) != hashes:
                told = f"Tile {place[1]} of level {place[0]} is not what its leaves make."
                raise DamageError(TILE, place[1] * WIDTH ** (place[0] + 1) + 1, told)

    def compare(self, signed: Checkpoint) -> None:
        """Raise DamageError unless it has the signed root, and those that are held."""
        for one in sorted(self.held, key=lambda one: one.size):
            if one.size > self.size:
                told = f"The checkpoint held has {one.size} leaves, here are {self.size}."
                raise DamageError(CUT_OFF, self.size + 1, told)
            if self.roots[one.size] != one.root:
                told = f"The first {one.size} leaves are not those of the checkpoint held."
                raise DamageError(REWRITTEN, self._after(one.size), told)
        if self.roots[signed.size] != signed.root:
            raise DamageError(REWRITTEN, 1, "The leaves are not those of the last checkpoint.")

    def _after(self, size: int) -> int:
        """The first place that may differ: after the largest smaller checkpoint that agrees."""
        return max((one.size for one in self.held if one.size < size), default=0) + 1


def check_entries(conn: Connection, rebuilt: Rebuilt, told: Told) -> int:
    """Compute every entry's leaf; how many are not sealed. Raises DamageError at the first bad row."""
    clinic_id, chain = rebuilt.head.clinic_id, dict[UUID, tuple[int, bytes]]()
    for entry, stored in _entries(conn, clinic_id):
        at = rebuilt.size + 1
        version, previous = chain.get(entry.plan_id, (0, None))
        leaf = leaf_hash(entry.data(clinic_id, previous))
        sealed = rebuilt.sealed(at - 1) if at <= rebuilt.head.size else leaf
        if entry.position > at:
            raise DamageError(MISSING, at, f"The entry at position {at} is missing.")
        if leaf != sealed or stored != leaf or entry.version != version + 1:
            raise _damage(conn, rebuilt, stored)
        chain[entry.plan_id] = (entry.version, leaf)
        rebuilt.add(leaf)
        told(1)
    row = conn.execute(_LAST, [clinic_id]).fetchone()
    whole = max(rebuilt.head.size, row[0] if row else 0)
    if rebuilt.size < whole:
        at = rebuilt.size + 1
        raise DamageError(CUT_OFF, at, f"The log ends before position {at}; it had {whole}.")
    return rebuilt.size - rebuilt.head.size


def _entries(conn: Connection, clinic_id: UUID) -> Iterator[tuple[Entry, bytes]]:
    with conn.cursor("verify", binary=True) as cursor:
        cursor.itersize = 2_000
        for row in cursor.execute(_ENTRIES, [clinic_id]):
            yield Entry(*row[:-1]), row[-1]


def _damage(conn: Connection, rebuilt: Rebuilt, stored: bytes) -> DamageError:
    """What has become of the row that should come next, judged by the leaves that rows and tiles hold."""
    at, clinic_id = rebuilt.size + 1, rebuilt.head.clinic_id
    expected = rebuilt.sealed(at - 1) if at <= rebuilt.head.size else None
    later = {bytes(row[0]) for row in conn.execute(_LEAVES, [clinic_id, at])}
    places = range(rebuilt.head.size)
    elsewhere = next((place for place in places if rebuilt.sealed(place) == stored), at - 1)
    kind = CHANGED
    if elsewhere > at - 1:
        kind = MOVED if expected in later else MISSING
    elif elsewhere < at - 1 or (stored != expected and expected in later):
        kind = INSERTED
    said = {
        CHANGED: f"The entry at position {at} is not as it was recorded.",
        MISSING: f"The entry of position {at} is missing, and those after it were moved up.",
        MOVED: f"The entry of position {at} stands elsewhere.",
        INSERTED: f"The entry at position {at} was slipped in.",
    }
    return DamageError(kind, at, said[kind])


def check_looks(conn: Connection, rebuilt: Rebuilt, told: Told) -> int:
    """Compute every sealed look's leaf; how many are not sealed. Raises DamageError at the first bad row."""
    clinic_id = rebuilt.head.clinic_id
    with conn.cursor("verify", binary=True) as cursor:
        cursor.itersize = 2_000
        for *columns, index in cursor.execute(_LOOKS, [clinic_id]):
            place = rebuilt.size
            if columns[0] is None or index != place:
                raise DamageError(
                    MISSING, place + 1, f"The look sealed as leaf {place} is missing."
                )
            if place >= rebuilt.head.size:
                raise DamageError(INSERTED, place + 1, f"Leaf {place} was slipped in.")
            leaf = leaf_hash(Look(*columns).data(clinic_id))
            if leaf != rebuilt.sealed(place):
                why = f"Look {columns[0]}, leaf {place}, is not as it was sealed."
                raise DamageError(CHANGED, place + 1, why)
            rebuilt.add(leaf)
            told(1)
    if rebuilt.size < rebuilt.head.size:
        why = f"The looks end at leaf {rebuilt.size}; {rebuilt.head.size} were sealed."
        raise DamageError(CUT_OFF, rebuilt.size + 1, why)
    count, late = conn.execute(_UNSEALED, [clinic_id]).fetchone() or (0, None)
    if late is not None:
        raise DamageError(UNSEALED, late, f"Look {late} is minutes old and was never sealed.")
    return int(count)
