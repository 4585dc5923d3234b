"""``export`` and ``import --fhir`` as an operator types them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Clinic
from tests.service.commands import MISUSED, REFUSED, Run, here, run

__all__ = ["here", "run"]
EXAMPLE = Path(__file__).parent / "data" / "hl7" / "careplan-example-f201-renal.json"


@pytest.fixture
def ours(here: Run, clinic: Clinic) -> tuple[str, ...]:
    """The options that name a clinic and one of its clinicians."""
    added = here(
        "member", "add", "--clinic", clinic.clinic_id, "--name", "Robin", "--role", "clinician"
    )
    return ("--clinic", str(clinic.clinic_id), "--member", added.out.strip())


def test_fhir_becomes_a_plan_with_a_report(
    here: Run, ours: tuple[str, ...], clinic: Clinic, catch_up: Callable[[], int], tmp_path: Path
) -> None:
    """What would be, then the plan itself; exported again as an archive and as tables."""
    dry = here("import", "--fhir", *ours, "--dry-run", EXAMPLE)
    assert (dry.code, "not recorded (--dry-run)" in dry.out) == (0, True)
    assert "kept as a note" in dry.out
    done = here("import", "--fhir", *ours, "--json", EXAMPLE).shown
    [plan] = done["plans"]
    assert plan["plan_id"]
    assert {"resource": "CarePlan/f201", "path": "activity[0].detail.kind",
            "became": "not understood", "value": "NutritionOrder"} in done["report"]  # fmt: skip
    catch_up()
    path = tmp_path / "clinic.zip"
    said = here("export", "--clinic", clinic.clinic_id, "--everything", path)
    assert said.code == 0
    with zipfile.ZipFile(path) as held:
        bundle: dict[str, Any] = json.loads(held.read(f"fhir/{plan['plan_id']}.json"))
    kinds = {one["resource"]["resourceType"] for one in bundle["entry"]}
    assert {"CarePlan", "Goal", "Provenance"} <= kinds
    said = here("export", "--clinic", clinic.clinic_id, "--csv", tmp_path / "tables")
    assert "current_plans.csv (1 rows)" in said.err
    assert (tmp_path / "tables" / "timeline.csv").read_text().startswith("position,")


def test_a_refused_plan_ends_with_a_sentence(
    here: Run, ours: tuple[str, ...], tmp_path: Path
) -> None:
    """A client who has an open plan already: said so, and the command fails."""
    assert here("import", "--fhir", *ours, EXAMPLE).code == 0
    other = tmp_path / "other.json"
    other.write_text(EXAMPLE.read_text("utf-8").replace("Roel", "Roelof"), "utf-8")
    said = here("import", "--fhir", *ours, other)
    assert said.code == REFUSED
    assert "1 of 1 plans were refused" in said.err
    assert here("import", "--fhir", *ours, "--alongside", other).code == 0


def test_whose_plans_they_will_be_is_asked(here: Run, clinic: Clinic, tmp_path: Path) -> None:
    """Without a clinic and a member, with one who is not there, with a file that is no FHIR."""
    assert here("import", "--fhir", EXAMPLE).code == MISUSED
    named = ("--clinic", clinic.clinic_id, "--member")
    said = here("import", "--fhir", *named, uuid4(), EXAMPLE)
    assert (said.code, "no member" in said.err) == (REFUSED, True)


def test_an_unknown_clinic_has_nothing_to_export(here: Run, tmp_path: Path) -> None:
    """And leaves no file."""
    for option, name in (("--everything", "x.zip"), ("--csv", "tables")):
        said = here("export", "--clinic", uuid4(), option, tmp_path / name)
        assert (said.code, "There is no clinic" in said.err) == (REFUSED, True)
        assert not (tmp_path / name).exists()


def test_a_log_that_is_none_is_refused_in_a_sentence(here: Run, tmp_path: Path) -> None:
    """FHIR given where a log is expected names the line; the sentence says what it should be."""
    said = here("import", EXAMPLE)
    assert (said.code, "no export of a clinic's log" in said.err) == (REFUSED, True)
