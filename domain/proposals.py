"""Proposals: changes of the clinic that somebody asks for, and what others say to them.

The rules that look at the whole clinic – what is possible, who approves what – are in ``approving.py``.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from domain.entry import TOPICS, Author, Entry, EntryData, Reason, data_from_stored, recorded
from domain.errors import TransitionError, UnknownEntryTypeError
from domain.fields import ManyRule, New, Opaque, RangeRule, Ref, to_plain
from domain.parts import Part
from domain.people import MemberJoined

MAKING = "POST /v1/clinic/proposals"
DECIDING = f"{MAKING}/{{proposal_id}}"
MOST = 50
LASTS = timedelta(days=14)
"""How long a proposal waits: what was asked for then is not to be agreed to when nobody remembers why."""
TOLD = 3
"""How many of the proposed entries a sentence tells."""
ProposalRef = Annotated[str, Ref("proposal")]


@dataclass(frozen=True, kw_only=True)
class ProposedEntry:
    """An entry as it would be recorded, in the words in which entries are stored."""

    topic: Annotated[Opaque, "The published topic of its type."]
    data: dict[str, Any]
    reason: Annotated[Reason | None, "Left out, the proposal's own."] = None
    class_version: Annotated[
        int | None, RangeRule(1, 999), "The format of the data, where it is not the first."
    ] = None

    @classmethod
    def of(cls, data: EntryData, reason: Reason | None = None) -> Self:
        """The data of an entry, proposed."""
        version = getattr(type(data), "class_version", 1)
        return cls(
            topic=data.TOPIC,
            data=to_plain(data),
            reason=reason,
            class_version=version if version > 1 else None,
        )

    @property
    def kind(self) -> type[EntryData]:
        """Its type; raises UnknownEntryTypeError for a topic nobody knows."""
        if self.topic not in TOPICS:
            raise UnknownEntryTypeError(f"There is no entry of topic “{self.topic[:80]}”.", "/type")
        return TOPICS[self.topic]

    @property
    def revived(self) -> EntryData:
        """Its data in today's format."""
        return data_from_stored(self.kind, deepcopy(self.data), self.class_version or 1)


@dataclass(frozen=True, kw_only=True)
class Word:
    """What somebody said to a proposal: who, when, and why if they said so."""

    by: Author
    at: datetime
    reason: Reason | None = None

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """What the entry says."""
        return cls(by=entry.recorded_by, at=entry.occurred_at, reason=entry.reason)


@dataclass(slots=True, kw_only=True)
class Proposal(Part):
    """A change somebody asked for, and what came of it. ``closing``: the word that ended it."""

    proposal_id: str
    entry_id: str
    version: int
    proposed: Word
    entries: tuple[ProposedEntry, ...]
    approved_by: tuple[str, ...]
    needed: int
    status: str = "open"
    approvals: tuple[Word, ...] = ()
    closing: Word | None = None

    @property
    def expires_at(self) -> datetime | None:
        """From when on it waits no longer; None: what a client asks for is not over until it is answered."""
        return None if self.proposed.by.role == "client" else self.proposed.at + LASTS

    def standing(self, now: datetime) -> str:
        """Its status at a moment: ``expired`` is nobody's word, it comes with time."""
        over = self.expires_at is not None and now >= self.expires_at
        return "expired" if self.status == "open" and over else self.status

    def is_by(self, author: Author) -> bool:
        """Whether they are the one who proposed it."""
        return self.proposed.by.member_id == author.member_id

    def has_approval_of(self, author: Author) -> bool:
        """Whether they have approved it."""
        return any(word.by.member_id == author.member_id for word in self.approvals)

    def close(self, status: str, entry: Entry) -> None:
        """It is over."""
        self.status, self.closing = status, Word.of(entry)


class _AsProposed:
    """The clinic as a sentence needs it, with the names of those whom the proposal itself brings in."""

    def __init__(self, clinic: Any, proposed: tuple[EntryData, ...]) -> None:
        self.members = clinic.members
        self._clinic = clinic
        self._joining = {
            data.member_id: data.name for data in proposed if isinstance(data, MemberJoined)
        }

    def named(self, member_id: str) -> str:
        """The member's name."""
        held: str = self._joining.get(member_id) or self._clinic.named(member_id)
        return held


