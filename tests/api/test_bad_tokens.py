"""JWTs: the good ones of the configured issuer sign in; everything else is refused with 401."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from api.app import create_app
from domain.entry import EntryData, Reason
from domain.people import MemberJoined, MemberLeft, MemberRoleChanged
from service.access import Principal
from service.container import Container, build
from service.identity import issuer as checking
from service.identity import member_id_of
from service.recording import Draft, Request
from tests.api.house import House, refused
from tests.api.issuer import AUDIENCE, NAME, TokenIssuer, b64, claims_for
from tests.api.test_tokens import until
from tests.conftest import Clinic

NOW = int(time.time())


@dataclass(frozen=True)
class Door:
    """The API with an issuer configured, a clinic, and a member of it the issuer can vouch for."""

    issuer: TokenIssuer
    container: Container
    client: FlaskClient
    clinic: Clinic
    member_id: UUID

    def record(self, *data: EntryData) -> None:
        """Something the clinic's administrator records about its people."""
        who = Principal(self.clinic.clinic_id, uuid4(), "Admin", "admin", None, uuid4())
        drafts = [Draft(data=held, reason=Reason(text="Why not")) for held in data]
        self.container.clinic.record(who, drafts, Request())

    def claims(self, **changed: Any) -> dict[str, Any]:
        """The claims of a good token, changed."""
        return claims_for(self.clinic.clinic_id, self.member_id, **changed)

    def good(self, **changed: Any) -> str:
        """A good token, unless something is changed."""
        return self.issuer.sign(self.claims(**changed))

    def me(self, token: str) -> Any:
        """What /v1/me answers."""
        return self.client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})


@pytest.fixture(scope="module")
def door(house: House) -> Iterator[Door]:
    """A door that tests share; they leave it as it was."""
    with TokenIssuer().serving() as issuer:
        settings = replace(
            house.container.settings,
            oidc_issuer=NAME,
            oidc_audience=AUDIENCE,
            oidc_jwks=issuer.url,
            failed_sign_ins=0,
        )
        container = build(settings)
        made = Door(issuer, container, create_app(container).test_client(), house.clinic(), uuid4())
        joined = MemberJoined(
            member_id=str(made.member_id), name="Robin Sample", role="clinician", credential="LMFT"
        )
        made.record(joined)
        yield made
        container.close()


# Good ones


def test_a_good_token_signs_its_member_in(door: Door) -> None:
    """Name, role and credential are what the clinic's log says; the token says only who."""
    me = door.me(door.good(role="admin", name="Somebody Else"))
    assert me.status_code == 200, me.text
    shown = me.json
    assert (shown["name"], shown["role"]) == ("Robin Sample", "clinician")
    assert shown["member_id"] == str(door.member_id)
    assert shown["clinic_id"] == str(door.clinic.clinic_id)


GOOD: dict[str, Callable[[Door], str]] = {
    "RS256": lambda at: at.issuer.sign(at.claims(), {"alg": "RS256", "kid": "rsa-1"}),
    "typ JWT": lambda at: at.issuer.sign(at.claims(), {"typ": "JWT"}),
    "typ application/at+jwt": lambda at: at.issuer.sign(at.claims(), {"typ": "application/AT+jwt"}),
    "an audience among several": lambda at: at.good(aud=["other", AUDIENCE]),
    "no nbf": lambda at: at.good(nbf=None),
    "no jti": lambda at: at.good(jti=None),
    "expired within the leeway": lambda at: at.good(exp=int(time.time()) - 20),
    "from a clock a little ahead": lambda at: at.good(iat=int(time.time()) + 20),
    "fractions of a second": lambda at: at.good(iat=time.time() - 0.5),
    "claims nobody asked for": lambda at: at.good(groups=["a"], nested={"deep": [1]}),
    "a certificate's digest": lambda at: at.issuer.sign(at.claims(), {"x5t": "abc"}),
    "no kid, one key of that kind": lambda at: at.issuer.sign(
        at.claims(), {"kid": None}, key=at.issuer.keys["ec-1"]
    ),
}


@pytest.mark.parametrize("make", GOOD.values(), ids=GOOD)
def test_what_an_issuer_may_well_send_is_taken(door: Door, make: Callable[[Door], str]) -> None:
    """The other side of the refusals below: they are not refused for being JWTs."""
    answer = door.me(make(door))
    assert answer.status_code == 200, answer.text


# Bad ones


def unsigned(alg: str) -> Callable[[Door], str]:
    """A token that says it needs no signature, with none, or with one that is nobody's."""
    return lambda at: f"{_head(at, alg=alg)}.{_body(at)}."


