"""One life of a plan in which every type of entry occurs, in an order in which all can be recorded.

``LIFE`` is that life; ``SAMPLES`` is the first entry of each type in it, by name. Ids are fixed, so
an entry that refers to another one (``discomfort_entry_id``, ``of_version`` …) refers to it by the
``entry_id`` and the place it has here. Who records through a service that gives entries ids of its
own has to put those in instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from domain.alliance import (
    MismatchDiscussed,
    MismatchRaised,
    RapportNoted,
    SupervisorAssigned,
    TherapistTransferred,
)
from domain.consents import ConsentRecorded, ConsentRevoked, DisclosureMade
from domain.course import (
    FocusShifted,
    InsightShared,
    LifeEventEased,
    LifeEventNoted,
    ObservationRecorded,
    PlateauAnswered,
    PlateauNoted,
    RelapseNoted,
    ResistanceExplored,
    ResistanceNoted,
    SafetyConcernNoted,
    SafetyConcernResolved,
    SelfReportRecorded,
    SetbackNoted,
)
from domain.emergency import EmergencyAccessReviewed, EmergencyAccessTaken
from domain.entry import Author, EntryData, Reason, Voice
from domain.goals import (
    GoalAchieved,
    GoalDropped,
    GoalPaused,
    GoalRegressed,
    GoalReprioritised,
    GoalResumed,
    GoalRevised,
    GoalSet,
    GoalSustained,
    Measure,
    MeasureRecorded,
    ObjectiveAdded,
    ObjectiveMet,
    ProgressNoted,
)
from domain.interventions import (
    Agreement,
    Consent,
    DiscomfortAnswered,
    DiscomfortVoiced,
    FeedbackGiven,
    InterventionAdjusted,
    InterventionAgreed,
    InterventionDeclined,
    InterventionEnded,
    InterventionPaused,
    InterventionResumed,
    InterventionSwapped,
)
from domain.lifecycle import (
    PlanCompleted,
    PlanDiscontinued,
    PlanPaused,
    PlanReopened,
    PlanResumed,
    PlanSuperseded,
)
from domain.opening import (
    Blended,
    ConcernIdentified,
    ConcernReframed,
    ConcernResolved,
    ConcernsLinked,
    ContextCaptured,
    ExpectationDiscussed,
    OrientationAdopted,
    Person,
    PlanOpened,
    PreferenceVoiced,
    PriorTherapyNoted,
    ReadinessAssessed,
    StrengthIdentified,
)
from domain.plan import Plan
from domain.practice import (
    LookBackHeld,
    Period,
    PracticeAssigned,
    PracticeReported,
    ProgressCelebrated,
    SkillDemonstrated,
)
from domain.record import AddendumAdded, EntryCorrected, EntryMarkedInError
from domain.reviews import CheckInHeld, ReviewHeld, ReviewScheduled
from domain.signatures import (
    ClientSignatureDeclined,
    PlanAgreed,
    PlanCosigned,
    PlanDisagreed,
    PlanReturned,
    PlanSigned,
)


def _id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"plan-history/samples/{name}"))


PLAN, NEXT_PLAN = _id("plan"), _id("next plan")
WALKS, SLEEP = _id("goal walks"), _id("goal sleep")
PANIC, ALONE = _id("concern panic"), _id("concern alone")
GATE, LADDER, COMPANY = _id("objective gate"), _id("intervention ladder"), _id("with company")
BALCONY, MOVE, QUARTER = _id("practice balcony"), _id("life event move"), _id("review quarter")
LETTER = _id("consent letter")
COLLEAGUE = _id("member colleague")
THERAPIST = Author(
    member_id=_id("member therapist"),
    name="Dr Nadia Okafor",
    role="clinician",
    credential="LMFT",
)
SUPERVISOR = Author(member_id=_id("member supervisor"), name="Prof. Ida Lund", role="supervisor")
ON_CALL = Author(member_id=_id("member on call"), name="Jo Marsh", role="clinician")
OFFICER = Author(member_id=_id("member officer"), name="Sasha Reed", role="privacy_officer")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """An entry with its envelope, as it is recorded in the sample life."""

    data: EntryData
    entry_id: str
    occurred_at: datetime
    recorded_by: Author = THERAPIST
    voiced_by: Voice | None = None
    reason: Reason | None = None
    session_id: str | None = None

    @property
    def type(self) -> str:
        """The name of the entry's type."""
        return type(self.data).__name__


