"""Practice: homework, skills, celebrations, looking back."""

from __future__ import annotations

from datetime import date
from typing import Literal

import pytest

from domain.errors import InvalidDataError, UnknownReferenceError
from domain.practice import (
    LookBackHeld,
    Period,
    PracticeAssigned,
    PracticeReported,
    ProgressCelebrated,
    SkillDemonstrated,
)
from tests.domain.specs import GOAL, NOWHERE, a_goal, an_id, entry_id, given, opened

TASK = an_id("task")
WALK = PracticeAssigned(practice_id=TASK, task="Walk to the gate and back")


def test_a_task_is_set_for_the_time_between_sessions() -> None:
    """Dose, day and goals are kept as given."""
    given(opened(), a_goal()).when(
        PracticeAssigned(
            practice_id=TASK,
            task="Walk to the gate and back",
            dose="once a day",
            due_on=date(2026, 1, 14),
            goal_ids=(GOAL,),
        )
    ).then(
        {
            "/practice": [
                {
                    "practice_id": TASK,
                    "task": "Walk to the gate and back",
                    "dose": "once a day",
                    "due_on": "2026-01-14",
                    "goal_ids": [GOAL],
                    "assigned_at": "2026-01-07T09:00:00Z",
                    "reports": 0,
                    "latest": None,
                }
            ]
        }
    ).tells("To practise: “Walk to the gate and back”.")


@pytest.mark.parametrize(
    ("done", "words"),
    [("yes", "done"), ("partly", "partly done"), ("no", "not done this time")],
)
def test_the_newest_report_on_a_task_is_current(
    done: Literal["yes", "partly", "no"], words: str
) -> None:
    """Reports are counted; the newest is shown, and a task not done is told kindly."""
    given(opened(), WALK, PracticeReported(practice_id=TASK, done="no")).when(
        PracticeReported(practice_id=TASK, done=done, count=4, difficulty=6, barrier="Rain")
    ).then(
        {
            "/practice/0/reports": 2,
            "/practice/0/latest": {
                "done": done,
                "count": 4,
                "difficulty": 6,
                "barrier": "Rain",
                "at": "2026-01-08T09:00:00Z",
            },
        }
    ).tells(f"Practice “Walk to the gate and back” was {words}.")


@pytest.mark.parametrize(
    ("field", "value"),
    [("count", -1), ("count", 10_001), ("difficulty", -1), ("difficulty", 11)],
)
def test_numbers_of_a_report_stay_in_their_range(field: str, value: int) -> None:
    """Counts from 0 to 10,000, difficulty from 0 to 10."""
    report = PracticeReported(practice_id=TASK, done="yes", **{field: value})  # type: ignore[arg-type] # both fields hold numbers
    given(opened(), WALK).when(report).refused(InvalidDataError, f"/data/{field}")


def test_only_tasks_of_this_plan_are_reported_on() -> None:
    """An unknown task is refused by kind."""
    given(opened(), WALK).when(PracticeReported(practice_id=NOWHERE, done="yes")).refused(
        UnknownReferenceError, "/data/practice_id", "no practice of that id"
    )


def test_a_report_on_a_task_long_past_is_kept_in_the_timeline_only() -> None:
    """The plan shows the newest twenty tasks; a report on an older one still can be recorded."""
    tasks = [PracticeAssigned(practice_id=an_id(f"task {n}"), task="Again") for n in range(20)]
    spec = given(opened(), WALK, *tasks)
    shown = spec.document()["practice"]
    spec.when(PracticeReported(practice_id=TASK, done="yes")).then({"/practice": shown}).tells(
        "Practice was done."
    )
    assert len(shown) == 20


@pytest.mark.parametrize(
    ("independently", "how"), [(True, "independently"), (False, "with support")]
)
def test_a_skill_is_seen_in_use(independently: bool, how: str) -> None:
    """The quiet skills, with an example."""
    given(opened()).when(
        SkillDemonstrated(
            skill="saying no", independently=independently, example="She left a party early"
        )
    ).then(
        {
            "/skills/0/skill": "saying no",
            "/skills/0/independently": independently,
            "/skills/0/example": "She left a party early",
        }
    ).tells(f"“saying no” was used {how}: “She left a party early”.")


def test_small_victories_are_celebrated() -> None:
    """What, for which goals, and how."""
    given(opened(), a_goal()).when(
        ProgressCelebrated(what="First coffee outside", goal_ids=(GOAL,), how="With cake")
    ).then(
        {
            "/celebrations/0/what": "First coffee outside",
            "/celebrations/0/goal_ids": [GOAL],
            "/celebrations/0/how": "With cake",
        }
    ).tells("Celebrated: “First coffee outside”.")


@pytest.mark.parametrize(
    "data",
    [
        PracticeAssigned(practice_id=TASK, task="Walk", goal_ids=(NOWHERE,)),
        ProgressCelebrated(what="First coffee outside", goal_ids=(NOWHERE,)),
    ],
)
def test_practice_names_only_goals_of_this_plan(
    data: PracticeAssigned | ProgressCelebrated,
) -> None:
    """Unknown goals are refused where they stand."""
    given(opened()).when(data).refused(UnknownReferenceError, "/data/goal_ids/0")


def test_looking_back_covers_a_period() -> None:
    """From one day to another, both included."""
    given(opened()).when(
        LookBackHeld(
            period=Period(from_=date(2025, 10, 1), to=date(2025, 12, 31)),
            summary="From the bed to the balcony",
        )
    ).then(
        {
            "/look_backs": [
                {
                    "entry_id": entry_id(2),
                    "at": "2026-01-06T09:00:00Z",
                    "period": {"from": "2025-10-01", "to": "2025-12-31"},
                    "summary": "From the bed to the balcony",
                }
            ]
        }
    ).tells("A look back over 2025-10-01 to 2025-12-31: “From the bed to the balcony”.")


def test_a_period_may_be_a_single_day_but_runs_forward() -> None:
    """Its end does not lie before its beginning."""
    one_day = Period(from_=date(2026, 1, 5), to=date(2026, 1, 5))
    backwards = Period(from_=date(2026, 1, 5), to=date(2026, 1, 4))
    spec = given(opened()).when(LookBackHeld(period=one_day, summary="A long day"))
    spec.then({"/look_backs/0/summary": "A long day"})
    spec.when(LookBackHeld(period=backwards, summary="Hm")).refused(
        InvalidDataError, "/data/period/to"
    )
