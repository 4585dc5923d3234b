"""Questions about processes that may not be ours."""

import os
import subprocess
from pathlib import Path

__all__ = ["exists", "may_serve", "recorded_pid"]


def exists(pid: int) -> bool:
    """Tell whether there is a process of this number, whoever it belongs to."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def may_serve(pid: int, data: Path) -> bool:
    """Tell whether the process could be a PostgreSQL of this data folder; False only if surely not.

    Numbers are used again after a crash, most of all in containers. PostgreSQL works inside its
    data folder, so Linux can tell; elsewhere the name of the program has to do.
    """
    if not exists(pid):
        return False
    entry = Path("/proc", str(pid))
    if not entry.exists():
        return "postgres" in _program_name(pid)
    try:
        return (entry / "cwd").samefile(data)
    except FileNotFoundError:
        return False  # ended while we looked
    except PermissionError:
        return entry.stat().st_uid == data.stat().st_uid


def recorded_pid(path: Path) -> int | None:
    """Read the process number that PostgreSQL's lock files carry in their first line."""
    try:
        first, *_ = path.read_text(errors="replace").splitlines() or [""]
    except FileNotFoundError:
        return None
    return abs(int(first)) if first.strip().lstrip("-").isdigit() else None


def _program_name(pid: int) -> str:
    answer = subprocess.run(  # noqa: S603  # fixed program, no shell
        ["/bin/ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return answer.stdout
