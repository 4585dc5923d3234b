"""A home for every test, and programs that supervise one and can be killed."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from service.embedded import EmbeddedPostgres, prepare_home
from service.embedded.locks import Lock
from service.embedded.providers import find_programs
from tests.service.servers import reachable_folder

REPOSITORY = Path(__file__).parents[3]
SUPERVISED = Path(__file__).with_name("supervised.py")


def wait_until_all_are_gone(home: Path) -> None:
    """Wait until no PostgreSQL process of a killed supervisor is left."""
    if (lock_file := home / "postgres" / "lock").exists():
        lock = Lock(lock_file)
        assert lock.acquire(30), "a PostgreSQL process is left"
        lock.release()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place for homes, its path short enough for a socket."""
    with reachable_folder() as folder:
        yield folder


@pytest.fixture
def home(folder: Path) -> Path:
    """A data home that does not exist yet."""
    return folder / "home"


@pytest.fixture(scope="session")
def make_used(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Make a home whose database was started before and stopped in order, by copying one."""

    def copy(source: Path, target: Path) -> Path:
        """Keep owners and modes, as shutil would not."""
        subprocess.run(["/bin/cp", "-a", source, target], check=True)  # noqa: S603  # fixed program
        return target

    with reachable_folder() as folder:
        with EmbeddedPostgres(folder / "original", fast=True):
            pass
        kept = copy(folder / "original", tmp_path_factory.mktemp("used") / "kept")
    return lambda home: copy(kept, home)


@pytest.fixture
def used_home(home: Path, make_used: Callable[[Path], Path]) -> Path:
    """A data home whose database was started before and stopped in order."""
    return make_used(home)


@pytest.fixture
def outlined_home(home: Path) -> Path:
    """A data home with the outline of a database: enough to be looked at, not to be started."""
    data = prepare_home(home) / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text(f"{find_programs().major}\n")
    return home


@pytest.fixture
def supervise(home: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Start a program of its own that runs the database of `home`, in one of the ways it knows."""
    with ExitStack() as ends:
        ends.callback(wait_until_all_are_gone, home)

        def start(way: str) -> subprocess.Popen[str]:
            program = subprocess.Popen(  # noqa: S603  # our own script
                [sys.executable, SUPERVISED, home, way],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])},
                start_new_session=True,
            )
            ends.enter_context(program)
            ends.callback(program.kill)
            return program

        yield start


@pytest.fixture(scope="session")
def shared() -> Iterator[EmbeddedPostgres]:
    """A running server that tests only look at."""
    with reachable_folder() as folder, EmbeddedPostgres(folder / "home", fast=True) as server:
        yield server
