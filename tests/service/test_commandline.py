"""The command line: what operators type, what they read, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from domain.entry import EVERY_TYPE, TYPES, EntryData, Reason
from domain.holds import LegalHoldLifted, LegalHoldPlaced
from domain.people import MemberLeft, MemberRoleChanged
from domain.proposals import ChangeProposed
from projections import ALL
from service.access import Principal
from service.commandline.main import cli
from service.container import Container
from service.embedded import EmbeddedPostgres
from service.errors import NotSignedInError
from service.migrate import migrations
from service.recording import Draft, Request
from service.tokens import Tokens
from tests.conftest import Clinic
from tests.service.commands import MISUSED, REFUSED, UNAVAILABLE, Run, Said
from tests.service.recording import open_plan, poison, stored

# Clinics and tokens


def test_a_clinic_is_created_and_listed(here: Run, container: Container) -> None:
    """Its id comes back, and the list shows it with the length of its log."""
    assert here("clinic", "list").out.startswith("There are no clinics yet")
    made = UUID(here("clinic", "create", "North Clinic").out.strip())
    rehearsal = here("clinic", "create", "Drill", "--rehearsal", "--json").shown
    open_plan(container, Clinic(made, None).member())  # type: ignore[arg-type] # no owner is needed
    found = {held["clinic_id"]: held for held in here("clinic", "list", "--json").shown}
    assert found[str(made)] | {"created_at": None} == {
        "clinic_id": str(made),
        "name": "North Clinic",
        "rehearsal": False,
        "created_at": None,
        "position": 1,
    }
    assert found[rehearsal["clinic_id"]]["rehearsal"] is True
    heading, *lines = here("clinic", "list").out.splitlines()
    assert heading.split() == ["clinic_id", "name", "rehearsal", "created_at", "position"]
    assert len(lines) == 2


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
def test_an_unusable_name_is_refused(here: Run, name: str) -> None:
    """A clinic needs a name that can be shown."""
    said = here("clinic", "create", name)
    assert (said.code, said.out) == (REFUSED, "")
    assert "/name" in said.err


def test_a_token_works_until_it_is_revoked(here: Run, clinic: Clinic, container: Container) -> None:
    """It is shown once, signs its member in, appears in the list without its text, and ends."""
    member = uuid4()
    given = ("--clinic", clinic.clinic_id, "--name", "Robin", "--role", "clinician")
    token = here("token", "issue", *given, "--member", member).out.strip()
    principal = container.tokens.principal(token)
    assert (principal.clinic_id, principal.member_id, principal.role) == (
        clinic.clinic_id,
        member,
        "clinician",
    )
    listed = here("token", "list", "--clinic", clinic.clinic_id, "--json")
    assert token not in listed.out
    assert [held["name"] for held in listed.shown] == ["Robin"]
    revoked = here("token", "revoke", principal.token_id)
    assert revoked.out == f"Revoked {principal.token_id}.\n"
    with pytest.raises(NotSignedInError, match="revoked"):
        Tokens(container.database).principal(token)
    again = here("token", "revoke", principal.token_id)
    assert (again.code, again.out) == (REFUSED, "")
    assert "see plan-history token list" in again.err


def test_a_token_is_for_a_clinic_and_a_role_that_exist(here: Run, clinic: Clinic) -> None:
    """An unknown clinic is a sentence with the next step, an unknown role shows the known ones."""
    nowhere = here("token", "issue", "--clinic", uuid4(), "--name", "Robin", "--role", "clinician")
    assert nowhere.code == REFUSED
    assert "see plan-history clinic list" in nowhere.err
    nobody = here(
        "token", "issue", "--clinic", clinic.clinic_id, "--name", "Robin", "--role", "king"
    )
    assert nobody.code == MISUSED
    assert "supervisor" in nobody.err
    assert here("token", "list").out == "There are no tokens.\n"


# Projections


def test_projections_are_shown_stopped_and_resumed(
    here: Run, container: Container, clinic: Clinic, catch_up: Callable[[], int]
) -> None:
    """An operator sees how far each is, where one stopped and why, and lets it go on."""
    assert here("projections").out == "No projection has started yet.\n"
    open_plan(container, clinic.member())
    position = poison(clinic.owner, clinic.clinic_id)
    catch_up()
    found = here("projections", "--json").shown
    assert {held["projection"] for held in found} == {held.name for held in ALL}
    for held in found:
        assert (held["position"], held["behind"], held["stopped_at"]) == (1, 1, position)
        assert f"at position {position}" in held["stopped_why"]
    assert "UnknownEntryTypeError in timeline at position 2" in here("projections").out
    for name in ("timeline", "current_plans"):
        resumed = here("projections", "resume", name, "--clinic", clinic.clinic_id, "--json")
        assert resumed.shown == {"resumed": 1}
    assert here("projections", "resume", "timeline").out == "0 clinic(s) go on.\n"


def test_a_webhook_is_made_for_types_it_can_tell_of(here: Run, clinic: Clinic) -> None:
    """Of the clinic's own entries nobody is told: the choice has plans' types alone."""
    create = ("webhook", "create", "--clinic", clinic.clinic_id, "https://example.org/hook")
    said = here(*create, "--type", "MemberJoined")
    assert (said.code, said.out) == (MISUSED, "")
    offered = said.err.partition("'MemberJoined' is not one of")[2]
    assert {name for name in EVERY_TYPE if f"'{name}'" in offered} == TYPES.keys()


@pytest.mark.parametrize("command", [("rebuild",), ("projections", "resume")])
def test_an_unknown_projection_names_the_known_ones(here: Run, command: tuple[str, ...]) -> None:
    """Who mistypes a projection's name reads which there are."""
    said = here(*command, "timelime")
    assert (said.code, said.out) == (REFUSED, "")
    assert "There is no projection 'timelime'; there are: current_plans, timeline" in said.err


