"""Hostile strings in every text field of every type of entry, and in every parameter.

They are kept as they are, or refused with a clear problem; never an error, never anything else.
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from domain.entry import TYPES
from domain.fields import TextRule
from tests.api.house import Desk, House, an_id, desk_of, entry, goal, refused
from tests.api.living import Living, Words, data_of, declared_texts, look_up, texts_of
from tests.domain.samples import LIFE, SAMPLES, Sample

HOSTILE: dict[str, str] = {
    "SQL": "'; DROP TABLE plan_history.entries; --",
    "SQL, more of it": "1' OR '1'='1' UNION SELECT token_id::text FROM tokens /*",
    "a SQL pattern": "100%_\\% [a-z]* $1 :name %s ?",
    "a PostgreSQL array": '{NULL,"a\\"b",{c}}',
    "a script": '<script>alert("x")</script><img src=x onerror=alert(1)>',
    "an attribute": "\" onmouseover='alert(1)' style=\"x:expression(1)",
    "entities": "&lt;b&gt; &amp;amp; &#x3c; <![CDATA[x]]> <!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>",
    "a template": "{{7*7}} {% raw %} ${7*7} #{7*7} <%= 7*7 %> {{config.__class__}}",
    "a lookup": "${jndi:ldap://x/a} $(id) `id` ; rm -rf / | cat && x",
    "a path": "../../../../etc/passwd%00.html",
    "another path": "C:\\Windows\\..\\system.ini file:///etc/passwd \\\\host\\share",
    "a format": "{0} {name} {0.__class__.__init__.__globals__} {{}} }{",
    "another format": "%s %d %n %(name)s %%s %x",
    "JSON in a text": '{"type":"GoalSet","data":{"statement":"x"}}',
    "JSON that ends the text": '","recorded_by":{"name":"Somebody else"},"x":"',
    "a header": "x\r\nSet-Cookie: a=b\r\n\r\n<html>",
    "a CSV formula": "=cmd|' /C calc'!A0",
    "quotes and commas": '"a",\'b\';`c`\t“d”\n"""',
    "right to left": "\u202eevil\u202c \u2067abc\u2069 مرحبا بالعالم שלום",
    "zero width": "a\u200bb\u200c\u200dc\ufeffd\u2060e\u00ad",
    "emoji": "👩\u200d👩\u200d👧\u200d👦 🏳️\u200d🌈 🇺🇦 👍🏽 \U0010fffd",
    "combining": "Z̷̘͝ä́l̴͖̕g̵͔̈ö́ e\u0301 \u212b \u0344",
    "odd cases": "İıſßŉǰ ΐ ﬁ Ǆ ẞ ς",
    "control characters": "a\x01\x02\x07\x08\x0b\x0c\x1b[31mred\x1b[0m\x7f\x80\x9fb",
    "line separators": "a\u2028b\u2029c\x85d\x1ce",
    "other digits": "١٢٣ ੧੨੩ \uff11\uff12\uff13 ⅷ ½",
    "noncharacters": "a\ufffeb\uffffc\U0001fffed\ufdd0e",
    "a word of many": "null undefined None NaN true -0 1e999 0x1F Infinity",
    "very long": "Schlaf – 睡眠 – 😴 " * 700,
}


WORDY = {name: held for name, held in SAMPLES.items() if any(declared_texts(type(held.data)))}


