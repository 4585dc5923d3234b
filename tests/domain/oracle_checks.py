"""What must hold in every life: tests ask it of sound plans, the controls of broken ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from domain.entry import Entry, from_stored, to_stored
from domain.errors import MomentNotFoundError
from domain.plan import Plan
from domain.signatures import PlanSigned
from domain.trace import Change, diff, pointer, trace
from tests.domain import oracle
from tests.domain import oracle_trace as brute
from tests.domain.lives import PLAN_ID, Life

When = tuple[int, datetime | None]
"""A moment: known until a version, true until a moment (None: open end)."""
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
        document: dict[str, Any] = plan.at(known, true_until).document()
    except MomentNotFoundError:
        return None
    return document


def check_moments(entries: Sequence[Entry]) -> int:
    """Every moment, by both clocks, is what the oracle says; returns how many moments there are."""
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
    for moment in {
        *times,
        *(held + INSTANT for held in times),
        *(held - INSTANT for held in times),
    }:
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
        if isinstance(entry.data, PlanSigned) and _signs_what_was_saved(entry, life.entries):
            assert entry.data.content_hash == fresh.content_hash(entry.data.of_version), entry


def _signs_what_was_saved(signature: Entry, entries: Sequence[Entry]) -> bool:
    """Whether the version signed was recorded by an earlier request (see the expected failure)."""
    assert isinstance(signature.data, PlanSigned)
    return entries[signature.data.of_version - 1].recorded_at < signature.recorded_at


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


# Who made what


def moment_for(plan: Plan, pick: int) -> When:
    """One of the plan's moments, chosen by a number."""
    known = 1 + pick % plan.version
    ordered = oracle.in_order(oracle.standing(plan.entries[:known]))
    moments = [None, None, *sorted({moment for moment, _ in ordered})]
    return known, moments[pick // plan.version % len(moments)]


def check_trace(plan: Plan, known: int, true_until: datetime | None) -> int:
    """The trace names for every leaf whom brute force finds; returns how many leaves there are.

    The status of a plan opened in error is nobody's: the mark stands outside of what counts.
    """
    order = plan.settled_at(known).until(true_until)
    document = plan.document(known, true_until)
    said, truth = trace(order, document), brute.trace(order, document)
    nobodys = {"/status"} if document["status"] == "entered_in_error" else set()
    changed = {path: by for path, by in said.items() if path in truth.maker}
    assert changed == {path: by for path, by in truth.maker.items() if path not in nobodys}
    assert said.keys() >= truth.spoken - nobodys, "an entry spoke of this"
    assert said.keys() <= truth.maker.keys() | truth.spoken | truth.untouched, "no entry made this"
    assert {max(entry.sources or (entry.version,)) for entry in order}.issuperset(said.values())
    return len(truth.maker)


def check_traces(plan: Plan) -> int:
    """``check_trace`` at every version; returns how many leaves there are in all."""
    return sum(check_trace(plan, version, None) for version in range(1, plan.version + 1))


def moment_of(plan: Plan, known: int, true_until: datetime | None) -> brute.Moment:
    """The plan at a moment, as the oracle has it."""
    recorded = plan.entries[:known]
    ordered = oracle.in_order(oracle.standing(recorded))
    document = oracle.document_of(recorded, ordered, true_until)
    assert document is not None
    counting = tuple(held for moment, held in ordered if true_until is None or moment <= true_until)
    return brute.Moment(tuple(recorded), counting, document)


def difference(plan: Plan, one: When, other: When) -> list[Change]:
    """What ``diff`` says changed from one moment to the other."""
    old, new = plan.settled_at(one[0]), plan.settled_at(other[0])
    return diff(old, old.until(one[1]), new, new.until(other[1]))


def check_diff(plan: Plan, one: When, other: When) -> int:
    """The difference of two moments is that of their documents, put down to whom it may concern.

    Returns how many changes there are.
    """
    old, new = moment_of(plan, *one), moment_of(plan, *other)
    said = difference(plan, one, other)
    told = [(held.path, held.kind, repr(held.before), repr(held.after)) for held in said]
    assert len(told) == len(set(told)), "a change told twice"
    assert set(told) == {
        (pointer(path), kind, held, given)
        for path, kind, held, given in brute.changes(old.document, new.document)
    }
    blamable = brute.responsible(old, new)
    for change in said:
        assert change.entries, change
        assert blamable.issuperset(change.entries), (change, blamable)
    check_mirrored(said, difference(plan, other, one))
    return len(said)


def check_mirrored(there: Sequence[Change], back: Sequence[Change]) -> None:
    """What came goes, what changed changes back, by the same entries."""
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    mirrored = [
        replace(held, kind=turned[held.kind], before=held.after, after=held.before) for held in back
    ]
    assert sorted(mirrored, key=repr) == sorted(there, key=repr)


def check_neighbours(plan: Plan) -> int:
    """What changed from one version to the next, its entry changed; returns how many changes."""
    changes = 0
    for version in range(2, plan.version + 1):
        one, other = (version - 1, None), (version, None)
        changes += check_diff(plan, one, other)
        for change in difference(plan, one, other):
            assert change.entries == (version,), change
    return changes
