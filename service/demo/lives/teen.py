"""Aspen Kestrel, fifteen: the parents asked for therapy; Aspen has not decided yet."""

from __future__ import annotations

from datetime import timedelta

from domain.goals import GoalDropped
from domain.opening import Person
from domain.signatures import ClientSignatureDeclined
from service.demo import say
from service.demo.people import name_id
from service.demo.script import Draft, Life, Pen

TALKING = name_id("teen", "goal-talking")
MARKS = name_id("teen", "goal-marks")
SCHOOL = name_id("teen", "goal-school")
STAYING_HOME = name_id("teen", "concern-staying-home")
QUARREL = name_id("teen", "concern-quarrel-about-screens")
MOVED = name_id("teen", "life-event-friend-moved")
HOURS = name_id("teen", "objective-two-hours")
ART = name_id("teen", "objective-art-day")
SHEETS = name_id("teen", "intervention-worksheets")
COMIC = name_id("teen", "intervention-comic")
STRONG = name_id("teen", "intervention-strong-sides")
TABLE = name_id("teen", "intervention-family-table")
PAGE = name_id("teen", "practice-page")
SEAT = name_id("teen", "consent-seat")

hazel = Pen("hazel", hour=15.5)
rowan = Pen("rowan", hour=12)
PARENTS = ("Father Kestrel", "Mother Kestrel")

CROSSED_ARMS = (
    hazel.opened(
        say.opening(
            "c-1063",
            "Aspen Kestrel",
            people=(
                Person(ref="c-1063-1", label="Mother Kestrel", relation="mother, guardian"),
                Person(ref="c-1063-2", label="Father Kestrel", relation="father, guardian"),
            ),
            initiated_by="Aspen's parents; Aspen: ‘I was brought.’",
            presenting_concern="Parents: ‘He hardly goes to school and does not speak to us.’ "
            "Aspen: ‘They have a problem with me. I don't.’",
            hopes="Parents: ‘Our boy back.’ Aspen: ‘My door shut.’",
            signs_of_improvement="Aspen, after a while: ‘Supper without a talk about supper.’",
            therapist="hazel",
            supervisor="rowan",
        ),
        say.context("family", "Both parents work shifts; one older sister, moved out last year."),
        say.context("other", "Ninth form; two days a week at school since autumn. Draws all day."),
        say.concern(STAYING_HOME, "Staying home from school", "school", "family").voiced(
            "guardian"
        ),
        say.concern(QUARREL, "Quarrels about the screen and the shut door", "family").voiced(
            "guardian"
        ),
        say.expects(
            "Parents: ‘That you tell us what he says.’",
            "What Aspen says stays in the room, except if life or limb are in danger. All three "
            "heard it, Aspen twice.",
        ).voiced("guardian"),
        say.rapport(2, "Arms crossed, hood up; stayed to the end."),
    ),
    hazel.met(
        7,
        say.orientation(
            "Aspen's own words and drawings first; strong sides before weak ones.",
            narrative=0.6,
            strengths_based=0.4,
        ),
        say.goal(
            TALKING,
            "Find out within a month whether Hazel is somebody to talk to",
            say.counted("Aspen's own mark for the hour", "of 10", 2, 6, per="session"),
            attainable_because="Aspen gives the mark, not Hazel.",
            relevant_because="‘I can still say no afterwards?’ – ‘Yes.’",
            within="P1M",
            priority=1,
        ),
        say.goal(MARKS, "Better marks by the summer", None, owner="family", priority=2).voiced(
            "guardian"
        ),
        say.begun(
            say.technique(
                SHEETS,
                "worksheets about thoughts",
                "cbt",
                TALKING,
                by="hazel",
                limits="Aspen may leave any line empty",
                frequency="one a week",
            )
        ),
        say.measured(TALKING, 2),
    ),
    hazel.wrote(
        8,
        say.disagreed("‘Better marks’ is not mine. Take it out or write their names on it."),
    ),
    hazel.met(
        14,
        say.resistance("the worksheets", "disagreement", "This is school with a sofa.").named(
            "sofa"
        ),
        say.measured(TALKING, 2),
        say.mismatch("pace", "You ask the next thing before I have finished nothing.").named(
            "pace"
        ),
        say.rapport(3, "Hood down for the last ten minutes."),
    ),
    hazel.met(
        21,
        say.explored("sofa", "Sheets are marked, at school. A comic has no marks, only pages."),
        say.discussed("pace", "adjust", "Silence counts as talking. We time it: four minutes."),
        say.swapped(
            SHEETS,
            say.technique(
                COMIC,
                "externalising: the comic of the Grey Blanket",
                "narrative",
                TALKING,
                by="hazel",
                limits="The comic belongs to Aspen; nobody copies it",
                frequency="in every session, one page",
                rationale="The Blanket is what keeps him in bed. It has a face now.",
            ),
        )
        .because(
            "‘School with a sofa.’ Drawing is what he does when he thinks.", "client-preference"
        )
        .after("sofa"),
        say.measured(TALKING, 4),
    ),
    rowan.wrote(
        22,
        say.observed(
            "other",
            "Talked over in supervision: no signature before Aspen's own yes. It is late by the "
            "book and right for him; looked at again every month.",
        ).voiced("supervisor"),
    ),
    hazel.met(
        28,
        Draft(lambda known: ClientSignatureDeclined(of_version=known.version))
        .because("I don't sign things. You can write that down.")
        .voiced("client"),
        say.measured(TALKING, 6),
        say.rapport(6, "Showed page three and waited for the laugh. It came."),
        say.strength("Draws what others cannot say", "The Blanket's face: kind, and very heavy."),
        recorded_after=timedelta(days=5),
    ),
    hazel.met(
        35,
        say.measured(TALKING, 7),
        say.achieved(TALKING, "Aspen: ‘You're okay. For a grown-up with a clipboard.’", 7),
        say.celebrated("A month", "Hazel put the clipboard into the cupboard", TALKING),
    ),
)

