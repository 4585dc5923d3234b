"""The vocabulary is complete: every type of entry has its word, topic, sentence and sample."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.clinic import Clinic, ClinicState
from domain.entry import (
    CLINIC_TYPES,
    EVERY_TYPE,
    TOPICS,
    TYPES,
    Entry,
    EntryData,
    chapter_of,
    from_stored,
    to_stored,
)
from domain.plan import Plan
from domain.state import PlanState
from tests.domain.clinic_samples import a_clinics_life
from tests.domain.samples import LIFE, PLAN, SAMPLES, a_life
from tests.domain.specs import day, read_back

FOLDER = Path(__file__).with_name("stored")
CHAPTERS = {
    "opening": """PlanOpened ContextCaptured ConcernIdentified ConcernReframed ConcernsLinked
        ConcernResolved PreferenceVoiced PriorTherapyNoted StrengthIdentified
        ExpectationDiscussed ReadinessAssessed OrientationAdopted""",
    "goals": """GoalSet GoalRevised GoalReprioritised ObjectiveAdded ObjectiveMet MeasureRecorded
        ProgressNoted GoalPaused GoalResumed GoalAchieved GoalSustained GoalRegressed
        GoalDropped""",
    "interventions": """InterventionAgreed InterventionDeclined InterventionAdjusted
        InterventionSwapped InterventionPaused InterventionResumed InterventionEnded
        DiscomfortVoiced DiscomfortAnswered FeedbackGiven""",
    "course": """RelapseNoted SetbackNoted PlateauNoted PlateauAnswered ResistanceNoted
        ResistanceExplored LifeEventNoted LifeEventEased FocusShifted SafetyConcernNoted
        SafetyConcernResolved ObservationRecorded SelfReportRecorded InsightShared""",
    "alliance": """RapportNoted MismatchRaised MismatchDiscussed TherapistTransferred
        SupervisorAssigned""",
    "practice": """PracticeAssigned PracticeReported SkillDemonstrated ProgressCelebrated
        LookBackHeld""",
    "reviews": "ReviewScheduled ReviewHeld CheckInHeld",
    "signatures": """PlanAgreed PlanDisagreed ClientSignatureDeclined PlanSigned PlanCosigned
        PlanReturned""",
    "record": "AddendumAdded EntryCorrected EntryMarkedInError",
    "consents": "DisclosureMade ConsentRecorded ConsentRevoked",
    "emergency": "EmergencyAccessTaken EmergencyAccessReviewed",
    "lifecycle": """PlanPaused PlanResumed PlanCompleted PlanDiscontinued PlanReopened
        PlanSuperseded""",
    "clinic": "ClinicFounded ClinicRenamed PolicySet",
    "people": """MemberJoined MemberRoleChanged MemberLeft SupervisionAssigned SupervisionEnded
        CaseloadAssigned CaseloadEnded""",
    "holds": "LegalHoldPlaced LegalHoldLifted",
    "erasure": "ClientErased",
    "proposals": "ChangeProposed ProposalApproved ProposalDeclined ProposalWithdrawn",
}
WORDS = [
    pytest.param(chapter, name, id=name)
    for chapter, names in CHAPTERS.items()
    for name in names.split()
]
STORED = sorted(FOLDER.glob("*.json"))


@pytest.fixture(scope="module")
def life() -> Plan:
    """The plan in which every type of entry occurs."""
    return a_life()


@pytest.fixture(scope="module")
def clinic() -> Clinic:
    """The clinic in which every type of its own entries occurs."""
    return a_clinics_life()


def lived(name: str, life: Plan, clinic: Clinic) -> tuple[Plan | Clinic, Entry]:
    """The history in which a type occurs, and its first entry there."""
    history = clinic if name in CLINIC_TYPES else life
    return history, next(entry for entry in history.entries if entry.type == name)


def nothing(cls: type[EntryData]) -> Any:
    """The state in which nothing has happened yet."""
    return ClinicState() if cls.__name__ in CLINIC_TYPES else PlanState()


def kebab(name: str) -> str:
    """``GoalSet`` as ``goal-set``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def sample_path(cls: type[EntryData], format_version: int) -> Path:
    """Where the stored sample of a type in a format belongs."""
    return FOLDER / f"{cls.TOPIC}.v{format_version}.json"


def current_format(cls: type[EntryData]) -> int:
    """The number of the format a type is stored in today."""
    held: int = getattr(cls, "class_version", 1)
    return held


def shown(plain: dict[str, Any]) -> str:
    """JSON as it stands in a sample file."""
    return json.dumps(plain, ensure_ascii=False, indent=2) + "\n"


def revived(sample: dict[str, Any]) -> Entry:
    """The entry of a stored sample."""
    return from_stored(
        sample["topic"],
        sample["stored"],
        originator_id=UUID(PLAN),
        originator_version=7,
        timestamp=day(0),
        entry_id=PLAN,
        position=7,
    )


