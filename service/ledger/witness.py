"""A witness: sees checkpoint after checkpoint, and signs each that continues the one it saw before.

Whoever trusts a witness need not wonder whether others were shown another history. It keeps what it saw in a file of
its own, and keeps it before it signs. Source: https://c2sp.org/tlog-cosignature
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import urllib3

from service.ledger.notes import Checkpoint, MalformedNoteError, Note, Vkey, from_base64
from service.ledger.seen import Seen
from service.ledger.signing import Signer, UntrustedNoteError, open_note
from service.ledger.tree import is_consistent

SECONDS = 10.0
MOST = 1024 * 1024


class MisbehavedError(Exception):
    """The log shows something it must not: a fork, a step back, a signature that is not its own."""


class OutOfReachError(Exception):
    """The checkpoint, or the proof that goes with it, cannot be had; says why."""


class Source(Protocol):
    """Where checkpoints come from."""

    def checkpoint(self) -> bytes:
        """The newest checkpoint."""

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The hashes which show that the tree of ``new`` leaves continues that of ``old``."""


@dataclass(frozen=True, slots=True)
class Served:
    """A ledger that is asked over HTTP; ``address`` is such as https://plans.example.org/v1/ledger."""

    address: str
    token: str | None = None

    def checkpoint(self) -> bytes:
        """The newest checkpoint; raises OutOfReachError."""
        return self._get("checkpoint")

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof between two sizes; raises OutOfReachError."""
        return path_in(self._get(f"consistency?from={old}&to={new}"))

    def _get(self, what: str) -> bytes:
        place = f"{self.address.rstrip('/')}/{what}"
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            answer = urllib3.request(
                "GET", place, headers=headers, timeout=SECONDS, retries=False, redirect=False,
                preload_content=False,
            )  # fmt: skip
            held = answer.read(MOST)
            answer.close()
        except (urllib3.exceptions.HTTPError, OSError) as failed:
            raise OutOfReachError(f"{place} did not answer: {type(failed).__name__}.") from failed
        if answer.status != 200:
            raise OutOfReachError(f"{place} answered {answer.status}; check address and token.")
        return held


@dataclass(frozen=True, slots=True)
class Brought:
    """A checkpoint in a file, as it was mailed or carried, and the file with the proof if one is needed."""

    place: Path
    proof: Path | None = None

    def checkpoint(self) -> bytes:
        """What the file holds; raises OutOfReachError."""
        return _held_in(self.place)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof in its file; raises OutOfReachError."""
        if self.proof is None:
            raise OutOfReachError(
                f"It takes a proof that {new} continues {old}: save /v1/ledger/consistency?from={old}&to={new} "
                "and name it with --proof."
            )
        return path_in(_held_in(self.proof))


def _held_in(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except OSError as unreadable:
        raise OutOfReachError(f"{place} cannot be read ({unreadable.strerror}).") from unreadable


def path_in(answer: bytes) -> list[bytes]:
    """The hashes of a proof as the API answers it; raises OutOfReachError."""
    try:
        return [from_base64(held) for held in json.loads(answer)["path"]]
    except (ValueError, KeyError, TypeError) as wrong:
        raise OutOfReachError("What came is no proof of consistency.") from wrong


def cosign(
    source: Source,
    trusted: Sequence[Vkey],
    signer: Signer,
    seen: Seen,
    clock: Callable[[], float] = time.time,
) -> Note:
    """The newest checkpoint with the witness's signature added to it.

    Raises MisbehavedError when it is not signed by the log or does not continue what was ``seen``.
    """
    raw = source.checkpoint()
    try:
        note, by = open_note(raw, trusted)
        now = Checkpoint.parse(note.text)
    except (MalformedNoteError, UntrustedNoteError) as wrong:
        raise MisbehavedError(f"The checkpoint cannot be trusted. {wrong}") from wrong
    if now.origin not in {key.name for key in by}:
        raise MisbehavedError(f"The checkpoint is of another log: {now.origin}.")
    _refuse_another_past(seen.get(now.origin), now, source)
    seen.put(now)
    seen.keep()
    mine = signer.sign(note.text, int(clock()))
    others = [
        held for held in note.signatures if held.key_id != mine.key_id or held.name != mine.name
    ]
    return Note(note.text, (*others, mine))


def _refuse_another_past(known: Checkpoint | None, now: Checkpoint, source: Source) -> None:
    if known is None or known == now:
        return
    if now.size < known.size:
        raise MisbehavedError(
            f"The log has gone back: it had {known.size} leaves, and shows {now.size}."
        )
    if now.size == known.size:
        raise MisbehavedError(f"The log has forked: there are two histories of {now.size} leaves.")
    path = source.consistency(known.size, now.size) if known.size else []
    if not is_consistent(known.size, known.root, now.size, now.root, path):
        raise MisbehavedError(
            f"The log has forked: its {now.size} leaves do not continue the {known.size} seen before."
        )
