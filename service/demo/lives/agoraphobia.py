"""Holly Lark: half an hour in the park, then a friend in the next town."""

from __future__ import annotations

from datetime import timedelta

from domain.goals import GoalRevised
from domain.lifecycle import PlanPaused, PlanResumed, PlanSuperseded
from service.demo import say
from service.demo.people import name_id
from service.demo.script import Draft, Life, Pen

PARK = name_id("agoraphobia", "goal-park")
FRIEND = name_id("agoraphobia", "goal-friend")
LEAVING = name_id("agoraphobia", "concern-leaving-home")
QUEUES = name_id("agoraphobia", "concern-queues")
ANKLE = name_id("agoraphobia", "life-event-ankle")
GATE = name_id("agoraphobia", "objective-gate")
BENCH = name_id("agoraphobia", "objective-bench")
PLATFORM = name_id("agoraphobia", "objective-platform")
THREE_STATIONS = name_id("agoraphobia", "objective-three-stations")
ALONE = name_id("agoraphobia", "intervention-steps-alone")
WITH_DOG = name_id("agoraphobia", "intervention-steps-with-dog")
FORECAST = name_id("agoraphobia", "intervention-forecast")
TRAIN = name_id("agoraphobia", "intervention-train")
DOOR = name_id("agoraphobia", "practice-door")
TIMETABLE = name_id("agoraphobia", "practice-timetable")
HALF_YEAR = name_id("agoraphobia", "review-half-year")

alder = Pen("alder", hour=11)
tablet = Pen("tablet", hour=10.75)

FRONT_DOOR = (
    alder.opened(
        say.opening(
            "c-1007",
            "Holly Lark",
            initiated_by="Holly, with her brother beside her on the phone",
            presenting_concern="My world ends at the letterbox. Anything further and I am sure I "
            "will not get back in time – in time for what, I could not tell you.",
            hopes="To sit under the big lime tree in the park with a book, like anybody.",
            signs_of_improvement="My keys would hang by the door because I use them.",
            therapist="alder",
        ),
        say.context(
            "living",
            "Ground-floor flat with a small yard; groceries are delivered, brother comes weekly.",
            "Has not been past the corner for fourteen months.",
        ).named("living"),
        say.context("relationships", "Oldest friend, Fern, moved to the next town two years ago."),
        say.concern(
            LEAVING,
            "Leaving home alone, and the fear of not getting back",
            "living",
            "friends",
            "health",
            certainty="working",
        ),
        say.earlier_therapy(
            "Talking on the phone: ‘I could pace while I talked.’",
            "Being told to just go. ‘I went, I ran home, I stayed in for a month.’",
        ),
        say.prefers("steps", "No surprises. Every step is announced the week before."),
        say.strength(
            "Patience with slow things", "Grew an avocado from a stone to a tree of two metres."
        ),
    ),
    alder.wrote(
        1,
        say.corrected(
            "living", impact="Has not been past the corner alone for fourteen months."
        ).because("Holly rang: with her brother she did go, twice.", "more-exact"),
    ),
    tablet.wrote(7, say.scored("gad7", 15)),
    alder.met(
        7,
        say.orientation(
            "Graded steps, built on what Holly already does with patience.",
            cbt=0.7,
            strengths_based=0.3,
        ),
        say.goal(
            PARK,
            "Thirty minutes in the park, twice a week, within two months",
            say.counted("Park visits of 30 minutes", "visits", 0, 2),
            attainable_because="The gate is four minutes from the door, and mornings are quiet.",
            relevant_because="The lime tree. That is the whole reason.",
            within="P2M",
            concern_ids=(LEAVING,),
            priority=1,
        ),
        say.step(PARK, GATE, "To the park gate and back", due=28),
        say.step(PARK, BENCH, "Ten minutes on the first bench", due=42),
        say.begun(
            say.technique(
                ALONE,
                "exposure in announced steps, alone",
                "cbt",
                PARK,
                by="alder",
                limits="A step may be repeated as often as Holly likes",
                frequency="three times a week",
            )
        ),
        say.begun(
            say.technique(
                FORECAST,
                "behavioural experiment: the weather forecast",
                "cbt",
                PARK,
                by="alder",
                frequency="before and after each step",
                rationale="Holly predicts the fear from 0 to 10, then notes the weather it was.",
            )
        ),
        say.practise(DOOR, "Stand in the open front door", "five minutes, daily", PARK),
        say.measured(PARK, 0),
    ),
    alder.wrote(8, say.signed()),
    alder.met(
        14,
        say.agreed("Yes, as long as the steps stay announced."),
        say.practised(DOOR, "yes", count=7, difficulty=4),
        say.measured(PARK, 0),
    ),
    alder.met(
        21,
        say.resistance(
            "the way to the gate", "fear", "I put my shoes on three times. Then I took them off."
        ).named("shoes"),
        say.measured(PARK, 0),
    ),
    alder.met(
        28,
        say.explored(
            "shoes",
            "The far end is not the gate but the moment the door falls shut. So the step begins "
            "there: key in hand, door shut, one minute.",
        ),
        say.measured(PARK, 0, "To the gate twice; no half hour yet"),
        say.step_made(GATE, "‘I touched it. It was cold and wet and I was so happy.’"),
    ),
    alder.met(
        35,
        say.measured(PARK, 1),
        say.step_made(BENCH, "Twelve minutes; two pigeons, no catastrophe."),
        say.insight("The forecast said nine. The weather was five. It always says nine.", PARK),
        recorded_after=timedelta(days=5),
    ),
    tablet.wrote(42, say.scored("gad7", 12)),
    alder.met(
        42,
        say.measured(PARK, 1),
        say.celebrated("Half an hour in the park", "A photograph of the lime tree", PARK),
    ),
)

