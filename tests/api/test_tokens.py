"""Tokens: without a good one nothing is shown, and a revoked one is worth nothing within a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from api.app import create_app
from service.access import ACCESS, ROLES
from service.container import build
from service.settings import Settings
from service.tokens import PREFIX, LastUses, Tokens, digest, issue, revoke
from tests.api.house import OPENING, Desk, House, goal, refused
from tests.conftest import Caller


def until(there: Callable[[], Any], seconds: float = 5.0) -> Any:
    """What ``there`` answers once it is true; fails when it takes longer than ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (found := there()):
        assert time.monotonic() < deadline, "It did not come about in time"
        time.sleep(0.02)
    return found


def token_of(caller: Caller) -> str:
    """A caller's token."""
    return caller.headers["Authorization"].removeprefix("Bearer ")


def row_of(house: House, caller: Caller, column: str) -> Any:
    """What is kept of a caller's token."""
    query = f"SELECT {column} FROM tokens WHERE digest = %s"
    row = house.owner.execute(query.encode(), [digest(token_of(caller))]).fetchone()
    return row[0] if row else None


WRONG = {
    "none": None,
    "an empty one": "",
    "no token after the scheme": "Bearer",
    "spaces for a token": "Bearer    ",
    "a token without its scheme": "{token}",
    "another scheme": "Basic {token}",
    "a scheme we do not know": "Token {token}",
    "garbage": "Bearer abc",
    "a token nobody has": f"Bearer {PREFIX}{'x' * 43}",
    "a token cut short": "Bearer {token:.40}",
    "a token with something behind it": "Bearer {token}x",
    "two tokens": "Bearer {token} {token}",
    "a token in capitals": "Bearer {upper}",
    "a very long one": f"Bearer {PREFIX}{'x' * 5000}",
    "one in other letters": f"Bearer {PREFIX}\xfc\xfc",
    "a JWT that says anything": "Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYWRtaW4ifQ.",
}


@pytest.mark.parametrize("given", WRONG.values(), ids=WRONG)
def test_without_a_good_token_nothing_is_shown_or_written(steady: Desk, given: str | None) -> None:
    """401 with WWW-Authenticate, saying what to do, on reading and writing alike."""
    token = token_of(steady.caller)
    headers = {}
    if given is not None:
        headers["Authorization"] = given.format(token=token, upper=token.upper())
    client = steady.house.client
    with steady.house.nothing_written():
        for answer in (
            client.get(steady.url, headers=headers),
            client.get(f"{steady.url}/timeline", headers=headers),
            client.get("/v1/me", headers=headers),
            client.post(f"{steady.url}/entries", json={"entries": [goal()]}, headers=headers),
            client.post("/v1/plans", json={**OPENING, "client_ref": "c-2"}, headers=headers),
        ):
            problem = refused(answer, 401, "not-signed-in")
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="plan-history"'
            assert token not in str(problem)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_has_no_case(steady: Desk, scheme: str) -> None:
    """RFC 9110: scheme names are case-insensitive; a space more does no harm."""
    headers = {"Authorization": f"{scheme}  {token_of(steady.caller)} "}
    assert steady.house.client.get(steady.url, headers=headers).status_code == 200


def test_every_route_but_the_open_ones_wants_a_token(house: House) -> None:
    """Derived from the routes there are: a new one is closed until it is opened on purpose."""
    opened = {"/", "/docs", "/openapi.json", "/livez", "/readyz", "/metrics", "/fhir/R4/metadata"}
    for rule in house.app.url_map.iter_rules():
        if rule.endpoint == "static" or rule.endpoint.startswith("pages."):
            continue  # the pages have sessions: tests/api/test_pages_sessions.py
        path = rule.rule
        for name in rule.arguments:
            path = path.replace(f"<uuid:{name}>", str(UUID(int=1)))
            path = path.replace(f"<int:{name}>", "1").replace(f"<{name}>", "1")
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}:
            answer = house.client.open(path, method=method)
            if path in opened:
                assert answer.status_code in (200, 302), path
            else:
                refused(answer, 401, "not-signed-in")


def test_a_token_says_who_one_is(house: House) -> None:
    """/v1/me: clinic, member, role, and what the role may do by the table of access."""
    clinic = house.clinic()
    for role in ROLES:
        caller = house.sign_in(clinic, role)
        me = caller.get("/v1/me").json
        assert (me["clinic_id"], me["role"]) == (str(clinic.clinic_id), role)
        assert me["member_id"] == str(caller.who.member_id)
        assert set(me["may"]) == {action for action, roles in ACCESS.items() if role in roles}


