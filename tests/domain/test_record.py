"""Record: addenda, corrections, entries made in error. Nothing vanishes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from domain.course import FocusShifted, LifeEventNoted, SetbackNoted
from domain.entry import EntryData
from domain.errors import (
    CircularReferenceError,
    DependentsError,
    EntryNotFoundError,
    InvalidDataError,
    OccurredInFutureError,
    PlanClosedError,
    ReasonRequiredError,
    TransitionError,
    UnknownReferenceError,
)
from domain.goals import GoalAchieved, GoalPaused, GoalRevised, ObjectiveAdded, ProgressNoted
from domain.interventions import Agreement, Consent, InterventionSwapped
from domain.lifecycle import PlanCompleted, PlanPaused, PlanResumed
from domain.opening import ConcernIdentified, ContextCaptured
from domain.practice import LookBackHeld, Period
from domain.record import AddendumAdded, EntryCorrected, EntryMarkedInError
from tests.domain.specs import (
    CONCERN,
    GOAL,
    NOWHERE,
    OTHER_GOAL,
    a_goal,
    an_id,
    an_intervention,
    day,
    entry_id,
    given,
    opened,
    said,
)

COMPLETED = PlanCompleted(outcome="goals_met", summary="Done")
SETBACK = SetbackNoted(what="Rain")
PROGRESS = ProgressNoted(goal_id=GOAL, direction="improving", evidence="Twice out")


def correct(version: int, occurred_at: datetime | None = None, **data: Any) -> EntryCorrected:
    """The correction of the entry of that version."""
    return EntryCorrected(entry_id=entry_id(version), data=data, occurred_at=occurred_at)


def in_error(version: int, *, including_dependents: bool = False) -> EntryMarkedInError:
    """The mark on the entry of that version."""
    return EntryMarkedInError(entry_id=entry_id(version), including_dependents=including_dependents)


# Addenda


def test_an_addendum_leaves_the_plan_as_it_is() -> None:
    """It stands in the timeline beside the entry it adds to."""
    spec = given(opened(), a_goal())
    before = spec.plan.state.document()
    spec.when(AddendumAdded(entry_id=entry_id(2), text="She said it twice")).tells(
        "An addendum was written: “She said it twice”."
    )
    assert spec.plan.state.document() == before


@pytest.mark.parametrize("about", [NOWHERE, GOAL])
def test_an_addendum_adds_to_an_entry_of_this_plan(about: str) -> None:
    """Unknown ids and things that are not entries are refused."""
    given(opened(), a_goal()).when(AddendumAdded(entry_id=about, text="Hm")).refused(
        UnknownReferenceError, "/data/entry_id", "no entry of that id"
    )


def test_an_addendum_can_be_added_to_an_entry_made_in_error() -> None:
    """It explains what was wrong, and does not stand or fall with it."""
    spec = given(opened(), SETBACK, in_error(2))
    spec.when(AddendumAdded(entry_id=entry_id(2), text="This was another client")).then(
        {"/setbacks": []}
    )
    spec.when(AddendumAdded(entry_id=entry_id(3), text="Seen on the printout")).then(
        {"/version": 5}
    )


# Corrections


def test_a_correction_replaces_what_the_entry_said_in_its_place() -> None:
    """The plan uses the correction, where and when the original stood; the original stays."""
    spec = given(opened(), a_goal(), SETBACK).when(
        correct(2, statement="An hour in the park"), reason="Misheard"
    )
    spec.then(
        {
            "/goals/0/statement": "An hour in the park",
            "/goals/0/status_since": "2026-01-06T09:00:00Z",
            "/goals/0/goal_id": GOAL,
        }
    ).tells("An earlier entry was corrected.")
    original = spec.plan.entry(entry_id(2)).data
    assert original == a_goal()
    standing = spec.plan.standing_entry(entry_id(2))
    assert standing is not None
    assert standing.sources == (2, 4)


def test_a_correction_keeps_what_it_does_not_mention_and_null_takes_a_field_out() -> None:
    """Given fields replace, null removes an optional one; the whole is what is stored."""
    goal = a_goal(attainable_because="She can", relevant_because="The dog", priority=3)
    spec = given(opened(), goal).when(
        correct(2, priority=1, relevant_because=None), reason="Misheard"
    )
    spec.then(
        {
            "/goals/0/attainable_because": "She can",
            "/goals/0/relevant_because": None,
            "/goals/0/priority": 1,
        }
    )
    said_now = spec.last.data
    assert isinstance(said_now, EntryCorrected)
    assert said_now.data == {
        "goal_id": GOAL,
        "statement": "Half an hour in the park, twice a week",
        "attainable_because": "She can",
        "owner": "client",
        "priority": 1,
    }


def test_a_correction_can_move_an_entry_in_time() -> None:
    """What happened earlier counts earlier."""
    given(opened(), FocusShifted(to="coping"), FocusShifted(to="grief")).when(
        correct(2, occurred_at=day(2.5)), reason="It was the day after"
    ).then({"/focus": "coping", "/focus_since": "2026-01-07T21:00:00Z"})


def test_a_correction_is_decided_by_the_rules_of_the_entry_it_corrects() -> None:
    """The pointer leads into the corrected data."""
    paused = GoalPaused(goal_id=GOAL, resume_check_on=date(2026, 3, 1))
    given(
        opened(),
        a_goal(),
        a_goal(OTHER_GOAL),
        paused,
        GoalAchieved(goal_id=OTHER_GOAL, evidence="x"),
    ).when(correct(4, goal_id=OTHER_GOAL), reason="The other goal").then(
        {"/goals/1/status": "achieved", "/goals/0/status": "active"}
    )
    given(
        opened(),
        a_goal(),
        a_goal(OTHER_GOAL),
        GoalAchieved(goal_id=OTHER_GOAL, evidence="x"),
        paused,
    ).when(correct(5, goal_id=OTHER_GOAL), reason="The other goal").refused(
        TransitionError, "/data/data/goal_id", "this one is achieved"
    )


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({"statement": ""}, "/data/data/statement"),
        ({"statement": None}, "/data/data/statement"),
        ({"priority": 0}, "/data/data/priority"),
        (
            {"measure": {"name": "outings", "unit": "times", "direction": "increase"}},
            "/data/data/measure/target",
        ),
        ({"colour": "blue"}, "/data/data/colour"),
        ({"within": "P2M", "target_on": "2026-03-01"}, "/data/data/within"),
    ],
)
def test_corrected_fields_are_checked_like_any_other(data: dict[str, Any], pointer: str) -> None:
    """The declared rules and the type's own rule hold for what is corrected."""
    given(opened(), a_goal()).when(correct(2, **data), reason="Misheard").refused(
        InvalidDataError, pointer
    )


