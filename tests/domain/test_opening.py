"""Opening: the client in their own words, context, concerns, expectations, orientation."""

from __future__ import annotations

import pytest

from domain.errors import (
    InvalidDataError,
    PlanHistoryError,
    ReasonRequiredError,
    TransitionError,
    UnknownReferenceError,
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
    PreferenceVoiced,
    PriorTherapyNoted,
    ReadinessAssessed,
    StrengthIdentified,
)
from domain.state import PlanState
from tests.domain.specs import (
    CONCERN,
    GOAL,
    NOWHERE,
    OTHER_CONCERN,
    PLAN,
    SUPERVISOR,
    THERAPIST,
    a_goal,
    day,
    entry_id,
    given,
    opened,
    said,
)

PANIC = ConcernIdentified(concern_id=CONCERN, description="Panic on the way out")
LONELY = ConcernIdentified(concern_id=OTHER_CONCERN, description="Being alone a great deal")
CBT = OrientationAdopted(
    blend=(Blended(orientation="cbt"),), rationale="Small steps suit her", disclosed_to_client=True
)


def test_an_opened_plan_is_a_draft_in_the_clients_own_words() -> None:
    """Version 1 brings the client, the people around, the intake answers and the draft status."""
    mother = Person(ref="C-1002", label="Lena T.", relation="mother")
    opening = opened(people=(mother,), supervisor_id=SUPERVISOR.member_id, review_interval_days=90)
    given().when(opening).then(
        {
            "/plan_id": PLAN,
            "/version": 1,
            "/status": "draft",
            "/status_since": "2026-01-05T09:00:00Z",
            "/client": {"ref": "C-1001", "label": "Mira T."},
            "/people": [{"ref": "C-1002", "label": "Lena T.", "relation": "mother"}],
            "/therapist_id": THERAPIST.member_id,
            "/supervisor_id": SUPERVISOR.member_id,
            "/opened_at": "2026-01-05T09:00:00Z",
            "/review_interval_days": 90,
            "/intake": {
                "initiated_by": "Herself",
                "presenting_concern": "She has hardly left the house since spring",
                "hopes": "To sit in the park with a friend",
                "signs_of_improvement": "She would take the dog out in the morning",
            },
        }
    ).tells("The plan was opened with Mira T.: “She has hardly left the house since spring”.")


def test_a_plan_may_take_the_place_of_another() -> None:
    """It names it from its opening on; one that replaces nothing says so."""
    given().when(opened(replaces_plan_id=NOWHERE)).then({"/replaces_plan_id": NOWHERE})
    given().when(opened()).then({"/replaces_plan_id": None})


def test_a_plan_is_opened_once() -> None:
    """A second opening is refused."""
    given(opened()).when(opened()).refused(TransitionError, "/type")


def test_a_plan_begins_with_its_opening() -> None:
    """Nothing can be recorded in a plan that was never opened."""
    given().when(PANIC).refused(TransitionError, "/type")


def test_the_newest_words_on_an_area_of_life_are_current() -> None:
    """Context is kept per area; the newest replaces the one before."""
    given(
        opened(),
        ContextCaptured(area="work", summary="On sick leave"),
        ContextCaptured(area="family", summary="Her sister phones daily"),
    ).when(ContextCaptured(area="work", summary="Back two days a week", impact="Tired")).then(
        {
            "/context/work": {
                "area": "work",
                "summary": "Back two days a week",
                "impact": "Tired",
                "since": "2026-01-08T09:00:00Z",
            },
            "/context/family/summary": "Her sister phones daily",
        }
    ).tells("Context (work): “Back two days a week”.")


def test_a_concern_is_open_and_may_stay_tentative() -> None:
    """Naming a concern needs no settled label."""
    given(opened()).when(
        ConcernIdentified(
            concern_id=CONCERN, description="Panic on the way out", impact_areas=("work", "friends")
        )
    ).then(
        {
            "/concerns": [
                {
                    "concern_id": CONCERN,
                    "description": "Panic on the way out",
                    "impact_areas": ["work", "friends"],
                    "certainty": "tentative",
                    "status": "open",
                    "since": "2026-01-06T09:00:00Z",
                    "resolved_at": None,
                    "resolution": None,
                }
            ]
        }
    ).tells("A concern was named (tentative): “Panic on the way out”.")