def test_an_expired_token_is_worth_nothing(house: House) -> None:
    """A token ends at its moment, also when it was used a moment before."""
    clinic = house.clinic()
    expired = house.sign_in(clinic)
    house.owner.execute(
        "UPDATE tokens SET expires_at = clock_timestamp() WHERE digest = %s",
        [digest(token_of(expired))],
    )
    refused(expired.get("/v1/me"), 401, "not-signed-in", saying="has expired")
    now = datetime.now(UTC)
    container = build(house.container.settings, clock=lambda: now)
    client = create_app(container).test_client()
    used = house.sign_in(clinic)
    assert client.get("/v1/me", headers=used.headers).status_code == 200
    now += timedelta(days=1, seconds=1)  # within the time a token is remembered
    refused(client.get("/v1/me", headers=used.headers), 401, "not-signed-in", saying="has expired")
    container.close()


def test_a_revoked_token_is_worth_nothing_within_a_second(house: House) -> None:
    """In use without a pause, it stops at the latest a second after it was revoked, everywhere."""
    caller = house.sign_in(house.clinic())
    other_process = build(house.container.settings)
    clients = [house.client, create_app(other_process).test_client()]

    def codes() -> list[int]:
        return [held.get("/v1/me", headers=caller.headers).status_code for held in clients]

    assert codes() == [200, 200]
    assert revoke(house.owner, row_of(house, caller, "token_id"))
    revoked_at = time.monotonic()
    until(lambda: codes() == [401, 401] or time.monotonic() - revoked_at > 1)
    assert codes() == [401, 401]  # asked no later than a second after
    refused(caller.get("/v1/me"), 401, "not-signed-in", saying="was revoked")
    assert not revoke(house.owner, row_of(house, caller, "token_id"))
    other_process.close()


def test_a_revoked_token_writes_nothing(desk: Desk) -> None:
    """Not even what it recorded before is answered again."""
    desk.record(goal(), Idempotency_Key="k")
    revoke(desk.house.owner, row_of(desk.house, desk.caller, "token_id"))
    until(lambda: desk.caller.get("/v1/me").status_code == 401)
    with desk.house.nothing_written():
        refused(desk.send({"entries": [goal()]}, Idempotency_Key="k"), 401, "not-signed-in")


def test_other_tokens_of_the_member_go_on(house: House) -> None:
    """A token is revoked, not its member."""
    one = house.sign_in(house.clinic())
    issued = issue(
        house.owner, one.who.clinic_id, name="x", role="clinician", member_id=one.who.member_id
    )
    revoke(house.owner, row_of(house, one, "token_id"))
    headers = {"Authorization": f"Bearer {issued.token}"}
    me: Any = house.client.get("/v1/me", headers=headers)
    assert me.json["member_id"] == str(one.who.member_id)


def test_a_token_is_kept_as_its_digest_alone(house: House) -> None:
    """256 random bits, shown once: the database has their SHA-256 and a prefix to recognise them by."""
    caller = house.sign_in(house.clinic())
    token = token_of(caller)
    kept = house.owner.execute(
        "SELECT t::text FROM tokens t WHERE digest = %s", [digest(token)]
    ).fetchone()
    assert kept is not None
    assert token not in kept[0]
    assert token[:9] in kept[0]
    assert len(token) >= len(PREFIX) + 43


# Last use


def test_the_last_use_is_noted(house: House) -> None:
    """Who looks at a token sees when it was last used; the request did not wait for that."""
    caller = house.sign_in(house.clinic())
    assert row_of(house, caller, "last_used_at") is None
    before = datetime.now(UTC)
    assert caller.get("/v1/me").status_code == 200
    noted = until(lambda: row_of(house, caller, "last_used_at"))
    assert before - timedelta(seconds=1) < noted < datetime.now(UTC) + timedelta(seconds=1)


def test_the_last_use_is_noted_once_a_minute(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much a token is used, its row is written once a minute."""
    caller = house.sign_in(house.clinic())
    tokens = Tokens(house.container.database)
    now = 1_000.0
    monkeypatch.setattr("service.tokens.REMEMBERED", 0.0)
    monkeypatch.setattr("service.tokens.time", SimpleNamespace(monotonic=lambda: now))

    def used() -> Any:
        tokens.principal(token_of(caller))
        until(lambda: not tokens.last_uses._working)
        return row_of(house, caller, "last_used_at")

    first = used()
    assert first is not None
    now += 59
    assert used() == used() == first
    now += 2
    assert used() > first


def test_a_last_use_that_cannot_be_noted_harms_nobody(house: House) -> None:
    """With the database gone the note is dropped, and the next one works again."""
    gone = build(Settings(database_url="host=/nowhere dbname=none", keys="off"))
    caller = house.sign_in(house.clinic())
    token_id = row_of(house, caller, "token_id")
    notes = LastUses(gone.database)
    notes.note(token_id)
    until(lambda: not notes._working)
    notes.database, notes._noted = house.container.database, {}
    notes.note(token_id)
    until(lambda: row_of(house, caller, "last_used_at"))
    gone.close()