class _Telling:
    def __init__(self) -> None:
        self.told: list[Sample] = []

    @property
    def version(self) -> int:
        return len(self.told)

    def __call__(
        self,
        day: float,
        data: EntryData,
        *,
        name: str = "",
        why: str | None = None,
        code: str | None = None,
        by: Author = THERAPIST,
        voiced_by: Voice | None = None,
        session: bool = False,
    ) -> None:
        self.told.append(
            Sample(
                data=data,
                entry_id=_id(name or f"entry {self.version + 1}"),
                occurred_at=datetime(2025, 3, 3, 15, tzinfo=UTC) + timedelta(days=day),
                recorded_by=by,
                voiced_by=voiced_by,
                reason=Reason(text=why, code=code) if why else None,
                session_id=f"session-{day:g}" if session else None,
            )
        )


def _beginning(tell: _Telling) -> None:
    tell(
        0,
        PlanOpened(
            client_ref="C-2041",
            client_label="Mira T., 34",
            people=(Person(ref="C-2042", label="Lena T.", relation="sister"),),
            initiated_by="Herself, after her sister had found the number",
            presenting_concern="Since spring I have hardly left the house",
            hopes="To sit in the park with a friend, and not to count the exits",
            signs_of_improvement="I would take the dog out before breakfast",
            therapist_id=THERAPIST.member_id,
            supervisor_id=SUPERVISOR.member_id,
            review_interval_days=90,
        ),
        voiced_by="client",
        session=True,
    )
    tell(0, ContextCaptured(area="work", summary="On sick leave", impact="Money is short"))
    tell(
        0,
        ConcernIdentified(
            concern_id=PANIC,
            description="Panic as soon as the door falls shut behind me",
            impact_areas=("work", "friends"),
            certainty="working",
        ),
        voiced_by="client",
    )
    tell(0, ConcernIdentified(concern_id=ALONE, description="Being alone a great deal"))
    tell(
        0,
        ConcernsLinked(concern_ids=(PANIC, ALONE), how="Staying in keeps her alone"),
    )
    tell(0, PreferenceVoiced(about="pace", text="Rather think it over than quick answers"))
    tell(0, PriorTherapyNoted(helped="Being listened to", did_not_help="Sheets to fill in"))
    tell(0, StrengthIdentified(text="Perseverance", evidence="Two years of evening school"))
    tell(
        0,
        ExpectationDiscussed(
            expectation="Back on the tram by Easter",
            realistic=False,
            agreed_understanding="First steps outside by Easter, the tram in summer",
        ),
    )
    tell(0, ReadinessAssessed(for_="going out", level=4, note="With her sister rather 6"))
    tell(7, RapportNoted(rating=6, basis="She corrected me, and smiled"), session=True)
    tell(
        7,
        SafetyConcernNoted(
            concern="Some nights she would rather not wake up",
            level="high",
            actions_taken="Safety plan, numbers to call, her sister stays over",
        ),
        name="safety",
    )
    tell(
        9,
        SafetyConcernResolved(
            safety_entry_id=_id("safety"), summary="No such nights since; the plan stays in place"
        ),
    )