def test_a_concern_gets_an_id_when_none_is_given() -> None:
    """The service makes the id that the caller leaves out."""
    spec = given(opened()).when(ConcernIdentified(description="Panic on the way out"))
    assert spec.plan.document()["concerns"][0]["concern_id"] == entry_id(2)


def test_a_reframed_concern_has_new_words_and_keeps_its_certainty() -> None:
    """Reframing replaces the description, and the certainty only when it is given."""
    spec = given(opened(), PANIC).when(
        ConcernReframed(concern_id=CONCERN, description="Fear of fainting"), reason="Her words"
    )
    spec.then(
        {"/concerns/0/description": "Fear of fainting", "/concerns/0/certainty": "tentative"}
    ).tells("A concern was put into other words: “Fear of fainting”.")
    spec.when(
        ConcernReframed(concern_id=CONCERN, description="Fear of fainting", certainty="working"),
        reason="She says so again",
    ).then({"/concerns/0/certainty": "working"})


def test_reframing_needs_its_reason() -> None:
    """Why a concern is seen in another light has to be said."""
    given(opened(), PANIC).when(
        ConcernReframed(concern_id=CONCERN, description="Fear of fainting")
    ).refused(ReasonRequiredError, "/reason")


def test_a_resolved_concern_says_when_and_how() -> None:
    """Resolving keeps the summary and the moment."""
    given(opened(), PANIC).when(
        ConcernResolved(concern_id=CONCERN, summary="She goes out daily")
    ).then(
        {
            "/concerns/0/status": "resolved",
            "/concerns/0/resolved_at": "2026-01-07T09:00:00Z",
            "/concerns/0/resolution": "She goes out daily",
        }
    ).tells("The concern “Panic on the way out” was resolved: “She goes out daily”.")


@pytest.mark.parametrize(
    "again",
    [
        ConcernResolved(concern_id=CONCERN, summary="Still gone"),
        ConcernReframed(concern_id=CONCERN, description="Fear of fainting"),
    ],
)
def test_a_resolved_concern_stays_resolved(again: ConcernResolved | ConcernReframed) -> None:
    """A resolved concern can neither be resolved again nor reframed."""
    given(opened(), PANIC, ConcernResolved(concern_id=CONCERN, summary="Gone")).when(
        again, reason="Because"
    ).refused(TransitionError, "/data/concern_id")


def test_a_late_resolution_warns_of_what_still_uses_the_concern() -> None:
    """A concern resolved in hindsight names the later entries about it."""
    given(
        opened(),
        PANIC,
        said(ConcernReframed(concern_id=CONCERN, description="Fear of fainting"), now=day(10)),
    ).when(
        ConcernResolved(concern_id=CONCERN, summary="Gone"), now=day(11), occurred_at=day(5)
    ).warns("ConcernReframed")


def test_linked_concerns_are_named_in_one_sentence() -> None:
    """A link keeps which concerns overlap and how."""
    given(opened(), PANIC, LONELY).when(
        ConcernsLinked(concern_ids=(CONCERN, OTHER_CONCERN), how="Staying in keeps her alone")
    ).then(
        {
            "/concern_links": [
                {
                    "entry_id": entry_id(4),
                    "concern_ids": [CONCERN, OTHER_CONCERN],
                    "how": "Staying in keeps her alone",
                }
            ]
        }
    ).tells(
        "“Panic on the way out” and “Being alone a great deal” were seen to belong together: "
        "“Staying in keeps her alone”."
    )


@pytest.mark.parametrize(
    ("concern_ids", "kind", "pointer"),
    [
        ((CONCERN, CONCERN), InvalidDataError, "/data/concern_ids"),
        ((CONCERN,), InvalidDataError, "/data/concern_ids"),
        ((CONCERN, NOWHERE), UnknownReferenceError, "/data/concern_ids/1"),
        ((CONCERN, GOAL), UnknownReferenceError, "/data/concern_ids/1"),
    ],
)
def test_a_link_joins_different_concerns_of_this_plan(
    concern_ids: tuple[str, ...], kind: type[PlanHistoryError], pointer: str
) -> None:
    """One concern, the same one twice, an unknown one and something else are refused."""
    given(opened(), PANIC, a_goal()).when(
        ConcernsLinked(concern_ids=concern_ids, how="Somehow")
    ).refused(kind, pointer)


