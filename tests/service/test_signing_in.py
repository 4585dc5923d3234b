"""What an operator does about tokens and members."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from service.container import Container, build
from service.errors import NotSignedInError
from service.identity import member_id_of
from service.settings import Settings
from service.tokens import issue
from tests.api.clinic_issuer import ClinicIssuer
from tests.conftest import Clinic
from tests.service.commands import REFUSED, Run

NOBODY = "00000000-0000-4000-8000-00000000dead"


def issued(at: Run, clinic: Clinic, *more: object, role: str = "integration") -> str:
    """A token as an operator issues it."""
    given = ("--clinic", clinic.clinic_id, "--name", "Robin Sample", "--role", role)
    return at("token", "issue", *given, *more).out.strip()


def test_an_integration_is_granted_types(here: Run, clinic: Clinic, container: Container) -> None:
    """Those it was issued for, and without any it records nothing."""
    types = ("--may-record", "SelfReportRecorded", "--may-record", "FeedbackGiven")
    granted = container.identity.principal(issued(here, clinic, *types))
    assert granted.scopes == {"SelfReportRecorded", "FeedbackGiven"}
    assert container.identity.principal(issued(here, clinic)).scopes == frozenset()
    [listed, _] = here("token", "list", "--json").shown
    assert listed["scopes"] == ["FeedbackGiven", "SelfReportRecorded"]


def test_types_are_granted_to_integrations_and_must_exist(here: Run, clinic: Clinic) -> None:
    """A slip is a sentence, and no token is made."""
    given = ("--clinic", clinic.clinic_id, "--name", "Robin Sample", "--may-record")
    unknown = here("token", "issue", *given, "SelfReport", "--role", "integration")
    assert (unknown.code, unknown.out) == (REFUSED, "")
    assert "no type of entry SelfReport" in unknown.err
    person = here("token", "issue", *given, "SelfReportRecorded", "--role", "clinician")
    assert (person.code, person.out) == (REFUSED, "")
    assert here("token", "list").out == "There are no tokens.\n"


def test_all_tokens_of_a_member_are_revoked(
    here: Run, clinic: Clinic, container: Container
) -> None:
    """Theirs, and nobody else's."""
    member = uuid4()
    theirs = [issued(here, clinic, "--member", member, role="clinician") for _ in range(2)]
    other = issued(here, clinic, "--member", uuid4(), role="clinician")
    revoke = ("token", "revoke", "--clinic", clinic.clinic_id, "--member", member)
    assert here(*revoke).out == "Revoked 2 of the member's tokens.\n"
    assert here(*revoke, "--json").shown == {"revoked": 0}
    for token in theirs:
        with pytest.raises(NotSignedInError, match="revoked"):
            container.identity.principal(token)
    assert container.identity.principal(other).clinic_id == clinic.clinic_id


@pytest.mark.parametrize(
    "given",
    [(), (NOBODY, "--member", NOBODY), ("--member", NOBODY), ("--clinic", NOBODY)],
    ids=["nothing", "both", "no clinic", "no member"],
)
def test_what_to_revoke_must_be_clear(here: Run, given: tuple[str, ...]) -> None:
    """One token, or a member of a clinic."""
    said = here("token", "revoke", *given)
    assert said.code == REFUSED
    assert "Name one token, or --clinic and --member" in said.err


def test_who_leaves_takes_no_token_along(here: Run, clinic: Clinic, container: Container) -> None:
    """Their tokens are revoked with it."""
    of = ("--clinic", clinic.clinic_id)
    member = here("member", "add", *of, "--name", "Robin", "--role", "clinician").out.strip()
    token = issued(here, clinic, "--member", member, role="clinician")
    assert container.identity.principal(token).member_id == UUID(member)
    assert here("member", "leave", *of, member, "--why", "Another town").code == 0
    [listed] = here("token", "list", *of, "--json").shown
    assert listed["revoked_at"] is not None
    fresh = build(container.settings)
    with pytest.raises(NotSignedInError):
        fresh.identity.principal(token)
    fresh.close()


def test_a_role_of_the_log_goes_before_that_of_the_token(
    here: Run, clinic: Clinic, container: Container
) -> None:
    """A token issued for an admin is worth what its member is."""
    of = ("--clinic", clinic.clinic_id)
    member = here("member", "add", *of, "--name", "Robin", "--role", "clinician").out.strip()
    token = issued(here, clinic, "--member", member, role="admin")
    found = container.identity.principal(token)
    assert (found.role, found.name) == ("clinician", "Robin")


