"""Every wrong way back from the clinic's issuer: none of them opens a session."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey, RSAKey

from service.identity import relying, vouching
from service.identity.trip import Trip
from service.tokens import listed
from tests.api.clinic_issuer import CLIENT, SECRET
from tests.api.issuer import b64
from tests.api.oidc_door import (
    TRIP,
    Door,
    door,
    refused,
    shared,
    signed_in,
)

__all__ = ["door", "shared"]


# Wrong ways back: none of them opens a session


def seconds(hence: int) -> Callable[[], int]:
    """That many seconds from when the test runs."""
    return lambda: int(time.time()) + hence


def other(**claims: Any) -> Callable[[Door], None]:
    """The ID token claims something else."""

    def err(door: Door) -> None:
        door.issuer.errs.claims = {
            name: held() if callable(held) else held for name, held in claims.items()
        }

    return err


def headed(**header: Any) -> Callable[[Door], None]:
    """The ID token's header says something else."""

    def err(door: Door) -> None:
        door.issuer.errs.header = header

    return err


def instead(make: Callable[[Door, str], Any]) -> Callable[[Door], None]:
    """Another text for the ID token."""

    def err(door: Door) -> None:
        door.issuer.errs.id_token = lambda token: make(door, token)

    return err


def answered(**said: str | None) -> Callable[[Door], None]:
    """The issuer's answer says something else; None takes it away."""

    def err(door: Door) -> None:
        door.issuer.errs.answer = lambda given: {
            name: held for name, held in {**given, **said}.items() if held is not None
        }

    return err


def given(**said: Any) -> Callable[[Door], None]:
    """The token endpoint gives something else; None takes it away."""

    def err(door: Door) -> None:
        door.issuer.errs.token = lambda held: {
            name: value for name, value in {**held, **said}.items() if value is not None
        }

    return err


def claims_in(token: str) -> str:
    """The middle of a JWT."""
    return token.split(".")[1]


def unsigned(door: Door, token: str) -> str:
    """Alg none."""
    return f"{b64(json.dumps({'alg': 'none', 'typ': 'JWT'}).encode())}.{claims_in(token)}."


def by_the_clients_secret(door: Door, token: str) -> str:
    """HS256 with the client's secret, as OpenID Connect has it for some; not here."""
    signed = f"{b64(json.dumps({'alg': 'HS256', 'typ': 'JWT'}).encode())}.{claims_in(token)}"
    return f"{signed}.{b64(hmac.digest(SECRET.encode(), signed.encode(), hashlib.sha256))}"


def by_the_public_key(door: Door, token: str) -> str:
    """HS256 with what everybody knows."""
    key = door.issuer.keys["rsa-1"]
    signed = f"{b64(json.dumps({'alg': 'HS256', 'kid': 'rsa-1'}).encode())}.{claims_in(token)}"
    pem = key.as_pem(private=False)  # type: ignore[union-attr] # RSA keys have it
    return f"{signed}.{b64(hmac.digest(pem, signed.encode(), hashlib.sha256))}"


def by_another_key(door: Door, token: str) -> str:
    """The right kid, the attacker's key."""
    claims = json.loads(_decoded(claims_in(token)))
    return door.issuer.sign(claims, {"typ": "JWT"}, key=ECKey.generate_key("P-256"))


def by_a_withdrawn_key(door: Door, token: str) -> str:
    """A key that was the issuer's once."""
    door.issuer.keys["gone"] = RSAKey.generate_key(2048)
    claims = json.loads(_decoded(claims_in(token)))
    return door.issuer.sign(claims, {"typ": "JWT", "kid": "gone", "alg": "RS256"})


def changed_after_signing(door: Door, token: str) -> str:
    """Another subject under the same signature."""
    head, claims, signature = token.split(".")
    held = {**json.loads(_decoded(claims)), "sub": "sub|admin"}
    return f"{head}.{b64(json.dumps(held).encode())}.{signature}"


def _decoded(part: str) -> bytes:

    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


