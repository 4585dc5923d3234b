"""The processes one by one, as containers run them: together they are the service, each ends when asked to."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import keys
from tests.conftest import Clinic
from tests.service.servers import soon
from tests.service.serving import PROGRAM, environment
from tests.service.test_serve import OPENING

PROCESSES = ("api", "project", "deliver", "seal")


@dataclass
class Apart:
    """The processes over one database, and where the API answers."""

    running: dict[str, subprocess.Popen[bytes]]
    url: str
    folder: Path

    def ask(self, path: str, token: str, body: Any = None) -> Any:
        """An answer as JSON; None while there is none."""
        request = urllib.request.Request(  # noqa: S310 - our own address
            self.url + path,
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
                return json.load(answer)
        except OSError:
            return None


@pytest.fixture
def apart(database_url: str, tmp_path: Path) -> Iterator[Apart]:
    """All of them, begun at once and in no order."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    around = {
        **environment(tmp_path / "home"),
        "DATABASE_URL": database_url,
        "PLAN_HISTORY_KEYS": keys.folder(),
        "PLAN_HISTORY_SEALER_KEY_FILE": str(tmp_path / "home" / "sealer.key"),
        "PORT": str(port),
        "TMPDIR": str(tmp_path / "temporary"),
    }
    (tmp_path / "temporary").mkdir()
    (tmp_path / "home").mkdir()
    made = subprocess.run([*PROGRAM, "seal", "--new-key"], env=around, check=False, timeout=60)  # noqa: S603 - our own program
    assert made.returncode == 0
    with ExitStack() as ending:
        running = {}
        for name in PROCESSES:
            begun = subprocess.Popen([*PROGRAM, name], env=around)  # noqa: S603 - our own program
            ending.callback(begun.wait, 40)
            ending.callback(begun.kill)
            running[name] = begun
        yield Apart(running, f"http://127.0.0.1:{port}", tmp_path / "temporary")


def test_apart_they_are_the_service_and_leave_nothing(apart: Apart, clinic: Clinic) -> None:
    """What is recorded is read, projected and sealed; asked to end, each does, and no folder stays."""
    token, auditor = (clinic.token(clinic.member(role)) for role in ("clinician", "auditor"))
    assert soon(lambda: apart.ask("/livez", token) is not None, 90)
    opened = apart.ask("/v1/plans", token, OPENING)
    assert opened["version"] == 1
    assert apart.ask(f"/v1/plans/{opened['plan_id']}", token)["status"] == "draft"

    def shown() -> bool:
        found = apart.ask("/v1/plans", token)
        return [held["plan_id"] for held in found["plans"]] == [opened["plan_id"]]

    def sealed() -> bool:
        held = apart.ask("/v1/ledger", auditor)["entries"]
        return bool(held["checkpoint"]) and held["size"] >= opened["position"]

    assert soon(shown, 60)
    assert soon(sealed, 60)
    for begun in apart.running.values():
        begun.send_signal(signal.SIGTERM)
    assert {name: begun.wait(40) for name, begun in apart.running.items()} == dict.fromkeys(
        PROCESSES, 0
    )
    assert [*apart.folder.iterdir()] == []
