"""An entry: its envelope, the closed registry of its types, and its stored form."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any
from uuid import UUID

import pytest
from hypothesis import given as examples
from hypothesis import settings

from domain import entry as entry_module
from domain.course import SetbackNoted
from domain.entry import (
    CLINIC_TYPES,
    TOPICS,
    TYPES,
    VOICES,
    Author,
    Entry,
    EntryData,
    Reason,
    chapter_of,
    created_ids,
    data_from_stored,
    from_stored,
    links_of,
    recorded,
    references,
    to_stored,
    type_named,
)
from domain.errors import InvalidDataError, UnknownEntryTypeError
from domain.fields import New, Ref, check
from domain.goals import GoalSet
from domain.interventions import Agreement, Consent, InterventionSwapped
from domain.opening import ConcernsLinked
from domain.plan import Plan
from domain.policy import Policy
from domain.record import EntryCorrected
from domain.state import PlanState
from tests.domain.specs import (
    CONCERN,
    GOAL,
    INTERVENTION,
    OTHER_CONCERN,
    OTHER_INTERVENTION,
    PLAN,
    THERAPIST,
    a_goal,
    an_id,
    day,
    entry_id,
    given,
    opened,
    said,
)
from tests.domain.strategies import entries


@dataclass(frozen=True, kw_only=True)
class Rung:
    """A group that brings in something new and refers to its like."""

    made: Annotated[str, New("rung")] = ""
    after: Annotated[str, Ref("rung")] | None = None


@dataclass(frozen=True, kw_only=True)
class Ladder(EntryData):
    """An entry with such groups, alone and in a list."""

    rungs: tuple[Rung, ...] = ()
    last: Rung | None = None


COLUMNS = ("originator_id", "originator_version", "timestamp", "entry_id", "position")


@pytest.fixture
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TOPICS", "TYPES", "CLINIC_TYPES", "EVERY_TYPE"):
        monkeypatch.setattr(entry_module, name, dict(getattr(entry_module, name)))


# The registry


def test_a_type_is_found_by_its_name() -> None:
    """And knows its topic and chapter."""
    assert type_named("GoalSet") is GoalSet
    assert GoalSet.TOPIC == "plan.goal-set"
    assert TOPICS["plan.goal-set"] is GoalSet
    assert chapter_of(GoalSet) == "goals"


@pytest.mark.parametrize("name", ["goal_set", "goalset", "GOALSET", "goalSet"])
def test_a_near_miss_is_suggested(name: str) -> None:
    """Whoever spells it otherwise is told the name."""
    with pytest.raises(UnknownEntryTypeError, match=r"Did you mean GoalSet\?") as refused:
        type_named(name)
    assert refused.value.pointer == "/type"


@pytest.mark.parametrize("name", ["GoalWished", "", "plan.goal-set", 3, None])
def test_an_unknown_type_is_refused_with_where_to_look(name: Any) -> None:
    """Whatever was sent as a type."""
    with pytest.raises(UnknownEntryTypeError, match="/v1/entry-types lists them all"):
        type_named(name)


@pytest.mark.parametrize(
    ("name", "types", "said"),
    [
        ("PolicySet", TYPES, "of the clinic itself: POST /v1/clinic/entries records it."),
        ("ProposalApproved", TYPES, "of the clinic itself: POST /v1/clinic/proposals/"),
        ("GoalSet", CLINIC_TYPES, "of a plan: POST /v1/plans/{plan_id}/entries records it."),
        ("EmergencyAccessTaken", CLINIC_TYPES, "of a plan: POST /v1/emergency-access records it."),
    ],
)
def test_a_type_of_another_history_is_told_where_it_belongs(
    name: str, types: dict[str, type[EntryData]], said: str
) -> None:
    """It is a type; it is recorded elsewhere."""
    with pytest.raises(UnknownEntryTypeError, match=re.escape(f"{name} is an entry {said}"[:70])):
        type_named(name, types)


def test_an_overlong_name_is_not_repeated_whole() -> None:
    """Refusals stay readable."""
    with pytest.raises(UnknownEntryTypeError) as refused:
        type_named("x" * 5000)
    assert len(refused.value.detail) < 200


@pytest.mark.parametrize(
    "topic", ["os:system", "domain.goals:GoalSet", "plan.goal-wished", "", "antigravity"]
)
def test_an_unknown_topic_is_refused_and_nothing_is_imported(topic: str) -> None:
    """Stored topics are looked up in a closed registry, never resolved as paths."""
    before = set(sys.modules)
    with pytest.raises(UnknownEntryTypeError, match="not in the registry"):
        from_stored(topic, {"recorded_by": {}, "data": {}})
    assert set(sys.modules) == before


@pytest.mark.usefixtures("_registry")
def test_a_topic_and_a_name_are_declared_once() -> None:
    """Two entries cannot share either."""
    with pytest.raises(TypeError, match=r"\(plan\.goal-set\) is declared twice"):

        @recorded("plan.goal-set")
        class GoalWished(EntryData):
            """Shares the topic."""

    with pytest.raises(TypeError, match=r"GoalSet \(plan\.goal-set-again\) is declared twice"):

        @recorded("plan.goal-set-again")
        class GoalSet(EntryData):
            """Shares the name."""


def test_an_entry_type_starts_without_rules_of_its_own() -> None:
    """It takes any plan, changes nothing, ends nothing, needs no reason – but has to be told."""
    spec = given(opened())
    state, plain = spec.plan.state, EntryData()
    assert plain.complete(spec.plan) is plain
    assert plain.needs_reason(state) is False
    assert plain.ends() == ()
    before = state.document()
    plain.decide(state, spec.last)
    plain.apply(state, spec.last)
    assert state.document() == before
    with pytest.raises(NotImplementedError):
        plain.tell(state)


# The envelope


def test_an_entry_knows_its_place_and_its_times() -> None:
    """Plan, version, type, and both clocks."""
    spec = given(opened()).when(SetbackNoted(what="Rain"), now=day(3), occurred_at=day(2.5))
    entry = spec.last
    assert entry.plan_id == UUID(PLAN)
    assert entry.version == 2
    assert entry.type == "SetbackNoted"
    assert (entry.recorded_at, entry.occurred_at, entry.dated) == (day(3), day(2.5), True)
    assert (entry.recorded_by, entry.position, entry.sources) == (THERAPIST, 0, ())
    assert (entry.voiced_by, entry.reason, entry.session_id) == (None, None, None)
    assert (entry.command_id, entry.causation_id) == (None, None)
    assert repr(entry) == f"<SetbackNoted {entry_id(2)} v2>"


def test_an_entry_nobody_dated_occurred_when_it_was_recorded() -> None:
    """Its moment moves with the time the database gives it."""
    entry = given(opened()).when(SetbackNoted(what="Rain"), now=day(3)).last
    assert (entry.occurred_at, entry.dated) == (day(3), False)


@pytest.mark.parametrize(("hours", "late"), [(24, False), (24.001, True), (-0.05, False)])
def test_an_entry_recorded_more_than_a_day_after_is_late(hours: float, late: bool) -> None:
    """Exactly 24 hours is not."""
    spec = given(opened()).when(
        SetbackNoted(what="Rain"), now=day(3), occurred_at=day(3) - timedelta(hours=hours)
    )
    assert spec.last.late() is late


def test_the_clinics_policy_says_what_is_late() -> None:
    """What is in time for one clinic is late for another."""
    entry = given(opened()).when(SetbackNoted(what="Rain"), now=day(3), occurred_at=day(1)).last
    assert entry.late()
    assert not entry.late(Policy(late_after_hours=48))
    assert entry.late(Policy(late_after_hours=47))


def test_a_moment_without_its_offset_is_refused() -> None:
    """Nobody can know when it was; in a correction as well."""
    naive = datetime(2026, 1, 6, 9)  # noqa: DTZ001 - what is refused
    spec = given(opened(), SetbackNoted(what="Rain"))
    spec.when(SetbackNoted(what="Mud"), occurred_at=naive).refused(
        InvalidDataError, "/occurred_at", "offset"
    )
    correction = EntryCorrected(entry_id=entry_id(2), data={}, occurred_at=naive)
    spec.when(correction, reason="A slip").refused(InvalidDataError, "/data/occurred_at", "offset")


def test_moments_are_kept_in_utc_whatever_their_offset() -> None:
    """In a correction as well."""
    there = datetime(2026, 1, 6, 10, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    spec = given(opened()).when(SetbackNoted(what="Rain"), occurred_at=there, now=day(3))
    assert to_stored(spec.last)["occurred_at"] == "2026-01-06T05:00:00Z"
    moved = there + timedelta(hours=1)
    correction = EntryCorrected(entry_id=entry_id(2), data={}, occurred_at=moved)
    spec.when(correction, reason="A slip", now=day(3))
    assert to_stored(spec.last)["data"]["occurred_at"] == "2026-01-06T06:00:00Z"


def test_words_are_those_of_somebody_the_plan_knows() -> None:
    """An unknown voice is refused, naming those there are."""
    given(opened()).when(SetbackNoted(what="Rain"), voiced_by="neighbour").refused(
        InvalidDataError, "/voiced_by", "client, guardian"
    )


def test_an_entry_is_never_changed() -> None:
    """What looks like a change is another entry."""
    entry = given(opened()).last
    with pytest.raises(AttributeError, match="never changed"):
        entry.position = 7
    moved = entry.but(position=7)
    assert (entry.position, moved.position) == (0, 7)


def test_entries_are_equal_when_all_of_them_is() -> None:
    """And fit into sets and keys."""
    entry = given(opened()).last
    assert entry == entry.but()
    assert entry != entry.but(position=7)
    assert entry != "an entry"
    assert len({entry, entry.but()}) == 1


def test_the_library_rebuilds_a_plan_from_its_entries() -> None:
    """Mutating nothing makes the plan, mutating a plan teaches it the entry."""
    spec = given(opened(), a_goal())
    first, second = spec.plan.entries
    plan = first.mutate(None)
    assert isinstance(plan, Plan)
    assert plan.created_on == first.timestamp
    assert second.mutate(plan) is plan
    assert plan.document() == spec.plan.document()


def test_who_may_be_voiced_is_a_closed_list() -> None:
    """Whose words or wish it is."""
    assert VOICES == ("client", "guardian", "partner", "therapist", "supervisor", "team")


# What an entry creates and refers to


def test_an_entry_tells_what_it_creates_and_what_it_refers_to() -> None:
    """With the pointer of each id, also in lists and groups."""
    agreed = Agreement(
        intervention_id=OTHER_INTERVENTION,
        technique="mindfulness",
        orientation="dbt",
        goal_ids=(GOAL,),
        format="group",
        consent=Consent(given=True, explained_by="Dr Nadia Okafor"),
    )
    entry = given(opened()).last
    swap = InterventionSwapped(from_intervention_id=INTERVENTION, to=agreed, decided_with="client")
    swapped = entry.but(data=swap)
    assert list(created_ids(swapped)) == [
        ("intervention", OTHER_INTERVENTION, "/data/to/intervention_id")
    ]
    assert [(rule.kind, held, pointer) for rule, held, pointer in references(swapped)] == [
        ("intervention", INTERVENTION, "/data/from_intervention_id"),
        ("goal", GOAL, "/data/to/goal_ids/0"),
    ]
    linked = entry.but(data=ConcernsLinked(concern_ids=(CONCERN, OTHER_CONCERN), how="So"))
    assert [pointer for _, _, pointer in references(linked)] == [
        "/data/concern_ids/0",
        "/data/concern_ids/1",
    ]
    bare = entry.but(data=a_goal())
    assert list(references(bare)) == []


def test_links_are_found_in_lists_of_groups_too() -> None:
    """Though no entry has one today."""
    first, second = an_id("first"), an_id("second")
    rungs = (Rung(made=first), Rung(made=second, after=first))
    ladder = given(opened()).last.but(data=Ladder(rungs=rungs))
    assert list(created_ids(ladder)) == [
        ("rung", first, "/data/rungs/0/made"),
        ("rung", second, "/data/rungs/1/made"),
    ]
    assert [(held, pointer) for _, held, pointer in references(ladder)] == [
        (first, "/data/rungs/1/after")
    ]
    alone = ladder.but(data=Ladder(last=Rung(made=second)))
    assert list(created_ids(alone)) == [("rung", second, "/data/last/made")]
    assert len(links_of(Ladder)) == 4


# The stored form


def test_what_is_stored_of_an_entry() -> None:
    """JSON types; ids, order and the recorded time are columns beside it."""
    spec = given(opened()).when(
        a_goal(priority=1),
        now=day(3),
        occurred_at=day(2),
        reason="She asked",
        voiced_by="client",
    )
    assert to_stored(spec.last) == {
        "occurred_at": "2026-01-07T09:00:00Z",
        "voiced_by": "client",
        "reason": {"text": "She asked"},
        "recorded_by": {
            "member_id": THERAPIST.member_id,
            "name": "Dr Nadia Okafor",
            "role": "clinician",
            "credential": "LMFT",
        },
        "data": {
            "goal_id": GOAL,
            "statement": "Half an hour in the park, twice a week",
            "owner": "client",
            "priority": 1,
        },
    }


def test_of_an_undated_entry_no_moment_is_stored() -> None:
    """It occurred when it was recorded, whatever the database says that was."""
    stored = to_stored(given(opened()).last)
    assert "occurred_at" not in stored
    columns = {name: getattr(given(opened()).last, name) for name in COLUMNS}
    entry = from_stored("plan.plan-opened", stored, **{**columns, "timestamp": day(4)})
    assert (entry.occurred_at, entry.dated) == (day(4), False)


@pytest.mark.parametrize("name", TYPES)
def test_every_type_reads_back_as_it_was_stored(name: str) -> None:
    """Any entry its declaration allows, through JSON and back – and nothing is wrong with it."""

    @examples(entries(TYPES[name]))
    @settings(database=None, deadline=None, max_examples=10)
    def reads_back(entry: Entry) -> None:
        assert list(check(entry.data)) == []
        stored = json.loads(json.dumps(to_stored(entry)))
        columns = {column: getattr(entry, column) for column in COLUMNS}
        again = from_stored(TYPES[name].TOPIC, stored, **columns)
        assert again == entry
        assert json.dumps(to_stored(again)) == json.dumps(to_stored(entry))

    reads_back()


@pytest.mark.usefixtures("_registry")
class TestUpcasting:
    """Old stored formats stay readable: they are brought to today's step by step."""

    @pytest.fixture
    def wished(self) -> type[EntryData]:
        """A type in its third format."""

        @recorded("plan.goal-wished")
        class GoalWished(EntryData):
            class_version = 3

            wish: str
            strength: int

            def tell(self, plan: PlanState) -> str:
                return f"{self.wish} ({self.strength})."

            @staticmethod
            def upcast_v1_v2(data: dict[str, Any]) -> None:
                data["wish"] = data.pop("text")

            @staticmethod
            def upcast_v2_v3(data: dict[str, Any]) -> None:
                data["strength"] = 5

        return GoalWished

    @pytest.mark.parametrize(
        ("format_version", "data"),
        [
            (1, {"text": "Sleep"}),
            (2, {"wish": "Sleep"}),
            (3, {"wish": "Sleep", "strength": 5}),
        ],
    )
    def test_every_old_format_becomes_todays(
        self, wished: type[EntryData], format_version: int, data: dict[str, Any]
    ) -> None:
        """Only the steps that are missing are taken."""
        held = data_from_stored(wished, data, format_version)
        assert held.tell(PlanState()) == "Sleep (5)."

    def test_a_format_beyond_the_first_is_stored_with_its_number(
        self, wished: type[EntryData]
    ) -> None:
        """A stored state without a number is in the first."""
        held: EntryData = data_from_stored(wished, {"wish": "Sleep", "strength": 7}, 3)
        entry = given(opened()).last.but(data=held)
        stored = to_stored(entry)
        assert stored["class_version"] == 3
        columns = {name: getattr(entry, name) for name in COLUMNS}
        again = from_stored("plan.goal-wished", stored, **columns)
        assert again.data == held
        del stored["class_version"]
        stored["data"] = {"text": "Sleep"}
        oldest = from_stored("plan.goal-wished", stored, **columns)
        assert oldest.data.tell(PlanState()) == "Sleep (5)."


def test_author_and_reason_are_kept_as_they_were_at_that_moment() -> None:
    """Without what was not given."""
    someone = Author(member_id=an_id("someone"), name="Jo Marsh", role="intern")
    spec = given(opened(), said(a_goal(), by=someone, reason="Because"))
    stored = to_stored(spec.last)
    assert stored["recorded_by"] == {
        "member_id": an_id("someone"),
        "name": "Jo Marsh",
        "role": "intern",
    }
    assert spec.last.reason == Reason(text="Because")
