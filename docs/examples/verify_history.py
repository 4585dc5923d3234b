#!/usr/bin/env python3
"""Check a history that Plan History exported – offline, trusting neither the clinic nor the service.

    python verify_history.py EXPORT --checkpoint HELD --vkey KEY

EXPORT is the evidence bundle of a plan (zip), the archive of a clinic (zip) or the log of a clinic (NDJSON). HELD is a
checkpoint that you got at some time and kept; KEY is the verifier key you were told (or a file with some, one a line).
Only what agrees with something you held yourself is called verified. It takes Python 3.11 and ``cryptography``; it
reads the files you name and nothing else. How everything is laid out is told in docs/proofs.md.

Exit code 0: verified. 1: damaged; the first bad row and the kind of damage are named. 2: wrong usage.
3: in order by itself, but compared with nothing held outside; or its words, for which no key came along, are not.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import itertools
import json
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHANGED, MISSING, MOVED, INSERTED, CUT_OFF = "changed", "missing", "moved", "inserted", "cut off"
REWRITTEN, SIGNATURE = "rewritten", "wrong signature"
OTHER_CLINIC, DAMAGED = "other clinic", "damaged file"
Row = dict[str, Any]
Files = dict[str, bytes]


class Damage(Exception):  # noqa: N818 - it is what is looked for, not an error of this program
    """Something is not as it was: what kind of damage, where it shows first, and a sentence."""

    def __init__(self, kind: str, where: str, why: str) -> None:
        super().__init__(f"{kind}, {where}: {why}")
        self.kind, self.where, self.why = kind, where, why


# ── The Merkle tree (RFC 6962, 2.1; checking as in RFC 9162, 2.1.3.2 and 2.1.4.2) ─────────────────────────────────


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes: each row is paired off, an odd last one is carried up."""
    row = list(leaves) or [hashlib.sha256(b"").digest()]
    while len(row) > 1:
        paired = [node_hash(*row[at : at + 2]) for at in range(0, len(row) - 1, 2)]
        row = paired + row[len(row) & ~1 :]
    return row[0]


def root_by_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root of the tree of ``size`` leaves in which ``leaf`` is at ``index``; None for a wrong path."""
    here, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if here % 2 or here == last:
            root = node_hash(sibling, root)
            while here and here % 2 == 0:
                here, last = here // 2, last // 2
        else:
            root = node_hash(root, sibling)
        here, last = here // 2, last // 2
    return root if last == 0 and 0 <= index < size else None


def continues(old: Checkpoint, new: Checkpoint, path: Sequence[bytes]) -> bool:
    """Whether ``path`` shows that the larger tree begins with all leaves of the smaller."""
    if old.size in (0, new.size):
        return not path and (old.size == 0 or old.root == new.root)
    nodes = list(path) if old.size & (old.size - 1) else [old.root, *path]
    here, last = old.size - 1, new.size - 1
    while here % 2:
        here, last = here // 2, last // 2
    if not nodes or old.size > new.size:
        return False
    older = newer = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            return False
        if here % 2 or here == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            while here and here % 2 == 0:
                here, last = here // 2, last // 2
        else:
            newer = node_hash(newer, sibling)
        here, last = here // 2, last // 2
    return last == 0 and (older, newer) == (old.root, new.root)


# ── Checkpoints (https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint, https://c2sp.org/tlog-cosignature) ──


@dataclass(frozen=True)
class Key:
    """A verifier key: ``name+id+base64(type || Ed25519 public key)``; type 1 for a log, 4 for a witness."""

    name: str
    id: bytes
    type: int
    public: bytes

    @classmethod
    def parse(cls, text: str) -> Key:
        """From its text; ValueError for one that is none."""
        name, key_id, held = text.split("+", 2)
        kind, public = from_base64(held)[0], from_base64(held)[1:]
        known = hashlib.sha256(f"{name}\n".encode() + bytes([kind]) + public).digest()[:4]
        if known.hex() != key_id or kind not in (1, 4) or len(public) != 32:
            raise ValueError(text)
        return cls(name, known, kind, public)

    def signed(self, text: str, signature: bytes) -> bool:
        """Whether it made this signature on a note's text."""
        said = text
        if self.type == 4:
            said = f"cosignature/v1\ntime {int.from_bytes(signature[:8])}\n{text}"
            signature = signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, said.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Checkpoint:
    """What a log signed: which log (``plan-history/<clinic>/<tree>``), how many leaves, and their root."""

    origin: str
    size: int
    root: bytes

    @property
    def clinic(self) -> str:
        """The clinic whose log it is."""
        return (self.origin.split("/") + [""] * 2)[1]

    @property
    def tree(self) -> str:
        """Which of the clinic's logs: ``entries`` or ``access-log``."""
        return (self.origin.split("/") + [""] * 3)[2]


