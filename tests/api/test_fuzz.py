"""Requests nobody thought of, made from the description: no answer is an error of ours or undescribed.

A short slice runs always, the same every time; ``pytest -m slow`` goes on with other requests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import schemathesis
from flask import Flask, Response
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from api import auth
from api.app import create_app
from service.settings import Settings
from tests.api.house import Desk, House, goal, new_desk
from tests.conftest import Caller

# Schemathesis draws from ``random`` inside its strategies, which Hypothesis warns of.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    ignored_auth,  # what is answered with a token is refused without one, and with another
    unsupported_method,
    allow_header_conformance,
]


class Fuzz:
    """The description, read by Schemathesis from the application in process, and who sends requests."""

    def __init__(self, app: Flask, caller: Caller, known: dict[str, str]) -> None:
        self.schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
        self.caller = caller
        self.known = known
        found = [held.ok() for held in self.schema.get_all_operations() if isinstance(held, Ok)]
        self.operations = {held.definition.raw["operationId"]: held for held in found}

    def run(self, operation_id: str, examples: int, *, derandomize: bool = True) -> Counter[int]:
        """Send so many requests that fit the description, and as many that do not; the answers' codes."""
        codes: Counter[int] = Counter()
        for mode in GenerationMode:
            for known in self._paths(operation_id):
                self._send(operation_id, mode, known, max(examples // 2, 1), codes, derandomize)
        return codes

    def _paths(self, operation_id: str) -> list[dict[str, str] | None]:
        """Path parameters as generated, and those of a plan that is there."""
        path = self.operations[operation_id].path
        there = {name: held for name, held in self.known.items() if f"{{{name}}}" in path}
        return [None, there] if there else [None]

    def _send(
        self,
        operation_id: str,
        mode: GenerationMode,
        known: dict[str, str] | None,
        examples: int,
        codes: Counter[int],
        derandomize: bool,
    ) -> None:
        @settings(
            max_examples=examples,
            derandomize=derandomize,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(self.operations[operation_id].as_strategy(mode))
        def send(case: Case[Any]) -> None:
            (case.query or {}).pop("at_least", None)  # asks to wait; 503 when it was in vain
            if known is not None:
                case.path_parameters = dict(known)
            answer = case.call_and_validate(headers=self.caller.headers, checks=CHECKS)
            codes[answer.status_code] += 1

        try:
            send()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, "An operation without anything to get wrong"


@pytest.fixture(scope="module")
def lived(house: House) -> Desk:
    """A plan to fuzz at."""
    desk = new_desk(house, "supervisor")
    desk.record(goal(), goal())
    house.catch_up()
    return desk


@pytest.fixture(scope="module")
def fuzz(house: House, lived: Desk) -> Fuzz:
    """Schemathesis over the whole description, as a supervisor with a plan."""
    known = {"plan_id": lived.plan_id, "entry_id": lived.timeline()[1]["entry_id"]}
    return Fuzz(house.app, lived.caller, known)


def operation_ids() -> list[str]:
    """Every operation of the API, by its id."""
    nothing: Any = SimpleNamespace(settings=Settings())  # only the description is asked for
    described = create_app(nothing).test_client().get("/openapi.json").get_json()
    return [
        operation["operationId"]
        for operations in described["paths"].values()
        for method, operation in operations.items()
        if method in ("get", "post", "put", "delete")
    ]


@pytest.mark.parametrize("operation_id", operation_ids())
def test_no_request_brings_an_answer_that_is_not_described(fuzz: Fuzz, operation_id: str) -> None:
    """A few requests to each operation, the same on every run."""
    codes = fuzz.run(operation_id, 6)
    assert codes
    assert not [code for code in codes if code >= 500]


@pytest.mark.slow
@pytest.mark.parametrize("operation_id", operation_ids())
def test_no_request_of_many_either(fuzz: Fuzz, operation_id: str) -> None:
    """Many requests to each operation, others on every run."""
    assert fuzz.run(operation_id, 60, derandomize=False)


def fail() -> Response:
    """A view that fails."""
    raise RuntimeError


BROKEN: dict[str, Callable[[], Response]] = {
    "fails": fail,
    "says what is not described": lambda: Response(
        '{"clinic_id":"x"}', mimetype="application/json"
    ),
    "says it in another format": lambda: Response("<p>me</p>", mimetype="text/html"),
    "says it under another code": lambda: Response("{}", 302, mimetype="application/json"),
}


@pytest.mark.parametrize("view", BROKEN.values(), ids=BROKEN)
def test_a_broken_view_is_caught(house: House, lived: Desk, view: Callable[[], Response]) -> None:
    """The negative control: the same run over an application broken on purpose fails."""
    app = create_app(house.container)
    app.view_functions["catalogue.who_am_i"] = view
    with pytest.raises((Failure, FailureGroup)):
        Fuzz(app, lived.caller, {}).run("who_am_i", 2)


def test_a_route_without_a_lock_is_caught(
    house: House, lived: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: a route that answers whoever asks, though its description wants a token."""
    app = create_app(house.container)
    monkeypatch.setattr(auth, "OPEN", auth.OPEN | {"catalogue.list_entry_types"})
    with pytest.raises((Failure, FailureGroup), match=r"(?i)auth"):
        Fuzz(app, lived.caller, {}).run("list_entry_types", 2)


def test_fuzzing_gets_through(fuzz: Fuzz) -> None:
    """The slice is not all refusals: reading succeeds, and what is sent wrong is refused."""
    assert fuzz.run("plan_timeline", 6)[200]
    codes: Counter[Any] = fuzz.run("find_plans", 6)
    assert codes[200]
    assert codes[400]
