"""Obligations: what a plan owes now, a pure function of the plan and the clinic's policy.

An obligation carries its due day, never whether it is overdue: that changes by the clock alone and
is for the reader to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from domain.course import Raised
from domain.goals import Goal
from domain.plateau import plateau_since
from domain.policy import DEFAULT_POLICY, Policy
from domain.state import PlanState


@dataclass(frozen=True, slots=True)
class Obligation:
    """Something the plan owes: its kind, what it is about, since when, and the day it is due (UTC)."""

    kind: str
    about: str
    """The id of the entry or goal it is about, or ``plan``."""
    since: str
    due_on: str | None
    words: str

    def document(self) -> dict[str, Any]:
        """The obligation in JSON types."""
        return asdict(self)


Rule = Callable[[PlanState, Policy], Iterator[Obligation]]
KINDS: list[str] = []
"""Every kind of obligation there is."""
_RULES: list[Rule] = []
_ALSO_WHEN_CLOSED: list[Rule] = []


def _rule(*kinds: str, also_when_closed: bool = False) -> Callable[[Rule], Rule]:
    """A rule that finds obligations of these kinds, ``also_when_closed`` if owed for the record's sake."""

    def register(rule: Rule) -> Rule:
        KINDS.extend(kinds)
        _RULES.append(rule)
        if also_when_closed:
            _ALSO_WHEN_CLOSED.append(rule)
        return rule

    return register


def _owed(kind: str, about: str, since: datetime, due: date | int | None, words: str) -> Obligation:
    due_on = since.date() + timedelta(days=due) if isinstance(due, int) else due
    day = due_on.isoformat() if due_on else None
    return Obligation(kind, about, since.isoformat().replace("+00:00", "Z"), day, words)


@_rule("formal_review")
def formal_review(plan: PlanState, policy: Policy) -> Iterator[Obligation]:
    """From opening or the last formal review, by the plan's or the clinic's interval."""
    outline, outlook = plan.opening.outline, plan.reviews.outlook
    since = outlook.last_formal_at or outline.opened_at
    if since is not None:
        due: date | int = outline.review_interval_days or policy.formal_review_days
        yield _owed("formal_review", "plan", since, outlook.next_due_on or due, "Formal review")


@_rule("reevaluation")
def reevaluation(plan: PlanState, policy: Policy) -> Iterator[Obligation]:
    """From a relapse until a review names it."""
    for held in plan.course.relapses:
        if held.status == "open":
            words = "Re-evaluation after a relapse"
            yield _owed(
                "reevaluation", held.entry_id, held.noted_at, policy.reevaluation_days, words
            )


@_rule("safety_review")
def safety_review(plan: PlanState, policy: Policy) -> Iterator[Obligation]:
    """From a high safety concern until a safety review, a review naming it, or its resolution."""
    reviewed = plan.reviews.outlook.last_safety_at
    for held in plan.course.safety_concerns:
        unreviewed = reviewed is None or reviewed < held.raised_at
        if held.status == "open" and held.said["level"] == "high" and unreviewed:
            days = policy.safety_review_days
            yield _owed("safety_review", held.entry_id, held.raised_at, days, "Safety review")


@_rule("answer_discomfort", "answer_resistance", "answer_mismatch", "answer_plateau")
def answers(plan: PlanState, policy: Policy) -> Iterator[Obligation]:
    """From a discomfort, resistance, mismatch or plateau until its answer."""
    for discomfort in plan.interventions.discomforts:
        if discomfort.status == "open":
            yield _owed(
                "answer_discomfort",
                discomfort.entry_id,
                discomfort.voiced_at,
                policy.answer_days,
                "Answer to a voiced discomfort",
            )
    groups = (
        ("answer_resistance", plan.course.resistances, "Exploring a holding back"),
        ("answer_mismatch", plan.alliance.mismatches, "Talking about a mismatch"),
        ("answer_plateau", plan.course.plateaus, "Answer to a plateau"),
    )
    for kind, group, words in groups:
        for held in group:
            if held.status == "open":
                yield _owed(kind, held.entry_id, held.raised_at, policy.answer_days, words)


