"""Become a PostgreSQL program that dies with its parent. Run as a script, never imported.

    python -I -S launch.py PARENT UID GID PROGRAM [ARGUMENT ...]   (UID and GID "-": stay as we are)

A script rather than `preexec_fn`, because Python code between fork and exec can deadlock in a
process with threads. It replaces itself, so the server is a direct child of whoever started this.

The parent's death is announced as SIGINT, PostgreSQL's fast shutdown: open transactions are rolled
back and a checkpoint is written, so the next start needs no recovery. SIGQUIT would be a moment
quicker and lose nothing either, but would leave a recovery to do; SIGKILL would leave the server's
own children behind.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def become(parent: int, uid: str, gid: str, command: list[str]) -> None:
    """Change account, tie our life to the parent's, and become the program."""
    if uid != "-":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    for usual in (
        signal.SIGINT,
        signal.SIGPIPE,
        signal.SIGXFSZ,
    ):  # Python or the parent may ignore them
        signal.signal(usual, signal.SIG_DFL)
    if sys.platform == "linux":
        _die_with_parent()  # after setuid, which would clear it
    if os.getppid() != parent:
        sys.exit("the supervisor ended before PostgreSQL began")
    os.execv(command[0], command)  # noqa: S606  # becoming that program is the purpose


def _die_with_parent() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    become(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:])
