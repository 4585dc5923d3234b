"""Ivy Swift: five other ways through a hard hour, found within three months."""

from __future__ import annotations

from datetime import timedelta

from service.demo import say
from service.demo.people import name_id
from service.demo.script import Life, Pen

WAYS = name_id("self-harm", "goal-five-ways")
URGES = name_id("self-harm", "goal-urges")
EARLY = name_id("self-harm", "goal-ring-early")
HURTING = name_id("self-harm", "concern-hurting-myself")
EMPTY = name_id("self-harm", "concern-emptiness")
EXAMS = name_id("self-harm", "life-event-exams")
COLD = name_id("self-harm", "objective-cold-water")
WALK = name_id("self-harm", "objective-walk")
DRUM = name_id("self-harm", "objective-drumming")
BARS = name_id("self-harm", "objective-four-bars")
RING = name_id("self-harm", "objective-ring")
TOLERANCE = name_id("self-harm", "intervention-distress-tolerance")
PHONE = name_id("self-harm", "intervention-phone-coaching")
BODY_SCAN = name_id("self-harm", "intervention-body-scan")
WALKING = name_id("self-harm", "intervention-mindful-walking")
GROUP = name_id("self-harm", "intervention-skills-group")
CARD = name_id("self-harm", "practice-card")
HALF_YEAR = name_id("self-harm", "review-half-year")

hazel = Pen("hazel", hour=14)
rowan = Pen("rowan", hour=12)
tablet = Pen("tablet", hour=13.75)

A_CARD = (
    hazel.opened(
        say.opening(
            "c-1055",
            "Ivy Swift",
            initiated_by="Ivy, on the advice of a flatmate",
            presenting_concern="When it gets too loud inside I hurt myself. It works, that is the "
            "trouble. I would like something else that works.",
            hopes="To have a choice at two in the morning.",
            signs_of_improvement="Short sleeves in July without thinking about it.",
            therapist="hazel",
            supervisor="rowan",
            review_interval_days=182,
        ),
        say.context("living", "Shares a flat with two friends; second year of a music degree."),
        say.context("family", "Speaks with her grandmother every Sunday; parents live abroad."),
        say.concern(
            HURTING, "Hurting myself when feelings get too strong", "health", certainty="settled"
        ),
        say.concern(EMPTY, "A flat, empty feeling after parties and visits", "relationships"),
        say.prefers("words", "Please say what it is. Whispering makes it bigger."),
        say.safety(
            "Urges on most evenings; wish to live clearly spoken, no plan to die.",
            "medium",
            "Safety plan written together: people to ring, the night line, things out of reach. "
            "Ivy keeps it on her phone.",
        ).named("evenings"),
    ),
    tablet.wrote(7, say.scored("phq9", 17)),
    hazel.met(
        7,
        say.orientation(
            "Skills for strong feelings first; what Ivy can already do carries the rest.",
            dbt=0.8,
            strengths_based=0.2,
        ),
        say.goal(
            WAYS,
            "Five other ways through a hard hour, tried and trusted, in three months",
            say.counted("Ways that have worked at least twice", "ways", 0, 5, per=None),
            attainable_because="Ivy has found one already: cold water on the wrists.",
            relevant_because="Something else that works.",
            within="P3M",
            concern_ids=(HURTING,),
            priority=1,
        ),
        say.goal(
            URGES,
            "Fewer evenings with a strong urge",
            say.counted("Evenings with an urge of 7 or more", "evenings", 5, 1),
            within="P6M",
            concern_ids=(HURTING, EMPTY),
            priority=2,
        ),
        say.begun(
            say.technique(
                TOLERANCE,
                "distress tolerance",
                "dbt",
                WAYS,
                by="hazel",
                frequency="in every session; the card at home",
            )
        ),
        say.step(WAYS, COLD, "Cold water", due=21),
        say.step(WAYS, WALK, "Once round the block, with a flatmate", due=42),
        say.practise(CARD, "Write the card for a hard hour and keep it at hand", "once", WAYS),
    ),
    hazel.wrote(9, say.signed().named("first signature")),
    rowan.wrote(
        11,
        say.returned(
            "first signature",
            "Well seen and warmly written. Please name what happens between sessions: whom may Ivy "
            "ring, when, and what is that call for?",
        ),
    ),
    hazel.met(
        14,
        say.begun(
            say.technique(
                PHONE,
                "phone coaching",
                "dbt",
                WAYS,
                URGES,
                by="hazel",
                limits="Ten minutes, until 21:00; after that the night line",
                frequency="when an urge passes 7, before acting on it",
                format="phone",
            )
        ).after("first signature"),
        say.practised(CARD, "yes", difficulty=2),
    ),
    hazel.wrote(15, say.signed().named("second signature")),
    rowan.wrote(16, say.cosigned("second signature")),
    hazel.met(
        21,
        say.agreed("It is my card with a plan around it. Yes."),
        say.measured(URGES, 4),
        say.measured(WAYS, 1, by="therapist"),
        say.step_made(COLD, "‘Colder than my head.’"),
    ),
    hazel.met(
        28,
        say.measured(URGES, 4),
        say.begun(
            say.technique(
                BODY_SCAN,
                "mindfulness: body scan",
                "dbt",
                URGES,
                by="hazel",
                frequency="three evenings a week",
                format="self_guided",
            )
        ),
    ),
    hazel.met(
        35,
        say.discomfort(
            BODY_SCAN, "Lying still and feeling my body is the last thing that helps me.", 9
        ).named("lying still"),
    ),
    hazel.met(
        35,
        say.answered(
            "lying still",
            "swapped",
            "Thanked Ivy for saying it on the first evening and not on the tenth. Attention can "
            "walk, too.",
        ),
        say.swapped(
            BODY_SCAN,
            say.technique(
                WALKING,
                "mindfulness: walking with the sound on",
                "dbt",
                URGES,
                by="hazel",
                frequency="three evenings a week",
                format="self_guided",
                rationale="Ivy listens for a living; so she listens to the street.",
            ),
        )
        .because("The body scan brought Ivy closer to the urge.", "client-comfort")
        .after("lying still"),
        say.measured(URGES, 4),
    ),
)