# Words


@pytest.mark.parametrize(("chapter", "name"), WORDS)
def test_every_word_of_the_vocabulary_is_an_entry_type(chapter: str, name: str) -> None:
    """In the chapter where a clinician would look for it."""
    assert chapter_of(EVERY_TYPE[name]) == chapter


@pytest.mark.parametrize("name", EVERY_TYPE)
def test_every_entry_type_is_a_word_of_the_vocabulary(name: str) -> None:
    """Nothing is recorded that is not written down there."""
    assert name in {word for names in CHAPTERS.values() for word in names.split()}


@pytest.mark.parametrize("name", EVERY_TYPE)
def test_every_topic_is_the_name_in_lower_case(name: str) -> None:
    """``plan.`` or ``clinic.`` and the name's words; one topic per type and one type per topic."""
    whose = "clinic" if name in CLINIC_TYPES else "plan"
    assert f"{whose}.{kebab(name)}" == EVERY_TYPE[name].TOPIC
    assert TOPICS[EVERY_TYPE[name].TOPIC] is EVERY_TYPE[name]


@pytest.mark.parametrize("name", EVERY_TYPE)
def test_every_type_says_what_it_is(name: str) -> None:
    """In a sentence of its own."""
    said = EVERY_TYPE[name].__doc__
    assert said is not None
    assert re.match(r"[A-Z].*[.]", said.strip().splitlines()[0]), said
    assert said != EntryData.__doc__


@pytest.mark.parametrize("name", EVERY_TYPE)
def test_every_type_tells_itself_in_a_sentence(name: str, life: Plan, clinic: Clinic) -> None:
    """One line for people, on what there was then and on what there is now."""
    history, held = lived(name, life, clinic)
    states: tuple[Any, ...] = (history.at(held.version), history.state, nothing(EVERY_TYPE[name]))
    for state in states:
        told = held.data.tell(state)
        assert told.endswith(".")
        assert len(told) > 10
        assert "\n" not in told
        assert "  " not in told
        assert not re.search(r"None|_|\bA [aeiou]", told), told


# One life with everything in it


def test_the_sample_life_has_every_type(life: Plan) -> None:
    """One plan can record them all, and reads the same when stored and read back."""
    assert set(SAMPLES) == set(TYPES)
    assert [entry.entry_id for entry in life.entries] == [sample.entry_id for sample in LIFE]
    assert life.document()["status"] == "superseded"
    assert read_back(life).document() == life.document()


def test_the_sample_clinic_has_every_type(clinic: Clinic) -> None:
    """One clinic can record them all, and reads the same when stored and read back."""
    assert {entry.type for entry in clinic.entries} == set(CLINIC_TYPES)
    again = read_back(clinic)
    assert again.document() == clinic.document()
    assert [*again.state.proposals] == [*clinic.state.proposals]
    assert {held.status for held in again.state.proposals} == {"approved", "declined", "withdrawn"}


def test_the_sample_of_a_type_is_its_first_in_the_life() -> None:
    """So its references lead to what came before."""
    assert SAMPLES["PlanOpened"] is LIFE[0]
    assert SAMPLES["GoalSet"] is next(sample for sample in LIFE if sample.type == "GoalSet")


# Stored formats


@pytest.mark.parametrize("name", EVERY_TYPE)
def test_every_type_has_a_stored_sample_of_every_format(
    name: str, life: Plan, clinic: Clinic
) -> None:
    """Today's and all before; what was stored once is kept as it was."""
    cls = EVERY_TYPE[name]
    _, held = lived(name, life, clinic)
    for format_version in range(1, current_format(cls) + 1):
        path = sample_path(cls, format_version)
        wanted = shown({"topic": cls.TOPIC, "stored": to_stored(held)})
        assert path.exists(), f"Write {path.name}, e.g.\n{wanted}"


def test_there_is_no_stored_sample_of_anything_else() -> None:
    """A topic is never taken back: a sample without its type means that one was."""
    known = {
        sample_path(cls, format_version)
        for cls in EVERY_TYPE.values()
        for format_version in range(1, current_format(cls) + 1)
    }
    assert set(STORED) <= known


@pytest.mark.parametrize("path", STORED, ids=[path.stem for path in STORED])
def test_every_stored_sample_is_still_read(path: Path) -> None:
    """It revives to an entry that is stored the same again, or upcast to today's format."""
    kept = path.read_text()
    sample = json.loads(kept)
    assert shown(sample) == kept
    entry = revived(json.loads(kept))
    again = {"topic": entry.data.TOPIC, "stored": to_stored(entry)}
    format_version = sample["stored"].get("class_version", 1)
    assert path == sample_path(type(entry.data), format_version)
    if format_version == current_format(type(entry.data)):
        assert shown(again) == kept
    assert revived(json.loads(shown(again))) == entry
    assert entry.data.tell(nothing(type(entry.data))).endswith(".")
