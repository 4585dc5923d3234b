"""Starts PostgreSQL, waits until it takes connections, and stops it in order."""

import atexit
import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from service.embedded.children import Child
from service.embedded.clusters import (
    check_version,
    clear_stale_locks,
    ensure_cluster,
    read_password,
)
from service.embedded.copies import usable_programs
from service.embedded.errors import EmbeddedPostgresError
from service.embedded.locks import lock_home, lock_processes
from service.embedded.logs import last_lines
from service.embedded.options import postgres_command, refuse_our_own
from service.embedded.places import PORT, Place, prepare_home
from service.embedded.providers import find_programs
from service.embedded.running import RunningPostgres, forget, publish

__all__ = ["EmbeddedPostgres"]

FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.25  # seconds between two attempts to connect


class EmbeddedPostgres:
    """A real PostgreSQL of our own, living in a data home and ending with this process.

    `provider` forces where the programs come from (see find_programs). `settings` are PostgreSQL's
    own and win over ours. `fast` gives up durability and is for tests only. `patience` is how long
    a start may take, in seconds.
    """

    def __init__(
        self,
        home: Path,
        *,
        provider: str | None = None,
        fast: bool = False,
        settings: Mapping[str, str] | None = None,
        patience: float = 30.0,
    ) -> None:
        self.home = home.resolve()
        self._provider = provider
        self._fast = fast
        self._settings = dict(settings or {})
        refuse_our_own(self._settings)
        self._patience = patience
        self._server: RunningPostgres | None = None
        self._undo = ExitStack()
        self._owner = os.getpid()

    def start(self) -> Self:
        """Start the server and return when it takes connections; raises EmbeddedPostgresError."""
        if self._server is not None:
            raise EmbeddedPostgresError("The server is already running.", "start it only once.")
        try:
            with ExitStack() as undo:
                self._server = self._start(undo)
                self._undo = undo.pop_all()
        except OSError as error:
            raise EmbeddedPostgresError(
                f"The embedded database could not start: {error}.",
                f"check the permissions and free space of {self.home}.",
            ) from error
        self._owner = os.getpid()
        atexit.register(self.stop)
        return self

    def stop(self) -> None:
        """Stop the server in order; does nothing if it does not run.

        Nor in a process forked from the one that started it, such as a worker that ends.
        """
        if self._server is not None and self._owner == os.getpid():
            self._server = None
            atexit.unregister(self.stop)
            self._undo.close()

    def dsn(self, dbname: str = "postgres") -> str:
        """How psycopg connects to one of its databases, as the superuser; holds the password."""
        return self._running().dsn(dbname)

    @property
    def pid(self) -> int:
        """The process number of the server."""
        return self._running().pid

    @property
    def server_version(self) -> str:
        """PostgreSQL's version, such as 18.6."""
        return self._running().server_version

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _running(self) -> RunningPostgres:
        if self._server is None:
            raise EmbeddedPostgresError("The server does not run.", "call start() first.")
        return self._server

    def _start(self, undo: ExitStack) -> RunningPostgres:
        home = prepare_home(self.home)
        undo.callback(lock_home(home).release)
        place = Place.of(home)
        programs = usable_programs(find_programs(self._provider), place.account)
        lock = lock_processes(place)
        undo.callback(lock.release)
        ensure_cluster(programs, place, lock, fast=self._fast)
        check_version(programs, place.data)
        socket = place.socket_folder()
        clear_stale_locks(place, socket)
        command = postgres_command(programs, place, socket, self._settings, fast=self._fast)
        password = read_password(place)
        child = Child(command, place.account, place.desk.startup_log, lock)
        undo.callback(child.stop)
        server = RunningPostgres(child.pid, str(socket), PORT, programs.version, password)
        server = replace(server, server_version=self._wait_until_ready(child, server, place))
        undo.callback(forget, place.desk)
        publish(place.desk, server)
        return server

    def _wait_until_ready(self, child: Child, server: RunningPostgres, place: Place) -> str:
        """Try to connect until it works; the answer is the version the server itself tells."""
        deadline = time.monotonic() + self._patience
        pause = FIRST_PAUSE
        while True:
            try:
                with psycopg.connect(server.dsn(), connect_timeout=5) as connection:
                    version = connection.info.parameter_status("server_version") or ""
                    return version.split()[0]
            except psycopg.OperationalError as error:
                refusal = error
            if child.ended.wait(pause) or time.monotonic() > deadline or _is_final(refusal):
                raise EmbeddedPostgresError(
                    f"PostgreSQL did not start: {refusal}\n{last_lines(place)}",
                    f"look at the logs in {place.log}.",
                ) from refusal
            pause = min(pause * 1.5, LONGEST_PAUSE)


def _is_final(refusal: psycopg.OperationalError) -> bool:
    """A wrong password does not become right by waiting."""
    return "password authentication failed" in str(refusal)
