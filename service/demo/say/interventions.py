"""Saying what is done, and how the client finds it."""

from __future__ import annotations

from typing import Any, Literal

from domain.entry import Voice
from domain.interventions import (
    Agreement,
    Consent,
    DiscomfortAnswered,
    DiscomfortVoiced,
    FeedbackGiven,
    InterventionAdjusted,
    InterventionAgreed,
    InterventionEnded,
    InterventionPaused,
    InterventionResumed,
    InterventionSwapped,
)
from domain.opening import School
from service.demo.people import PEOPLE
from service.demo.script import Draft


def technique(
    intervention_id: str,
    name: str,
    school: School,
    *goal_ids: str,
    by: str,
    limits: str | None = None,
    **said: Any,
) -> Agreement:
    """An intervention to agree on, explained by the person called ``by``."""
    return Agreement(
        intervention_id=intervention_id,
        technique=name,
        orientation=school,
        goal_ids=goal_ids,
        consent=Consent(given=True, explained_by=PEOPLE[by].name, limits=limits),
        **{"format": "individual", **said},
    )


def begun(agreement: Agreement) -> Draft:
    """An intervention begins."""
    return Draft(InterventionAgreed(**vars(agreement)))


def swapped(old: str, agreement: Agreement, decided_with: Voice = "client") -> Draft:
    """One intervention gives way to another."""
    return Draft(
        InterventionSwapped(from_intervention_id=old, to=agreement, decided_with=decided_with)
    )


def adjusted(intervention_id: str, **said: Any) -> Draft:
    """An intervention goes on in another way."""
    return Draft(InterventionAdjusted(intervention_id=intervention_id, **said))


def rested(intervention_id: str) -> Draft:
    """An intervention rests for a while."""
    return Draft(InterventionPaused(intervention_id=intervention_id))


def taken_up(intervention_id: str) -> Draft:
    """A resting intervention goes on."""
    return Draft(InterventionResumed(intervention_id=intervention_id))


def ended(intervention_id: str) -> Draft:
    """An intervention is over."""
    return Draft(InterventionEnded(intervention_id=intervention_id))


def discomfort(intervention_id: str, words: str, intensity: int) -> Draft:
    """The client is not at ease with an intervention."""
    data = DiscomfortVoiced(intervention_id=intervention_id, words=words, intensity=intensity)
    return Draft(data, voiced_by="client")


def answered(
    discomfort_name: str,
    answer: Literal["clarified", "adjusted", "swapped", "paused", "continued_by_choice"],
    note: str,
) -> Draft:
    """A discomfort got its answer."""
    return Draft(
        lambda known: DiscomfortAnswered(
            discomfort_entry_id=known[discomfort_name], answer=answer, note=note
        ),
        cause=discomfort_name,
    )


def feedback(about: str, useful: Literal["yes", "somewhat", "no"], words: str) -> Draft:
    """What the client finds useful, and what not."""
    return Draft(FeedbackGiven(about=about, useful=useful, words=words), voiced_by="client")
