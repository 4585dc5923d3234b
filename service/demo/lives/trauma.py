"""Oak Plover: flashbacks, from every day to twice a week at most, in four months."""

from __future__ import annotations

from datetime import timedelta

from domain.goals import GoalReprioritised, GoalRevised
from domain.interventions import InterventionDeclined
from domain.opening import ConcernsLinked
from service.demo import say
from service.demo.people import name_id
from service.demo.script import Draft, Life, Pen

FLASHBACKS = name_id("trauma", "goal-flashbacks")
SLEEP = name_id("trauma", "goal-sleep")
RETURNING = name_id("trauma", "concern-returning-images")
NIGHTS = name_id("trauma", "concern-nights")
HEARING = name_id("trauma", "life-event-hearing")
PREPARATION = name_id("trauma", "intervention-preparation")
MEMORIES = name_id("trauma", "intervention-target-memories")
EYES = name_id("trauma", "intervention-eye-movements")
TAPS = name_id("trauma", "intervention-taps")
SHORE = name_id("trauma", "practice-shore")
LIGHTS = name_id("trauma", "practice-lights-out")
HALF_YEAR = name_id("trauma", "review-half-year")
BOTH = ("Oak Plover", "Alder Finch")

alder = Pen("alder", hour=10)
hazel = Pen("hazel", hour=15)
juniper = Pen("juniper", hour=11)
tablet = Pen("tablet", hour=9.75)

SOLID_GROUND = (
    alder.opened(
        say.opening(
            "c-1032",
            "Oak Plover",
            initiated_by="Oak, eight months after a collision on the motorway",
            presenting_concern="Every day, out of nowhere, I am back in the car. I smell it. Then "
            "I am useless for an hour.",
            hopes="That it becomes something that happened, not something that happens.",
            signs_of_improvement="I would hear brakes and go on buttering my bread.",
            therapist="alder",
        ),
        say.context(
            "work", "Signal technician; on desk duty since the accident, misses the tracks."
        ),
        say.context(
            "beliefs",
            "‘A man gets on with it.’ His father's sentence, and for a long time his own.",
            "Asking for help took eight months.",
        ),
        say.concern(
            RETURNING,
            "Images and smells of the accident that return without warning",
            "work",
            "family",
            certainty="settled",
        ),
        say.concern(NIGHTS, "Nights of three or four hours, woken by dreams", "health"),
        say.earlier_therapy(
            None, "One session elsewhere: told it all at once, then three bad weeks."
        ),
        say.prefers("pace", "I want to hold the brake myself."),
        say.strength("Knows how systems are made safe", "Drew our plan as a signal diagram."),
    ),
    tablet.wrote(7, say.scored("phq9", 18)),
    alder.met(
        7,
        say.orientation(
            "Solid ground first, then the memories one by one, at Oak's speed.",
            emdr=0.7,
            narrative=0.3,
        ),
        say.goal(
            FLASHBACKS,
            "From flashbacks every day to at most two a week, in four months",
            say.counted("Days with a flashback", "days", 7, 2, method="A cross in the calendar"),
            attainable_because="They are shorter on days when Oak has slept.",
            relevant_because="I want to go back to the tracks.",
            within="P4M",
            concern_ids=(RETURNING,),
            priority=1,
        ),
        say.begun(
            say.technique(
                PREPARATION,
                "preparation: a safe place, and a stop sign",
                "emdr",
                FLASHBACKS,
                by="alder",
                limits="No memory is touched before Oak says so",
                frequency="in every session",
            )
        ),
        Draft(InterventionDeclined(technique="writing down the accident", orientation="narrative"))
        .because("I told it all once, at a stretch. Not again, not on paper either.")
        .voiced("client"),
        say.practise(SHORE, "Go to the shore (the safe place) for three minutes", "twice a day"),
    ),
    alder.wrote(10, say.signed()),
    alder.met(
        14,
        say.agreed("With the brake in my hand: yes."),
        say.practised(SHORE, "partly", count=6, difficulty=7, barrier="‘The shore had a road.’"),
    ),
    alder.met(
        21,
        say.measured(FLASHBACKS, 6),
        Draft(
            ConcernsLinked(
                concern_ids=(RETURNING, NIGHTS),
                how="A night under four hours is followed by a flashback nine times in ten; a "
                "flashback after dusk is followed by such a night.",
            )
        ),
        say.goal(
            SLEEP,
            "Five nights a week with five hours of sleep or more",
            say.counted("Nights of five hours or more", "nights", 1, 5),
            within="P6M",
            concern_ids=(NIGHTS,),
            priority=2,
        ),
        say.practise(LIGHTS, "Lamp off at eleven, radio on low", "every night", SLEEP),
        say.measured(SLEEP, 1),
    ),
    alder.met(
        28,
        say.agreed("Sleep belongs in there, yes."),
        say.mismatch("pace", "You are so careful that I wonder what you are afraid of.").named(
            "pace"
        ),
        say.measured(FLASHBACKS, 6),
    ),
    alder.met(
        35,
        say.discussed(
            "pace",
            "adjust",
            "The brake is Oak's, and so is the accelerator. We agreed on a sign for each.",
        ),
        say.measured(FLASHBACKS, 6),
    ),
)

