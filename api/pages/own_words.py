"""What clients read of their own plan: words of their own, in which nobody is a category."""

from __future__ import annotations

from api.pages.language import Words

STATUS = Words({"dropped": "Let go", "achieved": "Reached", "paused": "Resting"})
OWED = Words(
    {
        "formal_review": "We look at the plan together",
        "client_agreement": "What you think of the changes",
        "answer_discomfort": "Your therapist’s answer to what did not feel right",
        "answer_mismatch": "Talking about how we work together",
        "resume_check": "A resting goal, to look at again",
    }
)
TYPES = Words(
    {
        "FeedbackGiven": "What helps, what does not",
        "DiscomfortVoiced": "Something does not feel right",
        "SelfReportRecorded": "How I am doing",
        "PracticeReported": "How the practice went",
        "PlanAgreed": "I agree with my plan",
        "PlanDisagreed": "I see it differently",
        "ClientSignatureDeclined": "I would rather not sign",
    }
)
MARKS = Words(
    {
        "relapse": "When it came back",
        "safety": "When we looked after my safety",
        "life": "What happened in my life",
        "review": "When we looked back together",
        "signature": "What we agreed on",
        "amendment": "What was put right",
        "late": "Written down later",
    }
)
"""The rows of turning points in a replay."""
LEVELS = Words({"baseline": "from", "target": "towards"})
THINGS = Words(
    {
        "goals": "What I work towards",
        "interventions": "What we do",
        "practice": "Between our sessions",
        "discomforts": "What did not feel right",
        "feedback": "What helps",
        "relapses": "It came back",
        "setbacks": "A setback",
        "plateaus": "Standing still for a while",
        "life_events": "What happened",
        "safety_concerns": "Looking after my safety",
        "self_reports": "In my words",
        "insights": "What I saw",
        "rapport": "How we get on",
        "mismatches": "How we work together",
        "skills": "What I can do",
        "celebrations": "We celebrated",
        "look_backs": "Looking back",
        "strengths": "What I am good at",
        "preferences": "What I would like",
        "readiness": "How ready I feel",
        "prior_therapy": "What I knew from before",
        "scores": "How I filled in the questionnaire",
        "disclosures": "What was told to others",
        "emergency_access": "Somebody had to look in",
        "intake": "Why I came",
        "held": "We looked at the plan",
        "scheduled": "We will look at the plan",
    }
)
"""What the parts of their plan are called, where the staff's word would not do."""
ABOVE = Words({"latest": "where I am", "client": "what I think of the plan"})
