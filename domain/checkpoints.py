"""Checkpoints: states a history passed through, so that reading a moment of a long one starts near it.

They are kept in memory only, by the very entries that lead to them. So a late entry or a correction
needs no clearing up: from where it counts on there is simply no checkpoint that fits.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.entry import Entry
from domain.fold import fold

EVERY = 500
"""How many entries lie between two checkpoints; fewer are folded in less than a millisecond."""


@dataclass(slots=True)
class Step:
    """A checkpoint: the entries since the one before, the state they led to, and where it went on."""

    entries: Sequence[Entry] = ()
    state: bytes = b""
    following: list[Step] = field(default_factory=list)

    def next(self, entries: Sequence[Entry]) -> Step | None:
        """The step from here through just these entries, if it was kept."""
        return next((step for step in self.following if step.entries == entries), None)


@dataclass(slots=True)
class Checkpoints:
    """The checkpoints of one history; ``fresh`` makes the state before its first entry."""

    fresh: Callable[[], Any]
    first: Step = field(default_factory=Step)
    kept: int = 0

    def fold(self, order: Sequence[Entry]) -> Any:
        """What ``order`` adds up to: a state of the caller's own.

        No checkpoint is kept of entries the database has not stamped: they are about to change.
        """
        step, done = self._nearest(order)
        state = pickle.loads(step.state) if done else self.fresh()  # noqa: S301 - written by this very object
        for start in range(done, len(order), EVERY):
            entries = order[start : start + EVERY]
            fold(entries, state)
            if len(entries) == EVERY and all(entry.position for entry in entries):
                step = self._keep(step, entries, state, of=len(order))
        return state

    def _nearest(self, order: Sequence[Entry]) -> tuple[Step, int]:
        """The last checkpoint on the way to the end of ``order``, and how many entries lie before it."""
        step, done = self.first, 0
        while done + EVERY <= len(order) and (found := step.next(order[done : done + EVERY])):
            step, done = found, done + EVERY
        return step, done

    def _keep(self, step: Step, entries: Sequence[Entry], state: Any, *, of: int) -> Step:
        following = Step(entries, pickle.dumps(state, pickle.HIGHEST_PROTOCOL))
        if self.kept >= 4 * (of // EVERY):  # histories were rewritten again and again: begin anew
            self.first, self.kept = Step(), 0
            return following
        step.following.append(following)
        self.kept += 1
        return following