def _agreeing(tell: _Telling) -> None:
    tell(
        14,
        OrientationAdopted(
            blend=(
                Blended(orientation="cbt", weight=0.7),
                Blended(orientation="other", weight=0.3, in_words="body work"),
            ),
            rationale="Small steps suit her, and the fear sits in the body",
            disclosed_to_client=True,
        ),
    )
    tell(
        14,
        GoalSet(
            goal_id=WALKS,
            statement="Half an hour in the park, twice a week",
            measure=Measure(
                name="outings",
                unit="times",
                baseline=0,
                target=2,
                direction="increase",
                per="week",
                method="her calendar",
            ),
            attainable_because="She reaches the gate already",
            relevant_because="The dog, and the friend with the bench",
            start_on=date(2025, 3, 17),
            within="P2M",
            concern_ids=(PANIC,),
            priority=2,
        ),
        voiced_by="client",
    )
    tell(
        14,
        GoalSet(
            goal_id=SLEEP,
            statement="Sleep through four nights a week",
            target_on=date(2025, 9, 30),
            owner="therapist",
            follows_goal_id=WALKS,
        ),
    )
    tell(
        14,
        GoalReprioritised(goal_ids=(WALKS, SLEEP)),
        why="Going out comes first for her",
    )
    tell(
        14,
        ObjectiveAdded(
            goal_id=WALKS, objective_id=GATE, text="To the gate", due_on=date(2025, 3, 24)
        ),
    )
    tell(
        14,
        InterventionDeclined(technique="bilateral stimulation", orientation="emdr"),
        why="I do not want to go back there",
        voiced_by="client",
    )
    tell(
        14,
        InterventionAgreed(
            intervention_id=LADDER,
            technique="exposure",
            orientation="cbt",
            goal_ids=(WALKS,),
            frequency="weekly",
            format="individual",
            rationale="Fear fades with practice",
            consent=Consent(
                given=True, explained_by="Dr Nadia Okafor", limits="Never without saying so"
            ),
        ),
    )
    agreed = tell.version
    tell(14, PlanAgreed(by="client", statement="Yes, like this", of_version=agreed))
    tell(14, SupervisorAssigned(supervisor_id=SUPERVISOR.member_id))
    tell(14, PlanSigned(of_version=agreed, meaning="author"))
    tell(
        16,
        PlanReturned(of_version=agreed, what_to_change="Say why the goal matters to her"),
        by=SUPERVISOR,
    )
    tell(
        17,
        GoalRevised(goal_id=WALKS, relevant_because="The dog needs it, and so does she"),
        why="Returned by the supervisor",
        code="supervision",
    )
    revised = tell.version
    tell(17, PlanSigned(of_version=revised, meaning="author"))
    tell(18, PlanCosigned(of_version=revised), by=SUPERVISOR)


