"""The ring: the keys a process works with, unwrapped and kept for a while."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection
from threading import Lock
from uuid import UUID

from service.errors import KeyMissingError
from service.kept import Kept
from service.keys.cipher import SIZE, KeyCipher, key_id_of
from service.keys.master import Master, MasterKeyError
from service.keys.store import KeyStore, Wrapped

RESERVE = 16
"""How many keys are made at a time: opening a plan waits for the store once in so many times."""
PEPPER = UUID(int=0)
"""The key that blinds digests; nothing is sealed with it."""
REWRAPPED = 500


class Ring:
    """Every key of a store, as far as it is asked for (see ``projections.sealing.Keys``)."""

    def __init__(self, store: KeyStore, master: Master, size: int = 10_000) -> None:
        self.store, self.master = store, master
        self._ciphers: Kept[UUID, KeyCipher] = Kept(size)
        self._reserve: list[UUID] = []
        self._lock = Lock()
        self._pepper: bytes | None = None

    def cipher(self, key_id: UUID) -> KeyCipher | None:
        """The key of that id; None when it was destroyed. Raises KeyMissingError when it is not here."""
        known = self._ciphers.get(key_id)
        if known is not None:
            return known
        secret = self.secret(key_id)
        if secret is None:
            return None
        made = KeyCipher(secret)
        self._ciphers.put(key_id, made)
        return made

    def secret(self, key_id: UUID) -> bytes | None:
        """The key itself; None when it was destroyed. Raises KeyMissingError when it is not here."""
        found = self.store.find(key_id)
        if found is None:
            raise _missing()
        if not isinstance(found, Wrapped):
            return None
        secret = self._unwrapped(key_id, found)
        if key_id_of(secret) != key_id:
            raise _missing()
        return secret

    def prove(self) -> None:
        """Raise MasterKeyError unless the master key unwraps a key that is there, if any is."""
        for key_id, held in self.store.sample():
            self.master.unwrap(key_id, held)

    def adopt(self, key_id: UUID, secret: bytes | None) -> None:
        """Keep a key that came with what it opens (None: that it was destroyed).

        Raises ValueError for a key that is not the one of that id.
        """
        if secret is None:
            self.destroy([key_id])
        elif key_id_of(secret) != key_id:
            raise ValueError("that is another key")
        elif self.store.find(key_id) is None:
            self.store.add({key_id: self.master.wrap(key_id, secret)})

    def _unwrapped(self, key_id: UUID, found: Wrapped) -> bytes:
        try:
            return self.master.unwrap(key_id, found)
        except MasterKeyError as wrong:
            raise _missing() from wrong

    def fresh(self) -> UUID:
        """The id of a key that nothing is sealed with yet; it is safely kept."""
        with self._lock:
            if not self._reserve:
                self._reserve = self._made()
            return self._reserve.pop()

    def _made(self) -> list[UUID]:
        """New keys, wrapped with the newest master key and kept by the store."""
        while True:
            self.master.refresh()
            made = {
                key_id_of(held): held
                for held in (secrets.token_bytes(SIZE) for _ in range(RESERVE))
            }
            self.store.add(
                {key_id: self.master.wrap(key_id, held) for key_id, held in made.items()}
            )
            epoch = self.master.epochs.newest
            self.master.refresh()
            if self.master.epochs.newest == epoch:  # else a new epoch began before they were kept
                break
        for key_id, held in made.items():
            self._ciphers.put(key_id, KeyCipher(held))
        return list(made)

    def blinded(self, digest: bytes) -> bytes:
        """A digest that tells nothing to who does not have the keys (HMAC-SHA-256)."""
        if self._pepper is None:
            self._pepper = self._found_pepper()
        return hmac.digest(self._pepper, digest, "sha256")

    def _found_pepper(self) -> bytes:
        found = self.store.find(PEPPER)
        if found is None:
            self.store.add({PEPPER: self.master.wrap(PEPPER, secrets.token_bytes(SIZE))})
            found = self.store.find(PEPPER)  # perhaps another process was quicker
        assert isinstance(found, Wrapped)
        return self._unwrapped(PEPPER, found)

    def forget(self, key_ids: Collection[UUID]) -> None:
        """Let keys go that were destroyed by another process."""
        for key_id in key_ids:
            self._ciphers.drop(key_id)

    def destroy(self, key_ids: Collection[UUID]) -> int:
        """Destroy keys for good; how many there were."""
        count = self.store.destroy(key_ids)
        self.forget(key_ids)
        return count

    def rewrap(self) -> int:
        """Wrap with the newest master key whatever is wrapped with an older one; how many."""
        count, batch = 0, dict[UUID, Wrapped]()
        for key_id, held in self.store.wrapped(before=self.master.epochs.newest):
            batch[key_id] = self.master.wrap(key_id, self._unwrapped(key_id, held))
            if len(batch) >= REWRAPPED:
                self.store.rewrap(batch)
                count, batch = count + len(batch), {}
        self.store.rewrap(batch)
        return count + len(batch)

    def rotate(self) -> int:
        """Begin a new epoch of the master key and forget the old ones; how many keys were wrapped anew.

        Until the last key is wrapped anew both are kept, so nothing is lost wherever this is stopped.
        Raises MasterKeyError when the master key is not in a file.
        """
        self.master.keep(self.master.epochs.followed())
        count = 0
        while again := self.rewrap():  # others may have made keys under the old epoch meanwhile
            count += again
        self.master.keep(self.master.epochs.only_newest())
        return count

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()


def _missing() -> KeyMissingError:
    return KeyMissingError(
        "The key that opens this is not where the keys are kept; the operator is to check "
        "PLAN_HISTORY_KEYS and the master key (plan-history doctor)."
    )
