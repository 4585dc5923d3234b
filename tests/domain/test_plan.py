"""The Plan aggregate: opening it, recording entries, reading it at any moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from domain.clinic import ClinicRenamed
from domain.course import FocusShifted, RelapseNoted, SetbackNoted
from domain.entry import Entry, EntryData, Reason
from domain.errors import (
    DuplicateIdError,
    InvalidDataError,
    MomentNotFoundError,
    OccurredInFutureError,
    PlanClosedError,
    PlanHistoryError,
    Problem,
    ReasonRequiredError,
    TransitionError,
    UnknownEntryTypeError,
    UnknownReferenceError,
)
from domain.goals import (
    GoalAchieved,
    GoalDropped,
    GoalPaused,
    GoalResumed,
    GoalRevised,
    Measure,
    MeasureRecorded,
    ProgressNoted,
)
from domain.interventions import Agreement, Consent, InterventionEnded, InterventionSwapped
from domain.lifecycle import PlanCompleted, PlanReopened
from domain.opening import Blended, ConcernIdentified, OrientationAdopted
from domain.plan import Plan
from domain.record import AddendumAdded, EntryCorrected, EntryMarkedInError
from domain.reviews import CheckInHeld
from domain.signatures import PlanAgreed, PlanDisagreed, PlanSigned
from tests.domain.specs import (
    CONCERN,
    GOAL,
    INTERVENTION,
    NOWHERE,
    OTHER_GOAL,
    OTHER_INTERVENTION,
    PLAN,
    THERAPIST,
    Spec,
    a_goal,
    an_id,
    an_intervention,
    day,
    entry_id,
    given,
    opened,
    read_back,
    said,
)

RAIN = SetbackNoted(what="Rain")
PROGRESS = ProgressNoted(goal_id=GOAL, direction="improving", evidence="Twice out")
ACHIEVED = GoalAchieved(goal_id=GOAL, evidence="Three weeks in a row")
PAUSED = GoalPaused(goal_id=GOAL)
COMPLETED = PlanCompleted(outcome="goals_met", summary="Done")


def recorded(plan: Plan, *told: EntryData) -> list[Entry]:
    """The entries recorded one after the other at the same moment, as in one request."""
    return [
        plan.record(
            data,
            now=day(9),
            recorded_by=THERAPIST,
            new_id=lambda made=number: an_id(f"request {made}"),
        )
        for number, data in enumerate(told)
    ]


# Beginning


def test_a_plan_begins_with_its_opening_and_has_no_other() -> None:
    """Once, and first."""
    given().when(RAIN).refused(TransitionError, "/type", "begins with PlanOpened, once")
    given(opened()).when(opened()).refused(TransitionError, "/type", "begins with PlanOpened, once")


def test_a_plan_takes_only_the_entries_of_a_plan() -> None:
    """What a clinic decides about itself belongs into the clinic's own log."""
    given(opened()).when(ClinicRenamed(name="The Harbour")).refused(
        UnknownEntryTypeError, "/type", "A plan takes no ClinicRenamed"
    )


# When


@pytest.mark.parametrize("minutes", [0, 4.9, 5])
def test_an_entry_may_lie_a_little_ahead(minutes: float) -> None:
    """Clocks differ: up to five minutes are taken."""
    given(opened()).when(RAIN, now=day(3), occurred_at=day(3) + timedelta(minutes=minutes)).then(
        {"/setbacks/0/what": "Rain"}
    )


def test_an_entry_does_not_lie_further_ahead() -> None:
    """Entries tell what has happened."""
    given(opened()).when(
        RAIN, now=day(3), occurred_at=day(3) + timedelta(minutes=5, seconds=1)
    ).refused(OccurredInFutureError, "/occurred_at", "more than five minutes ahead")


def test_an_entry_may_lie_long_past() -> None:
    """What happened before the opening counts from the opening on, with its own day."""
    spec = given(opened()).when(RAIN, now=day(3), occurred_at=day(-400))
    spec.then({"/setbacks/0/at": "2024-12-01T09:00:00Z"})
    assert spec.plan.settled.counts_at[entry_id(2)] == day(0)
    with pytest.raises(MomentNotFoundError):
        spec.plan.at(effective_at=day(-1))


