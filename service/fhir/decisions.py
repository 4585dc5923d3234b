"""What becomes of every type of entry in FHIR: declared here, once.

A new type of entry gets one line in its chapter's table; most are told by ``said``. A test fails for a type
without one, and docs/fhir.md is written from these tables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from domain.entry import Entry
from service.fhir import course, goals, interventions, work
from service.fhir.chart import Chart
from service.fhir.observations import life_event, raised, said
from service.fhir.terms import Resource

Build = Callable[[Chart, Entry], Resource | None]


@dataclass(frozen=True)
class Decision:
    """What becomes of a type of entry: the resources it makes, and in words what it changes."""

    words: str
    makes: tuple[tuple[str, Build], ...] = ()


def _makes(kind: str, build: Build, words: str = "") -> Decision:
    return Decision(words, ((kind, build),))


def _observed(build: Build, words: str = "") -> Decision:
    return _makes("Observation", build, words)


OPENING = {
    "PlanOpened": Decision(
        "begins the CarePlan, which `replaces` the plan it names; its client is the Patient, its intake the "
        "description and notes"
    ),
    "ContextCaptured": _observed(said("Context", "summary", category="social-history")),
    "ConcernIdentified": _makes("Condition", course.concern, "clinicalStatus active"),
    "ConcernReframed": Decision("changes the Condition’s code and verificationStatus"),
    "ConcernsLinked": Decision("changes both Conditions: evidence and a note"),
    "ConcernResolved": Decision("changes the Condition: clinicalStatus resolved, abatement"),
    "PreferenceVoiced": _observed(
        said("Preference", "text", category="social-history"), "and the CarePlan’s note while it is current"
    ),
    "PriorTherapyNoted": _observed(said("Earlier therapy", "", category="social-history")),
    "StrengthIdentified": _observed(said("Strength", "text")),
    "ExpectationDiscussed": _observed(said("Expectation", "agreed_understanding")),
    "ReadinessAssessed": _observed(said("Readiness, 0 to 10", "note", number="level")),
    "OrientationAdopted": Decision("changes the CarePlan’s note on orientation"),
}  # fmt: skip
GOALS = {
    "GoalSet": Decision(
        "lifecycleStatus active; a baseline in `addresses`",
        (("Goal", goals.goal), ("Observation", goals.baseline)),
    ),
    "GoalRevised": Decision("changes the Goal"),
    "GoalReprioritised": Decision("changes the Goals’ priority"),
    "ObjectiveAdded": Decision("adds a target to the Goal"),
    "ObjectiveMet": Decision("adds a note to the Goal"),
    "MeasureRecorded": _observed(goals.measured, "in the Goal’s outcomeReference; PHQ-9 and GAD-7 with LOINC codes"),
    "ProgressNoted": Decision("changes the Goal’s achievementStatus and a note"),
    "GoalPaused": Decision("changes the Goal: lifecycleStatus on-hold"),
    "GoalResumed": Decision("changes the Goal: lifecycleStatus active"),
    "GoalAchieved": Decision("changes the Goal: lifecycleStatus completed, achievementStatus achieved"),
    "GoalSustained": Decision("changes the Goal: achievementStatus sustaining"),
    "GoalRegressed": Decision("changes the Goal: lifecycleStatus active again"),
    "GoalDropped": Decision("changes the Goal: lifecycleStatus cancelled"),
}  # fmt: skip
INTERVENTIONS = {
    "InterventionAgreed": _makes("ServiceRequest", interventions.service_request, "intent plan, in CarePlan.activity"),
    "InterventionDeclined": _makes("Communication", interventions.declined),
    "InterventionAdjusted": Decision("changes the ServiceRequest"),
    "InterventionSwapped": _makes(
        "ServiceRequest", interventions.service_request, "`replaces` the old one, which is revoked"
    ),
    "InterventionPaused": Decision("changes the ServiceRequest: status on-hold"),
    "InterventionResumed": Decision("changes the ServiceRequest: status active"),
    "InterventionEnded": Decision("changes the ServiceRequest: status completed"),
    "DiscomfortVoiced": _makes("Communication", interventions.discomfort, "about the ServiceRequest"),
    "DiscomfortAnswered": _makes("Communication", interventions.discomfort_answer, "inResponseTo the discomfort"),
    "FeedbackGiven": _makes("Communication", interventions.feedback),
}  # fmt: skip
COURSE = {
    "RelapseNoted": Decision(
        "clinicalStatus relapse; the Flag is active until it is re-evaluated, its Goals’ achievementStatus worsening",
        (("Condition", course.relapse), ("Flag", course.relapse_flag)),
    ),
    "SetbackNoted": _observed(said("Setback", "what")),
    "PlateauNoted": _observed(raised("Plateau", "window", "plateaus", goals="goal_id")),
    "PlateauAnswered": Decision("adds a note to the plateau’s Observation"),
    "ResistanceNoted": _observed(raised("Holding back", "words", "resistances")),
    "ResistanceExplored": Decision("adds a note to that Observation"),
    "LifeEventNoted": _observed(life_event, "effectivePeriod from then on"),
    "LifeEventEased": Decision("ends the Observation’s effectivePeriod"),
    "FocusShifted": Decision("changes the CarePlan’s note on focus"),
    "SafetyConcernNoted": Decision(
        "the Flag is active until it is resolved",
        (("Flag", course.safety_flag), ("Observation", raised("Safety concern", "concern", "safety_concerns"))),
    ),
    "SafetyConcernResolved": Decision("changes the Flag: status inactive; a note in the Observation"),
    "ObservationRecorded": _observed(said("Observation", "text")),
    "SelfReportRecorded": _observed(said("In the client’s own words", "text", category="survey")),
    "InsightShared": _observed(said("Insight", "text", goals="goal_ids")),
}  # fmt: skip
ALLIANCE = {
    "RapportNoted": _observed(said("Rapport, 0 to 10", "basis", number="rating")),
    "MismatchRaised": _makes("Communication", interventions.mismatch),
    "MismatchDiscussed": _makes("Communication", interventions.mismatch_talk, "inResponseTo the one that raised it"),
    "TherapistTransferred": Decision("changes the CarePlan’s author"),
    "SupervisorAssigned": Decision("changes the CarePlan’s contributor"),
}  # fmt: skip
PRACTICE = {
    "PracticeAssigned": _makes("Task", work.practice, "owned by the Patient"),
    "PracticeReported": Decision("changes the Task: status, and a note"),
    "SkillDemonstrated": _observed(said("Skill", "skill")),
    "ProgressCelebrated": _observed(said("Celebrated", "what", goals="goal_ids")),
    "LookBackHeld": _makes("ClinicalImpression", work.look_back),
}
REVIEWS = {
    "ReviewScheduled": _makes("Task", work.planned_review, "status requested"),
    "ReviewHeld": _makes(
        "ClinicalImpression", work.review, "supportingInfo: the version reviewed; completes its Task, ends its Flags"
    ),
    "CheckInHeld": _makes("ClinicalImpression", work.check_in),
}  # fmt: skip
SIGNATURES = {
    "PlanAgreed": Decision("the CarePlan is no draft any more; a consent signature in the Provenance"),
    "PlanDisagreed": _makes("Communication", interventions.disagreement, "about that version of the CarePlan"),
    "ClientSignatureDeclined": Decision("Provenance with its reason alone"),
    "PlanSigned": Decision("the CarePlan is no draft any more; an author’s or review signature in the Provenance"),
    "PlanCosigned": Decision("a verification signature in the Provenance"),
    "PlanReturned": Decision("Provenance alone, with what to change as its reason"),
}  # fmt: skip
CONSENTS = {
    "ConsentRecorded": _makes("Consent", interventions.consent, "status active"),
    "ConsentRevoked": Decision("changes the Consent: status inactive"),
    "DisclosureMade": _makes("Communication", interventions.disclosure),
}
EMERGENCY = {
    "EmergencyAccessTaken": Decision(
        "Provenance alone; what was looked at meanwhile: the AuditEvents"
    ),
    "EmergencyAccessReviewed": Decision("Provenance alone"),
}
LIFECYCLE = {
    "PlanPaused": Decision("changes the CarePlan: status on-hold"),
    "PlanResumed": Decision("changes the CarePlan: status active"),
    "PlanCompleted": Decision("changes the CarePlan: status completed"),
    "PlanDiscontinued": Decision("changes the CarePlan: status revoked"),
    "PlanReopened": Decision("changes the CarePlan: status active or draft"),
    "PlanSuperseded": Decision(
        "changes the CarePlan: status revoked; supportingInfo names its successor"
    ),
}
RECORD = {
    "AddendumAdded": Decision("adds a note to the CarePlan, dated"),
    "EntryCorrected": Decision("changes what the entry made; an Observation’s status is corrected"),
    "EntryMarkedInError": Decision(
        "what the entry made is entered-in-error; Provenance activity NULLIFY"
    ),
}
CLINIC = {
    "ClinicFounded": Decision("none: the clinic is no resource"),
    "ClinicRenamed": Decision("none"),
    "MemberJoined": Decision("the Practitioner"),
    "MemberRoleChanged": Decision("changes the Practitioner’s qualification"),
    "MemberLeft": Decision("changes the Practitioner: not active"),
    "SupervisionAssigned": Decision("none: supervision is of the clinic, a plan’s supervisor is in its CarePlan"),
    "SupervisionEnded": Decision("none"),
    "CaseloadAssigned": Decision("none"),
    "CaseloadEnded": Decision("none"),
    "PolicySet": Decision("none"),
    "LegalHoldPlaced": Decision("none"),
    "LegalHoldLifted": Decision("none"),
    "ClientErased": Decision("none: what was erased is no resource any more"),
    "ChangeProposed": Decision("none: a proposal is no fact yet; what comes of it is an entry of its own"),
    "ProposalApproved": Decision("none; what it brings about has its own decision"),
    "ProposalDeclined": Decision("none"),
    "ProposalWithdrawn": Decision("none"),
}  # fmt: skip

CHAPTERS: dict[str, dict[str, Decision]] = {
    "Opening": OPENING,
    "Goals": GOALS,
    "Interventions": INTERVENTIONS,
    "Course": COURSE,
    "Alliance": ALLIANCE,
    "Practice": PRACTICE,
    "Reviews": REVIEWS,
    "Signatures": SIGNATURES,
    "Consents": CONSENTS,
    "Emergency": EMERGENCY,
    "Lifecycle": LIFECYCLE,
    "Record": RECORD,
    "Clinic": CLINIC,
}
DECISIONS: dict[str, Decision] = {
    name: held for chapter in CHAPTERS.values() for name, held in chapter.items()
}
MAKERS: dict[str, frozenset[str]] = {
    kind: frozenset(name for name, held in DECISIONS.items() if kind in dict(held.makes))
    for kind in sorted({kind for held in DECISIONS.values() for kind, _ in held.makes})
}
"""Type of resource → the types of entry that make it."""
