"""Files as hospitals really send them, and files nobody should: read, reported on, or refused in a sentence."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from domain.errors import InvalidDataError
from domain.fields import to_plain
from service.fhir.belonging import plans_in
from service.fhir.file import read_file
from service.fhir.importing import Imported
from service.fhir.intake import Intake
from service.fhir.source import LEFT_OUT, leaves
from tests.api.house import House
from tests.conftest import Clinic
from tests.fhir.test_importing import (
    HL7,
    NOW,
    SMOKING,
    bundle,
    clinic,
    plan_of,
    reported,
    take,
)

__all__ = ["clinic", "take"]
PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "identifier": [
        {"system": "urn:ssn", "value": "078-05-1120"},
        {"type": {"coding": [{"code": "MR"}]}, "value": "H-77"},
    ],
    "name": [{"family": "Thrush", "given": ["Willow", "Ida"]}],
}
PLAN = {
    "resourceType": "CarePlan",
    "id": "c",
    "status": "active",
    "intent": "plan",
    "subject": {"reference": "Patient/p"},
    "goal": [{"reference": "Goal/g"}],
}
STRANGERS = "Words of another client, which must not be here"
ODD: tuple[Any, ...] = (None, 7, "x", True, [], {}, [None], {"x": 1}, ["x"], 1e300, "2026-13-45")


def texts(house: House, clinic: Clinic, done: Imported, number: int = 0) -> str:
    """All that the plan's entries say."""
    entries = plan_of(house, clinic, done, number).entries
    return json.dumps([to_plain(held.data) for held in entries], ensure_ascii=False)


# Bundles as they come


def test_a_transaction_is_read_like_any_bundle(
    house: House, clinic: Clinic, take: Callable[..., Imported]
) -> None:
    """References to its full URLs are followed; what it asks to delete is not, and that is said."""
    held = bundle(PATIENT, PLAN, SMOKING)
    held["type"] = "transaction"
    for entry in held["entry"]:
        entry["request"] = {"method": "POST", "url": entry["resource"]["resourceType"]}
    held["entry"][1]["resource"]["goal"] = [{"reference": held["entry"][2]["fullUrl"]}]
    held["entry"].append({"request": {"method": "DELETE", "url": "Goal/old"}})
    done = take(held)
    [goal] = plan_of(house, clinic, done).state.goals.goals
    assert goal.statement == "Stop smoking"
    assert ("Bundle.entry[3]", "request.method", "not done: an import only adds") in reported(done)


def test_the_client_is_known_by_their_record_number(
    house: House, clinic: Clinic, take: Callable[..., Imported]
) -> None:
    """Not by whichever number comes first; and by the name's parts where it is not given whole."""
    outline = plan_of(house, clinic, take(bundle(PATIENT, PLAN, SMOKING))).state.opening.outline
    assert (outline.client_ref, outline.client_label) == ("H-77", "Willow Ida Thrush")


@pytest.mark.parametrize(
    ("subject", "ref"),
    [
        ({"reference": "Patient/elsewhere"}, "Patient/elsewhere"),
        ({"identifier": {"system": "urn:mrn", "value": "77"}}, "77"),
        ({"display": "Willow T."}, "Willow T."),
        (None, None),
    ],
)
def test_a_client_who_is_not_in_the_file_is_reported(
    house: House, clinic: Clinic, take: Callable[..., Imported], subject: Any, ref: str | None
) -> None:
    """The plan is opened under what the file does say, and the report says so."""
    plan = {name: held for name, held in PLAN.items() if name != "subject"}
    done = take({**plan, "subject": subject} if subject else plan)
    said = {became for _, _, became in reported(done)}
    outline = plan_of(house, clinic, done).state.opening.outline
    if ref is None:
        assert "the client is not in the file; the plan has a reference of its own" in said
    else:
        assert outline.client_ref == ref
        assert "the client is not in the file, and known by this" in said


def test_a_reference_that_leads_nowhere_is_reported(take: Callable[..., Imported]) -> None:
    """By its place."""
    done = take(bundle(PATIENT, {**PLAN, "goal": [{"reference": "Goal/lost"}]}), dry=True)
    assert ("CarePlan/c", "goal[0].reference", "leads to nothing in the file") in reported(done)