def test_a_late_entry_is_decided_against_the_plan_as_it_was_then() -> None:
    """A goal paused since can be noted as reached before; one set since cannot."""
    before = (opened(), a_goal(), said(PAUSED, now=day(10)))
    given(*before).when(ACHIEVED, now=day(11), occurred_at=day(5)).then(
        {"/goals/0/status": "paused", "/goals/0/evidence": "Three weeks in a row"}
    )
    given(*before).when(ACHIEVED, now=day(11)).refused(TransitionError, "/data/goal_id")
    resumed = GoalResumed(goal_id=GOAL)
    given(*before).when(resumed, now=day(11), occurred_at=day(5)).refused(
        TransitionError, "/data/goal_id", "this one is active"
    )


def test_a_late_entry_counts_no_earlier_than_what_it_refers_to() -> None:
    """A baseline measured before its goal was set counts from the goal on."""
    given(opened(), said(a_goal(), now=day(10))).when(
        MeasureRecorded(goal_id=GOAL, value=0, by="client"), now=day(11), occurred_at=day(2)
    ).then({"/goals/0/latest/value": 0, "/goals/0/latest/at": "2026-01-07T09:00:00Z"})


def test_a_reason_is_required_by_the_plan_as_it_was_then() -> None:
    """An orientation noted late replaces none if none was adopted yet."""
    cbt = OrientationAdopted(
        blend=(Blended(orientation="cbt"),), rationale="Small steps", disclosed_to_client=True
    )
    spec = given(opened(), said(cbt, now=day(10)))
    spec.when(cbt, now=day(11)).refused(ReasonRequiredError, "/reason")
    spec.when(cbt, now=day(11), occurred_at=day(5)).then({"/version": 3})


def test_ending_something_in_hindsight_names_what_still_uses_it() -> None:
    """Later entries stay applied as recorded; the answer carries warnings."""
    spec = given(
        opened(), a_goal(), a_goal(OTHER_GOAL), said(PROGRESS, now=day(10)), said(RAIN, now=day(11))
    )
    spec.when(GoalDropped(goal_id=GOAL), now=day(12), occurred_at=day(5), reason="Too big")
    assert spec.plan.warnings(spec.last) == [
        {
            "entry_id": entry_id(4),
            "version": 4,
            "type": "ProgressNoted",
            "detail": "Counts later than this GoalDropped and still uses what it ended.",
        }
    ]
    spec.then({"/goals/0/status": "dropped", "/goals/0/progress/direction": "improving"})


def test_what_only_points_at_something_that_ended_is_not_warned_of() -> None:
    """An addendum to the goal's entry does not use the goal."""
    given(
        opened(),
        a_goal(),
        said(AddendumAdded(entry_id=entry_id(2), text="She said it twice"), now=day(10)),
    ).when(GoalDropped(goal_id=GOAL), now=day(11), occurred_at=day(5), reason="Too big").warns()


@pytest.mark.parametrize("data", [RAIN, PROGRESS, GoalDropped(goal_id=GOAL)])
def test_an_entry_that_ends_nothing_or_counts_last_warns_of_nothing(data: EntryData) -> None:
    """The usual case."""
    given(opened(), a_goal(), PROGRESS).when(data, reason="So").warns()


def test_an_entry_that_does_not_stand_warns_of_nothing() -> None:
    """What it ended is not ended any more."""
    spec = given(opened(), a_goal(), said(PROGRESS, now=day(10)))
    dropped = spec.when(
        GoalDropped(goal_id=GOAL), now=day(11), occurred_at=day(5), reason="Too big"
    ).last
    spec.when(EntryMarkedInError(entry_id=dropped.entry_id), now=day(12), reason="Wrong")
    assert spec.plan.warnings(dropped) == []


# Ids


def test_an_id_that_is_taken_is_refused() -> None:
    """By a thing of the plan, by an entry, or by something of another kind."""
    before = (opened(), a_goal(), ConcernIdentified(concern_id=CONCERN, description="Panic"))
    for taken in (GOAL, CONCERN, entry_id(1)):
        given(*before).when(a_goal(taken)).refused(
            DuplicateIdError, "/data/goal_id", "choose another goal id or leave it out"
        )


def test_an_id_in_error_stays_taken() -> None:
    """What was marked in error still knows its id."""
    given(opened(), a_goal(), EntryMarkedInError(entry_id=entry_id(2))).when(a_goal()).refused(
        DuplicateIdError, "/data/goal_id"
    )


def test_an_id_is_taken_wherever_it_stands_in_the_entry() -> None:
    """Also inside a group."""
    given(opened(), a_goal(), an_intervention()).when(
        swap(INTERVENTION, (GOAL,)), reason="So"
    ).refused(DuplicateIdError, "/data/to/intervention_id", "another intervention id")


