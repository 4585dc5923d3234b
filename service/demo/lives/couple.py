"""Cedar and Laurel Dove: “I” statements within six weeks, and finding back to each other."""

from __future__ import annotations

from datetime import timedelta

from domain.goals import GoalReprioritised, GoalRevised
from domain.lifecycle import PlanDiscontinued, PlanReopened
from domain.opening import Person
from service.demo import say
from service.demo.people import name_id
from service.demo.script import Draft, Life, Pen

I_SAY = name_id("couple", "goal-i-statements")
EVENING = name_id("couple", "goal-evening-out")
TABLE = name_id("couple", "goal-kitchen-table")
QUARRELS = name_id("couple", "concern-quarrels")
DISTANCE = name_id("couple", "concern-distance")
FATHER = name_id("couple", "life-event-father")
TURNS = name_id("couple", "intervention-taking-turns")
CHAIRS = name_id("couple", "intervention-changing-chairs")
FOG = name_id("couple", "intervention-fog")
OLD_DAYS = name_id("couple", "intervention-old-days")
TEN_MINUTES = name_id("couple", "practice-ten-minutes")
HALF_YEAR = name_id("couple", "review-half-year")
INSURER = name_id("couple", "consent-insurer")
ALL = ("Laurel Dove", "Cedar Dove", "Alder Finch")

alder = Pen("alder", hour=17)

TEN_MINUTE_TALKS = (
    alder.opened(
        say.opening(
            "c-1019",
            "Cedar and Laurel Dove",
            people=(
                Person(ref="c-1019-1", label="Laurel Dove", relation="partner"),
                Person(ref="c-1019-2", label="Cedar Dove", relation="partner"),
            ),
            initiated_by="Laurel; Cedar came along ‘to hear it, at least’",
            presenting_concern="Every talk becomes a trial. One accuses, one defends, and then we "
            "are quiet for two days.",
            hopes="Laurel: ‘To be heard the first time.’ Cedar: ‘To not be wrong all the time.’",
            signs_of_improvement="We would quarrel about the dishes and mean the dishes.",
            therapist="alder",
        ),
        say.context("relationships", "Together for eleven years, two children of six and eight."),
        say.context(
            "culture",
            "Two mother tongues at home; quarrels happen in the language of whoever starts.",
            "‘You’ sounds harsher in one of them.",
        ),
        say.concern(
            QUARRELS,
            "Talks that turn into accusation and defence",
            "relationship",
            "children",
            certainty="settled",
        ),
        say.concern(DISTANCE, "Living beside each other since the second child", "relationship"),
        say.expects(
            "That you tell us who is right.",
            "Alder sides with neither and with both; we look at the dance, not at the dancers.",
        ),
    ),
    alder.met(
        7,
        say.orientation(
            "Naming the pattern as a third party, and practising other words for it.",
            narrative=0.5,
            dbt=0.3,
            strengths_based=0.2,
        ),
        say.goal(
            I_SAY,
            "Say what hurts beginning with ‘I’, in six weeks most of the time",
            say.counted("‘I’ statements in a ten-minute talk", "statements", 2, 8, per="talk"),
            attainable_because="They do it with the children every day.",
            relevant_because="It is the ‘you’ that starts the trial.",
            within="P6W",
            owner="couple",
            concern_ids=(QUARRELS,),
            priority=1,
        ).named("i goal"),
        say.begun(
            say.technique(
                TURNS,
                "taking turns: speaker and listener",
                "dbt",
                I_SAY,
                by="alder",
                frequency="in every session, ten minutes",
                format="couple",
            )
        ),
        say.practise(TEN_MINUTES, "A ten-minute talk, timer on the table", "twice a week", I_SAY),
        say.measured(I_SAY, 2, by="therapist"),
    ),
    alder.wrote(8, say.signed()),
    alder.met(
        14,
        say.agreed("Laurel: ‘Yes, let us try exactly this.’"),
        say.disagreed("Cedar: ‘It reads as if only I talk wrongly.’", by="partner"),
        say.measured(I_SAY, 3, by="therapist"),
    ),
    alder.met(
        21,
        Draft(
            GoalRevised(
                goal_id=I_SAY,
                statement="Both of us say what hurts beginning with ‘I’, most of the time",
            )
        ).because("Cedar's objection: the pattern has two dancers.", "client-voice"),
        say.agreed("Cedar: ‘Both of us. Then yes.’", by="partner"),
        say.measured(I_SAY, 4, by="therapist"),
        say.practised(TEN_MINUTES, "partly", count=1, barrier="The children had the flu."),
    ),
    alder.met(
        28,
        say.mismatch(
            "fairness",
            "Cedar: ‘When she cries you lean towards her. I see it every time.’",
            by="partner",
        ).named("leaning"),
    ),
    alder.met(
        28,
        say.discussed(
            "leaning",
            "adjust",
            "He is right about the leaning. Chairs are now at equal distance, and either may say "
            "‘lean back’ at any time.",
        ),
        say.measured(I_SAY, 3, by="therapist"),
    ),
    alder.met(
        35,
        say.swapped(
            TURNS,
            say.technique(
                CHAIRS,
                "changing chairs: speak as the other",
                "dbt",
                I_SAY,
                by="alder",
                limits="Not about the parents-in-law",
                format="couple",
                frequency="every other session",
            ),
            decided_with="partner",
        ).because("Taking turns had become reading statements to each other.", "no-longer-useful"),
        say.measured(I_SAY, 5, by="therapist"),
    ),
    alder.met(
        42,
        say.discomfort(CHAIRS, "Cedar: ‘Playing my wife in front of a stranger. No.’", 8)
        .voiced("partner")
        .named("chairs"),
        say.measured(I_SAY, 6, by="therapist"),
    ),
    alder.met(
        49,
        say.answered(
            "chairs",
            "swapped",
            "The chairs were too close to a stage. Cedar proposed a name for what comes between "
            "them: the Fog.",
        ),
        say.swapped(
            CHAIRS,
            say.technique(
                FOG,
                "externalising: the Fog",
                "narrative",
                I_SAY,
                by="alder",
                format="couple",
                frequency="in every session",
                rationale="The Fog is what they stand against together.",
            ),
            decided_with="partner",
        )
        .because("Cedar's words; Laurel liked them at once.", "client-preference")
        .after("chairs"),
        say.measured(I_SAY, 6, by="therapist"),
        say.insight("The Fog comes when both of us are tired. It is hardly ever about dishes."),
    ),
    alder.met(
        56,
        say.measured(I_SAY, 7, by="therapist"),
        say.celebrated("A disagreement about dishes that stayed one", "They told it twice", I_SAY),
    ),
)

