"""The doctor: what keeps the service from its work, each with the next step; and it leaves no trace."""

from __future__ import annotations

import base64
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from service.commandline.shared import table
from service.container import Container, build
from service.keys import KeysLostError, open_ring
from service.settings import Settings
from tests.conftest import Clinic
from tests.keys import folder
from tests.service.commands import REFUSED, Run
from tests.service.recording import open_plan
from tests.service.serving import PROGRAM

KEYS, MASTER_KEY = "PLAN_HISTORY_KEYS", "PLAN_HISTORY_MASTER_KEY"


@pytest.fixture
def sealed(here: Run, container: Container, clinic: Clinic) -> Run:
    """Runs a command on a database with a plan that is sealed."""
    open_plan(container, clinic.member())
    return here


@pytest.fixture
def lost(tmp_path: Path) -> Path:
    """A folder where no keys are."""
    return tmp_path / "mistyped" / "keys"


def another() -> str:
    """A master key that wrapped nothing."""
    return f"1:{base64.b64encode(os.urandom(32)).decode()}"


def begun(*command: str) -> subprocess.CompletedProcess[str]:
    """A process that would not end of its own accord, were it not refused."""
    return subprocess.run(  # noqa: S603 - our own program
        [*PROGRAM, *command], capture_output=True, text=True, check=False, timeout=60
    )


# Keys


def test_keys_that_open_are_in_order(sealed: Run) -> None:
    """Every key that plans are sealed with is tried."""
    said = sealed("doctor", "--json")
    assert (said.code, said.shown["keys"], said.shown["findings"]) == (0, "in order", [])


