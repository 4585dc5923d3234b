"""What a command said, and how a test runs one."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from service.commandline.main import main
from tests.keys import folder

REFUSED, MISUSED, UNVERIFIED, UNAVAILABLE = 1, 2, 3, 69


@dataclass(frozen=True)
class Said:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def shown(self) -> Any:
        """Its answer for machines."""
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Run]:
    """Runs ``plan-history`` in this process, with an empty data home."""
    monkeypatch.setenv("PLAN_HISTORY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("PLAN_HISTORY_KEYS", folder())

    def command(*given: object, typed: bytes = b"") -> Said:
        monkeypatch.setattr(sys, "argv", ["plan-history", *map(str, given)])
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(typed)))
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Said(int(ended.value.code or 0), said.out, said.err)

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield command
    root.handlers[:] = handlers  # some commands set logs up to go where this test's output went
    root.setLevel(level)


@pytest.fixture
def here(run: Run, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs it on the test's database."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    return run
