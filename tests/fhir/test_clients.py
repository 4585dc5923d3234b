"""FHIR clients which other people make read the demo clinic from the real server."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from fhirclient.models.careplan import CarePlan
from fhirclient.models.goal import Goal
from fhirclient.server import FHIRServer
from fhirpy import SyncFHIRClient

from tests.service.servers import reachable_folder
from tests.service.serving import Serving, serving


@pytest.fixture(scope="module")
def served() -> Iterator[Serving]:
    """The demo clinic, served."""
    with reachable_folder() as folder, serving(folder / "home", "--demo") as started:
        yield started


@pytest.fixture(scope="module")
def token(served: Serving) -> str:
    """A supervisor's or clinician's token, whoever has most plans within reach."""
    people = json.loads((served.home / "demo.json").read_text("utf-8"))["people"]
    return str(next(held["token"] for held in people if held["role"] == "clinician"))


def test_fhirpy_reads_plans_and_their_goals(served: Serving, token: str) -> None:
    """It follows pages, resolves references and reads an older version."""
    client = SyncFHIRClient(f"{served.address}/fhir/R4", authorization=f"Bearer {token}")
    plans = client.resources("CarePlan").limit(2).fetch_all()
    assert len(plans) >= 3
    for plan in plans:
        goals = client.resources("Goal").search(patient=plan.subject.id).fetch_all()
        named = {held.id for held in plan["goal"]}
        assert named <= {held.id for held in goals}
        assert plan.subject.to_resource()["resourceType"] == "Patient"
    first = client.execute(f"CarePlan/{plans[0].id}/_history/1", method="GET")
    assert first["meta"]["versionId"] == "1"


def test_fhirclient_reads_them_into_its_strict_models(served: Serving, token: str) -> None:
    """Its models refuse what R4 does not know: unknown elements, wrong types, missing ones."""
    server = FHIRServer(None, base_uri=f"{served.address}/fhir/R4/")
    server.session.headers["Authorization"] = f"Bearer {token}"
    plans = list(CarePlan.where(struct={}).perform_resources_iter(server))
    assert plans
    goal = Goal.read_from(plans[0].goal[0].reference, server)
    assert goal.description.text
    server.session.close()
