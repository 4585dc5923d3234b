"""A client's app reads their own plan as FHIR: all of it but the working notes of those who treat them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import UUID

import pytest

from domain.entry import TYPES, Entry
from domain.fields import Ref, fields_of
from domain.release import held_back
from service.fhir.facade import KINDS, OF_PLANS
from service.kept import Kept
from service.reading import reading_plan
from tests.api.house import House, entry, goal
from tests.api.living import Living
from tests.api.test_views import HELD, OPEN, living, people
from tests.conftest import Caller
from tests.fhir.checkers import Resource, by_rules, by_schema, references
from tests.fhir.test_facade import found, get

__all__ = ["living"]


@pytest.fixture(scope="module")
def client(living: Living) -> Caller:
    """The client's own app, signed in as them."""
    return people(living)["client"]


@pytest.fixture(scope="module")
def entries(living: Living) -> list[Entry]:
    """Everything that was recorded in the plan, working notes and all."""
    plans = living.desk.house.container.gate.plans
    plan_id = UUID(living.desk.plan_id)
    with reading_plan(plans, living.desk.clinic.clinic_id, plan_id) as plan:
        return list(plan.entries)


@pytest.fixture(scope="module")
def back(entries: list[Entry]) -> list[Entry]:
    """The entries that are held back."""
    ids = held_back(entries)
    return [held for held in entries if held.entry_id in ids]


def everything(caller: Caller) -> Iterator[Resource]:
    """Every resource that can be found."""
    for kind in (*OF_PLANS, "Patient"):
        yield from found(caller, f"/{kind}?_count=200")


def versions(caller: Caller, resource: Resource) -> Iterator[Resource]:
    """Every version of a resource there is to be read, by its history and one by one."""
    if resource["resourceType"] not in OF_PLANS:
        return
    place = f"/{resource['resourceType']}/{resource['id']}"
    for held in found(caller, f"{place}/_history?_count=200"):
        yield held
        yield get(caller, f"{place}/_history/{held['meta']['versionId']}").json


def leaks(caller: Caller) -> set[str]:
    """The resources in which, at any version, the mark of a working note is read."""
    return {
        f"{held['resourceType']}/{held['id']}/_history/{held['meta']['versionId']}"
        for resource in everything(caller)
        for held in (resource, *versions(caller, resource))
        if HELD in json.dumps(held)
    }


def test_nothing_of_a_working_note_is_read_in_any_version(living: Living, client: Caller) -> None:
    """Found, read, in histories, version by version: no word of what is held back, and all the rest."""
    assert leaks(client) == set()
    said = json.dumps(list(everything(client)))
    assert OPEN in said
    assert leaks(living.therapist), "The search finds what there is to find"


def test_a_filter_that_is_skipped_is_noticed(
    living: Living, client: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: with nothing held back the search above finds it, in what notes made and in who made them."""
    monkeypatch.setattr("domain.release.held_back", lambda _: frozenset())
    monkeypatch.setattr(living.desk.house.container.fhir, "_kept", Kept(1))
    kinds = {place.partition("/")[0] for place in leaks(client)}
    assert {"Observation", "Provenance", "CarePlan"} <= kinds


def test_what_a_client_reads_is_valid(client: Caller) -> None:
    """Both checkers find nothing in it."""
    shown = list(everything(client))
    assert {held["resourceType"] for held in shown} == {*KINDS} - {"Practitioner"}
    wrong = {held["id"]: said for held in shown if (said := [*by_schema(held), *by_rules(held)])}
    assert wrong == {}


def test_what_is_held_back_is_not_there(living: Living, client: Caller, back: list[Entry]) -> None:
    """Neither what a note made nor who wrote it, nor the version of the plan that only it made."""
    plan_id = living.desk.plan_id
    for held in back:
        for kind in OF_PLANS[1:]:
            assert get(client, f"/{kind}/{plan_id}.{held.version}").status_code == 404
        assert get(client, f"/CarePlan/{plan_id}/_history/{held.version}").status_code == 404
        assert get(living.therapist, f"/Provenance/{plan_id}.{held.version}").status_code == 200


def test_the_versions_of_the_plan_are_those_its_client_could_see(
    living: Living, client: Caller, entries: list[Entry], back: list[Entry]
) -> None:
    """Numbered as in the plan, newest first; each reads like what it was read as before."""
    hidden = {held.version for held in back}
    shown = found(client, f"/CarePlan/{living.desk.plan_id}/_history?_count=200")
    numbers = [int(held["meta"]["versionId"]) for held in shown]
    assert numbers == [held.version for held in reversed(entries) if held.version not in hidden]
    for held in shown[::7]:
        place = f"/CarePlan/{held['id']}/_history/{held['meta']['versionId']}"
        assert get(client, place).json == held


def test_what_a_client_reads_leads_to_what_they_can_read(client: Caller) -> None:
    """Every reference, versions included; and the people it names."""
    named = {held for one in everything(client) for held in references(one)}
    assert any(held.startswith("Practitioner/") for held in named)
    for reference in named:
        assert get(client, f"/{reference}").status_code == 200, reference


def test_a_working_note_changes_nothing_for_the_client(house: House) -> None:
    """Whoever has the plan is told that it is the newest they can have, before the note and after."""
    living = Living.begin(house)
    desk = living.desk
    desk.record(goal())
    house.catch_up()
    reader = people(living)["client"]
    first = get(reader, f"/CarePlan/{desk.plan_id}")
    assert first.status_code == 200
    desk.record(entry("ObservationRecorded", kind="other", text="Looked tired"))
    again = get(reader, f"/CarePlan/{desk.plan_id}", If_None_Match=first.headers["ETag"])
    assert again.status_code == 304


def test_other_people_are_not_theirs_to_read(living: Living, client: Caller) -> None:
    """Another client's plan is not there; nor are colleagues who have nothing to do with theirs, nor clients."""
    desk = living.desk
    other = desk.house.sign_in(
        desk.clinic, "clinician", name="Jo Elsewhere", member_id=UUID(int=91)
    )
    opened = Living.begin(desk.house).desk.plan_id
    assert get(client, f"/CarePlan/{opened}").status_code == 404
    admin = desk.house.sign_in(desk.clinic, "admin")
    joined = entry("MemberJoined", member_id=str(other.who.member_id), name="Jo", role="clinician")
    assert admin.post("/v1/clinic/entries", {"entries": [joined]}).status_code == 201
    stranger = f"/Practitioner/{other.who.member_id}"
    assert get(living.therapist, stranger).status_code == 200
    assert get(client, stranger).status_code == 404
    assert found(client, f"/Practitioner?_id={other.who.member_id}") == []
    for reader in (client, living.therapist):
        assert get(reader, f"/Practitioner/{client.who.member_id}").status_code == 404


def test_nothing_released_is_about_a_working_note() -> None:
    """So whatever falls with a note that was entered in error is held back with it."""
    private = {name for name, cls in TYPES.items() if cls.PRIVATE}
    assert private
    for name in {*TYPES} - private:
        links = [spec.link for spec in fields_of(TYPES[name])]
        about = {link.kind for link in links if isinstance(link, Ref) and link.hard}
        assert not about & private, name
