"""A PostgreSQL of a test's own, to stop, freeze and kill; and waiting until something is so."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path


@contextlib.contextmanager
def reachable_folder() -> Iterator[Path]:
    """A folder for homes which the account that runs PostgreSQL for root can pass through."""
    folder = Path(tempfile.mkdtemp(prefix="ph-", dir="/tmp"))
    if os.geteuid() == 0:
        folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def soon(holds: Callable[[], object], within: float = 10.0) -> bool:
    """Whether something comes to hold within so many seconds."""
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)  # between two looks, not instead of one
    return True


def family(pid: int) -> list[int]:
    """A process and all its descendants that are alive."""
    listed = subprocess.run(
        ["/bin/ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    alive = {int(row[0]): int(row[1]) for row in rows if not row[2].startswith("Z")}
    found = [pid] if pid in alive else []
    for parent in found:
        found += [child for child, its_parent in alive.items() if its_parent == parent]
    return found


@contextlib.contextmanager
def frozen(pids: Iterable[int]) -> Iterator[None]:
    """Processes that stand still, as on a host that hangs."""
    stopped = list(pids)
    for pid in stopped:
        with contextlib.suppress(ProcessLookupError):  # a worker of the server that has just ended
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