def _head(at: Door, **changed: Any) -> str:
    held = {"alg": "ES256", "typ": "at+jwt", "kid": at.issuer.published[-1], **changed}
    return b64(json.dumps(held).encode())


def _body(at: Door, **changed: Any) -> str:
    return b64(json.dumps(at.claims(**changed)).encode())


def hmac_with_public_key(kid: str, form: str) -> Callable[[Door], str]:
    """HS256 with what everybody knows as the secret: the classic confusion."""

    def make(at: Door) -> str:
        key = at.issuer.keys[kid]
        secret = (
            json.dumps(key.as_dict(private=False)).encode()
            if form == "jwk"
            else key.as_pem(private=False)  # type: ignore[union-attr] # RSA and EC keys have it
        )
        signed = f"{_head(at, alg='HS256', kid=kid)}.{_body(at)}"
        return f"{signed}.{b64(hmac.digest(secret, signed.encode(), hashlib.sha256))}"

    return make


def strange(**header: Any) -> Callable[[Door], str]:
    """Well signed, with something in its header."""
    return lambda at: at.issuer.sign(at.claims(), header)


def claiming(**changed: Any) -> Callable[[Door], str]:
    """Well signed, with other claims."""
    return lambda at: at.good(**changed)


def raw_claims(text: str) -> Callable[[Door], str]:
    """Well signed, with that for a payload; ``%s`` is the good one's inside."""
    return lambda at: at.issuer.sign((text % json.dumps(at.claims())[1:-1]).encode())


def by_other_key(make: Callable[[], Any], **header: Any) -> Callable[[Door], str]:
    """Signed with a key of the attacker's own."""
    return lambda at: at.issuer.sign(at.claims(), header, key=make())


def with_own_key_inside(name: str) -> Callable[[Door], str]:
    """Signed with the attacker's key, which the header brings along or points to."""

    def make(at: Door) -> str:
        mine = ECKey.generate_key("P-256")
        public = {**mine.as_dict(private=False), "kid": "ec-1"}
        brought: Any = {
            "jwk": public,
            "jku": f"{at.issuer.url}?mine",
            "x5u": "https://attacker.test/cert.pem",
            "x5c": ["MIIB"],
        }[name]
        return at.issuer.sign(at.claims(), {name: brought}, key=mine)

    return make


def changed_after_signing(at: Door) -> str:
    """The payload says something else than what was signed."""
    head, _, signature = at.good().split(".")
    return f"{head}.{_body(at, sub=str(uuid4()))}.{signature}"


def signature_of_another(at: Door) -> str:
    """Head and payload of one, signature of another."""
    return f"{at.good().rpartition('.')[0]}.{at.good(sub='other').rpartition('.')[2]}"


def der_signature(at: Door) -> str:
    """An ECDSA signature of zeros: r = s = 0 once fooled many."""
    return f"{at.good().rpartition('.')[0]}.{b64(bytes(64))}"


def other_ending(at: Door) -> str:
    """The same bytes in another spelling: the last character has bits that mean nothing."""
    token = at.issuer.sign(at.claims(), {"alg": "RS256", "kid": "rsa-1"})
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + letters[letters.index(token[-1]) ^ 1]


def withdrawn(at: Door) -> str:
    """Signed with a key that was published once, and is no more."""
    at.issuer.keys["gone"] = ECKey.generate_key("P-256")
    return at.issuer.sign(at.claims(), {"kid": "gone"})


