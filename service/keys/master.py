"""The master key: what wraps every key in the store. It comes from a file or the environment.

It has epochs. Destroying a key in the store leaves it in older backups of the store; a new epoch wraps
what is left anew and forgets the old master key, and with it whatever those backups hold.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.keys.cipher import SIZE
from service.keys.store import Wrapped

_NONCE = 12
_STEP = (
    "Put back the one they were wrapped with: master.key in the folder of keys, or what "
    "PLAN_HISTORY_MASTER_KEY or PLAN_HISTORY_MASTER_KEY_FILE names."
)


class MasterKeyError(Exception):
    """The master key is missing, malformed, or not the one; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Epochs:
    """Master keys by epoch; the newest wraps, all unwrap."""

    keys: Mapping[int, bytes]

    @property
    def newest(self) -> int:
        """The epoch that wraps."""
        return max(self.keys)

    @classmethod
    def read(cls, text: str, source: str) -> Epochs:
        """From ``epoch:key`` (base64), one or more, separated by white space.

        Raises MasterKeyError, naming the source and never the key.
        """
        keys = {}
        for word in text.split():
            number, _, encoded = word.partition(":")
            with contextlib.suppress(ValueError):
                keys[int(number)] = base64.b64decode(encoded, validate=True)
        if not keys or len(keys) != len(text.split()) or {*map(len, keys.values())} != {SIZE}:
            raise MasterKeyError(
                f"{source} holds no master key: write epoch:key, the key being {SIZE} bytes in base64 "
                "(plan-history keys new makes one)."
            )
        return cls(keys)

    def written(self) -> str:
        """As ``read`` takes it."""
        words = (f"{number}:{base64.b64encode(key).decode()}" for number, key in self.keys.items())
        return "\n".join(words) + "\n"

    def followed(self) -> Epochs:
        """These and a new one."""
        return Epochs({**self.keys, max(self.keys, default=0) + 1: secrets.token_bytes(SIZE)})

    def only_newest(self) -> Epochs:
        """The newest alone."""
        return Epochs({self.newest: self.keys[self.newest]})


class Master:
    """Wraps and unwraps keys. ``path``: the file they are in; None when they came from elsewhere."""

    def __init__(self, epochs: Epochs, path: Path | None = None) -> None:
        self.epochs, self.path = epochs, path
        self._read_at = _changed_at(path)

    @classmethod
    def from_file(cls, path: Path) -> Master:
        """The master key in a file; raises MasterKeyError."""
        try:
            text = path.read_text("ascii")
        except (OSError, UnicodeDecodeError) as unreadable:
            raise MasterKeyError(
                f"The master key {path} cannot be read ({type(unreadable).__name__}); without it nothing "
                "sealed can be opened. Put it back, or name it: PLAN_HISTORY_MASTER_KEY_FILE."
            ) from unreadable
        return cls(Epochs.read(text, str(path)), path)

    @classmethod
    def made_in(cls, path: Path) -> Master:
        """The master key in a file, made now unless another process was quicker."""
        with contextlib.suppress(FileExistsError):
            _write_new(path, Epochs({}).followed().written())
        return cls.from_file(path)

    def refresh(self) -> None:
        """Read the file again when it has changed: there may be a new epoch."""
        if self.path is not None and _changed_at(self.path) != self._read_at:
            fresh = Master.from_file(self.path)
            self.epochs, self._read_at = fresh.epochs, fresh._read_at  # noqa: SLF001 - its own class

    def keep(self, epochs: Epochs) -> None:
        """Write these epochs into the file, in place of what is there; raises MasterKeyError without one."""
        if self.path is None:
            raise MasterKeyError(
                "The master key came from the environment: set PLAN_HISTORY_MASTER_KEY to the old and the "
                "new one for every process, then run plan-history keys rewrap, then leave out the old one."
            )
        _replace(self.path, epochs.written())
        self.epochs, self._read_at = epochs, _changed_at(self.path)

    def wrap(self, key_id: UUID, secret: bytes) -> Wrapped:
        """A key as the store keeps it."""
        epoch, nonce = self.epochs.newest, os.urandom(_NONCE)
        aead = AESGCM(self.epochs.keys[epoch])
        return Wrapped(epoch, nonce + aead.encrypt(nonce, secret, _bound(epoch, key_id)))

    def unwrap(self, key_id: UUID, held: Wrapped) -> bytes:
        """The key; raises MasterKeyError when this is not the master key that wrapped it."""
        if held.epoch not in self.epochs.keys:
            self.refresh()
        master = self.epochs.keys.get(held.epoch)
        if master is None:
            raise MasterKeyError(
                f"The master key of epoch {held.epoch} is not here: the keys were wrapped with another one. {_STEP}"
            )
        nonce, text = held.text[:_NONCE], held.text[_NONCE:]
        try:
            return AESGCM(master).decrypt(nonce, text, _bound(held.epoch, key_id))
        except InvalidTag as other:
            raise MasterKeyError(
                f"The keys were wrapped with another master key than this. {_STEP}"
            ) from other


def _bound(epoch: int, key_id: UUID) -> bytes:
    return f"plan-history/wrapped/v1 {epoch} {key_id}".encode()


def _changed_at(path: Path | None) -> tuple[int, int] | None:
    if path is None:
        return None
    with contextlib.suppress(OSError):
        held = path.stat()
        return held.st_mtime_ns, held.st_ino
    return None


def _write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet: whole, or not at all, and for its owner alone."""
    draft = _drafted(path, text)
    try:
        os.link(draft, path)
    finally:
        draft.unlink()


def _replace(path: Path, text: str) -> None:
    _drafted(path, text).replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _drafted(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as failed:
        raise _unwritten(path, failed) from failed
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as failed:
        Path(name).unlink()
        raise _unwritten(path, failed) from failed
    return Path(name)


def _unwritten(path: Path, failed: OSError) -> MasterKeyError:
    return MasterKeyError(
        f"The master key {path} cannot be written ({failed.strerror}); nothing was changed. Make room there, "
        "or see to the folder's rights, and try again."
    )
