"""Logins that are one role of the service and nothing else: they too begin no keys beside sealed plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from service.container import Container
from service.database import API_ROLE, DELIVERER_ROLE, PROJECTOR_ROLE, SEALER_ROLE
from service.embedded import EmbeddedPostgres
from service.keys import KeysLostError, Ring, open_keys
from service.keys.sealed import is_sealed
from service.settings import Settings
from tests.conftest import Clinic
from tests.service.recording import open_plan
from tests.service.test_doctor import begun

Login = Callable[..., str]


@pytest.fixture
def login(server: EmbeddedPostgres, database_url: str) -> Iterator[Login]:
    """Makes a login that is member of one role (None: of none); how it signs in."""
    made: list[str] = []
    with psycopg.connect(server.dsn(), autocommit=True) as admin:

        def make(role: str | None, rights: str = "") -> str:
            name = f"narrow_{uuid4().hex}"
            within = f"IN ROLE {role}" if role else ""
            admin.execute(f"CREATE ROLE {name} LOGIN {rights} PASSWORD 'secret' {within}".encode())
            made.append(name)
            return make_conninfo(database_url, user=name, password="secret")

        yield make
        for name in made:
            admin.execute(f"DROP ROLE {name}".encode())


@pytest.fixture
def lost(tmp_path: Path) -> Path:
    """A folder where no keys are."""
    return tmp_path / "mistyped" / "keys"


@pytest.fixture
def _sealed(container: Container, clinic: Clinic) -> None:
    """A plan that is sealed."""
    open_plan(container, clinic.member())


@pytest.mark.usefixtures("_sealed")
@pytest.mark.parametrize("rights", ["INHERIT", "NOINHERIT"])
@pytest.mark.parametrize("role", [API_ROLE, PROJECTOR_ROLE, DELIVERER_ROLE])
def test_each_narrow_login_refuses_new_keys(
    login: Login, lost: Path, role: str, rights: str
) -> None:
    """It is told yes, without seeing an entry, and leaves the mistyped place as it was."""
    url = login(role, rights)
    with pytest.raises(KeysLostError, match="set PLAN_HISTORY_KEYS to where they are"):
        open_keys(Settings(database_url=url, keys=str(lost)))
    assert not lost.parent.exists()


@pytest.mark.usefixtures("_sealed")
@pytest.mark.parametrize(
    ("process", "role"), [("api", API_ROLE), ("deliver", API_ROLE), ("project", PROJECTOR_ROLE)]
)
def test_no_process_with_a_narrow_login_begins_keys(
    login: Login, lost: Path, process: str, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each alone, as containers run it, ends with the sentence that serve has."""
    monkeypatch.setenv("DATABASE_URL", login(role))
    monkeypatch.setenv("PLAN_HISTORY_KEYS", str(lost))
    refused = begun(process)
    assert (refused.returncode, refused.stdout) == (1, ""), refused
    assert "but plans of this database are sealed with keys" in refused.stderr
    assert not lost.parent.exists()


@pytest.mark.usefixtures("_sealed")
def test_where_nothing_is_sealed_a_narrow_login_begins_keys(
    login: Login, clinic: Clinic, lost: Path
) -> None:
    """Entries of a time without keys need none."""
    clinic.owner.execute("UPDATE entries SET key_id = NULL")
    ring = open_keys(Settings(database_url=login(API_ROLE), keys=str(lost)))
    assert isinstance(ring, Ring)
    with closing(ring):
        assert (lost / "vault.sqlite").exists()


def test_before_the_first_migration_nothing_is_sealed(
    server: EmbeddedPostgres, login: Login
) -> None:
    """Processes may be there before their tables; they say so themselves when asked."""
    bare = make_conninfo(login(API_ROLE), dbname="postgres")
    assert not is_sealed(bare)


@pytest.mark.usefixtures("_sealed")
@pytest.mark.parametrize("role", [None, SEALER_ROLE])
def test_who_works_with_no_keys_is_told_nothing(login: Login, role: str | None) -> None:
    """Neither yes nor no: the sealer sees entries, but has no use for keys; others see nothing at all."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        is_sealed(login(role))