WAYS_FOUND = (
    hazel.met(
        42,
        say.measured(URGES, 3),
        say.step_made(WALK, "With Bryony from next door; they talked about bread."),
        say.measured(WAYS, 2, by="therapist"),
    ),
    hazel.met(
        49,
        say.measured(URGES, 3).named("from memory"),
        say.safe_again("evenings", "Safety plan used twice as written; both nights went well."),
    ),
    hazel.wrote(
        50,
        say.corrected("from memory", value=2).because(
            "Ivy sent the diary card in the evening: two, not three.", "more-exact"
        ),
    ),
    hazel.met(
        56,
        say.begun(
            say.technique(
                GROUP,
                "skills group",
                "dbt",
                WAYS,
                by="hazel",
                frequency="weekly, twelve evenings",
                format="group",
            )
        ),
        say.step(WAYS, DRUM, "Drumming on cushions", due=77),
        say.step(WAYS, BARS, "Writing the feeling down as four bars of music", due=91),
        say.measured(URGES, 2),
    ),
    hazel.wrote(57, say.signed().named("third signature")),
    rowan.wrote(60, say.cosigned("third signature")),
    hazel.met(
        63,
        say.agreed("The group is on probation. The rest: yes."),
        say.step_made(DRUM, "The neighbours have been told; they like the rhythm."),
        say.measured(WAYS, 3, by="therapist"),
        recorded_after=timedelta(days=3),
    ),
    tablet.wrote(70, say.scored("phq9", 12)),
    hazel.met(
        70,
        say.measured(URGES, 2),
        say.feedback("the skills group", "somewhat", "Good skills. Bad chairs. I will stay."),
    ),
    hazel.met(
        77,
        say.life_event(
            EXAMS,
            "Examination concert in three weeks; practising until midnight.",
            URGES,
            kind="other",
            impact="medium",
        ),
        say.goal_paused(URGES, because_of=EXAMS, check=105).because(
            "No counting during the exam weeks; the ways stay in use.", "life-event"
        ),
        say.focus("skills", "coping").because("Three weeks to get through; then we go on."),
    ),
)

