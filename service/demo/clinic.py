"""Preparing the demo: its rehearsal clinic, its people's tokens, its plans, and demo.json."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4, uuid5

import psycopg
from rich.console import Console
from rich.progress import Progress

from domain.opening import PlanOpened
from domain.people import MemberJoined, Role, SupervisionAssigned
from service.access import Principal
from service.access.table import CLINIC, FULL, Grant
from service.clinics import create_clinic
from service.container import Container, build
from service.database import OWNER_ROLE, dsn_as
from service.demo.changes import Changes
from service.demo.load import ReadyDraft, client_ref_of, load
from service.demo.people import DEMO, PEOPLE, Person
from service.plans import Draft, Recorded, Request
from service.sessions import make_link
from service.settings import Settings
from service.tokens import digest, issue

CLINIC_ID = uuid5(DEMO, "clinic")
NAME = "The Demo Clinic"
TELLING: Grant = {CLINIC: FULL}
FOUNDED_BEFORE = timedelta(days=400)


class Narrator(Principal):
    """Somebody of the demo while their story is told: it has happened, so nobody asks whether it may."""

    def grant(self, action: str) -> Grant:
        """Everything, in every plan."""
        return TELLING


@dataclass(slots=True)
class Teller:
    """Records the lives through the use cases, each session under a key of its own.

    Told again after an interruption, sessions that are in are answered as they were.
    """

    container: Container
    session: int = 0

    def request(self, recorded_at: datetime) -> Request:
        """The next step, told to be recorded then."""
        self.session += 1
        key = f"demo-{self.session}"
        return Request(key=key, digest=sha256(key.encode()).digest(), recorded_at=recorded_at)

    def found(self, recorded_at: datetime) -> None:
        """The clinic's people join it."""
        admin = next(person for person in PEOPLE.values() if person.role == "admin")
        request = self.request(recorded_at)
        self.container.clinic.record(narrator(admin), _founding(), request)

    def open_plan(
        self, by: Person, data: PlanOpened, drafts: Sequence[ReadyDraft], recorded_at: datetime
    ) -> Recorded:
        """Open a plan of the demo."""
        opening = Draft(data=data, occurred_at=drafts[0].occurred_at if drafts else None)
        request = self.request(recorded_at)
        return self.container.plans.open_plan(narrator(by), opening, _drafts(drafts), request)

    def record(
        self, by: Person, plan_id: UUID, drafts: Sequence[ReadyDraft], recorded_at: datetime
    ) -> Recorded:
        """Record a session of the demo."""
        request = self.request(recorded_at)
        recording = self.container.plans.recording
        return recording.record_in(narrator(by), plan_id, _drafts(drafts), request)


def _founding() -> list[Draft]:
    """The demo's people join, and the trainee gets her supervisor."""
    joined = [
        MemberJoined(
            member_id=person.member_id,
            name=person.name,
            role=cast("Role", person.role),
            credential=person.credential,
            client_ref=client_ref_of(person),
        )
        for person in PEOPLE.values()
    ]
    supervised = [
        SupervisionAssigned(
            member_id=person.member_id, supervisor_id=PEOPLE[person.supervised_by].member_id
        )
        for person in PEOPLE.values()
        if person.supervised_by
    ]
    return [Draft(data=data) for data in (*joined, *supervised)]


def narrator(by: Person) -> Narrator:
    """Somebody of the demo, as who they are."""
    member = UUID(by.member_id)
    return Narrator(CLINIC_ID, member, by.name, by.role, by.credential, uuid4())


def _drafts(drafts: Sequence[ReadyDraft]) -> list[Draft]:
    return [
        Draft(
            data=held.data,
            occurred_at=held.occurred_at,
            voiced_by=held.voiced_by,
            reason=held.reason,
            session_id=held.session_id,
            causation_id=held.causation_id,
        )
        for held in drafts
    ]


