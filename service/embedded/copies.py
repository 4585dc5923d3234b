"""A copy of the PostgreSQL programs for the account that runs them on behalf of root.

A wheel installed for root often lies where no other account can look. Rather than open those
folders, the programs are copied once to one that every account can read.
"""

import os
import platform
import shutil
import tempfile
from pathlib import Path

from service.embedded.accounts import Account, may_use
from service.embedded.errors import EmbeddedPostgresError
from service.embedded.places import root_folder
from service.embedded.providers import Bundle, Programs

__all__ = ["usable_programs"]


def usable_programs(programs: Programs, account: Account | None) -> Programs:
    """Give back the programs if the account can run them, else a copy that it can run."""
    if account is None or _can_run(programs, account):
        return programs
    bundle = programs.bundle
    if bundle is None:
        raise EmbeddedPostgresError(
            f"The account {account.name}, which serves root, cannot run {programs.postgres}.",
            "put PostgreSQL where that account can reach it, or run as an ordinary user.",
        )
    target = root_folder("programs") / f"{bundle.name}-{platform.machine()}"
    if not target.exists():
        _copy(bundle, target)
    return Programs(
        target / programs.bin.relative_to(bundle.base), programs.origin, programs.version, bundle
    )


def _can_run(programs: Programs, account: Account) -> bool:
    folders = programs.bundle.folders if programs.bundle else ()
    return all(
        may_use(path, account)
        for path in (programs.postgres, programs.initdb, *folders, *_children(folders))
    )


def _children(folders: tuple[Path, ...]) -> list[Path]:
    return [path for folder in folders for path in folder.iterdir() if path.is_dir()]


def _copy(bundle: Bundle, target: Path) -> None:
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=target.parent))
    try:
        for folder in bundle.folders:
            shutil.copytree(
                folder,
                draft / folder.relative_to(bundle.base),
                ignore=shutil.ignore_patterns("include", "doc", "man"),
            )
        _open_to_all(draft)
        os.sync()  # before the name appears: a name must never stand for a half-written copy
        draft.rename(target)
    except OSError:
        if not target.exists():  # otherwise someone else finished the same copy first
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _open_to_all(folder: Path) -> None:
    """Readable by all, writable by root: who knows with which umask they were installed."""
    folder.chmod(0o755)
    for parent, folders, files in os.walk(folder):
        for name in folders:
            Path(parent, name).chmod(0o755)
        for name in files:
            path = Path(parent, name)
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
