"""FHIR becomes plans: what is understood is recorded, and of the rest nothing is silently dropped."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.errors import InvalidDataError
from domain.fields import to_plain
from domain.plan import Plan
from service.access import Principal
from service.fhir.importing import Imported, import_fhir
from service.fhir.resources import resources
from service.fhir.source import LEFT_OUT, leaves
from service.reading import reading_plan
from tests.api.house import House
from tests.conftest import Clinic
from tests.service.demo.test_demo_lives import ANCHORS
from tests.service.demo.test_demo_lives import Clinic as Demo

HL7 = sorted((Path(__file__).parent / "data" / "hl7").glob("*.json"))
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SMOKING = {
    "resourceType": "Goal",
    "id": "g",
    "lifecycleStatus": "active",
    "description": {"text": "Stop smoking"},
    "subject": {"reference": "Patient/p"},
    "startDate": "2026-01-05",
}


@pytest.fixture
def clinic(house: House) -> Clinic:
    """A clinic of the test's own."""
    return house.clinic()


@pytest.fixture
def take(house: House, clinic: Clinic) -> Callable[..., Imported]:
    """Imports a resource in a clinician's name."""

    def read(held: Any, **how: Any) -> Imported:
        raw = held if isinstance(held, bytes) else json.dumps(held).encode()
        return import_fhir(house.container.plans, who(clinic), raw, NOW, **how)

    return read


def reported(done: Imported) -> set[tuple[str, str, str]]:
    """What is said: of which resource, of which element, what became of it."""
    return {(held.resource, held.path, held.became) for held in done.findings}


def who(clinic: Clinic) -> Principal:
    """The clinician the plans will be of."""
    return clinic.member("clinician")


def plan_of(house: House, clinic: Clinic, done: Imported, number: int = 0) -> Plan:
    """A plan that was opened."""
    assert "refused" not in done.plans[number], done.plans
    plan_id = UUID(done.plans[number]["plan_id"])
    with reading_plan(house.container.gate.plans, clinic.clinic_id, plan_id) as plan:
        return plan


def bundle(*held: dict[str, Any]) -> dict[str, Any]:
    """Resources as a Bundle, known by addresses of their own."""
    entries = [{"fullUrl": f"urn:uuid:{uuid4()}", "resource": one} for one in held]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


# HL7's own examples


@pytest.mark.parametrize("path", HL7, ids=lambda path: path.stem)
def test_hl7s_examples_become_plans(
    house: House, clinic: Clinic, take: Callable[..., Imported], path: Path
) -> None:
    """Every one, with all its words in the plan: as what they say, or in a note, word for word."""
    done = take(path.read_bytes())
    plan = plan_of(house, clinic, done)
    entries = [to_plain(held.data) for held in plan.entries]
    said = " ".join(" ".join(str(value) for _, value in leaves(entries)).split())
    for text in texts_of(json.loads(path.read_text("utf-8"))):
        assert text in said


def texts_of(held: dict[str, Any]) -> list[str]:
    """Every text of a resource that is for people."""
    inner = [text for one in held.get("contained", ()) for text in texts_of(one)]
    return inner + [
        " ".join(value.split())
        for path, value in leaves(held)
        if path.endswith((".text", ".display", "description")) and not LEFT_OUT.search(path)
    ]


@pytest.mark.parametrize("path", HL7, ids=lambda path: path.stem)
def test_every_element_is_understood_or_reported(take: Callable[..., Imported], path: Path) -> None:
    """By resource and path; what is in neither list was read into the plan."""
    held = json.loads(path.read_text("utf-8"))
    done = take(held, dry=True)
    reported = {found.path for found in done.findings}
    understood = {
        place for place, _ in leaves(held) if not LEFT_OUT.search(place) and place not in reported
    }
    known = ("status", "intent", "lifecycleStatus", "description", "subject", "period", "created",
             "goal", "addresses", "startDate", "target", "statusDate", "statusReason",
             "achievementStatus")  # fmt: skip
    assert all(place.startswith(known) for place in understood), understood


def test_a_dry_run_records_nothing(house: House, take: Callable[..., Imported]) -> None:
    """It reports what would be."""
    with house.nothing_written():
        done = take(SMOKING, dry=True)
    assert done.plans == [{"resource": "Goal/g", "entries": 2, "plan_id": None}]


# What is understood


def test_goals_come_with_their_measures_and_concerns(
    house: House, clinic: Clinic, take: Callable[..., Imported]
) -> None:
    """A target with its beginning is a measure; later values belong to the goal; a concern is linked."""
    count = {"value": 20, "unit": "cigarettes"}
    smoking = {
        **SMOKING,
        "target": [
            {
                "measure": {"text": "Cigarettes a day"},
                "detailQuantity": {"value": 0, "unit": "cigarettes"},
                "dueDate": "2026-06-30",
            }
        ],
        "addresses": [{"reference": "Observation/b"}, {"reference": "Condition/c"}],
        "outcomeReference": [{"reference": "Observation/o"}],
    }
    done = take(
        bundle(
            {"resourceType": "Patient", "id": "p", "identifier": [{"value": "7"}],
             "name": [{"text": "Willow Thrush"}]},
            {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"},
             "code": {"text": "A cough since spring"}},
            smoking,
            {"resourceType": "Observation", "id": "b", "status": "final", "valueQuantity": count},
            {"resourceType": "Observation", "id": "o", "status": "final",
             "effectiveDateTime": "2026-02-01", "valueQuantity": {**count, "value": 12}},
        )
    )  # fmt: skip
    plan = plan_of(house, clinic, done)
    goal = next(iter(plan.state.goals.goals))
    assert goal.measure is not None
    assert (goal.measure.baseline, goal.measure.target, goal.measure.direction) == (
        20,
        0,
        "decrease",
    )
    assert str(goal.due_on) == "2026-06-30"
    assert [held.value for held in goal.values] == [12]
    assert goal.concern_ids == tuple(plan.state.opening.concerns.by_id)
    outline = plan.state.opening.outline
    assert (outline.client_ref, outline.client_label) == ("7", "Willow Thrush")


