"""Saying how it goes: what happened, what was seen, what was told."""

from __future__ import annotations

from typing import Any, Literal

from domain.alliance import MismatchDiscussed, MismatchRaised, RapportNoted
from domain.course import (
    FocusKind,
    FocusShifted,
    InsightShared,
    LifeEventEased,
    LifeEventNoted,
    ObservationRecorded,
    PlateauAnswered,
    PlateauNoted,
    RelapseNoted,
    ResistanceExplored,
    ResistanceNoted,
    SafetyConcernNoted,
    SafetyConcernResolved,
    SelfReportRecorded,
    SetbackNoted,
)
from service.demo.script import Draft


def relapse(
    what: str, severity: Literal["mild", "moderate", "severe"], onset: int, **said: Any
) -> Draft:
    """Something resurfaced, beginning on a day of the plan's life."""
    return Draft(
        lambda known: RelapseNoted(
            what_resurfaced=what, severity=severity, onset_on=known.on(onset), **said
        ),
        voiced_by="client",
    )


def setback(what: str, meaning: str) -> Draft:
    """A step back, and what it may tell us."""
    return Draft(SetbackNoted(what=what, meaning=meaning))


def plateau(goal_id: str, window: str, by: Literal["therapist", "client", "measures"]) -> Draft:
    """A goal has stayed where it is for a while."""
    return Draft(PlateauNoted(goal_id=goal_id, window=window, detected_by=by))


def plateau_answered(
    name: str, answer: Literal["adjust", "go_deeper", "wait", "review"], note: str
) -> Draft:
    """What follows from a plateau."""
    return Draft(
        lambda known: PlateauAnswered(plateau_entry_id=known[name], answer=answer, note=note),
        cause=name,
    )


def resistance(
    about: str, reason: Literal["fear", "habit", "not_ready", "disagreement", "unknown"], words: str
) -> Draft:
    """Something holds back."""
    return Draft(ResistanceNoted(about=about, reason=reason, words=words))


def explored(name: str, understanding: str) -> Draft:
    """What was understood about the holding back."""
    return Draft(
        lambda known: ResistanceExplored(
            resistance_entry_id=known[name], understanding=understanding
        ),
        cause=name,
    )


def mismatch(dimension: str, words: str, by: Literal["client", "partner"] = "client") -> Draft:
    """Client and therapist may not fit in some respect."""
    data = MismatchRaised(raised_by=by, dimension=dimension, words=words)
    return Draft(data, voiced_by=by)


def discussed(name: str, outcome: Literal["continue", "adjust", "transfer"], note: str) -> Draft:
    """A mismatch was talked about."""
    return Draft(
        lambda known: MismatchDiscussed(mismatch_entry_id=known[name], outcome=outcome, note=note),
        cause=name,
    )


def life_event(life_event_id: str, summary: str, *goal_ids: str, **said: Any) -> Draft:
    """Life happens."""
    data = LifeEventNoted(
        life_event_id=life_event_id, summary=summary, affected_goal_ids=goal_ids, **said
    )
    return Draft(data, voiced_by="client")


def eased(life_event_id: str, summary: str) -> Draft:
    """A life event weighs less."""
    return Draft(LifeEventEased(life_event_id=life_event_id, summary=summary), voiced_by="client")


def focus(to: FocusKind, came_from: FocusKind | None = None) -> Draft:
    """The sessions turn to something else."""
    return Draft(FocusShifted(from_=came_from, to=to))


def safety(concern: str, level: Literal["low", "medium", "high"], actions_taken: str) -> Draft:
    """A concern for someone's safety, and what was done at once."""
    return Draft(SafetyConcernNoted(concern=concern, level=level, actions_taken=actions_taken))


def safe_again(name: str, summary: str) -> Draft:
    """A safety concern no longer stands."""
    return Draft(
        lambda known: SafetyConcernResolved(safety_entry_id=known[name], summary=summary),
        cause=name,
    )


def observed(
    kind: Literal["pattern", "deeper_issue", "readiness", "strength", "other"], text: str
) -> Draft:
    """What the therapist sees."""
    return Draft(ObservationRecorded(kind=kind, text=text), voiced_by="therapist")


def report(text: str, mood: int) -> Draft:
    """What the client tells of their time."""
    return Draft(SelfReportRecorded(text=text, mood=mood), voiced_by="client")


def insight(text: str, *goal_ids: str) -> Draft:
    """A breakthrough."""
    return Draft(InsightShared(text=text, goal_ids=goal_ids), voiced_by="client")


def rapport(rating: int, basis: str) -> Draft:
    """How client and therapist get on."""
    return Draft(RapportNoted(rating=rating, basis=basis))