def test_a_correction_changes_something() -> None:
    """The same words at the same time are refused."""
    given(opened(), SETBACK).when(correct(2, what="Rain"), reason="Hm").refused(
        InvalidDataError, "/data/data", "Changes nothing"
    )
    given(opened(), SETBACK).when(correct(2, occurred_at=day(1)), reason="Hm").refused(
        InvalidDataError, "/data/data", "Changes nothing"
    )


def test_what_an_entry_created_keeps_its_id() -> None:
    """Other entries know it by that id."""
    given(opened(), a_goal()).when(correct(2, goal_id=OTHER_GOAL), reason="Hm").refused(
        InvalidDataError, "/data/data", "ids an entry created"
    )


def test_a_corrected_entry_is_corrected_again_from_the_original() -> None:
    """The newest correction that stands is used; it starts from what stands."""
    spec = given(opened(), a_goal(priority=3), correct(2, priority=2)).when(
        correct(2, statement="An hour in the park"), reason="Misheard, too"
    )
    spec.then({"/goals/0/statement": "An hour in the park", "/goals/0/priority": 2})


def test_a_correction_taken_back_leaves_the_one_before_or_the_original() -> None:
    """Marking a correction in error takes it back."""
    spec = given(opened(), a_goal(priority=3), correct(2, priority=2), correct(2, priority=1))
    spec.when(in_error(4), reason="Wrong").then({"/goals/0/priority": 2})
    spec.when(in_error(3), reason="Wrong").then({"/goals/0/priority": 3})


