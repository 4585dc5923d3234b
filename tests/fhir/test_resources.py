"""Plans as FHIR resources: all that the demo clinic yields is valid, leads somewhere and keeps its versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

import domain.clinic  # noqa: F401 - the clinic's own entries have decisions, too
from domain.entry import EVERY_TYPE
from domain.plan import Plan
from service.demo.lives import LIVES
from service.demo.people import PEOPLE
from service.fhir.audit import audit_event
from service.fhir.capability import capability_statement
from service.fhir.decisions import DECISIONS, MAKERS
from service.fhir.resources import Key, resource, resources
from tests.fhir.checkers import Resource, by_rules, by_schema, references
from tests.service.demo.test_demo_lives import ANCHORS, Clinic

CLINIC = UUID(int=7)
LIFE_KEYS = sorted(life.key for life in LIVES)


@pytest.fixture(scope="module")
def demo() -> Clinic:
    """The demo clinic, recorded by the real rules, without a database."""
    return Clinic().load(ANCHORS[2])


@pytest.fixture(scope="module")
def everything(demo: Clinic) -> dict[Key, Resource]:
    """Every resource of all its plans."""
    found: dict[Key, Resource] = {}
    for plan in demo.plans.values():
        found |= resources(CLINIC, plan)
    return found


def of_kind(everything: dict[Key, Resource], kind: str) -> Iterator[Resource]:
    """The resources of one type."""
    return (held for (held_kind, _), held in everything.items() if held_kind == kind)


# The checkers


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"resourceType": "CarePlan", "status": "paused"}, "terminology.required"),
        (
            {
                "resourceType": "CarePlan",
                "status": "active",
                "activity": [{"reference": {"display": "x"}, "detail": {"status": "scheduled"}}],
            },
            "cpl-3",
        ),
        ({"resourceType": "Goal", "target": [{"detailString": "x"}]}, "gol-1"),
    ],
)
def test_the_checkers_see_what_a_schema_alone_does_not(wrong: Resource, rule: str) -> None:
    """A status from nowhere, an activity told twice and a target without its measure are found."""
    subject = {"reference": "Patient/1"}
    known = {"intent": "plan"} if wrong["resourceType"] == "CarePlan" else {
        "lifecycleStatus": "active", "description": {"text": "x"}
    }  # fmt: skip
    shown = {**known, "subject": subject, **wrong}
    assert by_schema(shown) == []
    assert any(rule in held for held in by_rules(shown))


def test_the_schema_sees_what_is_no_element() -> None:
    """A misspelt element is found by both."""
    wrong = {"resourceType": "Patient", "nmae": [{"text": "x"}]}
    assert by_schema(wrong)
    assert by_rules(wrong)


# Every resource


def test_every_resource_of_the_demo_is_valid_by_schema(everything: dict[Key, Resource]) -> None:
    """HL7's JSON Schema of R4 finds nothing."""
    wrong = {key: found for key, held in everything.items() if (found := by_schema(held))}
    assert wrong == {}


def test_every_resource_of_the_demo_is_valid_by_rules(everything: dict[Key, Resource]) -> None:
    """The rules find nothing with HL7's definitions finds nothing: no broken invariant, no code from nowhere."""
    wrong = {key: found for key, held in everything.items() if (found := by_rules(held))}
    assert wrong == {}


def test_every_mapped_type_occurs_in_the_demo(everything: dict[Key, Resource]) -> None:
    """So each was looked at by the checkers."""
    assert {kind for kind, _ in everything} == {"CarePlan", "Patient", "Provenance", *MAKERS}


def test_the_capability_statement_and_audit_events_are_valid() -> None:
    """They are resources, too."""
    look = {
        "look_id": 7, "looked_at": "2026-03-02T09:00:00Z", "member_id": str(UUID(int=1)), "name": "Robin",
        "role": "clinician", "action": "plans.read", "plan_id": str(UUID(int=2)), "version": 3,
        "asked": None, "why": "emergency", "view": "full", "allowed": True, "address": "::1",
        "request_id": "r-1",
    }  # fmt: skip
    refused = {**look, "allowed": False, "why": None, "view": None, "plan_id": None}
    for held in (
        capability_statement("http://here/fhir/R4"),
        audit_event(look),
        audit_event(refused),
    ):
        assert by_schema(held) == []
        assert by_rules(held) == []


def test_every_reference_leads_somewhere(demo: Clinic, everything: dict[Key, Resource]) -> None:
    """To a resource of the clinic, in that very version where one is named."""
    people = {person.member_id for person in PEOPLE.values()}
    for held in everything.values():
        for reference in references(held):
            kind, resource_id, *versioned = reference.split("/")
            if kind == "Practitioner":
                assert resource_id in people
                continue
            assert (kind, resource_id) in everything, reference
            if versioned:
                plan = demo.plans[UUID(resource_id.partition(".")[0])]
                number = int(versioned[1])
                then = resource(CLINIC, plan, number, (kind, resource_id))
                assert then is not None, reference
                assert then["meta"]["versionId"] == versioned[1], reference


