"""Undocumented means red: the guides name every entry, route, setting and command there is."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from flask.testing import FlaskClient

from service.commandline.main import cli
from service.environment import ELSEWHERE
from tests.conftest import Caller

ROOT = Path(__file__).resolve().parent.parent
UNLISTED = {"/", "/static/<path:filename>", "/docs", "/openapi.json"}
"""What the guide tells in words: where the description is, and the files it is shown with."""


def text(place: str) -> str:
    """What a file of the project says."""
    return (ROOT / place).read_text(encoding="utf-8")


def guides() -> str:
    """README and all guides."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return "\n".join(text(str(path)) for path in found)


# Entries


def test_the_catalogue_of_entries_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what script/catalogue would write."""
    monkeypatch.syspath_prepend(ROOT / "script" / "catalogue.d")
    written = importlib.import_module("catalogue.page").page()
    assert text("docs/entries.md") == written, "Run script/catalogue."


def test_the_fhir_guide_tells_every_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its table is what script/catalogue would write."""
    monkeypatch.syspath_prepend(ROOT / "script" / "catalogue.d")
    written = importlib.import_module("catalogue.fhir").with_decisions(text("docs/fhir.md"))
    assert text("docs/fhir.md") == written, "Run script/catalogue."


# Routes


def test_every_route_is_in_the_api_guide(client: FlaskClient) -> None:
    """With its method, and its parameters by name."""
    guide = text("docs/api.md")
    missing = [
        f"{method} {place}"
        for rule in client.application.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if rule.rule not in UNLISTED and not rule.endpoint.startswith("pages.")
        for place in [re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)]
        if f"`{method} {place}`" not in guide and (method != "GET" or f"`{place}`" not in guide)
    ]
    assert not missing, f"docs/api.md has no {', '.join(missing)}"


def test_every_page_is_in_the_guide_to_the_pages(client: FlaskClient) -> None:
    """By its address."""
    guide = text("docs/pages.md")
    places = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for rule in client.application.url_map.iter_rules()
        if rule.endpoint.startswith("pages.")
    }
    missing = [place for place in sorted(places) if f"`{place}`" not in guide]
    assert not missing, f"docs/pages.md has no {', '.join(missing)}"


# Security


def test_every_test_the_security_guide_names_is_there() -> None:
    """A file or folder of tests, or a test by its name: nothing is said to be shown that is not."""
    named = set(re.findall(r"`(tests/[\w/.]+|test_\w+)`", text("docs/security.md")))
    assert len(named) >= 30
    tests = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    missing = [
        held for held in sorted(named) if not (ROOT / held).exists() and f"def {held}(" not in tests
    ]
    assert not missing, f"docs/security.md names {', '.join(missing)}"


# Settings


def settings_read() -> Iterator[str]:
    """Every variable that the service reads as a setting."""
    asked = r'\b(env|own)\.(\w+)\(\s*"(\w+)"'
    for kind, way, name in re.findall(asked, text("service/settings.py")):
        whole = f"PLAN_HISTORY_{name}" if kind == "own" else name
        yield whole
        if way == "secret":
            yield f"{whole}_FILE"


def variables_named() -> Iterator[str]:
    """Every variable of ours that the program names anywhere, and every one it takes from the environment."""
    for room in ("domain", "projections", "service", "api"):
        for path in (ROOT / room).rglob("*.py"):
            source = path.read_text("utf-8")
            yield from re.findall(r'"(PLAN_HISTORY_[A-Z_]*[A-Z])"', source)
            yield from re.findall(r'\bos\.environ(?:\.\w+\(|\[)"(\w+)"', source)
            yield from re.findall(r'"(\w+)" (?:not )?in os\.environ', source)


def test_every_setting_is_explained_in_the_example() -> None:
    """On a line of its own, below a comment that says what it is for."""
    example = text("docker/env.example")
    explained = re.findall(r"^# .*\n#?(\w+)=", example, re.MULTILINE)
    read = set(settings_read())
    assert {"DATABASE_URL", "PLAN_HISTORY_HOME", "PLAN_HISTORY_BIND"} <= read
    assert not read - set(explained), "docker/env.example does not explain them"


