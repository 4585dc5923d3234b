"""Exports: a plan and a clinic to take along, complete, checkable, safe to open."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from projections import ALL
from projections.sealing import Seals
from service.export import tables
from service.export.clinic import export_everything, export_tables
from service.export.plan import FORMATS
from service.transfer import import_lines
from tests.api.house import Desk, House, an_id, entry, new_desk, refused
from tests.api.living import Living
from tests.fhir.checkers import by_rules, by_schema, references
from tests.keys import keys

FORMULA = '=HYPERLINK("http://elsewhere.example","click")'
MARKUP = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def lived(house: House) -> Living:
    """A plan that lived the sample life."""
    living = Living.begin(house).live()
    house.catch_up()
    house.seal()
    return living


@pytest.fixture(scope="module")
def hostile(house: House) -> Desk:
    """A plan whose words are formulas and markup."""
    desk = new_desk(house, client_label=MARKUP)
    desk.record(entry("SetbackNoted", what=FORMULA), entry("PlanPaused", note=FORMULA))
    desk.record(entry("SelfReportRecorded", FORMULA, text=MARKUP))
    house.catch_up()
    return desk


def exported(desk: Desk, kind: str) -> Any:
    """A plan in one format."""
    answer = desk.get(f"/export?format={kind}")
    assert answer.status_code == 200, answer.text
    return answer


def opened(raw: bytes) -> dict[str, bytes]:
    """The files of an archive; each is as its manifest says."""
    with zipfile.ZipFile(io.BytesIO(raw)) as held:
        files = {name: held.read(name) for name in held.namelist()}
    manifest = json.loads(files["manifest.json"])
    assert set(manifest["files"]) == files.keys() - {"manifest.json", "manifest.sha256"}
    digest = hashlib.sha256(files["manifest.json"]).hexdigest()
    assert files["manifest.sha256"].decode() == f"{digest}  manifest.json\n"
    for name, told in manifest["files"].items():
        assert told == {
            "sha256": hashlib.sha256(files[name]).hexdigest(),
            "bytes": len(files[name]),
        }
    return files


# A plan


def test_a_bundle_of_evidence_holds_everything(lived: Living) -> None:
    """Entries with attribution and leaves, the timeline, the plan, FHIR, a page; and says what it cannot prove."""
    answer = exported(lived.desk, "bundle")
    assert answer.content_type == "application/zip"
    assert "attachment" in answer.headers["Content-Disposition"]
    files = opened(answer.data)
    assert set(files) == {
        "entries.ndjson", "plan.json", "timeline.csv", "fhir.json", "index.html", "manifest.json",
        "proofs.ndjson", "checkpoint.txt", "vkeys.txt", "manifest.sha256",
    }  # fmt: skip
    entries = [json.loads(line) for line in files["entries.ndjson"].splitlines()]
    assert [held["version"] for held in entries] == list(range(1, lived.lived + 1))
    assert all(held["state"]["recorded_by"]["name"] and held["leaf"] for held in entries)
    manifest = json.loads(files["manifest.json"])
    assert manifest["version"] == lived.lived
    assert "cannot prove" in manifest["limits"]
    proofs = [json.loads(line) for line in files["proofs.ndjson"].splitlines()]
    assert [held["leaf"] for held in proofs] == [held["leaf"] for held in entries]
    assert len(list(csv.DictReader(io.StringIO(files["timeline.csv"].decode())))) == lived.lived
    assert json.loads(files["plan.json"])["plan_id"] == lived.desk.plan_id


def test_the_fhir_bundle_is_valid_and_whole(lived: Living) -> None:
    """Both checkers accept it; whatever it refers to without a version is in it."""
    bundle = exported(lived.desk, "fhir").json
    assert by_schema(bundle) == []
    held = [one["resource"] for one in bundle["entry"]]
    assert [found for one in held for found in by_rules(one)] == []
    there = {f"{one['resourceType']}/{one['id']}" for one in held}
    assert {name.partition("/_history/")[0] for name in references(held)} <= there


def test_tables_hold_no_formulas(hostile: Desk) -> None:
    """A cell that begins like one is text for a spreadsheet (OWASP)."""
    rows = list(csv.DictReader(io.StringIO(exported(hostile, "csv").text)))
    assert len(rows) == 4
    for row in rows:
        assert not any(value.startswith(("=", "+", "-", "@")) for value in row.values())
    assert rows[3]["reason"] == f"'{FORMULA}"


@pytest.mark.parametrize("value", ["=1", "+1", "-1", "@x", "\tx", "\rx"])
def test_every_beginning_of_a_formula_is_made_harmless(value: str) -> None:
    """And a number stays a number."""
    assert tables.cell(value) == f"'{value}"
    assert tables.cell(-1.5) == "-1.5"


def test_the_page_runs_nothing(hostile: Desk) -> None:
    """What people wrote is text; the policy that comes with it allows no script anyway."""
    answer = exported(hostile, "html")
    assert MARKUP not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_page_has_the_checkpoint_on_it(lived: Living) -> None:
    """Printed, it is held outside; the page in a bundle has the one that its proofs lead to."""
    note = lived.desk.get("/v1/ledger/checkpoint").text
    assert f"<pre>{note}</pre>" in exported(lived.desk, "html").text
    files = opened(exported(lived.desk, "bundle").data)
    assert files["checkpoint.txt"].decode() == note
    assert f"<pre>{note}</pre>" in files["index.html"].decode()


@pytest.mark.parametrize("kind", FORMATS)
def test_a_plan_is_exported_as_soon_as_it_is_opened(house: House, kind: str) -> None:
    """Before any read model has it: its therapist, whom nothing else names, is named as there."""
    desk = new_desk(house)
    answer = exported(desk, kind)
    missing = desk.caller.get(f"/v1/plans/{an_id()}/export?format={kind}")
    refused(missing, 404, "plan-not-found")
    if kind != "fhir":
        return
    people = [
        held["resource"]
        for held in answer.json["entry"]
        if held["resource"]["resourceType"] == "Practitioner"
    ]
    assert [held["id"] for held in people] == [str(desk.caller.who.member_id)]
    assert people[0]["name"] == [{"text": desk.caller.who.name}]
    house.catch_up()
    later = exported(desk, kind).json["entry"]
    assert [held["resource"] for held in later] == [
        held["resource"] for held in answer.json["entry"]
    ]


def test_an_export_is_for_those_who_see_the_whole_plan(house: House, lived: Living) -> None:
    """Not for auditors, not for strangers; and it is in the access log."""
    desk = lived.desk
    url = f"{desk.url}/export"
    exported(desk, "bundle")
    assert house.sign_in(desk.clinic, "auditor").get(url).status_code == 403
    assert house.sign_in(desk.clinic, "supervisor").get(url).status_code == 404
    exported(desk, "bundle")
    looks = house.sign_in(desk.clinic, "auditor").get("/v1/access-log?action=plans.export").json
    assert "export bundle" in {held["asked"] for held in looks["looks"]}


# A clinic


def test_everything_of_a_clinic_fits_in_one_file(
    house: House, lived: Living, tmp_path: Path
) -> None:
    """Its log, which can be restored, a table for each read model, and each plan as FHIR."""
    path, clinic_id = tmp_path / "clinic.zip", lived.desk.clinic.clinic_id
    counted: list[int] = []
    done = export_everything(house.owner, Seals(keys(), clinic_id), path, told=counted.append)
    assert path.stat().st_mode & 0o777 == 0o600
    files = opened(path.read_bytes())
    assert {f"tables/{held.name}.csv" for held in ALL} <= set(files)
    heading, *lines, _ = files["clinic.ndjson"].splitlines()
    assert json.loads(heading)["entries"] == len(lines) == done["entries"]
    assert sum(counted) == len(lines) + 2  # the plan, and the clinic's own history
    bundle = json.loads(files[f"fhir/{lived.desk.plan_id}.json"])
    assert by_schema(bundle) == []
    again = import_lines(house.owner, files["clinic.ndjson"].splitlines(keepends=True), keys())
    assert again == {"clinic_id": str(clinic_id), "imported": 0, "known": len(lines)}


def test_an_export_that_breaks_off_leaves_nothing(
    house: House, lived: Living, tmp_path: Path
) -> None:
    """No half a file under the name, no draft beside it."""

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    seals = Seals(keys(), lived.desk.clinic.clinic_id)
    with pytest.raises(KeyboardInterrupt):
        export_everything(house.owner, seals, tmp_path / "x.zip", told=stop)
    assert list(tmp_path.iterdir()) == []


def test_every_read_model_is_a_tidy_table(house: House, lived: Living, tmp_path: Path) -> None:
    """A heading, one row a thing, nothing of another clinic."""
    rows = export_tables(house.owner, Seals(keys(), lived.desk.clinic.clinic_id), tmp_path)
    assert set(rows) == {held.name for held in ALL}
    for name, count in rows.items():
        with (tmp_path / f"{name}.csv").open(newline="") as file:
            found = list(csv.DictReader(file))
        assert len(found) == count, name
        plans = {row["plan_id"] for row in found if "plan_id" in row}
        assert plans <= {lived.desk.plan_id, str(lived.desk.clinic.clinic_id)}
    assert rows["timeline"] >= lived.lived
    assert rows["current_plans"] == 1
