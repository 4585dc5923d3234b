"""What the pages say beside their templates: the names of statuses, kinds and fields, in one place.

A translation replaces this module's tables and the templates' sentences; nothing else speaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from service.access.table import CO_SIGNING

LABELS: dict[str, str] = {
    "cbt": "CBT",
    "dbt": "DBT",
    "emdr": "EMDR",
    "phq9": "PHQ-9",
    "gad7": "GAD-7",
    "strengths_based": "Strengths-based",
    "privacy_officer": "Privacy officer",
    "entered_in_error": "Entered in error",
    "safety_review": "Safety review",
    "reevaluation": "Re-evaluation after a relapse",
    "answer_discomfort": "Answer to a discomfort",
    "answer_resistance": "Holding back, to explore",
    "answer_mismatch": "Mismatch, to talk about",
    "answer_plateau": "Plateau, to answer",
    "resume_check": "Paused goal, to look at again",
    "formal_review": "Formal review",
    "first_signature": "First signature",
    "cosignature": "Co-signature",
    "client_agreement": "The client’s agreement",
    "plateau_suspected": "Possible plateau",
    "deep_work": "Deep work",
    "space_to_think": "Space to think",
    "occurred_at": "When it happened",
    "voiced_by": "In whose words",
    "session_id": "Appointment",
    "of_version": "Version of the plan",
    "client_ref": "Client’s reference",
    "client_label": "What we call them",
    "initiated_by": "Who wanted this to begin",
    "presenting_concern": "What brings them here, in their words",
    "hopes": "What they hope for",
    "signs_of_improvement": "What they would notice when it gets better",
    "review_interval_days": "Days between formal reviews",
    "people": "Partner, parents, guardians",
    "ref": "Reference",
    "label": "Name",
    "useful": "Did it help?",
    "words": "The words",
    "about": "What it is about",
}
"""Where the word itself would not do."""

CHAPTERS: dict[str, str] = {
    "goals": "Goals",
    "interventions": "Interventions",
    "course": "What happened",
    "practice": "Between sessions",
    "reviews": "Reviews",
    "signatures": "Agreement and signatures",
    "alliance": "Working together",
    "opening": "Background",
    "consents": "Consents and disclosures",
    "lifecycle": "The plan itself",
    "record": "Putting the record right",
    "emergency": "Emergency access",
}
"""The chapters, in the order in which a session's notes need them."""

MARKS: dict[str, str] = {
    "relapse": "Relapses",
    "safety": "Safety concerns",
    "life": "Life events",
    "review": "Reviews",
    "signature": "Agreement and signatures",
    "amendment": "Corrections and addenda",
    "late": "Recorded late",
}
"""The rows of turning points in a replay."""

FOR_THE_TEAM = CO_SIGNING
"""What a supervisor records in their team's plans: buttons for the rest would lead nowhere."""

OWN_STATUS = {"dropped": "Let go", "achieved": "Reached", "paused": "Resting"}
OWN_OWED = {
    "formal_review": "We look at the plan together",
    "client_agreement": "What you think of the changes",
    "answer_discomfort": "Your therapist’s answer to what did not feel right",
    "answer_mismatch": "Talking about how we work together",
    "resume_check": "A resting goal, to look at again",
}
OWN_TYPES = {
    "FeedbackGiven": "What helps, what does not",
    "DiscomfortVoiced": "Something does not feel right",
    "SelfReportRecorded": "How I am doing",
    "PracticeReported": "How the practice went",
    "PlanAgreed": "I agree with my plan",
    "PlanDisagreed": "I see it differently",
    "ClientSignatureDeclined": "I would rather not sign",
}
"""Clients read of their own plan in words of their own."""

WEIGHTY = frozenset(
    {
        "PlanOpened", "GoalSet", "GoalAchieved", "RelapseNoted", "InterventionSwapped", "ReviewHeld",
        "PlanAgreed", "PlanSigned", "PlanCosigned", "LifeEventNoted", "SafetyConcernNoted",
        "PlanCompleted",
    }
)  # fmt: skip
"""Entries a reader of a story looks for first."""

