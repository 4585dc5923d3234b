"""What must hold in every life, said once: the tests ask it of sound plans, the controls of broken ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from domain.entry import Entry, from_stored, to_stored
from domain.errors import MomentNotFoundError
from domain.plan import Plan
from domain.signatures import PlanSigned
from tests.domain import oracle
from tests.domain.lives import PLAN_ID, Life

INSTANT = timedelta(microseconds=1)


def learnt(entries: Sequence[Entry]) -> Plan:
    """The plan that has learnt ``entries`` one by one, without anybody asking it anything."""
    plan = Plan.new(PLAN_ID)
    for entry in entries:
        plan.learn(entry)
    return plan


def document_of(
    plan: Plan, known: int | None = None, true_until: datetime | None = None
) -> dict[str, Any] | None:
    """What the plan says of itself at a moment; None: it says that it did not exist."""
    try:
        return plan.at(known, true_until).document()
    except MomentNotFoundError:
        return None


def check_moments(entries: Sequence[Entry]) -> int:
    """Every moment of the plan, by both clocks, is what the oracle says; returns how many there are."""
    plan = learnt(entries)
    compared = 0
    for known in range(1, len(entries) + 1):
        for true_until, truth in oracle.documents_at(entries, known):
            assert document_of(plan, known, true_until) == truth, (known, true_until)
            compared += 1
    return compared


def check_increments(life: Life) -> None:
    """Learning entries one by one gives what folding them all anew gives, on every way there."""
    truth = {
        version: oracle.document_at(life.entries, version)
        for version in range(1, len(life.entries) + 1)
    }
    for version, seen in life.seen:
        assert seen == truth[version], f"looked at on the way, version {version}"
    watched = Plan.new(PLAN_ID)
    for entry in life.entries:
        watched.learn(entry)
        assert watched.state.document() == truth[entry.version], f"watched, version {entry.version}"
    assert learnt(life.entries).state.document() == truth[len(life.entries)], "learnt unwatched"


def check_recorded_moments(life: Life) -> None:
    """A recorded moment is the newest version written down by then, and none before the first."""
    times = [entry.recorded_at for entry in life.entries]
    assert times == sorted(times)
    for moment in {*times, *(held + INSTANT for held in times), *(held - INSTANT for held in times)}:
        written = [entry.version for entry in life.entries if entry.recorded_at <= moment]
        try:
            version: int | None = life.plan.version_at(moment)
        except MomentNotFoundError:
            version = None
        assert version == (written[-1] if written else None), moment


def check_hashes(life: Life) -> None:
    """A version's content has one hash, whoever folds it and whatever was recorded since."""
    fresh = learnt(life.entries)
    for entry in life.entries:
        known = learnt(life.entries[: entry.version])
        assert fresh.content_hash(entry.version) == known.content_hash(entry.version), entry
        assert life.plan.content_hash(entry.version) == known.content_hash(entry.version), entry
        if isinstance(entry.data, PlanSigned):
            assert entry.data.content_hash == fresh.content_hash(entry.data.of_version), entry


def check_stored(entries: Sequence[Entry]) -> None:
    """What is stored as JSON and read again is the same entry."""
    for entry in entries:
        assert reread(entry) == entry, entry


def reread(entry: Entry) -> Entry:
    """``entry`` as it is after having been stored."""
    return from_stored(
        entry.data.TOPIC,
        orjson.loads(orjson.dumps(to_stored(entry))),
        originator_id=entry.originator_id,
        originator_version=entry.originator_version,
        timestamp=entry.timestamp,
        entry_id=entry.entry_id,
        command_id=entry.command_id,
        position=entry.position,
    )
