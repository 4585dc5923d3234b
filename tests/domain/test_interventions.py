"""Interventions: techniques, swaps, discomfort and its answer, consent."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from domain.entry import EntryData
from domain.errors import (
    InvalidDataError,
    PlanHistoryError,
    ReasonRequiredError,
    TransitionError,
    UnknownReferenceError,
)
from domain.goals import GoalAchieved, GoalDropped, GoalPaused
from domain.interventions import (
    TECHNIQUES,
    Agreement,
    Consent,
    DiscomfortAnswered,
    DiscomfortVoiced,
    FeedbackGiven,
    InterventionAdjusted,
    InterventionDeclined,
    InterventionEnded,
    InterventionPaused,
    InterventionResumed,
    InterventionSwapped,
)
from domain.record import EntryCorrected, EntryMarkedInError
from domain.state import PlanState
from tests.domain.specs import (
    GOAL,
    INTERVENTION,
    NOWHERE,
    OTHER_GOAL,
    OTHER_INTERVENTION,
    a_goal,
    an_id,
    an_intervention,
    day,
    entry_id,
    given,
    opened,
    said,
)

CONSENT = Consent(given=True, explained_by="Dr Nadia Okafor")
MINDFUL = Agreement(
    intervention_id=OTHER_INTERVENTION,
    technique="mindfulness",
    orientation="dbt",
    goal_ids=(GOAL,),
    format="group",
    consent=CONSENT,
)
PAUSED = InterventionPaused(intervention_id=INTERVENTION)
ENDED = InterventionEnded(intervention_id=INTERVENTION)
SWAPPED = InterventionSwapped(from_intervention_id=INTERVENTION, to=MINDFUL, decided_with="client")
VOICED = DiscomfortVoiced(intervention_id=INTERVENTION, words="It is too fast", intensity=7)
DISCOMFORT = entry_id(4)

STATUSES: dict[str, tuple[EntryData, ...]] = {
    "active": (),
    "paused": (PAUSED,),
    "swapped": (SWAPPED,),
    "ended": (ENDED,),
}
AGAIN = InterventionSwapped(
    from_intervention_id=INTERVENTION,
    to=Agreement(
        intervention_id=an_id("third intervention"),
        technique="exposure in pairs",
        orientation="cbt",
        goal_ids=(GOAL,),
        format="individual",
        consent=CONSENT,
    ),
    decided_with="client",
)
POSSIBLE: list[tuple[EntryData, set[str], str]] = [
    (
        InterventionAdjusted(intervention_id=INTERVENTION, frequency="weekly"),
        {"active", "paused"},
        "/data/intervention_id",
    ),
    (AGAIN, {"active", "paused"}, "/data/from_intervention_id"),
    (PAUSED, {"active"}, "/data/intervention_id"),
    (InterventionResumed(intervention_id=INTERVENTION), {"paused"}, "/data/intervention_id"),
    (ENDED, {"active", "paused"}, "/data/intervention_id"),
    (VOICED, {"active", "paused", "swapped", "ended"}, "/data/intervention_id"),
]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(("data", "possible", "pointer"), POSSIBLE)
def test_what_can_be_done_with_an_intervention_depends_on_its_status(
    data: EntryData, possible: set[str], pointer: str, status: str
) -> None:
    """Every entry about an intervention is taken in exactly the statuses it makes sense in."""
    before = STATUSES[status]
    spec = given(opened(), a_goal(), an_intervention(), *before).when(data, reason="Because")
    if status in possible:
        spec.then({"/version": 4 + len(before)})
    else:
        spec.refused(TransitionError, pointer, f"this one is {status}")


@pytest.mark.parametrize(("data", "_possible", "pointer"), POSSIBLE)
def test_only_interventions_of_this_plan_are_worked_with(
    data: EntryData, _possible: set[str], pointer: str
) -> None:
    """An intervention that was never agreed is refused by kind."""
    given(opened(), a_goal()).when(data, reason="Because").refused(
        UnknownReferenceError, pointer, "no intervention of that id"
    )


@pytest.mark.parametrize(
    "data",
    [
        InterventionDeclined(technique="exposure"),
        InterventionAdjusted(intervention_id=INTERVENTION, frequency="weekly"),
        SWAPPED,
        PAUSED,
        ENDED,
    ],
)
def test_changing_an_intervention_needs_its_reason(data: EntryData) -> None:
    """Declining, adjusting, swapping, pausing and ending say why."""
    given(opened(), a_goal(), an_intervention()).when(data).refused(ReasonRequiredError, "/reason")


def test_the_catalogue_suggests_techniques_for_every_orientation() -> None:
    """The six orientations have their techniques; other text is welcome."""
    assert TECHNIQUES["cbt"] == ("thought record", "behavioural experiment", "exposure")
    assert TECHNIQUES["emdr"] == ("preparation", "target memories", "bilateral stimulation")
    assert [len(TECHNIQUES[name]) for name in TECHNIQUES] == [3, 3, 3, 3, 6, 3]


def test_an_agreed_intervention_is_active_with_its_consent() -> None:
    """Everything that was agreed stands in the plan."""
    given(opened(), a_goal()).when(
        an_intervention(
            frequency="weekly",
            rationale="Fear fades with practice",
            consent=Consent(given=True, explained_by="Dr Nadia Okafor", limits="Not alone"),
        )
    ).then(
        {
            "/interventions": [
                {
                    "intervention_id": INTERVENTION,
                    "technique": "exposure",
                    "orientation": "cbt",
                    "in_words": None,
                    "goal_ids": [GOAL],
                    "frequency": "weekly",
                    "format": "individual",
                    "rationale": "Fear fades with practice",
                    "consent": {
                        "given": True,
                        "explained_by": "Dr Nadia Okafor",
                        "limits": "Not alone",
                    },
                    "status": "active",
                    "since": "2026-01-07T09:00:00Z",
                    "ended_at": None,
                    "why": None,
                    "swapped_from": None,
                    "swapped_to": None,
                    "decided_with": None,
                    "lineage": [
                        {
                            "intervention_id": INTERVENTION,
                            "technique": "exposure",
                            "swapped_because": None,
                            "swapped_at": None,
                        }
                    ],
                }
            ],
            "/signatures/last_material_version": 3,
        }
    ).tells("“exposure” was agreed for “Half an hour in the park, twice a week”.")


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (GoalAchieved(goal_id=OTHER_GOAL, evidence="Done"), "achieved"),
        (GoalDropped(goal_id=OTHER_GOAL), "dropped"),
    ],
)
@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        (an_intervention(an_id("new"), goal_ids=(GOAL, OTHER_GOAL)), "/data/goal_ids/1"),
        (
            InterventionAdjusted(intervention_id=INTERVENTION, goal_ids=(OTHER_GOAL,)),
            "/data/goal_ids/0",
        ),
        (
            InterventionSwapped(
                from_intervention_id=INTERVENTION,
                to=Agreement(
                    intervention_id=an_id("new"),
                    technique="mindfulness",
                    orientation="dbt",
                    goal_ids=(GOAL, OTHER_GOAL),
                    format="group",
                    consent=CONSENT,
                ),
                decided_with="client",
            ),
            "/data/to/goal_ids/1",
        ),
    ],
)
def test_interventions_serve_goals_that_are_being_worked_on(
    end: EntryData, status: str, data: EntryData, pointer: str
) -> None:
    """Goals that are achieved or dropped take no intervention."""
    given(opened(), a_goal(), a_goal(OTHER_GOAL), an_intervention(), end).when(
        data, reason="Because"
    ).refused(TransitionError, pointer, f"That goal is {status}")


def test_another_orientation_goes_by_its_own_words() -> None:
    """Whether agreed at first or in a swap."""
    to = replace(MINDFUL, orientation="other", in_words="Feldenkrais")
    spec = given(opened(), a_goal(), an_intervention(orientation="other", in_words="body work"))
    spec.then({"/interventions/0/orientation": "other", "/interventions/0/in_words": "body work"})
    spec.when(replace(SWAPPED, to=to), reason="So").then(
        {"/interventions/1/in_words": "Feldenkrais"}
    )


def test_an_intervention_can_serve_a_paused_goal() -> None:
    """A goal that rests is still one being worked on."""
    given(opened(), a_goal(), GoalPaused(goal_id=GOAL)).when(an_intervention()).then(
        {"/interventions/0/status": "active"}
    )


@pytest.mark.parametrize(
    ("goal_ids", "kind", "pointer"),
    [
        ((), InvalidDataError, "/data/goal_ids"),
        ((NOWHERE,), UnknownReferenceError, "/data/goal_ids/0"),
        ((GOAL, INTERVENTION), UnknownReferenceError, "/data/goal_ids/1"),
    ],
)
def test_an_intervention_serves_at_least_one_goal_of_this_plan(
    goal_ids: tuple[str, ...], kind: type[PlanHistoryError], pointer: str
) -> None:
    """None, unknown ones and other things are refused."""
    given(opened(), a_goal(), an_intervention()).when(
        an_intervention(OTHER_INTERVENTION, goal_ids=goal_ids)
    ).refused(kind, pointer)


def test_an_intervention_whose_goal_was_in_error_is_corrected_towards_one_that_stands() -> None:
    """It stays, since it only mentions the goal; its correction names a goal of the plan."""
    in_error = EntryMarkedInError(entry_id=entry_id(2))
    spec = given(opened(), a_goal(), a_goal(OTHER_GOAL), an_intervention(), in_error)
    spec.then({"/interventions/0/goal_ids": [GOAL]})
    spec.when(
        EntryCorrected(entry_id=entry_id(4), data={"technique": "a walk"}), reason="Misheard"
    ).refused(UnknownReferenceError, "/data/data/goal_ids/0", "entered in error")
    spec.when(
        EntryCorrected(entry_id=entry_id(4), data={"goal_ids": [OTHER_GOAL]}), reason="Misheard"
    ).then({"/interventions/0/goal_ids": [OTHER_GOAL]})


def test_a_declined_intervention_is_in_the_timeline_only() -> None:
    """Offering and declining changes nothing in the plan itself."""
    spec = given(opened())
    before = spec.plan.state.document()
    spec.when(
        InterventionDeclined(technique="EMDR", orientation="emdr"),
        reason="I do not want to go there",
        voiced_by="client",
    ).tells("“EMDR” was offered and declined.")
    assert spec.plan.state.document() == before


def test_an_adjusted_intervention_takes_the_fields_given_and_keeps_the_others() -> None:
    """Only what is given changes; the sentence names it."""
    given(opened(), a_goal(), a_goal(OTHER_GOAL), an_intervention(rationale="Practice")).when(
        InterventionAdjusted(
            intervention_id=INTERVENTION,
            technique="exposure with the dog",
            goal_ids=(GOAL, OTHER_GOAL),
            frequency="twice a week",
            format="family",
            consent=Consent(given=True, explained_by="Jo Marsh"),
        ),
        reason="The dog helps",
    ).then(
        {
            "/interventions/0/technique": "exposure with the dog",
            "/interventions/0/goal_ids": [GOAL, OTHER_GOAL],
            "/interventions/0/frequency": "twice a week",
            "/interventions/0/format": "family",
            "/interventions/0/consent": {"given": True, "explained_by": "Jo Marsh"},
            "/interventions/0/rationale": "Practice",
            "/signatures/last_material_version": 5,
        }
    ).tells(
        "“exposure with the dog” was adjusted (technique, goal ids, frequency, format, consent)."
    )


def test_an_adjustment_changes_something() -> None:
    """One without any field is refused."""
    given(opened(), a_goal(), an_intervention()).when(
        InterventionAdjusted(intervention_id=INTERVENTION), reason="Because"
    ).refused(InvalidDataError, "/data", "Say what changes")


def test_a_swap_ends_the_old_intervention_and_starts_the_new_one() -> None:
    """Both are linked, with the reason and with whom it was decided."""
    given(opened(), a_goal(), an_intervention()).when(
        SWAPPED, reason="It was too much at once"
    ).then(
        {
            "/interventions/0/status": "swapped",
            "/interventions/0/ended_at": "2026-01-08T09:00:00Z",
            "/interventions/0/why": "It was too much at once",
            "/interventions/0/swapped_to": OTHER_INTERVENTION,
            "/interventions/0/decided_with": "client",
            "/interventions/1/status": "active",
            "/interventions/1/since": "2026-01-08T09:00:00Z",
            "/interventions/1/technique": "mindfulness",
            "/interventions/1/format": "group",
            "/interventions/1/swapped_from": INTERVENTION,
            "/interventions/1/decided_with": None,
            "/signatures/last_material_version": 4,
        }
    ).tells("“exposure” gave way to “mindfulness”, decided with the client.")


def test_chains_of_swaps_are_one_lineage() -> None:
    """The newest intervention tells the whole chain, each step with why it gave way."""
    third = an_id("third intervention")
    again = InterventionSwapped(
        from_intervention_id=OTHER_INTERVENTION,
        to=Agreement(
            intervention_id=third,
            technique="walking together",
            orientation="other",
            goal_ids=(GOAL,),
            format="individual",
            consent=CONSENT,
        ),
        decided_with="team",
    )
    given(
        opened(), a_goal(), an_intervention(), said(SWAPPED, reason="It was too much at once")
    ).when(again, reason="She wants to move").then(
        {
            "/interventions/2/lineage": [
                {
                    "intervention_id": INTERVENTION,
                    "technique": "exposure",
                    "swapped_because": "It was too much at once",
                    "swapped_at": "2026-01-08T09:00:00Z",
                },
                {
                    "intervention_id": OTHER_INTERVENTION,
                    "technique": "mindfulness",
                    "swapped_because": "She wants to move",
                    "swapped_at": "2026-01-09T09:00:00Z",
                },
                {
                    "intervention_id": third,
                    "technique": "walking together",
                    "swapped_because": None,
                    "swapped_at": None,
                },
            ],
            "/interventions/0/lineage/0/swapped_because": None,
        }
    )


def test_a_swap_makes_the_id_of_the_new_intervention() -> None:
    """The caller may leave out the nested id, too."""
    to = Agreement(
        technique="mindfulness",
        orientation="dbt",
        goal_ids=(GOAL,),
        format="group",
        consent=CONSENT,
    )
    spec = given(opened(), a_goal(), an_intervention()).when(
        InterventionSwapped(from_intervention_id=INTERVENTION, to=to, decided_with="client"),
        reason="Because",
    )
    made = entry_id(4)
    spec.then({"/interventions/0/swapped_to": made, "/interventions/1/intervention_id": made})


def test_a_paused_intervention_says_why_until_it_is_resumed() -> None:
    """Resuming leaves nothing of the pause."""
    spec = given(opened(), a_goal(), an_intervention()).when(PAUSED, reason="Exams")
    spec.then({"/interventions/0/status": "paused", "/interventions/0/why": "Exams"})
    spec.tells("“exposure” was paused.")
    spec.when(InterventionResumed(intervention_id=INTERVENTION)).then(
        {"/interventions/0/status": "active", "/interventions/0/why": None}
    ).tells("“exposure” was taken up again.")


def test_an_ended_intervention_says_when_and_why() -> None:
    """It is over."""
    given(opened(), a_goal(), an_intervention()).when(ENDED, reason="No longer needed").then(
        {
            "/interventions/0/status": "ended",
            "/interventions/0/ended_at": "2026-01-08T09:00:00Z",
            "/interventions/0/why": "No longer needed",
            "/signatures/last_material_version": 4,
        }
    ).tells("“exposure” came to its end.")


@pytest.mark.parametrize("data", [ENDED, SWAPPED, PAUSED])
def test_a_change_without_a_reason_in_the_record_can_still_be_applied(data: EntryData) -> None:
    """Applying never fails: an entry stored before reasons were asked for leaves the why open."""
    spec = given(opened(), a_goal(), an_intervention()).when(data, reason="Because")
    bare = spec.last.but(reason=None)
    state = given(opened(), a_goal(), an_intervention()).plan.state
    bare.data.apply(state, bare)
    assert state.interventions[INTERVENTION].why is None


@pytest.mark.parametrize("end", [ENDED, SWAPPED])
def test_an_intervention_ended_in_hindsight_warns_of_what_still_uses_it(end: EntryData) -> None:
    """Later entries stay as recorded and are named."""
    given(opened(), a_goal(), an_intervention(), said(VOICED, now=day(10))).when(
        end, now=day(11), occurred_at=day(5), reason="Because"
    ).warns("DiscomfortVoiced")


def test_a_voiced_discomfort_is_owed_an_answer() -> None:
    """The client's words stand until they are answered, within 14 days."""
    given(opened(), a_goal(), an_intervention()).when(VOICED).then(
        {
            "/discomforts": [
                {
                    "entry_id": DISCOMFORT,
                    "intervention_id": INTERVENTION,
                    "words": "It is too fast",
                    "intensity": 7,
                    "voiced_at": "2026-01-08T09:00:00Z",
                    "status": "open",
                    "answer": None,
                    "answer_note": None,
                    "answered_at": None,
                }
            ]
        }
    ).owes("answer_discomfort", about=DISCOMFORT, due_on="2026-01-22").tells(
        "Discomfort with “exposure” was voiced: “It is too fast”."
    )


