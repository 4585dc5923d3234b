"""The demo clinic: every life is accepted by the rules, and leaves the worklist it promises."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import Any
from uuid import UUID

import pytest

from domain.entry import TYPES, Author, Entry
from domain.goals import Goal
from domain.obligations import Obligation, obligations
from domain.opening import PlanOpened
from domain.plan import AHEAD, Plan
from service.demo.lives import LIVES
from service.demo.load import ReadyDraft, load
from service.demo.people import PEOPLE, Person

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
ANCHORS = [MONDAY + timedelta(days=day, hours=3 * day, minutes=1) for day in range(7)]
KEYS = sorted(life.key for life in LIVES)
UNKIND = re.compile(
    r"fail|complian|patient|refus|denie[sd]|manipulat|attention.seeking", re.IGNORECASE
)


@dataclass
class Recorded:
    """What recording answered."""

    plan_id: UUID
    entries: Sequence[Entry]


@dataclass
class Clinic:
    """A clinic without a database: plans recorded by the real rules, and all entries in order."""

    first_id: int = 0
    plans: dict[UUID, Plan] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    keys: dict[str, UUID] = field(default_factory=dict)
    anchor: datetime = MONDAY

    def __post_init__(self) -> None:
        """Ids count up from ``first_id``."""
        self.numbers = count(self.first_id)

    def new_id(self) -> str:
        """The next id."""
        return str(UUID(int=next(self.numbers)))

    def load(self, anchor: datetime) -> Clinic:
        """The clinic with the demo in it."""
        self.anchor = anchor
        self.keys = load(self.open_plan, self.record, anchor)
        return self

    def open_plan(
        self, by: Person, data: PlanOpened, drafts: Sequence[ReadyDraft], recorded_at: datetime
    ) -> Recorded:
        """As the service opens a plan."""
        plan_id = UUID(self.new_id())
        self.plans[plan_id] = Plan.new(plan_id)
        return self.record(by, plan_id, [ReadyDraft(data=data), *drafts], recorded_at)

    def record(
        self, by: Person, plan_id: UUID, drafts: Sequence[ReadyDraft], recorded_at: datetime
    ) -> Recorded:
        """As the service records a request's entries."""
        author = Author(
            member_id=by.member_id, name=by.name, role=by.role, credential=by.credential
        )
        new = [
            self.plans[plan_id].record(
                now=recorded_at, recorded_by=author, new_id=self.new_id, **vars(draft)
            )
            for draft in drafts
        ]
        self.entries += new
        return Recorded(plan_id, new)

    def plan(self, key: str) -> Plan:
        """The plan of that life."""
        return self.plans[self.keys[key]]

    def owed(self, key: str, kind: str) -> list[Obligation]:
        """What the plan owes of one kind."""
        return [held for held in obligations(self.plan(key).state) if held.kind == kind]

    def overdue(self, key: str) -> list[str]:
        """The kinds of what the plan owes since before the anchor's day."""
        today = self.anchor.date().isoformat()
        owed = obligations(self.plan(key).state)
        return sorted(held.kind for held in owed if held.due_on and held.due_on < today)


@pytest.fixture(scope="module")
def clinic() -> Clinic:
    """The demo as loaded on a Wednesday."""
    return Clinic().load(ANCHORS[2])


@pytest.fixture(scope="module", params=ANCHORS, ids=lambda anchor: f"{anchor:%a}")
def any_day(request: pytest.FixtureRequest) -> Clinic:
    """The demo as loaded on each day of a week, the Monday one minute after midnight."""
    return Clinic().load(request.param)


def flat(goal: Goal) -> bool:
    """Whether six or more values over four weeks or more, up to the newest, hardly differ."""
    newest = [(held.at, held.value) for held in goal.values][-6:]
    values = [value for _, value in newest]
    long_enough = len(newest) == 6 and newest[-1][0] - newest[0][0] >= timedelta(days=28)
    return long_enough and max(values) - min(values) <= 1 and abs(values[-1] - values[0]) == 0


