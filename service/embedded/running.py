"""A server that runs, and how to reach it: for the program that started it and for all others."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from psycopg.conninfo import make_conninfo

from service.embedded.errors import EmbeddedPostgresError
from service.embedded.locks import is_held
from service.embedded.places import Desk, write_privately
from service.embedded.processes import exists

__all__ = ["RunningPostgres", "forget", "publish", "running"]


@dataclass(frozen=True)
class RunningPostgres:
    """A PostgreSQL of ours that takes connections."""

    pid: int
    socket_dir: str
    port: int
    server_version: str
    password: str = field(repr=False)

    def dsn(self, dbname: str = "postgres") -> str:
        """How psycopg connects to one of its databases, as the superuser; holds the password."""
        return make_conninfo(
            host=self.socket_dir,
            port=self.port,
            user="postgres",
            password=self.password,
            dbname=dbname,
        )


def running(home: Path) -> RunningPostgres | None:
    """Find the server of this home, if one is ready and its supervisor lives."""
    desk = Desk.of(home)
    try:
        if not is_held(home / "lock"):
            return None
        record = json.loads(desk.record.read_text())
        server = RunningPostgres(**record, password=desk.password.read_text())
    except FileNotFoundError:
        return None  # still starting, or just stopped
    except PermissionError as error:
        raise EmbeddedPostgresError(
            f"The data home {home} belongs to another account.", "run as that account."
        ) from error
    return server if exists(server.pid) else None


def publish(desk: Desk, server: RunningPostgres) -> None:
    """Let other commands find the server; the password stays in its own file."""
    facts = asdict(server)
    del facts["password"]
    write_privately(desk.record, json.dumps(facts))


def forget(desk: Desk) -> None:
    """Let no one look for a server any more."""
    desk.record.unlink(missing_ok=True)