def swap(to_intervention_id: str, goal_ids: tuple[str, ...]) -> InterventionSwapped:
    """A swap to an intervention of that id for those goals."""
    to = Agreement(
        intervention_id=to_intervention_id,
        technique="mindfulness",
        orientation="dbt",
        goal_ids=goal_ids,
        format="group",
        consent=Consent(given=True, explained_by="Dr Nadia Okafor"),
    )
    return InterventionSwapped(from_intervention_id=INTERVENTION, to=to, decided_with="client")


@pytest.mark.parametrize(
    ("data", "pointer", "kind"),
    [
        (GoalRevised(goal_id=NOWHERE, priority=1), "/data/goal_id", "goal"),
        (GoalRevised(goal_id=INTERVENTION, priority=1), "/data/goal_id", "goal"),
        (GoalRevised(goal_id=entry_id(2), priority=1), "/data/goal_id", "goal"),
        (InterventionEnded(intervention_id=GOAL), "/data/intervention_id", "intervention"),
        (swap(OTHER_INTERVENTION, (GOAL, NOWHERE)), "/data/to/goal_ids/1", "goal"),
        (AddendumAdded(entry_id=GOAL, text="Hm"), "/data/entry_id", "entry"),
    ],
)
def test_an_entry_refers_only_to_what_this_plan_has(
    data: EntryData, pointer: str, kind: str
) -> None:
    """Unknown ids and ids of another kind are refused, naming the kind that was looked for."""
    given(opened(), a_goal(), an_intervention()).when(data, reason="So").refused(
        UnknownReferenceError, pointer, f"no {kind} of that id"
    )


def test_an_entry_does_not_refer_to_what_is_in_error() -> None:
    """Though its id is known."""
    given(opened(), a_goal(), EntryMarkedInError(entry_id=entry_id(2))).when(PROGRESS).refused(
        UnknownReferenceError, "/data/goal_id", "entered in error"
    )


# What is said


def test_everything_wrong_with_an_entry_is_said_at_once() -> None:
    """Its data and its reason are checked together, before anything else."""
    spec = given(opened(), a_goal())
    spec.when(
        GoalRevised(goal_id="goal", statement="", priority=0), reason=" So", occurred_at=day(99)
    )
    assert isinstance(spec.refusal, InvalidDataError)
    pointers = [problem.pointer for problem in spec.refusal.problems]
    assert pointers == ["/data/goal_id", "/data/statement", "/data/priority", "/reason/text"]


def test_a_reason_is_a_sentence_and_may_have_a_code() -> None:
    """Given where none is required, it is kept, too."""
    spec = given(opened()).when(RAIN, reason="The forecast was wrong")
    assert spec.last.reason == Reason(text="The forecast was wrong")


def test_a_required_reason_that_is_missing_is_asked_for() -> None:
    """With what to give."""
    given(opened(), a_goal()).when(GoalDropped(goal_id=GOAL)).refused(
        ReasonRequiredError, "/reason", "GoalDropped needs its reason: give reason.text"
    )


# The end


@pytest.mark.parametrize(
    ("data", "taken"),
    [
        (AddendumAdded(entry_id=entry_id(2), text="Hm"), True),
        (EntryCorrected(entry_id=entry_id(2), data={"priority": 1}), True),
        (EntryMarkedInError(entry_id=entry_id(2)), True),
        (PlanAgreed(by="client", of_version=3), True),
        (PlanDisagreed(by="client", of_version=3, what="The end"), True),
        (PlanSigned(of_version=3, meaning="author"), True),
        (PlanReopened(), True),
        (RAIN, False),
        (PROGRESS, False),
        (CheckInHeld(working="Walks"), False),
        (COMPLETED, False),
    ],
)
def test_a_closed_plan_takes_only_record_signature_and_reopening(
    data: EntryData, taken: bool
) -> None:
    """Everything else needs it reopened first; the refusal says where it stands."""
    spec = given(opened(), a_goal(), COMPLETED).when(data, reason="So")
    if taken:
        spec.then({"/version": 4})
    else:
        assert isinstance(spec.refusal, PlanHistoryError)
        assert spec.refusal.facts == {"plan_status": "completed"}
        spec.refused(PlanClosedError, "/type", "The plan is completed; reopen it first")