MEMORIES_ONE_BY_ONE = (
    alder.met(
        42,
        say.begun(
            say.technique(
                MEMORIES,
                "target memories: the list, in Oak's order",
                "emdr",
                FLASHBACKS,
                by="alder",
                frequency="one memory at a time",
            )
        ),
        say.measured(FLASHBACKS, 5),
        say.ready("the first memory", 7, "‘The horn first. Not the glass.’"),
        recorded_after=timedelta(days=4),
    ),
    alder.met(
        49,
        say.begun(
            say.technique(
                EYES,
                "bilateral stimulation: eye movements",
                "emdr",
                FLASHBACKS,
                by="alder",
                limits="Stop sign at any time; always back to the shore before we end",
                frequency="weekly",
            )
        ),
        say.measured(FLASHBACKS, 6),
        say.agreed("The horn. Let us go."),
    ),
    alder.met(
        56,
        say.discomfort(EYES, "Following the fingers is like watching headlights.", 8).named(
            "headlights"
        ),
        say.measured(FLASHBACKS, 5),
        say.measured(SLEEP, 2),
    ),
    alder.met(
        63,
        say.answered("headlights", "swapped", "Of course it is. Taps on the knees, eyes shut."),
        say.swapped(
            EYES,
            say.technique(
                TAPS,
                "bilateral stimulation: taps",
                "emdr",
                FLASHBACKS,
                by="alder",
                limits="Stop sign at any time; Oak sets the rhythm",
                frequency="weekly",
            ),
        )
        .because("Moving fingers looked like oncoming headlights.", "client-comfort")
        .after("headlights"),
        say.measured(FLASHBACKS, 4),
    ),
    alder.met(
        70,
        say.life_event(
            HEARING,
            "Summons: the court hearing about the accident is in three weeks.",
            FLASHBACKS,
            SLEEP,
            kind="trauma",
            impact="high",
        ),
        say.rested(TAPS).because("No memory work in the weeks before the hearing.", "life-event"),
        say.focus("coping", "deep_work").because("Solid ground for the hearing comes first."),
        Draft(GoalReprioritised(goal_ids=(SLEEP, FLASHBACKS))).because(
            "He needs his nights to get through the hearing.", "life-event"
        ),
        say.measured(FLASHBACKS, 5),
    ),
    alder.met(77, say.measured(SLEEP, 3)),
    hazel.wrote(
        84,
        say.emergency(
            "Oak at the front desk, shaking, a week before the hearing; Alder is on a train. "
            "What helps him when it comes?",
            30,
        ).named("front desk"),
    ),
    juniper.wrote(
        87,
        say.emergency_justified("front desk", "Half an hour, and Alder was told the same day."),
    ),
    alder.met(
        91,
        say.eased(HEARING, "Gave his evidence, sat down, and drank a glass of water."),
        say.taken_up(TAPS),
        say.measured(FLASHBACKS, 4),
        say.celebrated("Spoke in court with a steady voice", "A walk along the tracks"),
    ),
    alder.wrote(94, say.signed()),
    alder.met(
        98,
        say.measured(FLASHBACKS, 3).named("three"),
        say.measured(SLEEP, 3),
        say.insight("The glass has a sound and a picture. They had never been together."),
    ),
    alder.wrote(
        101,
        say.corrected("three", value=4).because(
            "Oak rang: a cross was hidden under a magnet.", "miscounted"
        ),
    ),
    tablet.wrote(105, say.scored("phq9", 12)),
    alder.met(
        105,
        say.relapse(
            "Flashbacks twice a day since Monday, and a night on the kitchen floor",
            "mild",
            onset=101,
            goal_ids=(FLASHBACKS,),
            concern_ids=(RETURNING,),
            triggers=("a film with a crash that nobody had warned him of",),
        ).named("film"),
        say.measured(FLASHBACKS, 6),
    ),
    alder.met(
        108,
        say.review(
            "relapse",
            "The film found a memory that was not on the list: the smell of the airbag. It is on "
            "the list now.",
            "Add the airbag to the memories, third place",
            "Give it six months rather than four",
            people=BOTH,
            goals_reviewed=(FLASHBACKS, SLEEP),
            answers=("film",),
        ).named("airbag"),
        Draft(GoalRevised(goal_id=FLASHBACKS, within="P6M"))
        .because("A memory was missing from the list; the period follows the work.", "more-time")
        .after("film"),
    ),
    alder.met(
        112,
        say.agreed("Six months. No hurry, no parking either."),
        say.measured(FLASHBACKS, 4),
        say.practised(LIGHTS, "yes", count=6, difficulty=3),
    ),
)

