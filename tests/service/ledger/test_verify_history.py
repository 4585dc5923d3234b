"""The stand-alone verifier: takes what is as it was, and names the first thing that is not – in any export."""

from __future__ import annotations

import base64
import contextlib
import importlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from projections.sealing import Seals, place_of_entry
from service.container import Container
from service.embedded import EmbeddedPostgres
from service.export.archive import Archive
from service.export.clinic import export_everything
from service.ledger.books import ENTRIES, LOOKS
from service.ledger.notes import LOG, WITNESS, Checkpoint
from service.ledger.signing import Signer, sign
from service.transfer import export_lines, whole_log
from tests.api.house import new_house
from tests.conftest import Clinic
from tests.keys import keys
from tests.service.ledger.sealing import Owner, Sealing, grow
from tests.service.recording import open_plan, set_goal

PROGRAM = Path(__file__).resolve().parents[3] / "docs" / "examples" / "verify_history.py"
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def program() -> Iterator[ModuleType]:
    """The file, as somebody would copy it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PROGRAM.parent)
        yield importlib.import_module("verify_history")


@dataclass(frozen=True)
class Said:
    """What the program said, and how it ended."""

    code: int
    verified: bool
    kind: str | None
    where: str
    text: str
    found: list[dict[str, Any]]


@dataclass
class Desk:
    """A sealed clinic, what somebody holds of it, and the program to check its exports with."""

    program: ModuleType
    container: Container
    clinic: Clinic
    sealing: Sealing
    owner: Owner
    plan: Any
    folder: Path
    held: dict[str, list[Path]] = field(default_factory=dict)

    def hold(self) -> None:
        """Take the newest checkpoints outside, and the keys they are signed with."""
        keys = ""
        for tree in (ENTRIES, LOOKS):
            head = self.sealing.head(self.clinic.clinic_id, tree)
            place = self.folder / f"{tree}-{head.size}"
            place.write_text(str(head.note))
            self.held.setdefault(tree, []).append(place)
            keys += f"{self.sealing.vkey(self.clinic.clinic_id, tree)}\n"
        (self.folder / "vkeys").write_text(keys)

    def trust(self, *trees: str) -> list[str]:
        """The arguments by which the program is told what is held."""
        places = [place for tree in trees or (ENTRIES,) for place in self.held[tree]]
        given = [word for place in places for word in ("--checkpoint", str(place))]
        return [*given, "--vkey", str(self.folder / "vkeys")]

    def log(self) -> bytes:
        """The clinic's log as NDJSON."""
        return b"".join(whole_log(*export_lines(self.owner, self.clinic.clinic_id, keys())))

    def archive(self) -> Files:
        """The files of the clinic's archive."""
        export_everything(
            self.owner, Seals(keys(), self.clinic.clinic_id), self.folder / "made.zip"
        )
        return unpacked((self.folder / "made.zip").read_bytes())

    def bundle(self) -> Files:
        """The files of the plan's evidence bundle."""
        who = self.clinic.member()
        return unpacked(self.container.exports.export(who, self.plan, "bundle", "http://here"))

    def check(self, export: bytes | Files, *given: str) -> Said:
        """What the program says of an export, with what is held unless told otherwise."""
        place = self.folder / "export"
        place.write_bytes(packed(export) if isinstance(export, dict) else export)
        return run(self.program, str(place), *(given or self.trust()))


def run(program: ModuleType, *given: str) -> Said:
    """Run the program in this process; both ways to answer agree."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = program.main([*given, "--json"])
    shown = json.loads(out.getvalue())
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        assert program.main(list(given)) == code
    damage = shown["damage"] or {"kind": None, "where": ""}
    assert shown["verified"] == (code == 0)
    return Said(
        code,
        shown["verified"],
        damage["kind"],
        damage["where"],
        text.getvalue(),
        shown.get("found", []),
    )


def unpacked(raw: bytes) -> Files:
    """The files of an archive."""
    with zipfile.ZipFile(io.BytesIO(raw)) as held:
        return {name: held.read(name) for name in held.namelist()}


def packed(files: Files) -> bytes:
    """Files as an archive, with whatever manifest is among them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as held:
        for name, content in files.items():
            held.writestr(name, content)
    return out.getvalue()


def fitting(files: Files) -> bytes:
    """Files as an archive whose manifest fits them, as somebody who rewrites history would make it."""
    manifest = json.loads(files["manifest.json"])
    told = {name: held for name, held in manifest.items() if name != "files"}
    out = io.BytesIO()
    with contextlib.closing(Archive(out)) as archive:
        for name, content in files.items():
            if not name.startswith("manifest."):
                archive.add(name, content)
        archive.seal(**told)
    return out.getvalue()


def settled(desk: Desk, catch_up: Callable[[], int]) -> Desk:
    """Two plans recorded in turn, looked at, sealed and held twice; and a look that is not sealed yet."""
    who = desk.clinic.member()
    desk.plan = grow(desk.container, desk.clinic, plans=2, each=3)[0]
    desk.container.plans.current(who, desk.plan)
    desk.sealing.seal()
    desk.hold()
    for _ in range(4):
        set_goal(desk.container, who, desk.plan)
        desk.container.plans.current(who, desk.plan)
    desk.sealing.seal()
    desk.hold()
    desk.container.plans.current(who, desk.plan)
    catch_up()
    return desk