def test_lost_keys_are_found_and_not_replaced(
    sealed: Run, lost: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistyped folder is told, with the next step, and stays as it was: not there."""
    monkeypatch.setenv(KEYS, str(lost))
    said = sealed("doctor")
    assert said.code == REFUSED
    assert f"! There are no keys in {lost}, but plans of this database are sealed" in said.out
    assert "set PLAN_HISTORY_KEYS to where they are" in said.out
    assert not lost.parent.exists()


def test_a_vault_without_the_keys_in_use_is_found(
    sealed: Run, lost: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds keys, but not those; how many are missing is said."""
    with closing(open_ring(Settings(keys=str(lost)))) as ring:
        ring.fresh()
    monkeypatch.setenv(KEYS, str(lost))
    said = sealed("doctor", "--json")
    assert (said.code, said.shown["keys"]) == (REFUSED, "not in order")
    assert said.shown["findings"][0].startswith("1 of the 1 keys that plans are sealed with are")


def test_a_key_that_was_damaged_is_found(
    sealed: Run, clinic: Clinic, lost: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Among others that open."""
    lost.mkdir(parents=True)
    with sqlite3.connect(Path(folder()) / "vault.sqlite") as held:
        held.execute("VACUUM INTO ?", [str(lost / "vault.sqlite")])
    (lost / "master.key").write_bytes((Path(folder()) / "master.key").read_bytes())
    row = clinic.owner.execute("SELECT key_id FROM entries").fetchone()
    assert row is not None
    with sqlite3.connect(lost / "vault.sqlite") as held:
        damage = "UPDATE keys SET wrapped = zeroblob(60) WHERE key_id = ?"
        held.execute(damage, [row[0].bytes])
    monkeypatch.setenv(KEYS, str(lost))
    said = sealed("doctor")
    assert said.code == REFUSED
    assert "! 1 of the 1 keys that plans are sealed with cannot be unwrapped" in said.out


def test_another_master_key_is_found(sealed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the doctor, and by who would have wrapped new keys with it."""
    monkeypatch.setenv(MASTER_KEY, another())
    said = sealed("doctor")
    assert said.code == REFUSED
    assert "! The keys were wrapped with another master key than this. Put back" in said.out
    assert begun("api").returncode == REFUSED


def test_keys_that_are_off_over_sealed_plans_are_found(
    sealed: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would read these plans."""
    monkeypatch.setenv(KEYS, "off")
    said = sealed("doctor")
    assert said.code == REFUSED
    assert "! PLAN_HISTORY_KEYS is off, but plans are sealed with 1 keys" in said.out


def test_keys_may_be_off_or_not_begun_where_nothing_is_sealed(
    here: Run, lost: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new installation is in order, and the doctor begins nothing in it."""
    monkeypatch.setenv(KEYS, "off")
    assert here("doctor", "--json").shown["keys"] == "off"
    monkeypatch.setenv(KEYS, str(lost))
    said = here("doctor", "--json")
    assert (said.code, said.shown["keys"]) == (0, "none yet")
    status = here("keys", "status")
    assert (status.code, status.out) == (REFUSED, "")
    assert "the first are made when a plan is opened" in status.err
    assert not lost.parent.exists()
    monkeypatch.setenv(MASTER_KEY, "nonsense")
    assert "! PLAN_HISTORY_MASTER_KEY holds no master key" in here("doctor").out


def test_no_command_makes_keys_beside_sealed_plans(
    sealed: Run, clinic: Clinic, lost: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It refuses with what to do; where nothing is sealed, keys are begun."""
    monkeypatch.setenv(KEYS, str(lost))
    for process in ("api", "project", "deliver"):
        refused = begun(process)
        assert (refused.returncode, refused.stdout) == (REFUSED, ""), process
        assert "but plans of this database are sealed with keys" in refused.stderr, process
    for command in (
        ("member", "list", "--clinic", clinic.clinic_id),
        ("rebuild", "timeline"),
        ("export", "--clinic", clinic.clinic_id),
    ):
        said = sealed(*command)
        assert (said.code, said.out) == (REFUSED, ""), command
        assert "but plans of this database are sealed with keys" in said.err, command
    with pytest.raises(KeysLostError):
        build(Settings(database_url=database_url, keys=str(lost)))
    assert not lost.parent.exists()
    clinic.owner.execute("UPDATE entries SET key_id = NULL")
    build(Settings(database_url=database_url, keys=str(lost))).close()
    assert (lost / "vault.sqlite").exists()


def test_an_empty_vault_is_not_begun_beside_sealed_plans(
    sealed: Run, lost: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is one that was made by mistake taken for the keys."""
    open_ring(Settings(keys=str(lost))).close()
    monkeypatch.setenv(KEYS, str(lost))
    assert begun("api").returncode == REFUSED
    assert "! There are no keys in" in sealed("doctor").out


def test_a_refused_export_leaves_nothing(
    sealed: Run, clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No half of a log under the name that was asked for; a whole one is for its owner alone."""
    place = tmp_path / "log.ndjson"
    export = ("export", "--clinic", clinic.clinic_id, "-o", place)
    assert sealed(*export).code == 0
    assert place.stat().st_mode & 0o777 == 0o600
    place.unlink()
    clinic.owner.execute(
        "UPDATE entries SET key_id = gen_random_uuid(), state = decode('01', 'hex') || decode(repeat('00', 60), 'hex')"
    )
    said = sealed(*export)
    assert said.code == REFUSED, said
    assert [*tmp_path.glob("*.ndjson*")] == []
    assert (
        sealed("export", "--clinic", clinic.clinic_id, "-o", tmp_path / "none" / "x").code
        == REFUSED
    )


def test_a_master_key_is_made_in_a_folder_that_is_there(run: Run, tmp_path: Path) -> None:
    """A slip in the path makes no folders; a key that is there stays."""
    said = run("keys", "new", tmp_path / "none" / "master.key")
    assert said.code == REFUSED
    assert f"There is no folder {tmp_path / 'none'}" in said.err
    assert not (tmp_path / "none").exists()
    place = tmp_path / "master.key"
    assert run("keys", "new", place, "--json").shown["made"]
    before = place.read_bytes()
    assert not run("keys", "new", place, "--json").shown["made"]
    assert place.read_bytes() == before


def test_tables_print_no_control_characters() -> None:
    """A name may hold an escape sequence; the terminal does not get it."""
    shown = table([{"name": "E\x1b[31mred\nrow"}], ("name",))
    assert shown.splitlines() == ["name", "E\ufffd[31mred\ufffdrow"]
