"""A witness: signs what continues what it saw, and refuses loudly whatever does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.ledger import witness as witnessing
from service.ledger.notes import LOG, WITNESS, Checkpoint, Note, to_base64
from service.ledger.seen import Seen, SeenFileError
from service.ledger.signing import Signer, open_note, sign
from service.ledger.tree import consistency, leaf_hash, root_of
from service.ledger.witness import Brought, MisbehavedError, OutOfReachError, cosign

ORIGIN = "plan-history/3f1d0000-0000-4000-8000-000000000001/entries"
LEAVES = [leaf_hash(number.to_bytes(4)) for number in range(40)]


@dataclass
class Log:
    """A log that shows what a test wants it to."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    leaves: list[bytes] = field(default_factory=lambda: LEAVES[:10])
    name: str = ORIGIN
    lies: bool = False

    @property
    def signer(self) -> Signer:
        """Who signs for it."""
        return Signer(self.name, LOG, self.key)

    def checkpoint(self) -> bytes:
        """Its newest checkpoint."""
        held = Checkpoint(self.name, len(self.leaves), root_of(self.leaves))
        return str(sign(held.text(), [self.signer])).encode()

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof, unless it lies."""
        if self.lies:
            return [b"\x00" * 32]
        return [root_of(self.leaves[start:end]) for start, end in consistency(old, new)]


@dataclass
class Witness:
    """A witness with its key and its memory, begun anew each time it is asked."""

    folder: Path
    signer: Signer

    def see(self, log: Log) -> Note:
        """What it makes of a log's newest checkpoint."""
        return cosign(
            log, [log.signer.vkey], self.signer, Seen(self.folder / "seen"), lambda: 1_700_000_000.9
        )


@pytest.fixture
def watching(tmp_path: Path) -> Witness:
    """One that has seen nothing yet."""
    return Witness(tmp_path, Signer("witness.example.org/w", WITNESS, Ed25519PrivateKey.generate()))


def test_it_signs_what_it_sees_first_and_whatever_continues_it(watching: Witness) -> None:
    """Log's and witness's signatures are on it; the moment is told to the second."""
    log = Log()
    for size in (10, 10, 11, 16, 17, 40):
        log.leaves = LEAVES[:size]
        note = watching.see(log)
        _, by = open_note(str(note).encode(), [log.signer.vkey, watching.signer.vkey])
        assert by == [log.signer.vkey, watching.signer.vkey]
        assert int.from_bytes(note.signatures[-1].value[:8]) == 1_700_000_000
        assert Checkpoint.parse(note.text).size == size


def test_it_begins_with_a_log_of_nothing(watching: Witness) -> None:
    """And lets it grow."""
    log = Log(leaves=[])
    watching.see(log)
    log.leaves = LEAVES[:3]
    assert Checkpoint.parse(watching.see(log).text).size == 3


def test_its_own_older_signature_is_replaced_others_stay(watching: Witness) -> None:
    """A checkpoint that comes back cosigned is not signed twice."""
    log = Log()
    other = Signer("witness.example.org/other", WITNESS, Ed25519PrivateKey.generate())
    note = watching.see(log)
    again = Note(note.text, (*note.signatures, other.sign(note.text, 1)))
    log.checkpoint = lambda: str(again).encode()  # type: ignore[method-assign] # it shows the cosigned one
    names = [held.name for held in watching.see(log).signatures]
    assert names == [ORIGIN, "witness.example.org/other", "witness.example.org/w"]


def lie(log: Log) -> None:
    """It goes on, and gives a proof that is none."""
    log.leaves, log.lies = LEAVES[:12], True


MISBEHAVIOURS: dict[str, tuple[Callable[[Log], None], str]] = {
    "goes back": (lambda log: setattr(log, "leaves", LEAVES[:9]), "gone back: it had 10 leaves, and shows 9"),
    "goes back to nothing": (lambda log: setattr(log, "leaves", []), "gone back"),
    "another history of the same length": (
        lambda log: setattr(log, "leaves", LEAVES[1:11]), "two histories of 10 leaves",
    ),
    "another history that is longer": (
        lambda log: setattr(log, "leaves", [*LEAVES[:3], LEAVES[30], *LEAVES[4:20]]), "forked",
    ),
    "a wrong proof": (lie, "forked"),
    "another key": (lambda log: setattr(log, "key", Ed25519PrivateKey.generate()), "not signed by"),
    "another log": (lambda log: setattr(log, "name", ORIGIN.replace("3f", "4f")), "not signed by"),
}  # fmt: skip


