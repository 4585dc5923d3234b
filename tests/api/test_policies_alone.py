"""Row-level security alone: every check and every filter of the service switched off, on every read route.

Somebody of one clinic asks for everything, with the ids of another clinic's plan. The service decides
nothing any more, and its queries no longer say which clinic they are about; what is left is what the
database lets their transaction see.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from api.auth import OPEN
from api.pages import blueprint
from api.pages import session as sessions
from service.access import Gate, Principal, Sight
from service.database import BoundedConnection
from service.embedded import EmbeddedPostgres
from service.fhir.facade import KINDS
from tests.api.house import Desk, House, desk_of, entry, goal, new_desk, new_house
from tests.conftest import Caller

FILTER = re.compile(r"(?<!\w)(?:\w+\.)?clinic_id = (%s|%\(\w+\)s)")
NOTHING_OF_A_CLINIC = {
    "catalogue.list_entry_types",
    "pages.go_on",
    "root.index",
    *OPEN,
    *sessions.OPEN,
}
"""Routes that read nothing: what is said of entries in general, and how one signs in."""
TABLES = """
SELECT format('%I', relname) FROM pg_class WHERE relnamespace = 'plan_history'::regnamespace
AND relkind = 'r' AND relrowsecurity
"""


@pytest.fixture(scope="module")
def house(server: EmbeddedPostgres, template: str) -> Iterator[House]:
    """A house whose words are not sealed: what is seen can be read."""
    with new_house(server, template, keys="off") as made:
        yield made


@pytest.fixture(scope="module")
def theirs(house: House) -> Desk:
    """Another clinic, with something in every list there is."""
    clinic = house.clinic("Secret clinic")
    therapist = house.sign_in(clinic, name="Secret Therapist")  # the same person works here, too
    desk = desk_of(house, clinic, therapist, client_ref="c-secret", client_label="Secret Client")
    desk.record(goal("A secret goal"), entry("FocusShifted", "A secret reason", to="grief"))
    admin = house.sign_in(clinic, "admin", name="Secret Admin")
    joined = entry("MemberJoined", member_id=str(uuid4()), name="Secret Member", role="clinician")
    assert admin.post("/v1/clinic/entries", {"entries": [joined]}).status_code == 201
    hook = admin.post("/v1/webhooks", {"url": "https://93.184.215.14/secret", "recipient": "x"})
    assert hook.status_code == 201, hook.text
    late = house.sign_in(clinic, name="Secret Helper", member_id=uuid4())
    broken = late.post("/v1/emergency-access", {"client_ref": "c-secret", "why": "Secret"})
    assert broken.status_code == 201, broken.text
    assert desk.get().status_code == 200
    house.catch_up()
    return desk


def addresses(desk: Desk) -> Iterator[tuple[str, str]]:
    """(endpoint, address) of every route that reads something, with another clinic's ids in it."""
    entry_id = desk.timeline()[1]["entry_id"]
    [webhook] = desk.house.owner.execute(
        "SELECT webhook_id FROM webhooks WHERE clinic_id = %s", [desk.clinic.clinic_id]
    ).fetchone() or [None]
    [look] = desk.house.owner.execute(
        "SELECT max(look_id) FROM access_log WHERE clinic_id = %s", [desk.clinic.clinic_id]
    ).fetchone() or [None]
    given = {
        "plan_id": desk.plan_id,
        "entry_id": entry_id,
        "webhook_id": str(webhook),
        "look_id": str(look),
        "resource_id": desk.plan_id,
        "version": "1",
    }
    for rule in desk.house.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in NOTHING_OF_A_CLINIC:
            continue
        kinds = KINDS if rule.endpoint.startswith("fhir.") else ("bundle",)
        for kind in kinds if "kind" in rule.arguments else ("",):
            held = {**given, "kind": kind}
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule).format(**held)
            yield rule.endpoint, path + ("?from=1&to=2" if path.endswith("/diff") else "")


