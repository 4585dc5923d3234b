"""Where the keys are, by the settings."""

from __future__ import annotations

from pathlib import Path

from projections.sealing import NO_KEYS, Keys
from service.keys.master import Epochs, Master, MasterKeyError
from service.keys.ring import Ring
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


def open_keys(held: Settings) -> Keys:
    """The keys of this installation; NO_KEYS when they are off.

    Raises KeysUnsetError, and MasterKeyError when there are keys but no master key to unwrap them.
    """
    if not held.keys:
        raise KeysUnsetError
    return NO_KEYS if held.keys == OFF else open_ring(held)


def open_ring(held: Settings) -> Ring:
    """The keys of an installation where they are not off."""
    if held.keys is None or "://" not in held.keys:
        folder = Path(held.keys or "")
        vault = Vault(folder / VAULT)
        return Ring(vault, _master(held, vault, folder / MASTER))
    table = KeyTable(held.keys)
    return Ring(table, _master(held, table, None))


def _master(held: Settings, store: KeyStore, usual: Path | None) -> Master:
    """The master key; made where it usually is when there is neither one nor anything it wraps."""
    if held.master_key:
        return Master(Epochs.read(held.master_key, "PLAN_HISTORY_MASTER_KEY"))
    if held.master_key_file is not None:
        return Master.from_file(held.master_key_file)
    if usual is None:
        raise MasterKeyError(
            "Name the master key: PLAN_HISTORY_MASTER_KEY_FILE (plan-history keys new makes one)."
        )
    if usual.exists() or any(store.counts()):
        return Master.from_file(usual)
    return Master.made_in(usual)
