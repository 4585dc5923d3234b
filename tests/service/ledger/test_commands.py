"""The ledger's commands: keys, how far everything is sealed, verifying, witnessing."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from werkzeug.serving import make_server

from api.app import create_app
from service.container import Container
from service.ledger.books import ENTRIES, LOOKS
from service.ledger.keys import KeyFileError, new_key, read_keys
from service.ledger.notes import Checkpoint, Vkey
from service.ledger.signing import open_note
from tests.conftest import Clinic
from tests.service.commands import MISUSED, REFUSED, UNVERIFIED, Run
from tests.service.ledger.sealing import Owner, Sealing, grow
from tests.service.recording import set_goal

# Keys


def test_a_key_is_made_for_its_owner_alone(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the setting says, else in the data home; nobody else can read it."""
    said = run("seal", "--new-key")
    place = tmp_path / "home" / "sealer-key.pem"
    assert f"{place} holds 1 key(s)" in said.out
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    elsewhere = tmp_path / "secrets" / "sealer.pem"
    monkeypatch.setenv("PLAN_HISTORY_SEALER_KEY_FILE", str(elsewhere))
    run("seal", "--new-key")
    assert read_keys(elsewhere)[0].private_bytes_raw() != read_keys(place)[0].private_bytes_raw()


def test_a_second_key_comes_before_the_first(run: Run, tmp_path: Path) -> None:
    """And both sign until the older is taken out; that is said."""
    place = tmp_path / "home" / "sealer-key.pem"
    run("seal", "--new-key")
    [first] = read_keys(place)
    said = run("seal", "--new-key")
    assert "signed by both" in said.out
    newest, oldest = read_keys(place)
    assert oldest.private_bytes_raw() == first.private_bytes_raw() != newest.private_bytes_raw()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_a_key_made_by_openssl_is_taken(tmp_path: Path) -> None:
    """PKCS#8 in PEM, as ``openssl genpkey -algorithm ed25519`` writes it (RFC 8410, 10.3)."""
    place = tmp_path / "key.pem"
    place.write_text(
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
        "-----END PRIVATE KEY-----\n"
    )
    place.chmod(0o600)
    [key] = read_keys(place)
    public = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"
    assert key.public_key().public_bytes_raw().hex() == public


PUBLIC = b"""\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
"""
X25519 = b"""\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VuBCIEIMgMNtaJWSCeQJl3mELRcyQjpBsHCTwFRPsplEsYSmNa
-----END PRIVATE KEY-----
"""
UNUSABLE: dict[str, tuple[bytes, int, str]] = {
    "open to others": (b"", 0o640, "chmod 600"),
    "empty": (b"", 0o600, "There is no key"),
    "no key": (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0o600, "cannot be read"),
    "a public key": (PUBLIC, 0o600, "cannot be read"),
    "another kind": (X25519, 0o600, "another kind than Ed25519"),
}  # fmt: skip


@pytest.mark.parametrize("what", UNUSABLE)
def test_an_unusable_key_file_is_told(here: Run, tmp_path: Path, what: str) -> None:
    """Before anything is sealed: one sentence with what to do."""
    held, mode, said = UNUSABLE[what]
    place = tmp_path / "home" / "sealer-key.pem"
    place.parent.mkdir()
    place.write_bytes(held)
    place.chmod(mode)
    refused = here("seal")
    assert (refused.code, refused.out) == (REFUSED, "")
    assert str(place) in refused.err
    assert said in refused.err
    with pytest.raises(KeyFileError):
        new_key(place)
    assert place.read_bytes() == held, "nothing is overwritten"


def test_without_a_key_nothing_is_sealed(here: Run) -> None:
    """It says how to make one."""
    said = here("seal")
    assert (said.code, "--new-key" in said.err) == (REFUSED, True)


# How far everything is


