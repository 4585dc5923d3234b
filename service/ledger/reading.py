"""The ledger for those who check it: checkpoints, tiles, proofs – each as far as the reader may.

What is read here is the same for everybody but the proof of an entry and the entries' own leaves. Nothing here
can sign: the signatures are the sealer's.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from domain.errors import EntryNotFoundError, PlanNotFoundError
from domain.release import held_back
from service.access import Gate, Principal
from service.access.table import RELEASED
from service.database import BoundedConnection
from service.errors import BeyondTreeError, NotSealedYetError, TileNotFoundError
from service.ledger.books import ENTRIES, TREES, Head, head_of, tiles_of
from service.ledger.leaves import Entry
from service.ledger.logs import ENTRY_COLUMNS
from service.ledger.notes import proof_text, to_base64
from service.ledger.standing import standing, standing_of_plan
from service.ledger.tiles import WIDTH, hash_of, number_from, places_of, tile_from
from service.ledger.tree import HASH, Range, consistency, inclusion

T = TypeVar("T")
_FIND = "SELECT plan_id FROM entries WHERE clinic_id = %s AND entry_id = %s"
_ROWS = f"""
SELECT {ENTRY_COLUMNS}, p.leaf FROM entries e
LEFT JOIN entries p ON p.clinic_id = e.clinic_id AND p.plan_id = e.plan_id AND p.version = e.version - 1
WHERE e.clinic_id = %s
"""
_ONE = f"{_ROWS} AND e.entry_id = %s"
_SOME = f"{_ROWS} AND e.position > %s AND e.position <= %s ORDER BY e.position"


@dataclass(frozen=True, slots=True)
class Proof:
    """That an entry is in the log: its leaf, where it is, and the way from it to the checkpoint's root."""

    plan_id: UUID
    entry: Entry
    size: int
    leaf: bytes
    leaf_data: bytes
    path: Sequence[bytes]
    checkpoint: str
    vkeys: Sequence[str]

    @property
    def index(self) -> int:
        """Its leaf's number in the tree."""
        return self.entry.position - 1

    def document(self) -> dict[str, Any]:
        """It in JSON types."""
        return {
            "entry_id": str(self.entry.entry_id),
            "plan_id": str(self.plan_id),
            "version": self.entry.version,
            "position": self.entry.position,
            "index": self.index,
            "size": self.size,
            "leaf": to_base64(self.leaf),
            "leaf_data": to_base64(self.leaf_data),
            "path": list(map(to_base64, self.path)),
            "checkpoint": self.checkpoint,
            "vkeys": list(self.vkeys),
        }

    def text(self) -> str:
        """It as a C2SP tlog-proof."""
        return proof_text(self.index, self.path, self.checkpoint)


