"""Requests one after the other, each made from what earlier ones were answered: Schemathesis' stateful phase.

It goes where answers lead – by the description's links, and by those Schemathesis infers – and looks at every
answer as the other fuzzing does. A short slice runs always; ``pytest -m slow`` goes on for longer.
"""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import update_wrapper
from random import Random
from typing import Any

import pytest
import schemathesis
from flask import Flask, Response, g
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import FlakyStrategyDefinition
from schemathesis.checks import CheckFunction
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi import stateful
from schemathesis.specs.openapi.checks import (
    ensure_resource_availability,
    use_after_free,
)

from api.app import create_app
from tests.api.house import House
from tests.api.test_fuzz import CHECKS
from tests.api.test_webhooks import URL
from tests.conftest import Caller

pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
ALL_CHECKS: list[CheckFunction] = [*CHECKS, ensure_resource_availability, use_after_free]
"""All but whether every body that fits the description is taken: a goal_id may fit and be nobody's."""


@dataclass
class Seen:
    """What a run has seen: answers by operation and status, and which links were followed."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    links: Counter[str] = field(default_factory=Counter)

    @property
    def cases(self) -> int:
        """How many requests were sent."""
        return sum(self.answers.values())

    def good(self, operation: str) -> int:
        """How many requests to an operation were granted."""
        return sum(
            n for (name, code), n in self.answers.items() if name == operation and code < 300
        )

    def __str__(self) -> str:
        """The figures, in a line."""
        operations = {name for name, _ in self.answers}
        codes = Counter[int]()
        for (_, code), n in self.answers.items():
            codes[code] += n
        told = ", ".join(f"{code}: {n}" for code, n in sorted(codes.items()))
        return f"{self.cases} requests to {len(operations)} operations by {len(self.links)} links ({told})"


@dataclass
class Cast:
    """Who asks for what, in a clinic of their own."""

    callers: dict[str, Caller]

    @classmethod
    def of(cls, house: House) -> Cast:
        """One of each role that is needed; the clinician treats nobody, so that they may have an emergency."""
        clinic = house.clinic()
        roles = ("supervisor", "admin", "privacy_officer", "clinician")
        return cls({role: house.sign_in(clinic, role) for role in roles})

    def for_operation(self, raw: dict[str, Any]) -> Caller:
        """Who may: always the same for the same operation, so that what one made is there for them."""
        if raw["operationId"] == "take_emergency_access":
            return self.callers["clinician"]
        allowed = raw.get("x-allowed-to", ["supervisor"])
        return next(held for role, held in self.callers.items() if role in allowed)


def fill_in(case: Any, cast: Cast, known: dict[str, dict[str, list[str]]], rng: Random) -> None:
    """Put in what only the callers can know: who they are, and the ids of what they made."""
    (case.query or {}).pop("at_least", None)  # asks to wait; 503 when it was in vain
    (case.query or {}).pop("timeout", None)
    operation, body = case.operation.definition.raw["operationId"], case.body
    if not isinstance(body, dict) or case.meta.generation.mode.is_negative:
        return
    if operation == "open_plan":
        body["therapist_id"] = str(cast.callers["supervisor"].who.member_id)
        body["alongside"] = True
        body.pop("replaces_plan_id", None)
    elif operation == "create_webhook":
        body["url"] = URL
        body.pop("after", None)
    elif operation == "take_emergency_access" and known:
        body.pop("client_ref", None)
        body["plan_id"] = rng.choice([*known])
    elif operation == "record_entries":
        there = known.get(str((case.path_parameters or {}).get("plan_id")), {})
        me = str(cast.callers["supervisor"].who.member_id)
        there = {**there, "to_member_id": [me]}  # a plan that is given away is not there any more
        for entry in body.get("entries", ()):
            point_at(entry.get("data"), there, rng)


def point_at(data: Any, there: dict[str, list[str]], rng: Random) -> None:
    """Let an entry refer to what its plan has, as often as not."""
    for name in list(data) if isinstance(data, dict) else ():
        ids = there.get(name.removesuffix("s"))
        if ids and (name == "to_member_id" or rng.random() < 0.7):
            data[name] = rng.choice(ids) if name.endswith("_id") else [rng.choice(ids)]


BEGINNINGS = (
    "open_plan",
    "create_webhook",
    "list_plans",
    "take_emergency_access",
    "clinic_timeline",
)


def is_beginning(operation: Any, *_: Any) -> bool:
    """Where scenarios begin. Schemathesis would not open plans: nobody makes the therapists they name."""
    return operation.definition.raw["operationId"] in BEGINNINGS


class Played:
    """What a cast adds to Schemathesis' state machine: who asks, and what they know by now."""

    house: House
    seen: Seen
    seed: int
    recorder: Any

    def setup(self) -> None:
        """A scenario begins, in a clinic of its own."""
        self.cast, self.rng = Cast.of(self.house), Random(self.seed)
        self.known: dict[str, dict[str, list[str]]] = {}

    def step(self, input: Any) -> Any:  # noqa: A002 - the library's name
        """Send one request, made from an earlier answer or not."""
        if input.transition is not None:
            self.seen.links[input.transition.id] += 1
        return super().step(input)  # type: ignore[misc] # of the machine it is mixed into

    def before_call(self, case: Any) -> None:
        """Let somebody ask who may."""
        caller = self.cast.for_operation(case.operation.definition.raw)
        case.headers.update(caller.headers)
        fill_in(case, self.cast, self.known, self.rng)

    def after_call(self, response: Any, case: Any) -> None:
        """Count the answer, and learn what was made."""
        super().after_call(response, case)  # type: ignore[misc] # as above
        operation = case.operation.definition.raw["operationId"]
        self.seen.answers[operation, response.status_code] += 1
        if response.status_code != 201 or operation not in ("open_plan", "record_entries"):
            return
        answer = response.json()
        there = self.known.setdefault(answer["plan_id"], defaultdict(list))
        for name, held in (pair for entry in answer["entries"] for pair in entry.items()):
            if name.endswith("_id"):
                there[name].append(held)

    def validate_response(self, response: Any, case: Any, *_: Any, **__: Any) -> None:
        """Look at the answer."""
        caller = self.cast.for_operation(case.operation.definition.raw)
        case.validate_response(
            response, checks=ALL_CHECKS, headers=caller.headers, recorder=self.recorder
        )