@pytest.fixture
def desk(
    program: ModuleType,
    container: Container,
    clinic: Clinic,
    sealing: Sealing,
    owner: Owner,
    tmp_path: Path,
    catch_up: Callable[[], int],
) -> Desk:
    """A desk of the test's own, to go on in."""
    return settled(Desk(program, container, clinic, sealing, owner, None, tmp_path), catch_up)


@pytest.fixture(scope="module")
def steady(
    program: ModuleType,
    server: EmbeddedPostgres,
    template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Desk]:
    """A desk whose clinic nobody touches; many tests look at its exports."""
    folder = tmp_path_factory.mktemp("steady")
    with new_house(server, template) as house:
        sealing = Sealing(house.database_url, folder, house.owner, house.key)
        made = Desk(program, house.container, house.clinic(), sealing, house.owner, None, folder)
        yield settled(made, house.catch_up)


# What is as it was


def test_a_log_is_verified(steady: Desk) -> None:
    """Against what was held outside: all of it, and every checkpoint of its past."""
    said = steady.check(steady.log())
    assert (said.code, said.found[0]["count"], said.found[0]["verified"]) == (0, 12, 12)
    assert "VERIFIED" in said.text
    early = steady.check(
        steady.log(), "--checkpoint", str(steady.held[ENTRIES][0]), *steady.trust()[-2:]
    )
    assert (early.code, early.found[0]["verified"]) == (0, 8)


def test_an_archive_is_verified(steady: Desk) -> None:
    """Both trees, the checkpoints that came with it, every file."""
    said = steady.check(steady.archive(), *steady.trust(ENTRIES, LOOKS))
    assert said.code == 0, said.text
    entries, looks = said.found
    assert (entries["verified"], entries["signed"], entries["count"]) == (12, 12, 12)
    assert (looks["verified"], looks["count"]) == (5, 6)
    assert "1 are younger than any seal" in said.text
    alone = steady.check(steady.archive())
    assert (alone.code, alone.found[1]["verified"]) == (0, 0), "the looks are not called verified"


def test_a_bundle_is_verified(steady: Desk) -> None:
    """Each version by its proof, against the checkpoint that is held."""
    said = steady.check(steady.bundle())
    assert (said.code, said.found[0]["count"], said.found[0]["verified"]) == (0, 8, 8)


def test_a_bundle_is_compared_with_another_checkpoint_by_a_proof(desk: Desk) -> None:
    """Older or newer than its own; without the proof it says which one it takes."""
    older = ["--checkpoint", str(desk.held[ENTRIES][0]), *desk.trust()[-2:]]
    said = desk.check(desk.bundle(), *older)
    assert (said.code, said.verified) == (3, False)
    assert "/v1/ledger/consistency?from=8&to=12" in said.text
    who = desk.clinic.member()
    proof = desk.folder / "proof"
    proof.write_text(json.dumps(desk.container.ledger.consistency(who, ENTRIES, 8, 12)))
    assert desk.check(desk.bundle(), *older, "--consistency", str(proof)).code == 0
    wrong = desk.container.ledger.consistency(who, ENTRIES, 7, 12)
    proof.write_text(json.dumps({**wrong, "from": 8}))
    assert desk.check(desk.bundle(), *older, "--consistency", str(proof)).kind == "rewritten"
    bundle = desk.bundle()
    for _ in range(3):
        set_goal(desk.container, who, desk.plan)
    desk.sealing.seal()
    desk.held[ENTRIES] = []
    desk.hold()
    proof.write_text(json.dumps(desk.container.ledger.consistency(who, ENTRIES, 12)))
    assert desk.check(bundle, *desk.trust(), "--consistency", str(proof)).code == 0
    proof.write_text("{}")
    assert desk.check(bundle, *desk.trust(), "--consistency", str(proof)).kind == "damaged file"


def test_without_anything_held_nothing_is_verified(steady: Desk) -> None:
    """It is in order by itself; the exit code is neither that of success nor that of damage."""
    for export in (steady.log(), steady.archive(), steady.bundle()):
        place = steady.folder / "export"
        place.write_bytes(packed(export) if isinstance(export, dict) else export)
        said = run(steady.program, str(place))
        assert (said.code, said.verified) == (3, False)
        assert "NOT VERIFIED" in said.text


def test_entries_younger_than_the_seal_are_told_of(desk: Desk) -> None:
    """They are checked by their own leaves, and not called verified."""
    for _ in range(2):
        set_goal(desk.container, desk.clinic.member(), desk.plan)
    for export in (desk.log(), desk.archive(), desk.bundle()):
        said = desk.check(export)
        assert said.code == 0
        assert said.found[0]["verified"] == said.found[0]["count"] - 2
        assert "2 are younger than any seal" in said.text


