"""Client content stays where it belongs: unique words in every text, looked for wherever they must not be.

They go in through every field of every type of entry, through requests that are refused, through
filters and headers; they must not come out in logs, metrics, addresses or anybody else's answers.
"""

from __future__ import annotations

import itertools
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from domain.fields import TextRule
from tests.api.house import OPENING, House, an_id, goal, new_desk
from tests.api.living import Living, data_of
from tests.domain.samples import LIFE, SAMPLES
from tests.listening import LISTENER
from tests.service.servers import reachable_folder
from tests.service.serving import Serving, plan_history, serving

MARK = "kanarie"
_numbers = itertools.count(1)


def canary(_: str = "", rule: TextRule | None = None) -> str:
    """A word that stands nowhere else."""
    return f"{MARK}{next(_numbers)}"[: rule.most if rule else None]


def seen(text: str) -> list[str]:
    """The canaries in a text, with what surrounds them."""
    return [
        text[max(found.start() - 80, 0) : found.end() + 20]
        for found in re.finditer(MARK, text, re.IGNORECASE)
    ]


def bodies(plan: str) -> Iterator[tuple[str, bytes | str]]:
    """(address, body) of requests that are refused, each with canaries in it."""
    entries = f"{plan}/entries"
    yield entries, f"{canary()} is no JSON"
    yield entries, b'{"entries": "\xff' + canary().encode() + b'"}'
    yield entries, f'{{"{canary()}": 1, "{canary()}": 2, "{MARK}": 1, "{MARK}": 2}}'
    yield entries, f'{{"entries": [{{"type": "{canary()}", "data": {{}}}}]}}'
    yield entries, json.dumps({"entries": [{"type": "GoalSet", "data": {canary(): canary()}}]})
    yield entries, json.dumps({"entries": canary()})
    yield entries, json.dumps({"entries": [{"type": "FocusShifted", "data": {"to": canary()}}]})
    yield (
        entries,
        json.dumps(
            {
                "entries": [
                    {
                        "type": "GoalPaused",
                        "reason": {"text": canary()},
                        "data": {"goal_id": canary()},
                    },
                    {"type": "GoalSet", "occurred_at": canary(), "data": {"statement": canary()}},
                ]
            }
        ),
    )
    yield "/v1/plans", json.dumps({**OPENING, "client_ref": canary(), "therapist_id": canary()})
    yield "/v1/plans", json.dumps({**OPENING, "hopes": canary() * 5000})
    yield "/v1/clinic/entries", json.dumps({"entries": [{"type": canary(), "data": {}}]})
    yield "/v1/clinic/proposals", json.dumps({"reason": {"text": canary()}, "entries": canary()})


def questions(plan: str) -> Iterator[tuple[str, dict[str, str]]]:
    """(address, headers) of questions with canaries in filters, paths and headers."""
    yield f"/v1/plans?q={canary()}", {}
    yield f"/v1/plans?client_ref={canary()}", {}
    yield f"/v1/plans?{canary()}={canary()}", {}
    yield f"{plan}/timeline?type={canary()}", {}
    yield f"{plan}/timeline?since={canary()}", {}
    yield f"{plan}/timeline?cursor={canary()}", {}
    yield f"{plan}?as_of={canary()}", {}
    yield f"{plan}/diff?from={canary()}&to=1", {}
    yield f"/v1/{canary()}/{quote(canary())}", {}
    yield f"/v1/plans/{canary()}", {}
    yield plan, {"If-None-Match": f'"{canary()}"'}
    yield plan, {"Accept": f"text/{canary()}"}
    yield (
        plan,
        {"User-Agent": canary(), "Referer": f"http://x/{canary()}", "Cookie": f"a={canary()}"},
    )
    yield plan, {"X-Request-ID": f"{canary()} {canary()}", "traceparent": canary()}
    yield plan, {"X-Forwarded-For": canary(), "Origin": canary()}
    yield "/v1/me", {"Authorization": f"Bearer {canary()}"}
    yield "/v1/me", {"Authorization": f"Basic {canary()}"}


@pytest.fixture
def living(house: House) -> Living:
    """A plan in which every type of entry occurs, a canary in each text."""
    return Living.begin(house, canary)


