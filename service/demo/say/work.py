"""Saying what was practised, celebrated and reviewed."""

from __future__ import annotations

from typing import Any, Literal

from domain.practice import (
    LookBackHeld,
    Period,
    PracticeAssigned,
    PracticeReported,
    ProgressCelebrated,
    SkillDemonstrated,
)
from domain.reviews import CheckInHeld, ReviewHeld, ReviewKind, ReviewScheduled
from service.demo.script import Draft, Known


def practise(practice_id: str, task: str, dose: str, *goal_ids: str) -> Draft:
    """Something to practise until next time."""
    data = PracticeAssigned(practice_id=practice_id, task=task, dose=dose, goal_ids=goal_ids)
    return Draft(data)


def practised(practice_id: str, done: Literal["yes", "partly", "no"], **said: Any) -> Draft:
    """How the practice went."""
    data = PracticeReported(practice_id=practice_id, done=done, **said)
    return Draft(data, voiced_by="client")


def skill(name: str, example: str, *, independently: bool = True) -> Draft:
    """One of the quiet skills, seen in use."""
    return Draft(SkillDemonstrated(skill=name, independently=independently, example=example))


def celebrated(what: str, how: str, *goal_ids: str) -> Draft:
    """A small victory, and how it was marked."""
    return Draft(ProgressCelebrated(what=what, how=how, goal_ids=goal_ids))


def look_back(first: int, last: int, summary: str) -> Draft:
    """Looking back together from one day of the plan's life to another."""
    return Draft(
        lambda known: LookBackHeld(
            period=Period(from_=known.on(first), to=known.on(last)), summary=summary
        )
    )


def planned(review_id: str, kind: ReviewKind, due: int) -> Draft:
    """A review is planned for a day of the plan's life."""
    return Draft(
        lambda known: ReviewScheduled(review_id=review_id, kind=kind, due_on=known.on(due))
    )


def review(
    kind: ReviewKind,
    summary: str,
    *decisions: str,
    people: tuple[str, ...],
    answers: tuple[str, ...] = (),
    next_due: int | None = None,
    **said: Any,
) -> Draft:
    """The plan was reviewed with ``people``; ``answers`` names the entries it closes."""

    def data(known: Known) -> ReviewHeld:
        return ReviewHeld(
            kind=kind,
            summary=summary,
            decisions=decisions,
            participants=people,
            answers_entry_ids=tuple(known[name] for name in answers),
            next_due_on=None if next_due is None else known.on(next_due),
            **{"client_participated": True, **said},
        )

    return Draft(data, cause=answers[0] if answers else None)


def check_in(working: str, not_working: str | None = None, insight: str | None = None) -> Draft:
    """A short look at how things go."""
    return Draft(CheckInHeld(working=working, not_working=not_working, insight=insight))
