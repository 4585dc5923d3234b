"""Schemathesis as its users run it, against the real server: every phase, every role that asks for much.

Its examples, coverage, fuzzing and stateful phases; all of its checks but whether whatever fits the description
is taken, for an id may fit and be nobody's. The stream, which has no end, is fuzzed in process
(tests/api/test_fuzz.py).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.servers import reachable_folder
from tests.service.serving import Serving, serving

pytestmark = pytest.mark.slow
SECONDS = 120


@pytest.fixture(scope="module")
def served() -> Iterator[Serving]:
    """The demo clinic, served."""
    with reachable_folder() as folder, serving(folder / "home", "--demo") as started:
        yield started


def token(served: Serving, role: str) -> str:
    """The token of somebody of that role."""
    people = json.loads((served.home / "demo.json").read_text("utf-8"))["people"]
    return str(next(held["token"] for held in people if held["role"] == role))


@pytest.mark.parametrize("role", ["supervisor", "clinician", "admin", "privacy_officer", "client"])
def test_the_whole_description_holds(served: Serving, role: str, tmp_path: Path) -> None:
    """No server error, no answer that is not described, nobody let in without a token."""
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{served.address}/openapi.json",
        "--header", f"Authorization: Bearer {token(served, role)}",
        "--exclude-path", "/v1/feed/stream", "--checks", "all",
        "--exclude-checks", "positive_data_acceptance", "--max-time", str(SECONDS),
        "--max-examples", "25", "--workers", "4", "--max-response-time", "40",
        "--request-timeout", "45", "--warnings", "off", "--continue-on-failure",
    ]  # fmt: skip
    done = subprocess.run(  # noqa: S603 - another program with our own arguments
        command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=20 * SECONDS
    )
    found = re.search(r"([\d,]+) generated", done.stdout)
    print(f"{role}: {found[1] if found else 'no'} cases")  # noqa: T201 - the figures, for -s
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert found
    assert int(found[1].replace(",", "")) > 500