@contextmanager
def listening(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Everything that is logged, by whomever."""
    with caplog.at_level(logging.DEBUG):
        for name in list(logging.root.manager.loggerDict):
            caplog.set_level(logging.DEBUG, name)
        yield


def ask_everything(living: Living) -> list[str]:
    """Record, be refused, search and look; what others than the asking got to see."""
    desk = living.desk
    living.live(words=canary)
    desk.house.catch_up()
    for path, body in bodies(desk.url):
        raw = body if isinstance(body, bytes) else body.encode()
        assert desk.send(raw, to=path).status_code >= 400
    for path, headers in questions(desk.url):
        desk.caller.client.get(path, headers={**desk.caller.headers, **headers})
    assert seen(desk.get("?trace=true").text), "The therapist does see them"
    assert seen(desk.get("/timeline?limit=200", Accept="text/csv").text)
    desk.send({"entries": []}, If_Match=f'"{canary()}"', Idempotency_Key=canary())
    stranger = new_desk(desk.house)
    others = [stranger.get(path).text for path in (desk.url, f"{desk.url}/timeline", "/v1/plans")]
    others.append(stranger.caller.post("/v1/plans", {**OPENING}).text)
    heads = [
        str(answer.headers)
        for answer in (desk.get(), desk.get("/timeline"), desk.get(f"/entries/{an_id()}"))
    ]
    return [*others, *heads, desk.house.client.get("/metrics").text]


def test_no_client_content_is_logged_counted_or_shown_to_others(
    living: Living, caplog: pytest.LogCaptureFixture
) -> None:
    """Every logger at DEBUG, the metrics, the headers, the answers to others: no canary."""
    with listening(caplog):
        elsewhere = ask_everything(living)
    assert len(LIFE) == living.lived
    assert {type(sample.data).__name__ for sample in LIFE} == set(SAMPLES)
    assert seen(caplog.text) == []
    assert [found for text in elsewhere for found in seen(text)] == []


def test_a_fault_of_ours_tells_nothing(
    living: Living, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception that holds client content is logged by its kind and place alone."""

    def fault(*_: Any, **__: Any) -> None:
        raise ValueError(canary())

    monkeypatch.setattr(type(living.desk.house.container.plans), "record", fault)
    with listening(caplog):
        answer = living.desk.send({"entries": [goal(canary())]})
    assert answer.status_code == 500
    assert "ValueError" in caplog.text
    assert seen(answer.text + caplog.text) == []


def test_a_logger_that_leaks_is_noticed(
    living: Living, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: one careless line somewhere, and the search above finds it."""
    careless = logging.getLogger("careless")
    plans = type(living.desk.house.container.plans)
    record = plans.record

    def logged(*given: Any) -> Any:
        careless.debug("recording %s", given)
        return record(*given)

    monkeypatch.setattr(plans, "record", logged)
    with listening(caplog):
        living.live(until=3, words=canary)
    assert seen(caplog.text)


def test_a_leak_anywhere_turns_its_test_red() -> None:
    """Control for the whole run: whoever logs a client's words, at whatever level, is heard."""
    logging.getLogger("plan_history.anything").debug("recording %s", {"hopes": canary()})
    logging.getLogger("elsewhere").error("%s", OPENING["hopes"])
    heard, LISTENER.heard = LISTENER.heard, []
    assert [held.partition(":")[0] for held in heard] == ["plan_history.anything", "elsewhere"]


# As it is served


def written(home: Path) -> str:
    """Every log below a data home, PostgreSQL's among them."""
    logs = [path for path in home.rglob("*") if path.is_file() and "log" in path.name.lower()]
    kept = [path for path in logs if "pg_" not in str(path.relative_to(home))]
    return "\n".join(path.read_text("utf-8", "replace") for path in kept)


def use(served: Serving) -> int:
    """Record every type of entry, be refused, search; how many answers were good."""
    of = ("--clinic", plan_history(served.home, "clinic", "create", "North").stdout.strip())
    who = ("--name", "Robin", "--role", "clinician")
    member = plan_history(served.home, "member", "add", *of, *who).stdout.strip()
    issue = ("token", "issue", *of, *who, "--member", member)
    auth = {"Authorization": f"Bearer {plan_history(served.home, *issue).stdout.strip()}"}
    first = data_of(LIFE[0].data, canary)
    plan = served.send("/v1/plans", {**first, "therapist_id": member}, **auth)
    assert plan.status == 201
    where = plan.headers["Location"]
    codes = [
        served.send(
            f"{where}/entries",
            {
                "entries": [
                    {
                        "type": sample.type,
                        "reason": {"text": canary()},
                        "data": data_of(sample.data, canary),
                    }
                ]
            },
            **auth,
        ).status
        for sample in reversed(SAMPLES.values())  # in the order in which they were lived
    ]
    assert not [code for code in codes if code >= 500]
    for path, body in bodies(where):
        assert 400 <= served.send(path, body, **auth).status < 500
    for path, headers in questions(where):
        named = {name.replace("-", "_"): held for name, held in {**auth, **headers}.items()}
        served.send(path, **named)
    return codes.count(201)


def test_a_service_that_says_all_it_can_says_no_client_content() -> None:
    """``serve`` with everything at DEBUG: gunicorn, workers, projector, PostgreSQL, metrics."""
    with reachable_folder() as folder, (folder / "said").open("w+") as log:
        with serving(folder / "home", log=log, PLAN_HISTORY_LOG_LEVEL="DEBUG") as served:
            assert use(served) > 15
            metrics = served.text("/metrics")
            assert "plan_history_requests_total" in metrics
        log.seek(0)
        said = log.read()
        assert "gunicorn" in said.lower()
        assert seen(said) == []
        assert seen(metrics) == []
        assert seen(written(folder / "home")) == []
