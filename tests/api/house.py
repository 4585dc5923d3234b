"""A house to test in: one database for many tests, a clinic of its own for each, people who call."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient
from psycopg import sql
from werkzeug.test import TestResponse

from api.app import create_app
from projections import ALL
from projections.runner import Runner, live
from service.access import Principal
from service.clinics import create_clinic
from service.container import Container, build
from service.database import OWNER_ROLE, dsn_as
from service.embedded import EmbeddedPostgres
from service.ledger.sealer import Sealer
from service.ledger.seen import Seen
from service.serving.projector import connect
from service.serving.sealer import connect as sealing
from tests.conftest import THERAPIST, Caller, Clinic
from tests.keys import settings

OPENING: dict[str, Any] = {
    "client_ref": "c-1",
    "client_label": "Client One",
    "initiated_by": "client",
    "presenting_concern": "Leaving the house has become hard.",
    "hopes": "To sit in the park again.",
    "signs_of_improvement": "I go out without planning for days.",
    "therapist_id": "00000000-0000-4000-8000-000000000001",
}
WRITTEN = """
SELECT (SELECT count(*) FROM entries), (SELECT count(*) FROM commands),
    (SELECT coalesce(sum(position), 0) FROM clinic_logs), (SELECT count(*) FROM open_plans)
"""


@dataclass(frozen=True)
class House:
    """The wired service on a database of its own, and the API in process."""

    container: Container
    app: Flask
    owner: psycopg.Connection[Any]
    database_url: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def client(self) -> FlaskClient:
        """Somebody without a token."""
        return self.app.test_client()

    def clinic(self, name: str = "Test clinic", *, rehearsal: bool = True) -> Clinic:
        """A new clinic."""
        return Clinic(create_clinic(self.owner, name, rehearsal=rehearsal), self.owner)

    def sign_in(self, clinic: Clinic, role: str = "clinician", **known: Any) -> Caller:
        """Somebody of that role in the clinic; ``known``: their name or member_id, when it matters.

        A clinician is the therapist of the tests' plans.
        """
        member_id = THERAPIST if role == "clinician" else uuid4()
        who = Principal(
            clinic.clinic_id,
            known.get("member_id") or member_id,
            known.get("name") or "Robin Sample",
            role,
            None,
            uuid4(),
        )
        return Caller(self.client, who, {"Authorization": f"Bearer {clinic.token(who)}"})

    def catch_up(self) -> int:
        """Let the projections take in everything there is; returns how many entries."""
        with connect(self.database_url) as conn:
            return Runner(conn, live(ALL), self.container.keys).catch_up()

    def seal(self) -> int:
        """Let the sealer take in everything there is; returns how many leaves."""
        with sealing(self.database_url) as conn:
            return Sealer(conn, [self.key], Seen(Path("unused"))).catch_up()

    def written(self) -> tuple[int, ...]:
        """How much is in the record: entries, commands, the clinics' positions, open plans."""
        row = self.owner.execute(WRITTEN).fetchone()
        assert row is not None
        return tuple(map(int, row))

    @contextmanager
    def nothing_written(self) -> Iterator[None]:
        """What happens inside leaves the record as it was."""
        before = self.written()
        yield
        assert self.written() == before, "Something was written"


@contextmanager
def open_house(url: str, **given: Any) -> Iterator[House]:
    """The service on a migrated database, until the end of the block; ``given``: settings."""
    with psycopg.connect(dsn_as(url, OWNER_ROLE, seconds=60), autocommit=True) as owner:
        # Tests ask, and fail, more often than people do.
        container = build(replace(settings(url, quota_per_minute=0, failed_sign_ins=0), **given))
        container.feed.ending = lambda: True  # streams give what is there, and have an end
        yield House(container, create_app(container), owner, url)
        container.close()


