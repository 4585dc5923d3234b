"""The issuer's keys: rotation fails no request, an unreachable issuer delays none for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from service.errors import IssuerUnavailableError
from service.identity.keys import KeyRing, usable
from service.identity.sources import MOST_BYTES, source
from tests.api.issuer import TokenIssuer
from tests.service.servers import soon


@pytest.fixture
def issuer() -> Iterator[TokenIssuer]:
    """An issuer with its keys at an address."""
    with TokenIssuer().serving() as serving:
        yield serving


class Watch:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def settle(ring: KeyRing) -> None:
    """Wait for a load that goes on in the background."""
    running = ring._running
    if running is not None:
        assert running.wait(5)


def test_keys_are_loaded_when_first_needed_and_kept(issuer: TokenIssuer) -> None:
    """One request for many tokens."""
    ring = KeyRing(source(issuer.url))
    for _ in range(20):
        assert ring.key("rsa-1", "RS256") is not None
        assert ring.key("ec-1", "ES256") is not None
    assert issuer.asked == 1


def test_a_new_key_is_found_at_once(issuer: TokenIssuer) -> None:
    """The first token that names it makes the keys be loaded again."""
    ring = KeyRing(source(issuer.url))
    assert ring.key("ec-1", "ES256") is not None
    kid = issuer.rotate()
    assert ring.key(kid, "ES256") is not None
    assert issuer.asked == 2


def test_a_key_that_is_withdrawn_is_forgotten(issuer: TokenIssuer) -> None:
    """With the next load, which comes by itself when keys are old."""
    watch = Watch()
    ring = KeyRing(source(issuer.url), clock=watch)
    assert ring.key("ec-1", "ES256") is not None
    issuer.rotate(keep=False)
    watch.now += 301
    ring.key("ec-1", "ES256")
    settle(ring)
    assert ring.key("ec-1", "ES256") is None


def test_unknown_keys_are_asked_for_now_and_then_only(issuer: TokenIssuer) -> None:
    """Whoever sends nonsense makes two loads at most, and one more every five seconds."""
    watch = Watch()
    ring = KeyRing(source(issuer.url), clock=watch)
    for number in range(100):
        assert ring.key(f"no-{number}", "ES256") is None
    assert issuer.asked <= 2
    watch.now += 5
    for number in range(100):
        assert ring.key(f"no-{number}", "ES256") is None
    assert issuer.asked <= 3


def test_many_who_wait_share_one_load(issuer: TokenIssuer) -> None:
    """Single-flight: twenty requests at once, one question to the issuer."""
    issuer.gate.clear()
    ring = KeyRing(source(issuer.url))
    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(ring.key, "ec-1", "ES256") for _ in range(20)]
        while not issuer.asked:
            assert not any(held.done() for held in waiting)
        issuer.gate.set()
        assert all(held.result() is not None for held in waiting)
    assert issuer.asked == 1


def test_an_issuer_that_does_not_answer_delays_nobody_for_long(issuer: TokenIssuer) -> None:
    """Two seconds at most, whoever asks; and known keys go on meanwhile without any wait."""
    ring = KeyRing(source(issuer.url))
    assert ring.key("ec-1", "ES256") is not None
    issuer.gate.clear()
    begun = time.monotonic()
    assert ring.key("unknown", "ES256") is None
    waited = time.monotonic() - begun
    assert waited < 6
    begun = time.monotonic()
    assert ring.key("ec-1", "ES256") is not None
    assert time.monotonic() - begun < waited / 2


@pytest.mark.parametrize(
    ("status", "raw"),
    [
        ("500 Oh", b"{}"),
        ("302 Found", b""),
        ("200 OK", b"not JSON"),
        ("200 OK", b"[]"),
        ("200 OK", b'{"keys": {}}'),
        ("200 OK", b" " * (MOST_BYTES + 1)),
    ],
)
def test_keys_serve_on_while_the_issuer_has_none_to_give(
    issuer: TokenIssuer, status: str, raw: bytes
) -> None:
    """Broken answers, redirects and too large ones change nothing; a day later it is over."""
    watch = Watch()
    ring = KeyRing(source(issuer.url), clock=watch)
    assert ring.key("ec-1", "ES256") is not None
    issuer.status, issuer.raw, issuer.location = status, raw, f"{issuer.url}?elsewhere"
    watch.now += 3600
    assert ring.key("ec-1", "ES256") is not None
    settle(ring)
    assert ring.key("ec-1", "ES256") is not None
    watch.now += 24 * 3600
    with pytest.raises(IssuerUnavailableError):
        ring.key("ec-1", "ES256")
    issuer.status, issuer.raw, issuer.location = "200 OK", None, None
    watch.now += 10
    assert ring.key("ec-1", "ES256") is not None


def test_without_any_keys_nobody_is_told_that_a_token_is_bad() -> None:
    """Never loaded: it is the issuer who is out of reach, and trying again may help."""
    ring = KeyRing(source("http://127.0.0.1:9/jwks"))
    with pytest.raises(IssuerUnavailableError):
        ring.key("ec-1", "ES256")


def test_keys_can_be_in_a_file(issuer: TokenIssuer, tmp_path: Path) -> None:
    """Written anew, it is read anew."""
    place = tmp_path / "jwks.json"
    place.write_bytes(issuer.jwks())
    ring = KeyRing(source(str(place)))
    assert ring.key("ec-1", "ES256") is not None
    kid = issuer.rotate()
    place.write_bytes(issuer.jwks())
    assert ring.key(kid, "ES256") is not None


@pytest.mark.parametrize(
    "place",
    ["http://issuer.test/jwks", "ftp://127.0.0.1/x", "file:///etc/passwd", "http://10.0.0.1"],
)
def test_keys_come_by_https_or_from_this_host(place: str) -> None:
    """Whoever can change them on the way could sign anybody in."""
    with pytest.raises(ValueError, match="https://"):
        source(place)


def jwk_of(key: Any, **more: Any) -> dict[str, Any]:
    """A key as a JWKS has it."""
    return {**key.as_dict(private=False), "kid": "k", **more}


EC = ECKey.generate_key("P-256")


USELESS: dict[str, Any] = {
    "null": None,
    "a text": "text",
    "an empty object": {},
    "a secret": {"kty": "oct", "k": "c2VjcmV0", "kid": "k"},
    "a long secret": OctKey.import_key("x" * 32).as_dict(),
    "a short RSA key": {"kty": "RSA", "n": "x" * 171, "e": "AQAB", "kid": "k"},
    "for encryption": jwk_of(EC, use="enc"),
    "for signing only": jwk_of(EC, key_ops=["sign"]),
    "with another kind's algorithm": jwk_of(EC, alg="RS256"),
    "with a secret's algorithm": jwk_of(EC, alg="HS256"),
    "on another curve": jwk_of(EC, crv="secp256k1"),
    "on no curve": {**jwk_of(EC), "x": "AAAA"},
    "with a number for a coordinate": {**jwk_of(EC), "x": 7},
}


@pytest.mark.parametrize("held", USELESS.values(), ids=USELESS)
def test_keys_that_cannot_check_a_signature_are_passed_over(held: Any) -> None:
    """Secrets, short ones, ones for something else, broken ones; the good one beside it stays."""
    assert [known.kid for known in usable([held, {**jwk_of(EC), "kid": "good"}])] == ["good"]


def test_a_private_key_that_was_published_by_mistake_is_taken_as_public() -> None:
    """Its private half is not even read."""
    [known] = usable([{**EC.as_dict(private=True), "kid": "k"}])
    assert not known.key.is_private


def test_without_a_kid_there_must_be_one_key_that_fits() -> None:
    """Two that might have signed it are one too many."""
    others = [jwk_of(ECKey.generate_key("P-256"), kid=str(number)) for number in range(2)]
    rsa = jwk_of(RSAKey.generate_key(2048), kid="rsa")
    assert KeyRing(lambda: [others[0], rsa]).key(None, "ES256") is not None
    assert KeyRing(lambda: [*others, rsa]).key(None, "ES256") is None


def test_keys_rotate_under_load_without_a_failed_request(issuer: TokenIssuer) -> None:
    """Eight who sign in all the time, an issuer with a new key every ten seconds: none is refused."""
    watch = Watch()
    ring = KeyRing(source(issuer.url), clock=watch)
    assert ring.key("ec-1", "ES256") is not None
    signing, over, refused, done = ["ec-1"], threading.Event(), [], [0] * 8

    def sign_in(number: int) -> None:
        while not over.wait(0.001):  # eight who never pause leave the issuer no time to answer
            kid = signing[0]
            if ring.key(kid, "ES256") is None:
                refused.append(kid)
            done[number] += 1

    def all_signed_in(before: list[int]) -> bool:
        return all(now > then + 1 for now, then in zip(done, before, strict=True))

    with ThreadPoolExecutor(8) as pool:
        working = [pool.submit(sign_in, number) for number in range(8)]
        try:
            for _ in range(10):
                watch.now += 10
                signing[0] = issuer.rotate()
                before = list(done)
                assert soon(partial(all_signed_in, before))
        finally:
            over.set()
    for held in working:
        held.result()
    assert not refused
    assert issuer.asked == 11
