"""Poppy Siskin: three things done, noted every day for six weeks, and a change of therapist."""

from __future__ import annotations

from datetime import timedelta

from domain.alliance import SupervisorAssigned, TherapistTransferred
from domain.lifecycle import PlanPaused, PlanResumed
from service.demo import say
from service.demo.people import member_id, name_id
from service.demo.script import Draft, Life, Pen

THREE = name_id("self-esteem", "goal-three-lines")
SPEAKING = name_id("self-esteem", "goal-speaking-up")
VOICE = name_id("self-esteem", "concern-inner-voice")
INVISIBLE = name_id("self-esteem", "concern-invisible")
NEPHEW = name_id("self-esteem", "life-event-nephew")
ALOUD = name_id("self-esteem", "objective-aloud")
QUESTION = name_id("self-esteem", "objective-one-question")
LETTER = name_id("self-esteem", "intervention-letter")
COMMENTATOR = name_id("self-esteem", "intervention-commentator")
WITNESSES = name_id("self-esteem", "intervention-witnesses")
ROOM = name_id("self-esteem", "intervention-room")
NOTEBOOK = name_id("self-esteem", "practice-notebook")
HALF_YEAR = name_id("self-esteem", "review-half-year")

alder = Pen("alder", hour=15)
hazel = Pen("hazel", hour=15)
rowan = Pen("rowan", hour=12.5)

NOTEBOOK_WEEKS = (
    alder.opened(
        say.opening(
            "c-1046",
            "Poppy Siskin",
            initiated_by="Poppy",
            presenting_concern="There is a voice that comments on everything I do, and it has "
            "never once been pleased.",
            hopes="To do something well and notice it before the evening.",
            signs_of_improvement="I would say ‘thank you’ and not ‘it was nothing’.",
            therapist="alder",
        ),
        say.context(
            "work", "Draughtswoman in a surveyor's office; good, quiet, never at meetings."
        ),
        say.context(
            "family", "Younger sister expects her first child; father was a strict teacher."
        ),
        say.concern(
            VOICE, "An inner voice that belittles what I do", "work", "friends", certainty="working"
        ),
        say.concern(INVISIBLE, "Nobody knows what I think, at work least of all", "work"),
        say.earlier_therapy(
            "A list of strengths: ‘I still have it.’", "Role play in front of others."
        ),
        say.strength("Sees small things exactly", "Noticed that the clock in the room runs slow."),
        say.prefers("homework", "On paper, please, with a pen."),
    ),
    alder.met(
        7,
        say.orientation(
            "The voice has an author and a history; and there is another story already.",
            narrative=0.6,
            strengths_based=0.4,
        ),
        say.goal(
            THREE,
            "Note three accomplishments every day, for six weeks",
            say.counted("Days with three lines in the notebook", "days", 0, 7),
            attainable_because="Two minutes before the light goes out.",
            relevant_because="Notice it before the evening – or at least in the evening.",
            within="P6W",
            concern_ids=(VOICE,),
            priority=1,
        ),
        say.begun(
            say.technique(
                LETTER,
                "positive identity: a letter to the voice",
                "strengths_based",
                THREE,
                by="alder",
                frequency="one page a week",
            )
        ),
        say.practise(NOTEBOOK, "Three things done, however small", "every evening", THREE),
    ),
    alder.wrote(8, say.signed().named("Alder's")),
    alder.met(
        14,
        say.agreed("Three lines. The voice says two would do. So: three."),
        say.measured(THREE, 2),
        say.practised(NOTEBOOK, "partly", count=2, difficulty=7, barrier="‘Is toast a thing?’"),
    ),
    alder.met(21, say.measured(THREE, 4), say.practised(NOTEBOOK, "yes", count=4, difficulty=5)),
    alder.met(
        28,
        say.measured(THREE, 4).named("forgotten page"),
        say.discomfort(LETTER, "Writing to the voice makes it answer. At length.", 6).named(
            "it answers"
        ),
    ),
    alder.wrote(
        29,
        say.corrected("forgotten page", value=5).because(
            "Poppy found a fifth evening on the back of a page.", "miscounted"
        ),
    ),
    alder.met(
        35,
        say.answered("it answers", "swapped", "Then it gets a name, and a seat far from the desk."),
        say.swapped(
            LETTER,
            say.technique(
                COMMENTATOR,
                "externalising: the Commentator",
                "narrative",
                THREE,
                by="alder",
                frequency="in every session",
                rationale="He comments from a box high up, like at a football match.",
            ),
        )
        .because("Letters gave the voice a pen.", "client-comfort")
        .after("it answers"),
        say.measured(THREE, 4),
    ),
    alder.met(
        42,
        say.measured(THREE, 4),
        say.insight("He has my father's chalk. But he has never seen me draw.", THREE),
    ),
    alder.met(
        56,
        say.measured(THREE, 4),
        say.plateau(THREE, "four or five evenings, for five weeks", "therapist").named("four"),
    ),
    alder.met(
        63,
        say.plateau_answered("four", "adjust", "Missing evenings are late ones: noon counts, too."),
        say.adjusted(COMMENTATOR, frequency="in every session, and at noon with the notebook")
        .because("In the measuring season free evenings are few.", "fits-life")
        .after("four"),
        say.measured(THREE, 6),
    ),
)

