"""Saying what others may see, and what they were told."""

from __future__ import annotations

from domain.consents import ConsentRecorded, ConsentRevoked, DisclosureMade
from service.demo.script import Draft


def consented(consent_id: str, scope: str, recipient: str, *, until: int) -> Draft:
    """Somebody may see something of the plan, through a day of the plan's life."""
    return Draft(
        lambda known: ConsentRecorded(
            consent_id=consent_id, scope=scope, recipient=recipient, expires_on=known.on(until)
        ),
        voiced_by="client",
    )


def taken_back(consent_id: str) -> Draft:
    """A consent is taken back."""
    return Draft(ConsentRevoked(consent_id=consent_id), voiced_by="client")


def disclosed(recipient: str, what: str, purpose: str, legal_basis: str) -> Draft:
    """Somebody outside was told something."""
    return Draft(
        DisclosureMade(recipient=recipient, what=what, purpose=purpose, legal_basis=legal_basis)
    )