def texts(value: object) -> Iterator[str]:
    """All texts in a group of JSON types."""
    if isinstance(value, dict):
        for held in value.values():
            yield from texts(held)
    elif isinstance(value, list):
        for held in value:
            yield from texts(held)
    elif isinstance(value, str):
        yield value


# What is in the demo


def test_every_life_is_accepted_by_all_rules_whatever_the_day(any_day: Clinic) -> None:
    """Loading raises no refusal, and each of the eight plans is there."""
    assert sorted(any_day.keys) == KEYS
    assert len(KEYS) == 8


def test_every_type_of_entry_occurs(clinic: Clinic) -> None:
    """Whoever looks for an example of an entry finds one in the demo."""
    assert {entry.type for entry in clinic.entries} == set(TYPES)


def test_every_plan_has_a_life_of_months(clinic: Clinic) -> None:
    """Each plan spans four to nine months and 40 to 95 entries."""
    for key in KEYS:
        plan = clinic.plan(key)
        assert 40 <= plan.version <= 95, key
        lived = plan.entries[-1].recorded_at - plan.entries[0].recorded_at
        assert timedelta(days=120) <= lived <= timedelta(days=275), key


def test_every_plan_has_its_turns(clinic: Clinic) -> None:
    """Each has a relapse, a swap, a review, a correction, a late entry, a series of measures."""
    for key in KEYS:
        entries = clinic.plan(key).entries
        kinds = Counter(entry.type for entry in entries)
        for kind in (
            "RelapseNoted",
            "InterventionSwapped",
            "ReviewHeld",
            "EntryCorrected",
            "EntryMarkedInError",
            "AddendumAdded",
            "DiscomfortVoiced",
            "FeedbackGiven",
        ):
            assert kinds[kind], (key, kind)
        assert kinds["MeasureRecorded"] >= 12, key
        assert any(entry.late() for entry in entries), key


def test_references_that_need_a_reason_or_a_cause_carry_them(clinic: Clinic) -> None:
    """Causes name earlier entries of the same plan."""
    for plan in clinic.plans.values():
        before: set[str] = set()
        for entry in plan.entries:
            assert entry.causation_id is None or entry.causation_id in before
            before.add(entry.entry_id)


def test_the_people_cover_every_role(clinic: Clinic) -> None:
    """Somebody of each role can sign in, with an id of their own; the trainee has a supervisor."""
    assert {person.role for person in PEOPLE.values()} == {
        "clinician",
        "supervisor",
        "client",
        "auditor",
        "integration",
        "admin",
        "privacy_officer",
    }
    assert len({person.member_id for person in PEOPLE.values()}) == len(PEOPLE)
    assert [person.supervised_by for person in PEOPLE.values() if person.supervised_by] == ["rowan"]


def test_people_record_only_what_their_role_may(clinic: Clinic) -> None:
    """The client speaks for herself, questionnaires measure, supervisors co-sign and observe."""
    allowed = {
        "client": {
            "DiscomfortVoiced",
            "FeedbackGiven",
            "PlanAgreed",
            "PracticeReported",
            "SelfReportRecorded",
        },
        "integration": {"MeasureRecorded"},
        "privacy_officer": {"EmergencyAccessReviewed"},
        "supervisor": {"ObservationRecorded", "PlanCosigned", "PlanReturned"},
    }
    for entry in clinic.entries:
        role = entry.recorded_by.role
        assert role == "clinician" or entry.type in allowed[role]


def test_a_client_writes_in_their_own_plan_only() -> None:
    """Maple's own words stand in Maple's plan and in no other."""
    by_client = {key: PEOPLE[key].client_of for key in PEOPLE if PEOPLE[key].client_of is not None}
    for life in LIVES:
        assert {by_client[key] for key in life.recorders & by_client.keys()} <= {life.key}