def test_a_projection_is_rebuilt(here: Run, container: Container, clinic: Clinic) -> None:
    """A rebuild says what it did; at a poison entry it refuses and says what to do."""
    open_plan(container, clinic.member())
    assert here("rebuild", "timeline").out.startswith("timeline was rebuilt from 1 entries")
    assert here("rebuild", "timeline", "--json").shown == {"projection": "timeline", "entries": 1}
    poison(clinic.owner, clinic.clinic_id)
    said = here("rebuild", "timeline")
    assert (said.code, said.out) == (REFUSED, "")
    assert "the live table is untouched" in said.err
    assert "plan-history projections resume timeline:new" in said.err


# Export and import


@pytest.fixture
def second(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    """Another migrated database."""
    name = f"second_{uuid4().hex}"
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        conn.execute(make.format(sql.Identifier(name), sql.Identifier(template)))
        yield server.dsn(name)
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_an_export_is_imported_elsewhere(
    here: Run,
    container: Container,
    clinic: Clinic,
    second: str,
    tmp_path: Path,
    *,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Through a file or a pipe, a clinic arrives; a second time there is nothing left to do."""
    open_plan(container, clinic.member())
    file = tmp_path / "clinic.ndjson"
    written = here("export", "--clinic", clinic.clinic_id, "-o", file)
    assert (written.out, written.err) == ("", "1 entries exported.\n")
    piped = here("export", "--clinic", clinic.clinic_id).out.encode()
    assert piped.splitlines()[1:-1] == file.read_bytes().splitlines()[1:-1]
    monkeypatch.setenv("DATABASE_URL", second)
    assert here("import", "-", "--json", typed=piped).shown == {
        "clinic_id": str(clinic.clinic_id),
        "imported": 1,
        "known": 0,
    }
    assert "0 entries imported, 1 were there." in here("import", file).out
    damaged = file.read_bytes().replace(b"hard", b"easy")
    assert damaged != file.read_bytes()
    said = here("import", "-", typed=damaged)
    assert (said.code, said.out) == (REFUSED, "")
    assert "/line/2: This entry is not as it was exported" in said.err


def test_a_damaged_import_names_the_line(
    here: Run, container: Container, clinic: Clinic, second: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed word is refused with its line, and nothing is kept."""
    open_plan(container, clinic.member())
    piped = here("export", "--clinic", clinic.clinic_id).out.encode()
    monkeypatch.setenv("DATABASE_URL", second)
    said = here("import", "-", typed=piped.replace(b"hard", b"easy"))
    assert (said.code, said.out) == (REFUSED, "")
    assert "/line/2: This entry is not as it was exported" in said.err
    with psycopg.connect(second) as conn:
        conn.execute("SET search_path = plan_history")
        assert stored(conn, clinic.clinic_id) == []


def test_an_export_of_nothing_overwrites_nothing(here: Run, tmp_path: Path) -> None:
    """A mistyped clinic leaves an earlier export as it was."""
    file = tmp_path / "clinic.ndjson"
    file.write_text("precious")
    said = here("export", "--clinic", uuid4(), "-o", file)
    assert said.code == REFUSED
    assert "see plan-history clinic list" in said.err
    assert file.read_text() == "precious"


# Doctor and migrate


def test_the_doctor_finds_everything_in_order(here: Run, database_url: str) -> None:
    """With nothing to do it says so, shows the settings, and never a password."""
    said = here("doctor")
    assert (said.code, said.out.splitlines()[-1]) == (0, "Everything is in order.")
    assert "database_url = (set, hidden)" in said.out
    shown = here("doctor", "--json").shown
    assert (shown["findings"], shown["health"]["ready"]) == ([], True)
    assert str(conninfo_to_dict(database_url)["password"]) not in said.out + json.dumps(shown)


def test_the_doctor_names_what_needs_attention(
    here: Run, clinic: Clinic, container: Container, catch_up: Callable[[], int]
) -> None:
    """A stopped projection and a pending migration are findings, each with its next step."""
    open_plan(container, clinic.member())
    poison(clinic.owner, clinic.clinic_id)
    catch_up()
    said = here("doctor")
    assert said.code == REFUSED
    assert "! timeline has stopped for 1 clinic(s): see plan-history projections." in said.out
    clinic.owner.execute("DELETE FROM migrations WHERE name = '001_clinics.sql'")
    shown = here("doctor", "--json")
    assert shown.code == REFUSED
    assert shown.shown["findings"] == ["Migrations are pending: run plan-history migrate."]


def test_migrating_again_changes_nothing(here: Run) -> None:
    """On a database of this version there is nothing to apply."""
    assert here("migrate").out == "The database is up to date.\n"
    assert here("migrate", "--json").shown == {"applied": []}


@pytest.fixture
def bare(server: EmbeddedPostgres, run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs it on a database nobody has migrated."""
    name = f"bare_{uuid4().hex}"
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        monkeypatch.setenv("DATABASE_URL", server.dsn(name))
        yield run
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_a_database_without_tables_is_migrated(bare: Run, template: str) -> None:
    """Before, every command says what to run; after, they work."""
    said = bare("clinic", "list")
    assert (said.code, said.out) == (REFUSED, "")
    assert "run plan-history migrate" in said.err
    assert "! Migrations are pending: run plan-history migrate." in bare("doctor").out
    assert bare("migrate").out.splitlines() == [f"applied {step.name}" for step in migrations()]
    assert bare("clinic", "list").code == 0


# Two people


@dataclass(frozen=True)
class Hall:
    """A clinic's people, from the command line."""

    run: Run
    clinic_id: UUID

    def __call__(self, *given: object) -> Said:
        """A command about the clinic."""
        return self.run(*given, "--clinic", self.clinic_id)

    def join(self, name: str, role: str) -> str:
        """Somebody joins; their id."""
        return self("member", "add", "--name", name, "--role", role).out.strip()

    def proposals(self, *given: object) -> Any:
        """The proposals there are."""
        return self("clinic", "proposals", "list", "--json", *given).shown


@pytest.fixture
def hall(here: Run, clinic: Clinic) -> Hall:
    """A clinic with an admin and a privacy officer who could approve something."""
    hall = Hall(here, clinic.clinic_id)
    hall.join("Ada Sample", "admin")
    hall.join("Juniper Sample", "privacy_officer")
    return hall


def test_where_two_people_change_things_a_command_proposes(
    hall: Hall, container: Container, clinic: Clinic
) -> None:
    """With the reason it asks for; the operator approves nothing of that, and may take it back."""
    on = ("clinic", "policy", clinic.clinic_id, "--two-people", "true", "--why", "The team's wish")
    assert hall.run(*on, "--json").shown["two_people"] is True
    adding = ("member", "add", "--name", "Aster Sample", "--role", "clinician")
    bare = hall(*adding)
    assert (bare.code, bare.out) == (REFUSED, "")
    assert "say --why, and it is proposed" in bare.err
    said = hall(*adding, "--why", "She begins in March")
    assert said.out.startswith("Proposed: it is recorded once somebody else approves it")
    [one] = hall.proposals()
    assert (one["status"], one["entries"][0]["type"]) == ("open", "MemberJoined")
    mine = hall("clinic", "proposals", "approve", one["proposal_id"])
    assert mine.code == REFUSED
    assert "proposed themselves" in mine.err
    officer = clinic.member("privacy_officer", "Juniper Sample")
    container.proposals.approve(officer, UUID(one["proposal_id"]), None, Request())
    assert "Aster Sample" in hall("member", "list").out
    off = ("clinic", "policy", clinic.clinic_id, "--two-people", "false", "--why", "Too slow")
    assert hall.run(*off).out.startswith("Proposed")
    [waiting] = hall.proposals("--status", "open")
    assert hall("clinic", "proposals", "withdraw", waiting["proposal_id"]).out == "Withdrawn.\n"
    assert hall.proposals("--status", "open") == []


def test_the_operator_decides_on_what_others_propose(
    hall: Hall, container: Container, clinic: Clinic
) -> None:
    """As an admin: approves, declines with a reason, reads who said what – and lifts no legal hold."""
    trainee = hall.join("Hazel Sample", "clinician")
    ada, officer = clinic.member("admin", "Ada"), clinic.member("privacy_officer", "Juniper")

    def proposed(by: Principal, data: EntryData) -> str:
        drafts, why = [Draft(data=data)], Reason(text="It is time")
        done = container.proposals.propose(by, drafts, why, Request())
        assert isinstance(done.entries[0].data, ChangeProposed)
        return done.entries[0].data.proposal_id

    change = MemberRoleChanged(member_id=trainee, credential="LMFT")
    done = hall("clinic", "proposals", "approve", proposed(ada, change))
    assert done.out == "Approved. Recorded: MemberRoleChanged.\n"
    other = proposed(ada, MemberLeft(member_id=trainee))
    assert hall("clinic", "proposals", "decline", other).code == MISUSED
    declined = hall("clinic", "proposals", "decline", other, "--why", "She stays", "--json")
    assert declined.shown["recorded"] == []
    told = hall("clinic", "proposals", "show", other).out.splitlines()
    assert told[0] == "declined; 0 of 1 approvals"
    assert told[1] == "  Hazel Sample left the clinic."
    assert told[2].startswith("proposed by Ada (admin), ")
    assert told[3].startswith("declined by operator (command line) (admin), ")
    assert told[3].endswith(": She stays")
    hold = Draft(data=LegalHoldPlaced(client_ref="c-1"), reason=Reason(text="A court asks"))
    container.clinic.record(officer, [hold], Request())
    lifting = proposed(officer, LegalHoldLifted(client_ref="c-1"))
    refused = hall("clinic", "proposals", "approve", lifting)
    assert refused.code == REFUSED
    assert "a privacy officer" in refused.err
    assert hall("clinic", "proposals", "list").out.count("\n") == 4
    assert hall("clinic", "proposals", "show", uuid4()).code == REFUSED


# No database, no sense

ASKING: tuple[tuple[object, ...], ...] = (
    ("clinic", "create", "North"),
    ("clinic", "list"),
    ("token", "issue", "--clinic", uuid4(), "--name", "Robin", "--role", "admin"),
    ("token", "list"),
    ("token", "revoke", uuid4()),
    ("member", "list", "--clinic", uuid4()),
    ("clinic", "proposals", "list", "--clinic", uuid4()),
    ("clinic", "proposals", "approve", uuid4(), "--clinic", uuid4()),
    ("projections",),
    ("projections", "resume", "timeline"),
    ("rebuild", "timeline"),
    ("export", "--clinic", uuid4()),
    ("import", "-"),
    ("migrate",),
    ("project",),
    ("api",),
)


def test_without_a_database_every_command_says_so(run: Run, tmp_path: Path) -> None:
    """Nothing configured and nothing running: one sentence with what to do, and exit code 1."""
    for command in ASKING:
        said = run(*command)
        assert (said.code, said.out) == (REFUSED, ""), command
        assert "set DATABASE_URL, or start `plan-history serve` first" in said.err, command
    assert run("doctor").code == REFUSED
    assert not (tmp_path / "home").exists()


def test_a_home_below_a_file_is_no_database(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be a folder holds no running database: the sentence says what to do."""
    monkeypatch.setenv("PLAN_HISTORY_HOME", "/dev/null")
    for command in (("doctor",), ("clinic", "list")):
        said = run(*command)
        assert said.code == REFUSED, command
        assert "set DATABASE_URL, or start `plan-history serve`" in said.out + said.err, command


def test_with_the_database_away_every_command_says_so(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that cannot be reached has an exit code of its own, for scripts that try again."""
    url = "postgresql://user:secret@127.0.0.1:1/clinic"
    monkeypatch.setenv("DATABASE_URL", url)
    for command in ASKING:
        if command[0] in {"project", "api"}:  # they wait until it is back
            continue
        said = run(*command)
        assert (said.code, said.out) == (UNAVAILABLE, ""), command
        assert "out of reach" in said.err, command
        assert "secret" not in said.err, command
    said = run("doctor")
    assert said.code == REFUSED
    assert "! The database is out of reach" in said.out


def test_a_database_that_is_not_there_is_named(
    run: Run, server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server answers, the database does not exist: the sentence says which."""
    monkeypatch.setenv("DATABASE_URL", server.dsn("nowhere"))
    said = run("clinic", "list")
    assert said.code == UNAVAILABLE
    assert 'database "nowhere" does not exist' in said.err


def test_a_malformed_url_is_not_repeated(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read as a URL may be a password; it is not shown."""
    monkeypatch.setenv("DATABASE_URL", "s3cret words")
    said = run("clinic", "list")
    assert said.code == REFUSED
    assert "postgresql://user:password@host:5432/database" in said.err
    assert "s3cret" not in said.err


def test_a_malformed_setting_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that is none is a sentence naming the variable."""
    monkeypatch.setenv("PLAN_HISTORY_WORKERS", "many")
    said = run("clinic", "list")
    assert said.code == REFUSED
    assert "PLAN_HISTORY_WORKERS" in said.err


@pytest.mark.parametrize(
    "given",
    [
        ("clinics",),
        ("clinic", "create"),
        ("clinic", "rename"),
        ("token", "revoke", "not-an-id"),
        ("export", "--clinic", "not-an-id"),
        ("rebuild", "timeline", "--batch", "0"),
        ("serve", "--port", "70000"),
        ("import", "/nowhere/at/all.ndjson"),
    ],
)
def test_wrong_usage_is_told_from_a_refusal(run: Run, given: tuple[str, ...]) -> None:
    """What click itself refuses ends with 2 and says how to ask for help or what was wrong."""
    said = run(*given)
    assert (said.code, said.out) == (MISUSED, "")
    assert "Error" in said.err


def test_every_command_explains_itself(run: Run) -> None:
    """--help works everywhere, and each command has a sentence."""
    said = run("--help")
    for name, command in cli.commands.items():
        assert command.help, name
        assert name in said.out
        assert run(name, "-h").code == 0


def test_it_runs_as_a_program() -> None:
    """As a program of its own it says its version."""
    program = [sys.executable, "-m", "service.commandline", "--version"]
    said = subprocess.run(program, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert version("plan-history") in said.stdout
