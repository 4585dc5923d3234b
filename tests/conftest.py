"""What tests share: a real PostgreSQL per worker, a migrated database per test, the wired service."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask.testing import FlaskClient
from psycopg import sql

from api.app import create_app
from projections import ALL
from projections.runner import Runner, live
from service.access import Principal
from service.clinics import create_clinic
from service.container import Container, build
from service.database import OWNER_ROLE, dsn_as
from service.embedded import EmbeddedPostgres
from service.migrate import migrate
from service.serving.projector import connect
from service.tokens import issue
from tests.keys import keys, settings
from tests.listening import LISTENER

THERAPIST = UUID("00000000-0000-4000-8000-000000000001")


@pytest.fixture(scope="module", autouse=True)
def _what_stays_is_looked_through_once() -> Iterator[None]:
    """After each file: what is kept to the end is not looked through again and again in search of garbage."""
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _nothing_of_clients_is_logged() -> Iterator[None]:
    """Whatever a test does: no logger of this process says what clients said."""
    LISTENER.listen()
    yield
    heard, LISTENER.heard = LISTENER.heard, []
    assert not heard, f"Client content was logged: {heard[:3]}"


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL of our own, without durability (fault tests start their own with it)."""
    with tempfile.TemporaryDirectory(prefix="ph-tests-") as home:
        Path(home).chmod(0o711)  # as root, the server's own account must get through to its data
        with EmbeddedPostgres(Path(home) / "home", fast=True) as started:
            yield started


@pytest.fixture(scope="session")
def template(server: EmbeddedPostgres) -> str:
    """A migrated database to copy from."""
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        conn.execute("CREATE DATABASE template_plan_history")
    migrate(server.dsn("template_plan_history"))
    return "template_plan_history"


@pytest.fixture
def database_url(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    """A fresh migrated database for one test, dropped afterwards."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        conn.execute(make.format(sql.Identifier(name), sql.Identifier(template)))
        yield server.dsn(name)
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def owner(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the owner."""
    with psycopg.connect(dsn_as(database_url, OWNER_ROLE, seconds=60), autocommit=True) as conn:
        yield conn


@pytest.fixture
def container(database_url: str) -> Iterator[Container]:
    """The wired service on the test's database."""
    held = build(settings(database_url))
    yield held
    held.close()


@dataclass(frozen=True)
class Clinic:
    """A clinic of a test, and how to become one of its people."""

    clinic_id: UUID
    owner: psycopg.Connection[Any]

    def member(self, role: str = "clinician", name: str = "Robin Sample") -> Principal:
        """Somebody of that role, without a token; a clinician is the therapist of the tests' plans."""
        member_id = THERAPIST if role == "clinician" else uuid4()
        return Principal(self.clinic_id, member_id, name, role, None, uuid4())

    def token(self, who: Principal, *, days: int = 1) -> str:
        """A token for ``who``."""
        made = issue(
            self.owner,
            self.clinic_id,
            name=who.name,
            role=who.role,
            member_id=who.member_id,
            days=days,
        )
        return made.token


@pytest.fixture
def new_clinic(owner: psycopg.Connection[Any]) -> Callable[..., Clinic]:
    """Makes clinics (rehearsal clinics unless told otherwise)."""

    def make(name: str = "Test clinic", *, rehearsal: bool = True) -> Clinic:
        return Clinic(create_clinic(owner, name, rehearsal=rehearsal), owner)

    return make


@pytest.fixture
def clinic(new_clinic: Callable[..., Clinic]) -> Clinic:
    """A rehearsal clinic."""
    return new_clinic()


@pytest.fixture
def catch_up(database_url: str) -> Iterator[Callable[[], int]]:
    """Lets the projections take in everything there is; returns how many entries."""
    with connect(database_url) as conn:
        runner = Runner(conn, live(ALL), keys())
        yield runner.catch_up


@dataclass(frozen=True)
class Caller:
    """A member with a token, calling the API (in process, no network)."""

    client: FlaskClient
    who: Principal
    headers: dict[str, str]

    def get(self, path: str, **headers: str) -> Any:
        """GET with the token."""
        return self.client.get(path, headers={**self.headers, **_names(headers)})

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """POST a JSON body with the token."""
        return self.client.post(path, json=body, headers={**self.headers, **_names(headers)})


def _names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def client(container: Container) -> FlaskClient:
    """The API in process, without a token."""
    return create_app(container).test_client()


@pytest.fixture
def sign_in(client: FlaskClient) -> Callable[..., Caller]:
    """Signs somebody of a clinic in."""

    def make(clinic: Clinic, role: str = "clinician") -> Caller:
        who = clinic.member(role)
        headers = {"Authorization": f"Bearer {clinic.token(who)}"}
        return Caller(client, who, headers)

    return make


@pytest.fixture
def caller(sign_in: Callable[..., Caller], clinic: Clinic) -> Caller:
    """A clinician of the test's clinic, signed in."""
    return sign_in(clinic)