_LINE = re.compile("\u2014 ([^\\s+]+) (\\S+)")


def open_checkpoint(raw: bytes, keys: Sequence[Key], where: str) -> Checkpoint:
    """The checkpoint in a signed note, if at least one of the keys signed it and none that says so did not."""
    try:
        text, gap, lines = raw.decode().rpartition("\n\n")
        text, signed = (
            f"{text}\n",
            [_LINE.fullmatch(line) for line in lines.removesuffix("\n").split("\n")],
        )
        origin, size, root = text.split("\n")[:3]
        found = Checkpoint(origin, int(size), from_base64(root))
        whole = gap and lines.endswith("\n") and str(found.size) == size and len(found.root) == 32
        notes = [(line[1], from_base64(line[2])) for line in signed if line]
    except ValueError as wrong:
        raise Damage(DAMAGED, where, "it is no checkpoint.") from wrong
    if not whole or len(notes) != len(signed):
        raise Damage(DAMAGED, where, "it is no checkpoint.")
    known = {(key.name, key.id): key for key in keys}
    by = [(known[name, held[:4]], held[4:]) for name, held in notes if (name, held[:4]) in known]
    if not all(key.signed(text, held) for key, held in by):
        raise Damage(SIGNATURE, where, "the signature is not on this text.")
    if not any(key.name == found.origin for key, _ in by):
        raise Damage(
            SIGNATURE, where, f"it is not signed by a key of {found.origin} that you trust."
        )
    return found


def from_base64(text: str) -> bytes:
    """Bytes from the one way to write them; ValueError for any other."""
    held = base64.b64decode(text, validate=True)
    if base64.b64encode(held).decode() != text:
        raise ValueError(text)
    return held


# ── Leaves: the bytes that were sealed of an entry and of a look ─────────────────────────────────────────────────


