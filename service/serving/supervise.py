"""Starting the processes of ``serve`` and ending them in order, so that nothing in flight is lost."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from service.embedded import EmbeddedPostgres, EmbeddedPostgresError, running

log = logging.getLogger("plan_history.serve")
GRACE = 35.0
METRICS_OF_THIS_RUN = "PLAN_HISTORY_METRICS_OF_THIS_RUN"
"""In the environment of `plan-history api`: the folder that ends with it."""
WEB = (sys.executable, "-m", "gunicorn", "-c", "python:service.serving.gunicorn")
PROJECTOR = (sys.executable, "-m", "service.commandline", "project")
DELIVERER = (sys.executable, "-m", "service.commandline", "deliver")
SEALER = (sys.executable, "-m", "service.ledger")
SUPERVISOR = "PLAN_HISTORY_SUPERVISOR"
PR_SET_PDEATHSIG = 1


class PortTakenError(Exception):
    """Somebody else listens there."""


def listen(host: str, port: int) -> socket.socket:
    """A bound socket for the web workers; raises PortTakenError with what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    held = socket.socket(family, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind((host, port))
    except OSError as taken:
        held.close()
        raise PortTakenError(
            f"Cannot listen on {host} port {port}: {taken.strerror}. Choose another with --port, or "
            "--port 0 for a free one."
        ) from taken
    return held


@contextlib.contextmanager
def signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()

    def ask(*_: object) -> None:
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with_supervisor() -> None:
    """Let a process of ``serve`` end in order when that is killed (only Linux can tell it)."""
    supervisor = os.environ.get(SUPERVISOR)
    if supervisor is None or sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(supervisor):
        sys.exit("serve ended before this process began")


class OwnDatabase:
    """The database of our own; started anew when it dies before its time."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server

    def look_after(self) -> None:
        """Start it again if it has died; those who use it connect anew by themselves."""
        if running(self.server.home) is not None:
            return
        log.error("the database ended; starting it again")
        try:
            self.server.stop()
            self.server.start()
        except EmbeddedPostgresError:
            log.exception("the database does not start; trying again")


class Child:
    """One of our processes; started anew when it dies before its time."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.command = list(command)
        self.environment = dict(environment)
        self.pass_fds = tuple(pass_fds)
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own programs with our own arguments
            self.command,
            env=self.environment,
            pass_fds=self.pass_fds,
            start_new_session=True,  # Ctrl-C reaches us alone; we end the others in order
        )

    def look_after(self) -> None:
        """Start it again if it has died."""
        code = self.process.poll()
        if code is not None:
            log.error("%s ended with %s; starting it again", self.name, code)
            self.process = self._start()

    def ask_to_end(self) -> None:
        """Let it finish what it is at; nobody waits for it yet."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Ask it to end, wait, and end it."""
        self.ask_to_end()
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            log.error("%s did not end in time", self.name)
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def web(environment: Mapping[str, str], held: socket.socket) -> Iterator[Child]:
    """The web workers on an already bound socket."""
    with tempfile.TemporaryDirectory(prefix="plan-history-metrics-") as folder:
        child = Child(
            "web",
            [*WEB, "--bind", f"fd://{held.fileno()}"],
            {**environment, "PROMETHEUS_MULTIPROC_DIR": folder},
            pass_fds=[held.fileno()],
        )
        try:
            yield child
        finally:
            child.stop()


@contextlib.contextmanager
def projector(environment: Mapping[str, str]) -> Iterator[Child]:
    """The projector process."""
    child = Child("projector", PROJECTOR, environment)
    try:
        yield child
    finally:
        child.stop()


@contextlib.contextmanager
def deliverer(environment: Mapping[str, str]) -> Iterator[Child]:
    """The process that sends webhooks."""
    child = Child("deliverer", DELIVERER, environment)
    try:
        yield child
    finally:
        child.stop()


@contextlib.contextmanager
def sealer(environment: Mapping[str, str]) -> Iterator[Child]:
    """The process that seals what was recorded."""
    child = Child("sealer", SEALER, environment)
    try:
        yield child
    finally:
        child.stop()


def environment_for(url: str, home: Path) -> dict[str, str]:
    """This process's environment with the database and data home the children use."""
    ours = {"DATABASE_URL": url, "PLAN_HISTORY_HOME": str(home), SUPERVISOR: str(os.getpid())}
    return {**os.environ, **ours}
