"""Being forgotten, on a page: asked for by the client or an officer, thought over, approved, done."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest

from service.access import ACCESS, ROLES
from tests.api.house import House
from tests.api.test_pages_people import Sitting, at
from tests.api.world import World, new_world


@pytest.fixture
def world(house: House) -> World:
    """A clinic with somebody of every role; its client has a plan."""
    world = new_world(house)
    house.catch_up()
    return world


def waiting(world: World) -> list[dict[str, Any]]:
    """What waits for an officer's word."""
    found: list[dict[str, Any]] = (
        world["admin"].get("/v1/clinic/proposals?status=open").json["proposals"]
    )
    return found


@pytest.mark.parametrize("role", ROLES)
def test_who_may_ask_has_the_page(world: World, role: str) -> None:
    """As the table has it; everybody else is told that it is not for them."""
    may = role in ACCESS["erasure.ask"]
    shown = at(world, role).read("/erasure", 200 if may else 403)
    assert ("cannot be taken back" in shown) == (may and role != "client")
    assert ("not a word of it" in shown) == (role == "client")


def test_an_officer_asks_by_form(world: World) -> None:
    """What is missing is said beside the field, and what was typed is there again."""
    sitting = at(world, "privacy_officer")
    refused = sitting.post("/erasure", client_ref="c-1", why="", early="yes")
    assert refused.status_code == 422
    assert 'id="why-wrong"' in refused.text
    assert 'value="c-1"' in refused.text
    assert " checked" in refused.text
    refused = sitting.post("/erasure", client_ref="c-nobody", why="They asked", early="yes")
    assert (refused.status_code, 'id="client_ref-wrong"' in refused.text) == (409, True)
    refused = sitting.post("/erasure", client_ref="c-1", why="They asked")
    assert (refused.status_code, 'id="early-wrong"' in refused.text) == (409, True)
    assert waiting(world) == []
    done = sitting.post("/erasure", client_ref="c-1", why="They asked", early="yes")
    assert done.status_code == 303
    assert "Asked for." in sitting.read(done.headers["Location"])
    assert "The records of client c-1 were erased (1 plan)." in at(world, "admin").read("/people")


def test_a_form_sent_twice_asks_once(world: World) -> None:
    """A double click."""
    sitting = at(world, "admin")
    key = "00000000-0000-4000-8000-00000000000a"
    form = {"client_ref": "c-1", "why": "They asked", "early": "yes", "key": key}
    assert [sitting.post("/erasure", **form).status_code for _ in range(2)] == [303, 303]
    assert len(waiting(world)) == 1


def test_a_client_asks_and_thinks_again(world: World) -> None:
    """Without a reason if they have none to give; only for themselves, whatever the form says."""
    sitting = at(world, "client")
    assert "/erasure" in sitting.read(sitting.browser.get("/my-plan").headers["Location"])
    done = sitting.post("/erasure", client_ref="c-somebody-else")
    assert done.status_code == 303
    [held] = waiting(world)
    assert held["entries"][0]["data"]["client_ref"] == "c-1"
    assert held["proposed"]["by"]["name"] == "The client"
    shown = sitting.read("/erasure")
    assert "You asked to be forgotten" in shown
    assert "Ask to be forgotten" not in shown
    form = {"proposal_id": held["proposal_id"]}
    assert sitting.post("/erasure/withdraw", **form).status_code == 303
    assert waiting(world) == []
    assert "Ask to be forgotten" in sitting.read("/erasure")
    assert sitting.post("/erasure/withdraw", **form).status_code == 303, (
        "a double click does no harm"
    )


def test_what_is_approved_is_done(world: World) -> None:
    """From then on the client is signed out and their plan is nobody's."""
    client, officer = at(world, "client"), at(world, "privacy_officer")
    client.post("/erasure")
    other = world.house.sign_in(world.clinic, "privacy_officer", name="Otto Officer")
    [held] = waiting(world)
    for sitting in (officer, Sitting(world.house, other)):
        done = sitting.post(f"/people/proposals/{held['proposal_id']}/approve")
        assert done.status_code == 303, done.text
    assert client.browser.get("/my-plan").headers["Location"].startswith("/sign-in")
    assert world.trainee.get(f"/v1/plans/{world.plan_id}").status_code == 404


def told_of(world: World) -> list[Any]:
    """What the replay keeps in memory of the plan."""
    replay, plan = world.house.container.replay, (world.clinic.clinic_id, UUID(world.plan_id))
    kept = (replay._lives, replay._seen, replay._folds)
    return [key for held in kept for key in held._held if key[:2] == plan]


def test_pages_say_nothing_of_whom_was_forgotten(world: World) -> None:
    """Neither what was drawn of their plan before, nor the audit's lists of looks and emergencies."""
    therapist, client = Sitting(world.house, world.trainee), at(world, "client")
    place = f"/plans/{world.plan_id}/replay"
    for sitting in (therapist, client):
        assert sitting.browser.get(place).status_code == 200
    other = Sitting(world.house, world.house.sign_in(world.clinic, "clinician"))
    form = {"plan": world.plan_id, "why": "The phone rang at night", "minutes": "30"}
    assert other.post("/emergency", **form).status_code == 303
    officer = at(world, "privacy_officer")
    world.house.catch_up()
    assert "The phone rang at night" in officer.read("/audit/emergencies")
    assert told_of(world)
    client.post("/erasure")
    second = world.house.sign_in(world.clinic, "privacy_officer", name="Otto Officer")
    [held] = waiting(world)
    for sitting in (officer, Sitting(world.house, second)):
        sitting.post(f"/people/proposals/{held['proposal_id']}/approve")
    world.house.catch_up()
    assert therapist.browser.get(place).status_code == 404
    assert not told_of(world)
    auditor = at(world, "auditor")
    for path in ("/audit", "/audit/looks", "/audit/emergencies", "/audit/disclosures"):
        shown = auditor.read(path)
        assert "The phone rang at night" not in shown
        assert not re.search(r"(?<![0-9a-f])c-1(?![0-9a-f-])", shown), (
            path
        )  # in ids it may stand by chance