def _moment(text: str) -> bytes:
    moment = datetime.fromisoformat(text)
    if moment.isoformat().replace("+00:00", "Z") != text:
        raise ValueError(text)
    return struct.pack(
        ">q", (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    )


def _uuid(text: str) -> bytes:
    held = UUID(text)
    if str(held) != text:
        raise ValueError(text)
    return held.bytes


def _text(text: str) -> bytes:
    return struct.pack(">i", len(text.encode())) + text.encode()


def _maybe(held: bytes | None) -> bytes:
    return b"\x00" if held is None else b"\x01" + held


def entry_leaf(clinic: bytes, row: Row, previous: bytes | None) -> bytes:
    """The leaf of an entry, by its line in an export and the leaf of its plan's entry before."""
    return leaf_hash(
        b"plan-history/leaf/v1"
        + clinic
        + struct.pack(">q", row["position"])
        + _uuid(row["entry_id"])
        + _uuid(row["plan_id"])
        + struct.pack(">i", row["version"])
        + _text(row["topic"])
        + _moment(row["recorded_at"])
        + _maybe(row["key_id"] and _uuid(row["key_id"]))
        + hashlib.sha256(from_base64(row["stored"])).digest()
        + _maybe(previous)
    )


def look_leaf(clinic: bytes, row: Row) -> bytes:
    """The leaf of a look, by its line in an export."""
    texts = {name: row[name] if row[name] is None else _text(row[name]) for name in _LOOK_TEXTS}
    return leaf_hash(
        b"plan-history/look/v1"
        + clinic
        + struct.pack(">q", row["look_id"])
        + _moment(row["looked_at"])
        + _uuid(row["member_id"])
        + _uuid(row["token_id"])
        + b"".join(_text(row[name]) for name in ("name", "role", "action"))
        + _maybe(row["plan_id"] and _uuid(row["plan_id"]))
        + _maybe(None if row["version"] is None else struct.pack(">i", row["version"]))
        + b"".join(_maybe(texts[name]) for name in ("asked", "why", "view"))
        + (b"\x01" if row["allowed"] else b"\x00")
        + b"".join(_maybe(texts[name]) for name in ("address", "request_id"))
    )


_LOOK_TEXTS = ("asked", "why", "view", "address", "request_id")


# ── Rows: one after the other, until the first that is not as it was ─────────────────────────────────────────────


@dataclass
class Rows:
    """The rows of a file in their order, the number each has (from 1), and the leaf each claims to be."""

    what: str
    rows: list[Row]
    numbers: list[int]
    claims: list[bytes]
    sealed: Sequence[bytes] = ()
    """The leaves that were sealed, as far as that is proven."""
    promised: object = None
    """How many rows there should be."""

    def fits(self, at: int, leaf: bytes) -> bool:
        """Whether the row at ``at`` (from 0) has the number and the leaf of that place."""
        sealed = self.sealed[at] if at < len(self.sealed) else leaf
        return self.numbers[at] == at + 1 and leaf == self.claims[at] == sealed

    def damage(self, at: int) -> Damage:
        """What became of the row which should stand at ``at``: judged by sealed leaves, else by numbers."""
        kind = self._by_leaf(at) if at < len(self.sealed) else self._by_number(at)
        if isinstance(self.promised, int) and at >= self.promised:
            kind = INSERTED
        said = {
            CHANGED: "this row is not as it was.",
            MISSING: "a row is missing here.",
            MOVED: "the row of this place stands elsewhere.",
            INSERTED: "this row was slipped in.",
        }
        return Damage(kind, f"{self.what} {at + 1}", said[kind])

    def _by_leaf(self, at: int) -> str:
        mine, wanted, later = self.claims[at], self.sealed[at], self.claims[at + 1 :]
        if mine != wanted and mine in self.sealed[at + 1 :]:
            return MOVED if wanted in later else MISSING
        if mine != wanted and (mine in self.sealed[:at] or wanted in later):
            return INSERTED
        return CHANGED

    def _by_number(self, at: int) -> str:
        mine, later = self.numbers[at], self.numbers[at + 1 :]
        if mine == at + 1:
            return INSERTED if mine in later else CHANGED
        if mine < at + 1 or (at + 1 in later and mine in later):
            return INSERTED
        return MOVED if at + 1 in later else MISSING


def walk_entries(clinic: str, found: Rows) -> tuple[list[bytes], Words]:
    """Every entry's leaf, computed from its row; raises Damage at the first row that is not as it was."""
    leaves, words = list[bytes](), Words(clinic)
    chain: dict[str, tuple[int, bytes | None]] = {}
    for at, row in enumerate(found.rows):
        try:
            version, previous = chain.get(row["plan_id"], (0, None))
            leaf = entry_leaf(UUID(clinic).bytes, row, previous)
            in_place = found.fits(at, leaf) and row["version"] == version + 1
            as_sealed = in_place and words.are_sealed(row)
        except (KeyError, TypeError, ValueError, AttributeError, struct.error):
            raise found.damage(at) from None
        if not in_place:
            raise found.damage(at)
        if not as_sealed:
            where = f"{found.what} {at + 1}"
            raise Damage(CHANGED, where, "its words are not those that were sealed.")
        chain[row["plan_id"]] = (version + 1, leaf)
        leaves.append(leaf)
    return leaves, words


@dataclass
class Words:
    """What rows say, compared with what is stored: plain JSON, or encrypted under the key of the plan.

    Encrypted: 0x01, the key's id, a nonce of 12 bytes, AES-256-GCM under HKDF-Expand(key, "plan-history/seal/v1"),
    bound to head and place. The key's id commits to the key: the first 16 bytes of a SHA-256.
    """

    clinic: str
    keys: dict[str, bytes | None] = field(default_factory=dict)
    erased: int = 0
    withheld: int = 0
    unproven: int = 0

    def are_sealed(self, row: Row) -> bool:
        """Whether a row says what is stored; also when that cannot be told, which is counted."""
        stored, key_id = from_base64(row["stored"]), row["key_id"]
        if stored[:1] != b"\x01":
            return key_id is None and same(json.loads(stored), row["state"])
        if "key" in row:
            self.keys[key_id] = row["key"] and from_base64(row["key"])
        if stored[1:17] != UUID(key_id).bytes:
            return False
        if key_id not in self.keys:
            self.withheld += row["state"] is None
            self.unproven += row["state"] is not None
            return True
        key = self.keys[key_id]
        if key is None:
            self.erased += 1
            return row["state"] is None
        return self._opens(row, stored, key)

    def _opens(self, row: Row, stored: bytes, key: bytes) -> bool:
        place = f"entry {self.clinic} {row['plan_id']} {row['version']} {row['entry_id']}".encode()
        cipher = AESGCM(hmac.digest(key, b"plan-history/seal/v1\x01", "sha256"))
        try:
            plain = cipher.decrypt(stored[17:29], stored[29:], stored[:17] + place)
        except InvalidTag:
            return False
        known = hashlib.sha256(b"plan-history/key/v1" + key).digest()[:16] == stored[1:17]
        return known and same(json.loads(plain), row["state"])

    def told(self) -> list[str]:
        """What could not be compared."""
        said = {
            "The words of {} are erased: their key is said to be destroyed.": self.erased,
            "The words of {} are not told here.": self.withheld,
            "WORDS NOT VERIFIED: no key came along for those of {}.": self.unproven,
        }
        return [words.format(count) for words, count in said.items() if count]


def walk_looks(found: Rows) -> list[bytes]:
    """Every look's leaf; raises Damage at the first that is not as it was."""
    for at, leaf in enumerate(found.claims):
        if not found.fits(at, leaf):
            raise found.damage(at)
    return found.claims


def same(one: object, other: object) -> bool:
    """Whether two JSON values are the same to the letter: 1 is neither 1.0 nor true."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def proven(candidates: Sequence[Sequence[bytes]], by: Sequence[Checkpoint]) -> Sequence[bytes]:
    """The longest list of leaves that a checkpoint proves; the first checkpoints count most."""
    for one in by:
        for leaves in candidates:
            if len(leaves) >= one.size and root_of(leaves[: one.size]) == one.root:
                return leaves[: one.size]
    return ()


def compare(what: str, leaves: Sequence[bytes], checkpoints: Sequence[Checkpoint]) -> None:
    """Raise Damage unless the leaves are those of every checkpoint."""
    agreed = 0
    for one in sorted(checkpoints, key=lambda one: one.size):
        if one.size > len(leaves):
            why = f"a checkpoint has {one.size}, here are {len(leaves)}."
            raise Damage(CUT_OFF, f"{what} {len(leaves) + 1}", why)
        if root_of(leaves[: one.size]) != one.root:
            why = f"the first {one.size} are not those of a checkpoint; the first {agreed} are."
            raise Damage(REWRITTEN, f"{what} {agreed + 1}", why)
        agreed = one.size


# ── Exports: what is in the file ─────────────────────────────────────────────────────────────────────────────────


@dataclass
class Trust:
    """What the verifier holds: keys, checkpoints, and proofs between sizes if there are any."""

    keys: list[Key] = field(default_factory=list)
    held: list[Checkpoint] = field(default_factory=list)
    proofs: list[tuple[int, int, list[bytes]]] = field(default_factory=list)

    def of(self, clinic: str, tree: str) -> list[Checkpoint]:
        """The checkpoints held of one tree, the largest first; raises Damage when all are of other clinics."""
        if self.held and all(one.clinic != clinic for one in self.held):
            why = f"it is of clinic {clinic}; what you hold is of {self.held[0].clinic}."
            raise Damage(OTHER_CLINIC, "the export", why)
        mine = [one for one in self.held if (one.clinic, one.tree) == (clinic, tree)]
        return sorted(mine, key=lambda one: -one.size)

    def brought(self, files: Files, note: str, clinic: str, tree: str) -> Checkpoint | None:
        """The checkpoint that came with an export: signed by a key that is held, else by the one it brings."""
        if note not in files:
            return None
        keys = [key for key in self.keys if key.name.split("/")[1:3] == [clinic, tree]]
        beside = files.get(
            note.replace(".checkpoint", ".vkeys").replace("checkpoint.txt", "vkeys.txt"), b""
        )
        found = open_checkpoint(
            files[note], keys or parse_keys(beside.decode("ascii", "replace")), note
        )
        if (found.clinic, found.tree) != (clinic, tree):
            raise Damage(OTHER_CLINIC, note, f"it is a checkpoint of {found.origin}.")
        return found


@dataclass
class Found:
    """What was found of one tree or plan."""

    what: str
    count: int
    verified: int = 0
    signed: int = 0
    unproven: int = 0
    words: list[str] = field(default_factory=list)

    def told(self) -> str:
        """It as sentences."""
        said = [f"{self.what}: {self.count} rows, all as they claim to be."]
        if self.verified:
            said.append(f"The first {self.verified} are VERIFIED against the checkpoint you hold.")
        if self.signed > self.verified:
            said.append(f"Up to row {self.signed} they are signed, compared with nothing you hold.")
        if self.count > max(self.signed, self.verified):
            said.append(
                f"{self.count - max(self.signed, self.verified)} are younger than any seal here."
            )
        return " ".join([*said, *self.words])


def parse_keys(text: str) -> list[Key]:
    """Verifier keys, one a line."""
    try:
        return [Key.parse(line) for line in text.split()]
    except ValueError as wrong:
        raise Damage(DAMAGED, "verifier key", f"{wrong} is none.") from wrong


def parse_lines(raw: bytes, what: str) -> list[Row]:
    """NDJSON, strictly: an object a line, every line ended, no name twice."""
    found = []
    for number, line in enumerate(raw.split(b"\n")[:-1], start=1):
        try:
            held = json.loads(line, object_pairs_hook=_object, parse_constant=_refuse)
        except ValueError:
            held = None
        if not isinstance(held, dict):
            raise Damage(DAMAGED, f"{what}, line {number}", "it cannot be read.")
        found.append(held)
    if raw and not raw.endswith(b"\n"):
        raise Damage(DAMAGED, f"{what}, line {len(found) + 1}", "the file breaks off.")
    return found


def _object(pairs: list[tuple[str, Any]]) -> Row:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def _refuse(name: str) -> None:
    raise ValueError(name)


def numbered(what: str, rows: list[Row], number: str, promised: object) -> Rows:
    """Rows with their numbers and claims; raises Damage for one that lacks them."""
    numbers, claims = list[int](), list[bytes]()
    for at, row in enumerate(rows, start=1):
        held, leaf = row.get(number), str(row.get("leaf"))
        if type(held) is not int or not re.fullmatch("[0-9a-f]{64}", leaf):
            raise Damage(DAMAGED, f"{what} {at}", "it is no entry.")
        numbers.append(held)
        claims.append(bytes.fromhex(leaf))
    return Rows(what, rows, numbers, claims, promised=promised)


def check_log(raw: bytes, files: Files, trust: Trust) -> Found:
    """The log of a clinic: a heading, its entries, and a last line with the SHA-256 of all before it."""
    lines, ended = raw[: raw[:-1].rfind(b"\n") + 1], raw[raw[:-1].rfind(b"\n") + 1 :]
    heading, *rows = parse_lines(lines if b'"sha256"' in ended else raw, "log") or [{}]
    clinic, count = heading.get("clinic_id"), heading.get("entries")
    if heading.get("format") != "plan-history/clinic-log/v2" or not isinstance(clinic, str):
        raise Damage(DAMAGED, "log, line 1", "this is no log of a clinic.")
    if "stored" not in (rows or [{"stored": ""}])[0]:
        raise Damage(
            DAMAGED, "log, line 2", "this older export lacks what is stored; export again."
        )
    held = trust.of(clinic, "entries")
    brought = trust.brought(files, "ledger/entries.checkpoint", clinic, "entries")
    every = [*held, *([brought] if brought else [])]
    found = numbered("entry", rows, "position", count)
    found.sealed = proven([split(files.get("ledger/entries.leaves", b"")), found.claims], every)
    leaves, words = walk_entries(clinic, found)
    if len(leaves) != count:
        kind = CUT_OFF if isinstance(count, int) and len(leaves) < count else INSERTED
        raise Damage(kind, f"entry {len(leaves) + 1}", f"the heading promises {count}.")
    compare("entry", leaves, every)
    if ended != log_end(lines):
        raise Damage(DAMAGED, "log, last line", "the file is not as it was written.")
    told = Found("Entries", len(leaves), max((one.size for one in held), default=0))
    told.signed, told.words = brought.size if brought else 0, words.told()
    told.unproven = words.unproven
    return told


def log_end(lines: bytes) -> bytes:
    """The last line of a log, which says what all before it add up to."""
    digest = hashlib.sha256(lines).hexdigest()
    return b'{"format":"plan-history/clinic-log/v2/end","sha256":"%b"}\n' % digest.encode()


def check_looks(raw: bytes, files: Files, clinic: str, trust: Trust) -> Found:
    """The access log of a clinic: a heading, then the looks in the order in which they were sealed."""
    heading, *rows = parse_lines(raw, "access log") or [{}]
    if heading != {"format": "plan-history/access-log/v1", "clinic_id": clinic}:
        raise Damage(DAMAGED, "access log, line 1", "this is not the clinic's access log.")
    held = trust.of(clinic, "access-log")
    name = "ledger/access-log"
    brought = trust.brought(files, f"{name}.checkpoint", clinic, "access-log")
    every = [*held, *([brought] if brought else [])]
    sealed = [row for row in rows if row.get("index") is not None]
    try:
        numbers = [row["index"] + 1 for row in sealed]
        claims = [look_leaf(UUID(clinic).bytes, row) for row in sealed]
    except (KeyError, TypeError, ValueError, AttributeError, struct.error):
        raise Damage(CHANGED, "access log", "a look cannot be read.") from None
    found = Rows("look", sealed, numbers, claims)
    found.sealed = proven([split(files.get(f"{name}.leaves", b"")), claims], every)
    compare("look", walk_looks(found), every)
    told = Found("Access log", len(rows), max((one.size for one in held), default=0))
    told.signed = brought.size if brought else 0
    return told


def check_bundle(manifest: Row, files: Files, trust: Trust) -> Found:
    """The evidence bundle of a plan: its entries, and for each the way to the root of a checkpoint."""
    clinic, version = str(manifest.get("clinic_id")), manifest.get("version")
    held = trust.of(clinic, "entries")
    brought = trust.brought(files, "checkpoint.txt", clinic, "entries")
    rows = parse_lines(files.get("entries.ndjson", b""), "entries.ndjson")
    if any(row.get("plan_id") != manifest.get("plan_id") for row in rows):
        raise Damage(INSERTED, "version 1", "an entry is of another plan than the manifest says.")
    proofs = parse_lines(files.get("proofs.ndjson", b""), "proofs.ndjson")
    found = numbered("version", rows, "version", version)
    ways = (proven_leaf(proof, brought) for proof in proofs)
    found.sealed = [leaf for leaf in itertools.takewhile(bool, ways) if leaf]
    leaves, words = walk_entries(clinic, found)
    if len(leaves) != version:
        kind = CUT_OFF if isinstance(version, int) and len(leaves) < version else INSERTED
        raise Damage(kind, f"version {len(leaves) + 1}", f"the manifest promises {version}.")
    size = brought.size if brought else 0
    for at, row in enumerate(rows):
        proven_here = at < len(found.sealed) and proofs[at]["position"] == row["position"]
        if row["position"] <= size and not proven_here:
            check_manifest(manifest, files)  # a damaged proof is no proof of anything
            why = "it is not in the log that the checkpoint signs."
            raise Damage(REWRITTEN, f"version {at + 1}", why)
    told = Found(f"Plan {manifest.get('plan_id')}", len(leaves))
    told.signed, told.words, told.unproven = len(found.sealed), words.told(), words.unproven
    if brought and agrees(brought, held, trust, told):
        told.verified = told.signed
    return told


def proven_leaf(proof: Row, checkpoint: Checkpoint | None) -> bytes | None:
    """The leaf that a proof leads from to the checkpoint's root; None when it does not."""
    try:
        leaf, path = bytes.fromhex(proof["leaf"]), [from_base64(held) for held in proof["path"]]
        index = proof["position"] - 1
    except (KeyError, TypeError, ValueError):
        return None
    found = checkpoint and root_by_path(leaf, index, checkpoint.size, path) == checkpoint.root
    return leaf if found else None


def agrees(brought: Checkpoint, held: Sequence[Checkpoint], trust: Trust, told: Found) -> bool:
    """Whether the bundle's checkpoint agrees with those held: the same, or shown to be one log's."""
    for one in held:
        if one.size == brought.size:
            if one.root != brought.root:
                why = f"your checkpoint of {one.size} leaves has another root: the log has forked."
                raise Damage(REWRITTEN, "checkpoint.txt", why)
            return True
        older, newer = sorted((one, brought), key=lambda one: one.size)
        for first, last, path in trust.proofs:
            if (first, last) == (older.size, newer.size):
                if not continues(older, newer, path):
                    why = f"the tree of {last} leaves does not continue that of {first}."
                    raise Damage(REWRITTEN, "checkpoint.txt", why)
                return True
        told.words.append(
            f"To compare with the checkpoint you hold, save /v1/ledger/consistency?from={older.size}"
            f"&to={newer.size} and give it with --consistency."
        )
    return False


def split(leaves: bytes) -> list[bytes]:
    """A file of leaf hashes, one by one."""
    return [leaves[at : at + 32] for at in range(0, len(leaves), 32)]


def read_zip(path: Path) -> tuple[Row, Files]:
    """The manifest and the files of an archive; raises Damage when it cannot be unpacked."""
    where = str(path)
    try:
        with zipfile.ZipFile(path) as held:
            names, files = held.namelist(), Files()
            for where in names:
                files[where] = held.read(where)
        manifest = json.loads(files["manifest.json"], object_pairs_hook=_object)
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, OSError, NotImplementedError,
            RuntimeError, struct.error) as wrong:  # fmt: skip
        raise Damage(DAMAGED, where, f"it cannot be unpacked ({type(wrong).__name__}).") from wrong
    if len(names) != len(files) or not isinstance(manifest, dict):
        raise Damage(DAMAGED, str(path), "it holds a file twice, or no manifest.")
    return manifest, files