CLINIC_TYPES: dict[str, str] = {
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
"""Entries of the clinic that a form offers, in that order, as one says them."""

DONE: dict[str, str] = {
    "record": "Recorded. It is in force.",
    "propose": "Proposed. It takes effect once it is approved.",
    "approve": "Approved.",
    "decline": "Declined. Whoever proposed it sees why.",
    "withdraw": "Withdrawn.",
}
"""What is said after it is done."""

POLICY: dict[str, tuple[str, str]] = {
    "formal_review_days": ("A formal review", "every {}"),
    "reevaluation_days": ("A re-evaluation after a relapse", "within {}"),
    "safety_review_days": ("A review of a grave safety concern", "within {}"),
    "answer_days": ("An answer to a discomfort, a mismatch, a plateau", "within {}"),
    "first_signature_days": ("The first signature", "within {} of opening"),
    "cosignature_days": ("A co-signature", "within {}"),
    "client_agreement_days": ("The client’s word on what changed", "within {}"),
    "emergency_review_days": ("A review of an emergency access", "within {}"),
    "plateau_values": ("A plateau may be suspected", "after {} values"),
    "plateau_days": ("The values of a plateau span", "at least {}"),
    "late_after_hours": ("An entry counts as late", "after {}"),
    "require_if_match": ("Programs say which version they saw", "{}"),
    "retention_days": ("Records are kept", "for {}"),
    "two_people": ("What an admin changes is approved by somebody else", "{}"),
}
"""The clinic's policy: what each number is about, and how it is said."""

FORMATS: dict[str, str] = {
    "bundle": "Bundle to check (zip)",
    "html": "Page (HTML)",
    "csv": "Table (CSV)",
    "fhir": "FHIR R4 (JSON)",
}
"""What a plan can be taken along as."""

PROBLEMS: dict[int, tuple[str, str]] = {
    400: ("That address does not work", "Something in it is not as it should be; go back and try again."),
    404: ("There is nothing here", "The page may have moved, or the address has a slip in it."),
    405: ("That address does not work", "Go back and use the form on the page."),
    413: ("That is too much at once", "Record fewer entries at a time."),
    500: ("Something went wrong on our side", "Nothing you had recorded is lost. Try again in a moment."),
}  # fmt: skip
NOT_FOR_YOUR_ROLE = "This page is not part of your role here. Your administrator can tell you more."


def policy(numbers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The clinic's policy in words: what it is about, and what holds."""
    for name, (about, how) in POLICY.items():
        unit = name.rpartition("_")[2].removesuffix("s")
        held = numbers[name]
        said = plural(held, unit) if unit in ("day", "hour") else plainly(held)
        yield about, how.format(said)


def plainly(held: object) -> str:
    """A value as one says it."""
    if isinstance(held, bool):
        return "yes" if held else "no"
    if isinstance(held, list | tuple):
        return ", ".join(map(plainly, held))
    return f"{held:,}" if isinstance(held, int) else str(held)


def label(word: object) -> str:
    """A word of the vocabulary as people write it."""
    text = str(word)
    if text in LABELS:
        return LABELS[text]
    plain = text.replace("_", " ").strip()
    return plain[:1].upper() + plain[1:]


def type_name(name: str) -> str:
    """An entry type as people say it: ``GoalSet`` → Goal set."""
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
    return spaced[:1].upper() + spaced[1:]


def type_for(role: str, name: str) -> str:
    """An entry type as somebody of that role says it."""
    return OWN_TYPES.get(name, type_name(name)) if role == "client" else type_name(name)


def number(value: float | None) -> str:
    """A number without needless decimals."""
    return "–" if value is None else f"{value:.6g}"


def due(due_on: str | None, today: str) -> str:
    """When something is due, as one says it today."""
    if due_on is None:
        return "No fixed day"
    days = (date.fromisoformat(due_on) - date.fromisoformat(today)).days
    if days < 0:
        return f"{_days(-days)} overdue"
    if days == 0:
        return "Due today"
    return "Due tomorrow" if days == 1 else f"Due in {_days(days)}"


def _days(days: int) -> str:
    if days < 14:
        return "1 day" if days == 1 else f"{days} days"
    return f"{days // 7} weeks" if days < 70 else f"{days // 30} months"


def plural(count: int, one: str, many: str | None = None) -> str:
    """``3 goals``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
