"""Saying how a plan begins."""

from __future__ import annotations

from typing import Any

from domain.opening import (
    Area,
    Blended,
    ConcernIdentified,
    ConcernReframed,
    ConcernResolved,
    ContextCaptured,
    ExpectationDiscussed,
    OrientationAdopted,
    PlanOpened,
    PreferenceVoiced,
    PriorTherapyNoted,
    ReadinessAssessed,
    StrengthIdentified,
)
from service.demo.people import member_id
from service.demo.script import Draft


def opening(
    client_ref: str,
    client_label: str,
    *,
    therapist: str,
    supervisor: str | None = None,
    **said: Any,
) -> Draft:
    """The plan is opened, with the client's answers to the three intake questions."""
    data = PlanOpened(
        client_ref=client_ref,
        client_label=client_label,
        therapist_id=member_id(therapist),
        supervisor_id=member_id(supervisor) if supervisor else None,
        **said,
    )
    return Draft(data, voiced_by="client")


def context(area: Area, summary: str, impact: str | None = None) -> Draft:
    """Something about the client's life that matters here."""
    return Draft(ContextCaptured(area=area, summary=summary, impact=impact))


def concern(concern_id: str, description: str, *impact_areas: str, **said: Any) -> Draft:
    """Something the client wants to be different."""
    data = ConcernIdentified(
        concern_id=concern_id, description=description, impact_areas=impact_areas, **said
    )
    return Draft(data, voiced_by="client")


def reframed(concern_id: str, description: str, **said: Any) -> Draft:
    """A concern in another light."""
    return Draft(ConcernReframed(concern_id=concern_id, description=description, **said))


def resolved(concern_id: str, summary: str) -> Draft:
    """A concern that is none any more."""
    return Draft(ConcernResolved(concern_id=concern_id, summary=summary), voiced_by="client")


def prefers(about: str, text: str) -> Draft:
    """How the client wants the work to be."""
    return Draft(PreferenceVoiced(about=about, text=text), voiced_by="client")


def expects(expectation: str, understanding: str, *, realistic: bool = False) -> Draft:
    """What the client expects, and the understanding that was reached."""
    data = ExpectationDiscussed(
        expectation=expectation, realistic=realistic, agreed_understanding=understanding
    )
    return Draft(data, voiced_by="client")


def earlier_therapy(helped: str | None, did_not_help: str | None) -> Draft:
    """What earlier therapy was like."""
    return Draft(PriorTherapyNoted(helped=helped, did_not_help=did_not_help), voiced_by="client")


def ready(for_: str, level: int, note: str | None = None) -> Draft:
    """How ready the client is for something."""
    return Draft(ReadinessAssessed(for_=for_, level=level, note=note), voiced_by="client")


def strength(text: str, evidence: str) -> Draft:
    """Something to build on."""
    return Draft(StrengthIdentified(text=text, evidence=evidence))


def orientation(rationale: str, **shares: Any) -> Draft:
    """The blend of orientations, with their shares, told to the client."""
    blend = tuple(Blended(orientation=name, weight=share) for name, share in shares.items())  # type: ignore[arg-type] # a keyword here, checked when recorded
    return Draft(OrientationAdopted(blend=blend, rationale=rationale, disclosed_to_client=True))