def everywhere(hostile: str) -> Words:
    """``hostile`` as every text, cut to what fits."""

    def words(_: str, rule: TextRule) -> str:
        return hostile[: rule.most].strip()

    return words


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_life_of_hostile_words_is_kept_as_it_is(house: House, hostile: str) -> None:
    """Every text of every type of entry at once: the same in timeline, plan, NDJSON and CSV."""
    before = house.written()
    words = everywhere(hostile)
    living = Living.begin(house, words).live(words=words)
    desk = living.desk
    for _ in ("told live", "told by the read models"):
        told = desk.timeline("?limit=200")
        assert len(told) == len(LIFE)
        for sample, shown in zip(LIFE, told, strict=True):
            sent = living.entry(sample, words)
            assert shown["type"] == sample.type
            assert shown.get("reason") == sent.get("reason")
            for pointer, _field, text in texts_of(type(sample.data), data_of(sample.data, words)):
                assert look_up(shown["data"], pointer) == text, (sample.type, pointer)
        check_formats(desk, told)
        house.catch_up()
    plan = desk.get("?trace=true").json
    assert plan["client"]["label"] == words("", TextRule(most=200))
    assert {held["statement"] for held in plan["goals"]} == {words("", TextRule())}
    assert [held["about"] for held in plan["preferences"]] == [words("", TextRule(most=200))]
    for pointer in plan["entries"]:
        look_up(plan, pointer)
    assert desk.get(f"/diff?from=1&to={len(LIFE)}").status_code == 200
    of_the_clinic = 3  # founded, joined, assigned
    assert house.written()[0] == before[0] + len(LIFE) + of_the_clinic, "No more and no less"


def check_formats(desk: Desk, told: list[dict[str, Any]]) -> None:
    """NDJSON and CSV say what JSON says."""
    lines = desk.get("/timeline", Accept="application/x-ndjson").get_data(as_text=True)
    assert [json.loads(line) for line in lines.split("\n")[:-1]] == told
    table = desk.get("/timeline", Accept="text/csv").get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    for row, shown in zip(rows, told, strict=True):
        for cell, value in (
            (row["sentence"], shown["sentence"]),
            (row["reason"], shown.get("reason", {}).get("text", "")),
        ):
            guarded = value[:1] in ("=", "+", "-", "@", "\t", "\r")
            assert cell == ("'" + value if guarded else value)


def test_the_life_has_every_type_and_every_text_field() -> None:
    """What is walked through above is the whole vocabulary; a new type or field shows up here."""
    assert set(SAMPLES) == set(TYPES)
    words = everywhere("x")
    walked = {
        (sample.type, re.sub(r"/\d+", "", pointer))
        for sample in LIFE
        for pointer, _, _ in texts_of(type(sample.data), data_of(sample.data, words))
    }
    assert walked == {(name, place) for name, cls in TYPES.items() for place in declared_texts(cls)}


@pytest.mark.parametrize("sample", WORDY.values(), ids=WORDY)
def test_a_text_too_long_is_named(steady: Desk, sample: Sample) -> None:
    """Every text of every type has an end; each that goes beyond it is pointed at."""
    data = data_of(sample.data, lambda _, rule: "x" * (rule.most + 1))
    pointers = {pointer for pointer, _, _ in texts_of(type(sample.data), data)}
    body = {"entries": [{"type": sample.type, "data": data}]}
    with steady.house.nothing_written():
        answer = steady.send(body)
        problem = refused(answer, 422, "invalid-data", saying="characters long; at most")
    assert pointers <= {
        held["pointer"].removeprefix("/entries/0/data") for held in problem["errors"]
    }


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_clinic_of_hostile_words_is_kept_as_it_is(house: House, hostile: str) -> None:
    """Names, credentials, references and reasons of the clinic's own entries are kept as well."""
    here = house.clinic()
    admin, officer = house.sign_in(here, "admin"), house.sign_in(here, "privacy_officer")
    line, ref, why = hostile[:200].strip(), hostile[:120].strip(), hostile[:10_000].strip()
    member = an_id()
    sent = [
        entry("ClinicRenamed", name=line),
        entry("MemberJoined", member_id=member, name=line, role="clinician", credential=line),
        entry("MemberRoleChanged", why, member_id=member, name=line[::-1].strip()),
    ]
    held_back = entry("LegalHoldPlaced", why, client_ref=ref)
    for by, entries in ((admin, sent), (officer, [held_back])):
        answer = by.post("/v1/clinic/entries", {"entries": entries})
        assert answer.status_code == 201, answer.text
    sent.append(held_back)
    told = admin.get("/v1/clinic/timeline").json["entries"][1:]
    assert [held["data"] for held in told] == [held["data"] for held in sent]
    assert told[2]["reason"]["text"] == why
    clinic = admin.get("/v1/clinic").json
    assert clinic["name"] == line
    assert clinic["members"][0]["name"] == line[::-1].strip()
    assert clinic["legal_holds"][0]["client_ref"] == ref
    asked = {"reason": {"text": why}, "entries": [entry("LegalHoldLifted", client_ref=ref)]}
    assert officer.post("/v1/clinic/proposals", asked).status_code == 201
    [proposal] = admin.get("/v1/clinic/proposals").json["proposals"]
    assert proposal["proposed"]["reason"]["text"] == why
    assert proposal["entries"][0]["data"]["client_ref"] == ref