def prepare(settings: Settings, owner_url: str, address: str) -> list[str]:
    """Make sure the demo is there, once, and say how to look at it. Writes demo.json (0600) at home."""
    with psycopg.connect(dsn_as(owner_url, OWNER_ROLE, seconds=60), autocommit=True) as conn:
        created_at, filled = _clinic(conn)
        if not filled:
            _fill(settings, created_at)
        people = _people(conn, settings.home, address)
    shown = {"url": address, "clinic_id": str(CLINIC_ID), "people": people}
    write_private(settings.home / "demo.json", json.dumps(shown, indent=2, ensure_ascii=False))
    return _invitation(address, people, settings.home)


def _clinic(conn: psycopg.Connection[Any]) -> tuple[datetime, bool]:
    row = conn.execute(
        "SELECT c.created_at, EXISTS (SELECT FROM tokens t WHERE t.clinic_id = c.clinic_id) "
        "FROM clinics c WHERE c.clinic_id = %s",
        [CLINIC_ID],
    ).fetchone()
    if row is None:
        create_clinic(conn, NAME, rehearsal=True, clinic_id=CLINIC_ID)
        return _clinic(conn)
    return row[0], row[1]


def _fill(settings: Settings, anchor: datetime) -> None:
    container = build(settings)
    teller = Teller(container)
    console = Console(stderr=True)
    try:
        with Progress(console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task("Loading the demo clinic", total=None)
            teller.found(anchor - FOUNDED_BEFORE)
            changes = Changes(container, teller.request, narrator)
            changes.begin(anchor - FOUNDED_BEFORE)
            load(
                teller.open_plan,
                teller.record,
                anchor,
                told=lambda done, total: progress.update(task, completed=done, total=total),
            )
            changes.end(anchor)
    finally:
        container.close()


def _people(conn: psycopg.Connection[Any], home: Path, address: str) -> list[dict[str, Any]]:
    """The people with a token that works (the one in demo.json, or a new one) and a fresh link."""
    known = {held["member_id"]: held["token"] for held in _remembered(home)}
    shown = []
    for person in PEOPLE.values():
        token = known.get(person.member_id)
        if token is None or not _works(conn, token):
            token = issue(
                conn,
                CLINIC_ID,
                name=person.name,
                role=person.role,
                member_id=UUID(person.member_id),
                credential=person.credential,
                days=365,
            ).token
        shown.append(
            {
                "name": person.name,
                "role": person.role,
                "member_id": person.member_id,
                "token": token,
                "sign_in_url": _link(conn, token, address),
            }
        )
    return shown


def _link(conn: psycopg.Connection[Any], token: str, address: str) -> str:
    """A link to the pages that signs the owner of the token in, once."""
    row = conn.execute("SELECT token_id FROM tokens WHERE digest = %s", [digest(token)]).fetchone()
    assert row is not None
    return f"{address}/sign-in/{make_link(conn, row[0])}"


def _remembered(home: Path) -> list[dict[str, Any]]:
    try:
        held = json.loads((home / "demo.json").read_text("utf-8"))
        return [person for person in held["people"] if {"member_id", "token"} <= person.keys()]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _works(conn: psycopg.Connection[Any], token: str) -> bool:
    row = conn.execute(
        "SELECT 1 FROM tokens WHERE digest = %s AND clinic_id = %s AND revoked_at IS NULL "
        "AND expires_at > clock_timestamp() + interval '1 day'",
        [digest(token), CLINIC_ID],
    ).fetchone()
    return row is not None


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner can read, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _invitation(address: str, people: Sequence[dict[str, Any]], home: Path) -> list[str]:
    clinician = next(held for held in people if held["role"] == "clinician")
    width = max(len(held["name"]) for held in people)
    links = [
        f"    {held['name']:<{width}}  {held['role']:<15}  {held['sign_in_url']}"
        for held in people
        if held["role"] != "integration"
    ]
    return [
        "  look at it as (each link signs in once; a restart prints new ones):",
        *links,
        f"  the demo clinic's people and their tokens: {home / 'demo.json'}",
        f"  try, as {clinician['name']}:",
        f"    curl -s -H 'Authorization: Bearer {clinician['token']}' {address}/v1/plans",
    ]
