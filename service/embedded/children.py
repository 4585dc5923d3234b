"""Child processes that run PostgreSQL's programs and never outlive us."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import IO

from service.embedded.accounts import Account
from service.embedded.errors import EmbeddedPostgresError
from service.embedded.locks import Lock

__all__ = ["Child"]

LAUNCHER = Path(__file__).with_name("launch.py")
# Nothing of ours reaches PostgreSQL (PGDATA, PGHOST …); macOS needs a locale to start at all.
ENVIRONMENT = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"}
FAST_SHUTDOWN = 30.0
IMMEDIATE_SHUTDOWN = 10.0


class Child:
    """One PostgreSQL program, run as a direct child of ours until it ends.

    Linux announces a parent's death when the *thread* that forked ends, not the process. So each
    child has a thread of its own that starts it and waits for it, and any thread may ask for one.
    """

    def __init__(
        self, command: Sequence[str | Path], account: Account | None, output: Path, lock: Lock
    ) -> None:
        self.ended = threading.Event()
        self.exit_code: int | None = None
        started: Future[subprocess.Popen[bytes]] = Future()
        owner = (str(account.uid), str(account.gid)) if account else ("-", "-")
        arguments = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), *owner]
        arguments += map(str, command)
        keeper = threading.Thread(
            target=self._keep, args=(arguments, output, lock, started), daemon=True, name="postgres"
        )
        keeper.start()
        self._process = started.result()
        self.pid = self._process.pid

    def stop(self) -> None:
        """End it in order: a fast shutdown, then an immediate one if that takes too long."""
        for request, patience in (
            (signal.SIGINT, FAST_SHUTDOWN),
            (signal.SIGQUIT, IMMEDIATE_SHUTDOWN),
        ):
            with suppress(ProcessLookupError):  # it ended by itself
                self._process.send_signal(request)
            if self.ended.wait(patience):
                return
        raise EmbeddedPostgresError(
            f"PostgreSQL (process {self.pid}) does not stop.",
            "look at its logs, then end that process.",
        )

    def _keep(
        self,
        arguments: list[str],
        output: Path,
        lock: Lock,
        started: Future[subprocess.Popen[bytes]],
    ) -> None:
        try:
            with output.open("wb") as file:
                output.chmod(0o600)
                process = self._spawn(arguments, file, lock)
        except BaseException as error:  # noqa: BLE001  # handed to the thread that waits for it
            started.set_exception(error)
            return
        started.set_result(process)
        self.exit_code = process.wait()
        self.ended.set()

    @staticmethod
    def _spawn(arguments: list[str], output: IO[bytes], lock: Lock) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  # our own launcher, no shell
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(lock.handle,),
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,  # Ctrl-C in the terminal is for us, who then stop it in order
        )
