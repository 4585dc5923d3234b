"""A program of its own that runs the database of a home, for tests that kill or interrupt it.

    python supervised.py HOME WAY

It prints PostgreSQL's process number first. Then, by WAY:
honest    commits numbered rows without end, printing each number after its commit
boasting  as honest, but prints numbers that it never commits
waiting   does nothing until interrupted
forking   as waiting, with a forked worker that lives until the input closes
"""

import itertools
import os
import signal
import sys
from pathlib import Path

import psycopg

from service.embedded import EmbeddedPostgres


def write(connection: psycopg.Connection) -> None:
    """Write rows, each acknowledged on the output, until killed."""
    for number in itertools.count(1):
        connection.execute("INSERT INTO acknowledged VALUES (%s)", [number])
        print(number, flush=True)  # noqa: T201  # the acknowledgement


def wait(server: EmbeddedPostgres) -> None:
    """Wait for Ctrl-C, then show that the server still takes connections."""
    try:
        print(server.pid, flush=True)  # noqa: T201  # the test reads it
        signal.pause()
    except KeyboardInterrupt:
        with psycopg.connect(server.dsn()):
            print("still served", flush=True)  # noqa: T201  # what the test listens for


def fork() -> None:
    """Leave a worker behind that ends, in an orderly way, when the input closes."""
    if os.fork() == 0:
        sys.stdin.read()
        sys.exit()


def main(home: Path, way: str) -> None:
    """Run the database of `home` in one of the ways."""
    with EmbeddedPostgres(home) as server:
        if way == "forking":
            fork()
        if way in {"honest", "boasting"}:
            with psycopg.connect(server.dsn(), autocommit=True) as connection:
                connection.execute("CREATE TABLE acknowledged (number bigint PRIMARY KEY)")
                connection.autocommit = way == "honest"
                print(server.pid, flush=True)  # noqa: T201  # the test reads it
                write(connection)
        wait(server)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