def test_the_table_of_settings_has_them_all() -> None:
    """And no others: each that is read, with what it may be and what holds without it."""
    guide = text("docs/operations.md")
    rows = re.findall(r"^\| `([A-Z_]+)`(?:, `(_FILE)`)? \| .+ \| .+ \|$", guide, re.MULTILINE)
    told = {name for name, _ in rows} | {name + file for name, file in rows}
    assert told == set(settings_read())


def test_every_variable_that_is_read_is_known() -> None:
    """Nothing is taken from the environment past the settings, or it would be told as misspelt."""
    known = {*settings_read(), *ELSEWHERE}
    named = set(variables_named())
    assert {"PLAN_HISTORY_SUPERVISOR", "PLAN_HISTORY_LOG_LEVEL"} <= named
    assert named - known == {"PROMETHEUS_MULTIPROC_DIR"}


# Commands


def commands(command: click.Command, path: str) -> Iterator[str]:
    """Every command there is, as it is typed."""
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield path
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands(inner, f"{path} {name}")


@pytest.mark.parametrize("command", list(commands(cli, "plan-history")))
def test_every_command_is_in_a_guide(command: str) -> None:
    """As it is typed."""
    assert re.search(rf"`{command}\b", guides()), f"README.md and docs/ have no `{command}`"


# Examples


def told() -> Iterator[tuple[str, str, dict[str, str], str, str]]:
    """The story's requests – method, path, headers, body – and what each is answered."""
    story = text("docs/a-plans-life.md")
    pairs = re.findall(r"```http\n(.*?)```\n\n```json\n(.*?)```", story, re.DOTALL)
    assert len(pairs) == story.count("```http")
    for request, answer in pairs:
        head, _, body = request.partition("\n\n")
        first, *lines = head.strip().splitlines()
        method, path = first.split(" ")
        yield method, path, dict(line.split(": ", 1) for line in lines), body, answer


def test_a_plans_life_happens_as_it_is_told(caller: Caller) -> None:
    """Every request of the story is answered as the story says, one after the other."""
    known = {"$ME": str(caller.who.member_id)}
    for method, path, headers, body, expected in told():
        place = filled(path, known)
        if method == "GET":
            answer = caller.get(place, **headers)
        else:
            answer = caller.post(place, json.loads(filled(body, known)), **headers)
        assert answer.status_code < 300, f"{method} {path}: {answer.get_data(as_text=True)}"
        compare(json.loads(expected), answer.get_json(), known, path)


def filled(words: str, known: dict[str, str]) -> str:
    """The words with the ids they stand for."""
    return re.sub(r"\$[A-Z]+", lambda found: known[found[0]], words)


def compare(expected: Any, given: Any, known: dict[str, str], place: str) -> None:
    """What is expected is there; more may be. Ids that are new are learnt."""
    if isinstance(expected, dict):
        for key, held in expected.items():
            assert key in given, f"{place} has no {key}"
            compare(held, given[key], known, f"{place}/{key}")
    elif isinstance(expected, list):
        rest = iter(given)
        for held in expected:
            compare(held, next_like(held, rest, known, place), known, place)
    elif isinstance(expected, str) and re.fullmatch(r"\$[A-Z]+", expected):
        assert known.setdefault(expected, given) == given, place
    elif isinstance(expected, str):
        assert given == filled(expected, known), place
    else:
        assert given == expected, place


def next_like(expected: Any, rest: Iterator[Any], known: dict[str, str], place: str) -> Any:
    """The next item of a list that agrees with the first thing expected of it; others may precede."""
    if not isinstance(expected, dict):
        return next(rest)
    key, held = next(iter(expected.items()))
    wanted = known.get(held, filled(held, known)) if isinstance(held, str) else held
    for item in rest:
        if item.get(key) == wanted:
            return item
    pytest.fail(f"{place} has no further item with {key} = {wanted}")