ANKLE_AND_FAIR = (
    alder.wrote(
        43,
        Draft(PlanSuperseded(by_plan_id=name_id("elsewhere", "plan"))).named("wrong file"),
        hour=17.5,
    ),
    alder.wrote(
        43,
        say.in_error("wrong file").because(
            "Meant for the plan that was open in the next window; Holly's plan goes on.",
            "wrong-record",
        ),
        hour=17.6,
    ),
    alder.met(
        49,
        say.life_event(
            ANKLE,
            "Sprained her ankle on the kitchen step; three weeks on crutches.",
            PARK,
            kind="health",
            impact="medium",
        ),
        Draft(PlanPaused(note="Rest for the ankle; a phone call every week.")),
    ),
    alder.met(
        70,
        Draft(PlanResumed(note="Both feet on the ground, and glad of it.")),
        say.eased(ANKLE, "The ankle holds; the physiotherapist says: walk."),
        Draft(GoalRevised(goal_id=PARK, within="P4M")).because(
            "Three weeks on crutches; the period agreed on is no threat.", "life-event"
        ),
        say.ready("being out again", 5, "‘The corner feels far. Not as far as before.’"),
    ),
    alder.met(
        77,
        say.measured(PARK, 0),
        say.discomfort(
            ALONE, "Alone I only listen to my heart. I am so tired of my heart.", 6
        ).named("tired"),
    ),
    alder.met(
        77,
        say.answered(
            "tired",
            "swapped",
            "The neighbour's old dog needs walks. Holly laughed: ‘He is slower than my fear.’",
        ),
        say.swapped(
            ALONE,
            say.technique(
                WITH_DOG,
                "exposure in announced steps, with the neighbour's dog",
                "cbt",
                PARK,
                by="alder",
                frequency="every other morning",
                rationale="Attention goes to the leash; every second week one walk without him.",
            ),
        )
        .because("Holly wants company that asks nothing.", "client-preference")
        .after("tired"),
    ),
    alder.met(84, say.measured(PARK, 1), say.report("Walked Biscuit. Forgot to be afraid.", 7)),
    alder.met(
        91,
        say.relapse(
            "Did not leave the flat for five days; groceries delivered again",
            "mild",
            onset=86,
            goal_ids=(PARK,),
            concern_ids=(LEAVING,),
            triggers=("the spring fair in the park: music, crowds, no free bench",),
        ).named("fair"),
        say.measured(PARK, 0),
        say.concern(QUEUES, "Crowds and queues, with or without a wall behind her", "friends"),
    ),
    alder.met(
        93,
        say.review(
            "relapse",
            "The fair was a step that nobody had announced. Holly drew the map of that morning and "
            "found where she would turn off next time.",
            "Two walks before eight, when the park belongs to dogs",
            "Fairs and markets become a step of their own, later",
            people=("Holly Lark", "Alder Finch"),
            goals_reviewed=(PARK,),
            answers=("fair",),
        ),
        recorded_after=timedelta(hours=1),
    ),
    alder.met(98, say.measured(PARK, 2), say.progress(PARK, "improving", "Two mornings, one dry")),
)