STOP_AND_RETURN = (
    alder.met(
        63,
        Draft(PlanDiscontinued(summary="The wind is better; they want to sail alone."))
        .because("We would like to stop for now and see if we can do it alone.", "client-wish")
        .voiced("client"),
        recorded_after=timedelta(days=5),
    ),
    alder.met(
        105,
        Draft(PlanReopened())
        .because("It held for five weeks. Then came the tax papers.", "client-wish")
        .voiced("client"),
        say.measured(I_SAY, 4, by="therapist"),
        say.ready("going on together", 8, "Both of them, each without looking at the other."),
    ),
    alder.wrote(106, say.signed()),
    alder.met(
        112,
        say.agreed("Laurel: ‘We know the Fog by name. Let us go on.’"),
        say.agreed("Cedar: ‘Same words, both of us.’", by="partner"),
        say.goal(
            EVENING,
            "One evening out a week, phones at home",
            say.counted("Evenings out", "evenings", 0, 1),
            attainable_because="Laurel's mother takes the children gladly.",
            within="P3M",
            owner="couple",
            concern_ids=(DISTANCE,),
            priority=2,
        ),
        say.begun(
            say.technique(
                OLD_DAYS,
                "past successes: how we did it then",
                "strengths_based",
                EVENING,
                by="alder",
                format="couple",
                frequency="monthly",
            )
        ),
        say.measured(I_SAY, 5, by="therapist"),
    ),
    alder.met(
        119,
        say.agreed("Both: ‘One evening. The café by the lock.’"),
        say.measured(I_SAY, 6, by="therapist").named("count"),
        say.measured(EVENING, 1),
        say.strength("They can laugh about the Fog", "‘He packed it a sandwich,’ said Laurel."),
    ),
    alder.wrote(
        120,
        say.corrected("count", value=7).because(
            "Recounted from the recording they both had agreed to; one ‘I’ was spoken softly.",
            "miscounted",
        ),
    ),
    alder.met(
        133,
        say.relapse(
            "Three days without a word after a quarrel about a holiday; slept in separate rooms",
            "moderate",
            onset=129,
            goal_ids=(I_SAY,),
            concern_ids=(QUARRELS,),
            triggers=("a holiday booked without asking", "both short of sleep"),
        ).named("silence"),
        say.measured(I_SAY, 3, by="therapist"),
    ),
    alder.met(
        137,
        say.review(
            "relapse",
            "Looked at the three quiet days hour by hour. Both had waited for the other to begin; "
            "both had drafted a sentence with ‘I’.",
            "Whoever notices the Fog first writes one line on the fridge",
            "Holidays are booked at the kitchen table",
            people=ALL,
            goals_reviewed=(I_SAY, EVENING),
            answers=("silence",),
        ).named("the fridge"),
        say.goal(
            TABLE,
            "Decide money and dates together at the kitchen table, every Sunday",
            None,
            owner="couple",
            within="P2M",
            concern_ids=(QUARRELS,),
            priority=3,
        ),
        say.agreed("Laurel and Cedar, in one breath: ‘Sundays, with cake.’"),
    ),
    alder.wrote(
        138,
        say.addendum("the fridge", "Cedar sent a photograph: the first line read ‘I miss you.’"),
    ),
    alder.met(
        147,
        say.measured(I_SAY, 7, by="therapist"),
        say.measured(EVENING, 1),
        say.feedback("the line on the fridge", "yes", "Three words are easier than a talk."),
        say.consented(
            INSURER,
            "Dates and number of sessions; nothing that was said in them",
            "their health insurer",
            until=512,
        ),
    ),
    alder.wrote(
        148,
        say.disclosed(
            "their health insurer",
            "The dates of sixteen sessions",
            "their share of the costs",
            "Consent of both, each with a signature of their own",
        ),
    ),
)