HOUR = 3600
FORGED: dict[str, Callable[[Door], str]] = {
    "another key of the same kind": by_other_key(lambda: ECKey.generate_key("P-256")),
    "another RSA key": by_other_key(lambda: RSAKey.generate_key(2048), alg="RS256", kid="rsa-1"),
    "changed after signing": changed_after_signing,
    "signature of another": signature_of_another,
    "a signature of zeros": der_signature,
    "a signature cut short": lambda at: at.good()[:-4],
    "a signature with more": lambda at: at.good() + "AAAA",
}
BAD: dict[str, Callable[[Door], str]] = {
    **FORGED,
    # algorithms
    "none": unsigned("none"),
    "None": unsigned("None"),
    "NONE": unsigned("NONE"),
    "nOnE": unsigned("nOnE"),
    "none with a signature": lambda at: f"{_head(at, alg='none')}.{_body(at)}.AAAA",
    "an empty algorithm": unsigned(""),
    "HS256 with the RSA key's PEM": hmac_with_public_key("rsa-1", "pem"),
    "HS256 with the EC key's PEM": hmac_with_public_key("ec-1", "pem"),
    "HS256 with the key's JWK": hmac_with_public_key("rsa-1", "jwk"),
    "HS256 with a guessed secret": by_other_key(
        lambda: OctKey.import_key("secret" * 8), alg="HS256"
    ),
    "an algorithm that was not chosen (RS512)": strange(alg="RS512", kid="rsa-1"),
    "an algorithm that was not chosen (PS256)": strange(alg="PS256", kid="rsa-1"),
    "an algorithm that was not chosen (ES384)": by_other_key(
        lambda: ECKey.generate_key("P-384"), alg="ES384"
    ),
    "an algorithm that was not chosen (Ed25519)": by_other_key(
        lambda: OKPKey.generate_key("Ed25519"), alg="Ed25519"
    ),
    "ES256 for the RSA key": by_other_key(lambda: ECKey.generate_key("P-256"), kid="rsa-1"),
    "RS256 for the EC key": by_other_key(
        lambda: RSAKey.generate_key(2048), alg="RS256", kid="ec-1"
    ),
    "an algorithm in lower case": lambda at: f"{_head(at, alg='es256')}.{_body(at)}.AAAA",
    "no algorithm": lambda at: f"{_head(at, alg=None)}.{_body(at)}.AAAA",
    "a list of algorithms": lambda at: f"{_head(at, alg=['ES256'])}.{_body(at)}.AAAA",
    # keys
    "a key nobody knows": by_other_key(lambda: ECKey.generate_key("P-256"), kid="who"),
    "a key that was withdrawn": withdrawn,
    "a number for a kid": lambda at: f"{_head(at, kid=1)}.{_body(at)}.AAAA",
    "an empty kid": lambda at: f"{_head(at, kid='')}.{_body(at)}.AAAA",
    "a path for a kid": lambda at: f"{_head(at, kid='../../etc/passwd')}.{_body(at)}.AAAA",
    "SQL for a kid": lambda at: f"{_head(at, kid='x; DROP TABLE tokens')}.{_body(at)}.AAAA",
    "its own key inside (jwk)": with_own_key_inside("jwk"),
    "a place of its own for keys (jku)": with_own_key_inside("jku"),
    "a certificate's place (x5u)": with_own_key_inside("x5u"),
    "a certificate inside (x5c)": with_own_key_inside("x5c"),
    "well signed, yet with jwk": strange(jwk={}),
    "well signed, yet with jku": strange(jku="https://issuer.test/jwks"),
    "well signed, yet with x5u": strange(x5u="https://issuer.test/cert"),
    # header
    "something critical": strange(crit=["exp"], exp=1),
    "something critical nobody knows": strange(crit=["who"], who=1),
    "an empty crit": strange(crit=[]),
    "an unencoded payload (b64)": strange(b64=False),
    "compressed (zip)": strange(zip="DEF"),
    "a token in a token (cty)": strange(cty="JWT"),
    "no typ": strange(typ=None),
    "an ID token's typ": strange(typ="id+jwt"),
    "a logout token's typ": strange(typ="logout+jwt"),
    "a number for a typ": strange(typ=1),
    # claims
    "another issuer": claiming(iss="https://other.test"),
    "the issuer with a slash more": claiming(iss=f"{NAME}/"),
    "the issuer in capitals": claiming(iss=NAME.upper()),
    "a list of issuers": claiming(iss=[NAME]),
    "another audience": claiming(aud="other"),
    "no audience in the list": claiming(aud=[]),
    "an audience that begins alike": claiming(aud=f"{AUDIENCE}-2"),
    "an audience that is an object": claiming(aud={AUDIENCE: True}),
    "a list with more than texts": claiming(aud=[AUDIENCE, 1]),
    **{
        f"no {name}": claiming(**{name: None})
        for name in ("iss", "aud", "sub", "exp", "iat", "clinic_id")
    },
    "expired": claiming(exp=NOW - HOUR, iat=NOW - 2 * HOUR, nbf=NOW - 2 * HOUR),
    "expired a little more than the leeway": claiming(exp=NOW - 60),
    "not yet good": claiming(nbf=NOW + HOUR),
    "issued in the future": claiming(iat=NOW + HOUR, nbf=None, exp=NOW + 2 * HOUR),
    "good for a year": claiming(exp=NOW + 365 * 24 * HOUR),
    "a text for exp": claiming(exp=str(NOW + HOUR)),
    "true for exp": claiming(exp=True),
    "null for exp": raw_claims('{"exp": null, %s}'),
    "infinity for exp": raw_claims('{%s, "more": 1e999}'.replace('"more"', '"exp"')),
    "a negative exp": claiming(exp=-1),
    "an exp in milliseconds": claiming(exp=(NOW + HOUR) * 1000),
    "a text for iat": claiming(iat="now"),
    "a text for nbf": claiming(nbf="now"),
    "null for nbf": raw_claims('{%s, "nbf": null}'),
    "an empty sub": claiming(sub=""),
    "a number for sub": claiming(sub=7),
    "a very long sub": claiming(sub="x" * 600),
    "a sub nobody has": claiming(sub=str(uuid4())),
    "a clinic nobody has": claiming(clinic_id=str(uuid4())),
    "a clinic that is no id": claiming(clinic_id="north"),
    "a list of clinics": claiming(clinic_id=[str(uuid4())]),
    "an empty jti": claiming(jti=""),
    "a claim twice": raw_claims('{%s, "sub": "twice"}'),
    "NaN": raw_claims('{%s, "x": NaN}'),
    "a payload that is a list": raw_claims("[{%s}]"),
    "a payload that is no JSON": raw_claims("{%s"),
    "an empty payload": lambda at: at.issuer.sign(b""),
    "a payload that is no UTF-8": lambda at: at.issuer.sign(b'{"iss": "\xff"}'),
    "a payload nested without end": lambda at: at.issuer.sign(b'{"a":' * 900),
    # form
    "one part": lambda at: at.good().split(".")[0],
    "two parts": lambda at: at.good().rpartition(".")[0],
    "no signature": lambda at: at.good().rpartition(".")[0] + ".",
    "four parts": lambda at: at.good() + ".AAAA",
    "five parts, as if encrypted": lambda at: at.good() + ".AAAA.AAAA",
    "dots": lambda _: "..",
    "padding": lambda at: at.good() + "==",
    "bad base64": lambda at: at.good()[1:],
    "standard base64": lambda at: at.good().rpartition(".")[0] + ".+/+/",
    "another spelling of the same bytes": other_ending,
    "a line break inside": lambda at: at.good().replace(".", ".%0A", 1),
    "a space inside": lambda at: at.good().replace(".", ". ", 1),
    "other letters": lambda at: at.good()[:-3] + "äöü",
    "a header that is no object": lambda at: f"{b64(b'[]')}.{_body(at)}.AAAA",
    "a header that is a number": lambda at: f"{b64(b'1')}.{_body(at)}.AAAA",
    "a header with a key twice": lambda at: (
        b64(b'{"alg":"ES256","alg":"none","typ":"JWT"}') + f".{_body(at)}.AAAA"
    ),
    "far too long": lambda at: at.good(more="x" * 9_000),
    "as JSON": lambda at: json.dumps({"payload": _body(at), "signatures": []}),
    "two tokens": lambda at: f"{at.good()} {at.good()}",
    "two headers, as a server joins them": lambda at: f"{at.good()},Bearer {at.good()}",
    "in quotes": lambda at: f'"{at.good()}"',
    "with its scheme twice": lambda at: f"Bearer {at.good()}",
    "blank": lambda _: "   ",
}


