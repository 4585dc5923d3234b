"""The running service, and beside it the no-op and the limit, under the same gunicorn settings."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from urllib.error import HTTPError
from urllib.request import urlopen

from bench.processes import cpu_seconds, megabytes, tree
from bench.stage import Stage
from service.serving import supervise
from service.settings import Settings

FOLDER = Path(__file__).resolve().parent.parent
SETTINGS = Settings.from_environment()
WORKERS = SETTINGS.workers or 2
QUIET = 0.05
"""The share of a core below which processes count as idle."""


@dataclass(frozen=True, slots=True)
class App:
    """Something that answers at an address. ``parts``: the processes its CPU time is counted from."""

    address: str
    parts: dict[str, int]

    def cpu(self) -> dict[str, float]:
        """CPU seconds by part so far."""
        return {part: cpu_seconds(pid) for part, pid in self.parts.items()}

    def settle(self, patience: float = 20) -> None:
        """Wait until it is idle again: what nobody waits for any more has been answered, too."""
        deadline, before = time.monotonic() + patience, sum(self.cpu().values())
        while time.monotonic() < deadline:
            time.sleep(0.2)
            now = sum(self.cpu().values())
            if now - before <= QUIET * 0.2 + 0.01:  # clock ticks are 10 ms
                return
            before = now


@dataclass(frozen=True, slots=True)
class Serving:
    """Everything that runs."""

    service: App
    noop: App
    limit: App
    url: str
    limit_url: str
    memory: dict[str, list[float]] = field(default_factory=lambda: {"web": [], "projector": []})

    def note_memory(self) -> None:
        """Note what the largest API worker and the projector hold now, in MB."""
        _, *workers = tree(self.service.parts["web"])
        self.memory["web"].append(max(map(megabytes, workers)))
        self.memory["projector"].append(megabytes(self.service.parts["projector"]))


@contextlib.contextmanager
def serving(held: Stage, url: str, limit_url: str) -> Iterator[Serving]:
    """Projector and web workers as `serve` runs them, no-op and limit, on free ports of 127.0.0.1."""
    environment = supervise.environment_for(url, held.home)
    environment["PLAN_HISTORY_WORKERS"] = str(WORKERS)
    environment.setdefault("PLAN_HISTORY_LOG_LEVEL", "WARNING")
    environment["PLAN_HISTORY_QUOTA_PER_MINUTE"] = "100000000"  # counted as ever, and never used up
    postgres = held.server.pid
    with contextlib.ExitStack() as ending:
        own, other, third = (
            ending.enter_context(contextlib.closing(supervise.listen("127.0.0.1", 0)))
            for _ in range(3)
        )
        projector = ending.enter_context(supervise.projector(environment))
        web = ending.enter_context(supervise.web(environment, own))
        wait_for(f"{_at(own)}/readyz", web.process)
        ours = {**environment, "BENCH_LIMIT_URL": limit_url}
        ours["PYTHONPATH"] = os.pathsep.join([str(FOLDER), str(FOLDER.parent.parent)])
        noop = ending.enter_context(_beside("bench.noop:app", ours, other))
        limit = ending.enter_context(_beside("bench.limit:application()", ours, third))
        pids = {"web": web.process.pid, "projector": projector.process.pid, "postgres": postgres}
        yield Serving(
            App(_at(own), pids),
            App(_at(other), {"web": noop.process.pid}),
            App(_at(third), {"web": limit.process.pid, "postgres": postgres}),
            url,
            limit_url,
        )


@contextlib.contextmanager
def _beside(app: str, environment: dict[str, str], held: socket) -> Iterator[supervise.Child]:
    """Another application under the service's own gunicorn settings."""
    command = [*supervise.WEB, "--bind", f"fd://{held.fileno()}", app]
    child = supervise.Child(app, command, environment, pass_fds=[held.fileno()])
    try:
        wait_for(_at(held), child.process)
        yield child
    finally:
        child.stop()


def _at(held: socket) -> str:
    return f"http://127.0.0.1:{held.getsockname()[1]}"


def wait_for(address: str, process: subprocess.Popen[bytes], *, patience: float = 30) -> None:
    """Wait until an address answers; raises RuntimeError when its process has ended, or takes too long."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            with urlopen(address, timeout=2):  # noqa: S310 - our own address
                return
        except HTTPError as answer:
            if answer.code == 404:
                return
        except OSError:
            if process.poll() is not None:
                break
        time.sleep(0.01)
    raise RuntimeError(f"Nothing answers at {address}; what it said is above.")