def test_a_clinic_of_nothing_is_in_order(desk: Desk, new_clinic: Callable[..., Clinic]) -> None:
    """Its log has a heading and an end."""
    desk.clinic = new_clinic("Empty")
    desk.sealing.seal()
    desk.held = {}
    desk.hold()
    assert (desk.check(desk.log()).code, desk.check(desk.archive()).code) == (3, 3)


def test_a_witness_may_be_asked_for(desk: Desk) -> None:
    """A cosigned checkpoint is opened by the log's key, and the witness's signature must be good if it is named."""
    key = Ed25519PrivateKey.generate()
    witness = Signer("witness.example.org/w", WITNESS, key)
    place = desk.held[ENTRIES][-1]
    text, _, lines = place.read_text().partition("\n\n")
    line = witness.sign(text + "\n", 1_700_000_000).line()
    cosigned = f"{text}\n\n{lines}{line}"
    place.write_text(cosigned)
    assert desk.check(desk.log(), *desk.trust(), "--vkey", str(witness.vkey)).code == 0
    place.write_text(cosigned.replace("12\n", "13\n", 1))
    assert (
        desk.check(desk.log(), *desk.trust(), "--vkey", str(witness.vkey)).kind == "wrong signature"
    )


def test_it_runs_by_itself(steady: Desk) -> None:
    """In a process of its own, without the project: only cryptography and the standard library."""
    export = steady.folder / "log.ndjson"
    export.write_bytes(steady.log())
    copy = steady.folder / "copied" / "verify_history.py"
    copy.parent.mkdir()
    copy.write_bytes(PROGRAM.read_bytes())
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-I", "-W", "error", str(copy), str(export), *steady.trust()],
        cwd=steady.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "VERIFIED against the checkpoint you hold" in ran.stdout
    imported = {
        line.split()[1] for line in PROGRAM.read_text().splitlines() if line.startswith("from ")
    }
    assert {name.partition(".")[0] for name in imported} - set(sys.stdlib_module_names) == {
        "cryptography"
    }