# Parameters, headers, addresses


def parameters(desk: Desk) -> list[tuple[str, str]]:
    """Every query parameter of every route, with its route; ids of plans are the desk's."""
    described = desk.caller.get("/openapi.json").json["paths"]
    ids = {"{plan_id}": desk.plan_id, "{entry_id}": an_id(), "{webhook_id}": an_id()}
    return [
        (re.sub(r"\{\w+\}", lambda found: ids[found[0]], path), held["name"])
        for path, operations in described.items()
        for operation in operations.values()
        for held in (operation.get("parameters", ()) if isinstance(operation, dict) else ())
        if held["in"] == "query"
    ]


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_parameter_is_looked_for_or_refused(steady: Desk, hostile: str) -> None:
    """Each parameter of each route finds nothing with it or names itself as wrong."""
    known = parameters(steady)
    assert len(known) > 30
    supervisor = steady.house.sign_in(steady.clinic, "supervisor")
    for path, name in known:
        more = {"from": "1", "to": "1"} if path.endswith("/diff") else {}
        query = urlencode({**more, name: hostile[:1500]})
        answer = supervisor.get(f"{path}?{query}")
        if answer.status_code == 400:
            refused(answer, 400, "invalid-query", name)
        else:
            assert answer.status_code in (200, 403), (path, name, answer.text[:300])
            empty = [held for held in answer.json.values() if isinstance(held, list)]
            assert not any(empty), (path, name)


def test_a_hostile_name_is_found_by_itself_alone(house: House) -> None:
    """A client whose reference or label is hostile is found by it, and nobody else is."""
    clinic = house.clinic()
    caller = house.sign_in(clinic)
    for number, hostile in enumerate(HOSTILE.values()):
        ref, label = hostile[:100].strip() + str(number), hostile[:150].strip()
        desk_of(house, clinic, caller, client_ref=ref, client_label=label)
    house.catch_up()
    for number, hostile in enumerate(HOSTILE.values()):
        ref = hostile[:100].strip() + str(number)
        found = caller.get(f"/v1/plans?{urlencode({'client_ref': ref})}").json["plans"]
        assert [held["client"]["ref"] for held in found] == [ref]
        [told] = caller.get(f"/v1/timeline?{urlencode({'client_ref': ref})}").json["entries"]
        assert told["data"]["client_ref"] == ref
        found = caller.get(f"/v1/plans?{urlencode({'q': hostile[:110].strip()})}").json["plans"]
        assert ref in [held["client"]["ref"] for held in found]


HEADERS = (
    "Accept",
    "Authorization",
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "Traceparent",
    "X-Request-ID",
)


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_header_is_harmless(steady: Desk, hostile: str) -> None:
    """Headers as a server hands them on: taken, ignored or refused, and never sent back."""
    given = re.sub(r"[\x00-\x1f\x7f]", " ", hostile).encode()[:2000].decode("latin-1")
    for name in HEADERS:
        for answer in (
            steady.get(**{name: given}),
            steady.get("/timeline", **{name: given}),
            steady.send({"entries": [goal("")]}, **{name: given}),
        ):
            assert answer.status_code in (200, 400, 401, 406, 412, 422)
            assert given.strip() not in answer.headers.values()


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_address_is_not_found(steady: Desk, hostile: str) -> None:
    """In place of an id, and in place of everything."""
    part = quote(hostile[:500], safe="")
    for path in (
        f"/v1/plans/{part}",
        f"{steady.url}/entries/{part}",
        f"/{part}",
        f"/static/{part}",
    ):
        refused(steady.caller.client.get(path), 404, "not-found")
