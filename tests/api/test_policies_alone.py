"""Row-level security alone: every check and every filter of the service switched off, on every read route.

Somebody of one clinic asks for everything, with the ids of another clinic's plan. The service decides
nothing any more, and its queries no longer say which clinic they are about; what is left is what the
database lets their transaction see.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

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
from tests.api.cast import joined, supervised
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


LOOK = "SELECT max(look_id) FROM access_log WHERE clinic_id = %s"


@dataclass(frozen=True)
class Theirs:
    """Another clinic's plan, and the ids of what else it has, by the names they have in addresses."""

    desk: Desk
    ids: Mapping[str, str]


@pytest.fixture(scope="module")
def theirs(house: House) -> Theirs:
    """Another clinic, with something in every list there is."""
    clinic = house.clinic("Secret clinic")
    therapist = house.sign_in(clinic, name="Secret Therapist")  # the same person works here, too
    desk = desk_of(house, clinic, therapist, client_ref="c-secret", client_label="Secret Client")
    desk.record(goal("A secret goal"), entry("FocusShifted", "A secret reason", to="grief"))
    admin = house.sign_in(clinic, "admin", name="Secret Admin")
    chief = house.sign_in(clinic, "supervisor", name="Secret Chief")
    trainee = house.sign_in(clinic, name="Secret Trainee", member_id=uuid4())
    said = {"entries": [joined(chief), joined(trainee), supervised(trainee, chief)]}
    sent(admin, "/v1/clinic/entries", said)
    hook = sent(admin, "/v1/webhooks", {"url": "https://93.184.215.14/secret", "recipient": "x"})
    wish = entry("MemberRoleChanged", member_id=str(trainee.who.member_id), credential="Secret")
    asked = {"reason": {"text": "A secret wish"}, "entries": [wish]}
    proposal = sent(chief, "/v1/clinic/proposals", asked)
    helper = house.sign_in(clinic, name="Secret Helper", member_id=uuid4())
    sent(helper, "/v1/emergency-access", {"client_ref": "c-secret", "why": "Secret"})
    assert desk.get().status_code == 200
    house.catch_up()
    [look] = house.owner.execute(LOOK, [clinic.clinic_id]).fetchone() or [None]
    ids = {
        "plan_id": desk.plan_id,
        "entry_id": desk.timeline()[1]["entry_id"],
        "webhook_id": hook["webhook_id"],
        "proposal_id": proposal["entries"][0]["proposal_id"],
        "look_id": str(look),
        "resource_id": desk.plan_id,
        "version": "1",
        "tree": "entries",
        "level": "0",
        "number": "000.p/1",
    }
    return Theirs(desk, ids)


def sent(caller: Caller, place: str, body: object) -> Any:
    """What is answered to something that must be taken."""
    answer = caller.post(place, body)
    assert answer.status_code == 201, answer.text
    return answer.json


FILES = {
    **dict.fromkeys(
        ("pages.audit_download", "pages.looks_download", "pages.accounting_download"),
        ("csv", "ndjson"),
    ),
    "pages.seal_download": ("checkpoint", "vkey"),
}
"""As what the pages give something to take along; plans as a bundle."""


def addresses(theirs: Theirs) -> Iterator[tuple[str, str]]:
    """(endpoint, address) of every route that reads something, with another clinic's ids in it."""
    for rule in theirs.desk.house.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in NOTHING_OF_A_CLINIC:
            continue
        kinds = (
            KINDS if rule.endpoint.startswith("fhir.") else FILES.get(rule.endpoint, ("bundle",))
        )
        for kind in kinds if "kind" in rule.arguments else ("",):
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            place = path.format(**theirs.ids, kind=kind)
            between = place.endswith(("/diff", "/consistency"))
            yield rule.endpoint, place + ("?from=1&to=1" if between else "")


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


def tour(house: House, theirs: Theirs, stranger: Caller) -> Mapping[str, list[str]]:
    """Everything a stranger is shown of another clinic, by route: empty lists for nothing."""
    browser = house.client
    token = stranger.headers["Authorization"].removeprefix("Bearer ")
    assert browser.post("/sign-in", data={"token": token}).status_code == 303
    shown: dict[str, list[str]] = {}
    for endpoint, path in addresses(theirs):
        asking = browser if endpoint.startswith("pages.") else stranger
        answer = asking.get(path)
        assert answer.status_code < 500, f"{path}: {answer.text[:500]}"
        text = answer.data.decode(errors="replace")
        words = re.findall(r"[^\n]{0,60}secret[^\n]{0,60}", text, re.IGNORECASE)
        ids = [] if theirs.desk.plan_id in path else re.findall(theirs.desk.plan_id, text)
        leaves = [place for place in [UUID(theirs.desk.plan_id).bytes] if place in answer.data]
        shown.setdefault(endpoint, []).extend([*words, *ids, *map(str, leaves)])
    return shown


def test_the_policies_alone_keep_clinics_apart(
    house: House, theirs: Theirs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No read route, of the API, FHIR or the pages, shows a row of another clinic."""
    mine = new_desk(house, client_ref="c-mine")
    house.catch_up()
    house.seal()
    loosened = unchecked(monkeypatch)
    shown = tour(house, theirs, mine.caller)
    assert {endpoint: found for endpoint, found in shown.items() if found} == {}
    assert len(shown) >= 40, "every route that reads is asked"
    assert len(set(loosened)) >= 15, "the queries had filters to lose"


def test_without_the_policies_the_tour_finds_much(
    house: House, theirs: Theirs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: with row-level security off as well, the same questions show the other clinic."""
    mine = new_desk(house, client_ref="c-mine-too")
    house.catch_up()
    house.seal()
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
    assert {"pages.find", "pages.audit", "pages.looks", "ledger.read_entry_bundle"} <= leaking
    assert len(leaking) >= 12
