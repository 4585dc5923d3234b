"""The ring: keys made ahead, unwrapped when asked for, destroyed for good, wrapped anew."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from projections.sealing import NO_KEYS
from service.errors import KeyMissingError
from service.keys import KeysUnsetError, Master, MasterKeyError, Ring, open_keys
from service.keys.master import Epochs
from service.keys.places import open_ring
from service.keys.ring import RESERVE
from service.keys.vault import Vault
from service.settings import Settings

PLACE = b"entry here"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for keys."""
    return tmp_path / "keys"


def ring_of(folder: Path) -> Ring:
    """The keys in a folder, as another process would open them."""
    return open_ring(Settings(keys=str(folder)))


@pytest.fixture
def ring(folder: Path) -> Iterator[Ring]:
    """Fresh keys."""
    held = ring_of(folder)
    yield held
    held.close()


def sealed(ring: Ring, key_id: UUID) -> bytes:
    """Some words under a key."""
    cipher = ring.cipher(key_id)
    assert cipher is not None
    return cipher.seal(b"words", PLACE)


def opens(ring: Ring, kept: bytes, key_id: UUID) -> bytes | None:
    """They again."""
    cipher = ring.cipher(key_id)
    return cipher.open(kept, PLACE) if cipher else None


def test_each_key_is_another_and_safe_before_it_is_used(ring: Ring, folder: Path) -> None:
    """Another process can open at once what was sealed with it."""
    made = [ring.fresh() for _ in range(3 * RESERVE)]
    assert len(set(made)) == 3 * RESERVE
    other = ring_of(folder)
    assert opens(other, sealed(ring, made[-1]), made[-1]) == b"words"
    other.close()


def test_a_destroyed_key_opens_nothing_any_more(ring: Ring, folder: Path) -> None:
    """Here at once; in a process that has it in mind, once that is told to forget it."""
    key_id = ring.fresh()
    kept, other = sealed(ring, key_id), ring_of(folder)
    assert opens(other, kept, key_id) == b"words"
    assert ring.destroy([key_id]) == 1
    assert opens(ring, kept, key_id) is None
    other.forget([key_id])
    assert opens(other, kept, key_id) is None
    assert other.secret(key_id) is None
    other.close()


def test_a_key_nobody_knows_is_no_erasure(ring: Ring) -> None:
    """A key store that is not the one must never pass for an erased plan."""
    with pytest.raises(KeyMissingError, match="doctor"):
        ring.cipher(uuid4())


def test_a_key_under_a_wrong_name_is_refused(ring: Ring) -> None:
    """The id is a commitment: whoever swaps two keys in the store is found out."""
    one, other = ring.fresh(), ring.fresh()
    secret = ring.secret(other)
    assert secret is not None
    ring.store.destroy([one])
    swapped = Ring(ring.store, ring.master)
    vault = ring.store
    assert isinstance(vault, Vault)
    vault.add({one: ring.master.wrap(one, secret)})
    with pytest.raises(KeyMissingError):
        swapped.cipher(one)


def test_keys_come_along_with_what_they_open(ring: Ring, tmp_path: Path) -> None:
    """Into another store; one of another id is refused, one that was destroyed stays destroyed."""
    key_id, gone = ring.fresh(), ring.fresh()
    kept, secret = sealed(ring, key_id), ring.secret(key_id)
    elsewhere = ring_of(tmp_path / "elsewhere")
    elsewhere.adopt(key_id, secret)
    elsewhere.adopt(key_id, secret)
    elsewhere.adopt(gone, None)
    assert opens(elsewhere, kept, key_id) == b"words"
    assert elsewhere.cipher(gone) is None
    with pytest.raises(ValueError, match="another key"):
        elsewhere.adopt(uuid4(), secret)
    elsewhere.close()


def test_digests_are_blinded_alike_by_every_process(ring: Ring, folder: Path) -> None:
    """And say nothing to who does not have the keys: other keys, other digests."""
    other = ring_of(folder)
    assert ring.blinded(b"d") == other.blinded(b"d") != ring.blinded(b"e")
    elsewhere = ring_of(folder.parent / "elsewhere")
    assert elsewhere.blinded(b"d") != ring.blinded(b"d")
    other.close()
    elsewhere.close()


# The master key


def test_a_new_epoch_kills_older_backups(ring: Ring, folder: Path, tmp_path: Path) -> None:
    """What was sealed still opens, in every process; a backup of the store opens nothing any more."""
    keys = [ring.fresh() for _ in range(RESERVE + 3)]
    kept, pepper = sealed(ring, keys[0]), ring.blinded(b"d")
    other = ring_of(folder)
    other.cipher(keys[1])
    backup = tmp_path / "backup"
    backup.mkdir()
    for file in folder.iterdir():
        if file.name.startswith("vault"):
            (backup / file.name).write_bytes(file.read_bytes())
    assert ring.rotate() == 2 * RESERVE + 1  # the keys made ahead, and the one that blinds
    assert ring.master.epochs.newest == 2
    assert opens(ring_of(folder), kept, keys[0]) == b"words"
    assert opens(other, kept, keys[0]) == b"words"
    assert other.blinded(b"d") == pepper
    old = Ring(Vault(backup / "vault.sqlite"), ring.master)
    with pytest.raises(KeyMissingError):
        old.cipher(keys[0])
    assert ring.rotate() == 2 * RESERVE + 1
    for held in (other, old):
        held.close()


