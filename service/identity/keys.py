"""An issuer's public keys: kept, looked up again when one is unknown, and never waited for long."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Any

from joserfc import jwk
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from service.errors import IssuerUnavailableError

log = logging.getLogger("plan_history.identity")
PublicKey = RSAKey | ECKey | OKPKey
RSA = ("RSA", None)
KINDS: Mapping[str, tuple[str, str | None]] = {
    "RS256": RSA,
    "RS384": RSA,
    "RS512": RSA,
    "PS256": RSA,
    "PS384": RSA,
    "PS512": RSA,
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "Ed25519": ("OKP", "Ed25519"),
}
"""Algorithm → the type and curve of its keys. Asymmetric ones only: nothing here can sign."""
LEAST_RSA_BITS = 2048
_PUBLIC = ("kty", "crv", "n", "e", "x", "y")
AT_ONCE = 2
"""How many times in a row the keys may be asked for: once may have begun before a key was there."""


@dataclass(frozen=True, slots=True)
class Known:
    """A key of the issuer."""

    kid: str | None
    alg: str | None
    kind: tuple[str, str | None]
    key: PublicKey

    def fits(self, kid: str | None, alg: str) -> bool:
        """Whether a token with that header may have been signed with it."""
        fitting = KINDS[alg] == self.kind and self.alg in (None, alg)
        return fitting and kid in (None, self.kid)


def usable(keys: Iterable[object]) -> list[Known]:
    """Those of a JWKS with which signatures can be checked; others are passed over."""
    return [known for held in keys if isinstance(held, dict) and (known := _known(held))]


def _known(held: dict[str, Any]) -> Known | None:
    kid, alg, kty, crv = (held.get(name) for name in ("kid", "alg", "kty", "crv"))
    operations = held.get("key_ops", ["verify"])
    if held.get("use", "sig") != "sig" or "verify" not in operations:
        return None
    kind = (str(kty), None if kty == "RSA" else crv)
    if kind not in KINDS.values() or (alg is not None and KINDS.get(alg) != kind):
        return None
    if kty == "RSA" and _bits(held.get("n")) < LEAST_RSA_BITS:
        return None
    public: dict[str, Any] = {name: held[name] for name in _PUBLIC if name in held}
    try:
        key = jwk.import_key(public)
    except (JoseError, ValueError, TypeError, KeyError):
        log.warning("a key of the issuer cannot be read")
        return None
    assert isinstance(key, PublicKey)
    return Known(kid if isinstance(kid, str) else None, alg, kind, key)


def _bits(modulus: object) -> int:
    return len(modulus) * 6 if isinstance(modulus, str) else 0


class KeyRing:
    """The issuer's keys as they were last loaded.

    ``every``: seconds between two loads for the sake of unknown keys. ``fresh``: after so many, keys
    are loaded again in the background. ``stale``: for so many, keys serve on while the issuer is out
    of reach. ``patience``: so many a request waits for a load at most.
    """

    def __init__(
        self,
        load: Callable[[], Sequence[object]],
        *,
        every: float = 5.0,
        fresh: float = 300.0,
        stale: float = 24 * 3600.0,
        patience: float = 1.8,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.load = load
        self.every, self.fresh, self.stale, self.patience = every, fresh, stale, patience
        self.clock = clock
        self._keys: list[Known] = []
        self._loaded_at: float | None = None
        self._loads = 0
        self._begun_at = float("-inf")
        self._budget, self._counted_at = float(AT_ONCE), clock()
        self._running: Event | None = None
        self._lock = Lock()

    def key(self, kid: str | None, alg: str) -> PublicKey | None:
        """The key a token's header names, or None when the issuer has none such.

        Without a ``kid`` only if there is just one that fits. Raises IssuerUnavailableError when the
        keys were never loaded, or too long ago.
        """
        asked_at = self.clock()
        for _ in range(AT_ONCE + 1):
            loads, found = self._loads, self._find(kid, alg)
            if found is not None and self._age() < self.stale:
                if self._age() > self.fresh:
                    self._refresh(loads)
                return found
            if self._begun_at > asked_at:  # what was loaded since is all there is
                break
            running = self._refresh(loads)
            if running is not None:
                running.wait(max(asked_at + self.patience - self.clock(), 0))
        if self._age() >= self.stale:
            raise IssuerUnavailableError("The issuer of your token is out of reach; try again.")
        return self._find(kid, alg)

    def _find(self, kid: str | None, alg: str) -> PublicKey | None:
        fitting = [held.key for held in self._keys if held.fits(kid, alg)]
        return fitting[0] if len(fitting) == 1 else None

    def _age(self) -> float:
        return float("inf") if self._loaded_at is None else self.clock() - self._loaded_at

    def _refresh(self, loads: int) -> Event | None:
        """Let the keys be loaded unless that happened too often; what tells when it is done.

        ``loads``: how often they had been when the caller looked; more by now is as good as another.
        """
        with self._lock:
            if self._running is None and self._loads == loads and self._may_ask():
                self._running = Event()
                self._begun_at = self.clock()
                Thread(target=self._work, args=[self._running], name="jwks", daemon=True).start()
            return self._running

    def _may_ask(self) -> bool:
        now = self.clock()
        gained = (now - self._counted_at) / self.every
        self._budget, self._counted_at = min(self._budget + gained, float(AT_ONCE)), now
        if self._budget < 1:
            return False
        self._budget -= 1
        return True

    def _work(self, running: Event) -> None:
        try:
            self._keys = usable(self.load())
            self._loaded_at = self.clock()
        except (OSError, ValueError) as failed:  # what they say may hold an address
            log.warning("the issuer's keys were not loaded: %s", type(failed).__name__)
        finally:
            with self._lock:
                self._running = None
                self._loads += 1
            running.set()
