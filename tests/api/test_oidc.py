"""Signing in to the pages at the clinic's issuer: the way there and back, and the session it ends in."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import pytest
import requests

from api.app import create_app
from domain.people import MemberJoined, MemberLeft
from service.access import ROLES
from service.identity import member_id_of, relying
from service.identity.discovery import Discovery, announced
from service.identity.trip import Trip
from service.tokens import listed, revoke_all
from tests.api.clinic_issuer import CLIENT, SECRET, ClinicIssuer
from tests.api.house import House
from tests.api.issuer import b64
from tests.api.oidc_door import (
    NAME,
    SESSION,
    TRIP,
    Door,
    door,
    opened,
    refused,
    shared,
    signed_in,
)

__all__ = ["door", "shared"]


# The way there and back


def test_a_member_signs_in(door: Door) -> None:
    """Off with state, nonce and PKCE; back, on by way of a page of ours, to where one was going."""
    browser = door.browser()
    page = browser.get("/sign-in?next=/plans")
    assert f"Continue with {NAME}" in page.text
    assert 'name="token"' in page.text
    place = door.leaves_for_the_issuer(browser, "/plans?status=open")
    asked = {name: held[0] for name, held in parse_qs(urlsplit(place).query).items()}
    assert asked["redirect_uri"] == "http://localhost/sign-in/oidc/back"
    assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
    assert (asked["scope"], asked["prompt"]) == ("openid", "login")
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) == len(asked["nonce"]) == len(asked["code_challenge"]) == 43
    back = browser.get(door.signs_in_there(place))
    assert back.status_code == 303, back.text
    assert back.headers["Location"] == "/sign-in/oidc/done?next=/plans?status%3Dopen"
    assert browser.get_cookie(TRIP) is None
    page = browser.get(back.headers["Location"])
    assert 'http-equiv="refresh" content="0; url=/plans?status=open"' in page.text
    assert '<a class="button" href="/plans?status=open">' in page.text
    assert f"Robin {door.subject}" in browser.get("/account").text


def test_the_cookies_are_the_right_ones(door: Door) -> None:
    """Kept from scripts, bound to the host; the trip's comes along from the issuer's site, the session's not."""
    browser = door.browser()
    away = browser.get("/sign-in/oidc", base_url="https://plans.example")
    trip = away.headers["Set-Cookie"]
    assert trip.startswith("__Host-plan-history-trip=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"} <= set(trip.split("; "))
    assert "Domain" not in trip
    assert "redirect_uri=https%3A%2F%2Fplans.example%2F" in away.headers["Location"]
    here = browser.get("/sign-in/oidc").headers["Set-Cookie"]
    assert here.startswith("plan-history-trip=")
    assert "Secure" not in here
    back = browser.get(door.signs_in_there(door.leaves_for_the_issuer(browser)))
    session, gone = sorted(back.headers.getlist("Set-Cookie"))
    assert session.startswith(f"{SESSION}=")
    assert "SameSite=Strict" in session
    assert gone.startswith(f"{TRIP}=;")
    assert "Max-Age=0" in gone


def test_every_trip_is_another(door: Door) -> None:
    """State, nonce and challenge tell nothing of each other, and nothing of the browser's secret."""
    seen: set[str] = set()
    for _ in range(20):
        browser = door.browser()
        asked = parse_qs(urlsplit(door.leaves_for_the_issuer(browser)).query)
        kept = browser.get_cookie(TRIP)
        assert kept is not None
        said = [asked[name][0] for name in ("state", "nonce", "code_challenge")]
        assert not any(held in kept.value or kept.value[:43] in held for held in said)
        seen.update(said)
    assert len(seen) == 60


