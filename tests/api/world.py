"""A clinic with somebody of every role, for tests of what its people change and who approves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from service.access import ROLES
from tests.api.cast import joined, supervised
from tests.api.house import House, desk_of, entry
from tests.conftest import Caller, Clinic

PLACE = "/v1/clinic/proposals"
WHY = "Decided in the team meeting"


@dataclass
class World:
    """A clinic with somebody of every role, a supervised trainee with a plan, and a legal hold."""

    house: House
    clinic: Clinic
    people: dict[str, Caller]
    trainee: Caller
    plan_id: str

    def __getitem__(self, role: str) -> Caller:
        return self.people[role]

    def somebody(self, role: str, name: str = "Robin Sample") -> Caller:
        """One more of that role, who joins."""
        caller = self.house.sign_in(self.clinic, role, name=name, member_id=uuid4())
        self.record(joined(caller))
        return caller

    def record(self, *entries: dict[str, Any], by: str = "admin") -> Any:
        """Record entries of the clinic itself; they must be taken."""
        answer = self[by].post("/v1/clinic/entries", {"entries": list(entries)})
        assert answer.status_code == 201, answer.text
        return answer.json

    def propose(self, *entries: dict[str, Any], by: Caller | None = None) -> str:
        """Propose entries; they must be taken. The proposal's address."""
        answer = proposing(by or self["supervisor"], *entries)
        assert answer.status_code == 201, answer.text
        place: str = answer.headers["Location"]
        return place

    def promoted(self, **changed: Any) -> dict[str, Any]:
        """The trainee gets another credential, or whatever else changes."""
        data = changed or {"credential": "Licensed psychotherapist"}
        return entry("MemberRoleChanged", member_id=self.member_id, **data)

    @property
    def member_id(self) -> str:
        """The trainee."""
        return str(self.trainee.who.member_id)

    def member(self, member_id: str = "") -> dict[str, Any]:
        """A member as they are now; the trainee unless told otherwise."""
        found = self["admin"].get("/v1/members").json["members"]
        return next(held for held in found if held["member_id"] == (member_id or self.member_id))


def proposing(by: Caller, *entries: dict[str, Any], **headers: str) -> Any:
    """The answer to a proposal of these."""
    return by.post(PLACE, {"reason": {"text": WHY}, "entries": list(entries)}, **headers)


def new_world(house: House) -> World:
    """Everybody joins; the supervisor answers for the trainee."""
    clinic = house.clinic()
    people = {role: house.sign_in(clinic, role, name=f"Some {role}") for role in ROLES}
    trainee = house.sign_in(clinic, "clinician", name="Hazel Sample", member_id=uuid4())
    made = World(house, clinic, people, trainee, desk_of(house, clinic, trainee).plan_id)
    clients = {"client": {"client_ref": "c-1"}}
    made.record(
        *(joined(caller, **clients.get(role, {})) for role, caller in people.items()),
        joined(trainee),
        supervised(trainee, people["supervisor"]),
    )
    made.record(entry("LegalHoldPlaced", WHY, client_ref="c-held"), by="privacy_officer")
    return made
