"""Obligations: what a plan owes now, a pure function of the plan and the clinic's policy."""

from __future__ import annotations

from datetime import date

import pytest

from domain.alliance import MismatchDiscussed, MismatchRaised, SupervisorAssigned
from domain.course import (
    PlateauAnswered,
    PlateauNoted,
    RelapseNoted,
    ResistanceExplored,
    ResistanceNoted,
    SafetyConcernNoted,
    SafetyConcernResolved,
    SetbackNoted,
)
from domain.entry import EntryData
from domain.goals import (
    GoalDropped,
    GoalPaused,
    GoalResumed,
    GoalRevised,
    Measure,
    MeasureRecorded,
    ProgressNoted,
)
from domain.interventions import DiscomfortAnswered, DiscomfortVoiced
from domain.lifecycle import PlanCompleted, PlanDiscontinued, PlanPaused, PlanReopened
from domain.obligations import KINDS, obligations
from domain.policy import Policy
from domain.record import EntryCorrected, EntryMarkedInError
from domain.reviews import ReviewHeld
from domain.signatures import (
    ClientSignatureDeclined,
    PlanAgreed,
    PlanCosigned,
    PlanDisagreed,
    PlanReturned,
    PlanSigned,
)
from domain.state import PlanState
from tests.domain.specs import (
    COLLEAGUE,
    GOAL,
    INTERVENTION,
    OTHER_GOAL,
    SUPERVISOR,
    THERAPIST,
    Said,
    a_goal,
    an_intervention,
    day,
    entry_id,
    given,
    opened,
    said,
)

SUPERVISED = opened(supervisor_id=SUPERVISOR.member_id)
HELD = ReviewHeld(
    kind="relapse",
    participants=("Mira T.",),
    client_participated=True,
    summary="Looked at it together",
    answers_entry_ids=(entry_id(3),),
)
SIGNED = PlanSigned(of_version=1, meaning="author")
AGREED = PlanAgreed(by="client", of_version=2)
EVERY_POLICY = Policy(
    formal_review_days=100,
    reevaluation_days=3,
    safety_review_days=2,
    answer_days=5,
    first_signature_days=10,
    cosignature_days=4,
    client_agreement_days=6,
)


def test_nothing_is_owed_by_a_plan_that_is_not_there() -> None:
    """Before the opening there is nothing to do."""
    assert obligations(PlanState()) == []


def test_an_opened_plan_owes_a_first_signature_and_a_formal_review() -> None:
    """Each says what it is about, since when and until when, soonest first; never 'overdue'."""
    given().when(opened()).then(
        {
            "/obligations": [
                {
                    "kind": "first_signature",
                    "about": "plan",
                    "since": "2026-01-05T09:00:00Z",
                    "due_on": "2026-02-04",
                    "words": "First signature",
                },
                {
                    "kind": "formal_review",
                    "about": "plan",
                    "since": "2026-01-05T09:00:00Z",
                    "due_on": "2026-07-06",
                    "words": "Formal review",
                },
            ]
        }
    )


def test_the_plans_own_interval_goes_before_the_clinics() -> None:
    """For the formal review only."""
    given().when(opened(review_interval_days=90)).owes("formal_review", due_on="2026-04-05")


RAISED: list[tuple[EntryData, str, str, str]] = [
    (
        RelapseNoted(what_resurfaced="Panic", severity="mild"),
        "reevaluation",
        "2026-01-15",
        "2026-01-11",
    ),
    (
        SafetyConcernNoted(concern="Harm", level="high", actions_taken="Called"),
        "safety_review",
        "2026-01-09",
        "2026-01-10",
    ),
    (
        DiscomfortVoiced(intervention_id=INTERVENTION, words="Too fast"),
        "answer_discomfort",
        "2026-01-22",
        "2026-01-13",
    ),
    (
        ResistanceNoted(about="trams", reason="fear"),
        "answer_resistance",
        "2026-01-22",
        "2026-01-13",
    ),
    (
        MismatchRaised(raised_by="client", dimension="pace", words="Too fast"),
        "answer_mismatch",
        "2026-01-22",
        "2026-01-13",
    ),
    (
        PlateauNoted(goal_id=GOAL, window="a month", detected_by="client"),
        "answer_plateau",
        "2026-01-22",
        "2026-01-13",
    ),
]