def test_where_one_goes_afterwards_is_a_page_of_ours(door: Door) -> None:
    """Nobody is led elsewhere, neither by an address nor by what the browser kept."""
    for foreign in ("https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere", "/\t/e.x"):
        browser = door.browser()
        back = browser.get(door.signs_in_there(door.leaves_for_the_issuer(browser, foreign)))
        assert back.headers["Location"] == "/sign-in/oidc/done"
        page = browser.get(f"/sign-in/oidc/done?{urlencode({'next': foreign})}")
        assert 'content="0; url=/home"' in page.text
    browser = door.browser()
    door.leaves_for_the_issuer(browser)
    mine = Trip.beginning(time.time(), "https://elsewhere.example/")
    browser.set_cookie(TRIP, mine.kept)
    place = f"{door.issuer.name}/authorize?" + urlencode(
        {
            "response_type": "code",
            "client_id": CLIENT,
            "redirect_uri": door.issuer.back,
            "state": mine.state,
            "nonce": mine.nonce,
            "code_challenge": b64(hashlib.sha256(mine.verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
    )
    back = browser.get(door.signs_in_there(place))
    assert back.headers["Location"] == "/sign-in/oidc/done"


@pytest.mark.parametrize("secret", [SECRET, None], ids=["a secret", "a public client"])
@pytest.mark.parametrize("ways", [None, ["client_secret_basic"], ["client_secret_post"]], ids=str)
def test_the_client_says_who_it_is(door: Door, secret: str | None, ways: list[str] | None) -> None:
    """By the way the issuer announces; a public client has no secret, and proves by PKCE alone."""
    door.issuer.secret = secret
    door.issuer.announces = {"token_endpoint_auth_methods_supported": ways}
    with door.set_up(oidc_client_secret=secret) as again:
        browser = again.browser()
        assert again.signs_in(browser).status_code == 303
        assert signed_in(browser)


def test_the_keys_may_be_those_of_bearer_tokens(door: Door) -> None:
    """One key ring for both, from the configured address."""
    with door.set_up(oidc_audience="plan-history", oidc_jwks=door.issuer.url) as again:
        held = again.container
        assert held.vouched is not None
        assert held.identity.issuer is not None
        assert held.vouched.party.id_tokens.keys is held.identity.issuer.keys
        assert again.signs_in(again.browser()).status_code == 303


@pytest.mark.parametrize("role", ROLES)
def test_everybody_may_sign_in_so(door: Door, role: Any) -> None:
    """Name and role are what the clinic's log says."""
    ref = {"client_ref": "c-1"} if role == "client" else {}
    subject = f"another {role}"
    member_id = str(member_id_of(door.issuer.name, subject))
    door.record(MemberJoined(member_id=member_id, name="Kim Sample", role=role, **ref))
    door.issuer.errs.claims = {"role": "admin", "name": "Somebody Else"}
    browser = door.browser()
    assert door.signs_in(browser, subject).status_code == 303
    page = browser.get("/account").text
    assert "Kim Sample" in page
    assert "Somebody" not in page


def test_another_claim_may_say_who_they_are(door: Door) -> None:
    """As the settings name them, for bearer tokens and here alike."""
    door.joins("4711")
    door.issuer.errs.claims = {"staff_number": "4711", "site": str(door.clinic.clinic_id)}
    with door.set_up(oidc_member_claim="staff_number", oidc_clinic_claim="site") as again:
        browser = again.browser()
        assert again.signs_in(browser, "somebody|else").status_code == 303
        assert "Robin 4711" in browser.get("/account").text


def test_single_sign_on_is_a_setting(door: Door) -> None:
    """Then the issuer is not told to ask again, and a password typed this morning is good."""
    door.issuer.errs.claims = {"auth_time": int(time.time()) - 7200}
    with door.set_up(oidc_prompt="", oidc_scope="openid clinic") as again:
        browser = again.browser()
        place = again.leaves_for_the_issuer(browser)
        assert "prompt=" not in place
        assert "scope=openid+clinic" in place
        assert browser.get(again.signs_in_there(place)).status_code == 303
        assert signed_in(browser)


# A session like any other


def test_the_session_stands_on_a_token_nobody_holds(door: Door) -> None:
    """It is listed while it works, named in the access log, and its text is no token's."""
    browser = door.browser()
    door.signs_in(browser)
    owner, clinic_id = door.house.owner, door.clinic.clinic_id
    [held] = listed(owner, clinic_id)
    assert (held["prefix"], held["issuer"]) == ("oidc", door.issuer.name)
    assert held["expires_at"] - datetime.now(held["expires_at"].tzinfo) < timedelta(hours=12)
    [look] = door.looks()
    assert look == (f"Robin {door.subject}", "clinician", "oidc", True, held["token_id"])
    browser.get("/worklist")
    row = owner.execute(
        "SELECT DISTINCT token_id FROM access_log WHERE clinic_id = %s", [clinic_id]
    ).fetchall()
    assert row == [(held["token_id"],)]


@pytest.mark.parametrize("how", ["revoked", "left", "signed out"])
def test_the_session_ends(door: Door, how: str) -> None:
    """With a revocation of the member's tokens, with leaving, and by signing out; its token with it."""
    browser = door.browser()
    door.signs_in(browser)
    member_id = member_id_of(door.issuer.name, door.subject)
    assert signed_in(browser)
    if how == "revoked":
        assert revoke_all(door.house.owner, door.clinic.clinic_id, member_id) == 1
    elif how == "left":
        door.record(MemberLeft(member_id=str(member_id)))
    else:
        csrf = re.search(r'name="csrf" value="(\w+)"', browser.get("/account").text)
        assert csrf is not None
        browser.post("/sign-out", data={"csrf": csrf[1]})
        assert listed(door.house.owner, door.clinic.clinic_id) == []
    assert not signed_in(browser)


def test_one_may_sign_out_at_the_issuer_too(door: Door) -> None:
    """It is offered to who signed in there; the issuer leads back to a page of ours."""
    browser = door.browser()
    door.signs_in(browser)
    csrf = re.search(r'name="csrf" value="(\w+)"', browser.get("/account").text)
    assert csrf is not None
    out = browser.post("/sign-out", data={"csrf": csrf[1]})
    assert out.headers["Location"] == "/signed-out?at=issuer"
    assert f"still be signed in at {NAME}" in browser.get(out.headers["Location"]).text
    place = browser.get("/sign-out/oidc").headers["Location"]
    assert place.startswith(f"{door.issuer.name}/logout?")
    answer = requests.get(place, allow_redirects=False, timeout=5)
    assert answer.headers["Location"] == "http://localhost/signed-out"
    assert door.issuer.left[-1]["client_id"] == CLIENT
    by_token = door.browser()
    token = door.clinic.token(door.clinic.member())
    assert by_token.post("/sign-in", data={"token": token}).status_code == 303
    csrf = re.search(r'name="csrf" value="(\w+)"', by_token.get("/account").text)
    assert csrf is not None
    out = by_token.post("/sign-out", data={"csrf": csrf[1]})
    assert out.headers["Location"] == "/signed-out"


def test_an_issuer_without_a_way_out_is_not_asked_for_one(door: Door) -> None:
    """Then one is signed out here, and that is all that is said."""
    door.issuer.announces = {"end_session_endpoint": None}
    with door.set_up() as again:
        browser = again.browser()
        assert "still be signed in" not in browser.get("/signed-out?at=issuer").text
        assert browser.get("/sign-out/oidc").headers["Location"] == "/signed-out"


# Who does not belong here


def test_who_is_no_member_is_told_what_to_do(door: Door) -> None:
    """Kept as a refused attempt in the clinic's access log; no session."""
    browser = door.browser()
    answer = door.signs_in(browser, "stranger|<b>7</b>")
    assert answer.status_code == 401
    assert "does not know you" in answer.text
    assert "stranger|&lt;b&gt;7" in answer.text
    assert "administrator" in answer.text
    assert "Set-Cookie" not in str(answer.headers).replace(f"Set-Cookie: {TRIP}=;", "")
    assert not signed_in(browser)
    [(name, role, asked, allowed, _)] = door.looks()
    assert (name, role, asked, allowed) == ("unknown", "nobody", "oidc", False)
    auditor = door.house.sign_in(door.clinic, "auditor")
    [look, *_] = auditor.get("/v1/access-log?action=sign-in").json["looks"]
    assert (look["role"], look["allowed"]) == ("nobody", False)


def test_who_left_is_refused_within_a_second(door: Door) -> None:
    """By their name, on the log."""
    door.record(MemberLeft(member_id=str(member_id_of(door.issuer.name, door.subject))))
    answer = door.signs_in(door.browser())
    assert answer.status_code == 401
    assert "no longer belong" in answer.text
    assert door.looks()[-1][:4] == (f"Robin {door.subject}", "clinician", "oidc", False)


@pytest.mark.parametrize("clinic", [str(UUID(int=7)), "no-id", "", None, 7, ["x"]], ids=str)
def test_a_clinic_that_is_not_here_opens_nothing(door: Door, clinic: Any) -> None:
    """Nor breaks anything."""
    door.issuer.errs.claims = {"clinic_id": clinic}
    answer = door.signs_in(door.browser())
    assert answer.status_code == 401
    assert door.looks() == []


# The issuer says no, or nothing


@pytest.mark.parametrize("error", sorted(relying.DECLINED))
def test_who_did_not_sign_in_there_is_not_blamed(door: Door, error: str) -> None:
    """They may begin again; nothing is counted against them."""
    door.issuer.errs.answer = lambda said: {**said, "error": error, "code": ""}
    for _ in range(3):
        browser = door.browser()
        answer = door.signs_in(browser)
        refused(browser, answer)
        assert "You did not sign in" in answer.text
    assert door.container.vouched is not None


@pytest.mark.parametrize("error", ["temporarily_unavailable", "server_error"])
def test_an_issuer_in_trouble_is_no_ones_fault(door: Door, error: str) -> None:
    """503, and a way on."""
    door.issuer.errs.answer = lambda said: {**said, "error": error, "code": ""}
    browser = door.browser()
    refused(browser, door.signs_in(browser), 503)


@pytest.mark.parametrize(
    ("status", "token"),
    [
        ("500 Oh", lambda _: b"Oh"),
        ("200 OK", lambda _: b"<html>"),
        ("200 OK", lambda _: b"[]"),
        ("200 OK", lambda _: b"\xff"),
        ("200 OK", lambda _: b" " * 300_000),
        ("302 Found", lambda _: b""),
        ("503 No", lambda _: {"error": "invalid_grant"}),
        ("401 No", lambda _: {"error": "invalid_client", "error_description": "schlüssel"}),
    ],
    ids=range(8),
)
def test_an_odd_token_endpoint_breaks_nothing(
    door: Door, status: str, token: Callable[[Any], Any]
) -> None:
    """503 with a sentence; the trip is over, another can be begun."""
    door.issuer.errs.status, door.issuer.errs.token = status, token
    browser = door.browser()
    refused(browser, door.signs_in(browser), 503)


def test_a_wrong_client_secret_is_told_as_what_it_is(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    """To the log, and to whoever stands before the door: their administrator has to mend it."""
    with door.set_up(oidc_client_secret="a-wrong-one") as again:
        answer = again.signs_in(again.browser())
    assert answer.status_code == 503
    assert "administrator" in answer.text
    assert "not its secret" in caplog.text
    assert "a-wrong-one" not in caplog.text


def test_a_slow_token_endpoint_keeps_nobody_for_long(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait is bounded, whatever the issuer trickles."""
    monkeypatch.setattr(relying, "PATIENCE", 0.3)
    browser = door.browser()
    place = door.signs_in_there(door.leaves_for_the_issuer(browser))

    over = threading.Event()

    def late(held: dict[str, Any]) -> dict[str, Any]:
        over.wait(20)  # the fault itself
        return held

    door.issuer.errs.token = late
    begun = time.monotonic()
    try:
        refused(browser, browser.get(place), 503)
    finally:
        over.set()
    assert time.monotonic() - begun < 15


def test_an_issuer_that_is_away_is_a_page_not_a_fault(house: House) -> None:
    """Signing in with a token goes on; the issuer is asked again after a few seconds, not by everybody."""
    issuer = ClinicIssuer()
    with issuer.serving():
        pass
    container = opened(house, issuer)
    browser = create_app(container).test_client()
    for _ in range(3):
        answer = browser.get("/sign-in/oidc")
        assert answer.status_code == 503
        assert "out of reach" in answer.text
        assert 'href="/sign-in"' in answer.text
    assert browser.get("/sign-in").status_code == 200
    clinic = house.clinic()
    token = clinic.token(clinic.member())
    assert browser.post("/sign-in", data={"token": token}).status_code == 303
    container.close()


# The brake


def test_failures_count_and_others_do_not(door: Door) -> None:
    """Forged answers and strangers brake an address; declining, coming late and being away do not."""
    with door.set_up(failed_sign_ins=5) as again:
        door.issuer.errs.answer = lambda said: {**said, "error": "access_denied"}
        for _ in range(8):
            assert again.signs_in(again.browser()).status_code == 401
            assert again.browser().get("/sign-in/oidc/back?code=x&state=y").status_code == 401
        door.issuer.errs.answer = lambda said: {**said, "state": "forged"}
        statuses = [again.signs_in(again.browser()).status_code for _ in range(5)]
        assert statuses == [401] * 5
        slowed = again.browser().get("/sign-in/oidc")
        assert slowed.status_code == 429
        assert "Slow down" in slowed.text


# Discovery


def test_discovery_is_asked_once_and_again_when_old(door: Door) -> None:
    """And serves on while the issuer is away, for a day."""
    now = [0.0]
    look = Discovery(door.issuer.name, clock=lambda: now[0])
    assert look() is look()
    door.issuer.announces = {"token_endpoint": f"{door.issuer.name}/token2"}
    now[0] = 301.0
    assert look().token_endpoint.endswith("/token2")
    door.issuer.announces = {"issuer": "https://issuer.test"}
    now[0] = 700.0
    assert look().token_endpoint.endswith("/token2")
    now[0] = 90_000.0
    with pytest.raises(Exception, match="does not answer"):
        look()


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "https://issuer.test"},
        {"issuer": None},
        {"authorization_endpoint": "http://issuer.test/authorize"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "http://issuer.test/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": None},
        {"jwks_uri": "ftp://issuer.test"},
        {"jwks_uri": 7},
        {"jwks_uri": "https:///jwks"},
        {"end_session_endpoint": "http://issuer.test/logout"},
        {"token_endpoint": "https://issuer.test/token#x"},
    ],
    ids=str,
)
def test_a_discovery_that_leads_astray_is_refused(changed: dict[str, Any]) -> None:
    """Endpoints lie behind TLS or on this machine, and the document is the issuer's own."""
    name = "https://login.test"
    said = {
        "issuer": name,
        "authorization_endpoint": f"{name}/authorize",
        "token_endpoint": f"{name}/token",
        "jwks_uri": f"{name}/jwks",
    }
    assert announced(name, said).end_session_endpoint is None
    with pytest.raises(ValueError, match=r"speaks|has no|Must be"):
        announced(name, {**said, **changed})


# Without it


def test_without_a_client_there_is_no_such_page(house: House) -> None:
    """Neither button nor route; an issuer for bearer tokens alone changes nothing here."""
    browser = house.client
    assert "Continue with" not in browser.get("/sign-in").text
    for place in ("/sign-in/oidc", "/sign-in/oidc/back?code=x&state=y", "/sign-out/oidc"):
        assert browser.get(place).status_code == 404