WRONG_TOKENS: dict[str, Callable[[Door], None]] = {
    "no nonce": other(nonce=None),
    "another nonce": other(nonce="n-1"),
    "an empty nonce": other(nonce=""),
    "a nonce that is a list": other(nonce=["x"]),
    "another audience": other(aud="other-client"),
    "no audience": other(aud=None),
    "an empty list of audiences": other(aud=[]),
    "several audiences, made for nobody in particular": other(aud=[CLIENT, "other"]),
    "several audiences, made for another": other(aud=[CLIENT, "other"], azp="other"),
    "one audience, made for another": other(azp="other"),
    "another issuer": other(iss="https://issuer.test"),
    "the issuer with a slash": other(iss="http://localhost/"),
    "no issuer": other(iss=None),
    "no subject": other(sub=None),
    "an empty subject": other(sub=""),
    "a subject that is a number": other(sub=7),
    "expired": other(exp=seconds(-60), iat=seconds(-360)),
    "no expiry": other(exp=None),
    "an expiry that is text": other(exp="tomorrow"),
    "good for ever": other(exp=seconds(10**6)),
    "from the future": other(iat=seconds(600)),
    "not good yet": other(nbf=seconds(600)),
    "no time of issue": other(iat=None),
    "made before the sign-in was begun": other(iat=seconds(-3600), exp=seconds(300)),
    "about a password typed an hour ago": other(auth_time=seconds(-3600)),
    "another access token's hash": other(at_hash=b64(b"0" * 16)),
    "a hash that is a number": other(at_hash=7),
    "an access token by its kind": headed(typ="at+jwt"),
    "a logout token by its kind": headed(typ="logout+jwt"),
    "a key of its own": headed(jwk={"kty": "EC"}),
    "a key from elsewhere": headed(jku="https://attacker.test/jwks"),
    "something critical": headed(crit=["exp"]),
    "an unknown kid": lambda door: setattr(
        door.issuer.errs,
        "id_token",
        lambda token: door.issuer.sign(
            json.loads(_decoded(claims_in(token))),
            {"typ": "JWT", "kid": "nobody's"},
            key=door.issuer.keys["ec-1"],
        ),
    ),
    "unsigned": instead(unsigned),
    "signed with the client's secret": instead(by_the_clients_secret),
    "signed with the public key as a secret": instead(by_the_public_key),
    "signed by another key": instead(by_another_key),
    "signed by a key that was withdrawn": instead(by_a_withdrawn_key),
    "changed after signing": instead(changed_after_signing),
    "cut short": instead(lambda _, token: token[:-5]),
    "no JWT": instead(lambda *_: "not.a.jwt"),
    "as long as a book": instead(lambda _, token: token + "A" * 9000),
    "no ID token": given(id_token=None),
    "an ID token that is a number": given(id_token=7),
    "no access token": given(access_token=None),
    "an error beside the tokens": given(error="invalid_grant"),
}
WRONG_ANSWERS: dict[str, Callable[[Door], None]] = {
    "another state": answered(state="x" * 43),
    "no state": answered(state=None),
    "an empty state": answered(state=""),
    "another issuer in the answer": answered(iss="https://issuer.test"),
    "no issuer in the answer, though it announced it": answered(iss=None),
    "no code": answered(code=None),
    "an empty code": answered(code=""),
    "a made-up code": answered(code="made-up"),
    "a code without end": answered(code="c" * 4001),
    "an error and a code": answered(error="invalid_scope"),
}


@pytest.mark.parametrize(
    "err",
    [*WRONG_TOKENS.values(), *WRONG_ANSWERS.values()],
    ids=[*WRONG_TOKENS, *WRONG_ANSWERS],
)
def test_a_wrong_answer_opens_nothing(door: Door, err: Callable[[Door], None]) -> None:
    """401 with a page that says so kindly and leads on; no session, and the trip is over."""
    err(door)
    browser = door.browser()
    answer = door.signs_in(browser)
    refused(browser, answer)
    assert "could not be checked" in answer.text
    assert listed(door.house.owner, door.clinic.clinic_id) == []


def test_a_key_the_issuer_rotated_to_is_taken(door: Door) -> None:
    """Control for the table: what is right opens a session, also with a key seen for the first time."""
    with door.set_up() as again:
        assert again.signs_in(again.browser()).status_code == 303
        door.issuer.rotate()
        browser = again.browser()
        assert again.signs_in(browser).status_code == 303
        assert signed_in(browser)


@pytest.mark.parametrize(
    "right",
    [
        other(aud=[CLIENT]),
        other(aud=[CLIENT, "other"], azp=CLIENT),
        other(at_hash=None),
        other(auth_time=None),
        headed(typ=None),
        headed(alg="RS256", kid="rsa-1"),
        answered(session_state="what an issuer may add"),
        given(refresh_token="r", scope="openid", expires_in="soon"),
    ],
    ids=range(8),
)
def test_what_an_issuer_may_well_answer_is_taken(door: Door, right: Callable[[Door], None]) -> None:
    """Control for the table: they are not refused for being different."""
    right(door)
    answer = door.signs_in(door.browser())
    assert answer.status_code == 303, answer.text


# Trips that do not fit


def test_a_code_is_redeemed_once(door: Door) -> None:
    """Back and again, a reload, a double click: the second time there is no session, and a kind page."""
    browser = door.browser()
    place = door.signs_in_there(door.leaves_for_the_issuer(browser))
    kept = browser.get_cookie(TRIP)
    assert browser.get(place).status_code == 303
    again = browser.get(place)
    assert again.status_code == 401
    assert "used already" in again.text
    assert "Signed in already? Go on" in again.text
    assert signed_in(browser)
    thief = door.browser()
    assert kept is not None
    thief.set_cookie(TRIP, kept.value)
    refused(thief, thief.get(place))


def test_an_issuer_that_redeems_a_code_twice_opens_one_session(door: Door) -> None:
    """The same trip ends in one session, whatever the issuer does, in whichever process."""
    browser = door.browser()
    place = door.signs_in_there(door.leaves_for_the_issuer(browser))
    kept = browser.get_cookie(TRIP)
    assert kept is not None
    code = parse_qs(urlsplit(place).query)["code"][0]
    asked = door.issuer.codes[code]
    assert browser.get(place).status_code == 303
    door.issuer.codes[code] = asked
    with door.set_up() as elsewhere:
        second = elsewhere.browser()
        second.set_cookie(TRIP, kept.value)
        refused(second, second.get(place))
    assert len(listed(door.house.owner, door.clinic.clinic_id)) == 1