@pytest.mark.parametrize(
    ("status", "becomes"),
    [
        ("active", "active"),
        ("proposed", "active"),
        ("on-hold", "paused"),
        ("completed", "achieved"),
        ("cancelled", "dropped"),
    ],
)
def test_a_goal_stands_where_it_stood(
    house: House, clinic: Clinic, take: Callable[..., Imported], status: str, becomes: str
) -> None:
    """Each lifecycle status has its entry, with the file's own reason."""
    told = {**SMOKING, "lifecycleStatus": status, "statusReason": "After the honeymoon"}
    plan = plan_of(house, clinic, take(told))
    goal = next(iter(plan.state.goals.goals))
    assert goal.status == becomes


@pytest.mark.parametrize(
    ("status", "becomes"),
    [("active", "draft"), ("on-hold", "paused"), ("completed", "completed"), ("revoked", "discontinued")],
)  # fmt: skip
def test_a_plan_claims_no_agreement(
    house: House, clinic: Clinic, take: Callable[..., Imported], status: str, becomes: str
) -> None:
    """An active CarePlan is a draft here until client and clinician have spoken; that is reported."""
    told = {"resourceType": "CarePlan", "id": "x", "status": status, "intent": "plan"}
    done = take(told)
    assert plan_of(house, clinic, done).state.lifecycle.status == becomes
    reported = [held.became for held in done.findings if held.path == "status"]
    assert reported == (
        ["taken as draft until it is agreed or signed"] if status == "active" else []
    )


def test_what_was_entered_in_error_is_left_out(take: Callable[..., Imported]) -> None:
    """And said so."""
    wrong = {**SMOKING, "id": "w", "lifecycleStatus": "entered-in-error"}
    done = take(bundle(SMOKING, wrong), dry=True)
    assert ("Goal/w", "left out: entered in error") in {
        (held.resource, held.became) for held in done.findings
    }


def test_questionnaire_totals_are_known_by_loinc(
    house: House, clinic: Clinic, take: Callable[..., Imported]
) -> None:
    """A PHQ-9 total becomes a measured value; one outside its range refuses the plan, naming the entry."""
    code = {"coding": [{"system": "http://loinc.org", "code": "44261-6"}]}
    total = {"resourceType": "Observation", "id": "t", "status": "final", "code": code,
             "valueInteger": 14, "subject": {"reference": "Patient/p"}}  # fmt: skip
    plan = plan_of(house, clinic, take(bundle(SMOKING, total)))
    assert [held.value for held in plan.state.course.scores] == [14]
    done = take(bundle(SMOKING, {**total, "valueInteger": 40}), alongside=True)
    assert "PHQ-9 totals are whole numbers from 0 to 27" in done.plans[0]["refused"]


def test_each_care_plan_is_a_plan_and_keeps_its_own(take: Callable[..., Imported]) -> None:
    """Two clients in one Bundle; what belongs to nobody is in neither plan, and that is said."""
    other = {**SMOKING, "id": "h", "subject": {"reference": "Patient/q"}}
    done = take(bundle(SMOKING, other, {"resourceType": "Location", "id": "l", "name": "A room"}))
    assert [held["resource"] for held in done.plans] == ["Goal/g", "Goal/h"]
    assert reported(done) >= {
        ("Location/l", "", "left out: it does not say whose it is"),
        ("Location/l", "name", "left out"),
    }


def test_the_same_file_opens_nothing_twice(take: Callable[..., Imported]) -> None:
    """Sent again, the same plan is named; another file for that client is refused unless alongside."""
    first, again = take(SMOKING), take(SMOKING)
    assert again.plans[0]["plan_id"] == first.plans[0]["plan_id"]
    assert again.plans[0]["replayed"] is True
    other = {**SMOKING, "description": {"text": "Sleep"}}
    assert "refused" in take(other).plans[0]
    assert take(other, alongside=True).plans[0]["plan_id"]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"{", "no JSON"),
        (b"[]", "no FHIR resource"),
        (b'{"resourceType": "Bundle"}', "only nothing"),
        (b'{"resourceType": "Medication"}', "only Medication"),
    ],
)
def test_what_is_no_plan_is_refused(take: Callable[..., Imported], raw: bytes, why: str) -> None:
    """In a sentence that says what is missing."""
    with pytest.raises(InvalidDataError, match=why):
        take(raw)


def test_our_own_export_can_be_imported(house: House, clinic: Clinic) -> None:
    """Every plan of the demo as FHIR, read back: its goals, concerns and measured values are there."""
    demo = Demo().load(ANCHORS[2])
    for plan in demo.plans.values():
        raw = json.dumps(bundle(*resources(UUID(int=7), plan).values())).encode()
        somebody = replace(who(clinic), member_id=uuid4())
        done = import_fhir(house.container.plans, somebody, raw, NOW, alongside=True)
        read = plan_of(house, clinic, done)
        statements = {held.statement for held in plan.state.goals.goals}
        assert statements == {held.statement for held in read.state.goals.goals}
        concerns = {held.description for held in plan.state.opening.concerns}
        assert concerns <= {held.description for held in read.state.opening.concerns}
