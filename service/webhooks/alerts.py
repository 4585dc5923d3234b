"""Alerts: what a clinic's own alerting is told at once – that something happened, never what was said.

No consent stands behind such a webhook and none is needed: it carries what an auditor sees of every plan, and
of a closed list of entries only.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import orjson

from domain.emergency import EmergencyAccessReviewed, EmergencyAccessTaken
from domain.entry import EntryData
from service.access import Principal
from service.feed.events import Event, Row, cloud_event
from service.timeline import without_words

CONTENT, METADATA = "content", "metadata"
CARRIES = (CONTENT, METADATA)
ALERTS: tuple[type[EntryData], ...] = (EmergencyAccessTaken, EmergencyAccessReviewed)
"""The types of entry that are told without what they say."""
NAMES = tuple(cls.__name__ for cls in ALERTS)
ACTION = "alerts.receive"
WHOSE = "The clinic's alerting"
"""By what name the access log knows whom alerts were sent to."""
Telling = Callable[[UUID, Row], Event]
"""How an entry is made a CloudEvent."""


def alerting(clinic_id: UUID, member_id: UUID, webhook_id: UUID) -> Principal:
    """Whom an alert is told: the clinic itself, by the eyes of its privacy officer."""
    return Principal(clinic_id, member_id, WHOSE, "privacy_officer", None, webhook_id)


def bare_event(clinic_id: UUID, row: Row) -> Event:
    """The entry as a CloudEvent without words: who recorded what kind of entry in which plan, and when."""
    whole = orjson.loads(cloud_event(clinic_id, row).text)
    whole["data"] = without_words(whole["data"])
    return Event(row.entry_id, orjson.dumps(whole).decode())


def telling(carries: str) -> Telling:
    """How entries are told to a webhook."""
    return bare_event if carries == METADATA else cloud_event
