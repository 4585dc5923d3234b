"""Signed notes and what is written in them: checkpoints, proofs, and the keys to check them with.

Sources: https://c2sp.org/signed-note (notes, key ids, vkeys), https://c2sp.org/tlog-checkpoint (text of a checkpoint),
https://c2sp.org/tlog-cosignature (witnesses), https://c2sp.org/tlog-proof (a proof to carry along).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

LOG, WITNESS = 0x01, 0x04
"""Types of signature: Ed25519 over the text; Ed25519 over the text with the time of a cosignature."""
MOST_SIGNATURES = 100
MOST_BYTES = 64 * 1024
_SIGNED = re.compile("\u2014 ([^\\s+]+) ([A-Za-z0-9+/]+=*)")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
_SIZE = re.compile(r"0|[1-9]\d{0,18}", re.ASCII)
_VKEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)")


class MalformedNoteError(ValueError):
    """Text that is no note, no checkpoint or no verifier key; says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A line of a signed note: whose, by which key, and the signature itself."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """It as a line of a note."""
        return f"\u2014 {self.name} {to_base64(self.key_id + self.value)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, and who says to have signed it; nothing is believed before a signature was checked."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        """It as it is sent and kept."""
        return f"{self.text}\n{''.join(held.line() for held in self.signatures)}"

    @classmethod
    def parse(cls, raw: bytes) -> Note:
        """A note from its bytes; raises MalformedNoteError."""
        if len(raw) > MOST_BYTES:
            raise MalformedNoteError("It is too long for a note.")
        try:
            text, gap, lines = raw.decode().rpartition("\n\n")
        except UnicodeDecodeError as wrong:
            raise MalformedNoteError("It is not UTF-8 text.") from wrong
        signed = lines.split("\n")
        if not gap or signed.pop() != "" or not signed or _CONTROL.search(text + lines):
            raise MalformedNoteError("It is no note: text, an empty line, lines of signatures.")
        if len(signed) > MOST_SIGNATURES:
            raise MalformedNoteError("It has too many signatures.")
        return cls(f"{text}\n", tuple(map(_signature, signed)))


def _signature(line: str) -> Signature:
    found = _SIGNED.fullmatch(line)
    if found is None:
        raise MalformedNoteError("It has a line that is no signature.")
    value = from_base64(found[2])
    if len(value) < 5:
        raise MalformedNoteError("It has a signature that is too short.")
    return Signature(found[1], value[:4], value[4:])


@dataclass(frozen=True, slots=True)
class Vkey:
    """A key to check signatures with: whose, of which type, and the 32 bytes of Ed25519."""

    name: str
    type: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name || newline || type || public key)."""
        said = self.name.encode() + b"\n" + bytes([self.type]) + self.public
        return hashlib.sha256(said).digest()[:4]

    def __str__(self) -> str:
        """It as it is handed over: ``name+id+base64``."""
        encoded = to_base64(bytes([self.type]) + self.public)
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> Vkey:
        """A key from its text; raises MalformedNoteError, also when its id is not that of the key."""
        found = _VKEY.fullmatch(text)
        held = from_base64(found[3]) if found else b""
        if found is None or len(held) != 33 or held[0] not in (LOG, WITNESS):
            raise MalformedNoteError("It is no Ed25519 verifier key: name+id+base64.")
        key = cls(found[1], held[0], held[1:])
        if key.key_id.hex() != found[2]:
            raise MalformedNoteError("The verifier key's id is not that of its name and key.")
        return key


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: which it is, how many leaves it has, and their root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """It as the text of a note."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """A checkpoint from a note's text, extension lines left aside; raises MalformedNoteError."""
        *lines, rest = text.split("\n")
        if len(lines) < 3 or rest or not all(lines) or not _SIZE.fullmatch(lines[1]):
            raise MalformedNoteError("It is no checkpoint: origin, size, root.")
        root = from_base64(lines[2])
        if len(root) != 32:
            raise MalformedNoteError("Its root is no SHA-256 hash.")
        return cls(lines[0], int(lines[1]), root)


def proof_text(index: int, path: Sequence[bytes], checkpoint: str) -> str:
    """An inclusion proof with its checkpoint as one text (tlog-proof)."""
    lines = ["c2sp.org/tlog-proof@v1", f"index {index}", *map(to_base64, path), "", checkpoint]
    return "\n".join(lines)


def to_base64(held: bytes) -> str:
    """Bytes as these formats write them."""
    return base64.b64encode(held).decode()


def from_base64(text: str) -> bytes:
    """Bytes from the one way to write them; raises MalformedNoteError for any other."""
    try:
        held = base64.b64decode(text, validate=True)
    except binascii.Error as wrong:
        raise MalformedNoteError("It has base64 that cannot be read.") from wrong
    if to_base64(held) != text:
        raise MalformedNoteError("It has base64 that is not written as it should be.")
    return held