def unchecked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Switch off whatever the service itself has against strangers; the queries that lost a filter."""
    sight, everything = Sight("plans.read", "clinic", "full"), {"clinic": "full"}
    monkeypatch.setattr(Gate, "see", lambda *_: sight)
    monkeypatch.setattr(Gate, "require", lambda *_: None)
    monkeypatch.setattr(Gate, "relation", lambda *_: "clinic")
    monkeypatch.setattr(Gate, "reach", lambda *_: (sql.SQL("TRUE"), []))
    monkeypatch.setattr(Principal, "grant", lambda *_: everything)
    monkeypatch.setattr(Principal, "may", lambda *_: True)
    monkeypatch.setattr(Principal, "sees_own_actions", lambda *_: False)
    monkeypatch.setattr(blueprint, "may", lambda *_: True)
    loosened: list[str] = []
    for kind in (psycopg.Cursor, psycopg.ServerCursor):
        monkeypatch.setattr(kind, "execute", without_filters(kind.execute, loosened))
    return loosened


def without_filters(execute: Callable[..., Any], loosened: list[str]) -> Callable[..., Any]:
    """Executing queries of the service as if nobody had thought of saying which clinic they are about."""

    def loose(self: Any, query: Any, *given: Any, **named: Any) -> Any:
        if not isinstance(self.connection, BoundedConnection):
            return execute(self, query, *given, **named)
        text = query.as_string(self) if isinstance(query, sql.Composable) else query
        text = text.decode() if isinstance(text, bytes) else text
        plain = FILTER.sub(r"\1::uuid IS NOT NULL", text)
        loosened.extend([plain] if plain != text else [])
        return execute(self, plain.encode(), *given, **named)

    return loose


def tour(house: House, theirs: Desk, stranger: Caller) -> Mapping[str, list[str]]:
    """Everything a stranger is shown of another clinic, by route: empty lists for nothing."""
    browser = house.client
    token = stranger.headers["Authorization"].removeprefix("Bearer ")
    assert browser.post("/sign-in", data={"token": token}).status_code == 303
    shown: dict[str, list[str]] = {}
    for endpoint, path in addresses(theirs):
        asking = browser if endpoint.startswith("pages.") else stranger
        answer = asking.get(path)
        assert answer.status_code < 500, f"{path}: {answer.text[:500]}"
        words = re.findall(r"[^\n]{0,60}secret[^\n]{0,60}", answer.text, re.IGNORECASE)
        ids = [] if theirs.plan_id in path else re.findall(theirs.plan_id, answer.text)
        shown.setdefault(endpoint, []).extend([*words, *ids])
    return shown


def test_the_policies_alone_keep_clinics_apart(
    house: House, theirs: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No read route, of the API, FHIR or the pages, shows a row of another clinic."""
    mine = new_desk(house, client_ref="c-mine")
    house.catch_up()
    loosened = unchecked(monkeypatch)
    shown = tour(house, theirs, mine.caller)
    assert {endpoint: found for endpoint, found in shown.items() if found} == {}
    assert len(shown) >= 40, "every route that reads is asked"
    assert len(set(loosened)) >= 15, "the queries had filters to lose"


def test_without_the_policies_the_tour_finds_much(
    house: House, theirs: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: with row-level security off as well, the same questions show the other clinic."""
    mine = new_desk(house, client_ref="c-mine-too")
    house.catch_up()
    tables = [row[0] for row in house.owner.execute(TABLES)]
    assert len(tables) >= 10
    unchecked(monkeypatch)
    try:
        for table in tables:
            house.owner.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY".encode())
        shown = tour(house, theirs, mine.caller)
    finally:
        for table in tables:
            house.owner.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY".encode())
    leaking = {endpoint for endpoint, found in shown.items() if found}
    assert {"plans.list_plans", "timeline.clinic_timeline", "feed.read_feed"} <= leaking
    assert {"access.read_access_log", "webhooks.read_webhook", "fhir_audit.read_audit"} <= leaking
    assert {"pages.find", "pages.audit", "pages.looks"} <= leaking
    assert len(leaking) >= 12
