"""A database of our own starts when asked, keeps what it was given, and is found by others."""

import os
import threading
import time
from pathlib import Path

import psycopg
import pytest

from service.embedded import EmbeddedPostgres, EmbeddedPostgresError, prepare_home, running


def test_what_was_written_is_there_after_a_restart(used_home: Path) -> None:
    """An orderly stop keeps what was written, and the next start opens it again."""
    with EmbeddedPostgres(used_home) as server, psycopg.connect(server.dsn()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'Grüße' AS word")
    with EmbeddedPostgres(used_home) as server, psycopg.connect(server.dsn()) as connection:
        assert connection.execute("SELECT word FROM kept").fetchall() == [("Grüße",)]


def test_first_and_warm_start_are_quick(home: Path) -> None:
    """A start takes seconds, a warm one less; the bounds leave room for a busy machine."""
    durations = []
    for _ in range(2):
        begin = time.monotonic()
        with EmbeddedPostgres(home):
            durations.append(time.monotonic() - begin)
    first, warm = durations
    assert first < 15
    assert warm < 5


def test_each_database_has_its_own_way_in(shared: EmbeddedPostgres) -> None:
    """The name given to dsn() is the database that psycopg reaches."""
    with psycopg.connect(shared.dsn(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE plans")
    with psycopg.connect(shared.dsn("plans")) as connection:
        assert connection.info.dbname == "plans"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("server_encoding", "UTF8"),
        ("data_checksums", "on"),
        ("TimeZone", "UTC"),
        ("jit", "off"),
        ("max_connections", "100"),
        ("log_statement", "none"),
        ("password_encryption", "scram-sha-256"),
    ],
)
def test_the_server_is_set_up_for_a_small_host(
    shared: EmbeddedPostgres, setting: str, value: str
) -> None:
    """The server itself reports the settings we rely on."""
    with psycopg.connect(shared.dsn()) as connection:
        assert connection.execute(f"SHOW {setting}".encode()).fetchone() == (value,)


def test_commits_are_durable_unless_a_test_asks_otherwise(used_home: Path) -> None:
    """Only `fast` gives up durability."""
    for fast, value in ((True, "off"), (False, "on")):
        with (
            EmbeddedPostgres(used_home, fast=fast) as server,
            psycopg.connect(server.dsn()) as connection,
        ):
            for setting in (b"fsync", b"full_page_writes", b"synchronous_commit"):
                assert connection.execute(b"SHOW " + setting).fetchone() == (value,)


def test_own_settings_win(used_home: Path) -> None:
    """A setting given by the caller replaces ours."""
    with (
        EmbeddedPostgres(used_home, fast=True, settings={"max_connections": "20"}) as server,
        psycopg.connect(server.dsn()) as connection,
    ):
        assert connection.execute("SHOW max_connections").fetchone() == ("20",)


def test_version_and_process_are_known(shared: EmbeddedPostgres) -> None:
    """The version is the one the server tells, and the process is a direct child of ours."""
    with psycopg.connect(shared.dsn()) as connection:
        told = connection.execute("SHOW server_version").fetchone()
    assert told is not None
    assert told[0].split()[0] == shared.server_version
    assert os.getpgid(shared.pid) == shared.pid != os.getpgid(0)


def test_the_server_outlives_the_thread_that_started_it(used_home: Path) -> None:
    """The parent-death signal means our process, not the thread that called start()."""
    server = EmbeddedPostgres(used_home, fast=True)
    starter = threading.Thread(target=server.start)
    starter.start()
    starter.join()
    try:
        for _ in range(5):
            with psycopg.connect(server.dsn()) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        server.stop()


def test_others_find_a_running_server(shared: EmbeddedPostgres) -> None:
    """Another command connects to the server of a home instead of starting a second one."""
    found = running(shared.home)
    assert found is not None
    assert (found.pid, found.server_version) == (shared.pid, shared.server_version)
    with psycopg.connect(found.dsn()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_the_password_is_not_shown(shared: EmbeddedPostgres) -> None:
    """What running() gives can be printed without printing the password."""
    found = running(shared.home)
    assert found is not None
    assert found.password
    assert found.password not in repr(found)


def test_there_is_nothing_to_find_before_and_after(home: Path, used_home: Path) -> None:
    """A home that does not exist, never started, or stopped (even twice) has no server."""
    assert running(home / "missing") is None
    assert running(prepare_home(home.with_name("new"))) is None
    with EmbeddedPostgres(used_home, fast=True) as server:
        server.stop()
    assert running(used_home) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_home_we_may_not_read_is_refused(home: Path) -> None:
    """Looking for the server of someone else's home says whose turn it is, not that none runs."""
    prepare_home(home).chmod(0)
    with pytest.raises(EmbeddedPostgresError, match="belongs to another account"):
        running(home)
    home.chmod(0o700)


def test_a_stopped_server_answers_no_questions(home: Path) -> None:
    """Asking for the address of a server that does not run is refused with the next step."""
    with pytest.raises(EmbeddedPostgresError, match=r"call start\(\) first"):
        EmbeddedPostgres(home).dsn()