def test_what_stands_twice_is_read_once_and_what_differs_is_kept(
    house: House, clinic: Clinic, take: Callable[..., Imported]
) -> None:
    """A copy is said to be one; another resource of the same id is not read, and its words stay."""
    other = {**SMOKING, "description": {"text": "Run ten miles"}}
    done = take(bundle(PATIENT, PLAN, SMOKING, SMOKING, other))
    assert len(list(plan_of(house, clinic, done).state.goals.goals)) == 1
    assert reported(done) >= {
        ("Goal/g", "", "left out: it stands in the file twice"),
        ("Goal/g (again, 3)", "", "not read: another of that id comes before it"),
        ("Goal/g (again, 3)", "description.text", "kept as a note"),
    }
    assert "Run ten miles" in texts(house, clinic, done)


def test_one_page_of_several_says_so(take: Callable[..., Imported]) -> None:
    """A search's page with a next one is not all there is."""
    held = {**bundle(SMOKING), "type": "searchset"}
    held["link"] = [{"relation": "next", "url": "https://ehr.example/page/2"}]
    said = {(path, became) for _, path, became in reported(take(held, dry=True))}
    assert ("link", "this is one page of several: import the others as well") in said


def test_a_resource_a_line_is_read_like_a_bundle(
    house: House, clinic: Clinic, take: Callable[..., Imported]
) -> None:
    """NDJSON, as bulk exports write it; a line that is none refuses the file, and names it."""
    lines = [json.dumps(held).encode() for held in (PATIENT, PLAN, SMOKING)]
    done = take(b"\n".join([*lines, b"", b""]))
    assert [held.statement for held in plan_of(house, clinic, done).state.goals.goals] == [
        "Stop smoking"
    ]
    with house.nothing_written(), pytest.raises(InvalidDataError, match="Line 2: This is no JSON"):
        take(b"\n".join([lines[0], lines[1][:-9], lines[2]]))
    with pytest.raises(InvalidDataError, match="Line 2: This is no FHIR resource"):
        take(b"\n".join([lines[0], b"[]"]))


def test_a_bundle_in_a_bundle_is_opened(take: Callable[..., Imported]) -> None:
    """As answers to batches hold them."""
    done = take(bundle(bundle(PATIENT, PLAN, SMOKING)), dry=True)
    assert [held["resource"] for held in done.plans] == ["CarePlan/c"]


def test_a_file_of_windows_is_read(take: Callable[..., Imported]) -> None:
    """With the mark that its editors begin a file with."""
    assert take(b"\xef\xbb\xbf" + json.dumps(SMOKING).encode(), dry=True).plans


def test_xml_is_refused_with_what_to_do(take: Callable[..., Imported]) -> None:
    """FHIR's other format is named."""
    with pytest.raises(InvalidDataError, match="converted to JSON"):
        take(b'<CarePlan xmlns="http://hl7.org/fhir"/>')


# Whose it is


def test_nothing_of_another_client_gets_into_a_plan(
    house: House, clinic: Clinic, take: Callable[..., Imported]
) -> None:
    """Referred to by mistake, or just in the same file: it is named, element by element, and stays out."""
    theirs = {
        "resourceType": "Goal", "id": "h", "lifecycleStatus": "active",
        "description": {"text": STRANGERS}, "subject": {"reference": "Patient/q"},
    }  # fmt: skip
    seen = {
        "resourceType": "Observation", "id": "o", "status": "final", "subject": {"reference": "Patient/q"},
        "code": {"text": STRANGERS}, "valueString": STRANGERS,
    }  # fmt: skip
    mixed = {**PLAN, "goal": [{"reference": "Goal/g"}, {"reference": "Goal/h"}]}
    done = take(bundle(PATIENT, mixed, SMOKING, theirs, seen))
    assert STRANGERS not in texts(house, clinic, done)
    assert reported(done) >= {
        ("Goal/h", "", "left out: of Patient/q, for whom no plan begins here"),
        ("Goal/h", "description.text", "left out"),
        ("Observation/o", "valueString", "left out"),
    }


def test_two_clients_never_share_a_reference(take: Callable[..., Imported]) -> None:
    """--client-ref names one client; a file of several is refused."""
    other = {**SMOKING, "id": "h", "subject": {"reference": "Patient/q"}}
    with pytest.raises(InvalidDataError, match="several clients"):
        take(bundle(SMOKING, other), client_ref="c-9")


def test_what_a_goal_refers_to_goes_with_it(
    house: House, clinic: Clinic, take: Callable[..., Imported]
) -> None:
    """An Observation without a subject belongs to the plan whose goal it is an outcome of."""
    outcome = {
        "resourceType": "Observation", "id": "o", "status": "final",
        "effectiveDateTime": "2026-02-01", "valueQuantity": {"value": 12, "unit": "a day"},
    }  # fmt: skip
    theirs = {**SMOKING, "id": "h", "subject": {"reference": "Patient/q"},
              "outcomeReference": [{"reference": "Observation/o"}]}  # fmt: skip
    done = take(bundle(SMOKING, theirs, outcome))
    [goal] = plan_of(house, clinic, done, 1).state.goals.goals
    assert [held.value for held in goal.values] == [12]