def test_a_member_can_be_added_by_what_the_issuer_calls_them(
    here: Run, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their id is the one their JWTs will stand for; without an issuer it is said what is missing."""
    of = ("--clinic", clinic.clinic_id, "--name", "Kim", "--role", "clinician")
    said = here("member", "add", *of, "--subject", "auth0|kim")
    assert said.code == REFUSED
    assert "PLAN_HISTORY_OIDC_ISSUER" in said.err
    set_up(monkeypatch)
    made = here("member", "add", *of, "--subject", "auth0|kim")
    assert made.out.strip() == str(member_id_of("https://issuer.test", "auth0|kim"))


def set_up(monkeypatch: pytest.MonkeyPatch, **changed: str) -> None:
    """An issuer in the environment."""
    held = {
        "ISSUER": "https://issuer.test",
        "AUDIENCE": "plan-history",
        "JWKS": "https://issuer.test/jwks",
        **changed,
    }
    for name, value in held.items():
        monkeypatch.setenv(f"PLAN_HISTORY_OIDC_{name}", value)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"AUDIENCE": ""}, "OIDC_AUDIENCE"),
        ({"JWKS": ""}, "OIDC_JWKS"),
        ({"ALGORITHMS": "HS256"}, "OIDC_ALGORITHMS"),
        ({"ALGORITHMS": "RS256,none"}, "OIDC_ALGORITHMS"),
        ({"ALGORITHMS": ","}, "OIDC_ALGORITHMS"),
    ],
    ids=str,
)
def test_an_issuer_that_is_half_set_up_is_refused(
    here: Run, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], named: str
) -> None:
    """Naming the setting; the service does not start with it."""
    set_up(monkeypatch, **changed)
    said = here("doctor")
    assert said.code == REFUSED
    assert named in said.err


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"CLIENT_ID": "pages"}, "OIDC_ISSUER"),
        ({"CLIENT_ID": "pages", "ISSUER": "http://issuer.test"}, "OIDC_ISSUER: Must be"),
        ({"CLIENT_ID": "pages", "ISSUER": "issuer.test"}, "OIDC_ISSUER: Must be"),
        ({"CLIENT_ID": "pages", "ISSUER": "https://i.test", "SCOPE": "profile"}, "OIDC_SCOPE"),
        ({"CLIENT_ID": "pages", "ISSUER": "https://i.test", "AUDIENCE": "x"}, "OIDC_JWKS"),
        ({"CLIENT_ID": "pages", "ISSUER": "https://i.test", "ALGORITHMS": "HS256"}, "ALGORITHMS"),
        ({"ISSUER": "https://i.test"}, "OIDC_CLIENT_ID"),
    ],
    ids=str,
)
def test_a_sign_in_that_is_half_set_up_is_refused(
    here: Run, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], named: str
) -> None:
    """As with bearer tokens: a sentence that names the setting, and no start."""
    for name, value in given.items():
        monkeypatch.setenv(f"PLAN_HISTORY_OIDC_{name}", value)
    for command in ("doctor", "api", "serve"):
        said = here(command)
        assert said.code == REFUSED
        assert named in said.err


def test_without_authlib_it_is_told_what_to_install(
    here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By every command; without the setting nobody needs it."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "authlib" else find(name)
    )
    assert here("token", "list").code == 0
    monkeypatch.setenv("PLAN_HISTORY_OIDC_ISSUER", "https://issuer.test")
    monkeypatch.setenv("PLAN_HISTORY_OIDC_CLIENT_ID", "pages")
    for command in ("doctor", "api", "serve"):
        said = here(command)
        assert said.code == REFUSED
        assert "pip install 'plan-history[oidc]'" in said.err


@pytest.mark.parametrize(
    ("announces", "why"),
    [({}, None), ({"issuer": "https://issuer.test"}, "another issuer"), (None, "URLError")],
    ids=["well", "another", "away"],
)
def test_doctor_says_whether_one_can_sign_in(
    here: Run, monkeypatch: pytest.MonkeyPatch, announces: dict[str, str] | None, why: str | None
) -> None:
    """It asks the issuer what it says of itself."""
    issuer = ClinicIssuer()
    with issuer.serving():
        issuer.announces = announces or {}
        monkeypatch.setenv("PLAN_HISTORY_OIDC_ISSUER", issuer.name)
        monkeypatch.setenv("PLAN_HISTORY_OIDC_CLIENT_ID", "pages")
        said = here("doctor") if announces is not None else None
    said = said or here("doctor")
    assert ("Nobody can sign in" in said.out) is (why is not None), said.out
    assert (why or "") in said.out


def test_the_clients_secret_is_hidden_and_may_be_in_a_file(
    here: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As the databases' passwords."""
    place = tmp_path / "secret"
    place.write_text("s3cret\n")
    monkeypatch.setenv("PLAN_HISTORY_OIDC_ISSUER", "https://issuer.test")
    monkeypatch.setenv("PLAN_HISTORY_OIDC_CLIENT_ID", "pages")
    monkeypatch.setenv("PLAN_HISTORY_OIDC_CLIENT_SECRET_FILE", str(place))
    assert Settings.from_environment().oidc_client_secret == "s3cret"
    said = here("doctor")
    assert "oidc_client_secret = (set, hidden)" in said.out
    assert "s3cret" not in said.out + said.err


def test_keys_over_plain_http_are_refused(database_url: str) -> None:
    """Whoever stands between could sign anybody in."""
    held = Settings(
        database_url=database_url,
        keys="off",
        oidc_issuer="https://issuer.test",
        oidc_audience="plan-history",
        oidc_jwks="http://issuer.test/jwks",
    )
    with pytest.raises(ValueError, match="OIDC_JWKS"):
        build(held)


def test_the_owner_alone_issues_tokens(container: Container, clinic: Clinic) -> None:
    """A role or type that does not exist is refused also past the command line."""
    with pytest.raises(ValueError, match="Unknown role"):
        issue(clinic.owner, clinic.clinic_id, name="x", role="king")
    with pytest.raises(ValueError, match="no type of entry"):
        issue(clinic.owner, clinic.clinic_id, name="x", role="integration", scopes=["King"])
