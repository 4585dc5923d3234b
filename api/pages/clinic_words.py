"""What the pages say of the clinic itself: its people, what is proposed, and its policy in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api.pages import words
from api.pages.language import Words, count_of, later, say

TYPES = Words(
    {
        "MemberJoined": "Somebody joins",
        "MemberRoleChanged": "Another role, credential or name",
        "MemberLeft": "Somebody leaves",
        "SupervisionAssigned": "Supervision begins",
        "SupervisionEnded": "Supervision ends",
        "CaseloadAssigned": "A plan joins a caseload",
        "CaseloadEnded": "A plan leaves a caseload",
        "LegalHoldPlaced": "A legal hold is placed",
        "LegalHoldLifted": "A legal hold is lifted",
        "PolicySet": "The clinic’s policy",
        "ClinicRenamed": "The clinic’s name",
    }
)
"""Entries of the clinic that a form offers, in that order, as one says them."""

AMENDMENTS = Words(
    {
        "EntryCorrected": "Correction",
        "EntryMarkedInError": "An entry is marked in error",
        "AddendumAdded": "Something is added to an entry",
    }
)
"""What is said about an earlier entry of the clinic; it begins at that entry, in the clinic's history."""

DONE = Words(
    {
        "record": "Recorded. It is in force.",
        "propose": "Proposed. It takes effect once it is approved.",
        "approve": "Approved.",
        "decline": "Declined. Whoever proposed it sees why.",
        "withdraw": "Withdrawn.",
    }
)
"""What is said after it is done."""

POLICY: dict[str, tuple[str, str]] = {
    "formal_review_days": (later("A formal review"), later("every {}")),
    "reevaluation_days": (later("A re-evaluation after a relapse"), later("within {}")),
    "safety_review_days": (later("A review of a grave safety concern"), later("within {}")),
    "answer_days": (
        later("An answer to discomfort, mismatch, plateau"),
        later("within {}"),
    ),
    "first_signature_days": (later("The first signature"), later("within {} of opening")),
    "cosignature_days": (later("A co-signature"), later("within {}")),
    "client_agreement_days": (later("The client’s word on what changed"), later("within {}")),
    "emergency_review_days": (later("A review of an emergency access"), later("within {}")),
    "plateau_values": (later("A plateau may be suspected"), later("after {} values")),
    "plateau_days": (later("The values of a plateau span"), later("at least {}")),
    "late_after_hours": (later("An entry counts as late"), later("after {}")),
    "require_if_match": (later("Programs say which version they saw"), "{}"),
    "retention_days": (later("Records are kept"), later("for {}")),
    "two_people": (later("What an admin changes is approved by somebody else"), "{}"),
}
"""The clinic’s policy: what each number is about, and how it is said."""
_SPANS: dict[str, words.Forms] = {
    "days": words.PERIODS["D"],
    "hours": (later("{} hour"), later("{} hours")),
}
ERASURE_ASKED = later("I ask for what the clinic keeps of me to be erased.")
"""What a client says who says nothing else."""


def policy(numbers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The clinic's policy in words: what it is about, and what holds."""
    for name, (about, how) in POLICY.items():
        forms, held = _SPANS.get(name.rpartition("_")[2]), numbers[name]
        said = count_of(held, *forms) if forms else plainly(held)
        yield say(about), say(how).format(said)


def plainly(held: object) -> str:
    """A value as one says it."""
    if isinstance(held, bool):
        return say("yes") if held else say("no")
    if isinstance(held, list | tuple):
        return ", ".join(map(plainly, held))
    return f"{held:,}" if isinstance(held, int) else str(held)
