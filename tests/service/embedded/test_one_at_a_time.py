"""A home has one server and one supervisor."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from service.embedded import EmbeddedPostgres, EmbeddedPostgresError

Supervise = Callable[[str], subprocess.Popen[str]]


def first_line(program: subprocess.Popen[str]) -> str:
    """Wait for the program to say something."""
    assert program.stdout is not None
    return program.stdout.readline().strip()


def test_a_second_start_names_the_process_that_has_the_home(
    used_home: Path, supervise: Supervise
) -> None:
    """Who starts a second server learns which process has the first, which is not disturbed."""
    first = supervise("waiting")
    assert first_line(first)
    with pytest.raises(EmbeddedPostgresError, match=rf"in use by process {first.pid}\b"):
        EmbeddedPostgres(used_home).start()
    first.send_signal(signal.SIGINT)
    assert first_line(first) == "still served"


def test_a_second_start_in_the_same_process_is_refused_too(shared: EmbeddedPostgres) -> None:
    """The lock does not mistake a second supervisor for the first because they share a process."""
    with pytest.raises(EmbeddedPostgresError, match=rf"in use by process {os.getpid()}\b"):
        EmbeddedPostgres(shared.home).start()
    with pytest.raises(EmbeddedPostgresError, match="already running"):
        shared.start()
    psycopg.connect(shared.dsn()).close()


def test_ctrl_c_is_for_the_supervisor(used_home: Path, supervise: Supervise) -> None:
    """An interrupt of the whole foreground group reaches us, who can still finish our work."""
    program = supervise("waiting")
    assert first_line(program)
    os.killpg(program.pid, signal.SIGINT)
    assert first_line(program) == "still served"
    assert program.wait(30) == 0


def test_a_worker_that_ends_does_not_stop_the_server(used_home: Path, supervise: Supervise) -> None:
    """A forked worker's orderly end leaves the server of its parent alone."""
    program = supervise("forking")
    assert first_line(program)
    assert program.stdin is not None
    program.stdin.close()  # the worker ends
    program.send_signal(signal.SIGINT)
    assert first_line(program) == "still served"


@pytest.mark.fault
def test_a_worker_left_by_a_killed_supervisor_does_not_keep_the_home(
    used_home: Path, supervise: Supervise
) -> None:
    """The next start need not wait for forked workers of the old supervisor to notice its death."""
    program = supervise("forking")
    assert first_line(program)
    program.kill()
    program.wait()
    with EmbeddedPostgres(used_home, fast=True) as server:
        psycopg.connect(server.dsn()).close()