def test_a_reopened_plan_takes_everything_again() -> None:
    """From then on; a late entry of the time it was closed is still refused."""
    spec = given(opened(), said(COMPLETED, now=day(5)), said(PlanReopened(), now=day(10)))
    spec.when(RAIN, now=day(11)).then({"/setbacks/0/what": "Rain"})
    spec.when(RAIN, now=day(12), occurred_at=day(7)).refused(PlanClosedError, "/type")


# All or none


def test_a_refused_entry_leaves_the_plan_as_it_was() -> None:
    """Nothing is learnt, nothing is pending, no id is taken."""
    spec = given(opened(), a_goal())
    before, pending = spec.plan.document(), len(spec.plan.pending_events)
    spec.when(a_goal(OTHER_GOAL, follows_goal_id=NOWHERE)).refused(
        UnknownReferenceError, "/data/follows_goal_id"
    )
    assert spec.plan.document() == before
    assert len(spec.plan.pending_events) == pending
    spec.when(a_goal(OTHER_GOAL)).then({"/version": 3})


def test_a_later_entry_of_a_request_may_refer_to_an_earlier_one() -> None:
    """In order; each is decided on what the ones before it made of the plan."""
    plan = given(opened()).plan
    entries = recorded(plan, a_goal(), an_intervention(), PROGRESS, ACHIEVED)
    assert [entry.version for entry in entries] == [2, 3, 4, 5]
    assert plan.document()["goals"][0]["status"] == "achieved"
    assert plan.pending_events[-4:] == entries


def test_what_was_learnt_of_a_request_that_fails_can_be_forgotten() -> None:
    """All or none: the saved part of the plan is there again, and nothing is pending."""
    plan = saved(opened(), a_goal())
    before = plan.document()
    with pytest.raises(UnknownReferenceError):
        recorded(plan, PROGRESS, RAIN, GoalResumed(goal_id=NOWHERE))
    assert plan.version == 4
    plan.forget_pending()
    assert plan.document() == before
    assert plan.pending_events == []
    assert recorded(plan, PROGRESS)[0].version == 3


def test_forgetting_nothing_changes_nothing() -> None:
    """A saved plan stays as it is."""
    plan = saved(opened(), a_goal())
    state = plan.state
    plan.forget_pending()
    assert plan.version == 2
    assert plan.state is state


def test_deciding_does_not_change_the_plan() -> None:
    """What is decided but not learnt waits to be confirmed."""
    plan = saved(opened(), a_goal())
    entry = plan.decide(
        PROGRESS, now=day(9), recorded_by=THERAPIST, new_id=lambda: an_id("progress")
    )
    assert plan.version == 2
    plan.expect(entry, learn=False)
    assert plan.version == 2
    assert plan.collect_events() == [entry]
    plan.confirm([entry], day(10), 47)
    assert (plan.version, entry.position, entry.recorded_at) == (3, 47, day(10))
    assert plan.document()["goals"][0]["progress"]["at"] == "2026-01-15T09:00:00Z"


def saved(*told: EntryData) -> Plan:
    """A plan whose entries the database has stamped."""
    plan = given(*told).plan
    plan.collect_events()
    plan.confirm(list(plan.entries), day(1), len(told))
    return plan


def test_the_databases_time_is_the_one_that_counts() -> None:
    """Undated entries occurred when they were stamped; dated ones keep their day."""
    plan = saved(opened())
    plan.record(RAIN, now=day(9), recorded_by=THERAPIST, new_id=lambda: an_id("a"))
    plan.record(
        SetbackNoted(what="Hail"),
        now=day(9),
        recorded_by=THERAPIST,
        new_id=lambda: an_id("b"),
        occurred_at=day(8),
    )
    assert [held["what"] for held in plan.document()["setbacks"]] == ["Hail", "Rain"]
    plan.confirm(plan.entries[-2:], day(9.5), 3)
    shown = plan.document()
    assert [held["at"] for held in shown["setbacks"]] == [
        "2026-01-13T09:00:00Z",
        "2026-01-14T21:00:00Z",
    ]
    assert [entry.position for entry in plan.entries] == [1, 2, 3]
    assert (shown["version"], shown["position"]) == (3, 3)
    assert plan.modified_on == day(9.5)
    assert read_back(plan).document() == shown


def test_dated_entries_are_stamped_without_folding_again() -> None:
    """Their place does not depend on when they were written down."""
    plan = given(opened()).plan
    plan.record(
        RAIN, now=day(9), recorded_by=THERAPIST, new_id=lambda: an_id("a"), occurred_at=day(8)
    )
    state = plan.state
    plan.confirm(plan.entries[-1:], day(9.5), 2)
    assert plan.state is state