@pytest.mark.parametrize("what", MISBEHAVIOURS)
def test_it_refuses_a_log_that_misbehaves(watching: Witness, what: str) -> None:
    """And goes on refusing; what it saw before is what counts, also when it is begun anew."""
    log = Log()
    watching.see(log)
    trusted = [log.signer.vkey]
    does, said = MISBEHAVIOURS[what]
    does(log)
    before = (watching.folder / "seen").read_bytes()
    for _ in range(2):
        with pytest.raises(MisbehavedError, match=said):
            cosign(log, trusted, watching.signer, Seen(watching.folder / "seen"))
    assert (watching.folder / "seen").read_bytes() == before


def test_a_checkpoint_signed_for_another_log_is_refused(watching: Witness) -> None:
    """A log's own key on the text of another: the name on the key must be the log's."""
    log = Log()
    held = Checkpoint(f"{ORIGIN}/2", 10, root_of(LEAVES[:10]))
    raw = str(sign(held.text(), [log.signer])).encode()
    log.checkpoint = lambda: raw  # type: ignore[method-assign] # it shows another log
    with pytest.raises(MisbehavedError, match="another log"):
        watching.see(log)


def test_what_was_seen_is_kept_before_it_is_signed(
    watching: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A witness whose memory cannot be written signs nothing."""
    log = Log()
    (watching.folder / "seen").mkdir()
    with pytest.raises(SeenFileError, match="cannot be read"):
        watching.see(log)
    (watching.folder / "seen").rmdir()

    def full(self: Seen) -> None:
        raise SeenFileError("no room")

    monkeypatch.setattr(Seen, "keep", full)
    with pytest.raises(SeenFileError):
        watching.see(log)


def test_a_memory_that_is_damaged_is_not_overlooked(watching: Witness) -> None:
    """Rather than beginning from nothing, which is what somebody would want."""
    watching.see(Log())
    place = watching.folder / "seen"
    for damage in (b"\xff\xfe", b"something else\n", place.read_bytes()[:-3]):
        place.write_bytes(damage)
        with pytest.raises(SeenFileError, match="cannot be read"):
            watching.see(Log())


def test_a_checkpoint_brought_in_a_file_takes_a_proof_in_a_file(watching: Witness) -> None:
    """Without it the witness says which one it needs."""
    log, folder = Log(), watching.folder
    (folder / "cp").write_bytes(log.checkpoint())
    seen = Seen(folder / "seen")
    cosign(Brought(folder / "cp"), [log.signer.vkey], watching.signer, seen)
    log.leaves = LEAVES[:13]
    (folder / "cp").write_bytes(log.checkpoint())
    with pytest.raises(OutOfReachError, match=r"consistency\?from=10&to=13"):
        cosign(Brought(folder / "cp"), [log.signer.vkey], watching.signer, seen)
    path = list(map(to_base64, log.consistency(10, 13)))
    for wrong in (b"", b"[]", b'{"path": [1]}', b'{"path": ["!"]}'):
        (folder / "proof").write_bytes(wrong)
        with pytest.raises(OutOfReachError, match="no proof of consistency"):
            cosign(
                Brought(folder / "cp", folder / "proof"), [log.signer.vkey], watching.signer, seen
            )
    (folder / "proof").write_text(json.dumps({"from": 10, "to": 13, "path": path}))
    note = cosign(
        Brought(folder / "cp", folder / "proof"), [log.signer.vkey], watching.signer, seen
    )
    assert Checkpoint.parse(note.text).size == 13
    with pytest.raises(OutOfReachError, match="cannot be read"):
        cosign(Brought(folder / "nowhere"), [log.signer.vkey], watching.signer, seen)


def test_several_logs_are_remembered_apart(watching: Witness) -> None:
    """Each by its name, in one file."""
    logs = [Log(name=ORIGIN), Log(name=ORIGIN.replace("entries", "access-log"), leaves=LEAVES[:4])]
    for log in logs:
        watching.see(log)
    logs[1].leaves = LEAVES[:3]
    watching.see(logs[0])
    with pytest.raises(MisbehavedError, match="gone back"):
        watching.see(logs[1])


def test_a_witness_that_forgets_is_noticed(
    watching: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: one that compares with nothing signs a fork."""
    monkeypatch.setattr(witnessing, "_refuse_another_past", lambda *_: None)
    log = Log()
    watching.see(log)
    log.leaves = LEAVES[1:11]
    assert Checkpoint.parse(watching.see(log).text).size == 10
