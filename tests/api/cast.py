"""Everybody who may stand to a plan in some way, each of them signed in: a cast to try every door with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from domain.emergency import EmergencyAccessTaken
from service.access import Principal
from service.recording import Draft, Request
from tests.api.house import OPENING, Desk, House, an_id, entry
from tests.conftest import Caller, Clinic


@dataclass
class Cast:
    """People by what they are to the plan of ``desk``: (role, relation) told by hand."""

    house: House
    clinic: Clinic
    desk: Desk
    people: dict[str, Caller] = field(default_factory=dict)
    stands: dict[str, str | None] = field(default_factory=dict)

    def add(self, what: str, role: str, relation: str | None, **known: Any) -> Caller:
        """One more person, and the relation they have to the plan (None: none)."""
        self.people[what] = made = self.house.sign_in(self.clinic, role, **known)
        self.stands[what] = relation
        return made


def joined(caller: Caller, **more: Any) -> dict[str, Any]:
    """The entry by which somebody is a member."""
    who = caller.who
    return entry("MemberJoined", member_id=str(who.member_id), name=who.name, role=who.role, **more)


def cast(house: House) -> Cast:
    """A plan with a therapist under supervision, a colleague, its client, readers with every consent."""
    clinic = house.clinic()
    admin = house.sign_in(clinic, "admin", name="Ada Admin")
    therapist = house.sign_in(clinic, "clinician", name="Tess Therapist")
    chief = house.sign_in(clinic, "supervisor", name="Sam Supervisor")
    above = house.sign_in(clinic, "supervisor", name="Uma Above")
    client = house.sign_in(clinic, "client", name="Cleo Client")
    other_client = house.sign_in(clinic, "client", name="Otis Client")
    colleague = house.sign_in(clinic, "clinician", name="Cora Colleague", member_id=uuid4())
    plan = therapist.post("/v1/plans", {**OPENING, "client_ref": "c-cast"}).json
    entries = [
        joined(therapist),
        joined(chief),
        joined(above),
        joined(colleague),
        joined(client, client_ref="c-cast"),
        joined(other_client, client_ref="c-else"),
        supervised(therapist, chief),
        supervised(chief, above),
        entry("CaseloadAssigned", member_id=str(colleague.who.member_id), plan_id=plan["plan_id"]),
    ]
    answer = admin.post("/v1/clinic/entries", {"entries": entries})
    assert answer.status_code == 201, answer.text
    made = Cast(house, clinic, Desk(house, clinic, therapist, plan["plan_id"]))
    for what, caller, relation in (
        ("therapist", therapist, "caseload"),
        ("colleague on the case", colleague, "caseload"),
        ("supervisor", chief, "team"),
        ("supervisor's supervisor", above, "team"),
        ("client", client, "self"),
        ("another client", other_client, None),
        ("admin", admin, "clinic"),
    ):
        made.people[what], made.stands[what] = caller, relation
    made.add("clinician elsewhere", "clinician", None, member_id=uuid4())
    made.add("supervisor elsewhere", "supervisor", None)
    made.add("auditor", "auditor", "clinic")
    made.add("privacy officer", "privacy_officer", "clinic")
    _break_the_glass(made)
    _consent(made)
    house.catch_up()
    house.seal()
    return made


def supervised(member: Caller, by: Caller) -> dict[str, Any]:
    """The entry by which somebody answers for somebody's work."""
    ids = {"member_id": str(member.who.member_id), "supervisor_id": str(by.who.member_id)}
    return entry("SupervisionAssigned", **ids)


def _break_the_glass(made: Cast) -> None:
    inside = made.add("clinician in an emergency", "clinician", "emergency", member_id=uuid4())
    answer = inside.post("/v1/emergency-access", {"client_ref": "c-cast", "why": "At the desk"})
    assert answer.status_code == 201, answer.text
    late = made.add("clinician after an emergency", "clinician", None, member_id=uuid4())
    then = datetime.now(UTC) - timedelta(minutes=61)
    draft = Draft(data=EmergencyAccessTaken(why="An hour ago", minutes=60), occurred_at=then)
    recording = made.house.container.plans.recording
    recording.record_in(late.who, UUID(made.desk.plan_id), [draft], Request())


def _consent(made: Cast) -> None:
    now = datetime.now(UTC)
    begun, yesterday = (now - timedelta(days=3)).isoformat(), (now - timedelta(days=1)).date()
    kinds = {
        "reader with consent": ("consented", {}),
        "reader whose consent is over": (None, {"expires_on": yesterday.isoformat()}),
        "reader whose consent was revoked": (None, {}),
        "reader nobody consented to": (None, None),
    }
    for what, (relation, terms) in kinds.items():
        reader = made.add(what, "integration", relation, name=what.title())
        if terms is None:
            continue
        consent = an_id()
        given = entry(
            "ConsentRecorded", consent_id=consent, scope="All", recipient=reader.who.name, **terms
        )
        made.desk.record({**given, "occurred_at": begun})
        if "revoked" in what:
            made.desk.record(entry("ConsentRevoked", consent_id=consent))


def stranger(house: House, like: Principal) -> Caller:
    """The same person in another clinic."""
    return house.sign_in(house.clinic(), like.role, name=like.name, member_id=like.member_id)
