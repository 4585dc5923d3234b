"""``plan-history serve`` as a user starts it, and what they send it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, Any

import psycopg

from service.database import OWNER_ROLE, dsn_as
from service.embedded import RunningPostgres, running
from service.keys.places import open_ring
from service.keys.ring import Ring
from service.settings import Settings
from tests.listening import left_by
from tests.service.servers import family, soon

PROGRAM = (sys.executable, "-m", "service.commandline")


def environment(home: Path) -> dict[str, str]:
    """What a command finds around it: a data home, and no other database."""
    held = {
        **os.environ,
        "PLAN_HISTORY_HOME": str(home),
        "TMPDIR": str(home.parent),  # what a killed service leaves behind goes with its home
        "PLAN_HISTORY_WORKERS": "2",
        "PLAN_HISTORY_QUOTA_PER_MINUTE": "0",  # tests ask as fast as they can
    }
    for name in ("DATABASE_URL", "PLAN_HISTORY_KEYS"):
        held.pop(name, None)
    return held


def plan_history(home: Path, *given: str) -> subprocess.CompletedProcess[str]:
    """Any other command, run to its end."""
    return subprocess.run(  # noqa: S603 - our own program
        [*PROGRAM, *given],
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    headers: Message
    body: Any


@dataclass(frozen=True)
class Serving:
    """A running ``serve``."""

    process: subprocess.Popen[str]
    home: Path
    address: str

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.address.rpartition(":")[2])

    @property
    def database(self) -> RunningPostgres:
        """Its database."""
        server = running(self.home)
        assert server is not None
        return server

    def owner(self) -> psycopg.Connection[Any]:
        """A connection to its database as the owner."""
        dsn = dsn_as(self.database.dsn("plan_history"), OWNER_ROLE, seconds=30)
        return psycopg.connect(dsn, autocommit=True)

    @contextlib.contextmanager
    def keys(self) -> Iterator[Ring]:
        """The keys its plans are sealed with."""
        held = open_ring(Settings(keys=str(self.home / "keys")))
        try:
            yield held
        finally:
            held.close()

    def send(self, path: str, body: Any = None, **headers: str) -> Answer:
        """GET, or POST a body (bytes and text as they are); OSError when no whole answer comes."""
        request = urllib.request.Request(  # noqa: S310 - our own address
            self.address + path,
            data=None if body is None else _raw(body),
            headers={
                "Content-Type": "application/json",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=40) as answer:  # noqa: S310 - as above
                return Answer(answer.status, answer.headers, json.load(answer))
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, refused.headers, json.load(refused))

    def text(self, path: str) -> str:
        """What is there, as text."""
        with urllib.request.urlopen(self.address + path, timeout=10) as answer:  # noqa: S310 - our own address
            return str(answer.read().decode())

    def processes(self, words: str) -> list[int]:
        """Those of its processes whose command line has ``words``, oldest first."""
        found = []
        for pid in family(self.process.pid)[1:]:
            with contextlib.suppress(OSError):
                line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                found += [(_begun(pid), pid)] if words in line else []
        return [pid for _, pid in sorted(found)]

    def end(self, how: signal.Signals = signal.SIGTERM) -> str:
        """Ask it to end; what it said on the way."""
        self.process.send_signal(how)
        rest, _ = self.process.communicate(timeout=60)
        return rest


def _begun(pid: int) -> int:
    """When a process began, in ticks (proc(5)): numbers begin anew, so a later one may have a lower number."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def _raw(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return (body if isinstance(body, str) else json.dumps(body)).encode()


@contextlib.contextmanager
def serving(
    home: Path, *options: str, log: IO[str] | None = None, **settings: str
) -> Iterator[Serving]:
    """``plan-history serve`` until it serves, and its end if that has not come before.

    ``log``: a file for what it says on standard error. ``settings``: more of its environment.
    """
    with contextlib.ExitStack() as ending:
        log = log or ending.enter_context(tempfile.TemporaryFile("w+"))
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*PROGRAM, "serve", "--port", "0", *options],
            env={**environment(home), **settings},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert process.stdout is not None
        try:
            said = iter(process.stdout)
            found = (re.search(r"serving at (http://\S+)", line) for line in said)
            address = next((held[1] for held in found if held), None)
            if address is None:
                log.seek(0)
                raise AssertionError(f"it does not serve: {log.read()}")
            yield Serving(process, home, address)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(60)
            process.stdout.close()
        log.seek(0)
        leaked = left_by(home, log.read())
        assert not leaked, f"Client content was logged: {leaked[:3]}"


def gone(pids: list[int]) -> bool:
    """Whether none of these processes is left."""
    return soon(lambda: not any(family(pid) for pid in pids), 15)