def test_the_ledger_is_shown(
    here: Run, container: Container, clinic: Clinic, sealing: Sealing
) -> None:
    """Tree by tree: how much is sealed, how much waits, when it was sealed."""
    assert here("ledger", "--json").shown[0]["sealed"] == 0
    plan = grow(container, clinic, plans=1, each=3)[0]
    sealing.seal()
    set_goal(container, clinic.member(), plan)
    container.plans.current(clinic.member(), plan)
    entries, looks = here("ledger", "--json").shown
    assert (entries["tree"], entries["sealed"], entries["behind"]) == (ENTRIES, 4, 1)
    assert (looks["tree"], looks["sealed"], looks["behind"]) == (LOOKS, 0, 1)
    sealing.seal()
    sealing.owner.execute("DELETE FROM access_log")
    looks = here("ledger", "--json").shown[1]
    assert (looks["sealed"], looks["behind"]) == (1, 0), "one that was removed does not count"
    assert str(clinic.clinic_id) in here("ledger").out


def test_a_checkpoint_and_its_key_are_printed(
    here: Run, container: Container, clinic: Clinic, sealing: Sealing
) -> None:
    """As they are to be kept elsewhere: one is good for the other."""
    asked = ("--clinic", clinic.clinic_id)
    said = here("ledger", "checkpoint", *asked)
    assert (said.code, "Nothing of that clinic is sealed yet" in said.err) == (REFUSED, True)
    grow(container, clinic, plans=1, each=3)
    sealing.seal()
    for tree in (ENTRIES, LOOKS):
        note = here("ledger", "checkpoint", *asked, "--tree", tree).out
        vkey = here("ledger", "vkey", *asked, "--tree", tree).out.strip()
        open_note(note.encode(), [Vkey.parse(vkey)])


def test_a_stopped_tree_is_shown_and_resumed(
    here: Run, container: Container, clinic: Clinic, sealing: Sealing, owner: Owner
) -> None:
    """In the ledger and by the doctor, with the next step; mended and resumed it goes on."""
    grow(container, clinic, plans=1, each=3)
    owner.execute("UPDATE entries SET topic = 'plan.goal-sett' WHERE position = 2")
    sealing.seal()
    assert "the entry at position 2 is not as it was recorded" in here("ledger").out
    doctor = here("doctor")
    assert doctor.code == REFUSED
    assert (
        "! Sealing of entries has stopped for 1 clinic(s): see plan-history ledger." in doctor.out
    )
    owner.execute("UPDATE entries SET topic = 'plan.goal-set' WHERE position = 2")
    assert here("ledger", "resume", "--tree", LOOKS, "--json").shown == {"resumed": 0}
    assert "1 tree(s) are tried again" in here("ledger", "resume", "--clinic", clinic.clinic_id).out
    assert sealing.seal() == 4
    assert here("doctor").code == 0


def test_a_tree_is_begun_anew_under_another_name(
    here: Run, container: Container, clinic: Clinic, sealing: Sealing, owner: Owner
) -> None:
    """Only on purpose; then no checkpoint of before fits, and everybody sees by the name that it began anew."""
    plan = grow(container, clinic, plans=1, each=3)[0]
    container.plans.current(clinic.member(), plan)
    sealing.seal()
    before = sealing.head(clinic.clinic_id)
    asked = ("ledger", "restart", "--clinic", clinic.clinic_id)
    said = here(*asked)
    assert (said.code, "--yes" in said.err) == (REFUSED, True)
    assert sealing.head(clinic.clinic_id) == before
    for tree in (ENTRIES, LOOKS):
        assert here(*asked, "--tree", tree, "--yes", "--json").shown == {"restarted": tree}
    assert sealing.seal() == 5
    head = sealing.head(clinic.clinic_id)
    assert (head.size, head.origin) == (4, f"{before.origin}/2")
    with pytest.raises(ValueError, match="not signed by"):
        open_note(str(head.note).encode(), before.vkeys)


# Verifying