def test_a_rotation_that_was_cut_off_goes_on(
    ring: Ring, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the new master key was written and before the last key is wrapped with it: all still opens."""
    key_id = ring.fresh()
    kept = sealed(ring, key_id)

    def cut() -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ring, "rewrap", cut)
        with pytest.raises(KeyboardInterrupt):
            ring.rotate()
    again = ring_of(folder)
    assert set(again.master.epochs.keys) == {1, 2}
    assert opens(again, kept, key_id) == b"words"
    again.rotate()
    assert set(again.master.epochs.keys) == {3}
    assert opens(ring_of(folder), kept, key_id) == b"words"
    again.close()


def test_keys_made_while_the_epoch_changes_are_not_lost(ring: Ring, folder: Path) -> None:
    """Another process that makes keys during a rotation uses the new master key from then on."""
    slow = ring_of(folder)
    ring.rotate()
    key_id = slow.fresh()
    assert opens(ring_of(folder), sealed(slow, key_id), key_id) == b"words"
    slow.close()


def test_the_master_key_is_its_owners_alone(ring: Ring, folder: Path) -> None:
    """Readable by nobody else, before and after a rotation."""
    ring.rotate()
    assert stat.S_IMODE((folder / "master.key").stat().st_mode) == 0o600
    assert {file.name for file in folder.iterdir()} <= {
        "master.key",
        "vault.sqlite",
        "vault.sqlite-wal",
        "vault.sqlite-shm",
    }


def test_a_lost_master_key_is_never_replaced(ring: Ring, folder: Path) -> None:
    """With keys in the store that it wrapped, a new one would only hide the loss."""
    ring.fresh()
    (folder / "master.key").unlink()
    with pytest.raises(MasterKeyError, match="Put it back"):
        ring_of(folder)


def test_another_master_key_opens_nothing(ring: Ring, folder: Path) -> None:
    """And says so; the keys are not taken for destroyed."""
    key_id = ring.fresh()
    other = Ring(ring.store, Master(Epochs({1: os.urandom(32)})))
    with pytest.raises(KeyMissingError):
        other.cipher(key_id)


@pytest.mark.parametrize("text", ["", "1", "1:", "1:short", "x:" + "A" * 43 + "=", "1:\u00fc"])
def test_a_malformed_master_key_is_named_not_shown(text: str, tmp_path: Path) -> None:
    """By where it comes from."""
    with pytest.raises(MasterKeyError, match="PLAN_HISTORY_MASTER_KEY holds no master key") as said:
        Epochs.read(text, "PLAN_HISTORY_MASTER_KEY")
    assert not text or text not in str(said.value)
    (tmp_path / "master").write_text(text, "utf-8")
    with pytest.raises(MasterKeyError, match=str(tmp_path)):
        Master.from_file(tmp_path / "master")


def test_a_master_key_of_the_environment_is_rotated_by_hand(folder: Path) -> None:
    """Old and new one for every process, then rewrap, then the new one alone."""
    first = Epochs({}).followed()
    given = Settings(keys=str(folder), master_key=first.written())
    held = open_ring(given)
    key_id = held.fresh()
    kept = sealed(held, key_id)
    with pytest.raises(MasterKeyError, match="rewrap"):
        held.rotate()
    both = first.followed()
    second = open_ring(Settings(keys=str(folder), master_key=both.written()))
    assert second.rewrap() == RESERVE
    alone = open_ring(Settings(keys=str(folder), master_key=both.only_newest().written()))
    assert opens(alone, kept, key_id) == b"words"
    for one in (held, second, alone):
        one.close()


def test_who_does_not_say_where_keys_are_is_asked() -> None:
    """Unencrypted is a choice, not an oversight."""
    with pytest.raises(KeysUnsetError, match="PLAN_HISTORY_KEYS"):
        open_keys(Settings())
    assert open_keys(Settings(keys="off")) is NO_KEYS
    with pytest.raises(MasterKeyError, match="PLAN_HISTORY_MASTER_KEY_FILE"):
        open_keys(Settings(keys="postgresql://nobody@127.0.0.1:9/none"))


def test_a_start_opens_the_vault_once(database_url: str, tmp_path: Path) -> None:
    """To see whether keys are there, and to work with them: opening it looks at its whole journal."""
    place, opened = tmp_path / "keys", list[str]()
    open_ring(Settings(keys=str(place))).close()
    listening = True

    def hear(event: str, given: tuple[object, ...]) -> None:
        if listening and event == "sqlite3.connect":
            opened.append(str(given[0]))

    sys.addaudithook(hear)
    ring = open_keys(Settings(database_url=database_url, keys=str(place)))
    listening = False  # a hook cannot be taken back
    assert isinstance(ring, Ring)
    ring.close()
    assert opened == [str(place / "vault.sqlite")]