@pytest.mark.parametrize(("raised", "kind", "due_on", "by_policy"), RAISED)
def test_what_is_raised_is_owed_by_the_clinics_numbers(
    raised: EntryData, kind: str, due_on: str, by_policy: str
) -> None:
    """Seven days for a relapse, one for a high safety concern, fourteen for an answer."""
    spec = given(opened(), a_goal(), an_intervention()).when(raised)
    spec.owes(kind, about=entry_id(4), since="2026-01-08T09:00:00Z", due_on=due_on)
    assert [held["due_on"] for held in spec.owed(kind, EVERY_POLICY)] == [by_policy]


CLOSED_BY: list[tuple[EntryData, str, EntryData]] = [
    (RAISED[0][0], "reevaluation", HELD),
    (RAISED[1][0], "safety_review", HELD),
    (
        RAISED[1][0],
        "safety_review",
        SafetyConcernResolved(safety_entry_id=entry_id(3), summary="Over"),
    ),
    (
        RAISED[3][0],
        "answer_resistance",
        ResistanceExplored(resistance_entry_id=entry_id(3), understanding="Fear"),
    ),
    (
        RAISED[4][0],
        "answer_mismatch",
        MismatchDiscussed(mismatch_entry_id=entry_id(3), outcome="continue"),
    ),
    (
        RAISED[5][0],
        "answer_plateau",
        PlateauAnswered(plateau_entry_id=entry_id(3), answer="wait"),
    ),
]


@pytest.mark.parametrize(("raised", "kind", "closing"), CLOSED_BY)
def test_what_is_answered_is_owed_no_more(raised: EntryData, kind: str, closing: EntryData) -> None:
    """Each obligation has the entry that closes it."""
    given(opened(), a_goal(), raised).when(closing).owes_no(kind)


def test_an_answered_discomfort_is_owed_no_more() -> None:
    """Its answer closes it."""
    voiced = DiscomfortVoiced(intervention_id=INTERVENTION, words="Too fast")
    given(opened(), a_goal(), an_intervention(), voiced).when(
        DiscomfortAnswered(discomfort_entry_id=entry_id(4), answer="clarified", note="Explained")
    ).owes_no("answer_discomfort")


@pytest.mark.parametrize("level", ["low", "medium"])
def test_only_a_high_safety_concern_owes_a_review(level: str) -> None:
    """Lower ones are documented."""
    concern = SafetyConcernNoted(concern="Harm", level=level, actions_taken="Talked")  # type: ignore[arg-type] # one of its levels
    given(opened()).when(concern).owes_no("safety_review")


def test_a_safety_review_before_a_concern_does_not_cover_it() -> None:
    """Only a review after the concern was raised does."""
    review = ReviewHeld(
        kind="safety", participants=("Mira T.",), client_participated=True, summary="All well"
    )
    concern = SafetyConcernNoted(concern="Harm", level="high", actions_taken="Called")
    given(opened(), review).when(concern).owes("safety_review", about=entry_id(3))
    given(opened(), concern).when(review, now=day(1), occurred_at=day(1)).owes_no("safety_review")