def test_the_opening_can_be_corrected() -> None:
    """Also while entries rest on it."""
    given(opened(), a_goal()).when(
        correct(1, client_label="Mira Thorne", review_interval_days=30), reason="Full name"
    ).then(
        {"/client/label": "Mira Thorne", "/review_interval_days": 30, "/goals/0/goal_id": GOAL}
    ).owes("formal_review", due_on="2026-02-04")


def test_a_corrected_period_reads_back_every_time() -> None:
    """Days inside groups of fields survive being corrected, stored and settled again."""
    period = Period(from_=date(2025, 10, 1), to=date(2025, 12, 31))
    spec = given(opened(), LookBackHeld(period=period, summary="Much")).when(
        correct(2, summary="A good deal"), reason="Misheard"
    )
    expected = {
        "/look_backs/0/summary": "A good deal",
        "/look_backs/0/period": {"from": "2025-10-01", "to": "2025-12-31"},
    }
    spec.then(expected)
    spec.when(SETBACK, occurred_at=day(0.5)).then(expected)


def test_a_corrected_swap_keeps_its_lineage() -> None:
    """Nested groups, lists and ids are corrected like any other field."""
    swapped = InterventionSwapped(
        from_intervention_id=an_id("intervention"),
        to=Agreement(
            intervention_id=an_id("other intervention"),
            technique="mindfulness",
            orientation="dbt",
            goal_ids=(GOAL,),
            format="group",
            consent=Consent(given=True, explained_by="Dr Nadia Okafor"),
        ),
        decided_with="client",
    )
    given(opened(), a_goal(), an_intervention(), swapped).when(
        correct(4, decided_with="team"), reason="The team was there"
    ).then(
        {
            "/interventions/0/decided_with": "team",
            "/interventions/1/swapped_from": an_id("intervention"),
            "/interventions/1/lineage/1/technique": "mindfulness",
        }
    )


@pytest.mark.parametrize(
    "data",
    [
        EntryCorrected(entry_id=NOWHERE, data={"statement": "x"}),
        EntryCorrected(entry_id=GOAL, data={"statement": "x"}),
        EntryMarkedInError(entry_id=NOWHERE),
        EntryMarkedInError(entry_id=GOAL),
    ],
)
def test_only_entries_of_this_plan_are_amended(data: EntryData) -> None:
    """Unknown ids and things that are not entries are refused."""
    given(opened(), a_goal()).when(data, reason="Hm").refused(
        UnknownReferenceError, "/data/entry_id"
    )


@pytest.mark.parametrize("data", [correct(2, what="Snow"), in_error(2)])
def test_amending_needs_its_reason(data: EntryData) -> None:
    """Why the record was wrong has to be said."""
    given(opened(), SETBACK).when(data).refused(ReasonRequiredError, "/reason")


@pytest.mark.parametrize("data", [correct(3, what="Snow"), correct(3)])
def test_corrections_and_marks_are_not_corrected(data: EntryData) -> None:
    """Correct the original again, or mark the correction in error."""
    given(opened(), SETBACK, correct(2, what="Hail")).when(data, reason="Hm").refused(
        TransitionError, "/data/entry_id", "Corrections and marks are not corrected"
    )
    given(opened(), SETBACK, in_error(2)).when(data, reason="Hm").refused(
        TransitionError, "/data/entry_id", "Corrections and marks are not corrected"
    )


def test_an_entry_made_in_error_is_not_corrected() -> None:
    """Take back the mark first."""
    given(opened(), SETBACK, in_error(2)).when(correct(2, what="Snow"), reason="Hm").refused(
        TransitionError, "/data/entry_id", "mark the mark"
    )


@pytest.mark.parametrize(
    ("goal_id", "pointer"),
    [
        (NOWHERE, "/data/data/goal_id"),
        (CONCERN, "/data/data/goal_id"),
        (OTHER_GOAL, "/data/data/goal_id"),
    ],
)
def test_a_corrected_entry_refers_to_what_stands_in_this_plan(goal_id: str, pointer: str) -> None:
    """Unknown things, things of another kind, and things in error are refused."""
    concern = ConcernIdentified(concern_id=CONCERN, description="Panic")
    given(opened(), a_goal(), concern, PROGRESS, a_goal(OTHER_GOAL), in_error(5)).when(
        correct(4, goal_id=goal_id), reason="Another goal"
    ).refused(UnknownReferenceError, pointer)