# When things are recorded


def test_recorded_at_never_decreases_over_the_clinic(any_day: Clinic) -> None:
    """The clinic's log is in the order of recording, and the plans interleave."""
    assert all(one.recorded_at <= next_.recorded_at for one, next_ in pairwise(any_day.entries))
    changes = sum(one.plan_id != next_.plan_id for one, next_ in pairwise(any_day.entries))
    assert changes > 200


def test_nothing_lies_ahead(any_day: Clinic) -> None:
    """No entry occurs after its recording, none is recorded after the anchor."""
    for entry in any_day.entries:
        assert entry.occurred_at <= entry.recorded_at + AHEAD
        assert entry.recorded_at < any_day.anchor


def test_the_lives_end_shortly_before_the_anchor(any_day: Clinic) -> None:
    """Every open plan was last written in within the two weeks before."""
    for key in KEYS:
        plan = any_day.plan(key)
        if not plan.state.lifecycle.closed:
            assert any_day.anchor - plan.entries[-1].recorded_at < timedelta(days=14), key


def test_staff_works_on_weekdays(any_day: Clinic) -> None:
    """Whatever day the demo is loaded on, clinicians and supervisors record on working days."""
    for entry in any_day.entries:
        if entry.recorded_by.role in ("clinician", "supervisor"):
            assert entry.recorded_at.weekday() < 5, entry
            assert 7 <= entry.recorded_at.hour < 20, entry


def test_an_appointment_is_one_session(clinic: Clinic) -> None:
    """Entries of one session share plan, author and moment of recording."""
    sessions: dict[str, set[Any]] = {}
    for entry in clinic.entries:
        if entry.session_id is not None:
            together = (entry.plan_id, entry.recorded_by, entry.recorded_at)
            sessions.setdefault(entry.session_id, set()).add(together)
    assert all(len(together) == 1 for together in sessions.values())


def test_two_loads_are_alike() -> None:
    """The same anchor gives the same plans, but for the ids and hashes which the service makes."""

    def told(clinic: Clinic) -> str:
        names = {
            entry.entry_id: f"{key} v{entry.version}"
            for key, plan_id in clinic.keys.items()
            for entry in clinic.plans[plan_id].entries
        }
        names |= {str(plan_id): key for key, plan_id in clinic.keys.items()}
        documents = {key: clinic.plan(key).document() for key in KEYS}
        text = re.sub(r'"content_hash": "\w+"', "", json.dumps(documents))
        return re.sub(r"[0-9a-f-]{36}", lambda found: names.get(found[0], found[0]), text)

    assert told(Clinic(first_id=1).load(MONDAY)) == told(Clinic(first_id=10**9).load(MONDAY))


def test_the_loader_tells_how_far_it_is() -> None:
    """``told`` hears of every session, the last one completes."""
    clinic, heard = Clinic(), list[tuple[int, int]]()
    load(clinic.open_plan, clinic.record, MONDAY, told=lambda done, of: heard.append((done, of)))
    assert heard == [(number, len(heard)) for number in range(1, len(heard) + 1)]
    assert len(heard) == sum(len(life.sessions) for life in LIVES)


# What the worklist shows


def test_a_formal_review_is_past_due(any_day: Clinic) -> None:
    """The couple's formal review was planned and has not taken place."""
    assert any_day.overdue("couple") == ["formal_review"]


def test_a_discomfort_is_unanswered_for_too_long(any_day: Clinic) -> None:
    """Aspen's words about the family table have waited longer than two weeks."""
    assert "answer_discomfort" in any_day.overdue("teen")


def test_a_first_signature_is_past_due(any_day: Clinic) -> None:
    """Nobody signs Aspen's plan before Aspen's own yes; the worklist says so all the same."""
    assert "first_signature" in any_day.overdue("teen")


