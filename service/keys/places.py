"""Where the keys are, by the settings."""

from __future__ import annotations

import contextlib
from pathlib import Path

from projections.sealing import NO_KEYS, Keys
from service.errors import StoreUnavailableError
from service.keys.master import Epochs, Master, MasterKeyError
from service.keys.ring import Ring
from service.keys.sealed import is_sealed
from service.keys.store import KeyStore
from service.keys.table import KeyTable
from service.keys.vault import Vault
from service.settings import Settings

OFF = "off"
VAULT, MASTER = "vault.sqlite", "master.key"


class KeysUnsetError(ValueError):
    """Nobody said where the keys are; the message says what to set."""

    def __init__(self) -> None:
        super().__init__(
            "Say where the keys of the plans are kept: PLAN_HISTORY_KEYS is a folder of this machine, the "
            "postgresql:// address of a database of their own, or off (then plans are kept unencrypted and "
            "cannot be erased)."
        )


def shown_place(place: str) -> str:
    """Where keys are, without a password."""
    return "the key database" if "://" in place else place


class KeysLostError(Exception):
    """There are no keys where they are to be, but plans are sealed with some; the message says what to do."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"There are no keys in {shown_place(place)}, but plans of this database are sealed with keys, and "
            "new ones would only hide the loss: set PLAN_HISTORY_KEYS to where they are, or put a backup of them back."
        )


def open_keys(held: Settings, url: str | None = None) -> Keys:
    """The keys of this installation, begun if nothing is sealed yet; NO_KEYS when they are off.

    ``url``: the database whose plans they open, if the settings do not name it. Raises KeysUnsetError,
    KeysLostError instead of making new keys for plans that are sealed with others, and MasterKeyError when
    there are keys but not the master key that unwraps them.
    """
    if not held.keys:
        raise KeysUnsetError
    if held.keys == OFF:
        return NO_KEYS
    url = url or held.migration_url or held.database_url
    if not _there(held.keys):
        _refuse_over_sealed(held.keys, url)
        url = None  # it was asked
    return _ring_in(held, url)


def open_ring(held: Settings) -> Ring:
    """The keys of an installation where they are not off; begun if there are none."""
    return _ring_in(held, None)


def begun(held: Settings) -> bool:
    """Whether a key is kept where they are to be; True when that cannot be asked. It makes nothing."""
    place = held.keys or ""
    if not _there(place):
        return False
    with contextlib.closing(_store(place)) as store:
        return not _is_empty(store)


def _ring_in(held: Settings, url: str | None) -> Ring:
    """Open the store once; an empty one is refused beside what is sealed in the database at ``url``."""
    place = held.keys or ""
    store = _store(place)
    try:
        if url and _is_empty(store):
            _refuse_over_sealed(place, url)
        ring = Ring(store, _master(held, store, Path(place) / MASTER))
        with contextlib.suppress(StoreUnavailableError):  # it is waited for
            ring.prove()
    except BaseException:
        store.close()
        raise
    return ring


def _refuse_over_sealed(place: str, url: str | None) -> None:
    if url and is_sealed(url):
        raise KeysLostError(place)


def _there(place: str) -> bool:
    """Whether there is a vault to open; a database of keys is always asked."""
    return "://" in place or (Path(place) / VAULT).exists()


def _is_empty(store: KeyStore) -> bool:
    """Whether no key was ever kept in it; False when that cannot be asked."""
    with contextlib.suppress(StoreUnavailableError):
        return not any(store.counts())
    return False


def _store(place: str) -> KeyStore:
    return KeyTable(place) if "://" in place else Vault(Path(place) / VAULT)


def _master(held: Settings, store: KeyStore, usual: Path) -> Master:
    """The master key; made where it usually is when there is neither one nor anything it wraps."""
    given = given_master(held)
    if given is not None:
        return given
    if usual.exists() or any(store.counts()):
        return Master.from_file(usual)
    return Master.made_in(usual)


def given_master(held: Settings) -> Master | None:
    """The master key that the settings name; None where it is in the folder of keys. Raises MasterKeyError."""
    if held.master_key:
        return Master(Epochs.read(held.master_key, "PLAN_HISTORY_MASTER_KEY"))
    if held.master_key_file is not None:
        return Master.from_file(held.master_key_file)
    if "://" in (held.keys or ""):
        raise MasterKeyError(
            "Name the master key: PLAN_HISTORY_MASTER_KEY_FILE (plan-history keys new makes one)."
        )
    return None