@pytest.mark.parametrize(
    "change",
    [
        ConcernReframed(concern_id=NOWHERE, description="Fear of fainting"),
        ConcernResolved(concern_id=NOWHERE, summary="Gone"),
    ],
)
def test_only_concerns_of_this_plan_can_change(change: ConcernReframed | ConcernResolved) -> None:
    """An unknown concern is refused by kind."""
    given(opened(), PANIC).when(change, reason="Because").refused(
        UnknownReferenceError, "/data/concern_id", "no concern of that id"
    )


def test_a_concern_that_is_not_there_is_still_spoken_of() -> None:
    """A sentence can be told on a plan in which the concern does not stand."""
    resolved = ConcernResolved(concern_id=CONCERN, summary="Gone")
    assert resolved.tell(PlanState()) == "The concern “…” was resolved: “Gone”."


def test_the_newest_preference_on_a_subject_is_current() -> None:
    """Preferences are kept per subject."""
    spec = given(opened(), PreferenceVoiced(about="pace", text="Slowly")).when(
        PreferenceVoiced(about="pace", text="A little faster now")
    )
    spec.then(
        {
            "/preferences": [
                {
                    "about": "pace",
                    "text": "A little faster now",
                    "since": "2026-01-07T09:00:00Z",
                }
            ]
        }
    ).tells("A preference was voiced about pace: “A little faster now”.")


def test_earlier_therapy_is_noted_with_what_helped_and_what_did_not() -> None:
    """Both sides are kept and told."""
    given(opened()).when(
        PriorTherapyNoted(helped="Being listened to", did_not_help="Homework sheets")
    ).then(
        {
            "/prior_therapy": [
                {
                    "entry_id": entry_id(2),
                    "at": "2026-01-06T09:00:00Z",
                    "helped": "Being listened to",
                    "did_not_help": "Homework sheets",
                }
            ]
        }
    ).tells(
        "Of earlier therapy, what helped: “Being listened to” – what did not: “Homework sheets”."
    )


@pytest.mark.parametrize(
    ("note", "sentence"),
    [
        (PriorTherapyNoted(helped="Walking"), "Of earlier therapy, what helped: “Walking”."),
        (
            PriorTherapyNoted(did_not_help="Sheets"),
            "Of earlier therapy, what did not: “Sheets”.",
        ),
    ],
)
def test_one_side_of_earlier_therapy_is_enough(note: PriorTherapyNoted, sentence: str) -> None:
    """Only what is known has to be said."""
    given(opened()).when(note).tells(sentence)


def test_a_note_on_earlier_therapy_says_something() -> None:
    """Neither side said is refused."""
    given(opened()).when(PriorTherapyNoted()).refused(InvalidDataError, "/data/helped")


def test_a_strength_is_kept_with_its_evidence() -> None:
    """Strengths add up."""
    spec = given(opened(), StrengthIdentified(text="Humour")).when(
        StrengthIdentified(text="Perseverance", evidence="Two years of Spanish")
    )
    spec.then(
        {
            "/strengths/0/text": "Humour",
            "/strengths/1": {
                "entry_id": entry_id(3),
                "at": "2026-01-07T09:00:00Z",
                "text": "Perseverance",
                "evidence": "Two years of Spanish",
            },
        }
    ).tells("A strength was seen: “Perseverance”.")


def test_an_expectation_is_kept_with_the_understanding_reached() -> None:
    """What was expected, whether it is realistic, and what was agreed."""
    given(opened()).when(
        ExpectationDiscussed(
            expectation="Cured by Easter",
            realistic=False,
            agreed_understanding="First steps by Easter",
        )
    ).then(
        {
            "/expectations/0/expectation": "Cured by Easter",
            "/expectations/0/realistic": False,
            "/expectations/0/agreed_understanding": "First steps by Easter",
            "/expectations/0/entry_id": entry_id(2),
        }
    ).tells("The expectation “Cured by Easter” was talked over; agreed: “First steps by Easter”.")