def test_a_paused_goal_is_looked_at_again_on_its_date() -> None:
    """A new date moves it; resuming or dropping closes it; without a date there is none."""
    dated = GoalPaused(goal_id=GOAL, resume_check_on=date(2026, 3, 1))
    moved = GoalPaused(goal_id=GOAL, resume_check_on=date(2026, 4, 1))
    given(opened(), a_goal()).when(GoalPaused(goal_id=GOAL), reason="Exams").owes_no("resume_check")
    spec = given(opened(), a_goal(), dated)
    spec.owes("resume_check", about=GOAL, since="2026-01-07T09:00:00Z", due_on="2026-03-01")
    spec.when(moved, reason="Still exams").owes("resume_check", due_on="2026-04-01")
    spec.when(GoalResumed(goal_id=GOAL)).owes_no("resume_check")
    given(opened(), a_goal(), dated).when(GoalDropped(goal_id=GOAL), reason="No").owes_no(
        "resume_check"
    )


def test_a_first_signature_is_owed_from_the_opening_until_a_clinician_signs() -> None:
    """The client's agreement does not replace it."""
    spec = given(opened(), a_goal(), AGREED)
    spec.owes("first_signature", about="plan", due_on="2026-02-04")
    assert spec.owed("first_signature", EVERY_POLICY)[0]["due_on"] == "2026-01-15"
    spec.when(SIGNED).owes_no("first_signature")


def test_a_supervised_clinicians_signature_is_owed_a_co_signature() -> None:
    """Within 14 days, by the supervisor of record."""
    spec = given(SUPERVISED).when(SIGNED)
    spec.owes("cosignature", about=entry_id(2), since="2026-01-06T09:00:00Z", due_on="2026-01-20")
    assert spec.owed("cosignature", EVERY_POLICY)[0]["due_on"] == "2026-01-10"


@pytest.mark.parametrize(
    "answer", [PlanCosigned(of_version=1), PlanReturned(of_version=1, what_to_change="Measure")]
)
def test_a_co_signature_is_owed_until_it_is_given_or_the_plan_returned(answer: EntryData) -> None:
    """Both close it; each signature by itself."""
    given(SUPERVISED, SIGNED).when(answer, by=SUPERVISOR).owes_no("cosignature")
    given(SUPERVISED, SIGNED, said(SIGNED, by=COLLEAGUE)).when(answer, by=SUPERVISOR).owes(
        "cosignature", about=entry_id(2)
    )


@pytest.mark.parametrize("opening", [opened(), SUPERVISED])
def test_nobody_owes_themselves_a_co_signature(opening: EntryData) -> None:
    """Neither a plan without a supervisor nor the supervisor's own signature waits for one."""
    by = SUPERVISOR if opening is SUPERVISED else COLLEAGUE
    given(opening).when(SIGNED, by=by).owes_no("cosignature")


def test_a_co_signature_is_owed_by_the_supervision_at_the_time_of_signing() -> None:
    """A supervisor who came later owes none for what was signed before; one who left leaves it owed."""
    given(opened(), SIGNED).when(SupervisorAssigned(supervisor_id=SUPERVISOR.member_id)).owes_no(
        "cosignature"
    )
    given(SUPERVISED, SIGNED).when(SupervisorAssigned(supervisor_id=THERAPIST.member_id)).owes(
        "cosignature", about=entry_id(2), since="2026-01-06T09:00:00Z"
    )


def test_a_signers_newer_signature_takes_the_place_of_what_they_signed_before() -> None:
    """Only the newest that waits is owed; once it is answered, the older ones are not owed again."""
    newer = PlanSigned(of_version=3, meaning="author")
    spec = given(SUPERVISED, SIGNED, a_goal(), newer)
    assert [held["about"] for held in spec.owed("cosignature")] == [entry_id(4)]
    spec.when(PlanCosigned(of_version=3), by=SUPERVISOR).owes_no("cosignature")


def test_each_signers_newest_signature_is_owed() -> None:
    """What a colleague signed is a matter of its own."""
    spec = given(SUPERVISED, SIGNED, said(SIGNED, by=COLLEAGUE))
    assert len(spec.owed("cosignature")) == 2