@pytest.mark.parametrize("given", [[], ["nowhere"], ["--checkpoint", "x"]])
def test_wrong_usage_is_told(
    program: ModuleType, given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, as usual; a checkpoint needs the key it is signed with."""
    with pytest.raises(SystemExit) as ended:
        program.main(given)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


# Damage to a log, line by line


def lines_of(raw: bytes) -> list[bytes]:
    """The lines of a file."""
    return raw.splitlines(keepends=True)


def with_fields(line: bytes, **fields: Any) -> bytes:
    """A line with some of its fields another."""
    return json.dumps({**json.loads(line), **fields}).encode() + b"\n"


def reworded(clinic_id: UUID, line: bytes) -> bytes:
    """A line with another word, in what is read and in what is stored: sealed anew with the plan's own key."""
    held = json.loads(line)
    state = json.dumps(held["state"]).replace("Half", "Full")
    place = place_of_entry(clinic_id, held["plan_id"], held["version"], held["entry_id"])
    cipher = keys().cipher(UUID(held["key_id"]))
    assert cipher is not None
    stored = base64.b64encode(cipher.seal(state.encode(), place)).decode()
    return with_fields(line, stored=stored, state=json.loads(state))


def other_stored(line: bytes) -> bytes:
    """A line with another byte at the end of what is stored."""
    stored = base64.b64decode(json.loads(line)["stored"])
    return with_fields(line, stored=base64.b64encode(flipped(stored, -1, 1)).decode())


def renumbered(lines: list[bytes], first: int = 1) -> list[bytes]:
    """Lines with the positions they would have in this order."""
    return [with_fields(line, position=at) for at, line in enumerate(lines, start=first)]


Damage = Callable[[list[bytes]], list[bytes]]
LOG_DAMAGES: dict[str, tuple[Damage, str, str]] = {
    "another word": (lambda e: [*e[:4], other_stored(e[4]), *e[5:]], "changed", "entry 5"),
    "another word to be read only": (
        lambda e: [*e[:4], with_fields(e[4], state={}), *e[5:]], "changed", "entry 5",
    ),
    "true for 1": (
        lambda e: [*e[:4], with_fields(e[4], version=True), *e[5:]], "changed", "entry 5",
    ),
    "another time": (
        lambda e: [*e[:6], with_fields(e[6], recorded_at="2026-01-01T00:00:00Z"), *e[7:]], "changed", "entry 7",
    ),
    "another plan": (lambda e: [*e[:6], with_fields(e[6], plan_id=str(uuid4())), *e[7:]], "changed", "entry 7"),
    "another entry id": (lambda e: [*e[:6], with_fields(e[6], entry_id=str(uuid4())), *e[7:]], "changed", "entry 7"),
    "another kind": (lambda e: [*e[:6], with_fields(e[6], topic="plan.goal-met"), *e[7:]], "changed", "entry 7"),
    "another key": (lambda e: [*e[:6], with_fields(e[6], key_id=str(uuid4())), *e[7:]], "changed", "entry 7"),
    "another leaf": (lambda e: [*e[:6], with_fields(e[6], leaf="00" * 32), *e[7:]], "changed", "entry 7"),
    "missing": (lambda e: [*e[:4], *e[5:]], "missing", "entry 5"),
    "two missing": (lambda e: [*e[:4], *e[6:]], "missing", "entry 5"),
    "the first missing": (lambda e: e[1:], "missing", "entry 1"),
    "swapped": (lambda e: [*e[:4], e[5], e[4], *e[6:]], "moved", "entry 5"),
    "moved far": (lambda e: [*e[:4], *e[5:9], e[4], *e[9:]], "moved", "entry 5"),
    "twice": (lambda e: [*e[:5], e[4], *e[5:]], "inserted", "entry 6"),
    "another's slipped in": (
        lambda e: [*e[:5], with_fields(e[4], position=6, entry_id=str(uuid4()), leaf="07" * 32), *e[5:]],
        "inserted", "entry 6",
    ),
    "cut off": (lambda e: e[:9], "cut off", "entry 10"),
    "all gone": (lambda _: [], "cut off", "entry 1"),
    "no object": (lambda e: [*e[:4], b"[]\n", *e[5:]], "damaged file", "log, line 6"),
    "no JSON": (lambda e: [*e[:4], b"{\n", *e[5:]], "damaged file", "log, line 6"),
    "an empty line": (lambda e: [*e[:4], b"\n", *e[4:]], "damaged file", "log, line 6"),
    "a name twice": (lambda e: [*e[:4], b'{"version":1,' + e[4][1:], *e[5:]], "damaged file", "log, line 6"),
    "no position": (lambda e: [*e[:4], with_fields(e[4], position=None), *e[5:]], "damaged file", "entry 5"),
    "the last one more": (lambda e: [*e, with_fields(e[-1], position=13)], "inserted", "entry 13"),
}  # fmt: skip


@pytest.mark.parametrize("what", LOG_DAMAGES)
def test_every_damage_to_a_log_is_named(steady: Desk, what: str) -> None:
    """In a log alone, and in an archive, whose sealed leaves say it as well."""
    damage, kind, where = LOG_DAMAGES[what]
    heading, *entries, end = lines_of(steady.log())
    damaged = b"".join([heading, *damage(entries), end])
    said = steady.check(damaged)
    assert (said.code, said.kind, said.where) == (1, kind, where), said.text
    files = steady.archive()
    said = steady.check(fitting({**files, "clinic.ndjson": damaged}))
    assert (said.kind, said.where) == (kind, where), said.text


def test_rows_that_were_renumbered_are_named_by_the_sealed_leaves(steady: Desk) -> None:
    """Somebody who removes, slips in or swaps and then gives every row its new number."""
    files = steady.archive()
    heading, *entries, end = lines_of(files["clinic.ndjson"])
    fake = with_fields(entries[4], entry_id=str(uuid4()), leaf="07" * 32)
    for damage, kind in (
        ([*entries[:4], *entries[5:]], "missing"),
        ([*entries[:4], fake, *entries[4:]], "inserted"),
        ([*entries[:4], entries[7], *entries[5:7], entries[4], *entries[8:]], "moved"),
    ):
        damaged = b"".join([heading, *renumbered(damage), end])
        said = steady.check(fitting({**files, "clinic.ndjson": damaged}))
        assert (said.kind, said.where) == (kind, "entry 5"), said.text


def test_what_stands_around_the_entries_counts_too(steady: Desk) -> None:
    """Heading and end: another clinic, another count, another name, no end, a wrong end, a cut line."""
    raw = steady.log()
    heading, *entries, end = lines_of(raw)
    for changed, kind in (
        ([with_fields(heading, clinic_id=str(uuid4())), *entries, end], "other clinic"),
        ([with_fields(heading, entries=13), *entries, end], "cut off"),
        ([with_fields(heading, entries=11), *entries, end], "inserted"),
        ([with_fields(heading, name="Another name"), *entries, end], "damaged file"),
        ([with_fields(heading, format="something"), *entries, end], "damaged file"),
        ([*entries, end], "damaged file"),
        ([heading, *entries], "damaged file"),
        ([heading, *entries, with_fields(end, sha256="00" * 32)], "damaged file"),
        ([heading, *entries, end, end], "damaged file"),
        ([], "damaged file"),
    ):
        said = steady.check(b"".join(changed))
        assert (said.code, said.kind) == (1, kind), said.text
    for cut in (1, 40, len(end) + 30):
        assert steady.check(raw[:-cut]).code == 1


def without(line: bytes, name: str) -> bytes:
    """A line that lacks a field."""
    held = json.loads(line)
    held.pop(name, None)
    return json.dumps(held).encode() + b"\n"


def test_words_are_those_that_were_sealed(steady: Desk) -> None:
    """They are opened with the key that came along; without it they are never called verified."""
    files = steady.bundle()
    first, *later = lines_of(files["entries.ndjson"])
    bare = without(first, "key")
    said = steady.check(fitting(version(files, lambda _: [bare, *later])))
    assert (said.code, said.found[0]["verified"]) == (3, 8)
    assert "WORDS NOT VERIFIED: no key came along for those of 8" in said.text
    untold = [with_fields(line, state=None) for line in (bare, *later)]
    said = steady.check(fitting(version(files, lambda _: untold)))
    assert said.code == 0
    assert "The words of 8 are not told here" in said.text
    gone = [with_fields(line, state=None) for line in (first, *later)]
    gone[0] = with_fields(gone[0], key=None)
    said = steady.check(fitting(version(files, lambda _: gone)))
    assert said.code == 0
    assert "erased" in said.text
    for other in (
        with_fields(first, key=base64.b64encode(b"k" * 32).decode()),
        with_fields(first, key=None),
        with_fields(first, key="?"),
        with_fields(first, key_id=None),
    ):
        damaged = fitting(version(files, lambda _, other=other: [other, *later]))  # type: ignore[misc]
        said = steady.check(damaged)
        assert (said.code, said.kind, said.where) == (1, "changed", "version 1"), said.text


def test_a_record_without_keys_is_verified(
    desk: Desk, container: Container, new_clinic: Callable[..., Clinic]
) -> None:
    """What is stored is plain JSON, and what is told is the same to the letter."""
    desk.clinic = new_clinic("Plain")
    desk.sealing.restore(desk.clinic, 1_000)
    desk.sealing.seal()
    desk.held = {}
    desk.hold()
    assert desk.check(desk.log()).code == 0
    heading, first, *rest = lines_of(desk.log())
    changed = b"".join([heading, with_fields(first, state={"a": 1}), *rest])
    assert desk.check(changed).where == "entry 1"


def test_an_older_export_is_said_to_be_one(steady: Desk) -> None:
    """It lacks what is stored: nothing can be checked by it, and the program says to export again."""
    heading, *entries, end = lines_of(steady.log())
    older = []
    for line in entries:
        held = json.loads(line)
        del held["stored"], held["key_id"]
        older.append(json.dumps(held).encode() + b"\n")
    said = steady.check(b"".join([heading, *older, end]))
    assert said.code == 1
    assert "export again" in said.text


# Damage to bundles and archives


def version(files: Files, change: Damage) -> Files:
    """A bundle with its entries another, and a manifest that fits."""
    return {**files, "entries.ndjson": b"".join(change(lines_of(files["entries.ndjson"])))}


BUNDLE_DAMAGES: dict[str, tuple[Callable[[Files], Files], str, str]] = {
    "another word": (lambda f: version(f, lambda e: [*e[:2], other_stored(e[2]), *e[3:]]), "changed", "version 3"),
    "another word to be read": (
        lambda f: version(f, lambda e: [*e[:2], with_fields(e[2], state={}), *e[3:]]), "changed", "version 3",
    ),
    "missing": (lambda f: version(f, lambda e: [*e[:2], *e[3:]]), "missing", "version 3"),
    "swapped": (lambda f: version(f, lambda e: [*e[:2], e[3], e[2], *e[4:]]), "moved", "version 3"),
    "twice": (lambda f: version(f, lambda e: [*e[:3], e[2], *e[3:]]), "inserted", "version 4"),
    "cut off": (lambda f: version(f, lambda e: e[:5]), "cut off", "version 6"),
    "no entries": (lambda f: version(f, lambda _: []), "cut off", "version 1"),
    "no proofs": (lambda f: {**f, "proofs.ndjson": b""}, "rewritten", "version 1"),
    "a proof less": (
        lambda f: {**f, "proofs.ndjson": b"".join(lines_of(f["proofs.ndjson"])[:-1])}, "rewritten", "version 8",
    ),
    "another path": (
        lambda f: {**f, "proofs.ndjson": f["proofs.ndjson"].replace(b'"path":["', b'"path":["AAAA', 1)},
        "rewritten", "version 1",
    ),
    "another checkpoint": (
        lambda f: {**f, "checkpoint.txt": f["checkpoint.txt"].replace(b"\n12\n", b"\n13\n")},
        "wrong signature", "checkpoint.txt",
    ),
    "no checkpoint text": (lambda f: {**f, "checkpoint.txt": b"\n"}, "damaged file", "checkpoint.txt"),
}  # fmt: skip


@pytest.mark.parametrize("what", BUNDLE_DAMAGES)
def test_every_damage_to_a_bundle_is_named(steady: Desk, what: str) -> None:
    """Though its manifest was made to fit."""
    damage, kind, where = BUNDLE_DAMAGES[what]
    said = steady.check(fitting(damage(steady.bundle())))
    assert (said.code, said.kind, said.where) == (1, kind, where), said.text


def test_a_bundle_says_whose_it_is(steady: Desk, new_clinic: Callable[..., Clinic]) -> None:
    """Of another clinic than what is held, or with another plan's entries under its name."""
    files = steady.bundle()
    manifest = json.loads(files["manifest.json"])
    for changed, kind in (
        ({"clinic_id": str(new_clinic("Other").clinic_id)}, "other clinic"),
        ({"plan_id": str(uuid4())}, "inserted"),
        ({"version": 9}, "cut off"),
        ({"version": 7}, "inserted"),
        ({"format": "something"}, "damaged file"),
    ):
        other = json.dumps({**manifest, **changed}).encode()
        assert steady.check(fitting({**files, "manifest.json": other})).kind == kind, changed


def forged(desk: Desk, files: Files, key: Ed25519PrivateKey, shift: int = -1) -> Files:
    """A bundle of one changed entry, its leaves and a tree of its own all made to fit, signed with a key.

    A leaf's index is its entry's position and ``shift``.
    """
    program, clinic = desk.program, desk.clinic.clinic_id
    rows = [json.loads(line) for line in lines_of(files["entries.ndjson"])]
    rows[2] = json.loads(reworded(clinic, json.dumps(rows[2]).encode()))
    previous, leaves = None, [b"\x00" * 32] * 12
    for row in rows:
        previous = program.entry_leaf(clinic.bytes, row, previous)
        row["leaf"] = previous.hex()
        leaves[(row["position"] + shift) % 12] = previous
    proofs = [
        {
            "position": index + 1,
            "leaf": row["leaf"],
            "path": paths(leaves, index),
        }
        for row in rows
        for index in [(row["position"] + shift) % 12]
    ]
    origin = f"plan-history/{clinic}/entries"
    note = sign(Checkpoint(origin, 12, program.root_of(leaves)).text(), [Signer(origin, LOG, key)])
    return {
        **files,
        "entries.ndjson": b"".join(json.dumps(row).encode() + b"\n" for row in rows),
        "proofs.ndjson": b"".join(json.dumps(proof).encode() + b"\n" for proof in proofs),
        "checkpoint.txt": str(note).encode(),
        "vkeys.txt": str(Signer(origin, LOG, key).vkey).encode(),
    }


def paths(leaves: list[bytes], index: int) -> list[str]:
    """The audit path of a leaf, as a proof writes it."""
    from service.ledger.tree import inclusion, root_of  # noqa: PLC0415 - only the forger needs them

    found = [root_of(leaves[start:end]) for start, end in inclusion(index, len(leaves))]
    return [base64.b64encode(held).decode() for held in found]


def test_a_forged_bundle_is_found_by_key_or_by_what_is_held(steady: Desk) -> None:
    """Everything in it fits together; the signature is another's, or the checkpoint is not the one held.

    Control: whoever holds nothing finds it in order, and is told that nothing was verified.
    """
    files = steady.bundle()
    stranger = fitting(forged(steady, files, Ed25519PrivateKey.generate()))
    assert steady.check(stranger).kind == "wrong signature"
    sealers_own = fitting(forged(steady, files, steady.sealing.key))
    said = steady.check(sealers_own)
    assert (said.kind, said.where) == ("rewritten", "checkpoint.txt")
    place = steady.folder / "export"
    place.write_bytes(stranger)
    assert run(steady.program, str(place)).code == 3


def test_a_leaf_in_another_place_than_its_entrys_is_no_proof(steady: Desk) -> None:
    """A log that seals entries out of their order could show others another one."""
    place = steady.folder / "export"
    for shift, found in ((-1, (3, None)), (0, (1, "rewritten"))):
        made = forged(steady, steady.bundle(), steady.sealing.key, shift)
        place.write_bytes(fitting(made))
        said = run(steady.program, str(place))
        assert (said.code, said.kind) == found, said.text


LEAF_AGAIN = """
UPDATE entries e SET leaf = entry_leaf(clinic_id, position, entry_id, plan_id, version, topic, recorded_at, key_id,
    state, (SELECT leaf FROM entries p WHERE p.plan_id = e.plan_id AND p.version = e.version - 1)) WHERE position = %s
"""


def resealed_archive(desk: Desk) -> Files:
    """A clinic whose history was rewritten in the database, sealed anew with the sealer's own key."""
    line = reworded(desk.clinic.clinic_id, lines_of(desk.log())[10])
    stored = base64.b64decode(json.loads(line)["stored"])
    desk.owner.execute("UPDATE entries SET state = %s WHERE position = 10", [stored])
    for position in (10, 11, 12):
        desk.owner.execute(LEAF_AGAIN, [position])
    for name in ("log_tiles", "checkpoints", "sealed_looks"):
        desk.owner.execute(f"DELETE FROM {name}".encode())
    (desk.sealing.folder / "seen").unlink()
    desk.sealing.seal()
    heading, lines = export_lines(desk.owner, desk.clinic.clinic_id, keys())
    from service.ledger.evidence import leaves, sealed_head  # noqa: PLC0415 - as above

    head = sealed_head(desk.owner, desk.clinic.clinic_id, ENTRIES)
    assert head is not None
    return {
        "clinic.ndjson": b"".join(whole_log(heading, lines)),
        "access-log.ndjson": json.dumps(
            {"format": "plan-history/access-log/v1", "clinic_id": str(desk.clinic.clinic_id)}
        ).encode() + b"\n",
        "ledger/entries.checkpoint": str(head.note).encode(),
        "ledger/entries.vkeys": str(head.vkeys[0]).encode(),
        "ledger/entries.leaves": b"".join(leaves(desk.owner, head)),
        "manifest.json": json.dumps(
            {"format": "plan-history/clinic/v1", "clinic_id": str(desk.clinic.clinic_id)}
        ).encode(),
    }  # fmt: skip


def test_a_rewritten_clinic_is_found_by_what_was_held(desk: Desk) -> None:
    """Rows, leaves, tree and signature all fit; the checkpoint held does not, and brackets where it began."""
    files = fitting(resealed_archive(desk))
    said = desk.check(files)
    assert (said.kind, said.where) == ("rewritten", "entry 9"), said.text
    assert "the first 8 are" in said.text
    place = desk.folder / "export"
    place.write_bytes(files)
    assert run(desk.program, str(place)).code == 3, "control: by itself it is in order"


def look_lines(files: Files, change: Damage) -> Files:
    """An archive with its looks another."""
    heading, *looks = lines_of(files["access-log.ndjson"])
    return {**files, "access-log.ndjson": b"".join([heading, *change(looks)])}


LOOK_DAMAGES: dict[str, tuple[Damage, str, str]] = {
    "who": (lambda e: [with_fields(e[0], name="Somebody Else"), *e[1:]], "changed", "look 1"),
    "what": (lambda e: [*e[:2], with_fields(e[2], version=99), *e[3:]], "changed", "look 3"),
    "none for empty": (lambda e: [*e[:2], with_fields(e[2], address=""), *e[3:]], "changed", "look 3"),
    "missing": (lambda e: [*e[:2], *e[3:]], "missing", "look 3"),
    "swapped": (lambda e: [e[1], e[0], *e[2:]], "moved", "look 1"),
    "twice": (lambda e: [e[0], e[0], *e[1:]], "inserted", "look 2"),
    "cut off": (lambda e: e[:4], "cut off", "look 5"),
    "no place": (lambda e: [with_fields(e[0], index="0"), *e[1:]], "changed", "access log"),
}  # fmt: skip


@pytest.mark.parametrize("what", LOOK_DAMAGES)
def test_every_damage_to_the_access_log_is_named(steady: Desk, what: str) -> None:
    """In an archive, whatever its manifest says."""
    damage, kind, where = LOOK_DAMAGES[what]
    files = look_lines(steady.archive(), damage)
    said = steady.check(fitting(files), *steady.trust(ENTRIES, LOOKS))
    assert (said.code, said.kind, said.where) == (1, kind, where), said.text


def test_what_is_told_beside_the_entries_is_under_the_manifest(steady: Desk) -> None:
    """Another table, another page, a file more, a file less, one twice, another manifest: a damaged file."""
    files = steady.archive()
    for name in sorted(files.keys() - {"manifest.json", "clinic.ndjson", "access-log.ndjson"}):
        less = {one: held for one, held in files.items() if one != name}
        said = steady.check(less, *steady.trust(ENTRIES, LOOKS))
        assert (said.code, said.kind) == (1, "damaged file"), (name, said.text)
    assert steady.check({**files, "more.txt": b"x"}).kind == "damaged file"
    assert steady.check({**files, "tables/timeline.csv": b"x"}).where == "tables/timeline.csv"
    told = files["manifest.json"].replace(b"Test clinic", b"Best clinic")
    assert steady.check({**files, "manifest.json": told}).where == "manifest.json"
    twice = io.BytesIO(packed(files))
    with zipfile.ZipFile(twice, "a") as held, pytest.warns(UserWarning, match="Duplicate"):
        held.writestr("clinic.ndjson", files["clinic.ndjson"])
    assert steady.check(twice.getvalue()).kind == "damaged file"
    assert steady.check(b"PK\x03\x04 and no more").kind == "damaged file"


def test_nothing_makes_it_stumble(steady: Desk) -> None:
    """Whatever is in a manifest, a proof or a row: it is called damaged, and no traceback is shown."""
    odds: list[Any] = [None, 7, [], {}, "x", {"files": []}, {"files": {"a": 1}}]
    for files in (steady.archive(), steady.bundle()):
        for odd in odds:
            for name in files:
                if name == "manifest.json" or name.endswith(".ndjson"):
                    said = steady.check(
                        fitting_or_not({**files, name: json.dumps(odd).encode() + b"\n"})
                    )
                    assert said.code == 1


def fitting_or_not(files: Files) -> bytes:
    """With a manifest that fits, if there can be one."""
    try:
        return fitting(files)
    except (TypeError, AttributeError, ValueError):
        return packed(files)


# Every single byte


def flipped(raw: bytes, at: int, mask: int) -> bytes:
    """Bytes with one of them another."""
    other = bytearray(raw)
    other[at] ^= mask
    return bytes(other)


def test_every_single_byte_of_a_log_counts(steady: Desk) -> None:
    """Every byte, with the lowest bit, the one of upper and lower case, and the highest another."""
    raw = steady.log()
    rng, missed = Random(3), []
    places = range(len(raw)) if len(raw) < 3_000 else sorted(rng.sample(range(len(raw)), 3_000))
    for at in places:
        other = flipped(raw, at, rng.choice([0x01, 0x20, 0x80]))
        if quick(steady, other) != 1:
            missed.append((at, raw[at - 20 : at + 20]))
    assert not missed


def quick(desk: Desk, export: bytes) -> int:
    """The exit code, without a second run."""
    place = desk.folder / "export"
    place.write_bytes(export)
    with contextlib.redirect_stdout(io.StringIO()):
        return int(desk.program.main([str(place), *desk.trust()]))


@pytest.mark.parametrize("kind", ["bundle", "archive"])
def test_every_single_byte_of_an_archive_counts(steady: Desk, kind: str) -> None:
    """In the zip file as it was made: it is found, or every file in it is as it was to the last byte."""
    files = steady.bundle() if kind == "bundle" else steady.archive()
    raw, rng = fitting(files), Random(5)
    assert quick(steady, raw) == 0
    untouched = 0
    for at in rng.sample(range(len(raw)), min(len(raw), 1_500)):
        other = flipped(raw, at, 1 << rng.randrange(8))
        if quick(steady, other) != 1:
            assert unpacked(other) == unpacked(raw), at
            untouched += 1
    assert untouched < 300, "only dates, versions and the like may go unnoticed"


@pytest.mark.parametrize("kind", ["bundle", "archive"])
def test_every_single_byte_of_every_file_counts(steady: Desk, kind: str) -> None:
    """In each file of a bundle and of an archive, packed again as it then is."""
    files = steady.bundle() if kind == "bundle" else steady.archive()
    rng = Random(11)
    for name, held in files.items():
        for at in rng.sample(range(len(held)), min(len(held), 40)):
            other = {**files, name: flipped(held, at, 1 << rng.randrange(8))}
            assert quick(steady, packed(other)) == 1, (name, at, held[at - 20 : at + 20])


# Controls: a verifier that skips a check is noticed by what is above


def test_a_verifier_that_skips_a_check_is_noticed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each check, taken out, lets through what the tests above have it find."""
    program = desk.program
    heading, *entries, end = lines_of(desk.log())
    changed = b"".join(
        [heading, *entries[:4], reworded(desk.clinic.clinic_id, entries[4]), *entries[5:], end]
    )
    honest = {"leaf": program.entry_leaf, "fits": program.Rows.fits}
    claimed = iter([bytes.fromhex(json.loads(line)["leaf"]) for line in entries] * 4)
    skipped: dict[str, tuple[str, Any, bytes | Files]] = {
        "leaves": ("entry_leaf", lambda *_: next(claimed), changed_but_ended(desk, changed)),
        "roots": ("compare", lambda *_: None, fitting(resealed_archive(desk))),
    }
    for what, (name, instead, export) in skipped.items():
        assert desk.check(export).code == 1, what
        with monkeypatch.context() as patch:
            patch.setattr(program, name, instead)
            place = desk.folder / "export"
            place.write_bytes(packed(export) if isinstance(export, dict) else export)
            with contextlib.redirect_stdout(io.StringIO()):
                assert program.main([str(place), *desk.trust()]) == 0, what
    assert honest["leaf"] is program.entry_leaf


def changed_but_ended(desk: Desk, raw: bytes) -> bytes:
    """A changed log whose last line was made to fit."""
    *lines, _ = lines_of(raw)
    return b"".join([*lines, desk.program.log_end(b"".join(lines))])


def test_signatures_that_are_not_checked_are_noticed(
    steady: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: a verifier that takes any signature takes a stranger's bundle as far as its own checkpoint."""
    stranger = forged(steady, steady.bundle(), Ed25519PrivateKey.generate())
    stranger["checkpoint.txt"] = stranger["checkpoint.txt"].replace(b"\n12\n", b"\n12\n")
    monkeypatch.setattr(steady.program.Key, "signed", lambda *_: True)
    note = stranger["checkpoint.txt"].decode()
    vkey = steady.sealing.vkey(steady.clinic.clinic_id)
    value = base64.b64encode(vkey.key_id + b"\x00" * 64).decode()
    body = note.partition("\n\n")[0]
    stranger["checkpoint.txt"] = f"{body}\n\n\u2014 {vkey.name} {value}\n".encode()
    said = steady.check(fitting(stranger))
    assert said.kind == "rewritten", "then only what is held outside finds it"


def test_a_plan_of_ten_thousand_entries_is_checked_in_seconds(
    program: ModuleType,
    clinic: Clinic,
    sealing: Sealing,
    owner: Owner,
    tmp_path: Path,
    container: Container,
) -> None:
    """The log of a clinic of 10,000 entries, against the checkpoint held."""
    sealing.restore(clinic, 10_000)
    sealing.seal()
    held = Desk(program, container, clinic, sealing, owner, None, tmp_path)
    held.hold()
    said = held.check(held.log())
    assert (said.code, said.found[0]["verified"]) == (0, 10_000)
    open_plan(container, clinic.member())