GREY_BLANKET = (
    hazel.met(
        42,
        say.review(
            "ad_hoc",
            "Aspen, both parents, and page five on the table. The parents saw the Blanket for the "
            "first time and were quiet.",
            "‘Better marks’ gives way to a goal of Aspen's own",
            "Supper without a talk about supper",
            people=("Aspen Kestrel", *PARENTS, "Hazel Wren"),
            goals_reviewed=(TALKING, MARKS),
        ).named("page five"),
        say.goal(
            SCHOOL,
            "Be at school four days a week, Thursdays with art included",
            say.counted("Days at school", "days", 2, 4),
            attainable_because="Thursdays work already; the art room opens at seven.",
            relevant_because="Then they stop asking.",
            within="P3M",
            concern_ids=(STAYING_HOME,),
            priority=1,
        ),
        Draft(GoalDropped(goal_id=MARKS, replaced_by=SCHOOL))
        .because("It was never Aspen's, and the parents could let it go.", "client-voice")
        .voiced("guardian"),
        say.reframed(
            STAYING_HOME, "A grey blanket that is heaviest at seven in the morning"
        ).because("Aspen's picture says more than ‘staying home’, and blames nobody."),
        say.step(SCHOOL, HOURS, "The first two hours, four days in a row", due=63),
        say.step(SCHOOL, ART, "Every Thursday of a month", due=91),
    ),
    hazel.wrote(
        43,
        say.addendum("page five", "Mother Kestrel rang: supper was about football. She was moved."),
    ),
    hazel.met(
        49,
        say.begun(
            say.technique(
                STRONG,
                "applying strengths: the art room at seven",
                "strengths_based",
                SCHOOL,
                by="hazel",
                frequency="Thursdays",
            )
        ),
        say.measured(SCHOOL, 2),
        say.practise(
            PAGE, "Draw the Blanket at seven: how heavy today?", "each school day", SCHOOL
        ),
    ),
    hazel.met(
        56,
        say.measured(SCHOOL, 3),
        say.practised(PAGE, "partly", count=3, difficulty=4),
        say.life_event(
            MOVED,
            "His only friend has moved away; the news came by message.",
            SCHOOL,
            kind="relationship",
            impact="high",
        ),
        say.goal_paused(SCHOOL, because_of=MOVED, check=70).because(
            "Two weeks without counting days; he is sad, and that is work enough.", "life-event"
        ),
        say.focus("grief", "practical").because("A friend is gone; that comes before timetables."),
    ),
    hazel.met(
        70,
        say.goal_resumed(SCHOOL),
        say.report("Page nine is for Reed. I sent it. He answered with a page.", 6),
        say.measured(SCHOOL, 3).named("holiday"),
    ),
    hazel.wrote(
        71,
        say.in_error("holiday").because(
            "It was a week with a bridge day; nothing to count.", "slip"
        ),
    ),
    hazel.met(
        77,
        say.relapse(
            "A whole week in bed, door shut, no drawing",
            "moderate",
            onset=73,
            goal_ids=(SCHOOL,),
            concern_ids=(STAYING_HOME,),
            triggers=("somebody else on Reed's seat", "a test handed back before the class"),
        ).named("bed"),
        say.measured(SCHOOL, 0),
    ),
    hazel.met(
        82,
        say.review(
            "relapse",
            "Half an hour at his bedroom door, with his leave. The Blanket had got a friend named "
            "Seat. Aspen drew it under the door and passed it out.",
            "Art room first, classroom second",
            "A seat by the window; Hazel asks the form teacher",
            people=("Aspen Kestrel", "Mother Kestrel", "Hazel Wren"),
            goals_reviewed=(SCHOOL,),
            answers=("bed",),
        ),
        say.consented(
            SEAT, "That Aspen asks for a seat by the window. Not why.", "the form teacher", until=98
        ),
    ),
    hazel.wrote(
        83,
        say.disclosed(
            "the form teacher",
            "That Aspen asks for a seat by the window",
            "a seat from which the empty one is not in view",
            "Aspen's consent; his mother stood in the door and nodded",
        ),
    ),
    hazel.met(
        84,
        say.measured(SCHOOL, 1).named("one day"),
        say.eased(MOVED, "Pages go back and forth; Reed comes in the summer."),
    ),
    hazel.wrote(
        85,
        say.corrected("one day", value=2).because(
            "The form teacher counted the afternoon in the art room.", "more-exact"
        ),
    ),
)

