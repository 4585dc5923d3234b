"""Where there is no room, or no file: what is written is told in a sentence, and nothing stays half done."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Clinic
from tests.service.commands import REFUSED, Run
from tests.service.serving import PROGRAM


@pytest.fixture
def recorded(here: Run, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> str:
    """A clinic whose log holds an entry; it needs no keys."""
    monkeypatch.setenv("PLAN_HISTORY_KEYS", "off")
    named = ("--clinic", clinic.clinic_id, "--name", "Kim", "--role", "clinician")
    assert here("member", "add", *named).code == 0
    return str(clinic.clinic_id)


def without_room(*command: str) -> subprocess.CompletedProcess[str]:
    """A command that can write no byte into any file, as on a full disk."""
    return subprocess.run(  # noqa: S603 - our own program
        ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *PROGRAM, *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("way", ["-o", "--everything", "--csv"])
def test_an_export_without_room_is_told_and_leaves_nothing(
    recorded: str, tmp_path: Path, way: str
) -> None:
    """An earlier export of that name stays as it was."""
    place = tmp_path / "exports"
    place.mkdir()
    asked = place / "log"
    if way != "--csv":
        asked.write_text("earlier")
    said = without_room("export", "--clinic", recorded, way, str(asked))
    assert (said.returncode, said.stdout) == (REFUSED, "")
    assert said.stderr.startswith(f"plan-history: {asked} cannot be written: File too large.")
    assert "Traceback" not in said.stderr
    left = [held for held in place.rglob("*") if held.is_file()]
    assert left == ([] if way == "--csv" else [asked])
    assert way == "--csv" or asked.read_text() == "earlier"


def test_standard_output_without_room_is_told(recorded: str) -> None:
    """An export that did not get there does not end as if it had."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(  # noqa: S603 - our own program
            [*PROGRAM, "export", "--clinic", recorded],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == REFUSED
    assert "Standard output cannot be written: No space left on device." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("way", ["-o", "--everything"])
def test_what_is_no_file_is_not_replaced(
    here: Run, recorded: str, tmp_path: Path, way: str
) -> None:
    """A pipe, or a device, stays what it is: the service may run as one who could replace it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    said = here("export", "--clinic", recorded, way, pipe)
    assert said.code == REFUSED
    assert f"{pipe} cannot be written: it is there and is no file." in said.err
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert [*tmp_path.iterdir()] == [pipe]


def test_a_master_key_without_room_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    """No half of a key under any name."""
    said = without_room("keys", "new", str(tmp_path / "master.key"))
    assert said.returncode == REFUSED
    assert "master.key cannot be written (File too large); nothing was changed" in said.stderr
    assert [*tmp_path.iterdir()] == []