ANOTHER_THERAPIST = (
    alder.met(
        70,
        say.measured(THREE, 7),
        say.mismatch("time", "Tuesday at three was mine. Mornings I draw.").named("hours"),
        say.focus("space_to_think", "skills").because("A change is coming; it needs room."),
    ),
    alder.met(
        77,
        say.discussed(
            "hours",
            "transfer",
            "Alder's Tuesdays move to the morning, Poppy's work does not. Hazel was in the room "
            "for the last half hour; Poppy asked her three questions and nodded twice.",
        ),
    ),
    alder.met(
        84,
        Draft(SupervisorAssigned(supervisor_id=member_id("rowan"))),
        Draft(
            TherapistTransferred(
                to_member_id=member_id("hazel"),
                handover="Notebook goes well; the Commentator has a seat in the box. Ask about the "
                "drawings. Do not praise quickly; describe what you see.",
                client_consented=True,
            )
        )
        .because("Alder's Tuesday afternoons have ended, and Poppy cannot come before.", "hours")
        .after("hours")
        .named("transfer"),
        say.measured(THREE, 7),
    ),
    rowan.wrote(86, say.cosigned("Alder's")),
    hazel.met(
        91,
        say.rapport(6, "She showed one drawing, and kept the folder on her knees."),
        say.agreed("With Hazel, at the same time of day. Yes."),
        say.measured(THREE, 7),
    ),
    hazel.wrote(92, say.signed().named("first of Hazel's")),
    rowan.wrote(
        93,
        say.returned(
            "first of Hazel's",
            "A kind beginning. Add what Poppy brings from the time with Alder as a step of its "
            "own, so that it is not lost between two desks.",
        ),
    ),
    hazel.met(
        98,
        say.step(THREE, ALOUD, "Read one day's three lines aloud to somebody", due=119),
        say.measured(THREE, 7),
    ),
    hazel.wrote(99, say.signed().named("second of Hazel's")),
    rowan.wrote(100, say.cosigned("second of Hazel's")),
    hazel.wrote(
        101,
        say.addendum("transfer", "Poppy asked Hazel to thank Alder for the seat in the box."),
    ),
    hazel.met(
        105,
        say.measured(THREE, 7),
        say.step_made(ALOUD, "To her sister, who asked for the notebook's name."),
        say.achieved(THREE, "Every day for six weeks, but for one", 7),
        say.celebrated("Forty days of three lines", "A new notebook, dark green", THREE),
        say.life_event(
            NEPHEW,
            "Her nephew is born, three weeks early; Poppy goes to help.",
            THREE,
            kind="other",
            impact="medium",
        ),
        Draft(PlanPaused(note="Three weeks at her sister's; the notebook travels along.")),
    ),
)

