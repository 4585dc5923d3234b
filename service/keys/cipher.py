"""One key at work: AES-256-GCM (NIST SP 800-38D) under a subkey derived by HKDF (RFC 5869)."""

from __future__ import annotations

import hashlib
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from projections.sealing import SEALED

SIZE = 32
"""Bytes of a key."""
_NONCE = 12
_HEAD = 1 + 16


def key_id_of(secret: bytes) -> UUID:
    """The id of a key: a commitment to it, the first 128 bits of a SHA-256.

    It is in every leaf, so nobody can later show another key, and with it other words, for an entry.
    """
    return UUID(bytes=hashlib.sha256(b"plan-history/key/v1" + secret).digest()[:16])


def _derived(secret: bytes, use: bytes) -> bytes:
    return HKDFExpand(SHA256(), SIZE, b"plan-history/" + use).derive(secret)


class KeyCipher:
    """Seals with one key.

    A sealed text is 0x01, the key's id (16 bytes), a nonce (12 bytes), then ciphertext and tag. Both the
    head and the place it is kept at are authenticated.
    """

    __slots__ = ("_aead", "_head", "_naming")

    def __init__(self, secret: bytes) -> None:
        self._head = SEALED + key_id_of(secret).bytes
        self._aead = AESGCM(_derived(secret, b"seal/v1"))
        self._naming = _derived(secret, b"nonce/v1")

    def seal(self, text: bytes, place: bytes) -> bytes:
        """The sealed text, under a random nonce."""
        return self._sealed(os.urandom(_NONCE), text, place)

    def seal_same(self, text: bytes, place: bytes) -> bytes:
        """The sealed text, the same each time: its nonce is a keyed digest of text and place.

        Two different texts never share a nonce but by a collision of 96 bits (as in SIV, RFC 5297).
        """
        named = hashlib.blake2b(key=self._naming, digest_size=_NONCE)
        named.update(len(place).to_bytes(4) + place)
        named.update(text)
        return self._sealed(named.digest(), text, place)

    def _sealed(self, nonce: bytes, text: bytes, place: bytes) -> bytes:
        return self._head + nonce + self._aead.encrypt(nonce, text, self._head + place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """The text; raises ValueError for what was not sealed with this key, for this place."""
        head, nonce = sealed[:_HEAD], sealed[_HEAD : _HEAD + _NONCE]
        try:
            return self._aead.decrypt(nonce, sealed[_HEAD + _NONCE :], head + place)
        except (InvalidTag, ValueError) as changed:
            raise ValueError(
                "a sealed text was changed, or moved from where it was kept"
            ) from changed