def test_a_signature_under_an_older_version_does_not_take_the_newers_place() -> None:
    """Newest is the newest version signed, not the newest stroke of a pen."""
    newer = PlanSigned(of_version=2, meaning="author")
    spec = given(SUPERVISED, a_goal(), newer, SIGNED)
    assert [held["about"] for held in spec.owed("cosignature")] == [entry_id(3)]


@pytest.mark.parametrize(
    "amendment",
    [
        EntryCorrected(entry_id=entry_id(2), data={"statement": "An hour in the park"}),
        EntryMarkedInError(entry_id=entry_id(2)),
    ],
    ids=["corrected", "marked in error"],
)
def test_amending_what_was_agreed_on_needs_the_clients_agreement(amendment: EntryData) -> None:
    """A goal that is put otherwise, or taken out, is not what they said yes to; until their next word."""
    spec = given(opened(), a_goal(), AGREED).owes_no("client_agreement")
    spec.when(amendment, reason="A slip").then(
        {"/signatures/last_material_version": 4, "/signatures/client/current": False}
    )
    spec.owes("client_agreement", since="2026-01-08T09:00:00Z", due_on="2026-02-07")
    taken_back = EntryMarkedInError(entry_id=entry_id(4))
    spec.when(taken_back, reason="No, it was right").owes("client_agreement")
    spec.when(PlanAgreed(by="client", of_version=5)).owes_no("client_agreement")
    spec.then({"/signatures/client/current": True})


def test_amending_what_was_not_agreed_on_does_not() -> None:
    """A note is a note."""
    spec = given(opened(), a_goal(), SetbackNoted(what="Rain"), AGREED)
    correction = EntryCorrected(entry_id=entry_id(3), data={"what": "Snow"})
    spec.when(correction, reason="A slip").owes_no("client_agreement")
    spec.then({"/signatures/client/current": True})


def test_a_late_correction_of_what_was_agreed_on_is_known_from_when_it_was_recorded() -> None:
    """Before it nothing was owed; a plan that was opened in error owes nothing at all."""
    correction = EntryCorrected(entry_id=entry_id(2), data={"priority": 3})
    plan = given(opened(), a_goal(), AGREED, correction).plan
    assert "client_agreement" not in [held.kind for held in obligations(plan.at(3))]
    assert "client_agreement" in [held.kind for held in obligations(plan.at(4))]
    in_error = EntryMarkedInError(entry_id=entry_id(1), including_dependents=True)
    spec = given(opened(), a_goal(), AGREED, correction, in_error)
    assert spec.document()["obligations"] == []
    brought_back = EntryMarkedInError(entry_id=entry_id(5))
    spec.when(brought_back, reason="It was right").owes("client_agreement")


def test_a_material_change_after_the_clients_word_needs_their_agreement() -> None:
    """Within 30 days of the first such change; later changes do not put it off."""
    spec = given(opened(), a_goal(), AGREED)
    spec.owes_no("client_agreement")
    spec.when(SetbackNoted(what="Rain")).owes_no("client_agreement")
    spec.when(GoalRevised(goal_id=GOAL, priority=1), reason="First")
    spec.owes("client_agreement", about="plan", since="2026-01-09T09:00:00Z", due_on="2026-02-08")
    assert spec.owed("client_agreement", EVERY_POLICY)[0]["due_on"] == "2026-01-15"
    spec.when(GoalRevised(goal_id=GOAL, priority=2), reason="Second").owes(
        "client_agreement", due_on="2026-02-08"
    )


@pytest.mark.parametrize(
    "word",
    [
        PlanAgreed(by="client", of_version=4),
        PlanDisagreed(by="client", of_version=4, what="Too much"),
        ClientSignatureDeclined(),
    ],
)
def test_any_word_of_the_client_on_the_newest_version_closes_it(word: EntryData) -> None:
    """Agreeing, disagreeing and declining all do; the next change opens it anew."""
    revised = GoalRevised(goal_id=GOAL, priority=1)
    spec = given(opened(), a_goal(), AGREED, revised).when(word, reason="So")
    spec.owes_no("client_agreement")
    spec.when(GoalRevised(goal_id=GOAL, priority=2), reason="More").owes(
        "client_agreement", since="2026-01-10T09:00:00Z"
    )