SOMETHING_THAT_HAPPENED = (
    alder.met(126, say.measured(FLASHBACKS, 3), say.measured(SLEEP, 3)),
    alder.met(
        140,
        say.measured(FLASHBACKS, 3),
        say.setback(
            "Drove to the sliproad and turned around.",
            "He chose the day himself and drove home himself; the brake works.",
        ),
    ),
    alder.met(
        154,
        say.measured(FLASHBACKS, 2),
        say.measured(SLEEP, 4),
        say.skill("going to the shore", "Three breaths in the canteen, nobody noticed."),
        say.planned(HALF_YEAR, "formal", due=182),
    ),
    alder.met(
        168,
        say.measured(FLASHBACKS, 2),
        say.report("Brakes outside. I looked up, and then at my bread.", 8),
    ),
    alder.met(
        182,
        say.measured(FLASHBACKS, 1),
        say.review(
            "formal",
            "Half a year after ‘every day’: once a week, short, with an end. The nights follow.",
            "Flashbacks: reached",
            "Next: the nights, and the motorway with a colleague at the wheel",
            people=BOTH,
            review_id=HALF_YEAR,
            goals_reviewed=(FLASHBACKS, SLEEP),
            next_due=364,
        ),
        say.achieved(FLASHBACKS, "Two a week or fewer for a month", 1),
        say.ended(MEMORIES).because("Every memory on the list has been visited."),
    ),
    alder.wrote(185, say.signed()),
    alder.met(
        189,
        say.agreed("It happened. That is the right tense now."),
        say.measured(SLEEP, 4),
    ),
    alder.wrote(
        192,
        say.addendum("airbag", "In hindsight the turning point; Oak says so, too."),
    ),
    alder.met(
        196,
        say.sustained(FLASHBACKS, "One in two weeks"),
        say.rapport(5, "Long silences, and the phone on the table.").named("other hour"),
    ),
    alder.wrote(
        196,
        say.in_error("other hour").because(
            "Belongs to the hour before, to another client.", "wrong-record"
        ),
        hour=12,
    ),
    alder.met(
        203,
        say.measured(SLEEP, 5),
        say.rapport(9, "Brought the signal diagram, coloured green."),
        say.feedback("taps", "yes", "Strange for a week. Then like a metronome."),
    ),
    tablet.wrote(217, say.scored("phq9", 13)),
    alder.met(
        217,
        say.relapse(
            "Flashbacks every day this week, the smell first; two nights without sleep",
            "moderate",
            onset=212,
            goal_ids=(FLASHBACKS, SLEEP),
            concern_ids=(RETURNING, NIGHTS),
            triggers=("the second anniversary of the accident", "a letter from the insurance"),
            indicators="He rang before the appointment; the shore works for minutes, not hours.",
        ).named("anniversary"),
        say.measured(FLASHBACKS, 6),
        say.measured(SLEEP, 3),
    ),
)

LIFE = Life(
    key="trauma",
    weeks=32,
    weekday=4,
    sessions=(*SOLID_GROUND, *MEMORIES_ONE_BY_ONE, *SOMETHING_THAT_HAPPENED),
)
