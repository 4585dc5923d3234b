"""The sealer: takes the leaves that came, grows the tree by them and signs its root – any number of processes.

It picks a tree that is behind by locking its row (that lock is the lease), checks that what is kept of the tree
is what was signed last, and that no row differs from its leaf; only then does it sign. Whatever is not
as it was stops that tree of that clinic, loudly, until somebody has looked after it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.ledger.books import ENTRIES, LOOKS, Books, Connection, Head, tiles_of
from service.ledger.logs import Lateness, TamperedError, next_entries, next_looks
from service.ledger.notes import LOG, Checkpoint, MalformedNoteError
from service.ledger.seen import Seen
from service.ledger.signing import Signer, UntrustedNoteError, open_note, sign
from service.ledger.tiles import Edge, edge_of, hash_of, places_of

BATCH = 2_000
log = logging.getLogger("plan_history.ledger")


class Sealer:
    """Seals over one connection (autocommit, as the sealer)."""

    def __init__(
        self,
        conn: Connection,
        keys: Sequence[Ed25519PrivateKey],
        seen: Seen,
        batch: int = BATCH,
        lateness: Lateness | None = None,
    ) -> None:
        """``keys`` sign, the newest first; ``seen`` is what this sealer remembers to have signed."""
        self.conn = conn
        self.keys = list(keys)
        self.seen = seen
        self.batch = batch
        self.lateness = lateness or Lateness()
        self.books = Books(conn)

    def catch_up(self) -> int:
        """Seal everything there is; returns how many leaves."""
        total = self.round()
        while taken := self.round():
            total += taken
        return total

    def round(self) -> int:
        """One batch for each tree that is behind and not another's; returns how many leaves."""
        self.books.enrol()
        found = dict.fromkeys(self.books.behind())
        found.update(dict.fromkeys((clinic, LOOKS) for clinic in self.lateness.due()))
        return sum(self.step(*tree) for tree in found)

    def step(self, clinic_id: UUID, tree: str) -> int:
        """Seal one batch of one tree; returns how many leaves (0 if it is another's, or stands still)."""
        try:
            with self.conn.transaction():
                sealed, leaves = self._seal(clinic_id, tree)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise
        except TamperedError as found:
            self._stop(clinic_id, tree, found.at, str(found))
            return 0
        except Exception as failed:  # noqa: BLE001 - whatever it was, the other clinics go on
            self._stop(clinic_id, tree, 0, f"sealing failed: {type(failed).__name__}")
            return 0
        if sealed is not None:
            self.seen.put(sealed)
        return leaves

    def _stop(self, clinic_id: UUID, tree: str, at: int, why: str) -> None:
        self.books.stop(clinic_id, tree, at, why)
        log.error("sealing stopped: %s, %s of clinic %s", why, tree, clinic_id)

    def _seal(self, clinic_id: UUID, tree: str) -> tuple[Checkpoint | None, int]:
        """What was signed last of the tree, now or before, and how many leaves are new in it."""
        head = self.books.lease(clinic_id, tree)
        if head is None:
            return None, 0
        signers = [Signer(head.origin, LOG, key) for key in self.keys]
        edge, before = self._as_signed(head, signers)
        leaves = self._leaves(head)
        if before is not None and not leaves:
            return before, 0
        for leaf in leaves:
            edge.append(leaf)
        grown = Checkpoint(head.origin, edge.size, edge.root())
        note = sign(grown.text(), signers)
        keys = [signer.vkey.public for signer in signers]
        self.books.keep(head, edge.size, str(note), keys, edge.tiles())
        return grown, len(leaves)

    def _leaves(self, head: Head) -> list[bytes]:
        if head.tree == ENTRIES:
            return next_entries(self.conn, head, self.batch)
        after = self.lateness.begin(self.conn, head.clinic_id)
        leaves = next_looks(self.conn, head, after, self.batch)
        if leaves:
            self.lateness.busy(head.clinic_id)
        return leaves

    def _as_signed(self, head: Head, signers: Sequence[Signer]) -> tuple[Edge, Checkpoint | None]:
        """The tree's edge and what was signed of it last; raises TamperedError when they do not agree."""
        places = [(tile.level, tile.number) for tile in edge_of(head.size)]
        try:
            edge = Edge(head.size, tiles_of(self.conn, head, places))
        except KeyError as missing:
            raise TamperedError(head.size, f"the tree's tile {missing} is missing") from missing
        signed = _signed(head, signers)
        expected = signed or Checkpoint(head.origin, 0, edge.root())
        if expected != Checkpoint(head.origin, head.size, edge.root()):
            raise TamperedError(head.size, "the tree is not the one that was signed last")
        self._refuse_another_past(head, expected)
        return edge, signed

    def _refuse_another_past(self, head: Head, now: Checkpoint) -> None:
        """Raise TamperedError unless the tree continues what this sealer remembers of it."""
        known = self.seen.get(head.origin)
        if known is None or known == now:
            return
        if known.size > now.size:
            why = f"{known.size} leaves were signed, and {now.size} are left: it was set back"
            raise TamperedError(now.size, why)
        whole = (0, known.size)
        try:
            then = hash_of(whole, tiles_of(self.conn, head, places_of([whole])))
        except KeyError as missing:
            raise TamperedError(known.size, f"the tree's tile {missing} is missing") from missing
        if then != known.root:
            raise TamperedError(known.size, "the tree was rewritten since it was signed")


def _signed(head: Head, signers: Sequence[Signer]) -> Checkpoint | None:
    """The checkpoint that one of the keys has signed; raises TamperedError when none has."""
    if head.note is None:
        return None
    try:
        note, _ = open_note(head.note.encode(), [signer.vkey for signer in signers])
        return Checkpoint.parse(note.text)
    except (MalformedNoteError, UntrustedNoteError) as wrong:
        raise TamperedError(head.size, f"the last checkpoint cannot be trusted: {wrong}") from wrong