def kept(sealing: Sealing, clinic: Clinic, tree: str = ENTRIES) -> tuple[str, ...]:
    """A checkpoint and its key, taken outside, as arguments."""
    place = sealing.folder / f"{tree}.checkpoint"
    place.write_text(str(sealing.head(clinic.clinic_id, tree).note))
    keys = sealing.folder / f"{tree}.vkey"
    keys.write_text(f"{sealing.vkey(clinic.clinic_id, tree)}\n")
    return ("--checkpoint", str(place), "--vkey", str(keys))


def test_a_store_is_verified_against_what_was_kept(
    here: Run, container: Container, clinic: Clinic, sealing: Sealing, owner: Owner
) -> None:
    """0 verified, 3 in order by itself, 1 damaged with the first bad row named."""
    grow(container, clinic, plans=1, each=3)
    sealing.seal()
    held = kept(sealing, clinic)
    said = here("verify", *held)
    assert said.code == 0
    assert "verified against the checkpoint held of 4 leaves" in said.out
    alone = here("verify")
    assert alone.code == UNVERIFIED
    assert "nothing held outside says so" in alone.out
    owner.execute("UPDATE entries SET state = '{}' WHERE position = 3")
    said = here("verify", *held)
    assert said.code == REFUSED
    assert f"! entries of clinic {clinic.clinic_id}: changed at 3." in said.out
    shown = here("verify", "--json", *held).shown
    assert [(held["tree"], held["kind"], held["at"]) for held in shown] == [
        (ENTRIES, "changed", 3),
        (LOOKS, None, None),
    ]


def test_a_checkpoint_that_was_compared_with_nothing_verifies_nothing(
    here: Run, container: Container, clinic: Clinic, sealing: Sealing
) -> None:
    """One of a log that was begun anew since: all may be in order, but not by what is held."""
    grow(container, clinic, plans=1, each=3)
    sealing.seal()
    held = kept(sealing, clinic)
    here("ledger", "restart", "--clinic", clinic.clinic_id, "--yes")
    sealing.seal()
    said = here("verify", *held)
    assert (said.code, "nothing held outside says so" in said.out) == (UNVERIFIED, True)


def test_what_is_held_must_be_worth_holding(
    here: Run,
    container: Container,
    clinic: Clinic,
    new_clinic: Callable[..., Clinic],
    sealing: Sealing,
    tmp_path: Path,
) -> None:
    """A key for the signature, a signature by the key, a clinic that is there."""
    grow(container, clinic, plans=1, each=1)
    other = new_clinic("Other")
    sealing.seal()
    held = kept(sealing, clinic)
    assert "give --vkey" in here("verify", *held[:2]).err
    assert (
        "no checkpoint to hold on to"
        in here("verify", *held[:2], "--vkey", str(sealing.vkey(other.clinic_id))).err
    )
    assert "--vkey: It is no Ed25519" in here("verify", "--vkey", "x").err
    said = here("verify", *held, "--clinic", other.clinic_id)
    assert (said.code, "none of these clinics" in said.err) == (REFUSED, True)
    assert here("verify", "--checkpoint", tmp_path / "nowhere").code == MISUSED
    unknown = here("verify", "--clinic", "00000000-0000-4000-8000-000000000000")
    assert (unknown.code, "There is no clinic" in unknown.err) == (REFUSED, True)


# Witnessing


