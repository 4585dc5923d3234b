"""One key at work: what it seals opens with it alone, at its place alone, and tells nothing."""

from __future__ import annotations

import hashlib
import hmac
import os
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from projections.sealing import NO_KEYS, Seals, key_of, opened, place_of_entry, place_of_row
from service.keys import KeyCipher, key_id_of

SECRET = bytes(range(32))
CIPHER = KeyCipher(SECRET)
PLACE = b"entry here"


@given(text=st.binary(max_size=2_000), place=st.binary(max_size=200))
def test_what_is_sealed_opens(text: bytes, place: bytes) -> None:
    """Both ways of sealing, whatever the text and wherever it is kept."""
    assert CIPHER.open(CIPHER.seal(text, place), place) == text
    assert CIPHER.open(CIPHER.seal_same(text, place), place) == text


def test_every_changed_byte_is_noticed() -> None:
    """Head, nonce, text and tag: nothing of it can be another."""
    sealed = CIPHER.seal(b"I could not leave the house.", PLACE)
    for index in range(len(sealed)):
        changed = bytearray(sealed)
        changed[index] ^= 1
        with pytest.raises(ValueError, match="changed, or moved"):
            CIPHER.open(bytes(changed), PLACE)
    for short in (sealed[:-1], sealed[:30], sealed[:1], b""):
        with pytest.raises(ValueError, match="changed, or moved"):
            CIPHER.open(short, PLACE)


@given(one=st.binary(max_size=50), other=st.binary(max_size=50))
def test_it_does_not_open_anywhere_else(one: bytes, other: bytes) -> None:
    """Not in another plan, version or table; nor with another key."""
    sealed = CIPHER.seal(b"x", one)
    if one != other:
        with pytest.raises(ValueError, match="moved"):
            CIPHER.open(sealed, other)
    with pytest.raises(ValueError, match="changed"):
        KeyCipher(bytes(32)).open(sealed, one)


def test_places_do_not_run_into_each_other() -> None:
    """Each part of a place matters: entries, tables, clinics, plans, versions."""
    clinic, plan, entry = uuid4(), uuid4(), uuid4()
    places = {
        place_of_entry(clinic, plan, 1, entry),
        place_of_entry(clinic, plan, 11, entry),
        place_of_entry(plan, clinic, 1, entry),
        place_of_entry(clinic, plan, 1, plan),
        place_of_row("timeline", clinic, plan, 1),
        place_of_row("worklist", clinic, plan, 1),
        place_of_row("timeline", clinic, plan),
        place_of_row("timeline", plan, clinic, 1),
    }
    assert len(places) == 8


def test_the_same_text_looks_another_each_time() -> None:
    """In the record; read models are rebuilt byte for byte, and differ by place."""
    assert CIPHER.seal(b"x", PLACE) != CIPHER.seal(b"x", PLACE)
    assert CIPHER.seal_same(b"x", PLACE) == CIPHER.seal_same(b"x", PLACE)
    assert CIPHER.seal_same(b"x", PLACE) != CIPHER.seal_same(b"x", b"elsewhere")
    assert CIPHER.seal_same(b"ab", b"c")[17:29] != CIPHER.seal_same(b"b", b"ca")[17:29]


def test_the_layout_is_what_it_says() -> None:
    """Opened with nothing but the library: HKDF's first block, AES-256-GCM, the head and place beside it."""
    sealed = CIPHER.seal(b"words", PLACE)
    head, nonce, text = sealed[:17], sealed[17:29], sealed[29:]
    derived = hmac.digest(SECRET, b"plan-history/seal/v1\x01", "sha256")
    assert AESGCM(derived).decrypt(nonce, text, head + PLACE) == b"words"
    commitment = hashlib.sha256(b"plan-history/key/v1" + SECRET).digest()[:16]
    assert head == b"\x01" + commitment
    assert key_of(sealed) == key_id_of(SECRET) == UUID(bytes=commitment)


def test_plain_json_is_told_apart() -> None:
    """It begins with another byte, has no key, and reads as it is."""
    seals = Seals(NO_KEYS, uuid4())
    assert key_of(b'{"data":{}}') is None
    assert opened(NO_KEYS, b"{}", PLACE) == b"{}"
    assert seals.state(uuid4(), 1, uuid4(), b"{}") == b"{}"
    assert seals.read("timeline", uuid4(), 1, b"Words.") == b"Words."
    assert seals.row(None, "timeline", uuid4(), 1, b"Words.") == b"Words."
    with pytest.raises(LookupError):
        opened(NO_KEYS, CIPHER.seal(b"x", PLACE), PLACE)
    with pytest.raises(ValueError, match="off"):
        NO_KEYS.adopt(uuid4(), os.urandom(32))
    assert NO_KEYS.fresh() is None
    assert NO_KEYS.blinded(b"d") == b"d"