SPEAKING_UP = (
    hazel.met(
        126,
        Draft(PlanResumed(note="Back, tired, with a photograph.")),
        say.eased(NEPHEW, "Nephew and sister are well."),
        say.relapse(
            "The voice all day long; no lines for nine days; ‘it was nothing’ again",
            "mild",
            onset=117,
            goal_ids=(THREE,),
            concern_ids=(VOICE,),
            triggers=("her father's remarks at the cradle", "nights without sleep"),
        ).named("cradle"),
    ),
    hazel.met(
        126,
        say.regressed(THREE, "Nine days without a line").after("cradle"),
        say.measured(THREE, 2).on(123),
    ),
    hazel.met(
        128,
        say.review(
            "relapse",
            "The Commentator met his author at the cradle. Poppy had noticed, and had written it "
            "down, which makes it a line.",
            "Three lines, of which one may be about the Commentator",
            "Rowan joins for half an hour",
            people=("Poppy Siskin", "Hazel Wren", "Rowan Heron"),
            goals_reviewed=(THREE,),
            answers=("cradle",),
        ),
        recorded_after=timedelta(days=4),
    ),
    hazel.met(
        140,
        say.measured(THREE, 5),
        say.begun(
            say.technique(
                WITNESSES,
                "re-authoring: asking the witnesses",
                "narrative",
                THREE,
                by="hazel",
                limits="Poppy chooses the witnesses",
                frequency="every other week",
            )
        ),
        say.feedback("the drawings on the wall", "yes", "Nobody says they are good. I like that."),
    ),
    hazel.met(
        147,
        say.measured(THREE, 6),
        say.agreed("Witnesses: my sister, and Bracken from the survey crew."),
        say.rapport(8, "The folder lay open on the table."),
    ),
    hazel.met(
        154,
        say.measured(THREE, 7),
        say.achieved(THREE, "Back to every day, for two weeks", 7),
        say.goal(
            SPEAKING,
            "Say one thing in the team meeting, three weeks out of four",
            say.counted("Meetings in which she spoke", "meetings", 0, 3, per="four weeks"),
            attainable_because="She knows the plans better than anybody in the room.",
            within="P3M",
            concern_ids=(INVISIBLE,),
            follows_goal_id=THREE,
            priority=1,
        ),
        say.step(SPEAKING, QUESTION, "Ask one question", due=168),
        say.begun(
            say.technique(
                ROOM,
                "unique outcomes: when she did speak",
                "narrative",
                SPEAKING,
                by="hazel",
                frequency="weekly",
            )
        ),
        say.planned(HALF_YEAR, "formal", due=182),
    ),
    hazel.met(
        161,
        say.measured(SPEAKING, 0),
        say.setback("Had the sentence ready and drank water.", "The water is a good first step."),
        say.measured(SPEAKING, 6).named("wrong column"),
    ),
    hazel.wrote(
        162,
        say.in_error("wrong column").because("The notebook's count, in the wrong row.", "slip"),
    ),
    hazel.met(
        168,
        say.measured(SPEAKING, 1),
        say.step_made(QUESTION, "‘Which scale?’ Everybody looked at the plan, not at her."),
        say.sustained(THREE, "The green notebook is half full"),
    ),
    hazel.met(
        182,
        say.review(
            "formal",
            "From toast to ‘Which scale?’. The voice still comments; it has lost the microphone.",
            "Go on with the meetings",
            "Meet every other week",
            people=("Poppy Siskin", "Hazel Wren", "Rowan Heron"),
            review_id=HALF_YEAR,
            goals_reviewed=(THREE, SPEAKING),
            next_due=364,
        ),
        say.look_back(0, 182, "She read from the first page and said: ‘Thank you.’ Only that."),
        say.measured(SPEAKING, 2),
    ),
    hazel.met(
        189,
        say.agreed("Yes. And put the scale in."),
        say.check_in("Questions come easily; statements are next."),
    ),
    hazel.wrote(190, say.signed().named("third of Hazel's")),
    rowan.wrote(192, say.cosigned("third of Hazel's")),
    hazel.met(
        196,
        say.measured(SPEAKING, 3),
        say.skill("being seen", "Explained her own drawing, standing up, and sat down slowly."),
        say.report("Said ‘thank you’. Did not explain it away.", 8),
    ),
)

LIFE = Life(
    key="self_esteem",
    weeks=29,
    weekday=1,
    sessions=(*NOTEBOOK_WEEKS, *ANOTHER_THERAPIST, *SPEAKING_UP),
)
