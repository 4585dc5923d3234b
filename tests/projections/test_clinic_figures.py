"""The ``clinic_figures`` read model: facts of plans, counted by day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest

from domain.course import RelapseNoted
from domain.interventions import Agreement, Consent, InterventionSwapped
from domain.lifecycle import PlanCompleted, PlanDiscontinued, PlanReopened
from domain.plan import Plan
from domain.policy import DEFAULT_POLICY, Policy
from domain.record import EntryMarkedInError
from domain.reviews import ReviewHeld
from projections.clinic_figures import ClinicFigures, facts
from service.container import Container
from tests.conftest import Clinic
from tests.domain.specs import (
    GOAL,
    INTERVENTION,
    OTHER_INTERVENTION,
    Said,
    a_goal,
    an_intervention,
    day,
    entry_id,
    opened,
    said,
)
from tests.domain.specs import given as recorded
from tests.projections.lived import SHORTER, Given, folded, incremental_equals_rebuilt, lived

FORMAL = ReviewHeld(
    kind="formal", participants=("Mira T.",), client_participated=True, summary="Looked back"
)


@pytest.fixture
def given(
    database_url: str,
    owner: psycopg.Connection[Any],
    container: Container,
    new_clinic: Callable[..., Clinic],
) -> Given:
    """A database with nothing in it."""
    return Given(database_url, owner, container, new_clinic)


def test_batches_and_a_rebuild_make_the_same_rows_as_the_fold(given: Given) -> None:
    """The table holds what is counted of each plan as it stands, by the policy as it stands."""
    built = incremental_equals_rebuilt(given, ClinicFigures())

    policy = replace(Policy(), **SHORTER.given())
    counted = {
        (plan.id, *fact, count)
        for plan in folded(lived())
        for fact, count in Counter(facts(plan, policy)).items()
    }
    names = ("plan_id", "figure", "key", "day", "count")
    assert {tuple(row[name] for name in names) for row in built} == counted


def _facts(plan: Plan, figure: str, policy: Policy = DEFAULT_POLICY) -> list[tuple[str, date]]:
    return [(key, on) for name, key, on in facts(plan, policy) if name == figure]


def _on(number: float) -> date:
    return day(number).date()


def test_an_open_plan_is_counted_as_opened_and_its_next_review_as_due() -> None:
    """It is not counted as closed."""
    plan = recorded(opened()).plan

    assert _facts(plan, "plan_opened") == [("", _on(0))]
    assert _facts(plan, "review_due") == [("", _on(182))]
    assert _facts(plan, "plan_closed") == []


def test_a_plan_that_is_over_is_counted_by_status_and_outcome_and_owes_no_review() -> None:
    """In the month in which it ended, until it is reopened."""
    done = recorded(opened(), PlanCompleted(outcome="goals_met", summary="All is well"))
    assert _facts(done.plan, "plan_closed") == [("completed:goals_met", _on(1))]
    assert _facts(done.plan, "review_due") == []

    left = recorded(opened(), PlanDiscontinued())
    assert _facts(left.plan, "plan_closed") == [("discontinued", _on(1))]

    again = recorded(opened(), PlanDiscontinued(), PlanReopened())
    assert _facts(again.plan, "plan_closed") == []
    assert _facts(again.plan, "review_due") == [("", _on(182))]


def test_a_plan_entered_in_error_is_not_counted() -> None:
    """There never was such a plan."""
    plan = recorded(
        opened(), EntryMarkedInError(entry_id=entry_id(1), including_dependents=True)
    ).plan

    assert list(facts(plan, DEFAULT_POLICY)) == []


@pytest.mark.parametrize(
    ("after", "key"), [(7, "answered_in_time"), (8, "answered_late"), (None, "open")]
)
def test_a_relapse_is_counted_where_it_was_noted_by_how_it_was_answered(
    after: int | None, key: str
) -> None:
    """The last day of the clinic's period is in time."""
    said_so: list[RelapseNoted | Said] = [RelapseNoted(what_resurfaced="Panic", severity="mild")]
    if after is not None:
        review = replace(FORMAL, kind="relapse", answers_entry_ids=(entry_id(2),))
        moment = day(1 + after)
        said_so.append(said(review, occurred_at=moment, now=moment))
    plan = recorded(opened(), *said_so).plan

    assert _facts(plan, "relapse") == [(key, _on(1))]


def test_formal_reviews_are_held_against_the_day_they_were_due() -> None:
    """By the plan's interval from the one before, or the day that one named."""
    plan = recorded(
        opened(review_interval_days=30),
        said(FORMAL, occurred_at=day(30), now=day(30)),
        said(replace(FORMAL, next_due_on=_on(70)), occurred_at=day(61), now=day(61)),
        said(FORMAL, occurred_at=day(70), now=day(70)),
    ).plan

    assert _facts(plan, "formal_review") == [
        ("in_time", _on(30)),
        ("late", _on(61)),
        ("in_time", _on(70)),
    ]
    assert _facts(plan, "review_due") == [("", _on(100))]


def test_a_review_recorded_late_is_judged_by_when_it_was_held() -> None:
    """And the ones after it by what it set."""
    plan = recorded(
        opened(review_interval_days=30),
        said(FORMAL, occurred_at=day(55), now=day(55)),
        said(FORMAL, occurred_at=day(28), now=day(56)),
    ).plan

    assert _facts(plan, "formal_review") == [("in_time", _on(28)), ("in_time", _on(55))]


def test_without_an_interval_of_its_own_the_clinics_policy_counts() -> None:
    """As it stands now."""
    plan = recorded(opened(), said(FORMAL, occurred_at=day(100), now=day(100))).plan

    assert _facts(plan, "formal_review") == [("in_time", _on(100))]
    shorter = Policy(formal_review_days=90)
    assert _facts(plan, "formal_review", shorter) == [("late", _on(100))]


def test_a_swap_is_counted_by_the_techniques_as_they_were_then() -> None:
    """What was given up and what was taken up."""
    agreed = Agreement(
        intervention_id=OTHER_INTERVENTION,
        technique='a "thought" record',
        orientation="cbt",
        goal_ids=(GOAL,),
        format="individual",
        consent=Consent(given=True, explained_by="Dr Nadia Okafor"),
    )
    swap = InterventionSwapped(from_intervention_id=INTERVENTION, to=agreed, decided_with="client")
    plan = recorded(opened(), a_goal(), an_intervention(), swap).plan

    assert _facts(plan, "swap") == [('["exposure","another technique"]', _on(3))]
