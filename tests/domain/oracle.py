"""The fold done the slow, obvious way; it shares with ``domain/fold.py`` the entries, nothing else.

Every question is answered from the recorded entries alone, by the words of the law: which of them
stand, as corrected; from when each counts; in which order; what they add up to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import is_dataclass
from datetime import datetime, timedelta
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from domain.entry import Entry
from domain.fields import New, Ref, build
from domain.record import EntryCorrected, EntryMarkedInError
from domain.state import PlanState


def document_at(
    entries: Sequence[Entry], known: int | None = None, true_until: datetime | None = None
) -> dict[str, Any] | None:
    """The plan as known at a version and as true at a moment; None: it did not exist."""
    recorded = (
        list(entries) if known is None else [held for held in entries if held.version <= known]
    )
    return document_of(recorded, in_order(standing(recorded)), true_until)


def documents_at(
    entries: Sequence[Entry], known: int
) -> Iterator[tuple[datetime | None, dict[str, Any] | None]]:
    """``document_at`` for every moment of interest.

    Just before anything counts, each moment from which something counts, and open end.
    """
    recorded = [held for held in entries if held.version <= known]
    ordered = in_order(standing(recorded))
    counts = sorted({moment for moment, _ in ordered})
    for true_until in (counts[0] - timedelta(microseconds=1), *counts, None):
        yield true_until, document_of(recorded, ordered, true_until)


def document_of(
    recorded: Sequence[Entry],
    ordered: Sequence[tuple[datetime, Entry]],
    true_until: datetime | None,
) -> dict[str, Any] | None:
    """What those of ``ordered`` that count by ``true_until`` add up to."""
    counting = [held for moment, held in ordered if true_until is None or moment <= true_until]
    if not counting:
        return None
    plan = added_up(counting)
    if recorded[0].entry_id in taken_out(recorded):
        plan.lifecycle.standing.status = "entered_in_error"
    return plan.document()


def added_up(entries: Sequence[Entry]) -> PlanState:
    """What ``entries`` add up to, one after the other."""
    plan = PlanState()
    for entry in entries:
        add(plan, entry)
    return plan


def add(plan: PlanState, entry: Entry) -> None:
    """Let one entry change ``plan``."""
    entry.data.apply(plan, entry)
    if entry.data.MATERIAL or isinstance(entry.data, EntryCorrected | EntryMarkedInError):
        plan.signatures.note_material(entry)


# Which entries stand


def standing(recorded: Sequence[Entry]) -> list[Entry]:
    """Those that stand, as corrected; of a plan opened in error only its opening."""
    out = taken_out(recorded)
    opening = as_corrected(recorded[0], recorded, out)
    if opening.entry_id in out:
        return [opening]
    kept = [
        as_corrected(entry, recorded, out)
        for entry in recorded
        if not isinstance(entry.data, EntryCorrected | EntryMarkedInError)
        and entry.entry_id not in out
    ]
    changed_what_was_agreed = [
        entry
        for entry in recorded
        if entry.entry_id not in out and amends_what_was_agreed(entry, recorded)
    ]
    return [*without_the_fallen(kept), *changed_what_was_agreed]


def amends_what_was_agreed(entry: Entry, recorded: Sequence[Entry]) -> bool:
    """Whether it corrects or marks what changes the agreement, or amends an amendment that does."""
    if not isinstance(entry.data, EntryCorrected | EntryMarkedInError):
        return False
    about = entry.data.entry_id
    (target,) = [held for held in recorded if held.entry_id == about]
    return target.data.MATERIAL or amends_what_was_agreed(target, recorded)


def taken_out(recorded: Sequence[Entry]) -> set[str]:
    """The ids of the entries marked in error by a mark that is not itself marked in error."""
    out: set[str] = set()
    for entry in reversed(recorded):
        if isinstance(entry.data, EntryMarkedInError) and entry.entry_id not in out:
            out.add(entry.data.entry_id)
    return out


def as_corrected(entry: Entry, recorded: Sequence[Entry], out: set[str]) -> Entry:
    """``entry`` as the newest of its corrections that stand has it."""
    for later in reversed(recorded):
        said = later.data
        if (
            isinstance(said, EntryCorrected)
            and said.entry_id == entry.entry_id
            and later.entry_id not in out
        ):
            return entry.but(
                data=build(type(entry.data), said.data),
                occurred_at=said.occurred_at or entry.occurred_at,
                sources=(entry.version, later.version),
            )
    return entry


def without_the_fallen(entries: list[Entry]) -> list[Entry]:
    """``entries`` without those that are about something which none of them brought in."""
    there = {held for entry in entries for held in brought_by(entry)}
    kept = [
        entry
        for entry in entries
        if all(held in there for rule, held in refers_to(entry) if rule.hard)
    ]
    return kept if len(kept) == len(entries) else without_the_fallen(kept)


# From when they count, and in which order


def counting_from(entries: Sequence[Entry]) -> dict[str, datetime]:
    """For the id of each standing entry the moment from which it counts."""
    maker = {held: entry for entry in entries for held in brought_by(entry)}
    found: dict[str, datetime] = {}

    def moment(entry: Entry) -> datetime:
        if entry.entry_id not in found:
            needed = [
                maker[held] for rule, held in refers_to(entry) if rule.orders and held in maker
            ]
            found[entry.entry_id] = max(
                entry.occurred_at, entries[0].occurred_at, *map(moment, needed)
            )
        return found[entry.entry_id]

    for entry in entries:
        moment(entry)
    return found


def in_order(entries: Sequence[Entry]) -> list[tuple[datetime, Entry]]:
    """The standing ``entries`` in the order in which they count, each with its moment.

    Again and again: of those whose references are all placed, the one that counts first; ties by
    version.
    """
    counts = counting_from(entries)
    there = {held for entry in entries for held in brought_by(entry)}
    needs = {
        entry.entry_id: {held for rule, held in refers_to(entry) if rule.orders and held in there}
        for entry in entries
    }
    waiting, placed = list(entries), set[str]()
    ordered: list[tuple[datetime, Entry]] = []
    while waiting:
        ready = [entry for entry in waiting if needs[entry.entry_id] <= placed]
        first = min(ready, key=lambda entry: (counts[entry.entry_id], entry.version))
        waiting.remove(first)
        ordered.append((counts[first.entry_id], first))
        placed.update(brought_by(first))
    return ordered


# What an entry brings in and refers to


def brought_by(entry: Entry) -> list[str]:
    """The ids that exist because of ``entry``: its own and those of the things it creates."""
    return [
        entry.entry_id,
        *(held for rule, held in _links_in(entry.data) if isinstance(rule, New)),
    ]


def refers_to(entry: Entry) -> list[tuple[Ref, str]]:
    """What of its plan ``entry`` names, each with the rule under which it does."""
    return [(rule, held) for rule, held in _links_in(entry.data) if isinstance(rule, Ref)]


def _links_in(group: object) -> Iterator[tuple[New | Ref, str]]:
    cls: type = type(group)
    for name, hint in _hints_of(cls).items():
        yield from _links(getattr(group, name), hint)


def _links(value: object, hint: object) -> Iterator[tuple[New | Ref, str]]:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        if isinstance(value, str):
            yield from ((fact, value) for fact in inner[1:] if isinstance(fact, New | Ref))
        yield from _links(value, inner[0])
    elif origin in (Union, UnionType):
        (held,) = [choice for choice in inner if choice is not type(None)]
        yield from _links(value, held)
    elif isinstance(value, tuple):
        for item in value:
            yield from _links(item, inner[0])
    elif is_dataclass(value):
        yield from _links_in(value)


@cache
def _hints_of(cls: type) -> dict[str, Any]:
    return get_type_hints(cls, include_extras=True)