def sentences(clinic: Any, entries: tuple[ProposedEntry, ...]) -> list[str]:
    """Each of the proposed entries in the sentence that would tell it."""
    proposed = tuple(held.revived for held in entries)
    known: Any = _AsProposed(clinic, proposed)
    return [data.tell(known) for data in proposed]


def _in_short(clinic: Any, entries: tuple[ProposedEntry, ...]) -> str:
    told = [sentence.removesuffix(".") for sentence in sentences(clinic, entries)]
    more = [f"and {len(told) - TOLD} more"] if len(told) > TOLD else []
    return "; ".join([*told[:TOLD], *more])


class _Standing(EntryData):
    """What was said to a proposal stands as it was said."""

    def decide_amendment(self, amendment: Entry) -> None:
        """Neither corrected nor marked in error: what it brought about stands on it."""
        raise TransitionError(
            "What was proposed, approved or declined stands as it was said; withdraw what is open, "
            "or propose another change.",
            "/data/entry_id",
        )


@recorded("clinic.change-proposed")
class ChangeProposed(_Standing):
    """Somebody asks for a change of the clinic, which is recorded once others have approved it."""

    WHY = True
    ONLY_BY = MAKING

    proposal_id: Annotated[str, New("proposal")] = ""
    entries: Annotated[tuple[ProposedEntry, ...], ManyRule(1, MOST)]
    approved_by: Annotated[
        tuple[Opaque, ...], "The roles that approve it; follows from its entries."
    ] = ()
    people: Annotated[
        int, RangeRule(1, 9), "How many of these stand behind it; follows from its entries."
    ] = 1

    def apply(self, plan: Any, entry: Entry) -> None:
        """It waits. Whoever asks counts if they are one who approves, but never alone."""
        counts = entry.recorded_by.role in self.approved_by
        held = Proposal(
            proposal_id=self.proposal_id,
            entry_id=entry.entry_id,
            version=entry.version,
            proposed=Word.of(entry),
            entries=self.entries,
            approved_by=self.approved_by,
            needed=max(1, self.people - counts),
        )
        plan.proposals.add(self.proposal_id, held, entry)

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        return f"Proposed: {_in_short(plan, self.entries)}."


class _Deciding(_Standing):
    """A word to a proposal."""

    proposal_id: str

    def _told(self, plan: Any) -> str:
        held = plan.proposals.get(self.proposal_id)
        return _in_short(plan, held.entries) if held else "a change"


@recorded("clinic.proposal-approved")
class ProposalApproved(_Deciding):
    """Somebody else agrees to a proposal; with the last approval it needs, its entries are recorded."""

    ONLY_BY = f"{DECIDING}/approve"

    proposal_id: ProposalRef

    def apply(self, plan: Any, entry: Entry) -> None:
        """One more stands behind it."""
        held = plan.proposals.edit(self.proposal_id, entry)
        held.approvals = (*held.approvals, Word.of(entry))
        if len(held.approvals) >= held.needed:
            held.close("approved", entry)

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        return f"Approved: {self._told(plan)}."


@recorded("clinic.proposal-declined")
class ProposalDeclined(_Deciding):
    """A proposal is not followed."""

    WHY = True
    ONLY_BY = f"{DECIDING}/decline"

    proposal_id: ProposalRef

    def apply(self, plan: Any, entry: Entry) -> None:
        """It is over."""
        plan.proposals.edit(self.proposal_id, entry).close("declined", entry)

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        return f"Declined: {self._told(plan)}."


@recorded("clinic.proposal-withdrawn")
class ProposalWithdrawn(_Deciding):
    """Whoever proposed a change asks for it no longer."""

    ONLY_BY = f"{DECIDING}/withdraw"

    proposal_id: ProposalRef

    def apply(self, plan: Any, entry: Entry) -> None:
        """It is over."""
        plan.proposals.edit(self.proposal_id, entry).close("withdrawn", entry)

    def tell(self, plan: Any) -> str:
        """One sentence for people."""
        return f"Withdrawn: {self._told(plan)}."
