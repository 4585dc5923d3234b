"""``plan-history serve``, end to end: one command brings everything, and takes everything along."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from service.embedded import running
from service.migrate import migrations
from tests.service.servers import family, reachable_folder, soon
from tests.service.serving import Serving, gone, plan_history, serving

OPENING = {
    "client_ref": "c-1",
    "client_label": "Client One",
    "initiated_by": "client",
    "presenting_concern": "Leaving the house has become hard.",
    "hopes": "To sit in the park again.",
    "signs_of_improvement": "I go out without planning for days.",
    "therapist_id": "00000000-0000-4000-8000-000000000001",
}


@pytest.fixture(scope="module")
def served() -> Iterator[Serving]:
    """One that runs while these tests look at it."""
    with reachable_folder() as folder, serving(folder / "home") as started:
        yield started


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for homes."""
    with reachable_folder() as folder:
        yield folder


def signed_in(home: Path) -> dict[str, str]:
    """A clinic and a clinician's token, made as an operator makes them."""
    clinic_id = plan_history(home, "clinic", "create", "North").stdout.strip()
    who = ("--name", "Robin", "--role", "clinician", "--member", OPENING["therapist_id"])
    token = plan_history(home, "token", "issue", "--clinic", clinic_id, *who).stdout.strip()
    return {"Authorization": f"Bearer {token}"}


# While it runs


def test_it_says_where_it_serves_and_answers(served: Serving) -> None:
    """On a free port of this host, ready, with a migrated database of its own."""
    assert served.address.startswith("http://127.0.0.1:")
    ready = served.send("/readyz")
    assert (ready.status, ready.body["ready"], ready.body["database"]) == (200, True, "ok")
    assert served.send("/livez").body == {"alive": True}
    with served.owner() as conn:
        applied = conn.execute("SELECT count(*) FROM migrations").fetchone()
    assert applied == (len(migrations()),)


def test_entries_arrive_and_are_projected(served: Serving) -> None:
    """What is recorded over HTTP is in the plan, and its projector takes it in."""
    headers = signed_in(served.home)
    opened = served.send("/v1/plans", OPENING, **headers)
    assert opened.status == 201
    plan = served.send(opened.headers["Location"], **headers)
    assert (plan.status, plan.headers["ETag"]) == (200, '"1"')

    def caught_up() -> bool:
        lag = served.send("/readyz").body["projections"]
        return {held["entries_behind"] for held in lag.values()} == {0}

    assert soon(caught_up)


def test_what_is_recorded_is_sealed(served: Serving) -> None:
    """By a sealer of its own, with a key that only its owner can read; it can be checked at once."""
    headers = signed_in(served.home)
    opened = served.send("/v1/plans", OPENING, **headers)
    place = f"/v1/ledger/proof/{opened.body['entries'][0]['entry_id']}"
    assert soon(lambda: served.send(place, **headers).status == 200)
    assert (served.home / "sealer-key.pem").stat().st_mode & 0o077 == 0
    assert plan_history(served.home, "verify").returncode == 3
    assert len(served.processes("service.ledger")) == 1


def test_each_figure_is_told_once(served: Serving) -> None:
    """Whichever worker is asked, and however often: how far all is behind is no worker's own."""
    told = [f'plan_history_ledger_behind{{tree="{tree}"}}' for tree in ("entries", "access-log")]
    for _ in range(4):
        lines = served.text("/metrics").splitlines()
        behind = [line for line in lines if line.startswith("plan_history_ledger_behind")]
        assert [line.partition(" ")[0] for line in behind] == told


def test_other_commands_find_it(served: Serving) -> None:
    """Nothing needs to be configured: the data home leads to the database."""
    doctor = plan_history(served.home, "doctor", "--json")
    assert (doctor.returncode, json.loads(doctor.stdout)["findings"]) == (0, [])
    made = UUID(plan_history(served.home, "clinic", "create", "South").stdout.strip())
    listed = json.loads(plan_history(served.home, "clinic", "list", "--json").stdout)
    assert str(made) in {held["clinic_id"] for held in listed}


def test_a_second_one_on_the_same_home_is_told(served: Serving) -> None:
    """It names who holds the home and what to do, and does no harm."""
    second = plan_history(served.home, "serve", "--port", "0")
    assert (second.returncode, second.stdout) == (1, "")
    assert f"already in use by process {served.process.pid}" in second.stderr
    assert "Next step:" in second.stderr
    assert "Traceback" not in second.stderr
    assert served.send("/readyz").status == 200


def test_a_taken_port_is_told(served: Serving, folder: Path) -> None:
    """It names the port and what to do, before anything was made."""
    second = plan_history(folder / "home", "serve", "--port", str(served.port))
    assert (second.returncode, second.stdout) == (1, "")
    assert f"Cannot listen on 127.0.0.1 port {served.port}" in second.stderr
    assert "--port 0 for a free one" in second.stderr
    assert not (folder / "home").exists()


def test_nobody_else_is_let_in(served: Serving) -> None:
    """It listens on this host alone, and its data home is closed to others."""
    assert served.home.stat().st_mode & 0o007 == 0
    with socket.socket() as sock, pytest.raises(OSError, match="refused"):
        sock.connect(("127.0.0.2", served.port))


# Its end


def waiting(conn: psycopg.Connection[Any]) -> bool:
    """Whether an append waits for a lock."""
    found = conn.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
    return found != (0,)


def test_it_ends_in_order_and_starts_again(folder: Path) -> None:
    """SIGTERM: what is in flight is answered and kept, nothing is left behind; then SIGINT as well."""
    home = folder / "home"
    # However slow this machine: what is in flight is not given up before the service was asked to end.
    with serving(home, PLAN_HISTORY_REQUEST_SECONDS="30") as first:
        headers = signed_in(home)
        pids = family(first.process.pid)
        assert len(pids) > 4
        with first.owner() as holder, first.owner() as watcher, ThreadPoolExecutor(2) as pool:
            with holder.transaction():
                holder.execute("SELECT FROM clinic_logs FOR UPDATE")
                asked = pool.submit(first.send, "/v1/plans", OPENING, **headers)
                assert soon(lambda: waiting(watcher))
                ended = pool.submit(first.end)
                assert soon(lambda: not first.processes("gunicorn")[2:])  # it is stopping
            opened = asked.result()
        assert opened.status == 201
        assert ended.result().splitlines()[-1] == "Stopped."
        assert first.process.returncode == 0
        assert gone(pids)
    assert running(home) is None
    begun = time.monotonic()
    with serving(home) as second:
        assert time.monotonic() - begun < 60
        plan = second.send(opened.headers["Location"], **headers)
        assert (plan.status, plan.headers["ETag"]) == (200, '"1"')
        pids = family(second.process.pid)
        assert second.end(signal.SIGINT).splitlines()[-1] == "Stopped."
        assert second.process.returncode == 0
        assert gone(pids)


@pytest.mark.skipif(
    not Path("/proc").is_dir(), reason="only Linux tells a child of its parent's end"
)
def test_killed_it_takes_its_processes_along(folder: Path) -> None:
    """After kill -9 no worker, projector or database is left; the next start finds all in order."""
    home = folder / "home"
    with serving(home) as first:
        headers = signed_in(home)
        opened = first.send("/v1/plans", OPENING, **headers)
        pids = family(first.process.pid)
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait()
        assert gone(pids)
    with serving(home) as second:
        assert second.send(opened.headers["Location"], **headers).status == 200
