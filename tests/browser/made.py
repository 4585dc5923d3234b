"""People and plans beside those of the demo: nothing to do and much to do, short lives and long names."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import requests

from service.tokens import issue
from tests.browser import clock
from tests.service.servers import soon

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft " * 2
WORDS = (
    "A goal that takes its time to be said, because it was said in one breath and should stay as it was "
    "said, with everything that belongs to it and a little more"
)
Entry = dict[str, Any]


@dataclass
class Made:
    """Somebody's hands on the demo clinic's API, and what they made: people and plans by name."""

    url: str
    clinic_id: UUID
    owner: Any
    people: dict[str, dict[str, Any]]
    plans: dict[str, str] = field(default_factory=dict)

    def send(self, who: str, path: str, body: Any) -> Any:
        """POST as somebody; it must be taken."""
        bearer = {"Authorization": f"Bearer {self.people[who]['token']}"}
        answer = requests.post(self.url + path, json=body, headers=bearer, timeout=20)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def join(self, key: str, name: str, role: str, **more: str) -> None:
        """A new member of the clinic, with a token."""
        member_id = str(uuid4())
        said = {"member_id": member_id, "name": name, "role": role, **more}
        entries = {"entries": [{"type": "MemberJoined", "data": said}]}
        self.send("birch", "/v1/clinic/entries", entries)
        days = 2 + max(clock.SHIFT.days, 0)  # as of here, while the service may live later
        token = issue(
            self.owner, self.clinic_id, name=name, role=role, member_id=UUID(member_id), days=days
        )
        self.people[key] = {"name": name, "member_id": member_id, "token": token.token}

    def open(
        self,
        key: str,
        who: str,
        label: str,
        *entries: Entry,
        days_ago: float = 200,
        client: str = "",
    ) -> str:
        """A new plan of somebody's; ``client``: beside the plan of that key, for the same client."""
        begun = clock.now() - timedelta(days=days_ago)
        opening = {
            "client_ref": f"m-{client or key}",
            "alongside": bool(client),
            "client_label": label,
            "initiated_by": "client",
            "presenting_concern": "It is what it is, and it should be something else.",
            "hopes": "Something else.",
            "signs_of_improvement": "I notice it.",
            "therapist_id": self.people[who]["member_id"],
            "occurred_at": begun.isoformat(),
            "entries": list(entries),
        }
        self.plans[key] = str(self.send(who, "/v1/plans", opening)["plan_id"])
        return self.plans[key]

    def record(self, key: str, who: str, *entries: Entry) -> int:
        """More in a plan; where in the clinic's log it ends."""
        place = f"/v1/plans/{self.plans[key]}/entries"
        return int(self.send(who, place, {"entries": list(entries)})["position"])


def an_entry(kind: str, /, days_ago: float | None = None, why: str = "", **data: Any) -> Entry:
    """An entry as it is sent."""
    said: Entry = {"type": kind, "data": data}
    if days_ago is not None:
        said["occurred_at"] = (clock.now() - timedelta(days=days_ago)).isoformat()
    return {**said, "reason": {"text": why}} if why else said


def a_goal(statement: str, name: str, **more: Any) -> Entry:
    """A goal with a measure."""
    measure = {"name": name, "unit": "times", "target": 5, "direction": "increase", **more}
    goal_id = str(uuid4())
    return an_entry("GoalSet", 190, goal_id=goal_id, statement=statement, measure=measure)


def measured(goal: Entry, days_ago: float, value: float) -> Entry:
    """A value of a goal's measure."""
    goal_id = goal["data"]["goal_id"]
    return an_entry("MeasureRecorded", days_ago, goal_id=goal_id, value=value, by="client")


def make(made: Made) -> None:
    """Everything the states below need."""
    made.join("idle", "Idle Starling", "clinician")
    made.join("busy", "Busy Magpie", "clinician")
    made.join("newcomer", "Newcomer Robin", "client", client_ref="nobody-yet")
    made.open("single", "alder", "Single Entry", days_ago=0)
    made.open("late", "alder", "Late Writer", days_ago=100)
    made.record(
        "late", "alder", *[an_entry("SetbackNoted", 90 - n, what=f"Setback {n}") for n in range(6)]
    )
    _many(made)
    made.open("error", "alder", "Error Wren")
    opened = _first_entry(made, "error")
    made.record(
        "error",
        "alder",
        an_entry(
            "EntryMarkedInError", why="Another client", entry_id=opened, including_dependents=True
        ),
    )
    made.open("spare", "alder", "Spare Finch")
    made.open("next", "alder", "Next Plan")
    made.open("superseded", "alder", "Superseded Rail", client="next")
    made.record("superseded", "alder", an_entry("PlanSuperseded", by_plan_id=made.plans["next"]))
    position = _busy(made)
    glass = {"plan_id": made.plans["many"], "why": "At the front desk", "minutes": 60}
    taken = made.send("idle", "/v1/emergency-access", glass)
    made.plans["emergency"] = taken["entries"][0]["entry_id"]
    _wait(made, max(position, taken["position"]))


def _many(made: Made) -> None:
    """Forty measures, names as long as they come, one value each but for the first."""
    goals = [
        a_goal(f"{WORDS} ({n})", f"{LONG if n == 0 else 'Measure'} {n}", baseline=5 if n % 2 else 0)
        for n in range(40)
    ]
    values = [measured(goals[0], 180 - n, (n * 7) % 9) for n in range(60)]
    values += [measured(goal, 20, 4) for goal in goals[2:]]
    values += [measured(goals[0], 10, 1_000_000), measured(goals[0], 9, -5)]
    made.open("many", "alder", f"Many {LONG}", *goals)
    made.record("many", "alder", *values)


def _busy(made: Made) -> int:
    """Seventy plans opened long ago: two things are owed by each."""
    for n in range(70):
        made.open(f"busy-{n}", "busy", f"Client {n}", days_ago=400)
    return made.record("busy-0", "busy", an_entry("SetbackNoted", what="The last one"))


def _first_entry(made: Made, key: str) -> str:
    bearer = {"Authorization": f"Bearer {made.people['alder']['token']}"}
    place = f"{made.url}/v1/plans/{made.plans[key]}/timeline?limit=1"
    found = requests.get(place, headers=bearer, timeout=20).json()["entries"][0]
    return str(found["entry_id"])


def _wait(made: Made, position: int) -> None:
    """Until the read models have taken it in."""
    bearer = {"Authorization": f"Bearer {made.people['alder']['token']}"}
    place = f"{made.url}/v1/worklist?at_least={position}"
    assert soon(lambda: requests.get(place, headers=bearer, timeout=20).status_code == 200, 60)
