"""Settings: what is malformed is told before anything starts, and what is misspelt is noticed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import environs
import pytest

from service.environment import slips
from service.identity.configured import check
from service.settings import Settings
from tests.service.commands import REFUSED, Run
from tests.service.serving import PROGRAM
from tests.test_docs import settings_read


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Reads the settings with these variables and no others of ours."""

    def settings(**given: str) -> Settings:
        monkeypatch.delenv("DATABASE_URL", raising=False)
        for name, held in given.items():
            monkeypatch.setenv(name, held)
        return Settings.from_environment()

    return settings


def test_secrets_may_be_in_files(read: Callable[..., Settings], tmp_path: Path) -> None:
    """As container platforms hand them over; doctor shows neither."""
    place = tmp_path / "url"
    place.write_text("postgresql://u:s3cr3t@db/x\n")
    held = read(
        DATABASE_URL_FILE=str(place),
        PLAN_HISTORY_MIGRATION_URL_FILE=str(place),
        PLAN_HISTORY_PROJECTOR_URL_FILE=str(place),
    )
    assert held.database_url == held.migration_url == held.projector_url
    assert held.database_url == "postgresql://u:s3cr3t@db/x"
    assert "s3cr3t" not in str(held.shown())
    assert read(DATABASE_URL="postgresql://other").database_url == "postgresql://other"


def test_a_file_that_is_not_there_is_told(read: Callable[..., Settings], tmp_path: Path) -> None:
    """Instead of starting without a database."""
    with pytest.raises(environs.EnvError, match="cannot be read"):
        read(DATABASE_URL_FILE=str(tmp_path / "none"))


@pytest.mark.parametrize("name", ["QUOTA_PER_MINUTE", "QUOTA_BURST", "FAILED_SIGN_INS"])
def test_a_limit_is_no_less_than_none(read: Callable[..., Settings], name: str) -> None:
    """A negative number is a slip."""
    with pytest.raises(environs.EnvError, match=name):
        read(**{f"PLAN_HISTORY_{name}": "-1"})


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("PORT", "99999"),
        ("PLAN_HISTORY_POOL_SIZE", "0"),
        ("PLAN_HISTORY_WORKERS", "0"),
        ("PLAN_HISTORY_THREADS", "-1"),
        ("PLAN_HISTORY_CACHED_PLANS", "0"),
        ("PLAN_HISTORY_LOG_LEVEL", "loud"),
        ("PLAN_HISTORY_REQUEST_SECONDS", "-1"),
        ("PLAN_HISTORY_REQUEST_SECONDS", "nan"),
        ("PLAN_HISTORY_WEBHOOK_SECONDS", "0"),
        ("PLAN_HISTORY_WEBHOOK_ATTEMPTS", "0"),
        ("PLAN_HISTORY_TRUSTED_PROXIES", "10.0.0.0/8, proxy"),
    ],
)
def test_a_setting_out_of_its_range_is_told_by_its_name(
    read: Callable[..., Settings], name: str, given: str
) -> None:
    """Before anything starts."""
    with pytest.raises(environs.EnvError, match=name):
        read(**{name: given})


def test_a_setting_within_its_range_is_taken(read: Callable[..., Settings]) -> None:
    """A level in small letters, any free port, networks of proxies."""
    proxies = "10.0.0.0/8, ::1"
    held = read(PLAN_HISTORY_LOG_LEVEL="debug", PORT="0", PLAN_HISTORY_TRUSTED_PROXIES=proxies)
    assert (held.log_level, held.port, held.trusted_proxies) == ("DEBUG", 0, proxies)


@pytest.mark.parametrize(
    "given",
    [
        "127.0.0.1:8000",
        "192.0.2.1",
        "localhost:0",
        ":8000",
        "[::1]:8000",
        "[::]",
        "unix:/run/plan-history.sock",
        "fd://3",
        "127.0.0.1:8000, [::1]:8000",
    ],
)
def test_gunicorn_may_listen_in_many_ways(read: Callable[..., Settings], given: str) -> None:
    """What it takes is taken."""
    assert read(PLAN_HISTORY_BIND=given).bind == given


@pytest.mark.parametrize(
    ("name", "given", "allowed"),
    [
        ("BIND", "nonsense:x", "HOST:PORT"),
        ("BIND", "8000", "HOST:PORT"),
        ("BIND", "127.0.0.1:70000", "HOST:PORT"),
        ("BIND", "300.1.1.1:8000", "HOST:PORT"),
        ("BIND", "::1:8000", "HOST:PORT"),
        ("BIND", "[::1:8000", "HOST:PORT"),
        ("BIND", "unix:", "HOST:PORT"),
        ("BIND", "fd://x", "HOST:PORT"),
        ("MAX_REQUESTS", "many", "a whole number from 0 on"),
        ("WORKERS", "many", "a whole number from 1 on"),
        ("EMBEDDED", "wheeel", "auto, wheel, system"),
        ("EMBEDDED", "/nowhere/at/all", "a folder with initdb and postgres"),
        ("KEYS", "OFF", "off, the absolute path"),
        ("KEYS", "keys", "off, the absolute path"),
        ("KEYS", "mysql://s3cret", "postgresql://"),
        ("WEBHOOK_PRIVATE_TARGETS", "perhaps", "true or false"),
    ],
)
def test_a_setting_is_told_with_what_is_allowed(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, given: str, allowed: str
) -> None:
    """Its name, what it may be, the next step; not what it is."""
    monkeypatch.setenv(f"PLAN_HISTORY_{name}", given)
    said = run("api")
    assert (said.code, said.out) == (REFUSED, "")
    assert f"PLAN_HISTORY_{name} must be" in said.err
    assert allowed in said.err
    assert "unset it" in said.err
    assert "s3cret" not in said.err