# Reading at a moment


def months() -> Spec:
    """A plan with a late entry and a correction behind it."""
    spec = given(
        opened(),
        a_goal(),
        said(RAIN, now=day(10)),
        said(FocusShifted(to="grief"), now=day(20)),
        said(FocusShifted(to="coping"), now=day(30), occurred_at=day(15)),
        said(EntryCorrected(entry_id=entry_id(3), data={"what": "Snow"}), now=day(40)),
    )
    assert spec.plan.version == 6
    return spec


@pytest.mark.parametrize(
    ("version", "focus", "what"),
    [
        (1, None, None),
        (3, None, "Rain"),
        (4, "grief", "Rain"),
        (5, "grief", "Rain"),
        (6, "grief", "Snow"),
        (None, "grief", "Snow"),
    ],
)
def test_a_plan_is_read_as_known_at_a_version(
    version: int | None, focus: str | None, what: str | None
) -> None:
    """What was recorded later is not known yet; the head is that of the version."""
    plan = months().plan
    for held in (plan, read_back(plan)):
        shown = held.document(version=version)
        assert shown["focus"] == focus
        assert [setback["what"] for setback in shown["setbacks"]] == [what] * (what is not None)
        assert shown["version"] == (version or 6)
        assert shown == held.document(version=version)


@pytest.mark.parametrize(
    ("moment", "focus", "what"),
    [
        (day(0), None, None),
        (day(10), None, "Snow"),
        (day(15), "coping", "Snow"),
        (day(19.9), "coping", "Snow"),
        (day(20), "grief", "Snow"),
        (day(999), "grief", "Snow"),
    ],
)
def test_a_plan_is_read_as_true_at_a_moment(
    moment: datetime, focus: str | None, what: str | None
) -> None:
    """Knowing all that is recorded now."""
    shown = months().plan.document(effective_at=moment)
    assert shown["focus"] == focus
    assert [setback["what"] for setback in shown["setbacks"]] == [what] * (what is not None)


def test_both_clocks_combine() -> None:
    """As known at version 4, as true on day 16: the late note of coping is not known yet."""
    plan = months().plan
    assert plan.document(version=4, effective_at=day(16))["focus"] is None
    assert plan.document(version=5, effective_at=day(16))["focus"] == "coping"


@pytest.mark.parametrize("version", [0, -1, 7])
def test_a_version_the_plan_does_not_have_is_refused(version: int) -> None:
    """With the newest it has."""
    with pytest.raises(MomentNotFoundError, match="versions 1 to 6") as refused:
        months().plan.at(version)
    assert refused.value.facts == {"newest": 6}


def test_a_moment_before_the_opening_is_refused() -> None:
    """The plan did not exist."""
    with pytest.raises(MomentNotFoundError, match="did not exist at that moment"):
        months().plan.document(effective_at=day(-0.01))


@pytest.mark.parametrize(
    ("moment", "version"), [(day(0), 1), (day(9.9), 2), (day(10), 3), (day(35), 5), (day(99), 6)]
)
def test_a_recorded_moment_is_a_version(moment: datetime, version: int) -> None:
    """The newest recorded by then."""
    assert months().plan.version_at(moment) == version


def test_before_the_first_entry_nothing_was_recorded() -> None:
    """That is a refusal, not version 0."""
    with pytest.raises(MomentNotFoundError, match="recorded later than that"):
        months().plan.version_at(day(-1))


def test_a_plan_that_settled_anew_goes_on_learning() -> None:
    """Whether or not it was folded in between."""
    spec = given(opened(), FocusShifted(to="grief"))
    spec.when(FocusShifted(to="coping"), now=day(3), occurred_at=day(0.5), reason="Noted late")
    spec.when(RAIN)
    again = read_back(spec.plan)
    late = Plan.new(spec.plan.id)
    for entry in spec.plan.entries:
        assert late.settled.standing(NOWHERE) is None
        late.learn(entry)
    assert late.document() == again.document() == spec.plan.document()


def test_a_version_with_a_late_entry_reads_the_same_after_more_was_recorded() -> None:
    """What counts later does not change the order of what was known."""
    spec = given(opened(), said(FocusShifted(to="grief"), now=day(10)))
    spec.when(FocusShifted(to="coping"), now=day(11), occurred_at=day(5), reason="Noted late")
    for told in (RAIN, a_goal(), PROGRESS):
        spec.when(told, now=day(20))
    for held in (spec.plan, read_back(spec.plan)):
        assert held.document(version=3)["focus"] == "grief"
        assert held.document(version=3, effective_at=day(6))["focus"] == "coping"
        assert held.document(version=4, effective_at=day(12))["setbacks"] == []