@pytest.mark.parametrize("intensity", [-1, 11])
def test_the_intensity_of_discomfort_goes_from_0_to_10(intensity: int) -> None:
    """Numbers outside are refused."""
    given(opened(), a_goal(), an_intervention()).when(
        DiscomfortVoiced(intervention_id=INTERVENTION, words="Bad", intensity=intensity)
    ).refused(InvalidDataError, "/data/intensity")


def test_an_answered_discomfort_owes_nothing() -> None:
    """The answer stands beside the words."""
    given(opened(), a_goal(), an_intervention(), VOICED).when(
        DiscomfortAnswered(
            discomfort_entry_id=DISCOMFORT,
            answer="continued_by_choice",
            note="She wants to go on, slower",
        )
    ).then(
        {
            "/discomforts/0/status": "answered",
            "/discomforts/0/answer": "continued_by_choice",
            "/discomforts/0/answer_note": "She wants to go on, slower",
            "/discomforts/0/answered_at": "2026-01-09T09:00:00Z",
        }
    ).owes_no("answer_discomfort").tells(
        "The discomfort was answered (continued by choice): “She wants to go on, slower”."
    )


def test_a_discomfort_is_answered_once() -> None:
    """A second answer is refused."""
    answered = DiscomfortAnswered(
        discomfort_entry_id=DISCOMFORT, answer="clarified", note="Explained"
    )
    given(opened(), a_goal(), an_intervention(), VOICED, answered).when(answered).refused(
        TransitionError, "/data/discomfort_entry_id"
    )