def test_who_starts_gunicorn_is_told_too() -> None:
    """Also past our command line; nothing listens."""
    done = subprocess.run(  # noqa: S603 - our own program
        [PROGRAM[0], "-m", "gunicorn", "-c", "python:service.serving.gunicorn"],
        env={**os.environ, "PLAN_HISTORY_BIND": "nonsense:x"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert "PLAN_HISTORY_BIND must be an address to listen on" in done.stderr
    assert "Listening" not in done.stderr


def test_an_empty_variable_is_unset(read: Callable[..., Settings]) -> None:
    """As Compose and env files leave them; but no prompt is a choice."""
    held = read(**dict.fromkeys(sorted(set(settings_read()) - {"PLAN_HISTORY_HOME"}), ""))
    plain = Settings(home=held.home, keys=str(held.home / "keys"), oidc_prompt="")
    assert held == plain


def test_programs_may_come_from_anywhere(read: Callable[..., Settings], tmp_path: Path) -> None:
    """Also from wherever they are found, which is what auto says."""
    assert read(PLAN_HISTORY_EMBEDDED="auto").embedded is None
    assert read(PLAN_HISTORY_EMBEDDED="wheel").embedded == "wheel"
    for name in ("initdb", "postgres"):
        (tmp_path / name).touch()
    assert read(PLAN_HISTORY_EMBEDDED=str(tmp_path)).embedded == str(tmp_path)


@pytest.mark.parametrize("given", ["none", "HS256", "RS256,HS256"])
def test_algorithms_are_looked_at_without_an_issuer(
    read: Callable[..., Settings], given: str
) -> None:
    """Before there is one, not when it is named."""
    with pytest.raises(ValueError, match=r"PLAN_HISTORY_OIDC_ALGORITHMS: choose from RS256"):
        check(read(PLAN_HISTORY_OIDC_ALGORITHMS=given))


@pytest.mark.parametrize("name", ["CLIENT_ID", "AUDIENCE", "JWKS"])
def test_what_belongs_to_an_issuer_needs_one(read: Callable[..., Settings], name: str) -> None:
    """Else nobody could sign in there, and nothing would say why."""
    with pytest.raises(ValueError, match=f"With PLAN_HISTORY_OIDC_{name} set PLAN_HISTORY_OIDC_I"):
        check(read(**{f"PLAN_HISTORY_OIDC_{name}": "plan-history"}))


# Names


def test_a_misspelt_setting_is_noticed_by_the_doctor(
    here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the nearest name there is, and without what it holds."""
    monkeypatch.setenv("PLAN_HISTORY_WORKRES", "s3cret")
    said = here("doctor")
    assert said.code == REFUSED
    assert "! PLAN_HISTORY_WORKRES is no setting, so it has no effect" in said.out
    assert "did you mean PLAN_HISTORY_WORKERS?" in said.out
    assert "s3cret" not in said.out + said.err


def test_a_misspelt_setting_is_told_at_the_start(
    here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, on standard error, and the command goes on; the processes of serve leave it to serve."""
    monkeypatch.setenv("PLAN_HISTORY_MASTERKEY", "s3cret")
    said = here("migrate", "--json")
    assert (said.code, said.shown) == (0, {"applied": []})
    assert said.err.count("did you mean PLAN_HISTORY_MASTER_KEY?") == 1
    assert "s3cret" not in said.err
    monkeypatch.setenv("PLAN_HISTORY_SUPERVISOR", "1")
    assert here("migrate").err == ""


def test_what_is_no_slip() -> None:
    """Settings, what Compose and our own processes use, other programs', and what Kubernetes says of services."""
    known = set(settings_read())
    others = {
        "PLAN_HISTORY_API_PASSWORD",
        "PLAN_HISTORY_SUPERVISOR",
        "HISTORY",
        "PLAN_HISTORY_SERVICE_HOST",
        "PLAN_HISTORY_SERVICE_PORT",
        "PLAN_HISTORY_SERVICE_PORT_HTTP",
        "PLAN_HISTORY_PORT",
        "PLAN_HISTORY_PORT_8000_TCP_ADDR",
    }
    assert slips(known | others, known) == ()
    alone = slips(["PLAN_HISTORY_PORT", "PLAN_HISTORY_XYZZY"], known)
    assert [said.rpartition(": ")[2] for said in alone] == [
        "did you mean PORT?",
        "docker/env.example has all there are.",
    ]