def check_manifest(manifest: Row, files: Files) -> None:
    """Raise Damage unless every file is there and as the manifest says, and the manifest as its sum says."""
    sums = hashlib.sha256(files["manifest.json"]).hexdigest() + "  manifest.json\n"
    if files.get("manifest.sha256") != sums.encode():
        raise Damage(DAMAGED, "manifest.json", "it is not as manifest.sha256 says.")
    told, rest = manifest["files"], files.keys() - {"manifest.json", "manifest.sha256"}
    for name in sorted(rest | told.keys()):
        held = files.get(name, b"")
        said = {"sha256": hashlib.sha256(held).hexdigest(), "bytes": len(held)}
        if name not in rest or told.get(name) != said:
            raise Damage(DAMAGED, name, "it is not as the manifest says.")


def check(path: Path, trust: Trust) -> Iterator[Found]:
    """Everything in an export; raises Damage at the first thing that is not as it was."""
    if not zipfile.is_zipfile(path) and not path.read_bytes().startswith(b"PK"):
        yield check_log(path.read_bytes(), {}, trust)
        return
    manifest, files = read_zip(path)
    if manifest.get("format") == "plan-history/evidence/v1":
        found = [check_bundle(manifest, files, trust)]
    elif manifest.get("format") == "plan-history/clinic/v1":
        clinic = str(manifest.get("clinic_id"))
        found = [
            check_log(files.get("clinic.ndjson", b""), files, trust),
            check_looks(files.get("access-log.ndjson", b""), files, clinic, trust),
        ]
    else:
        raise Damage(DAMAGED, "manifest.json", "it is of nothing that can be checked here.")
    check_manifest(manifest, files)
    yield from found


