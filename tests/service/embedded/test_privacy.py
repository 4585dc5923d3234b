"""Nobody gets in without the password, from elsewhere, or by reading files."""

import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from service.embedded import EmbeddedPostgres
from service.embedded.locks import Lock

SECRET = "Mrs Example sleeps badly"


@pytest.mark.parametrize("password", ["", "guessed"])
def test_a_wrong_password_is_refused(shared: EmbeddedPostgres, password: str) -> None:
    """The password is demanded from everyone, on the socket too."""
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(make_conninfo(shared.dsn(), password=password))


def test_the_password_is_checked_with_scram(shared: EmbeddedPostgres) -> None:
    """The server offers SCRAM and nothing weaker: libpq refuses anything else when told so."""
    psycopg.connect(make_conninfo(shared.dsn(), require_auth="scram-sha-256")).close()
    for weaker in ("none", "md5", "password"):
        with pytest.raises(psycopg.OperationalError, match="requirement"):
            psycopg.connect(make_conninfo(shared.dsn(), require_auth=weaker))


def test_every_rule_of_access_demands_scram(shared: EmbeddedPostgres) -> None:
    """No line of pg_hba.conf, replication included, lets anyone in another way."""
    with psycopg.connect(shared.dsn()) as connection:
        methods = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules")
        assert methods.fetchall() == [("scram-sha-256",)]


def test_it_is_told_not_to_listen_on_tcp(shared: EmbeddedPostgres) -> None:
    """The only address of the server is its socket file."""
    with psycopg.connect(shared.dsn()) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's list of open sockets")
def test_it_does_not_listen_on_tcp(shared: EmbeddedPostgres) -> None:
    """Among the sockets the kernel lists for the server, one is of Unix and none is of TCP."""
    process = Path("/proc", str(shared.pid))
    targets = {str(path.readlink()) for path in (process / "fd").iterdir()}
    sockets = {name.removeprefix("socket:[").rstrip("]") for name in targets if "socket:" in name}
    tcp = {
        line.split()[9]
        for table in ("tcp", "tcp6", "udp", "udp6")
        if (process / "net" / table).exists()
        for line in (process / "net" / table).read_text().splitlines()[1:]
    }
    unix = {line.split()[6] for line in (process / "net/unix").read_text().splitlines()[1:]}
    assert sockets & unix
    assert not sockets & tcp


def test_its_files_are_closed_to_others(shared: EmbeddedPostgres) -> None:
    """Folders are 0700 and files 0600; for root, one account may pass through (never list) two."""
    home = shared.home
    passable = {home, home / "postgres"} if home.stat().st_uid == 0 else set()
    for path in (home, *home.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        if path in passable:
            assert mode == 0o710, path
        elif path.name.startswith(".s.PGSQL") or path.is_dir():
            assert mode in {0o700, 0o600}, path
        else:
            assert mode == 0o600, path


def test_the_password_is_long_and_new_for_each_home(
    shared: EmbeddedPostgres, used_home: Path
) -> None:
    """Two homes do not share a password, and each has 256 bits of chance in it."""
    passwords = {(home / "postgres" / "password").read_text() for home in (shared.home, used_home)}
    assert len(passwords) == 2
    assert all(len(password) >= 43 for password in passwords)


def _everything_logged(home: Path, settings: dict[str, str]) -> Iterator[str]:
    with (
        EmbeddedPostgres(home, fast=True, settings=settings) as server,
        psycopg.connect(server.dsn(), autocommit=True) as connection,
    ):
        connection.execute("CREATE TABLE IF NOT EXISTS notes (note text PRIMARY KEY)")
        for statement, values in (
            ("INSERT INTO notes VALUES (%s), (%s)", [SECRET, SECRET]),  # not unique
            ("SELECT %s::text::integer", [SECRET]),  # the error quotes the value
            (f"SELECT '{SECRET}'::integer", []),
            (f'TABLE "{SECRET}"', []),
            (f"DO $$ BEGIN RAISE WARNING '{SECRET}'; END $$", []),
        ):
            try:
                connection.execute(statement.encode(), values)
            except psycopg.Error as error:
                assert SECRET in str(error)  # noqa: PT017  # the client is told, the log is not
    lock = Lock(home / "postgres" / "lock")
    assert lock.acquire(10)  # the process that writes the logs has ended
    lock.release()
    yield (home / "postgres" / "startup.log").read_text()
    yield from (path.read_text() for path in (home / "postgres" / "log").iterdir())


def test_what_clients_write_does_not_reach_the_logs(used_home: Path) -> None:
    """Failing statements quote values to the client, and leave no trace of them in the logs."""
    assert not any(SECRET in text for text in _everything_logged(used_home, {}))


def test_the_check_of_the_logs_can_fail(used_home: Path) -> None:
    """Control: with PostgreSQL's usual settings the same statements do reach the logs."""
    usual = {"log_min_messages": "warning", "log_error_verbosity": "default"}
    assert any(SECRET in text for text in _everything_logged(used_home, usual))