def test_a_word_on_an_older_version_leaves_it_owed() -> None:
    """What changed since is still to be agreed; at the latest from that word on."""
    revised = GoalRevised(goal_id=GOAL, priority=1)
    given(opened(), a_goal(), AGREED, revised).when(PlanAgreed(by="guardian", of_version=2)).owes(
        "client_agreement", since="2026-01-09T09:00:00Z", due_on="2026-02-08"
    )


def test_a_plan_nobody_agreed_to_yet_owes_no_agreement_to_changes() -> None:
    """It is a draft; the first signature is owed."""
    given(opened(), a_goal()).when(an_intervention()).owes_no("client_agreement")


@pytest.mark.parametrize(
    "closing",
    [
        PlanCompleted(outcome="goals_met", summary="Done"),
        said(PlanDiscontinued(), reason="Moved"),
    ],
)
def test_a_plan_that_is_over_owes_nothing(closing: EntryData | Said) -> None:
    """Reopened, it owes what it owed."""
    relapse = RelapseNoted(what_resurfaced="Panic", severity="mild")
    spec = given(opened(), relapse, closing).then({"/obligations": []})
    spec.when(PlanReopened(), reason="It came back").owes("reevaluation", about=entry_id(2))


def test_a_paused_plan_still_owes_what_it_owes() -> None:
    """A relapse does not wait for the plan."""
    relapse = RelapseNoted(what_resurfaced="Panic", severity="mild")
    given(opened(), relapse).when(PlanPaused()).owes("reevaluation", about=entry_id(2))


def test_what_is_due_soonest_comes_first() -> None:
    """Whatever the order in which it was raised."""
    spec = given(
        opened(),
        a_goal(),
        GoalPaused(goal_id=GOAL, resume_check_on=date(2026, 1, 8)),
        ResistanceNoted(about="trams", reason="fear"),
        RelapseNoted(what_resurfaced="Panic", severity="mild"),
    )
    days = [held["due_on"] for held in spec.document()["obligations"]]
    assert days == sorted(days)
    assert len(days) == 5


# Suspected plateaus: what the values say before anybody does

OUTINGS = Measure(name="outings", unit="times", target=5, direction="increase", per="week")
MEASURED = a_goal(measure=OUTINGS)


def weekly(*values: float, since: float = 7) -> list[Said]:
    """These values, one a week."""
    return [
        said(MeasureRecorded(goal_id=GOAL, value=value, by="client"), now=day(since + 7 * week))
        for week, value in enumerate(values)
    ]


STILL = weekly(2, 2, 2, 2, 2)


def test_values_that_stand_still_make_a_plateau_suspected() -> None:
    """It names the goal and since when; there is no day by which it is due."""
    given(opened(), MEASURED, *STILL).owes(
        "plateau_suspected",
        about=GOAL,
        since="2026-01-12T09:00:00Z",
        due_on=None,
        words="A suspected plateau: the values hardly move",
    )


def test_the_clinics_policy_says_how_many_values_over_how_long_make_a_plateau_suspected() -> None:
    """Fewer are enough, or more are needed, than four over four weeks."""
    fewer = Policy(plateau_values=3, plateau_days=14)
    assert given(opened(), MEASURED, *weekly(2, 2, 2)).owed("plateau_suspected", fewer)
    still = given(opened(), MEASURED, *STILL)
    for more in (Policy(plateau_values=6), Policy(plateau_days=29)):
        assert not still.owed("plateau_suspected", more)


def test_every_rule_finds_only_the_kinds_it_declares() -> None:
    """So the list of kinds that can be asked for is complete."""
    assert len(set(KINDS)) == len(KINDS)
    spec = given(SUPERVISED, SIGNED, MEASURED, *STILL)
    assert {held.kind for held in obligations(spec.plan.state)} <= set(KINDS)


