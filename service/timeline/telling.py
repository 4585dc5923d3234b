"""Entries told for people, as JSON texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from domain.entry import TOPICS
from domain.erased import NOBODY, Erased
from domain.fields import plain_moment, to_plain
from domain.state import PlanState
from projections.sealing import Seals
from projections.timeline import Timeline

Told = tuple[dict[int, str], dict[int, tuple[list[int], list[int], int | None]]]
"""Sentences by version, and threads by version."""
OLD_FORMATS = {topic: cls for topic, cls in TOPICS.items() if getattr(cls, "class_version", 1) > 1}
_NAMES = {topic: cls.__name__ for topic, cls in TOPICS.items()}
_DATED = '{"occurred_at":"'
_ERASED = orjson.dumps({"recorded_by": to_plain(NOBODY), "data": {}})
_ERASED_WORDS = Erased().tell(PlanState()).encode()
_METADATA = frozenset(
    {
        "entry_id", "plan_id", "version", "position", "type", "occurred_at", "recorded_at", "late",
        "recorded_by", "voiced_by", "session_id", "command_id", "causation_id", "corrected_by",
        "addenda_by", "in_error_by",
    }
)  # fmt: skip


def without_words(shown: dict[str, Any]) -> dict[str, Any]:
    """An entry without what it says: who recorded what kind of entry, when, and in whose name."""
    return {name: held for name, held in shown.items() if name in _METADATA}


def entry_json(
    seals: Seals, row: Sequence[Any], live: Mapping[str, Told], late_after: timedelta
) -> str:
    """An entry as the API shows it, as JSON text.

    The stored state is JSON in the API's own words, so it is joined to the facts kept beside it and
    not taken apart. What an entry does not have (a reason, a session …) is left out.
    """
    position, version, plan_id, recorded_at, entry_id, command_id, topic, kept = row[:8]
    told, corrected_by, addenda, in_error_by = row[8:12]
    state = seals.state(plan_id, version, entry_id, kept)
    if state is None:
        state, told = _ERASED, _ERASED_WORDS
    if plan_id in live:
        sentences, said = live[plan_id]
        told = sentences[version].encode() if told is None else told
        corrected_by, addenda, in_error_by = said.get(version, (None, None, None))
    sentence = seals.read(Timeline.name, plan_id, version, told)
    if topic in OLD_FORMATS and state is not _ERASED:
        state = in_todays_format(topic, state)
    words: str = state.decode()
    recorded = plain_moment(recorded_at)
    late = "false"
    if words.startswith(_DATED):
        end = words.index('"', len(_DATED))
        occurred = datetime.fromisoformat(words[len(_DATED) : end])
        late = "true" if recorded_at - occurred > late_after else "false"
    else:
        words = f'{{"occurred_at":"{recorded}",{words[1:]}'
    threads_said = ""
    if corrected_by or addenda or in_error_by:
        threads_said = (
            f'"corrected_by":{corrected_by or []},"addenda_by":{addenda or []},'
            f'"in_error_by":{in_error_by or "null"},'
        )
    return (
        f'{{"entry_id":"{entry_id}","plan_id":"{plan_id}","version":{version},"position":{position},'
        f'"type":"{_NAMES[topic]}","sentence":{_quoted(sentence)},'
        f'"recorded_at":"{recorded}","late":{late},"command_id":"{command_id}",'
        f"{threads_said}{words[1:]}"
    )


def _quoted(sentence: bytes | None) -> str:
    """A sentence as JSON text."""
    return orjson.dumps((sentence or b"").decode()).decode()


def in_todays_format(topic: str, state: bytes) -> bytes:
    """A stored state in today's format."""
    stored = orjson.loads(state)
    cls = OLD_FORMATS[topic]
    held = stored.pop("class_version", 1)
    while held < cls.class_version:  # type: ignore[attr-defined] # only classes that have it are here
        getattr(cls, f"upcast_v{held}_v{held + 1}")(stored["data"])
        held += 1
    return orjson.dumps(stored)