# What a plan must not claim


def test_a_completed_goal_that_fell_short_is_not_achieved(
    house: House, clinic: Clinic, take: Callable[..., Imported]
) -> None:
    """FHIR's "completed" says that it is no longer sought; what it came to is said elsewhere."""
    short = {"coding": [{"code": "not-achieved"}]}
    done = take({**SMOKING, "lifecycleStatus": "completed", "achievementStatus": short})
    [goal] = plan_of(house, clinic, done).state.goals.goals
    assert goal.status == "dropped"
    said = "taken as given up: it was not achieved"
    assert ("Goal/g", "lifecycleStatus", said) in reported(done)


@pytest.mark.parametrize(
    ("more", "path", "became"),
    [
        ({"intent": "proposal"}, "intent", "taken as a plan"),
        ({"period": {"start": "2031-05-01"}}, "period.start", "kept as a note"),
        ({"period": {"start": "2019"}}, "period.start", "taken as its first day"),
        ({"meta": {"security": [{"code": "R"}]}}, "meta.security[0].code", "not understood"),
    ],
)
def test_what_is_taken_for_something_else_is_said(
    take: Callable[..., Imported], more: Any, path: str, became: str
) -> None:
    """A proposal, a day that has not come, a bare year, a mark of confidentiality."""
    done = take({**PLAN, **more}, dry=True)
    assert ("CarePlan/c", path, became) in reported(done)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("Condition", {"code": {"text": "Dizzy"}, "verificationStatus": {"coding": [{"code": "refuted"}]}}),
        ("Observation", {"code": {"text": "Dizzy"}, "status": "cancelled", "valueQuantity": {"value": 3}}),
        ("Goal", {"description": {"text": "Dizzy"}, "lifecycleStatus": "active",
                  "modifierExtension": [{"url": "urn:not", "valueBoolean": True}]}),
        ("Goal", {"description": {"text": "Dizzy"}, "lifecycleStatus": "active", "implicitRules": "urn:other"}),
    ],
)  # fmt: skip
def test_what_says_that_it_is_not_so_is_only_kept(
    house: House, clinic: Clinic, take: Callable[..., Imported], kind: str, more: Any
) -> None:
    """Refuted, cancelled, or changed in its meaning by what nobody here knows: its words are a note."""
    odd = {"resourceType": kind, "id": "odd", "subject": {"reference": "Patient/p"}, **more}
    outcome = {**SMOKING, "outcomeReference": [{"reference": "Observation/odd"}]}
    done = take(bundle(PATIENT, PLAN, outcome, odd))
    plan = plan_of(house, clinic, done)
    assert [held.statement for held in plan.state.goals.goals] == ["Stop smoking"]
    assert not list(plan.state.opening.concerns)
    assert not any(held.values for held in plan.state.goals.goals)
    assert "Dizzy" in texts(house, clinic, done)


def test_a_plan_in_error_is_not_opened(take: Callable[..., Imported]) -> None:
    """Beside another it is named; alone there is nothing to open."""
    wrong = {**PLAN, "id": "w", "status": "entered-in-error"}
    done = take(bundle(PATIENT, PLAN, SMOKING, wrong), dry=True)
    assert [held["resource"] for held in done.plans] == ["CarePlan/c"]
    assert ("CarePlan/w", "", "left out: entered in error") in reported(done)
    with pytest.raises(InvalidDataError, match="no plan to open"):
        take(wrong)


# Dry runs


def test_a_dry_run_says_what_would_be_refused(house: House, take: Callable[..., Imported]) -> None:
    """As the import itself would, entry and field; and that a file is in already."""
    code = {"coding": [{"system": "http://loinc.org", "code": "44261-6"}]}
    total = {"resourceType": "Observation", "id": "t", "status": "final", "code": code,
             "valueInteger": 40, "subject": {"reference": "Patient/p"}}  # fmt: skip
    with house.nothing_written():
        dry = take(bundle(SMOKING, total), dry=True)
        wet = take(bundle(SMOKING, total))
    assert dry.plans[0]["refused"] == wet.plans[0]["refused"]
    first = take(SMOKING).plans[0]
    again = {**SMOKING, "description": {"text": "Sleep"}}
    with house.nothing_written():
        assert take(SMOKING, dry=True).plans[0] == {**first, "replayed": True}
        assert "is open" in take(again, dry=True).plans[0]["refused"]
        assert "refused" not in take(again, dry=True, alongside=True).plans[0]