FATHER_ILL = (
    alder.met(
        161,
        say.measured(I_SAY, 8, by="therapist"),
        say.achieved(I_SAY, "Eight of ten sentences, and neither of them was counting", 8),
        say.progress(TABLE, "improving", "Three Sundays, two decisions, one cake"),
        say.planned(HALF_YEAR, "formal", due=182),
    ),
    alder.met(
        168,
        say.life_event(
            FATHER,
            "Laurel's father had a stroke; she drives to the hospital most evenings.",
            EVENING,
            TABLE,
            kind="health",
            impact="high",
        ),
        say.goal_paused(EVENING, because_of=FATHER, check=215).because(
            "No evening is free at present, and nobody should have to keep count.", "life-event"
        ),
        Draft(GoalReprioritised(goal_ids=(TABLE, EVENING)))
        .because("Dates and care have to be settled week by week now.", "life-event")
        .voiced("client"),
        say.focus("coping", "practical").because("First the family has to get through the week."),
        recorded_after=timedelta(days=4),
    ),
    alder.met(
        175,
        say.agreed("Laurel: ‘The café can wait. It will be there.’"),
        say.agreed("Cedar: ‘I drive on Tuesdays and Fridays.’", by="partner"),
        say.report(
            "Held her hand in the hospital lift. We said nothing and it was not Fog.", 5
        ).voiced("partner"),
        say.sustained(I_SAY, "Said ‘I am frightened’ in the corridor, and was heard"),
    ),
    alder.met(
        189,
        say.check_in(
            "The Sunday table carries the week.",
            "Sleep, and time for the two of them.",
            "The Fog has not come, though both are tired. They name it early.",
        ),
        say.measured(EVENING, 0).named("other couple"),
    ),
    alder.wrote(
        190,
        say.in_error("other couple").because(
            "The goal is paused; the count came from a prefilled sheet.", "prefilled"
        ),
    ),
    alder.met(
        203,
        say.observed("strength", "They divide care without a tally, which neither noticed."),
        say.skill("speaking for oneself", "Cedar told his mother-in-law ‘I need an hour.’"),
    ),
)

LIFE = Life(
    key="couple",
    weeks=30,
    weekday=3,
    sessions=(*TEN_MINUTE_TALKS, *STOP_AND_RETURN, *FATHER_ILL),
)