def _working(tell: _Telling) -> None:
    tell(
        21,
        PracticeAssigned(
            practice_id=BALCONY,
            task="Coffee on the balcony",
            dose="ten minutes a day",
            due_on=date(2025, 3, 31),
            goal_ids=(WALKS,),
        ),
    )
    tell(
        28,
        PracticeReported(
            practice_id=BALCONY, done="partly", count=4, difficulty=6, barrier="Rain on three days"
        ),
    )
    tell(28, MeasureRecorded(goal_id=WALKS, value=1, by="client", note="With the dog"))
    tell(28, ProgressNoted(goal_id=WALKS, direction="improving", evidence="Once to the park"))
    tell(28, ObjectiveMet(objective_id=GATE, note="In the rain"))
    tell(
        28,
        SkillDemonstrated(
            skill="breathing out slowly", independently=True, example="At the traffic light"
        ),
    )
    tell(
        28,
        ProgressCelebrated(what="First coffee outside", goal_ids=(WALKS,), how="With cake"),
    )
    tell(28, FeedbackGiven(about="the ladder", useful="somewhat", words="The steps are too big"))
    tell(
        35,
        DiscomfortVoiced(intervention_id=LADDER, words="It goes too fast for me", intensity=7),
        name="discomfort",
        voiced_by="client",
    )
    tell(35, InterventionPaused(intervention_id=LADDER), why="To find smaller steps first")
    tell(38, InterventionResumed(intervention_id=LADDER))
    tell(
        38,
        InterventionAdjusted(intervention_id=LADDER, frequency="twice a week, smaller steps"),
        why="She asked for smaller steps",
    )
    tell(
        38,
        DiscomfortAnswered(
            discomfort_entry_id=_id("discomfort"),
            answer="adjusted",
            note="Smaller steps, and she says when",
        ),
    )
    tell(40, SelfReportRecorded(text="A grey week, but I went out", mood=4), voiced_by="client")
    tell(42, ObservationRecorded(kind="pattern", text="She apologises before every wish"))
    tell(
        42,
        ResistanceNoted(about="the tram", reason="not_ready", words="Not that one"),
        name="resistance",
    )
    tell(
        49,
        ResistanceExplored(
            resistance_entry_id=_id("resistance"), understanding="She fainted on it once"
        ),
    )
    tell(
        63,
        PlateauNoted(goal_id=WALKS, window="the last three weeks", detected_by="measures"),
        name="plateau",
    )
    tell(
        63,
        PlateauAnswered(
            plateau_entry_id=_id("plateau"), answer="adjust", note="Company instead of a ladder"
        ),
    )
    tell(
        63,
        InterventionSwapped(
            from_intervention_id=LADDER,
            to=Agreement(
                intervention_id=COMPANY,
                technique="walks with her sister",
                orientation="strengths_based",
                goal_ids=(WALKS,),
                format="family",
                consent=Consent(given=True, explained_by="Dr Nadia Okafor"),
            ),
            decided_with="client",
        ),
        why="Alone she counts the exits, in company she talks",
    )
    tell(
        70,
        MismatchRaised(raised_by="client", dimension="style", words="You explain a great deal"),
        name="mismatch",
        voiced_by="client",
    )
    tell(
        70,
        MismatchDiscussed(
            mismatch_entry_id=_id("mismatch"), outcome="adjust", note="Ask first, explain after"
        ),
    )
    tell(77, FocusShifted(from_="practical", to="grief"), why="Her mother's birthday")
    tell(77, InsightShared(text="It was never the tram", goal_ids=(WALKS,)), voiced_by="client")
    tell(
        77,
        ConcernReframed(
            concern_id=PANIC, description="Fear of falling with nobody near", certainty="settled"
        ),
        why="Her own words today",
    )


def _living(tell: _Telling) -> None:
    tell(
        84,
        LifeEventNoted(
            life_event_id=MOVE,
            kind="housing",
            summary="The house is sold, they must move",
            impact="high",
            affected_goal_ids=(WALKS,),
        ),
    )
    tell(
        84,
        GoalPaused(goal_id=WALKS, because_of=MOVE, resume_check_on=date(2025, 6, 23)),
        why="No strength for it while they look for a flat",
    )
    paused = tell.version
    tell(
        84,
        PlanDisagreed(
            by="client",
            statement="I would like to go on",
            of_version=paused,
            what="Pausing the walks",
        ),
        voiced_by="client",
    )
    tell(
        85,
        ClientSignatureDeclined(of_version=paused),
        why="I sign when the walks are back in",
        voiced_by="client",
    )
    tell(112, LifeEventEased(life_event_id=MOVE, summary="A flat by the park"))
    tell(112, GoalResumed(goal_id=WALKS))
    tell(119, SetbackNoted(what="Two days indoors", meaning="Boxes everywhere"))
    tell(
        126,
        RelapseNoted(
            what_resurfaced="Panic at the new front door",
            goal_ids=(WALKS,),
            concern_ids=(PANIC,),
            severity="moderate",
            onset_on=date(2025, 7, 5),
            triggers=("a dark stairwell", "no neighbours yet"),
            indicators="The blinds stay down",
        ),
        name="relapse",
    )
    tell(126, ReviewScheduled(review_id=QUARTER, kind="relapse", due_on=date(2025, 7, 10)))
    tell(
        129,
        ReviewHeld(
            review_id=QUARTER,
            kind="relapse",
            participants=("Mira T.", "Dr Nadia Okafor"),
            client_participated=True,
            summary="The door is new, the way is not",
            decisions=("Walks go on, first with her sister",),
            goals_reviewed=(WALKS,),
            answers_entry_ids=(_id("relapse"),),
            next_due_on=date(2025, 10, 1),
        ),
        session=True,
    )
    tell(133, CheckInHeld(working="The walks", not_working="Evenings", insight="Light helps"))
    tell(140, InterventionEnded(intervention_id=COMPANY), why="She goes by herself now")
    tell(
        147,
        GoalAchieved(goal_id=WALKS, evidence="Twice a week for a month", value=2),
    )
    tell(161, GoalSustained(goal_id=WALKS, evidence="Through two rainy weeks"))
    tell(175, GoalRegressed(goal_id=WALKS, evidence="Not once since the clocks changed"))
    tell(175, GoalDropped(goal_id=SLEEP, replaced_by=WALKS), why="She sleeps when she walks")