def test_a_corrected_entry_mentions_what_stands_in_this_plan() -> None:
    """Also where it would not fall with what it mentions."""
    given(opened(), a_goal()).when(
        correct(2, follows_goal_id=NOWHERE), reason="It followed another"
    ).refused(UnknownReferenceError, "/data/data/follows_goal_id")


def test_a_corrected_entry_can_refer_to_something_recorded_later() -> None:
    """It then counts from when that does."""
    other = a_goal(OTHER_GOAL, statement="Sleep through")
    given(opened(), a_goal(), PROGRESS, other).when(
        correct(3, goal_id=OTHER_GOAL), reason="It was the other goal"
    ).then({"/goals/0/progress": None, "/goals/1/progress/direction": "improving"})


def test_corrections_do_not_make_entries_refer_to_each_other_in_a_circle() -> None:
    """The first goal cannot follow one that follows it."""
    given(opened(), a_goal(), a_goal(OTHER_GOAL, follows_goal_id=GOAL)).when(
        correct(2, follows_goal_id=OTHER_GOAL), reason="The other way round"
    ).refused(CircularReferenceError, "/data", "in a circle")


def test_a_correction_does_not_lie_in_the_future() -> None:
    """More than five minutes ahead is refused."""
    given(opened(), SETBACK).when(correct(2, occurred_at=day(3)), reason="Hm").refused(
        OccurredInFutureError, "/data/occurred_at"
    )


def test_what_was_known_before_a_correction_is_still_there() -> None:
    """An older version reads as it did."""
    spec = given(opened(), SETBACK).when(correct(2, what="Snow"), reason="Misheard")
    assert spec.plan.document(version=2)["setbacks"][0]["what"] == "Rain"
    spec.then({"/setbacks/0/what": "Snow"})


# Marks in error


def test_an_entry_in_error_no_longer_counts() -> None:
    """It stays in the record; the plan does not use it."""
    spec = given(opened(), SETBACK).when(in_error(2), reason="Another client's chart")
    spec.then({"/setbacks": []}).tells("An earlier entry was marked as entered in error.")
    assert spec.plan.entry(entry_id(2)).data == SETBACK
    assert spec.plan.standing_entry(entry_id(2)) is None


def test_what_was_replaced_by_an_entry_in_error_is_back() -> None:
    """The plan is folded anew without it."""
    given(
        opened(),
        ContextCaptured(area="work", summary="On sick leave"),
        ContextCaptured(area="work", summary="Unemployed"),
    ).when(in_error(3), reason="Another client").then({"/context/work/summary": "On sick leave"})


def test_a_mark_is_refused_with_the_list_of_what_rests_on_the_entry() -> None:
    """The refusal names each dependent entry."""
    step = ObjectiveAdded(goal_id=GOAL, objective_id=an_id("step"), text="To the gate")
    spec = given(opened(), a_goal(), PROGRESS, step, SETBACK)
    spec.when(in_error(2), reason="Wrong chart")
    assert spec.refusal is not None
    assert spec.refusal.facts["dependents"] == [
        {"entry_id": entry_id(3), "version": 3, "type": "ProgressNoted"},
        {"entry_id": entry_id(4), "version": 4, "type": "ObjectiveAdded"},
    ]
    spec.refused(DependentsError, "/data/including_dependents", "2 other entries")


def test_dependents_are_marked_together_when_they_are_included() -> None:
    """With the goal everything that is about it is gone."""
    spec = given(opened(), a_goal(), PROGRESS, SETBACK)
    spec.when(in_error(2, including_dependents=True), reason="Wrong chart").then(
        {"/goals": [], "/setbacks/0/what": "Rain"}
    )
    spec.when(in_error(3), reason="Again").refused(
        TransitionError, "/data/entry_id", "in error already"
    )


