"""Who holds a home: one lock for the program that supervises it, one for its PostgreSQL processes.

A kernel lock (flock) cannot go stale: it is released when its last holder dies, however it dies.
The first belongs to the supervisor alone, not to workers it forks. The second is inherited by
PostgreSQL, so holding it proves that none of its processes is left.
"""

import fcntl
import os
import signal
import time
from pathlib import Path
from weakref import WeakSet

from service.embedded.errors import EmbeddedPostgresError
from service.embedded.places import Place
from service.embedded.processes import may_serve, recorded_pid

__all__ = ["Lock", "is_held", "lock_home", "lock_processes"]

POLL = 0.02
BRIEF = 0.3  # outlasts another command's glance at the lock (is_held)
LEAVING = 10.0  # a killed supervisor's server writes a last checkpoint


class Lock:
    """A lock file that at most one process tree holds."""

    def __init__(self, path: Path) -> None:
        self.handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._open = True
        _locks.add(self)

    def acquire(self, patience: float) -> bool:
        """Take the lock, trying for so many seconds."""
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(POLL)
            else:
                return True

    def release(self) -> None:
        """Let go, once; whoever inherited the lock still holds it."""
        if self._open:
            self._open = False
            os.close(self.handle)

    def sign(self) -> None:
        """Write down that we are the holder."""
        os.ftruncate(self.handle, 0)
        os.pwrite(self.handle, str(os.getpid()).encode(), 0)

    def holder(self) -> str:
        """Read who signed last."""
        return os.pread(self.handle, 32, 0).decode(errors="replace") or "(unknown)"


_locks: WeakSet[Lock] = WeakSet()


def lock_home(home: Path) -> Lock:
    """Become the supervisor of this home."""
    lock = Lock(home / "lock")
    if lock.acquire(BRIEF):
        lock.sign()
        return lock
    holder = lock.holder()
    lock.release()
    raise EmbeddedPostgresError(
        f"The data home {home} is already in use by process {holder}.",
        "stop that process first, or choose another home with PLAN_HISTORY_HOME.",
    )


def lock_processes(place: Place) -> Lock:
    """Wait until no PostgreSQL of this home is left, and keep others from starting.

    A server is left for a moment after its supervisor was killed. Where the system does not tell it
    of that death (all but Linux), it is left until we ask it to stop.
    """
    lock = Lock(place.desk.lock)
    if lock.acquire(0):
        return lock
    pid = recorded_pid(place.data / "postmaster.pid")
    for request in (signal.SIGINT, signal.SIGQUIT):  # fast shutdown, then immediate
        if pid is not None and may_serve(pid, place.data):
            os.kill(pid, request)
        if lock.acquire(LEAVING):
            return lock
    lock.release()
    raise EmbeddedPostgresError(
        f"A PostgreSQL of {place.data} (process {pid or 'unknown'}) was left and does not stop.",
        f"look at the logs in {place.log}, then end that process.",
    )


def is_held(path: Path) -> bool:
    """Tell whether someone holds the lock, by glancing at it."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _let_go_of_all() -> None:
    """In a forked process: drop its copies, so that the locks end with the parent."""
    for lock in list(_locks):
        lock.release()


os.register_at_fork(after_in_child=_let_go_of_all)