CONCERT = (
    hazel.met(
        84,
        say.relapse(
            "Hurt herself again after a rehearsal, for the first time in seven weeks",
            "moderate",
            onset=83,
            goal_ids=(WAYS, URGES),
            concern_ids=(HURTING,),
            triggers=("a remark in front of the ensemble", "no supper, four hours of sleep"),
            indicators="Card left at home; phone off since noon.",
        ).named("rehearsal"),
    ),
    hazel.met(
        84,
        say.safety(
            "Strong urges since the night before; Ivy is not sure about tonight.",
            "high",
            "Rang Rowan from the session. Bryony stays over; things put out of reach; Ivy rings at "
            "20:00 and at 8:00. The night line's number is on the door.",
        )
        .named("tonight")
        .after("rehearsal"),
    ),
    hazel.met(
        85,
        say.review(
            "safety",
            "The night went as planned: two calls, one walk, five hours of sleep. The remark had "
            "hit an old place; the card was out of reach when it was needed.",
            "The card goes into the instrument case",
            "Daily call until the concert is over",
            "Ivy chooses whom in the ensemble she tells",
            people=("Ivy Swift", "Bryony", "Hazel Wren", "Rowan Heron"),
            goals_reviewed=(WAYS, URGES),
            answers=("tonight", "rehearsal"),
        ).named("safety review"),
    ),
    rowan.wrote(
        85,
        say.observed("other", "Hazel stayed calm and exact; nothing was missing that evening.")
        .voiced("supervisor")
        .after("safety review"),
        hour=17,
    ),
    hazel.met(91, say.step_made(BARS, "‘Ugly, loud, and mine. Then it was quiet.’")),
    hazel.wrote(
        92,
        say.addendum(
            "safety review",
            "Ivy told the oboist. He now carries a second card for her; it was his idea.",
        ),
    ),
    tablet.wrote(98, say.scored("phq9", 14)),
    hazel.met(
        98,
        say.measured(WAYS, 4, by="therapist"),
        say.celebrated("The concert was played", "Hazel heard the recording, twice", WAYS),
        say.report("Played the slow movement for my grandmother. She was on the phone.", 8),
    ),
    hazel.met(
        105,
        say.eased(EXAMS, "Passed; and slept for a day and a half."),
        say.goal_resumed(URGES),
        say.measured(URGES, 2),
        say.step(WAYS, RING, "Ring somebody before it is a seven", due=119),
    ),
    hazel.wrote(106, say.signed().named("fourth signature")),
    rowan.wrote(109, say.cosigned("fourth signature")),
    hazel.met(
        112,
        say.agreed("Back to counting. I missed my little lines."),
        say.measured(URGES, 2),
        say.measured(WAYS, 6, by="therapist").named("six ways"),
    ),
    hazel.wrote(
        113,
        say.in_error("six ways").because("Counted a way that has worked only once.", "miscounted"),
    ),
    hazel.met(
        119,
        say.step_made(RING, "Rang the oboist at a five. They talked for an hour about reeds."),
        say.measured(WAYS, 5, by="therapist"),
        say.achieved(WAYS, "Five ways, each of which has worked at least twice", 5),
        say.measured(URGES, 1),
    ),
)

CHOICE = (
    hazel.met(
        133,
        say.measured(URGES, 2),
        say.insight("The urge is a wave with a clock in it. It has never lasted an hour.", URGES),
    ),
    hazel.met(
        147,
        say.measured(URGES, 1),
        say.ended(GROUP).because("Twelve evenings are done; Ivy stayed for all of them."),
    ),
    hazel.met(
        161,
        say.measured(URGES, 1),
        say.sustained(WAYS, "All five in use; cold water hardly needed any more"),
        say.planned(HALF_YEAR, "formal", due=182),
    ),
    hazel.met(175, say.measured(URGES, 0, "A week without; first since the diary began")),
    tablet.wrote(182, say.scored("phq9", 8)),
    hazel.met(
        182,
        say.review(
            "formal",
            "Half a year: five ways, one hard night that was held, a concert, and July ahead.",
            "Evenings with an urge: reached, keep an eye on it together",
            "Next: ringing early becomes the rule",
            people=("Ivy Swift", "Hazel Wren", "Rowan Heron"),
            review_id=HALF_YEAR,
            goals_reviewed=(WAYS, URGES),
            next_due=364,
        ),
        say.achieved(URGES, "One evening or none in each of the last five weeks", 0),
        say.goal(
            EARLY,
            "Ring somebody at a five, not at a seven, nine times out of ten",
            say.counted("Calls made at five or below", "of ten", 3, 9, per="ten urges"),
            attainable_because="Three people said: ‘at any hour’.",
            within="P3M",
            concern_ids=(EMPTY,),
            follows_goal_id=URGES,
            priority=1,
        ),
    ),
    hazel.met(189, say.agreed("Yes. Short sleeves are in the drawer, ironed.")),
    hazel.wrote(190, say.signed().named("newest signature")),
)

LIFE = Life(
    key="self_harm",
    weeks=28,
    weekday=0,
    sessions=(*A_CARD, *WAYS_FOUND, *CONCERT, *CHOICE),
)