def test_another_browser_cannot_finish(door: Door) -> None:
    """Neither somebody who saw the address of the answer, nor somebody who was lured to it."""
    mine, theirs = door.browser(), door.browser()
    place = door.signs_in_there(door.leaves_for_the_issuer(mine))
    nobody = door.browser()
    refused(nobody, nobody.get(place))
    door.leaves_for_the_issuer(theirs)  # they have begun, too
    refused(theirs, theirs.get(place))
    assert mine.get(place).status_code == 303


def test_a_trip_that_was_tampered_with_is_over(door: Door) -> None:
    """Secret, time and address are bound together: change one and nothing fits."""
    browser = door.browser()
    place = door.signs_in_there(door.leaves_for_the_issuer(browser, "/plans"))
    kept = browser.get_cookie(TRIP)
    assert kept is not None
    secret, begun, wanted = kept.value.split(".")
    for changed in (
        f"{secret}.{int(begun) + 1}.{wanted}",
        f"{secret}.{begun}.{b64(b'/figures')}",
        f"{secret}.{begun}.",
        f"{secret[:-1]}A.{begun}.{wanted}"
        if secret[-1] != "A"
        else f"{secret[:-1]}B.{begun}.{wanted}",
        f"{secret}.{begun}.{wanted}=",
        f"{secret}.{begun}.{b64(bytes([255]))}",
        "nonsense",
        "",
        "x" * 3900,
    ):
        browser.set_cookie(TRIP, changed)
        refused(browser, browser.get(place))


def test_a_trip_takes_ten_minutes_at_most(door: Door) -> None:
    """After that one begins again; an old answer in the hands of others is worth nothing."""
    browser = door.browser()
    assert door.container.vouched is not None
    party = door.container.vouched.party
    for ago in (601, -601):
        old = Trip.beginning(time.time() - ago, None)
        browser.set_cookie(TRIP, old.kept)
        answer = browser.get(f"/sign-in/oidc/back?code=c&state={old.state}&iss={door.issuer.name}")
        refused(browser, answer)
        assert "ten minutes" in answer.text
    young = Trip.beginning(time.time() - 590, None)
    assert party._answered(young.kept, {"state": young.state}) == young


def test_without_pkce_no_code_is_redeemed(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who has the code but not the browser's secret gets nothing from the issuer."""
    browser = door.browser()
    place = door.signs_in_there(door.leaves_for_the_issuer(browser))
    monkeypatch.setattr(Trip, "verifier", property(lambda _: "x" * 43))
    refused(browser, browser.get(place))


def test_parameters_said_twice_are_not_said(door: Door) -> None:
    """Nobody chooses between two codes or states."""
    for name in ("code", "state", "iss"):
        browser = door.browser()
        place = door.signs_in_there(door.leaves_for_the_issuer(browser))
        refused(browser, browser.get(f"{place}&{name}=x"))


# Negative controls: what the checks above catch


def broken(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """A client that skips one check."""
    if what == "state":
        monkeypatch.setattr(Trip, "is_answered_by", lambda *_: True)
    elif what == "nonce":
        real: Any = vars(vouching)["CodeIDToken"]

        class Careless(real):  # type: ignore[misc] # Authlib publishes no types
            def __init__(self, claims: Any, header: Any, options: Any, params: Any) -> None:
                super().__init__(
                    claims, header, {**options, "nonce": {}}, {**params, "nonce": None}
                )

        monkeypatch.setattr(vouching, "CodeIDToken", Careless)
    elif what == "signature":
        monkeypatch.setattr(vouching, "verify", lambda *_: None)
    elif what == "issuer":
        monkeypatch.setattr(relying.RelyingParty, "_refuse_another_issuer", lambda *_: None)


@pytest.mark.parametrize(
    ("what", "err"),
    [
        ("state", "another state"),
        ("nonce", "another nonce"),
        ("signature", "signed by another key"),
        ("issuer", "another issuer in the answer"),
    ],
)
def test_a_client_that_skips_a_check_is_caught(
    door: Door, monkeypatch: pytest.MonkeyPatch, what: str, err: str
) -> None:
    """Control: with the check gone, the table's answer to it opens a session, and the test is red."""
    broken(monkeypatch, what)
    with pytest.raises(AssertionError):
        test_a_wrong_answer_opens_nothing(door, {**WRONG_TOKENS, **WRONG_ANSWERS}[err])


def test_a_trip_that_is_not_used_up_is_caught(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: without the once-only digest, an issuer that redeems twice opens two sessions."""
    monkeypatch.setattr(Trip, "once", property(lambda _: uuid4().bytes))
    with pytest.raises(AssertionError):
        test_an_issuer_that_redeems_a_code_twice_opens_one_session(door)