def test_the_newest_readiness_for_something_is_current() -> None:
    """Readiness is kept by what it is for."""
    given(opened(), ReadinessAssessed(for_="going out", level=2)).when(
        ReadinessAssessed(for_="going out", level=5, note="With her sister")
    ).then(
        {
            "/readiness": {
                "going out": {
                    "entry_id": entry_id(3),
                    "at": "2026-01-07T09:00:00Z",
                    "for": "going out",
                    "level": 5,
                    "note": "With her sister",
                }
            }
        }
    ).tells("Readiness for going out: 5 of 10.")


@pytest.mark.parametrize("level", [-1, 11])
def test_readiness_goes_from_0_to_10(level: int) -> None:
    """Levels outside the scale are refused."""
    given(opened()).when(ReadinessAssessed(for_="going out", level=level)).refused(
        InvalidDataError, "/data/level", "between 0 and 10"
    )


def test_one_orientation_is_adopted_with_its_rationale() -> None:
    """A single orientation is not integrative."""
    given(opened()).when(CBT).then(
        {
            "/orientation": {
                "blend": [{"orientation": "cbt"}],
                "integrative": False,
                "rationale": "Small steps suit her",
                "disclosed_to_client": True,
                "since": "2026-01-06T09:00:00Z",
            }
        }
    ).tells("The work took an orientation: cbt.")


def test_two_orientations_make_an_integrative_one() -> None:
    """Later blends replace the one before, with their reason."""
    blend = (
        Blended(orientation="strengths_based", weight=0.6),
        Blended(orientation="other", weight=0.4, in_words="body work"),
    )
    spec = given(opened(), CBT).when(
        OrientationAdopted(blend=blend, rationale="She asked", disclosed_to_client=True),
        reason="CBT alone felt too dry",
    )
    spec.then(
        {
            "/orientation/blend": [
                {"orientation": "strengths_based", "weight": 0.6},
                {"orientation": "other", "weight": 0.4, "in_words": "body work"},
            ],
            "/orientation/integrative": True,
            "/orientation/rationale": "She asked",
        }
    ).tells("The work took an integrative orientation: strengths based + body work.")


def test_replacing_an_orientation_needs_its_reason() -> None:
    """The first orientation needs none, every later one does."""
    given(opened(), CBT).when(CBT).refused(ReasonRequiredError, "/reason")


@pytest.mark.parametrize(
    "blend",
    [
        (),
        (Blended(orientation="cbt"), Blended(orientation="cbt", weight=0.2)),
        (Blended(orientation="cbt", weight=0.6), Blended(orientation="dbt", weight=0.5)),
    ],
)
def test_a_blend_names_each_orientation_once_with_weights_up_to_1(
    blend: tuple[Blended, ...],
) -> None:
    """An empty blend, the same orientation twice, and weights above 1 are refused."""
    given(opened()).when(
        OrientationAdopted(blend=blend, rationale="Why not", disclosed_to_client=False)
    ).refused(InvalidDataError, "/data/blend")


def test_weights_in_tenths_add_up_to_1() -> None:
    """0.7 + 0.2 + 0.1 is 1, whatever binary fractions make of it."""
    weights = {"cbt": 0.7, "dbt": 0.2, "emdr": 0.1}
    blend = tuple(
        Blended(orientation=name, weight=weight)  # type: ignore[arg-type] # keys are orientations
        for name, weight in weights.items()
    )
    given(opened()).when(
        OrientationAdopted(blend=blend, rationale="Why not", disclosed_to_client=False)
    ).then({"/orientation/integrative": True})


def test_adopting_an_orientation_is_a_material_change() -> None:
    """What was agreed on has to be looked at again."""
    given(opened()).when(CBT).then({"/signatures/last_material_version": 2})


def test_the_members_of_an_opening_are_named_by_uuid() -> None:
    """A therapist who is not named by a UUID is refused."""
    given().when(opened(therapist_id="Nadia")).refused(InvalidDataError, "/data/therapist_id")


def test_a_review_interval_is_at_least_a_day() -> None:
    """Zero days between reviews are refused."""
    given().when(opened(review_interval_days=0)).refused(
        InvalidDataError, "/data/review_interval_days"
    )