# ── The program ──────────────────────────────────────────────────────────────────────────────────────────────────


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """What is to be checked, and against what."""
    parser = argparse.ArgumentParser(
        description="Check a history that Plan History exported, offline."
    )
    parser.add_argument(
        "export", type=Path, help="evidence bundle, clinic archive, or log as NDJSON"
    )
    parser.add_argument(
        "--checkpoint", type=Path, action="append", default=[], help="a checkpoint you kept"
    )
    parser.add_argument(
        "--vkey", action="append", default=[], help="a key you were told, or a file with some"
    )
    parser.add_argument(
        "--consistency", type=Path, action="append", default=[], help="a proof of the API's"
    )
    parser.add_argument("--json", action="store_true", help="answer as JSON")
    asked = parser.parse_args(given)
    if asked.checkpoint and not asked.vkey:
        parser.error("with --checkpoint, give --vkey: the key it is signed with")
    for place in (asked.export, *asked.checkpoint, *asked.consistency):
        if not place.is_file():
            parser.error(f"there is no file {place}")
    return asked


def trusted(asked: argparse.Namespace) -> Trust:
    """What the verifier holds, read from the files that were named."""
    keys = [Path(one).read_text("utf-8") if Path(one).is_file() else one for one in asked.vkey]
    trust = Trust(parse_keys("\n".join(keys)))
    trust.held = [
        open_checkpoint(place.read_bytes(), trust.keys, str(place)) for place in asked.checkpoint
    ]
    for place in asked.consistency:
        try:
            held = json.loads(place.read_bytes())
            trust.proofs.append(
                (held["from"], held["to"], [from_base64(one) for one in held["path"]])
            )
        except (ValueError, KeyError, TypeError) as wrong:
            raise Damage(DAMAGED, str(place), "it is no proof of consistency.") from wrong
    return trust


def _checked(asked: argparse.Namespace) -> list[Found]:
    try:
        return list(check(asked.export, trusted(asked)))
    except Damage:
        raise
    except Exception as wrong:  # whatever it stumbles over is not how an export is laid out
        why = f"it is not laid out as an export ({type(wrong).__name__})."
        raise Damage(DAMAGED, str(asked.export), why) from wrong


def main(given: Sequence[str] | None = None) -> int:
    """Check, tell, and return the exit code."""
    asked = arguments(given)
    try:
        found = _checked(asked)
    except Damage as damage:
        shown = {"verified": False, "damage": vars(damage)}
        print(json.dumps(shown) if asked.json else f"DAMAGED – {damage}")
        return 1
    verified = found[0].verified > 0 and not found[0].unproven
    if asked.json:
        print(
            json.dumps(
                {"verified": verified, "damage": None, "found": [vars(one) for one in found]}
            )
        )
    else:
        print("\n".join(one.told() for one in found))
        if not found[0].verified:
            print(
                "NOT VERIFIED: it was compared with nothing you hold. Give --checkpoint and --vkey."
            )
    return 0 if verified else 3


if __name__ == "__main__":
    sys.exit(main())
