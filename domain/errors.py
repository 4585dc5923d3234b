"""The refusals: everything the domain says no to, each with a stable code.

A refusal names the field it is about as a JSON pointer inside the entry (``/data/goal_id``,
``/reason``, ``/occurred_at``) and says what to do next. Only ``api/errors.py`` knows status codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one field: where (a JSON pointer) and what to do about it."""

    pointer: str
    detail: str


class PlanHistoryError(Exception):
    """Base of every refusal; ``code`` is published and never changes."""

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "Refused"

    def __init__(self, detail: str, pointer: str = "", **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer
        self.facts = facts

    @property
    def problems(self) -> Sequence[Problem]:
        """The fields at fault, for a caller who shows them beside the form."""
        return (Problem(self.pointer, self.detail),) if self.pointer else ()

    def inside(self, prefix: str, *, out_of: str = "") -> PlanHistoryError:
        """The same refusal with its pointers moved below ``prefix`` (e.g. ``/entries/2``).

        ``out_of``: a prefix they lose first.
        """
        if self.pointer:
            self.pointer = prefix + self.pointer.removeprefix(out_of)
        return self


class InvalidDataError(PlanHistoryError):
    """A field holds something its declaration does not allow."""

    code = "invalid-data"
    title = "Some fields need another look"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(_told(problems))
        self._problems = tuple(problems)

    @property
    def problems(self) -> Sequence[Problem]:
        """Every field at fault."""
        return self._problems

    def inside(self, prefix: str, *, out_of: str = "") -> PlanHistoryError:
        """The same refusal with its pointers moved below ``prefix``."""
        self._problems = tuple(
            Problem(prefix + held.pointer.removeprefix(out_of), held.detail)
            for held in self._problems
        )
        self.detail = _told(self._problems)
        return self


def _told(problems: Sequence[Problem]) -> str:
    told = [f"{held.pointer}: {held.detail}" for held in problems[:3]]
    more = [f"and {len(problems) - 3} more."] if len(problems) > 3 else []
    return " ".join(told + more)


class UnknownEntryTypeError(PlanHistoryError):
    """No entry of that type exists."""

    code = "unknown-entry-type"
    title = "No such type of entry"


class UnknownReferenceError(PlanHistoryError):
    """The entry refers to something that does not exist in this plan."""

    code = "unknown-reference"
    title = "Refers to something this plan does not have"


class DuplicateIdError(PlanHistoryError):
    """The id given for something new is already taken in this plan."""

    code = "duplicate-id"
    title = "That id is already taken in this plan"


class ReasonRequiredError(PlanHistoryError):
    """This type of entry changes what was agreed and therefore needs its reason."""

    code = "reason-required"
    title = "A reason is needed"


class OccurredInFutureError(PlanHistoryError):
    """Entries tell what has happened; this one lies more than five minutes ahead."""

    code = "occurred-in-future"
    title = "That has not happened yet"


class TransitionError(PlanHistoryError):
    """What the entry would do is not possible from where things stand."""

    code = "impossible-transition"
    title = "Not possible from where things stand"


class PlanClosedError(PlanHistoryError):
    """A completed, discontinued or superseded plan takes only record, signature and reopen entries."""

    code = "plan-closed"
    title = "This plan is closed"


class DependentsError(PlanHistoryError):
    """Other entries rest on the entry that is to be marked in error."""

    code = "has-dependents"
    title = "Other entries rest on this one"


class CircularReferenceError(PlanHistoryError):
    """A correction would make entries refer to each other in a circle."""

    code = "circular-reference"
    title = "Entries would refer to each other in a circle"


class NotYoursError(PlanHistoryError):
    """The entry is one that only a certain person may record."""

    code = "not-yours"
    title = "Not for you to record"


class RecordedElsewhereError(PlanHistoryError):
    """The entry comes about by something else than recording it, such as asking for access."""

    code = "recorded-elsewhere"
    title = "That is not recorded here"


class ApprovalRequiredError(PlanHistoryError):
    """The change is one that somebody else approves first: it is proposed, not recorded."""

    code = "approval-required"
    title = "Somebody else approves that first"


class ChangeNotPossibleError(PlanHistoryError):
    """What was proposed is not possible any more; the proposal stays open."""

    code = "change-not-possible"
    title = "The change is not possible any more"

    def __init__(self, detail: str, problems: Sequence[Problem]) -> None:
        super().__init__(detail)
        self._problems = tuple(problems)

    @property
    def problems(self) -> Sequence[Problem]:
        """Where in the proposed entries (``/entries/0/data/member_id``)."""
        return self._problems


class ProposalNotFoundError(PlanHistoryError):
    """There is no such proposal within the caller's reach."""

    code = "proposal-not-found"
    title = "No such proposal"


class PlanNotFoundError(PlanHistoryError):
    """There is no such plan within the caller's reach."""

    code = "plan-not-found"
    title = "No such plan"


class PlanErasedError(PlanHistoryError):
    """The plan was there; what it said was erased for good."""

    code = "plan-erased"
    title = "This plan was erased"


class MomentNotFoundError(PlanHistoryError):
    """The plan exists, but not at the version or moment asked for."""

    code = "moment-not-found"
    title = "The plan did not exist at that moment"


class EntryNotFoundError(PlanHistoryError):
    """There is no such entry in this plan."""

    code = "entry-not-found"
    title = "No such entry"


class PlanAlreadyOpenError(PlanHistoryError):
    """The client already has an open plan in this clinic."""

    code = "plan-already-open"
    title = "This client already has an open plan"
