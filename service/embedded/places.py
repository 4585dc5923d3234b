"""The folders of the embedded database, who owns them, and what each is for.

home/lock                  held by the program that supervises this home
home/postgres/             the desk: password, server.json, lock, startup.log – ours alone
<rooms>/data, log, socket  PostgreSQL's own: in the desk or, where root's home is closed to the
                           account that runs PostgreSQL, in a folder the file `elsewhere` names
"""

import hashlib
import os
import secrets
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from service.embedded.accounts import Account, give, may_enter, server_account
from service.embedded.errors import EmbeddedPostgresError

__all__ = ["PORT", "Desk", "Place", "prepare_home", "root_folder", "write_privately"]

PORT = 5432  # only names the socket file; nothing listens on TCP
ROOT_STATE = Path("/var/lib/plan-history")
LONGEST_SOCKET_PATH = 100  # bytes; the kernels allow 107 (Linux) and 103 (macOS)


@dataclass(frozen=True)
class Desk:
    """What only we read and write: `home/postgres`."""

    folder: Path

    @classmethod
    def of(cls, home: Path) -> "Desk":
        """The desk of a home, which need not exist yet."""
        return cls(home.resolve() / "postgres")

    @property
    def password(self) -> Path:
        """The superuser's password, 0600."""
        return self.folder / "password"

    @property
    def record(self) -> Path:
        """Where other commands read how to reach the running server."""
        return self.folder / "server.json"

    @property
    def lock(self) -> Path:
        """Held by every PostgreSQL process of this home, so it is free only when all are gone."""
        return self.folder / "lock"

    @property
    def startup_log(self) -> Path:
        """What PostgreSQL says before its own log is open."""
        return self.folder / "startup.log"


@dataclass(frozen=True)
class Place:
    """Everything on disk that belongs to one home's database."""

    desk: Desk
    rooms: Path
    account: Account | None

    @classmethod
    def of(cls, home: Path) -> "Place":
        """Open the folders of a home, making those that are missing and changing none above it."""
        desk = Desk.of(home)
        desk.folder.mkdir(mode=0o700, exist_ok=True)
        rooms = _remembered_rooms(desk)
        account = server_account((rooms or desk.folder) / "data")
        if rooms is None:
            rooms = _choose_rooms(home.resolve(), desk, account)
        _admit(rooms, account)
        if not may_enter(rooms, account):
            name = account.name if account else ""
            raise EmbeddedPostgresError(
                f"The account {name}, which runs PostgreSQL for root, cannot reach {rooms}.",
                "move the home to where that account can reach it, or run as an ordinary user.",
            )
        place = cls(desk, rooms, account)
        place.make(place.log)
        return place

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.rooms / "data"

    @property
    def log(self) -> Path:
        """One log file per weekday, each overwritten a week later."""
        return self.rooms / "log"

    def make(self, folder: Path) -> Path:
        """Make a 0700 folder that belongs to the account running PostgreSQL."""
        if not folder.exists():
            folder.mkdir(mode=0o700)
            give(folder, self.account)
        return folder

    def socket_folder(self) -> Path:
        """A private folder for the socket.

        Its name is short enough for the kernel and safe inside a connection string.
        """
        inside = self.rooms / "socket"
        name = os.fsencode(inside / f".s.PGSQL.{PORT}")
        if len(name) <= LONGEST_SOCKET_PATH and not set(name) & set(b",'\"\\"):
            return self.make(inside)
        return self._short_socket_folder()

    def _short_socket_folder(self) -> Path:
        memory = self.desk.folder / "socket-folder"
        if memory.exists() and self._is_private(remembered := Path(memory.read_text())):
            return remembered
        short = Path(tempfile.mkdtemp(prefix="plan-history-", dir="/tmp"))
        give(short, self.account)
        write_privately(memory, str(short))
        return short

    def _is_private(self, folder: Path) -> bool:
        """Whether it is still ours: where all may write, someone may have taken a name we left."""
        try:
            status = folder.lstat()
        except FileNotFoundError:
            return False
        owner = self.account.uid if self.account else os.geteuid()
        return stat.S_ISDIR(status.st_mode) and (status.st_uid, status.st_mode & 0o777) == (
            owner,
            0o700,
        )


def prepare_home(home: Path) -> Path:
    """Make the data home if it is missing, open to us only.

    For root, the account that runs PostgreSQL may also pass through it (0710), if it gets that far.
    """
    home = home.resolve()
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        home.mkdir(mode=0o700)
        account = server_account(home / "postgres" / "data")
        if may_enter(home.parent, account):
            _admit(home, account)
    if home.stat().st_uid != os.geteuid():
        raise EmbeddedPostgresError(
            f"The data home {home} belongs to another account (uid {home.stat().st_uid}).",
            "run as that account, or choose another home with PLAN_HISTORY_HOME.",
        )
    return home


def root_folder(name: str) -> Path:
    """A folder that root alone may change and every account can pass through."""
    for folder in (ROOT_STATE, ROOT_STATE / name):
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)  # whatever our umask is
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o022:
            raise EmbeddedPostgresError(
                f"{folder} can be changed by accounts other than root.",
                f"check who made it, then: chown root {folder} && chmod 755 {folder}",
            )
    return ROOT_STATE / name


def write_privately(path: Path, text: str) -> None:
    """Replace a file in one step, readable by us only (0600)."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _remembered_rooms(desk: Desk) -> Path | None:
    pointer = desk.folder / "elsewhere"
    if not pointer.exists():
        return None
    rooms = Path(pointer.read_text())
    if not rooms.is_dir():
        raise EmbeddedPostgresError(
            f"The database of this home was kept in {rooms}, which is gone.",
            f"bring that folder back from a backup; to start empty instead, delete {pointer}.",
        )
    return rooms


def _choose_rooms(home: Path, desk: Desk, account: Account | None) -> Path:
    if may_enter(home, account):
        return desk.folder
    mark = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    rooms = Path(tempfile.mkdtemp(prefix=f"{mark}-", dir=root_folder("databases")))
    write_privately(desk.folder / "elsewhere", str(rooms))
    return rooms


def _admit(folder: Path, account: Account | None) -> None:
    """Let the account pass through a folder of ours, without seeing what is in it."""
    if account is None:
        folder.chmod(0o700)
    else:
        os.chown(folder, 0, account.gid)
        folder.chmod(0o710)
