"""However it ends, every acknowledged row is there at the next start."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import psycopg
import pytest

from service.embedded import EmbeddedPostgres, EmbeddedPostgresError, running, supervisor
from service.embedded.accounts import give, server_account
from service.embedded.locks import Lock
from service.embedded.places import PORT

pytestmark = pytest.mark.fault
Supervise = Callable[[str], subprocess.Popen[str]]


def acknowledged_until_killed(program: subprocess.Popen[str], *, server_too: bool) -> set[int]:
    """Let the program write, kill -9 it in the midst of that, and collect what it acknowledged."""
    assert program.stdout is not None
    server = int(program.stdout.readline())
    numbers = {int(line) for line in islice(program.stdout, 300)}
    if server_too:
        os.kill(server, signal.SIGKILL)
    program.kill()
    # The last line may be cut short by the kill; without its end it acknowledges nothing.
    return numbers | {int(line) for line in program.stdout if line.endswith("\n")}


def lost(acknowledged: set[int], home: Path) -> set[int]:
    """Start again and see which of the acknowledged rows are missing."""
    with EmbeddedPostgres(home) as server, psycopg.connect(server.dsn()) as connection:
        rows = connection.execute("SELECT number FROM acknowledged").fetchall()
        return acknowledged - {number for (number,) in rows}


@pytest.mark.parametrize("server_too", [False, True], ids=["supervisor", "server too"])
def test_no_acknowledged_row_is_lost(
    used_home: Path, supervise: Supervise, *, server_too: bool
) -> None:
    """A kill -9 in the midst of commits loses none that was acknowledged."""
    acknowledged = acknowledged_until_killed(supervise("honest"), server_too=server_too)
    assert len(acknowledged) >= 300
    assert lost(acknowledged, used_home) == set()


def test_the_check_for_lost_rows_can_fail(used_home: Path, supervise: Supervise) -> None:
    """Control: a writer that acknowledges what it has not committed is found out."""
    acknowledged = acknowledged_until_killed(supervise("boasting"), server_too=False)
    assert lost(acknowledged, used_home) == acknowledged


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a child of its parent's death"
)
def test_the_server_goes_down_with_a_killed_supervisor(
    used_home: Path, supervise: Supervise
) -> None:
    """A kill -9 of the supervisor takes PostgreSQL down in order, and nothing is found running."""
    program = supervise("waiting")
    assert program.stdout is not None
    assert program.stdout.readline()
    assert running(used_home) is not None
    program.kill()
    program.wait()
    assert running(used_home) is None
    lock = Lock(used_home / "postgres" / "lock")
    assert lock.acquire(30), "a PostgreSQL process is left"
    lock.release()
    assert not (
        used_home / "postgres" / "data" / "postmaster.pid"
    ).exists()  # it had time to tidy up


def test_a_server_that_died_alone_is_not_found(used_home: Path) -> None:
    """Others do not go after a server that crashed under a living supervisor, which starts anew."""
    before = set(threading.enumerate())
    server = EmbeddedPostgres(used_home, fast=True).start()
    os.kill(server.pid, signal.SIGKILL)
    for keeper in set(threading.enumerate()) - before:
        keeper.join(30)  # it ends when it has seen the server's end
    assert running(used_home) is None
    server.stop()
    with server:
        psycopg.connect(server.dsn()).close()


@contextmanager
def bystander(home: Path, folder: Path, *inherited: int) -> Iterator[int]:
    """A process that is no PostgreSQL but of the same account, working in `folder`."""
    account = server_account(home / "postgres" / "data")
    with subprocess.Popen(
        ["/bin/cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        cwd=folder,
        pass_fds=inherited,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    ) as process:
        yield process.pid


def leave_locks(home: Path, pid: int) -> list[Path]:
    """Leave the lock files of a server that died and whose number another process now has."""
    data, socket = home / "postgres" / "data", home / "postgres" / "socket"
    text = f"{pid}\n{data}\n1700000000\n{PORT}\n{socket}\n\n"
    socket.mkdir(exist_ok=True)
    locks = [data / "postmaster.pid", socket / f".s.PGSQL.{PORT}.lock"]
    for path in locks:
        path.write_text(text)
        path.chmod(0o600)
        give(path, server_account(data))
    return locks


def test_stale_locks_are_removed(used_home: Path) -> None:
    """Lock files naming a process that has since become someone else do not stop a start."""
    with bystander(used_home, Path("/")) as pid:
        locks = leave_locks(used_home, pid)
        with EmbeddedPostgres(used_home, fast=True) as server:
            assert {path.read_text().split()[0] for path in locks} == {str(server.pid)}


def test_stale_locks_would_stop_a_start(used_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: PostgreSQL alone refuses to start beside such lock files, and we quote it."""
    monkeypatch.setattr(supervisor, "clear_stale_locks", lambda *_: None)
    with bystander(used_home, Path("/")) as pid:
        leave_locks(used_home, pid)
        with pytest.raises(EmbeddedPostgresError, match=r'lock file "[^"]+" already exists'):
            EmbeddedPostgres(used_home, fast=True).start()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process is told by its name")
def test_locks_of_a_living_server_are_left_alone(outlined_home: Path) -> None:
    """A server that someone started by hand on our data is named, and its lock files stay."""
    with bystander(outlined_home, outlined_home / "postgres" / "data") as pid:
        locks = leave_locks(outlined_home, pid)
        with pytest.raises(EmbeddedPostgresError, match=rf"process {pid}\) already serves"):
            EmbeddedPostgres(outlined_home, fast=True).start()
        assert all(path.exists() for path in locks)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process is told by its name")
def test_a_server_left_behind_is_asked_to_stop(used_home: Path) -> None:
    """Where no parent-death signal reached the old server, the next start ends it in order."""
    lock = Lock(used_home / "postgres" / "lock")
    assert lock.acquire(0)
    with bystander(used_home, used_home / "postgres" / "data", lock.handle) as pid:
        lock.release()
        leave_locks(used_home, pid)
        with EmbeddedPostgres(used_home, fast=True) as server:
            psycopg.connect(server.dsn()).close()


def test_a_first_start_cut_short_leaves_nothing_in_the_way(home: Path) -> None:
    """What an interrupted initdb left behind is cleared away and made anew."""
    leftover = home / "postgres" / "data.new-cut-short" / "base"
    home.mkdir(mode=0o711)  # as a first start would have made it
    leftover.mkdir(parents=True)
    with EmbeddedPostgres(home, fast=True) as server:
        psycopg.connect(server.dsn()).close()
    assert not leftover.parent.exists()