RAILWAY = (
    tablet.wrote(105, say.scored("gad7", 9)),
    alder.met(
        105,
        say.measured(PARK, 2),
        say.achieved(PARK, "Two visits of half an hour in each of two weeks", 2),
        say.review(
            "ad_hoc",
            "The park is reached. Holly and her brother looked at the map: Fern lives six stations "
            "down the line.",
            "A new goal: Fern's kitchen table",
            "Brother rides along on the first two rides only",
            people=("Holly Lark", "Holly's brother", "Alder Finch"),
            goals_reviewed=(PARK,),
        ).named("the map"),
        say.goal(
            FRIEND,
            "Visit Fern in the next town, going there alone",
            say.counted(
                "Stations ridden alone", "stations", 0, 6, per="ride", method="Longest of the week"
            ),
            attainable_because="A small line, one train an hour, hardly anybody before ten.",
            relevant_because="Fern has a chair for me.",
            within="P3M",
            concern_ids=(LEAVING, QUEUES),
            follows_goal_id=PARK,
            priority=1,
        ),
        say.step(FRIEND, PLATFORM, "Stay on the platform until the train has left", due=112),
        say.step(FRIEND, THREE_STATIONS, "Three stations and back", due=126),
        say.begun(
            say.technique(
                TRAIN,
                "exposure in announced steps, on the train",
                "cbt",
                FRIEND,
                by="alder",
                frequency="twice a week",
            )
        ),
        say.focus("practical", "coping").because("From the fear of going to the way there."),
    ),
    alder.wrote(106, say.signed()),
    alder.met(
        112,
        say.agreed("Six stations. I can count to six."),
        say.step_made(PLATFORM, "Three trains came and went; Holly waved to the third."),
        say.practise(TIMETABLE, "Choose next week's trains and write them down", "weekly", FRIEND),
        say.measured(FRIEND, 1),
    ),
    alder.wrote(
        114,
        say.addendum("the map", "The map hangs on Holly's fridge now, with the stations coloured."),
    ),
    alder.met(
        119,
        say.measured(FRIEND, 2),
        say.practised(TIMETABLE, "yes", count=2, difficulty=5),
        say.sustained(PARK, "Two visits a week, without anybody asking"),
    ),
    alder.met(
        126,
        say.measured(FRIEND, 3),
        say.step_made(THREE_STATIONS, "The bridge over the river is behind her."),
        say.skill("announcing steps to herself", "Planned and rode the third station unprompted."),
    ),
    tablet.wrote(133, say.scored("gad7", 9)),
    alder.met(133, say.measured(FRIEND, 3)),
    alder.met(
        140,
        say.measured(FRIEND, 3),
        say.practised(TIMETABLE, "partly", count=1, difficulty=6, barrier="Rain, and a bad night."),
    ),
    alder.met(
        147,
        say.measured(FRIEND, 2, "Crowded carriage, got off early"),
        say.setback("Got off one station early.", "Full carriages may be a step of their own."),
    ),
    alder.met(
        154,
        say.measured(FRIEND, 3),
        say.planned(HALF_YEAR, "formal", due=182),
        say.feedback("riding with announced steps", "somewhat", "Good as far as the bridge."),
    ),
    alder.met(
        161,
        say.measured(FRIEND, 3),
        say.report("Always the third station. I know every poster there by now.", 5),
    ),
    alder.met(168, say.measured(FRIEND, 3), say.practised(TIMETABLE, "yes", count=2, difficulty=5)),
)

LIFE = Life(
    key="agoraphobia",
    weeks=25,
    weekday=2,
    sessions=(*FRONT_DOOR, *ANKLE_AND_FAIR, *RAILWAY),
)