def test_what_only_mentions_an_entry_in_error_stays() -> None:
    """A life event is not about the goal it weighs on."""
    event = LifeEventNoted(
        life_event_id=an_id("event"),
        kind="job",
        summary="Night shifts",
        impact="low",
        affected_goal_ids=(GOAL,),
    )
    given(opened(), a_goal(), event).when(in_error(2), reason="Wrong chart").then(
        {"/goals": [], "/life_events/0/affected_goal_ids": [GOAL]}
    )


def test_an_entry_is_marked_once() -> None:
    """Marking it again is refused."""
    given(opened(), SETBACK, in_error(2)).when(in_error(2), reason="Hm").refused(
        TransitionError, "/data/entry_id", "in error already"
    )


def test_marking_the_mark_brings_the_entry_back() -> None:
    """With everything that fell with it."""
    spec = given(opened(), a_goal(), PROGRESS, in_error(2, including_dependents=True))
    spec.when(in_error(4), reason="It was the right chart").then(
        {"/goals/0/progress/direction": "improving"}
    )
    spec.when(in_error(5, including_dependents=True), reason="No, it was not").then({"/goals": []})


def test_marking_the_opening_takes_the_whole_plan() -> None:
    """Everything rests on it; the plan is entered in error, and closed."""
    spec = given(opened(), SETBACK).when(in_error(1), reason="Wrong client")
    spec.refused(DependentsError, "/data/including_dependents")
    spec.when(in_error(1, including_dependents=True), reason="Wrong client").then(
        {"/status": "entered_in_error", "/setbacks": [], "/obligations": []}
    )
    spec.when(correct(1, client_label="Mona T."), reason="Right client").then(
        {"/status": "entered_in_error", "/client/label": "Mona T."}
    )
    spec.when(AddendumAdded(entry_id=entry_id(1), text="Hm")).refused(
        PlanClosedError, "/type", "mark that mark in error"
    )


def test_a_correction_that_the_entrys_own_rule_refuses_as_a_whole_names_the_entry() -> None:
    """A correction gives no type, so nothing points at one."""
    late = said(SetbackNoted(what="Rain"), now=day(2))
    spec = given(opened(), PlanPaused(), PlanResumed(), late)
    spec.when(
        EntryCorrected(entry_id=entry_id(3), data={}, occurred_at=day(0.5)), reason="Earlier"
    ).refused(TransitionError, "/data/entry_id", "Only a paused plan")


def test_what_is_in_error_is_not_referred_to() -> None:
    """A goal that does not stand takes no more entries, and its id stays taken."""
    spec = given(opened(), a_goal(), in_error(2))
    spec.when(PROGRESS).refused(UnknownReferenceError, "/data/goal_id", "entered in error")
    spec.when(GoalRevised(goal_id=GOAL, priority=1), reason="Hm").refused(
        UnknownReferenceError, "/data/goal_id"
    )


def test_a_closed_plan_still_takes_the_record() -> None:
    """Addenda, corrections and marks are possible after the end."""
    spec = given(opened(), SETBACK, COMPLETED)
    spec.when(AddendumAdded(entry_id=entry_id(2), text="And hail")).then({"/version": 4})
    spec.when(correct(2, what="Snow"), reason="Misheard").then({"/setbacks/0/what": "Snow"})
    spec.when(in_error(2), reason="Wrong chart").then({"/setbacks": []})
    spec.when(in_error(3), reason="Not yet").then({"/status": "draft"})


def test_an_entry_is_looked_up_by_its_id() -> None:
    """Unknown ids are refused; amendments themselves stand nowhere in the fold."""
    plan = given(opened(), SETBACK, correct(2, what="Snow")).plan
    assert plan.entry(entry_id(3)).type == "EntryCorrected"
    assert plan.standing_entry(entry_id(3)) is None
    with pytest.raises(EntryNotFoundError):
        plan.entry(NOWHERE)


def test_a_late_mark_counts_like_any_other() -> None:
    """When it was true does not matter for the record: it holds for what is known."""
    given(opened(), said(SETBACK, now=day(10))).when(
        in_error(2), now=day(11), occurred_at=day(5), reason="Wrong chart"
    ).then({"/setbacks": []})