def test_an_old_version_reads_the_same_however_it_is_reached() -> None:
    """As it was then, as a prefix later, and folded from what was stored."""
    spec, shown = given(), []
    for told in (opened(), a_goal(), PROGRESS, RAIN, PAUSED):
        spec.when(told, reason="So")
        shown.append(spec.plan.document())
    spec.when(EntryMarkedInError(entry_id=entry_id(3)), reason="Wrong")
    again = read_back(spec.plan)
    for version, expected in enumerate(shown, start=1):
        assert spec.plan.document(version=version) == expected
        assert again.document(version=version) == expected


def test_the_content_hash_of_a_version_never_changes() -> None:
    """Whatever is recorded or corrected later."""
    spec = given(opened(), a_goal())
    before = [spec.plan.content_hash(1), spec.plan.content_hash(2)]
    spec.when(PROGRESS).when(RAIN, occurred_at=day(1.5))
    spec.when(EntryCorrected(entry_id=entry_id(2), data={"priority": 1}), reason="Misheard")
    assert [spec.plan.content_hash(1), spec.plan.content_hash(2)] == before
    assert read_back(spec.plan).content_hash(2) == before[1]


def test_the_document_tells_facts_and_due_dates_only() -> None:
    """Its head, its chapters, and what it owes; nothing that changes by the clock alone."""
    spec = given(opened(), RelapseNoted(what_resurfaced="Panic", severity="mild"))
    shown = spec.document()
    assert list(shown)[:3] == ["plan_id", "version", "position"]
    assert shown["plan_id"] == PLAN
    assert "overdue" not in str(shown)
    assert shown["obligations"][0]["due_on"] == "2026-01-13"


def test_a_moment_with_an_offset_is_the_same_moment() -> None:
    """Comparing is by moment, not by spelling."""
    there = day(2).astimezone(timezone(timedelta(hours=2)))
    spec = given(opened()).when(RAIN, now=day(3), occurred_at=there)
    assert spec.last.occurred_at == datetime(2026, 1, 7, 9, tzinfo=UTC)


def test_a_measure_with_nan_is_refused() -> None:
    """Numbers are finite, at any depth."""
    for number in (float("nan"), float("inf")):
        measure = Measure(name="x", unit="y", target=number, direction="maintain")
        given(opened()).when(a_goal(measure=measure)).refused(
            InvalidDataError, "/data/measure/target"
        )


# Refusals


def test_a_refusal_moves_below_the_place_of_its_entry() -> None:
    """A request of many entries says which one, and a correction whose data."""
    refusal = TransitionError("No.", "/data/goal_id")
    assert refusal.inside("/entries/2").pointer == "/entries/2/data/goal_id"
    assert TransitionError("No.").inside("/entries/2").pointer == ""
    assert TransitionError("No.").problems == ()
    moved = TransitionError("No.", "/data/goal_id").inside("/here", out_of="/data")
    assert moved.problems == (Problem("/here/goal_id", "No."),)
    many = InvalidDataError([Problem("/data/a", "A."), Problem("/data/b", "B.")])
    assert [held.pointer for held in many.inside("/entries/0").problems] == [
        "/entries/0/data/a",
        "/entries/0/data/b",
    ]
    assert many.detail == "/entries/0/data/a: A. /entries/0/data/b: B."


def test_a_refusal_of_many_fields_names_the_first_three() -> None:
    """And how many more there are."""
    few = InvalidDataError([Problem("/a", "A."), Problem("/b", "B.")])
    assert few.detail == "/a: A. /b: B."
    many = InvalidDataError([Problem(f"/{name}", "No.") for name in "abcde"])
    assert many.detail == "/a: No. /b: No. /c: No. and 2 more."


def test_every_refusal_has_a_code_of_its_own() -> None:
    """Codes are published and tell refusals apart."""
    kinds: list[Any] = PlanHistoryError.__subclasses__()
    codes = [kind.code for kind in kinds]
    assert len(set(codes)) == len(codes)
    assert "refused" not in codes
    assert all(kind.title != PlanHistoryError.title for kind in kinds)


def test_a_plan_knows_its_id() -> None:
    """The one it was made with."""
    assert given(opened()).plan.id == UUID(PLAN)