def test_a_relapse_waits_for_its_review(any_day: Clinic) -> None:
    """Oak's second relapse calls for a review; his goals are at risk."""
    assert len(any_day.owed("trauma", "reevaluation")) == 1
    assert [goal.status for goal in any_day.plan("trauma").state.goals.goals if goal.at_risk_from]


def test_a_plateau_may_be_suspected(any_day: Clinic) -> None:
    """Holly's rides end at the third station; nobody has noted that yet."""
    state = any_day.plan("agoraphobia").state
    active = [goal for goal in state.goals.goals if goal.status == "active"]
    assert [flat(goal) for goal in active] == [True]
    assert not len(state.course.plateaus)
    assert any_day.anchor - active[0].values[-1].at < timedelta(days=14)


def test_a_plateau_may_be_suspected_nowhere_else(any_day: Clinic) -> None:
    """The other plans' active goals have moved in the last weeks."""
    for key in KEYS:
        if key != "agoraphobia":
            goals = any_day.plan(key).state.goals.goals
            assert not [goal.statement for goal in goals if goal.status == "active" and flat(goal)]


def test_a_cosignature_waits(any_day: Clinic) -> None:
    """Hazel has signed Ivy's newest plan; Rowan has not looked at it yet. No other one waits."""
    assert [key for key in KEYS if any_day.owed(key, "cosignature")] == ["self_harm"]
    newest = any_day.plan("self_harm").document()["signatures"]["signed"][-1]
    assert newest["current"]
    assert newest["status"] == "signed"
    assert newest["by"]["name"] == "Hazel Wren"


def test_a_paused_goal_is_to_be_looked_at_soon(any_day: Clinic) -> None:
    """The couple's evening out rests; it is to be looked at within the next ten days."""
    (check,) = any_day.owed("couple", "resume_check")
    due = datetime.fromisoformat(f"{check.due_on}T00:00:00Z") - any_day.anchor
    assert timedelta(0) < due < timedelta(days=10)


@pytest.mark.parametrize("key", ["panic", "self_esteem"])
def test_some_plans_are_in_good_order(any_day: Clinic, key: str) -> None:
    """Nothing overdue; agreed and signed since the newest change that matters."""
    plan = any_day.plan(key)
    assert [held.kind for held in obligations(plan.state)] == ["formal_review"]
    assert not any_day.overdue(key)
    shown = plan.document()["signatures"]
    assert shown["client"]["answer"] == "agreed"
    assert shown["client"]["current"]
    assert shown["signed"][-1]["current"]


def test_the_other_plans_owe_nothing_overdue(any_day: Clinic) -> None:
    """What is overdue is only what the demo means to show."""
    assert not any_day.overdue("agoraphobia")
    assert not any_day.overdue("burnout")
    assert not any_day.overdue("self_harm")
    assert any_day.overdue("trauma") in ([], ["reevaluation"])


def test_the_plans_stand_where_the_demo_says(any_day: Clinic) -> None:
    """One is completed, one is a draft that nobody has agreed to, six are active."""
    statuses = {key: any_day.plan(key).state.lifecycle.status for key in KEYS}
    assert Counter(statuses.values()) == {"active": 6, "completed": 1, "draft": 1}
    assert statuses["burnout"] == "completed"
    assert statuses["teen"] == "draft"


# How it is told


def test_no_word_blames(clinic: Clinic) -> None:
    """A setback is a setback; nobody fails, refuses or is a patient in these plans."""
    for entry in clinic.entries:
        told = [*texts(json.loads(json.dumps(vars(entry.data), default=str)))]
        told += [entry.reason.text] if entry.reason else []
        assert not [text for text in told if UNKIND.search(text)]


def test_every_entry_tells_its_sentence(clinic: Clinic) -> None:
    """Each entry reads as a sentence with the plan as it stands now."""
    for entry in clinic.entries:
        assert entry.data.tell(clinic.plans[entry.plan_id].state).strip()