OWN_DOOR = (
    hazel.met(
        91,
        say.measured(SCHOOL, 3),
        say.step_made(HOURS, "Four mornings. On the fourth he stayed by mistake."),
        say.taken_back(SEAT).because("I've got the seat. They can stop talking about me now."),
        say.begun(
            say.technique(
                TABLE,
                "interpersonal effectiveness: the family table",
                "dbt",
                SCHOOL,
                by="hazel",
                limits="Aspen may leave the table at any time",
                frequency="every other week",
                format="family",
            )
        ),
    ),
    hazel.met(
        98,
        say.measured(SCHOOL, 3),
        say.insight("The Blanket isn't against me. It's just a bad alarm clock.", SCHOOL),
        say.skill(
            "saying no kindly", "‘Not now, Dad. After the page.’ And he did, after the page."
        ),
    ),
    hazel.met(
        105,
        say.discomfort(TABLE, "They talked about me like I was a chair. With me on it.", 8).named(
            "chair"
        ),
        say.measured(SCHOOL, 3),
        say.setback("Left the family table after ten minutes.", "He had said that he might."),
    ),
    hazel.met(
        112,
        say.measured(SCHOOL, 4),
        say.feedback("the comic", "yes", "It's the only thing here that isn't weird."),
    ),
    hazel.met(
        119,
        say.step_made(ART, "Four Thursdays; his comic hangs in the art room."),
        say.measured(SCHOOL, 4),
        say.rapport(8, "Asked Hazel what she draws like. Badly, as it turned out."),
    ),
    hazel.met(
        126,
        say.ready("saying yes to the plan", 7, "‘Read it to me again next week. Slowly.’"),
        say.measured(SCHOOL, 4),
        say.progress(SCHOOL, "improving", "Three weeks at four days; went once on a Monday"),
    ),
)

LIFE = Life(
    key="teen",
    weeks=19,
    weekday=3,
    sessions=(*CROSSED_ARMS, *GREY_BLANKET, *OWN_DOOR),
)
