"""Signing notes with Ed25519 (RFC 8032), and checking who signed them.

Sources as in ``notes``. Whoever imports this may hold a private key: the API does not.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from service.ledger.notes import LOG, WITNESS, Note, Signature, Vkey


class UntrustedNoteError(ValueError):
    """A note that nobody trusted has signed, or that somebody trusted has not signed as it stands."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key under a name, for one type of signature."""

    name: str
    type: int
    key: Ed25519PrivateKey

    @property
    def vkey(self) -> Vkey:
        """What others check its signatures with."""
        return Vkey(self.name, self.type, self.key.public_key().public_bytes_raw())

    def sign(self, text: str, at: int = 0) -> Signature:
        """Its signature on a note's text; a witness says when, in seconds since 1970."""
        stamp = struct.pack(">Q", at) if self.type == WITNESS else b""
        made = self.key.sign(signed_bytes(self.type, text, at))
        return Signature(self.name, self.vkey.key_id, stamp + made)


def signed_bytes(kind: int, text: str, at: int = 0) -> bytes:
    """What is really signed: the text, with the time before it for a cosignature (tlog-cosignature)."""
    if kind == LOG:
        return text.encode()
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def sign(text: str, signers: Iterable[Signer]) -> Note:
    """A note with a signature of each."""
    return Note(text, tuple(signer.sign(text) for signer in signers))


def open_note(raw: bytes, trusted: Sequence[Vkey]) -> tuple[Note, list[Vkey]]:
    """A note, and those of the trusted keys that signed it: at least one.

    Signatures of other keys are passed over. Raises MalformedNoteError, and UntrustedNoteError when
    none of the keys has signed it or one has not signed it as it stands.
    """
    note = Note.parse(raw)
    known = {(key.name, key.key_id): key for key in trusted}
    by: list[Vkey] = []
    for held in note.signatures:
        key = known.get((held.name, held.key_id))
        if key is None:
            continue
        if not _is_good(key, note.text, held.value):
            raise UntrustedNoteError(f"The signature of {key.name} is not on this text.")
        if key not in by:
            by.append(key)
    if not by:
        names = ", ".join(sorted({key.name for key in trusted})) or "nobody"
        raise UntrustedNoteError(f"It is not signed by the key of {names}.")
    return note, by


def _is_good(key: Vkey, text: str, value: bytes) -> bool:
    at, signature = 0, value
    if key.type == WITNESS:
        at, signature = int.from_bytes(value[:8]), value[8:]
    try:
        signed = signed_bytes(key.type, text, at)
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, signed)
    except InvalidSignature:
        return False
    return True