def machine(app: Flask, house: House, seen: Seen, seed: int, within: str) -> Any:
    """Schemathesis' state machine over the description, or some paths of it, played by a cast."""
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app).include(path_regex=within)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stateful, "is_likely_root_transition", is_beginning)
        base: Any = schema.as_state_machine()
    return type("Workflow", (Played, base), {"house": house, "seen": seen, "seed": seed})


def run(
    app: Flask,
    house: House,
    scenarios: int,
    *,
    steps: int = 12,
    seed: int | None = None,
    within: str = "",
) -> Seen:
    """Play so many scenarios; with a ``seed`` the same requests begin every time."""
    seen = Seen()
    how = settings(
        max_examples=scenarios,
        stateful_step_count=steps,
        derandomize=seed is not None,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    # What can be asked next follows from the answers, and those hold fresh ids each time: where Hypothesis
    # tries a beginning again and finds another continuation, it gives up, and nothing is wrong.
    with contextlib.suppress(FlakyStrategyDefinition):
        machine(app, house, seen, seed or 0, within).run(settings=how)
    return seen


def test_where_answers_lead_all_is_as_described(house: House) -> None:
    """A few scenarios: plans are opened and gone into, webhooks made and minded."""
    seen = run(house.app, house, 25, seed=1)
    print(seen)  # noqa: T201 - the figures, for who asks with -s
    assert seen.good("open_plan"), str(seen)
    assert seen.good("create_webhook"), str(seen)
    assert len(seen.links) >= 10, str(seen)


@pytest.mark.slow
def test_where_answers_lead_for_long(house: House) -> None:
    """Many scenarios, others on every run: nearly every operation is granted something."""
    seen = Seen()
    for _ in range(30):
        more = run(house.app, house, 20, steps=20)
        seen.answers += more.answers
        seen.links += more.links
    print(seen)  # noqa: T201 - as above
    assert seen.cases > 3_000
    granted = {name for name, code in seen.answers if code < 300}
    assert {"record_entries", "read_entry", "review_emergency_access"} <= granted, sorted(granted)
    assert len(granted) >= 20, sorted(granted)


# What the run would find: four mistakes on purpose


BROKEN: dict[str, tuple[str, Response]] = {
    "fails": ("plans.open_plan", Response("no", 500)),
    "is not there": ("plans.read_plan", Response("{}", 404, mimetype="application/problem+json")),
    "stays there": ("webhooks.delete_webhook", Response("", 204)),
}
"""The operation, and what it answers instead."""
WITHIN = {
    "plans.open_plan": r"^/v1/plans",
    "plans.read_plan": r"^/v1/plans",
    "webhooks.delete_webhook": r"^/v1/webhooks",
}


@pytest.mark.parametrize(("endpoint", "answer"), BROKEN.values(), ids=BROKEN)
def test_a_broken_view_is_caught(house: House, endpoint: str, answer: Response) -> None:
    """The negative control: the same run over an application broken on purpose fails, where that is."""
    app = create_app(house.container)

    def broken(**_: Any) -> Response:
        return answer

    app.view_functions[endpoint] = update_wrapper(broken, app.view_functions[endpoint])
    with pytest.raises((Failure, FailureGroup)):
        run(app, house, 60, seed=1, within=WITHIN[endpoint])


def test_a_view_that_is_open_to_all_is_caught(house: House) -> None:
    """Control: when nobody is asked for a token any more, an answer without one is noticed."""
    app = create_app(house.container)
    who = Cast.of(house).callers["supervisor"].who

    def believe() -> None:
        g.principal = who

    before: Any = app.before_request_funcs[None]
    place = next(n for n, held in enumerate(before) if held.__name__ == "sign_in")
    before[place] = believe
    with pytest.raises((Failure, FailureGroup)):
        run(app, house, 60, seed=1)
