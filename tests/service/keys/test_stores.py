"""What every store of keys promises: the vault file and the key table pass the same tests."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from service.embedded import EmbeddedPostgres
from service.errors import StoreUnavailableError
from service.keys import DESTROYED, KeyStore, Wrapped
from service.keys.table import KeyTable
from service.keys.vault import Vault

ONE, OTHER = Wrapped(1, b"one" * 20), Wrapped(2, b"other" * 20)
Opened = Callable[[], KeyStore]


@pytest.fixture(params=["vault", "table"])
def opened(
    request: pytest.FixtureRequest, tmp_path: Path, server: EmbeddedPostgres, database_url: str
) -> Iterator[Opened]:
    """Opens the same store again and again, as several processes would."""
    stores: list[KeyStore] = []
    if request.param == "table":
        stores.append(made := KeyTable(database_url))
        made.make()

    def opening() -> KeyStore:
        made = Vault(tmp_path / "vault") if request.param == "vault" else KeyTable(database_url)
        stores.append(made)
        return made

    yield opening
    for held in stores:
        held.close()


def test_a_key_is_found_by_every_process(opened: Opened) -> None:
    """As it was kept, and no other."""
    key_id, another = uuid4(), uuid4()
    store = opened()
    store.add({key_id: ONE, another: OTHER})
    assert store.find(key_id) == opened().find(key_id) == ONE
    assert store.find(another) == OTHER
    assert store.find(uuid4()) is None
    assert store.counts() == (2, 0)


def test_a_key_that_is_there_stays_as_it_is(opened: Opened) -> None:
    """However often it is added; two processes may make the same one at a time."""
    key_id = uuid4()
    store = opened()
    store.add({key_id: ONE})
    store.add({key_id: OTHER})
    assert store.find(key_id) == ONE


def test_a_destroyed_key_is_known_to_be_gone(opened: Opened) -> None:
    """For every process and for ever; what was never there can be said to be gone, too."""
    key_id, never = uuid4(), uuid4()
    store, other = opened(), opened()
    store.add({key_id: ONE})
    assert store.destroy([key_id, never]) == 1
    assert store.find(key_id) is other.find(key_id) is other.find(never) is DESTROYED
    assert store.destroy([key_id]) == 0
    assert store.counts() == (0, 2)


def test_keys_are_wrapped_anew_in_place(opened: Opened) -> None:
    """Those of an older epoch; one destroyed meanwhile does not come back."""
    old, new, gone = uuid4(), uuid4(), uuid4()
    store = opened()
    store.add({old: ONE, new: OTHER, gone: ONE})
    assert {key_id for key_id, _ in store.wrapped(before=2)} == {old, gone}
    store.destroy([gone])
    store.rewrap({old: OTHER, gone: OTHER})
    assert store.find(old) == OTHER
    assert store.find(gone) is DESTROYED
    assert [*store.wrapped(before=2)] == []
    store.rewrap({})


def test_many_at_once_lose_nothing(opened: Opened) -> None:
    """Threads of several processes add and look up side by side."""
    ids = [uuid4() for _ in range(60)]
    stores = [opened() for _ in range(3)]
    failed: list[Exception] = []

    def work(store: KeyStore, part: int) -> None:
        try:
            for key_id in ids[part::6]:
                store.add({key_id: ONE})
                assert store.find(key_id) == ONE
        except Exception as wrong:  # noqa: BLE001 - told by the test's own thread
            failed.append(wrong)

    threads = [threading.Thread(target=work, args=(stores[part % 3], part)) for part in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert stores[0].counts() == (60, 0)


# The vault


def test_the_vault_is_its_owners_alone(tmp_path: Path) -> None:
    """Its folder, the file and its journal."""
    vault = Vault(tmp_path / "keys" / "vault")
    vault.add({uuid4(): ONE})
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    for file in (tmp_path / "keys").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
    vault.close()


def test_a_destroyed_key_is_nowhere_in_the_files(tmp_path: Path) -> None:
    """Neither in the vault nor in its journal; control: before it is destroyed, it is."""
    vault, key_id, secret = Vault(tmp_path / "vault"), uuid4(), b"a wrapped key as it lies" * 4

    def there() -> bool:
        return any(secret in file.read_bytes() for file in tmp_path.iterdir())

    vault.add({key_id: Wrapped(1, secret)})
    assert there()
    vault.destroy([key_id])
    assert not there()
    vault.close()


def test_a_vault_that_is_no_vault_says_so(tmp_path: Path) -> None:
    """A file of something else is not overwritten."""
    (tmp_path / "vault").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreUnavailableError):
        Vault(tmp_path / "vault")
    assert (tmp_path / "vault").read_bytes().startswith(b"not a database")


def test_a_locked_vault_is_waited_for_and_then_given_up(tmp_path: Path) -> None:
    """Another process writes: so long and no longer, and the vault works again afterwards."""
    vault = Vault(tmp_path / "vault")
    with sqlite3.connect(tmp_path / "vault", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError):
            vault.add({uuid4(): ONE})
        other.execute("ROLLBACK")
    other.close()
    vault.add({uuid4(): ONE})
    vault.close()


# The table


def test_the_table_connects_anew(database_url: str, server: EmbeddedPostgres) -> None:
    """After its connection died, by itself; with the server away it says so in time."""
    table, key_id = KeyTable(database_url), uuid4()
    table.make()
    table.add({key_id: ONE})
    held = table._held
    assert held is not None
    held.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s "
        "AND pid <> pg_backend_pid()",
        ["plan-history-keys"],
    )
    held.close()
    assert table.find(key_id) == ONE
    table.close()
    gone = KeyTable("host=/nowhere dbname=none")
    with pytest.raises(StoreUnavailableError):
        gone.find(key_id)
