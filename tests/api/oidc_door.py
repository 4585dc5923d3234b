"""A door to try: the pages with an issuer of the clinic's, somebody it knows, and a way through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.app import create_app
from domain.entry import EntryData, Reason
from domain.people import MemberJoined
from service.access import Principal
from service.container import Container, build
from service.identity import member_id_of
from service.recording import Draft, Request
from tests.api.clinic_issuer import CLIENT, SECRET, ClinicIssuer, Errs
from tests.api.house import House
from tests.conftest import Clinic

TRIP = "plan-history-trip"
SESSION = "plan-history-session"
NAME = "Elm Street sign-in"


@dataclass
class Door:
    """The pages with an issuer, a clinic of theirs, and one of its members."""

    house: House
    issuer: ClinicIssuer
    container: Container
    clinic: Clinic
    subject: str
    app: Flask

    def browser(self) -> FlaskClient:
        """One nobody is signed in at."""
        return self.app.test_client()

    @contextmanager
    def set_up(self, **given: Any) -> Iterator[Door]:
        """The same door with other settings."""
        container = opened(self.house, self.issuer, **given)
        yield replace(self, container=container, app=create_app(container))
        container.close()

    def record(self, data: EntryData) -> None:
        """Something the clinic's administrator records about its people."""
        who = Principal(self.clinic.clinic_id, uuid4(), "Admin", "admin", None, uuid4())
        self.container.clinic.record(who, [Draft(data=data, reason=Reason(text="So"))], Request())

    def joins(self, subject: str) -> None:
        """Somebody the issuer knows becomes a member."""
        member_id = str(member_id_of(self.issuer.name, subject))
        self.record(MemberJoined(member_id=member_id, name=f"Robin {subject}", role="clinician"))

    def leaves_for_the_issuer(self, browser: FlaskClient, wanted: str = "") -> str:
        """Where the browser is sent."""
        answer = browser.get(
            "/sign-in/oidc" + (f"?{urlencode({'next': wanted})}" if wanted else "")
        )
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def signs_in_there(self, place: str, subject: str | None = None) -> str:
        """Say one's name at the issuer; where it sends the browser back to, without the host."""
        named = quote(subject or self.subject)
        answer = requests.get(f"{place}&login={named}", allow_redirects=False, timeout=5)
        assert answer.status_code == 303, answer.text
        back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"

    def signs_in(self, browser: FlaskClient, subject: str | None = None) -> TestResponse:
        """All of it."""
        place = self.leaves_for_the_issuer(browser)
        return browser.get(self.signs_in_there(place, subject))

    def looks(self) -> list[tuple[Any, ...]]:
        """The sign-ins on the access log: role, asked, allowed."""
        return self.house.owner.execute(
            "SELECT name, role, asked, allowed, token_id FROM access_log "
            "WHERE action = 'sign-in' AND clinic_id = %s ORDER BY look_id",
            [self.clinic.clinic_id],
        ).fetchall()


def opened(house: House, issuer: ClinicIssuer, **given: Any) -> Container:
    """The service as a client of the issuer."""
    issuer.back = "http://localhost/sign-in/oidc/back"
    given = {"oidc_client_id": CLIENT, "oidc_client_secret": SECRET, "oidc_name": NAME, **given}
    return build(replace(house.container.settings, oidc_issuer=issuer.name, **given))


@pytest.fixture(scope="module")
def shared(house: House) -> Iterator[Door]:
    """A door that tests share."""
    issuer = ClinicIssuer()
    with issuer.serving():
        container = opened(house, issuer)
        yield Door(house, issuer, container, house.clinic(), "", create_app(container))
        container.close()


@pytest.fixture
def door(shared: Door) -> Door:
    """The door, and a member of its clinic; the issuer behaves."""
    made = replace(shared, clinic=shared.house.clinic(), subject=f"sub|{uuid4().hex}")
    made.issuer.errs, made.issuer.announces = Errs(), {}
    made.issuer.claims = {"clinic_id": str(made.clinic.clinic_id)}
    made.issuer.secret, made.issuer.published = SECRET, ["rsa-1", "ec-1"]
    made.joins(made.subject)
    return made


def signed_in(browser: FlaskClient) -> bool:
    """Whether somebody is."""
    return browser.get("/account").status_code == 200


def refused(browser: FlaskClient, answer: TestResponse, status: int = 401) -> None:
    """A page with ways on, no session, and nothing left of the trip."""
    assert answer.status_code == status, answer.text
    assert SESSION not in str(answer.headers)
    assert browser.get_cookie(TRIP) is None
    assert 'role="alert"' in answer.text
    assert 'href="/sign-in/oidc"' in answer.text
    assert 'href="/sign-in"' in answer.text
    assert "Traceback" not in answer.text
    assert not signed_in(browser)
