"""kill -9 in the middle of a load: nothing acknowledged is lost, nothing is there twice."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from projections import ALL
from projections.rebuild import rebuild
from service.clinics import create_clinic
from service.database import OWNER_ROLE, dsn_as
from service.embedded import EmbeddedPostgres, running
from service.tokens import issue
from tests.api.test_plans_end_to_end import OPENING
from tests.service.servers import family, reachable_folder, soon

WRITERS, SECONDS_TO_RETRY = 4, 60


@contextlib.contextmanager
def serving(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``plan-history serve`` with a durable database of its own, and its address."""
    environment = {**os.environ, "PLAN_HISTORY_HOME": str(home)}
    environment.pop("DATABASE_URL", None)
    command = [sys.executable, "-m", "service.commandline", "serve", "--port", "0"]
    process = subprocess.Popen(  # noqa: S603 - our own program
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        address = next(
            found[1]
            for line in process.stdout
            if (found := re.search(r"serving at (http://\S+)", line))
        )
        yield process, address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()


class Writer(threading.Thread):
    """Records one entry after the other, each under a key of its own, retried until it is answered."""

    def __init__(self, address: str, token: str, number: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.address, self.token, self.number, self.stop = address, token, number, stop
        self.acknowledged: list[str] = []
        self.refused: list[int] = []
        self.plan_id = ""

    def run(self) -> None:
        """Open a plan and keep recording until told to stop."""
        opened = self.send("/v1/plans", {**OPENING, "client_ref": f"c-{self.number}"})
        self.plan_id = str(opened["plan_id"])
        while not self.stop.is_set():
            note = {"type": "SetbackNoted", "data": {"what": str(uuid4())}}
            made = self.send(f"/v1/plans/{self.plan_id}/entries", {"entries": [note]})
            self.acknowledged += [held["entry_id"] for held in made["entries"]]

    def send(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST until there is an answer; anything but a 5xx or a lost connection is final."""
        key, answered = str(uuid4()), dict[str, Any]()

        def attempt() -> bool:
            request = urllib.request.Request(  # noqa: S310 - our own address
                self.address + path,
                data=json.dumps(body).encode(),
                headers={
                    "Authorization": f"Bearer {self.token}",
                    "Content-Type": "application/json",
                    "Idempotency-Key": key,
                },
            )
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
                    answered.update(json.load(answer))
            except urllib.error.HTTPError as refused:
                with refused:
                    if refused.code >= 500:
                        return False
                    self.refused.append(refused.code)
                    answered.update(entries=[], plan_id="")
            except (OSError, ValueError):
                return False
            return True

        assert soon(attempt, within=SECONDS_TO_RETRY)
        return answered


def processes(root: int, words: str) -> list[int]:
    """The descendants of ``root`` whose command line has ``words``."""
    found = []
    for pid in family(root):
        with contextlib.suppress(OSError):
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            if words in line and pid != root:
                found.append(pid)
    return found


@pytest.mark.fault
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes through /proc")
def test_what_was_acknowledged_is_there_once_whatever_is_killed() -> None:
    """A web worker, the projector and PostgreSQL die under load; every answer given stays true."""
    with reachable_folder() as folder:
        home = folder / "home"
        with serving(home) as (process, address):
            server = running(home)
            assert server is not None
            url = server.dsn("plan_history")
            with psycopg.connect(dsn_as(url, OWNER_ROLE, seconds=30), autocommit=True) as conn:
                clinic_id = create_clinic(conn, "Fault test")
                tokens = [
                    issue(conn, clinic_id, name="R", role="clinician").token for _ in range(WRITERS)
                ]
            stop = threading.Event()
            writers = [Writer(address, token, n, stop) for n, token in enumerate(tokens)]
            for writer in writers:
                writer.start()

            def progress(by: int = 10) -> bool:
                before = [len(writer.acknowledged) for writer in writers]
                return soon(
                    lambda: all(
                        len(writer.acknowledged) >= held + by
                        for writer, held in zip(writers, before, strict=True)
                    ),
                    within=SECONDS_TO_RETRY,
                )

            assert progress()
            os.kill(processes(process.pid, "gunicorn")[-1], signal.SIGKILL)
            assert progress()
            os.kill(processes(process.pid, "project")[0], signal.SIGKILL)
            assert progress()
            os.kill(server.pid, signal.SIGKILL)
            assert progress()
            stop.set()
            for writer in writers:
                writer.join(SECONDS_TO_RETRY)
            check(home, writers)


def check(home: Path, writers: list[Writer]) -> None:
    """Every acknowledged entry once, no refusal, no gap, and read models equal to a rebuild."""
    server = running(home)
    assert server is not None
    url = server.dsn("plan_history")
    with psycopg.connect(dsn_as(url, OWNER_ROLE, seconds=60), autocommit=True) as conn:
        stored = [str(row[0]) for row in conn.execute("SELECT entry_id FROM entries")]
        assert [writer.refused for writer in writers] == [[]] * len(writers)
        assert {held for writer in writers for held in writer.acknowledged} <= set(stored)
        assert len(stored) == sum(len(writer.acknowledged) + 1 for writer in writers)
        positions = [
            row[0] for row in conn.execute("SELECT position FROM entries ORDER BY position")
        ]
        assert positions == list(range(1, len(positions) + 1))

        def caught_up() -> bool:
            row = conn.execute("SELECT coalesce(sum(behind), 1) FROM projection_lag()").fetchone()
            return row == (0,)

        assert soon(caught_up, within=30)
        for projection in ALL:
            kept = conn.execute(f"SELECT * FROM {projection.table()} ORDER BY 1, 2, 3").fetchall()
            rebuild(conn, projection)
            made = conn.execute(f"SELECT * FROM {projection.table()} ORDER BY 1, 2, 3").fetchall()
            assert sorted(map(repr, kept)) == sorted(map(repr, made)), projection.name


@pytest.mark.fault
def test_the_librarys_own_recorder_calls_its_own_entry_a_conflict(server: EmbeddedPostgres) -> None:
    """Negative control: after a lost acknowledgement, a plain retry is refused for what it stored."""
    parts = psycopg.conninfo.conninfo_to_dict(server.dsn("postgres"))
    datastore = PostgresDatastore(
        dbname="postgres",
        host=str(parts["host"]),
        port=str(parts.get("port", "5432")),
        user=str(parts["user"]),
        password=str(parts["password"]),
    )
    with datastore:
        table = f"stock_{uuid4().hex[:8]}"
        recorder = PostgresApplicationRecorder(datastore, events_table_name=table)
        recorder.create_table()
        event = StoredEvent(uuid4(), 1, "topic", b"{}")
        recorder.insert_events([event])  # committed, but suppose the answer never came
        with pytest.raises(IntegrityError):
            recorder.insert_events([event])
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as conn:
        conn.execute(f"DROP TABLE {table}")