@pytest.mark.parametrize("about", [NOWHERE, entry_id(3), INTERVENTION])
def test_only_a_discomfort_can_be_answered_as_one(about: str) -> None:
    """Unknown ids, other entries and other things are refused."""
    given(opened(), a_goal(), an_intervention(), VOICED).when(
        DiscomfortAnswered(discomfort_entry_id=about, answer="clarified", note="Explained")
    ).refused(UnknownReferenceError, "/data/discomfort_entry_id", "no DiscomfortVoiced")


@pytest.mark.parametrize(
    ("useful", "word"),
    [("yes", "useful"), ("somewhat", "somewhat useful"), ("no", "not useful")],
)
def test_feedback_says_what_was_useful(useful: Literal["yes", "somewhat", "no"], word: str) -> None:
    """The client's words on what helps."""
    given(opened()).when(
        FeedbackGiven(about="the thought record", useful=useful, words="It slows me down")
    ).then(
        {
            "/feedback": [
                {
                    "entry_id": entry_id(2),
                    "about": "the thought record",
                    "useful": useful,
                    "words": "It slows me down",
                    "at": "2026-01-06T09:00:00Z",
                }
            ]
        }
    ).tells(f"Feedback on the thought record ({word}): “It slows me down”.")


def test_the_plan_shows_the_newest_twenty_words_of_feedback() -> None:
    """A plan of many years stays readable; the timeline keeps them all."""
    words = [FeedbackGiven(about="it", useful="yes", words=f"Word {n}") for n in range(25)]
    shown = given(opened(), *words).document()["feedback"]
    assert [held["words"] for held in shown] == [f"Word {n}" for n in range(5, 25)]


def test_an_intervention_that_is_not_there_is_still_spoken_of() -> None:
    """A sentence can be told on a plan in which the intervention does not stand."""
    assert ENDED.tell(PlanState()) == "“…” came to its end."
