"""Signed notes, checkpoints, keys and cosignatures: published examples, and all that is none."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.ledger.notes import (
    LOG,
    WITNESS,
    Checkpoint,
    MalformedNoteError,
    Note,
    Vkey,
    from_base64,
    proof_text,
)
from service.ledger.signing import Signer, UntrustedNoteError, open_note, sign, signed_bytes

# golang.org/x/mod/sumdb/note/note_test.go
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
BY_PETER = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"  # noqa: E501 - as it was published
BY_ENOCH = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
# c2sp.org/signed-note, the example of a verifier key
EXAMPLE = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
BY_EXAMPLE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# A checkpoint of a log in operation, with signatures of kinds we do not know and of witnesses
REAL = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
"""  # noqa: E501 - as it was published
ITS_LOG = (
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
)
ITS_WITNESS = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
SOFA = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
BY_SOFA = (
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
# RFC 8032, 7.1, test 1
RFC_SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
RFC_PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


def peter(kind: int = LOG) -> Signer:
    """The signer of Go's tests."""
    return Signer("PeterNeumann", kind, Ed25519PrivateKey.from_private_bytes(PETERS_SEED))


def keys(*texts: str) -> list[Vkey]:
    """Verifier keys from their texts."""
    return list(map(Vkey.parse, texts))


# Published examples


def test_signing_makes_the_published_note() -> None:
    """To the last byte, as Go's sumdb/note does."""
    assert str(sign(TEXT, [peter()])) == f"{TEXT}\n{BY_PETER}"
    assert str(peter().vkey) == PETER
    key = Ed25519PrivateKey.from_private_bytes(RFC_SEED)
    assert key.public_key().public_bytes_raw().hex() == RFC_PUBLIC


def test_published_notes_are_opened() -> None:
    """Go's with two signers, the specification's own, and one from a log in operation with its witness."""
    raw = f"{TEXT}\n{BY_PETER}{BY_ENOCH}".encode()
    for trusted in (keys(PETER), keys(ENOCH), keys(PETER, ENOCH)):
        note, by = open_note(raw, trusted)
        assert (note.text, by) == (TEXT, trusted)
    assert open_note(BY_EXAMPLE.encode(), keys(EXAMPLE))[0].text == "This is an example message.\n"
    note, by = open_note(REAL.encode(), keys(ITS_LOG, ITS_WITNESS))
    assert [str(key) for key in by] == [ITS_LOG, ITS_WITNESS]
    assert Checkpoint.parse(note.text).size == 1_432_088_532
    assert str(note) == REAL


def test_the_specifications_checkpoint_is_read() -> None:
    """Origin, size, root; its cosignature holds the moment that the example says is signed."""
    note = Note.parse(f"{SOFA}\n{BY_SOFA}".encode())
    held = Checkpoint.parse(note.text)
    assert (held.origin, held.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert held.text() == SOFA
    value = note.signatures[1].value
    assert (len(value), int.from_bytes(value[:8])) == (72, 1_679_315_147)
    assert signed_bytes(WITNESS, SOFA, 1_679_315_147).decode() == (
        f"cosignature/v1\ntime 1679315147\n{SOFA}"
    )


def test_a_cosignature_is_opened_by_its_own_kind_of_key_alone() -> None:
    """It is signed with its moment; another moment, text or kind of key does not fit."""
    made = peter(WITNESS).sign(SOFA, 1_679_315_147)
    raw = str(Note(SOFA, (made,))).encode()
    assert open_note(raw, [peter(WITNESS).vkey])[1] == [peter(WITNESS).vkey]
    assert peter(WITNESS).vkey.key_id != peter().vkey.key_id
    with pytest.raises(UntrustedNoteError):
        open_note(raw, [peter().vkey])
    later = (int.from_bytes(made.value[:8]) + 1).to_bytes(8) + made.value[8:]
    moved = Note(SOFA, (type(made)(made.name, made.key_id, later),))
    with pytest.raises(UntrustedNoteError, match="not on this text"):
        open_note(str(moved).encode(), [peter(WITNESS).vkey])


def test_a_proof_to_carry_along_is_written_as_its_specification_says() -> None:
    """tlog-proof: a head, the index, the path, an empty line, the checkpoint."""
    path = [hashlib.sha256(b"").digest()]
    assert proof_text(7, path, f"{SOFA}\n{BY_SOFA}") == (
        "c2sp.org/tlog-proof@v1\nindex 7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n"
        f"{SOFA}\n{BY_SOFA}"
    )


# What is none


@pytest.mark.parametrize("vkey", [PETER, ITS_WITNESS])
def test_a_mangled_key_is_none(vkey: str) -> None:
    """No part of one, none with one byte another; as Go's tests try it."""
    for first in range(len(vkey) + 1):
        for last in range(first + 1, len(vkey) + 1):
            if (first, last) != (0, len(vkey)):
                with pytest.raises(MalformedNoteError):
                    Vkey.parse(vkey[first:last])
    for at, held in enumerate(vkey):
        with pytest.raises(MalformedNoteError):
            Vkey.parse(vkey[:at] + chr(ord(held) + 1) + vkey[at + 1 :])


@pytest.mark.parametrize(
    "vkey",
    [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",  # too long, with its own id
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  # a kind nobody knows
        PETER.replace("c74f20a3", "C74F20A3"),
        PETER.replace("c74f20a3", "c7 4f 20 a3"),
        f"{PETER}=",
    ],
)
def test_a_key_of_another_kind_is_refused(vkey: str) -> None:
    """Published ones with an id that fits, and other ways to write one."""
    with pytest.raises(MalformedNoteError):
        Vkey.parse(vkey)


@pytest.mark.parametrize(
    "raw",
    [
        TEXT.encode(),
        f"{TEXT}\n".encode(),
        f"{TEXT}\n{BY_PETER}"[:-1].encode(),
        f"\x01{TEXT}\n{BY_PETER}".encode(),
        b"\xff" + f"{TEXT}\n{BY_PETER}".encode(),
        f"{TEXT}\n{BY_PETER.replace('PeterNeumann', 'Bad Name')}".encode(),
        f"{TEXT}\n{BY_PETER.replace('PeterNeumann', 'a+b')}".encode(),
        f"{TEXT}\n{BY_PETER}Unexpected line.\n".encode(),
        f"{TEXT}\n{BY_PETER}\n".encode(),
        f"{TEXT}\n{BY_PETER.replace('—', '-')}".encode(),
        f"{TEXT}\n{BY_PETER}".replace("\n", "\r\n").encode(),
        f"{TEXT}\n{BY_PETER * 101}".encode(),
        f"{TEXT}\n— PeterNeumann x08go/ZJ=\n".encode(),
        f"{TEXT}\n— PeterNeumann x08go/==\n".encode(),
        b"",
        b"\n\n",
    ],
)
def test_what_is_no_note_is_refused(raw: bytes) -> None:
    """Whoever signed it."""
    with pytest.raises(MalformedNoteError):
        open_note(raw, keys(PETER))


def test_nobody_trusted_has_signed() -> None:
    """No key at all, another key, the right name with another key, the right key under another name."""
    raw = f"{TEXT}\n{BY_PETER}".encode()
    other = Ed25519PrivateKey.generate()
    for trusted in (
        [],
        keys(ENOCH),
        [Signer("PeterNeumann", LOG, other).vkey],
        [Signer("Pete", LOG, other).vkey],
    ):
        with pytest.raises(UntrustedNoteError, match="not signed by"):
            open_note(raw, trusted)


def test_a_bad_signature_of_a_known_key_rejects_the_note() -> None:
    """Even beside a good one; that of an unknown key is passed over."""
    bad = BY_PETER[:40] + ("B" if BY_PETER[40] == "A" else "A") + BY_PETER[41:]
    raw = f"{TEXT}\n{BY_ENOCH}{bad}".encode()
    with pytest.raises(UntrustedNoteError, match="not on this text"):
        open_note(raw, keys(PETER, ENOCH))
    assert open_note(raw, keys(ENOCH))[1] == keys(ENOCH)


def test_every_single_byte_of_a_note_counts() -> None:
    """Changed anywhere, it is not opened – or nothing of its text was touched: another's signature."""
    raw = f"{TEXT}\n{BY_PETER}".encode()
    for at in range(len(raw)):
        for mask in (0x01, 0x20, 0x80):
            other = raw[:at] + bytes([raw[at] ^ mask]) + raw[at + 1 :]
            with pytest.raises((MalformedNoteError, UntrustedNoteError)):
                open_note(other, keys(PETER))


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "a\n1\n", SOFA[:-1], SOFA.replace("20852163", "020852163"), SOFA.replace("20852163", "-1"),
        SOFA.replace("20852163", "+1"), SOFA.replace("20852163", "1 "), SOFA.replace("=", ""), f"{SOFA}\n",
        f"\n{SOFA}", SOFA.replace("example.com/behind-the-sofa", ""), SOFA.replace("CsUY", "AAAACsUY"),
        SOFA.replace("20852163", "\u0663"), SOFA.replace("20852163", "9" * 30),
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    """However well it may be signed."""
    with pytest.raises(MalformedNoteError):
        Checkpoint.parse(text)


def test_extension_lines_are_passed_over() -> None:
    """Others may have written them; what they say does not count."""
    held = Checkpoint.parse(f"{SOFA}something more\n")
    assert held == Checkpoint.parse(SOFA)


def test_base64_has_one_way_to_be_written() -> None:
    """Spare bits and spare padding are no other way."""
    assert from_base64("QQ==") == b"A"
    for text in ("QQ", "QQ=", "QR==", "QQ===", "Q Q=", "QQ=\n", "-_=="):
        with pytest.raises(MalformedNoteError):
            from_base64(text)