# Decisions


def test_every_type_of_entry_has_its_decision() -> None:
    """And no decision is about a type that does not exist."""
    assert set(DECISIONS) == set(EVERY_TYPE)


def test_every_entry_has_its_provenance(demo: Clinic, everything: dict[Key, Resource]) -> None:
    """With the plan at that version as its target, its author and both clocks."""
    for entry in demo.entries:
        held = everything["Provenance", f"{entry.plan_id}.{entry.version}"]
        assert {"reference": f"CarePlan/{entry.plan_id}/_history/{entry.version}"} in held["target"]
        assert held["agent"][0]["who"]["display"] == entry.recorded_by.name
        assert held["activity"]["text"] == entry.type


# Versions


@pytest.mark.parametrize("life", LIFE_KEYS)
def test_what_changes_gets_a_new_version_and_nothing_vanishes(demo: Clinic, life: str) -> None:
    """Version by version of a plan: a resource that reads differently says so, and none is ever lost."""
    plan = demo.plan(life)
    before: dict[Key, Resource] = {}
    for version in range(1, plan.version + 1):
        now = resources(CLINIC, plan, version)
        assert before.keys() <= now.keys()
        for key, held in now.items():
            if "meta" in held and bare(held) != bare(before.get(key, {})):
                assert held["meta"]["versionId"] == str(version), (key, version)
        before = now


def bare(held: Resource) -> Resource:
    """A resource without what tells its version."""
    return {name: value for name, value in held.items() if name != "meta"}


@pytest.mark.parametrize("life", LIFE_KEYS)
def test_a_resource_made_alone_is_the_same(demo: Clinic, life: str) -> None:
    """Reading one is no second mapping beside reading all."""
    plan = demo.plan(life)
    for key, held in resources(CLINIC, plan).items():
        assert resource(CLINIC, plan, plan.version, key) == held
    for kind in ("CarePlan", "Patient", "Goal"):
        assert resource(CLINIC, plan, plan.version, (kind, "nobody")) is None


def test_an_entry_in_error_stays_visible(demo: Clinic, everything: dict[Key, Resource]) -> None:
    """What it made is entered-in-error, and the mark's Provenance says NULLIFY."""
    marks = [entry for entry in demo.entries if entry.type == "EntryMarkedInError"]
    assert marks
    for mark in marks:
        plan = demo.plans[mark.plan_id]
        wrong = plan.entry(mark.data.entry_id)  # type: ignore[attr-defined] # a mark has it
        said = everything["Provenance", f"{plan.id}.{mark.version}"]["activity"]["coding"][0][
            "code"
        ]
        assert said == "NULLIFY"
        for kind, _ in DECISIONS[wrong.type].makes:
            if wrong.entry_id in plan.settled.gone:
                shown = everything[kind, f"{plan.id}.{wrong.version}"]
                assert "entered-in-error" in str(shown)


def test_a_swap_replaces_and_a_relapse_waits(demo: Clinic, everything: dict[Key, Resource]) -> None:
    """The new ServiceRequest replaces the old, revoked one; an open relapse's Flag is active."""
    swapped = [held for held in of_kind(everything, "ServiceRequest") if "replaces" in held]
    assert swapped
    for held in swapped:
        kind, old = held["replaces"][0]["reference"].split("/")
        assert everything[kind, old]["status"] == "revoked"
    open_relapses = {
        f"{plan.id}.{plan.entry(relapse.entry_id).version}"
        for plan in demo.plans.values()
        for relapse in plan.state.course.relapses
        if relapse.status == "open"
    }
    active = {
        held["id"]
        for held in of_kind(everything, "Flag")
        if held["status"] == "active" and held["category"][0]["coding"][0]["code"] == "behavioral"
    }
    assert active == open_relapses


def test_totals_carry_their_loinc_codes(everything: dict[Key, Resource]) -> None:
    """PHQ-9 and GAD-7 as others know them."""
    codes = {
        coding["code"]
        for held in of_kind(everything, "Observation")
        for coding in held["code"].get("coding", ())
        if coding["system"] == "http://loinc.org"
    }
    assert codes == {"44261-6", "70274-6"}


def test_no_plan_shows_more_than_its_version_knew(demo: Clinic) -> None:
    """The CarePlan of a version is the one fold stopped there."""
    plan: Plan = demo.plan(LIFE_KEYS[0])
    early: Any = resource(CLINIC, plan, 1, ("CarePlan", str(plan.id)))
    assert early["status"] == "draft"
    assert "goal" not in early