@pytest.mark.parametrize(
    "values",
    [
        weekly(2, 2, 2),
        weekly(2, 2, 2, 2),
        weekly(0, 1, 2, 3, 4),
        weekly(4, 3, 2, 1, 0),
        weekly(5, 5, 5, 5, 5),
    ],
    ids=["three", "three weeks", "improving", "worsening", "target reached"],
)
def test_other_values_do_not(values: list[Said]) -> None:
    """At least four over at least 28 days, that hardly move, short of their target."""
    given(opened(), MEASURED, *values).owes_no("plateau_suspected")


@pytest.mark.parametrize(("target", "suspected"), [(1, False), (0, True)])
def test_what_is_to_go_down_and_is_down_is_no_plateau(target: float, suspected: bool) -> None:
    """Standing still at the target is what was wanted."""
    attacks = Measure(name="attacks", unit="times", target=target, direction="decrease")
    spec = given(opened(), a_goal(measure=attacks), *weekly(1, 1, 1, 1, 1))
    assert bool(spec.owed("plateau_suspected")) is suspected


def test_values_of_a_goal_without_a_measure_say_nothing() -> None:
    """There is nothing to hold them against."""
    given(opened(), a_goal(), *STILL).owes_no("plateau_suspected")


def test_a_noted_plateau_is_no_longer_suspected() -> None:
    """Its answer is owed instead; answered, the values count anew from then on."""
    noted = PlateauNoted(goal_id=GOAL, window="five weeks", detected_by="measures")
    spec = given(opened(), MEASURED, a_goal(OTHER_GOAL), *STILL, said(noted, now=day(36)))
    spec.owes_no("plateau_suspected").owes("answer_plateau", about=entry_id(9))
    answered = PlateauAnswered(plateau_entry_id=entry_id(9), answer="wait")
    spec.when(answered, now=day(37)).owes_no("plateau_suspected")
    for week in range(5):
        value = MeasureRecorded(goal_id=GOAL, value=2, by="client")
        spec.when(value, now=day(42 + 7 * week))
    spec.owes("plateau_suspected", since="2026-02-16T09:00:00Z")


def test_a_plateau_of_another_goal_says_nothing_of_this_one() -> None:
    """Each goal by itself."""
    noted = PlateauNoted(goal_id=OTHER_GOAL, window="five weeks", detected_by="measures")
    given(opened(), MEASURED, a_goal(OTHER_GOAL), *STILL).when(noted, now=day(36)).owes(
        "plateau_suspected", about=GOAL
    )


@pytest.mark.parametrize(
    "since",
    [
        ProgressNoted(goal_id=GOAL, direction="improving", evidence="She goes further each time"),
        GoalRevised(
            goal_id=GOAL,
            measure=Measure(name="minutes", unit="minutes", target=30, direction="increase"),
        ),
        GoalPaused(goal_id=GOAL),
    ],
    ids=["progress noted", "measured otherwise", "paused"],
)
def test_what_is_said_of_the_goal_dismisses_the_suspicion(since: EntryData) -> None:
    """Somebody has looked at it, it is measured otherwise, or it rests."""
    given(opened(), MEASURED, *STILL).when(since, now=day(36), reason="So").owes_no(
        "plateau_suspected"
    )


def test_what_says_nothing_of_its_movement_leaves_the_suspicion() -> None:
    """Another statement or owner is measured as before."""
    revised = GoalRevised(goal_id=GOAL, owner="couple")
    given(opened(), MEASURED, *STILL).when(revised, now=day(36), reason="So").owes(
        "plateau_suspected", since="2026-01-12T09:00:00Z"
    )


def test_movement_dismisses_the_suspicion() -> None:
    """The next values tell."""
    moving = weekly(3, 4, 5, 6, since=42)
    given(opened(), MEASURED, *STILL, *moving).owes_no("plateau_suspected")