def test_there_are_enough_of_them() -> None:
    """The design asks for sixty at least."""
    assert len(BAD) >= 60


@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
def test_a_bad_token_is_refused(
    door: Door, caplog: pytest.LogCaptureFixture, make: Callable[[Door], str]
) -> None:
    """With 401 as a problem that says what is wrong, and neither token nor trace anywhere."""
    token = make(door)
    answer = door.client.get(
        "/v1/me", headers={"Authorization": f"Bearer {token}".encode().decode("latin-1")}
    )
    refused(answer, 401, "not-signed-in")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="plan-history"'
    told = answer.text + caplog.text
    assert "Traceback" not in told
    assert len(token.strip()) < 20 or token not in told


def test_two_authorization_headers_are_refused(door: Door) -> None:
    """Also when each of them is good."""
    good = ("Authorization", f"Bearer {door.good()}")
    refused(door.client.get("/v1/me", headers=[good, good]), 401, "not-signed-in")


def test_the_issuer_is_not_asked_for_every_bad_token(door: Door) -> None:
    """Unknown keys cost the issuer a few requests, however many tokens name them."""
    door.me(door.good())
    before = door.issuer.asked
    for _ in range(50):
        token = door.issuer.sign(door.claims(), {"kid": "who"}, key=ECKey.generate_key("P-256"))
        assert door.me(token).status_code == 401
    assert door.issuer.asked - before <= 4


# Negative controls: with a check taken away, the tests above would fail


