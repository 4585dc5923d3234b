"""Which account runs PostgreSQL, and what that account may reach.

PostgreSQL refuses to run as root. When we are root, another account runs it; otherwise we run it
ourselves, and the account is None throughout this package.
"""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Account", "give", "may_enter", "may_use", "server_account"]

PREFERRED = ("postgres", "nobody")
NAMELESS = 65534


@dataclass(frozen=True)
class Account:
    """The account that runs PostgreSQL on behalf of root."""

    name: str
    uid: int
    gid: int


def server_account(data: Path) -> Account | None:
    """Choose who runs PostgreSQL: ourselves (None), or on behalf of root someone else.

    That is the owner of `data` if it is there, else the first of PREFERRED that this system has.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and (uid := data.stat().st_uid) != 0:
        return Account(_name(uid), uid, data.stat().st_gid)
    for name in PREFERRED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    return Account(str(NAMELESS), NAMELESS, NAMELESS)


def may_enter(folder: Path, account: Account | None) -> bool:
    """Tell whether the account can reach `folder` through all folders above it."""
    if account is None:
        return True
    folder = folder.resolve()
    return all(_allows(path, account, stat.S_IXOTH) for path in (folder, *folder.parents))


def may_use(path: Path, account: Account) -> bool:
    """Tell whether the account can reach `path` and both read and execute it."""
    return may_enter(path.resolve().parent, account) and _allows(
        path, account, stat.S_IROTH | stat.S_IXOTH
    )


def give(path: Path, account: Account | None) -> None:
    """Make the account the owner of `path`, which we have just created."""
    if account is not None:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _allows(path: Path, account: Account, wanted: int) -> bool:
    status = path.stat()
    if status.st_uid == account.uid:
        granted = status.st_mode >> 6
    elif status.st_gid == account.gid:
        granted = status.st_mode >> 3
    else:
        granted = status.st_mode
    return granted & wanted == wanted


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
