"""The data folder: made once, checked before every start, cleared of what a crash left behind."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.embedded.accounts import give
from service.embedded.children import Child
from service.embedded.errors import EmbeddedPostgresError
from service.embedded.locks import Lock
from service.embedded.logs import last_lines
from service.embedded.options import initdb_command
from service.embedded.places import PORT, Place, write_privately
from service.embedded.processes import may_serve, recorded_pid
from service.embedded.providers import Programs

__all__ = ["check_version", "clear_stale_locks", "ensure_cluster", "read_password"]

DRAFT = "data.new-"


def ensure_cluster(programs: Programs, place: Place, lock: Lock, *, fast: bool) -> None:
    """Make the data folder if this home has none; a start cut short leaves nothing half made."""
    for leftover in place.rooms.glob(f"{DRAFT}*"):
        shutil.rmtree(leftover)
    if place.data.exists():
        return
    if not place.desk.password.exists():
        write_privately(place.desk.password, secrets.token_urlsafe(32))
    draft = place.make(place.rooms / f"{DRAFT}{secrets.token_hex(4)}")
    with _password_for_initdb(place) as password_file:
        command = initdb_command(programs, draft, password_file, fast=fast)
        child = Child(command, place.account, place.desk.startup_log, lock)
        child.ended.wait()
    if child.exit_code != 0:
        raise EmbeddedPostgresError(
            f"PostgreSQL could not make its data folder.\n{last_lines(place)}",
            f"check the free space and permissions of {place.rooms}, then start again.",
        )
    draft.rename(place.data)
    _keep_names(place.rooms)


def check_version(programs: Programs, data: Path) -> None:
    """Refuse a data folder made by another major version, which these programs cannot open."""
    made_by = (data / "PG_VERSION").read_text().strip()
    if made_by != str(programs.major):
        raise EmbeddedPostgresError(
            f"The database in {data} was made by PostgreSQL {made_by}, "
            f"but {programs.origin} is PostgreSQL {programs.version}.",
            f"start it with the programs of PostgreSQL {made_by}; to bring it over, dump it with "
            f"those and restore it in a new home, or run pg_upgrade on a copy of {data}.",
        )


def clear_stale_locks(place: Place, socket: Path) -> None:
    """Remove lock files of a PostgreSQL that died, whose process number may now be someone else's.

    We hold the lock that all our PostgreSQL processes share, so one that still lives can only have
    been started by hand.
    """
    name = f".s.PGSQL.{PORT}"
    locks = (place.data / "postmaster.pid", socket / f"{name}.lock")
    for pid in filter(None, map(recorded_pid, locks)):
        if may_serve(pid, place.data):
            raise EmbeddedPostgresError(
                f"Another PostgreSQL (process {pid}) already serves {place.data}.",
                "stop that one first; it was not started by this program.",
            )
    for path in (*locks, socket / name):
        path.unlink(missing_ok=True)


def read_password(place: Place) -> str:
    """Read the superuser's password, which must be there if the data is."""
    try:
        return place.desk.password.read_text()
    except FileNotFoundError:
        raise EmbeddedPostgresError(
            f"The database in {place.data} is there, its password {place.desk.password} is not.",
            "bring that file back from a backup.",
        ) from None


@contextmanager
def _password_for_initdb(place: Place) -> Iterator[Path]:
    """A copy that the account running initdb can read, gone afterwards."""
    path = place.rooms / "initdb-password"
    path.unlink(missing_ok=True)
    write_privately(path, place.desk.password.read_text())
    give(path, place.account)
    try:
        yield path
    finally:
        path.unlink()


def _keep_names(folder: Path) -> None:
    """Make a rename survive a power failure."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