@dataclass(slots=True)
class LedgerService:
    """Reads both trees of a clinic."""

    gate: Gate

    def status(self, principal: Principal) -> dict[str, Any]:
        """How far each tree is sealed, what waits, and whether something is wrong."""
        self.gate.require(principal, "ledger.read")
        clinic_id = principal.clinic_id
        return self._read(
            principal, lambda conn: {tree: standing(conn, clinic_id, tree) for tree in TREES}
        )

    def of_plan(self, principal: Principal, plan_id: UUID) -> dict[str, Any]:
        """The same of the entries, and up to which ``version`` the plan is under the checkpoint.

        Raises PlanNotFoundError for a plan that is not within reach.
        """
        sight, clinic_id = self.gate.see(principal, "ledger.prove", plan_id), principal.clinic_id
        shown = self._read(principal, lambda conn: standing_of_plan(conn, clinic_id, plan_id))
        self.gate.looked(principal, sight, plan_id, version=shown["version"], asked="seals")
        return shown

    def checkpoint(self, principal: Principal, tree: str = ENTRIES) -> str:
        """The newest signed head of a tree; raises NotSealedYetError."""
        self.gate.require(principal, "ledger.read")
        return self._read(principal, lambda conn: _note(_head(conn, principal, tree)))

    def vkeys(self, principal: Principal, tree: str = ENTRIES) -> list[str]:
        """What the newest checkpoint's signatures are checked with, the newest key first."""
        self.gate.require(principal, "ledger.read")
        head = self._read(principal, lambda conn: _head(conn, principal, tree))
        return list(map(str, head.vkeys))

    def tile(self, principal: Principal, tree: str, level: str, path: str) -> bytes:
        """A tile by its address; raises TileNotFoundError."""
        self.gate.require(principal, "ledger.read")
        tile = tile_from(level, path)
        if tile is None:
            raise _no_tile()
        place = (tile.level, tile.number)

        def read(conn: BoundedConnection) -> bytes:
            head = _head(conn, principal, tree)
            return tiles_of(conn, head, [place]).get(place, b"")

        hashes = self._read(principal, read)[: tile.width * HASH]
        if len(hashes) != tile.width * HASH:
            raise _no_tile()
        return hashes

    def bundle(self, principal: Principal, path: str) -> bytes:
        """The data of up to 256 leaves, each with its length before it; raises TileNotFoundError.

        They hold ids, moments, kinds of entries and hashes of all the clinic's plans, no words.
        """
        self.gate.require(principal, "ledger.entries")
        place = number_from(path)
        if place is None:
            raise _no_tile()
        first, width = place[0] * WIDTH, place[1]

        def read(conn: BoundedConnection) -> list[Any]:
            if _head(conn, principal, ENTRIES).size < first + width:
                raise _no_tile()
            within = [principal.clinic_id, first, first + width]
            return conn.execute(_SOME.encode(), within, binary=True).fetchall()

        rows = self._read(principal, read)
        self.gate.looked_through(principal, "ledger.entries", asked=f"leaves {path}")
        leaves = (Entry(*row[:-1]).data(principal.clinic_id, row[-1]) for row in rows)
        return b"".join(struct.pack(">H", len(data)) + data for data in leaves)

    def proof(self, principal: Principal, entry_id: UUID) -> Proof:
        """That an entry is in the newest checkpoint.

        Raises EntryNotFoundError for one that is not within reach, NotSealedYetError for one that is
        younger.
        """
        plan_id = self._admitted(principal, entry_id)

        def read(conn: BoundedConnection) -> Proof:
            head = _head(conn, principal, ENTRIES)
            row = conn.execute(_ONE, [principal.clinic_id, entry_id], binary=True).fetchone()
            assert row is not None  # entries do not go away
            entry, previous = Entry(*row[:-1]), row[-1]
            if entry.position > head.size:
                raise _not_yet()
            index = entry.position - 1
            leaf, *path = _hashes(
                conn, head, [(index, entry.position), *inclusion(index, head.size)]
            )
            data = entry.data(principal.clinic_id, previous)
            shown = [str(key) for key in head.vkeys]
            return Proof(plan_id, entry, head.size, leaf, data, path, _note(head), shown)

        return self._read(principal, read)

    def _admitted(self, principal: Principal, entry_id: UUID) -> UUID:
        """The plan of an entry that the principal may have proved, once that is noted."""
        clinic_id = principal.clinic_id
        row = self._read(
            principal, lambda conn: conn.execute(_FIND, [clinic_id, entry_id]).fetchone()
        )
        if row is not None and row[0] == clinic_id:
            self.gate.require(principal, "clinic.history")
            return clinic_id
        self.gate.require(principal, "ledger.prove")
        if row is None:
            raise _no_entry()
        plan_id: UUID = row[0]
        try:
            sight = self.gate.see(principal, "ledger.prove", plan_id)
        except PlanNotFoundError:
            raise _no_entry() from None
        if sight.view == RELEASED and self._held_back(clinic_id, plan_id, entry_id):
            raise _no_entry()
        self.gate.looked(principal, sight, plan_id, asked="proof")
        return plan_id

    def _held_back(self, clinic_id: UUID, plan_id: UUID, entry_id: UUID) -> bool:
        with self.gate.plans.reading(clinic_id, plan_id) as plan:
            return str(entry_id) in held_back(plan.entries)

    def consistency(
        self, principal: Principal, tree: str, old: int, new: int | None = None
    ) -> dict[str, Any]:
        """That the tree of ``new`` leaves continues that of ``old``; the newest checkpoint's when left out.

        Raises BeyondTreeError when the tree does not reach so far.
        """
        self.gate.require(principal, "ledger.read")

        def read(conn: BoundedConnection) -> dict[str, Any]:
            head = _head(conn, principal, tree)
            reached = head.size if new is None else new
            if not old <= reached <= head.size:
                raise BeyondTreeError(
                    f"The tree has {head.size} leaves now: ask for 0 ≤ from ≤ to ≤ {head.size}."
                )
            path = _hashes(conn, head, consistency(old, reached))
            return {"from": old, "to": reached, "path": list(map(to_base64, path))}

        return self._read(principal, read)

    def _read(self, principal: Principal, work: Callable[[BoundedConnection], T]) -> T:
        return self.gate.database.in_clinic(principal.clinic_id, work)


def _head(conn: BoundedConnection, principal: Principal, tree: str) -> Head:
    head = head_of(conn, principal.clinic_id, tree)
    if head is None or head.note is None:
        raise _not_yet()
    return head


def _note(head: Head) -> str:
    assert head.note is not None  # _head has seen to it
    return head.note


def _hashes(conn: BoundedConnection, head: Head, ranges: Sequence[Range]) -> list[bytes]:
    tiles = tiles_of(conn, head, places_of(ranges))
    try:
        return [hash_of(held, tiles) for held in ranges]
    except KeyError as missing:
        raise _no_tile() from missing


def _not_yet() -> NotSealedYetError:
    return NotSealedYetError(
        "That is younger than the last seal, which follows within a second; ask again."
    )


def _no_entry() -> EntryNotFoundError:
    return EntryNotFoundError("There is no such entry here; check its id.")


def _no_tile() -> TileNotFoundError:
    return TileNotFoundError(
        "The tree has no such tile; the newest checkpoint says how far it reaches."
    )
