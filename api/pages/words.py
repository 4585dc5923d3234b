"""What the pages say beside their templates: the names of statuses, kinds and fields, in one place.

A translation replaces this module's tables and the templates' sentences; nothing else speaks.
"""

from __future__ import annotations

from datetime import date

from api.pages import own_words
from api.pages.language import Words, count_of, later, say
from service.access.table import CO_SIGNING

LABELS = Words(
    {
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
)
"""Where the word itself would not do."""

CHAPTERS = Words(
    {
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
)
"""The chapters, in the order in which a session's notes need them."""

MARKS = Words(
    {
        "relapse": "Relapses",
        "safety": "Safety concerns",
        "life": "Life events",
        "review": "Reviews",
        "signature": "Agreement and signatures",
        "amendment": "Corrections and addenda",
        "late": "Recorded late",
    }
)
"""The rows of turning points in a replay."""
LEVELS = Words({"baseline": "baseline", "target": "target"})
"""What the levels beside a measure are called."""

THINGS = Words(
    {
        "goals": "Goal",
        "interventions": "Intervention",
        "concerns": "Concern",
        "context": "Context",
        "practice": "Practice",
        "discomforts": "Discomfort",
        "feedback": "Feedback",
        "relapses": "Relapse",
        "setbacks": "Setback",
        "plateaus": "Plateau",
        "resistances": "Holding back",
        "life_events": "Life event",
        "safety_concerns": "Safety concern",
        "observations": "Observation",
        "self_reports": "In the client’s words",
        "insights": "Insight",
        "rapport": "Rapport",
        "mismatches": "Mismatch",
        "skills": "Skill",
        "celebrations": "Celebrated",
        "look_backs": "Looking back",
        "strengths": "Strength",
        "preferences": "Preference",
        "expectations": "Expectation",
        "readiness": "Readiness",
        "prior_therapy": "Earlier therapy",
        "scores": "Questionnaire",
        "consents": "Consent",
        "disclosures": "Disclosure",
        "orientation": "Orientation",
        "concern_links": "Linked concerns",
        "emergency_access": "Emergency access",
        "people": "Person",
        "intake": "Intake",
        "signed": "Signature",
        "held": "Review held",
        "scheduled": "Review planned",
        "check_ins": "Check-in",
    }
)
"""What the parts of a plan are called, where something in them changed."""
PLAINLY = Words(
    {
        "last_formal_at": "last formal review",
        "next_due_on": "next review",
        "due_on": "until",
        "within": "agreed period",
    }
)
ABOVE = Words({"latest": "latest value", "client": "client’s word"})
"""Fields by a better name; and such as say nothing without what stands above them."""

FOR_THE_TEAM = CO_SIGNING
"""What a supervisor records in their team's plans: buttons for the rest would lead nowhere."""

WEIGHTY = frozenset(
    {
        "PlanOpened", "GoalSet", "GoalAchieved", "RelapseNoted", "InterventionSwapped", "ReviewHeld",
        "PlanAgreed", "PlanSigned", "PlanCosigned", "LifeEventNoted", "SafetyConcernNoted",
        "PlanCompleted",
    }
)  # fmt: skip
"""Entries a reader of a story looks for first."""

ACTIONS = Words(
    {
        "plans.read": "Read the plan",
        "plans.timeline": "Read the timeline",
        "plans.find": "Looked for plans",
        "plans.record": "Recorded",
        "plans.open": "Opened a plan",
        "plans.export": "Took the plan along",
        "plans.disclosures": "Read what was disclosed",
        "fhir.read": "Read it as FHIR",
        "feed.read": "Followed the feed",
        "worklist.read": "Read the worklist",
        "figures.read": "Read the figures",
        "clinic.timeline": "Searched the entries",
        "clinic.history": "Read the clinic’s own history",
        "access-log.read": "Took the access log along",
        "emergency.take": "Took emergency access",
        "emergency.review": "Looked at emergency access",
        "sign-in": "Signed in",
        "clinic.read": "Read how the clinic stands",
        "clinic.record": "Changed the clinic",
        "members.read": "Read who the members are",
        "proposals.read": "Read what is proposed",
        "proposals.make": "Proposed a change",
        "proposals.decide": "Decided on a proposal",
        "proposals.withdraw": "Withdrew a proposal",
        "erasure.ask": "Asked for an erasure",
    }
)
"""What a look was, for people; the log itself keeps the action’s name."""
BECAUSE = Words(
    {
        "caseload": "Treats the client",
        "team": "Supervises the plan",
        "self": "Their own plan",
        "consented": "The client consented",
        "clinic": "By their role",
        "emergency": "Emergency access",
        "erased": "By their role, after an erasure",
    }
)
SEEN = Words({"released": "without working notes", "metadata": "without words"})
"""Why somebody could look, and how much they saw when it was not all."""

FORMATS = Words(
    {
        "bundle": "Bundle to check (zip)",
        "html": "Page (HTML)",
        "csv": "Table (CSV)",
        "fhir": "FHIR R4 (JSON)",
    }
)
"""What a plan can be taken along as."""

PROBLEMS: dict[int, tuple[str, str]] = {
    400: (later("That address does not work"), later("Something in it is not as it should be; go back and try again.")),
    404: (later("There is nothing here"), later("The page may have moved, or the address has a slip in it.")),
    405: (later("That address does not work"), later("Go back and use the form on the page.")),
    413: (later("That is too much at once"), later("Record fewer entries at a time.")),
    500: (
        later("Something went wrong on our side"),
        later("Nothing you had recorded is lost. Try again in a moment."),
    ),
}  # fmt: skip
WHOSE_PLAN = later("Say whose plan it is: the client’s reference, or the plan’s id.")
NO_DAY = later("Write a day such as 2026-03-31.")
NOBODY = later("There is nobody of that id here.")
NO_TYPE = later("There is no such kind of entry.")
NOT_FOR_YOUR_ROLE = later(
    "This page is not part of your role here. Your administrator can tell you more."
)
DATE = later("{day} {month} {year}")
WEEKDAY = later("{weekday}, {day} {month} {year}")
Forms = tuple[str, str]
OVERDUE: dict[str, Forms] = {
    "days": (later("{} day overdue"), later("{} days overdue")),
    "weeks": (later("{} week overdue"), later("{} weeks overdue")),
    "months": (later("{} month overdue"), later("{} months overdue")),
}
DUE_IN: dict[str, Forms] = {
    "days": (later("Due in {} day"), later("Due in {} days")),
    "weeks": (later("Due in {} week"), later("Due in {} weeks")),
    "months": (later("Due in {} month"), later("Due in {} months")),
}
PERIODS: dict[str, Forms] = {
    "D": (later("{} day"), later("{} days")),
    "W": (later("{} week"), later("{} weeks")),
    "M": (later("{} month"), later("{} months")),
    "Y": (later("{} year"), later("{} years")),
}
"""One and many of each."""


def label(word: object) -> str:
    """A word of the vocabulary as people write it."""
    text = str(word)
    if text in LABELS:
        return LABELS[text]
    plain = text.replace("_", " ").strip()
    return say(plain[:1].upper() + plain[1:])


def type_name(name: str) -> str:
    """An entry type as people say it: ``GoalSet`` → Goal set."""
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
    return say(spaced[:1].upper() + spaced[1:])


def type_for(role: str, name: str) -> str:
    """An entry type as somebody of that role says it."""
    return own_words.TYPES.get(name, type_name(name)) if role == "client" else type_name(name)


def number(value: float | None) -> str:
    """A number without needless decimals, thousands apart."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.6g}"


def short_number(value: float) -> str:
    """A number as short as a margin needs it: ``12.5k``."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == 'k' else size):.3g}{letter}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.4g}"


def due(due_on: str | None, today: str) -> str:
    """When something is due, as one says it today."""
    if due_on is None:
        return say("No fixed day")
    days = (date.fromisoformat(due_on) - date.fromisoformat(today)).days
    if days < 0:
        return _of_days(-days, OVERDUE)
    if days < 2:
        return say("Due tomorrow") if days else say("Due today")
    return _of_days(days, DUE_IN)


def _of_days(days: int, forms: dict[str, Forms]) -> str:
    """A span as one says it: from two weeks on in weeks, from ten weeks on in months."""
    unit, length = ("days", 1) if days < 14 else ("weeks", 7) if days < 70 else ("months", 30)
    return count_of(days // length, *forms[unit])


def spoken(day: date) -> str:
    """A day as one writes it."""
    return say(DATE).format(day=day.day, month=say(f"{day:%b}"), year=day.year)
