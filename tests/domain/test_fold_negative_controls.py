"""Folds broken on purpose: the checks against the oracle must notice each of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain import fold
from domain.entry import Entry
from domain.fold import Settled
from tests.domain.lives import Life, some_lives
from tests.domain.oracle_checks import check_increments, check_moments


def refuted(check: Callable[[Life], object], name: str, broken: object) -> bool:
    """Whether some life, lived soundly, refutes ``domain.fold.<name>`` when that is broken."""
    for life in some_lives(100):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fold, name, broken)
            try:
                check(life)
            except (AssertionError, KeyError):
                return True
    return False


def every_moment(life: Life) -> None:
    """The check of the fold against the oracle."""
    check_moments(life.entries)


def test_a_fold_in_recorded_order_is_noticed() -> None:
    """Late entries would have the last word."""

    def by_version(settled: Settled) -> None:
        settled.order.sort(key=lambda entry: entry.version)

    assert refuted(every_moment, "_sort", by_version)


def test_a_correction_applied_where_it_was_made_is_noticed() -> None:
    """It belongs into the place of what it corrects."""
    in_place = fold._as_corrected

    def at_its_own(entry: Entry, correction: Entry | None) -> Entry:
        corrected = in_place(entry, correction)
        return corrected.but(occurred_at=correction.occurred_at) if correction else corrected

    assert refuted(every_moment, "_as_corrected", at_its_own)


def test_dependents_left_behind_are_noticed() -> None:
    """What is about an entry in error falls with it."""
    assert refuted(every_moment, "_stands", lambda *_: True)


def test_corrections_never_taken_back_are_noticed() -> None:
    """A correction that was marked in error is none."""
    amend = fold._amend

    def keeping_corrections(
        recorded: list[Entry], amendments: list[Entry], settled: Settled, lost: dict[str, int]
    ) -> list[Entry]:
        ids = {held.entry_id for held in amendments if held.type == "EntryCorrected"}
        kept = [
            held
            for held in amendments
            if held.type == "EntryCorrected" or getattr(held.data, "entry_id", "") not in ids
        ]
        return amend(recorded, kept, settled, lost)

    assert refuted(every_moment, "_amend", keeping_corrections)


def test_a_late_entry_simply_applied_at_the_end_is_noticed() -> None:
    """Learning entry by entry and folding anew would disagree."""
    sound = Settled.add

    def always_last(settled: Settled, entry: Entry) -> bool:
        fits = sound(settled, entry)
        if not fits and not isinstance(entry.data, fold.AMENDING):
            settled._stand(entry, settled.when(entry))
            return True
        return fits

    def check(life: Life) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Settled, "add", always_last)
            check_increments(life)

    assert refuted(check, "AMENDING", fold.AMENDING)


def test_with_nothing_broken_nothing_is_refuted() -> None:
    """The same lives, the same checks, the sound fold."""
    for life in some_lives(5):
        every_moment(life)
        check_increments(life)