@contextmanager
def new_house(server: EmbeddedPostgres, template: str, **given: Any) -> Iterator[House]:
    """The service on a fresh database, dropped at the end of the block; ``given``: settings."""
    name = f"house_{uuid4().hex}"
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        conn.execute(make.format(sql.Identifier(name), sql.Identifier(template)))
        with open_house(server.dsn(name), **given) as opened:
            yield opened
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@dataclass(frozen=True)
class Desk:
    """A clinician with an open plan, who sends what a test makes up."""

    house: House
    clinic: Clinic
    caller: Caller
    plan_id: str
    sent: list[TestResponse] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The plan."""
        return f"/v1/plans/{self.plan_id}"

    def send(
        self,
        body: object,
        *,
        to: str = "",
        method: str = "POST",
        content_type: str | None = "application/json",
        **headers: str,
    ) -> TestResponse:
        """Send a body as it is (bytes) or as JSON, to the plan's entries unless told otherwise."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.caller.client.open(
            to or f"{self.url}/entries",
            method=method,
            data=raw,
            content_type=content_type,
            headers={**self.caller.headers, **given},
        )

    def get(self, path: str = "", **headers: str) -> Any:
        """GET the plan, or what is below it."""
        return self.caller.get(path if path.startswith("/v1") else self.url + path, **headers)

    def record(self, *entries: Mapping[str, Any], **headers: str) -> Any:
        """Record entries in the plan; they must be taken."""
        answer = self.caller.post(f"{self.url}/entries", {"entries": list(entries)}, **headers)
        assert answer.status_code == 201, answer.text
        return answer.json

    def timeline(self, query: str = "") -> list[dict[str, Any]]:
        """The plan's timeline."""
        entries: list[dict[str, Any]] = self.get(f"/timeline{query}").json["entries"]
        return entries


def new_desk(house: House, role: str = "clinician", **opening: Any) -> Desk:
    """A clinician of a new clinic with a plan of theirs."""
    clinic = house.clinic()
    return desk_of(house, clinic, house.sign_in(clinic, role), **opening)


def desk_of(house: House, clinic: Clinic, caller: Caller, **opening: Any) -> Desk:
    """The desk of a clinician of that clinic, with a new plan that is theirs."""
    mine = {"therapist_id": str(caller.who.member_id)}
    answer = caller.post("/v1/plans", {**OPENING, **mine, **opening})
    assert answer.status_code == 201, answer.text
    return Desk(house, clinic, caller, answer.json["plan_id"])


def colleague(desk: Desk, name: str = "Kim Other") -> Caller:
    """Another clinician who treats the client of the desk's plan, too."""
    other = desk.house.sign_in(desk.clinic, name=name, member_id=uuid4())
    assign(desk, other)
    return other


def assign(desk: Desk, caller: Caller) -> None:
    """The desk's plan is of the caller's caseload from now on, whoever its therapist is."""
    admin, member_id = desk.house.sign_in(desk.clinic, "admin"), str(caller.who.member_id)
    joined = entry("MemberJoined", member_id=member_id, name=caller.who.name, role="clinician")
    treats = entry("CaseloadAssigned", member_id=member_id, plan_id=desk.plan_id)
    answer = admin.post("/v1/clinic/entries", {"entries": [joined, treats]})
    assert answer.status_code == 201, answer.text


def entry(kind: str, why: str | None = None, /, **data: Any) -> dict[str, Any]:
    """An entry as it is sent; names that Python keeps for itself end in an underscore."""
    plain = {name.rstrip("_"): held for name, held in data.items()}
    reason = {"reason": {"text": why}} if why else {}
    return {"type": kind, **reason, "data": plain}


def goal(statement: str = "Half an hour in the park", /, **data: Any) -> dict[str, Any]:
    """A goal that is set."""
    return entry("GoalSet", None, **{"statement": statement, **data})


def refused(answer: TestResponse, status: int, code: str, at: str = "", saying: str = "") -> Any:
    """The answer is a clear problem: status, code, the field or parameter, and what to do about it."""
    assert answer.status_code == status, answer.text[:2000]
    if answer.content_type == "application/fhir+json":  # the same words as an OperationOutcome
        [issue] = answer.get_json()["issue"]
        assert issue["details"]["coding"][0]["code"] == code
        assert at in issue["diagnostics"]
        assert saying in issue["diagnostics"]
        return issue
    assert answer.content_type == "application/problem+json"
    problem = answer.get_json()
    assert (problem["status"], problem["code"]) == (status, code), problem
    assert problem["type"] == f"urn:plan-history:problem:{code}"
    assert problem["title"]
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert problem["detail"].strip().endswith((".", "?")), problem["detail"]
    named = [held.get("pointer", held.get("parameter")) for held in problem.get("errors", [])]
    if at:
        assert at in named, problem
    details = [problem["detail"], *(held["detail"] for held in problem.get("errors", []))]
    assert any(saying in detail for detail in details), details
    return problem


def an_id() -> str:
    """An id of something that is not there."""
    return str(uuid4())


def uuid_of(text: str) -> UUID:
    """The UUID a text holds."""
    return UUID(text)
