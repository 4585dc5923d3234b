"""The oracle itself, held against the law in lives short enough to be read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from domain.course import FocusShifted, SetbackNoted
from domain.entry import EntryData, Reason
from domain.goals import GoalSet, MeasureRecorded, ProgressNoted
from domain.record import EntryCorrected, EntryMarkedInError
from tests.domain import oracle
from tests.domain.lives import BEGIN, Life, play

WHY = Reason(text="So it was")
WEEK = timedelta(days=7)


def a_life(*told: tuple[float, EntryData]) -> Life:
    """A life of the opening and what is ``told``, in that order: days after it, and what was so."""
    life = play([0])
    life.now = BEGIN + 10 * WEEK
    for days, data in told:
        life.record(data, occurred_at=BEGIN + timedelta(days=days), reason=WHY)
        life.confirm()
    return life


def said(life: Life, known: int | None = None, days: float | None = None) -> dict[str, Any]:
    """What the oracle says of it at a moment."""
    moment = None if days is None else BEGIN + timedelta(days=days)
    document = oracle.document_at(life.entries, known, moment)
    assert document is not None
    return document


GOAL_ID = "00000000-0000-0000-0000-00000000000a"
OTHER_ID = "00000000-0000-0000-0000-00000000000b"
GOAL = GoalSet(goal_id=GOAL_ID, statement="An hour in the park")
OTHER = GoalSet(goal_id=OTHER_ID, statement="A visit to a friend")
PROGRESS = ProgressNoted(goal_id=GOAL_ID, direction="improving", evidence="Was there")


def test_a_late_note_does_not_override_what_came_after_it() -> None:
    """Last month's focus, recorded today, is not this week's; it was the focus last month."""
    life = a_life((30, FocusShifted(to="skills")), (3, FocusShifted(to="grief")))
    assert said(life)["focus"] == "skills"
    assert said(life, days=29)["focus"] == "grief"
    assert said(life, known=2, days=29)["focus"] is None


def test_a_baseline_from_before_its_goal_counts_from_the_goal_on() -> None:
    """It was measured on day 2, the goal was set on day 5."""
    life = a_life((5, GOAL), (2, MeasureRecorded(goal_id=GOAL_ID, value=4, by="client")))
    assert said(life, days=4)["goals"] == []
    assert said(life, days=5)["goals"][0]["latest"]["value"] == 4


def test_a_correction_stands_in_the_place_of_what_it_corrects() -> None:
    """The corrected focus of day 3 still gives way to that of day 30."""
    life = a_life((3, FocusShifted(to="grief")), (30, FocusShifted(to="skills")))
    first = life.entries[1].entry_id
    life.record(EntryCorrected(entry_id=first, data={"to": "coping"}), reason=WHY)
    assert said(life)["focus"] == "skills"
    assert said(life, days=10)["focus"] == "coping"
    assert said(life, known=3, days=10)["focus"] == "grief"


def test_a_corrected_entry_comes_after_what_it_now_is_about() -> None:
    """Though that was recorded later and is true later."""
    life = a_life((1, GOAL), (2, PROGRESS), (9, OTHER))
    about = EntryCorrected(entry_id=life.entries[2].entry_id, data={"goal_id": OTHER_ID})
    life.record(about, reason=WHY)
    assert said(life, days=8)["goals"][0]["progress"] is None
    assert said(life, days=9)["goals"][1]["progress"]["direction"] == "improving"


def test_what_is_about_an_entry_in_error_falls_with_it_and_comes_back_with_it() -> None:
    """The goal, its progress – not the setback; then the mark itself is marked."""
    life = a_life((1, GOAL), (2, PROGRESS), (3, SetbackNoted(what="Rain")))
    before = said(life)
    mark = EntryMarkedInError(entry_id=life.entries[1].entry_id, including_dependents=True)
    marked = life.record(mark, reason=WHY)
    kept = ["PlanOpened", "SetbackNoted", "EntryMarkedInError"]  # the mark of what was agreed on
    assert [held.type for held in oracle.standing(life.entries)] == kept
    life.record(EntryMarkedInError(entry_id=marked.entry_id), reason=WHY)
    after = said(life)
    assert after.pop("signatures")["last_material_version"] == 6
    assert before.pop("signatures")["last_material_version"] == 2
    assert after == before


def test_the_opening_in_error_takes_everything_with_it() -> None:
    """What is left says that it was entered in error."""
    life = a_life((1, GOAL), (2, PROGRESS))
    mark = EntryMarkedInError(entry_id=life.entries[0].entry_id, including_dependents=True)
    life.record(mark, reason=WHY)
    assert (said(life)["status"], said(life)["goals"]) == ("entered_in_error", [])
    assert oracle.document_at(life.entries, None, BEGIN - WEEK) is None


def test_of_those_which_count_from_the_same_moment_the_earlier_version_is_first() -> None:
    """So the later recorded one has the last word."""
    life = a_life((3, FocusShifted(to="grief")), (3, FocusShifted(to="skills")))
    assert said(life)["focus"] == "skills"