@pytest.fixture
def served(container: Container) -> Any:
    """The API over HTTP."""
    server = make_server("127.0.0.1", 0, create_app(container), threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/v1/ledger"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_witness_follows_a_ledger_over_http(
    run: Run,
    container: Container,
    clinic: Clinic,
    sealing: Sealing,
    owner: Owner,
    served: str,
    tmp_path: Path,
) -> None:
    """With a token of its own; a fork is refused, and what was shown is kept beside the output."""
    plan = grow(container, clinic, plans=1, each=3)[0]
    sealing.seal()
    token = tmp_path / "token"
    token.write_text(clinic.token(clinic.member("auditor")))
    mine = ("--key", tmp_path / "witness.pem", "--name", "witness.example.org/w")
    vkey = run("witness", "--new-key", *mine).out.strip()
    assert Vkey.parse(vkey).type == 4
    log_key = sealing.vkey(clinic.clinic_id)
    asked = (
        "witness", served, *mine, "--vkey", log_key, "--seen", tmp_path / "witnessed", "-o", tmp_path / "cosigned.txt",
        "--token-file", token,
    )  # fmt: skip
    for size in (4, 5, 5):
        shown = run(*asked, "--json").shown
        assert (shown["size"], shown["vkey"]) == (size, vkey)
        note, by = open_note((tmp_path / "cosigned.txt").read_bytes(), [log_key, Vkey.parse(vkey)])
        assert len(by) == 2
        assert Checkpoint.parse(note.text).size == size
        if size == 4:
            set_goal(container, clinic.member(), plan)
            sealing.seal()
    before = (tmp_path / "cosigned.txt").read_bytes()
    owner.execute("DELETE FROM log_tiles")
    owner.execute("DELETE FROM checkpoints")
    owner.execute("DELETE FROM entries WHERE position = 5")
    owner.execute("UPDATE clinic_logs SET position = 4")
    os.unlink(sealing.folder / "seen")  # noqa: PTH108 - the sealer's memory, which an attacker would remove
    sealing.seal()
    said = run(*asked)
    assert (said.code, said.out) == (REFUSED, "")
    assert "The log has gone back: it had 5 leaves, and shows 4." in said.err
    assert (tmp_path / "cosigned.txt").read_bytes() == before
    assert b"\n4\n" in (tmp_path / "cosigned.txt.refused").read_bytes()


def test_a_witness_is_told_what_it_lacks(
    run: Run, clinic: Clinic, sealing: Sealing, served: str, tmp_path: Path
) -> None:
    """A name, a key, a memory, a token that is good, an address that answers."""
    mine = ("--key", tmp_path / "witness.pem", "--name", "w")
    assert run("witness", *mine).code == MISUSED
    assert run("witness", "--key", tmp_path / "witness.pem", "x").code == MISUSED
    assert "--new-key" in run("witness", "x", *mine).err
    run("witness", "--new-key", *mine)
    assert run("witness", "x", *mine).code == MISUSED
    rest = (
        "--vkey",
        sealing.vkey(clinic.clinic_id),
        "--seen",
        tmp_path / "witnessed",
        "-o",
        tmp_path / "out",
        *mine,
    )
    said = run("witness", served, *rest)
    assert (said.code, "answered 401; check address and token" in said.err) == (REFUSED, True)
    said = run("witness", "http://127.0.0.1:1/v1/ledger", *rest)
    assert (said.code, "did not answer" in said.err) == (REFUSED, True)
    said = run("witness", tmp_path / "nowhere", *rest)
    assert (said.code, "cannot be read" in said.err) == (REFUSED, True)


def test_a_witness_takes_a_proof_of_the_api_from_a_file(
    run: Run, container: Container, clinic: Clinic, sealing: Sealing, tmp_path: Path
) -> None:
    """A checkpoint that was mailed, and the proof that goes with it."""
    plan = grow(container, clinic, plans=1, each=3)[0]
    sealing.seal()
    mine = ("--key", tmp_path / "witness.pem", "--name", "w")
    run("witness", "--new-key", *mine)
    rest = (
        "--vkey",
        sealing.vkey(clinic.clinic_id),
        "--seen",
        tmp_path / "witnessed",
        "-o",
        tmp_path / "out",
        *mine,
    )
    place = tmp_path / "mailed.txt"
    place.write_text(str(sealing.head(clinic.clinic_id).note))
    assert run("witness", place, *rest).code == 0
    set_goal(container, clinic.member(), plan)
    sealing.seal()
    place.write_text(str(sealing.head(clinic.clinic_id).note))
    assert "consistency?from=4&to=5" in run("witness", place, *rest).err
    proof = tmp_path / "proof.json"
    proof.write_text(json.dumps(container.ledger.consistency(clinic.member(), ENTRIES, 4)))
    assert run("witness", place, "--proof", proof, *rest).code == 0