# Whatever a file holds where


def broken(held: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every element of a resource."""
    items = (
        held.items()
        if isinstance(held, dict)
        else enumerate(held)
        if isinstance(held, list)
        else ()
    )
    for key, value in items:
        yield (*path, key)
        yield from broken(value, (*path, key))


def with_instead(held: Any, path: tuple[Any, ...], odd: Any) -> Any:
    """A copy with something else at a place."""
    copy = deepcopy(held)
    inside = copy
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = odd
    return copy


@pytest.mark.parametrize("path", HL7, ids=lambda path: path.stem)
def test_whatever_stands_anywhere_nothing_falls_over_and_all_is_accounted_for(path: Path) -> None:
    """Every element of HL7's examples replaced by odd things in turn: read, or refused in a sentence."""
    example = json.loads(path.read_text("utf-8"))
    for number, place in enumerate(broken(example)):
        for odd in ODD[number % 3 :: 3]:
            held = with_instead(example, place, odd)
            assert not_accounted_for(json.dumps(held).encode()) == [], (place, odd)


def not_accounted_for(raw: bytes) -> list[str]:
    """The leaves of a file that are neither understood nor reported; none in one that is refused."""
    try:
        file = read_file(raw)
    except InvalidDataError:
        return []
    for plan, sources in plans_in(file.sources):
        Intake(plan, sources, "00000000-0000-4000-8000-000000000001", NOW).read()
    missing = []
    for source in file.sources:
        said = {held.path for held in source.findings}
        for place, _ in leaves(source.resource):
            known = LEFT_OUT.search(place) or source._claimed(place) or place in said
            if not known and not any(place.startswith(held) for held in said if held):
                missing.append(f"{source.name} {place}")
    return missing


def test_control_an_element_that_is_dropped_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of the test above sees a reader that passes over what it does not know."""
    monkeypatch.setattr("service.fhir.source.Source.notes", lambda _: [])
    assert not_accounted_for(HL7[0].read_bytes())


@pytest.mark.parametrize(
    "raw",
    [
        b'{"resourceType":"Bundle","type":"collection","entry":null}',
        b'{"resourceType":"Bundle","entry":[null,7,"x",{},{"resource":null},{"resource":{"resourceType":7}}]}',
        b'{"resourceType":"Bundle","entry":{"resource":{"resourceType":"Goal"}},"link":"x"}',
        b'{"resourceType":"Goal","contained":{"resourceType":"Patient"},"description":{"text":"Walk"}}',
        b'{"resourceType":"Goal","contained":[null,"x",{"resourceType":"Patient","contained":[1]}]}',
        b'{"resourceType":"Goal","x":' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"resourceType":"Goal","description":{"text":"NUL \\u0000 here"},"lifecycleStatus":"active"}',
        json.dumps({"resourceType": "Goal"}).encode("utf-16"),
        b"",
        b"null",
        b'"x"',
        b'{"resourceType":"Goal","x":NaN}',
    ],
)
def test_a_file_that_is_all_wrong_falls_over_nothing(
    house: House, take: Callable[..., Imported], raw: bytes
) -> None:
    """It is read as far as it goes, or refused in a sentence; nothing is half-written."""
    with house.nothing_written(), contextlib.suppress(InvalidDataError):
        assert take(raw, dry=True).plans


@pytest.mark.slow
def test_a_large_file_is_read_in_bounded_time() -> None:
    """Nearly forty megabytes, 4,000 plans: a quarter of a minute, and no longer for each plan than for one."""
    held: list[dict[str, Any]] = []
    words = "A long word about how it went. " * 90
    for number in range(4_000):
        who = {"reference": f"Patient/p{number}"}
        held.append({**PATIENT, "id": f"p{number}"})
        goals = [{**SMOKING, "id": f"g{number}-{n}", "subject": who} for n in range(3)]
        named = [{"reference": f"Goal/{goal['id']}"} for goal in goals]
        held.append({**PLAN, "id": f"c{number}", "subject": who, "goal": named})
        note = [{"text": words}]
        held += [{**goal, "note": note} for goal in goals]
    raw = json.dumps(bundle(*held)).encode()
    assert len(raw) > 35_000_000
    begun = time.monotonic()
    file = read_file(raw)
    found = plans_in(file.sources)
    assert len(found) == 4_000
    for plan, sources in found:
        assert len(sources) == 5
        Intake(plan, sources, "00000000-0000-4000-8000-000000000001", NOW).read()
    assert time.monotonic() - begun < 60