def _ending(tell: _Telling) -> None:
    tell(182, ConcernResolved(concern_id=ALONE, summary="Thursdays belong to the bench"))
    tell(
        182,
        LookBackHeld(
            period=Period(from_=date(2025, 3, 3), to=date(2025, 9, 1)),
            summary="From the bed to the bench",
        ),
    )
    tell(
        189,
        TherapistTransferred(
            to_member_id=COLLEAGUE, handover="Two sessions together", client_consented=True
        ),
        why="She moves to the coast",
    )
    tell(190, PlanPaused(note="Until the first session with the new therapist"))
    tell(204, PlanResumed(note="They have met"))
    tell(
        204,
        AddendumAdded(entry_id=_id("relapse"), text="Her sister remembers the stairwell, too"),
    )
    tell(
        204,
        EntryCorrected(entry_id=_id("relapse"), data={"severity": "mild", "indicators": None}),
        why="Written down too darkly that day",
    )
    tell(
        210,
        PlanDiscontinued(summary="No word for two weeks"),
        name="discontinued",
        why="Did not come",
    )
    tell(
        211,
        EntryMarkedInError(entry_id=_id("discontinued")),
        why="Meant for another client's plan",
    )
    tell(218, PlanCompleted(outcome="partly_met", summary="She takes the tram with a friend"))
    tell(
        246,
        PlanReopened(),
        why="She would like to go on",
        voiced_by="client",
    )
    tell(247, PlanSuperseded(by_plan_id=NEXT_PLAN))
    tell(
        248,
        ConsentRecorded(
            consent_id=LETTER,
            scope="A letter on what was reached, without her own words",
            recipient="Dr Sam Field, family doctor",
            expires_on=date(2025, 12, 31),
        ),
        voiced_by="client",
    )
    tell(
        249,
        DisclosureMade(
            recipient="Dr Sam Field, family doctor",
            address="3 Mill Lane",
            what="A letter of one page: goals reached, and who goes on with her",
            purpose="So that her doctor knows whom to ask",
            legal_basis="Her consent",
        ),
    )
    tell(260, ConsentRevoked(consent_id=LETTER), voiced_by="client")
    tell(
        261,
        EmergencyAccessTaken(why="She rang the night line and gave no other name", minutes=30),
        name="emergency",
        by=ON_CALL,
    )
    tell(
        262,
        EmergencyAccessReviewed(
            access_entry_id=_id("emergency"), finding="justified", note="The call is in the log"
        ),
        by=OFFICER,
    )


def _life() -> tuple[Sample, ...]:
    tell = _Telling()
    for part in (_beginning, _agreeing, _working, _living, _ending):
        part(tell)
    return tuple(tell.told)


LIFE: tuple[Sample, ...] = _life()
SAMPLES: dict[str, Sample] = {sample.type: sample for sample in reversed(LIFE)}


def a_life() -> Plan:
    """The plan that has lived the whole sample life, each entry recorded when it occurred."""
    plan = Plan.new(UUID(PLAN))
    for sample in LIFE:
        plan.record(
            sample.data,
            now=sample.occurred_at,
            recorded_by=sample.recorded_by,
            new_id=lambda given=sample.entry_id: given,
            occurred_at=sample.occurred_at,
            voiced_by=sample.voiced_by,
            reason=sample.reason,
            session_id=sample.session_id,
        )
    return plan
