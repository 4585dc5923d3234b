"""How an entry is told to other programs: as a CloudEvent (CNCF CloudEvents 1.0, JSON format)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.entry import TOPICS
from domain.fields import plain_moment
from service.timeline import OLD_FORMATS, in_todays_format

MEDIA_TYPE = "application/cloudevents+json"
BATCH_MEDIA_TYPE = "application/cloudevents-batch+json"
_DATED = '{"occurred_at":"'
_TYPES = {
    topic: f"org.plan-history.{cls.__name__}.v{getattr(cls, 'class_version', 1)}"
    for topic, cls in TOPICS.items()
}


class Row(NamedTuple):
    """An entry as the record keeps it; ids as text."""

    position: int
    plan_id: str
    version: int
    recorded_at: datetime
    entry_id: str
    command_id: str
    topic: str
    state: bytes


class Event(NamedTuple):
    """A CloudEvent: its id and the whole of it as JSON text."""

    id: str
    text: str


def cloud_event(clinic_id: UUID, row: Row) -> Event:
    """The entry as a CloudEvent.

    ``sequence`` is the position, padded so that its text sorts as its number does (CloudEvents'
    extension "sequence"). ``data`` is the entry as the timeline shows it, without sentence and threads.
    """
    state = in_todays_format(row.topic, row.state) if row.topic in OLD_FORMATS else row.state
    recorded = plain_moment(row.recorded_at)
    words = state.decode()
    if words.startswith(_DATED):
        occurred = words[len(_DATED) : words.index('"', len(_DATED))]
    else:
        occurred = recorded
        words = f'{{"occurred_at":"{recorded}",{words[1:]}'
    text = (
        f'{{"specversion":"1.0","id":"{row.entry_id}","source":"urn:plan-history:clinic:{clinic_id}",'
        f'"type":"{_TYPES[row.topic]}","subject":"{row.plan_id}","time":"{occurred}",'
        f'"sequence":"{row.position:019}","recordedtime":"{recorded}",'
        f'"datacontenttype":"application/json","data":{{"entry_id":"{row.entry_id}",'
        f'"plan_id":"{row.plan_id}","version":{row.version},"position":{row.position},'
        f'"type":"{TOPICS[row.topic].__name__}","recorded_at":"{recorded}",'
        f'"command_id":"{row.command_id}",{words[1:]}}}'
    )
    return Event(row.entry_id, text)