@pytest.mark.parametrize(
    "name", [name for name in FORGED if "cut" not in name and "more" not in name]
)
def test_without_the_signature_check_forgeries_would_pass(
    door: Door, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """So it is the signature, and nothing else, that they are refused for."""
    token = FORGED[name](door)
    monkeypatch.setattr(checking, "_verify", lambda *_: None)
    answer = door.me(token)
    assert answer.status_code == 200 or "no such member" in answer.text


@pytest.mark.parametrize(
    "name", ["expired", "not yet good", "issued in the future", "good for a year"]
)
def test_without_the_look_at_times_they_would_pass(
    door: Door, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """So they are refused for their times alone."""
    monkeypatch.setattr(checking, "check_times", lambda *_: time.time() + HOUR)
    assert door.me(BAD[name](door)).status_code == 200


def test_with_every_algorithm_taken_a_public_key_would_still_not_be_a_secret(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys are bound to their kind: naming HS256 finds none, whatever the settings take."""
    everything = replace(
        checking.IssuerRules(issuer=NAME, audience=AUDIENCE, algorithms=frozenset()),
        algorithms=frozenset({"RS256", "ES256", "ES384"}),
    )
    assert door.container.identity.issuer is not None
    monkeypatch.setattr(door.container.identity.issuer, "rules", everything)
    refused(door.me(BAD["ES256 for the RSA key"](door)), 401, "not-signed-in", saying="publish")
    other_curve = by_other_key(lambda: ECKey.generate_key("P-384"), alg="ES384")
    refused(door.me(other_curve(door)), 401, "not-signed-in", saying="publish")


# Members


def test_a_member_who_left_is_refused_within_a_second(door: Door) -> None:
    """However long their token would be good."""
    member = uuid4()
    door.record(MemberJoined(member_id=str(member), name="Kim Sample", role="clinician"))
    token = door.good(sub=str(member))
    until(lambda: door.me(token).status_code == 200)
    door.record(MemberLeft(member_id=str(member)))
    until(lambda: door.me(token).status_code == 401, 3)  # two more for a busy machine
    refused(door.me(token), 401, "not-signed-in", saying="no longer belong")


def test_a_role_is_what_the_log_says_now(door: Door) -> None:
    """Without a new token."""
    member = uuid4()
    door.record(MemberJoined(member_id=str(member), name="Kim Sample", role="clinician"))
    token = door.good(sub=str(member))
    until(lambda: door.me(token).status_code == 200)
    door.record(MemberRoleChanged(member_id=str(member), role="supervisor"))
    until(lambda: door.me(token).json["role"] == "supervisor")


def test_somebody_the_issuer_calls_by_another_name_has_an_id_made_from_it(door: Door) -> None:
    """A subject that is no UUID stands for the same member every time; `member add --subject` says so."""
    member = member_id_of(NAME, "auth0|kim")
    assert (
        member == member_id_of(NAME, "auth0|kim") != member_id_of("https://other.test", "auth0|kim")
    )
    refused(door.me(door.good(sub="auth0|kim")), 401, "not-signed-in", saying="no such member")
    door.record(MemberJoined(member_id=str(member), name="Kim Sample", role="clinician"))
    until(lambda: door.me(door.good(sub="auth0|kim")).status_code == 200)


def test_scopes_are_what_the_token_grants(door: Door) -> None:
    """``record:`` words of its scope; others are for others."""
    token = door.good(scope="openid record:SelfReportRecorded record:FeedbackGiven")
    found = door.container.identity.principal(token)
    assert found.scopes == {"SelfReportRecorded", "FeedbackGiven"}


def test_a_token_has_an_id_made_from_its_own(door: Door) -> None:
    """The same for one token, another for another; from sub when it has no jti."""
    ids = [
        door.container.identity.principal(door.good(jti=jti)).token_id
        for jti in ("a", "a", "b", None)
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert ids[3] == uuid5(member_id_of_issuer(), f"sub {door.member_id}")


def member_id_of_issuer() -> UUID:
    """The namespace of the issuer's tokens."""
    return uuid5(UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8"), NAME)


def test_tokens_of_the_service_go_on_beside_it(door: Door) -> None:
    """An issuer is one way in, not the only one."""
    who = door.clinic.member()
    assert door.me(door.clinic.token(who)).status_code == 200


def test_without_an_issuer_no_jwt_is_taken(door: Door, house: House) -> None:
    """What is not configured is off."""
    headers = {"Authorization": f"Bearer {door.good()}"}
    refused(house.client.get("/v1/me", headers=headers), 401, "not-signed-in")