@_rule("resume_check")
def resume_checks(plan: PlanState, _policy: Policy) -> Iterator[Obligation]:
    """From a goal's pause with a date until it is resumed, dropped or given a new date."""
    for goal in plan.goals.goals:
        if goal.status == "paused" and goal.resume_check_on is not None:
            words = "Looking again at a paused goal"
            yield _owed(
                "resume_check", goal.goal_id, goal.status_since, goal.resume_check_on, words
            )


@_rule("first_signature")
def first_signature(plan: PlanState, policy: Policy) -> Iterator[Obligation]:
    """From opening until a clinician signs."""
    opened_at = plan.opening.outline.opened_at
    if opened_at is not None and not plan.signatures.signed:
        days = policy.first_signature_days
        yield _owed("first_signature", "plan", opened_at, days, "First signature")


@_rule("cosignature")
def cosignatures(plan: PlanState, policy: Policy) -> Iterator[Obligation]:
    """From a signature under supervision until a supervisor co-signs or returns it.

    What counts is the supervision at the time, and of each signer the newest signature.
    """
    for held in plan.signatures.owed():
        days = policy.cosignature_days
        yield _owed("cosignature", held.entry_id, held.signed_at, days, "Co-signature")


@_rule("client_agreement")
def client_agreement(plan: PlanState, policy: Policy) -> Iterator[Obligation]:
    """From the first material change after the client's word on the plan until their next one."""
    heard_at = plan.signatures.client.at
    needed_since = plan.signatures.material.agreement_needed_since
    if heard_at is not None and needed_since is not None:
        since, days = max(heard_at, needed_since), policy.client_agreement_days
        yield _owed("client_agreement", "plan", since, days, "The client's agreement to changes")


@_rule("emergency_review", also_when_closed=True)
def emergency_reviews(plan: PlanState, policy: Policy) -> Iterator[Obligation]:
    """From an emergency access until a privacy officer or auditor has looked at it."""
    for held in plan.emergency.emergency_access:
        if held.status == "open":
            words = "Review of an emergency access"
            days = policy.emergency_review_days
            yield _owed("emergency_review", held.entry_id, held.at, days, words)


@_rule("plateau_suspected")
def suspected_plateaus(plan: PlanState, policy: Policy) -> Iterator[Obligation]:
    """From when an active goal's values stand still until somebody says so, or they move.

    A plateau that was noted and waits for its answer is no longer a mere suspicion.
    """
    noted: dict[str, list[Raised]] = {}
    for held in plan.course.plateaus:
        noted.setdefault(held.said["goal_id"], []).append(held)
    for goal in plan.goals.goals:
        plateaus = noted.get(goal.goal_id, [])
        waits = any(held.status == "open" for held in plateaus)
        if goal.status == "active" and goal.measure is not None and not waits:
            since = max(_judged_at(goal, plateaus))
            own = (held for held in goal.values if held.own and held.at >= since)
            readings = [(held.at, held.value) for held in own]
            still_since = plateau_since(readings, goal.measure, policy)
            if still_since is not None:
                words = "A suspected plateau: the values hardly move"
                yield _owed("plateau_suspected", goal.goal_id, still_since, None, words)


def _judged_at(goal: Goal, plateaus: list[Raised]) -> Iterator[datetime]:
    """When it was set, resumed or given a new measure, and when somebody said how it moves."""
    yield goal.status_since
    if goal.measured_so_since is not None:
        yield goal.measured_so_since
    if goal.progress is not None:
        yield goal.progress["at"]
    for held in plateaus:
        yield held.answered_at or held.raised_at


def obligations(plan: PlanState, policy: Policy = DEFAULT_POLICY) -> list[Obligation]:
    """What the plan owes, soonest due first. A plan that is over owes no more of the work."""
    rules = _ALSO_WHEN_CLOSED if plan.lifecycle.closed else _RULES
    owed = [held for rule in rules for held in rule(plan, policy)]
    return sorted(owed, key=lambda held: (held.due_on or "9999", held.kind, held.about))
