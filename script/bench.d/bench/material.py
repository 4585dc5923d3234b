"""The plans that are measured: a plausible life of any length, the same every time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from uuid import NAMESPACE_URL, uuid5

from domain.alliance import RapportNoted
from domain.course import InsightShared, ObservationRecorded, SelfReportRecorded
from domain.entry import EntryData
from domain.goals import GoalSet, Measure, MeasureRecorded, ProgressNoted
from domain.interventions import Consent, InterventionAgreed
from domain.opening import ConcernIdentified, PlanOpened, PreferenceVoiced, StrengthIdentified
from domain.practice import PracticeAssigned, PracticeReported, SkillDemonstrated
from domain.reviews import CheckInHeld


def _id(name: object) -> str:
    return str(uuid5(NAMESPACE_URL, f"plan-history-bench/{name}"))


GOALS = tuple(_id(f"goal/{number}") for number in range(3))
THERAPIST = _id("therapist")
SUPERVISOR = _id("supervisor")
CONSENT = Consent(
    given=True, explained_by="The therapist", limits="Stops whenever the client says so."
)
PRACTICE = _id("practice/0")
TECHNIQUES = ("Graded exposure", "Thought record", "Values work")


def opening(number: object) -> PlanOpened:
    """The opening of the plan of client ``number``."""
    return PlanOpened(
        client_ref=f"client-{number}",
        client_label=f"Client {number}",
        initiated_by="The client, after a talk with their doctor",
        presenting_concern="Has not taken the underground for half a year since panic came up there.",
        hopes="To travel to work alone again and to see friends across town without planning for days.",
        signs_of_improvement="Would notice by saying yes to an invitation without looking at the map first.",
        therapist_id=THERAPIST,
        supervisor_id=SUPERVISOR,
    )


def foundation() -> list[EntryData]:
    """The first ten entries after the opening: concerns, goals, interventions."""
    concern = ConcernIdentified(
        concern_id=_id("concern"), description="Panic in closed spaces, most of all underground."
    )
    return [
        concern,
        StrengthIdentified(text="Keeps a diary without being asked.", evidence="Brought it along."),
        PreferenceVoiced(about="pace", text="Would rather go slowly and understand each step."),
        *(_goal(number) for number in range(3)),
        *(_intervention(number) for number in range(3)),
        PracticeAssigned(practice_id=PRACTICE, task="Write down what came up on the way."),
    ]


def _goal(number: int) -> GoalSet:
    return GoalSet(
        goal_id=GOALS[number],
        statement=f"Take the underground {number + 2} times a week, alone, without leaving early.",
        measure=Measure(
            name="Journeys",
            unit="journeys",
            baseline=0,
            target=number + 2,
            direction="increase",
            per="week",
        ),
        attainable_because="Short journeys with company work already.",
        relevant_because="It is the way to work.",
        within="P3M",
        concern_ids=(_id("concern"),),
    )


def _intervention(number: int) -> InterventionAgreed:
    return InterventionAgreed(
        intervention_id=_id(f"intervention/{number}"),
        technique=TECHNIQUES[number],
        orientation="cbt",
        goal_ids=(GOALS[number],),
        frequency="Once a week",
        format="individual",
        rationale="Was explained with a drawing; makes sense to the client.",
        consent=CONSENT,
    )


def course() -> Iterator[EntryData]:
    """What follows, without end: mostly measures, progress and practice."""
    practice = PRACTICE
    for number in count(1):
        goal = GOALS[number % 3]
        yield MeasureRecorded(
            goal_id=goal, value=number % 5, by="client", note="Counted in the diary."
        )
        yield PracticeReported(
            practice_id=practice, done="partly", count=number % 7, difficulty=number % 11
        )
        yield ProgressNoted(
            goal_id=goal,
            direction="improving",
            evidence="Stayed on for two stops more than last week.",
        )
        yield from _now_and_then(number)
        if number % 8 == 0:
            practice = _id(f"practice/{number}")
            yield PracticeAssigned(
                practice_id=practice, task="Two stops with company, one alone.", goal_ids=(goal,)
            )


def _now_and_then(number: int) -> Iterator[EntryData]:
    said = (
        CheckInHeld(working="Slept better, walked to the station twice."),
        SelfReportRecorded(
            text="It was easier than I had thought, the second time.", mood=number % 11
        ),
        ObservationRecorded(kind="pattern", text="Plans less beforehand and leaves earlier."),
        RapportNoted(rating=8, basis="Speaks of setbacks without being asked."),
        SkillDemonstrated(
            skill="Breathing", independently=True, example="Used it on the platform."
        ),
        InsightShared(text="The fear passes whether or not I get off."),
    )
    if number % 3 == 0:
        yield said[(number // 3) % len(said)]


def life(entries: int) -> list[EntryData]:
    """The ``entries`` after the opening."""
    going_on = course()
    held = foundation()
    return held[:entries] + [next(going_on) for _ in range(entries - len(held))]
