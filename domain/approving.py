"""The rules for proposals and approvals: decided against the whole clinic, not one moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from domain.approval import ANOTHER_PERSON, Approval
from domain.entry import Author, Entry, EntryData, Reason, links_of
from domain.errors import (
    ApprovalRequiredError,
    ChangeNotPossibleError,
    EntryNotFoundError,
    InvalidDataError,
    NotYoursError,
    PlanHistoryError,
    Problem,
    RecordedElsewhereError,
    TransitionError,
)
from domain.fields import Ref, build
from domain.fold import AMENDING
from domain.proposals import (
    LASTS,
    MAKING,
    ChangeProposed,
    Proposal,
    ProposalApproved,
    ProposalDeclined,
    ProposalWithdrawn,
    ProposedEntry,
    sentences,
)

if TYPE_CHECKING:
    from domain.clinic import Clinic

DECISIONS = (ProposalApproved, ProposalDeclined, ProposalWithdrawn)


# Who approves what


def approval_of(clinic: Clinic, data: EntryData) -> Approval | None:
    """Who approves that this is recorded; an amendment is approved as what it amends.

    Also by way of others: taking a mark in error back does to the entry what recording it did.
    """
    target = data
    while isinstance(target, AMENDING):
        try:
            target = clinic.entry(target.entry_id).data
        except EntryNotFoundError:
            return ANOTHER_PERSON  # the clinic itself says that there is none
    return target.APPROVAL if target is data else target.AMENDED_WITH or target.APPROVAL


def needs_approval(clinic: Clinic, data: EntryData) -> Approval | None:
    """Who approves this before it is recorded in the clinic as it stands; None: nobody has to."""
    wanted = approval_of(clinic, data)
    return wanted if wanted and (wanted.always or clinic.policy.two_people) else None


def together(clinic: Clinic, entries: Iterable[ProposedEntry]) -> Approval:
    """Who approves all of these at once: those who approve each, as many as the gravest takes.

    Raises RecordedElsewhereError for what nobody proposes, and TransitionError when no role approves all.
    """
    by: tuple[str, ...] | None = None
    people = 1
    for number, held in enumerate(entries):
        wanted = approval_of(clinic, held.revived)
        if wanted is None:
            raise RecordedElsewhereError(
                f"{held.kind.__name__} is recorded at once, not proposed.",
                f"/data/entries/{number}/type",
            )
        by = wanted.by if by is None else tuple(role for role in by if role in wanted.by)
        people = max(people, wanted.people)
        if not by:
            raise TransitionError(
                "Others approve this than the entries before it; propose it by itself.",
                f"/data/entries/{number}/type",
            )
    return Approval(by=by or (), people=people)


# Refusing


def refuse(clinic: Clinic, entry: Entry, *, approved: bool) -> None:
    """Refuse what is not for this person to record, or not without others (a PlanHistoryError)."""
    if isinstance(entry.data, DECISIONS):
        held = clinic.state.proposals[entry.data.proposal_id]
        if objection := objection_to(held, type(entry.data), entry.recorded_by, entry.recorded_at):
            raise objection
    if approved:
        return
    if wanted := needs_approval(clinic, entry.data):
        raise ApprovalRequiredError(
            f"{entry.type} is approved by others before it is recorded ({wanted.words}): propose it "
            f"with {MAKING}.",
            "/type",
        )
    if any(entry.causation_id == held.entry_id for held in clinic.state.proposals):
        detail = "Only an approval records what was proposed; leave causation_id out."
        raise InvalidDataError([Problem("/causation_id", detail)])


def objection_to(
    held: Proposal, deciding: type[EntryData], author: Author, now: datetime
) -> PlanHistoryError | None:
    """Why somebody may not approve, decline or withdraw a proposal as it stands now; None: they may."""
    if held.status != "open":
        name = held.closing.by.name if held.closing else "somebody"
        return TransitionError(f"That was {held.status} already, by {name}.")
    if held.standing(now) == "expired":
        return TransitionError(
            f"That expired: nobody decided on it within {LASTS.days} days. Propose it again if it is still wanted."
        )
    if deciding is ProposalWithdrawn:
        if held.is_by(author):
            return None
        return NotYoursError("Only whoever proposed it withdraws it.")
    return _objection_to_deciding(held, deciding, author)


def _objection_to_deciding(
    held: Proposal, deciding: type[EntryData], author: Author
) -> PlanHistoryError | None:
    if held.is_by(author):
        return NotYoursError(
            "Nobody decides on what they proposed themselves; somebody else does, or you withdraw it."
        )
    if author.role not in held.approved_by:
        who = Approval(by=held.approved_by).words
        return NotYoursError(f"This is for somebody else to decide: {who}.")
    if _is_about(held, author):
        return NotYoursError("This is about yourself; somebody else decides on it.")
    if deciding is ProposalApproved and held.has_approval_of(author):
        return TransitionError("You have approved it already; it waits for somebody else, too.")
    return None


def _is_about(held: Proposal, author: Author) -> bool:
    """Whether one of the proposed entries names them."""
    return any(
        named == author.member_id
        for proposed in held.entries
        for named in _named_in(proposed.revived)
    )


def _named_in(data: EntryData) -> Iterable[str]:
    for rule, getter in links_of(type(data)):
        if isinstance(rule, Ref) and rule.kind == "member":
            yield from (held for _, held in getter(data, ""))


# Proposing


def asked(clinic: Clinic, proposed: ChangeProposed) -> ChangeProposed:
    """A proposal with who approves it; refuses fields that the declarations do not allow."""
    for number, held in enumerate(proposed.entries):
        build(held.kind, held.data, f"/data/entries/{number}/data")
    wanted = together(clinic, proposed.entries)
    return replace(proposed, approved_by=wanted.by, people=wanted.people)


def refuse_impossible(clinic: Clinic, entry: Entry, proposed: ChangeProposed, **given: Any) -> None:
    """Refuse a proposal of what would not be possible now (a PlanHistoryError, naming entry and field)."""
    with clinic.rehearsing():
        _record_all(clinic, proposed.entries, entry.reason, "/data/entries/{}", **given)


# Carrying out


def carry_out(clinic: Clinic, held: Proposal, **given: Any) -> list[Entry]:
    """Record what was proposed, as the clinic stands now; raises ChangeNotPossibleError."""
    told = sentences(clinic.state, held.entries)
    try:
        return _record_all(
            clinic, held.entries, held.proposed.reason, "/entries/{}",
            causation_id=held.entry_id, **given,
        )  # fmt: skip
    except PlanHistoryError as refused:
        first = refused.problems[0]
        sentence = told[int(first.pointer.split("/")[2])].removesuffix(".")
        raise ChangeNotPossibleError(
            f"“{sentence}” is not possible any more: {first.detail} The proposal stays open; decline "
            "it, or approve it when that has changed.",
            refused.problems,
        ) from refused


def _record_all(
    clinic: Clinic,
    entries: Sequence[ProposedEntry],
    reason: Reason | None,
    place: str,
    **given: Any,
) -> list[Entry]:
    found = []
    for number, held in enumerate(entries):
        try:
            entry = clinic.decide(
                held.revived, approved=True, reason=held.reason or reason, **given
            )
        except PlanHistoryError as refused:
            refused.pointer = refused.pointer or "/type"
            refused.inside(place.format(number))
            raise
        clinic.expect(entry)
        found.append(entry)
    return found
