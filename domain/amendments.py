"""The rules for corrections and marks in error: decided against the whole history, not one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.entry import Entry, created_ids
from domain.errors import (
    DependentsError,
    InvalidDataError,
    PlanHistoryError,
    Problem,
    TransitionError,
    UnknownReferenceError,
)
from domain.fields import build
from domain.fold import AMENDING, Settled, fold, settle
from domain.record import EntryCorrected, EntryMarkedInError

if TYPE_CHECKING:
    from domain.history import History


def decide_amendment(plan: History, entry: Entry) -> None:
    """Refuse a correction or mark that cannot stand (raises a PlanHistoryError)."""
    if isinstance(entry.data, EntryCorrected):
        _decide_correction(plan, entry, entry.data)
    elif isinstance(entry.data, EntryMarkedInError):
        _decide_mark(plan, entry, entry.data)


def _decide_correction(plan: History, entry: Entry, said: EntryCorrected) -> None:
    original = plan.entry(said.entry_id)
    if isinstance(original.data, AMENDING):
        raise TransitionError(
            "Corrections and marks are not corrected: correct the original entry again, or mark "
            "this one in error.",
            "/data/entry_id",
        )
    original.data.decide_amendment(entry)
    standing = plan.standing_entry(said.entry_id)
    if standing is None:
        raise TransitionError(
            "That entry was marked in error; mark the mark in error to bring it back.",
            "/data/entry_id",
        )
    after = settle([*plan.entries, entry], type(plan).fresh)
    place = after.standing(said.entry_id)
    if place is None:
        _refuse_unknown_references(after, standing, said)
    assert place is not None, "What keeps an entry from standing is a reference"
    corrected = after.order[place]
    if (corrected.data, corrected.occurred_at) == (standing.data, standing.occurred_at):
        raise InvalidDataError(
            [Problem("/data/data", "Changes nothing; give the fields as they should have been.")]
        )
    if list(created_ids(corrected)) != list(created_ids(standing)):
        raise InvalidDataError(
            [Problem("/data/data", "The ids an entry created cannot be corrected; leave them out.")]
        )
    _decide_again(after, place, corrected)


def _refuse_unknown_references(after: Settled, standing: Entry, said: EntryCorrected) -> None:
    """Name the field because of which the corrected entry would not stand."""
    try:
        after.refuse_unknown_references(standing.but(data=build(type(standing.data), said.data)))
    except UnknownReferenceError as refused:
        refused.inside("/data")
        raise


def _decide_again(after: Settled, place: int, corrected: Entry) -> None:
    """The corrected entry must be possible where it stands, by its own type's rule."""
    if corrected.version == 1:
        return
    try:
        after.refuse_unknown_references(corrected)
        corrected.data.decide(fold(after.order[:place], after.fresh()), corrected)
    except PlanHistoryError as refused:
        if refused.pointer == "/type":  # a correction does not give the type: it is the entry's own
            refused.pointer = "/data/entry_id"
        else:
            refused.inside("/data")
        raise


def _decide_mark(plan: History, entry: Entry, said: EntryMarkedInError) -> None:
    target = plan.entry(said.entry_id)
    if target.entry_id in plan.settled.gone:
        raise TransitionError("That entry is marked in error already.", "/data/entry_id")
    target.data.decide_amendment(entry)
    after = settle([*plan.entries, entry], type(plan).fresh)
    fallen = set(after.gone) - set(plan.settled.gone) - {target.entry_id}
    if fallen and not said.including_dependents:
        dependents = [held for held in plan.entries if held.entry_id in fallen]
        raise DependentsError(
            f"{len(dependents)} other entries rest on this one; set including_dependents to true "
            "to mark them with it, or mark them first.",
            "/data/including_dependents",
            dependents=[
                {"entry_id": held.entry_id, "version": held.version, "type": held.type}
                for held in dependents[:200]
            ],
        )
