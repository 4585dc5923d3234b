"""Texts ready for translation: whatever the pages say is looked up, and no sentence is broken by a value."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from gettext import NullTranslations
from itertools import pairwise
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import Environment

import api
from api.pages import language
from api.pages.html import Html

ROOM = Path(api.__file__).parent
TEMPLATES = sorted((ROOM / "templates").glob("*.html"))
PAGES = sorted((ROOM / "pages").rglob("*.py"))


class Brackets(NullTranslations):
    """A language in which every text stands in brackets."""

    def gettext(self, message: str) -> str:
        """The text in brackets."""
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """One of the texts, in brackets."""
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


@pytest.fixture
def speaking() -> Flask:
    """An application that speaks in brackets."""
    app = Flask("language")
    language.install(app, Brackets())
    return app


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("<p>Some words</p>", "<p>⟦Some words⟧</p>"),
        ("<p>\n Two\n lines </p>", "<p>\n ⟦Two lines⟧ </p>"),
        ("<a href='/x' title='A word'>·</a>", "<a href='/x' title='⟦A word⟧'>·</a>"),
        ('<a class="Some thing">→ 12 %</a>', '<a class="Some thing">→ 12 %</a>'),
        ("<b>40 % more</b>", "<b>⟦40 % more⟧</b>"),
        ('<i title="{{ x }} UTC">{{ x }}</i>', '<i title="&lt;&gt; UTC">&lt;&gt;</i>'),
        ("<code>ph_token here</code> and", "<code>ph_token here</code> ⟦and⟧"),
        ("{{ 'Yes' if x else 'Not now' }}", "⟦Yes⟧"),
        ("{{ 'PlanOpened' }}{{ 'equalto' }}", "PlanOpenedequalto"),
        ("{% trans n=x %}So {{ n }} it is{% endtrans %}", "⟦So &lt;&gt; it is⟧"),
        ("{{ _('By hand') }}", "⟦By hand⟧"),
        ("{% if 1 > 0 %}<p>Yes</p>{% endif %}", "<p>⟦Yes⟧</p>"),
    ],
)
def test_what_is_said_is_marked(speaking: Flask, template: str, shown: str) -> None:
    """Text, attributes that are read out, sentences in expressions; nothing else, and nothing twice."""
    with speaking.app_context():
        assert speaking.jinja_env.from_string(template).render(x="<>") == shown


def broken(template: str) -> Iterator[str]:
    """Texts between two values: a part of a sentence, in the order of English."""
    html, before = Html(), ""
    tokens = [*Environment(autoescape=True).lex(template), (0, "end", "")]
    by_hand = False
    for (_, kind, value), (_, following, _) in pairwise(tokens):
        if kind == "name" and value in ("trans", "endtrans"):
            by_hand = value == "trans"
        if kind == "data" and not by_hand:
            pieces = [*html.pieces(value)]
            alone = len(pieces) == 1 and pieces[0][0]
            if alone and (before, following) == ("variable_end", "variable_begin"):
                text = value.strip()
                if re.search(r"[^\W\d_]{2}", text) and not text.startswith("·"):
                    yield text
        before = kind


def amid(template: str) -> Iterator[str]:
    """Texts that go on after a value."""
    html, before, last, by_hand = Html(), "", "", False
    for _, kind, value in Environment(autoescape=True).lex(template):
        if kind == "name" and value in ("trans", "endtrans"):
            by_hand = value == "trans"
        if kind == "data" and not by_hand:
            pieces = [*html.pieces(value)]
            if last == "variable_end" and before and (after := sentence_in(pieces[0])):
                yield f"{before} … {after}"
            before = sentence_in(pieces[-1])
        elif kind == "block_begin" or (kind == "variable_begin" and last != "data"):
            before = ""
        last = kind


def sentence_in(piece: tuple[bool, str]) -> str:
    """A piece's text when it is part of a sentence: no attribute, nothing that a dot sets apart."""
    said, text = piece[0], piece[1].strip()
    part = said and re.search(r"[^\W\d_]{2}", text) and not text.startswith("·")
    return text if part and '="' not in text else ""


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda held: held.name)
def test_no_sentence_is_broken_by_a_value(template: Path) -> None:
    """In another language the value may come first: such a sentence is written with ``trans``."""
    text = template.read_text("utf-8")
    assert [*broken(text), *amid(text)] == []


def test_a_broken_sentence_is_noticed() -> None:
    """Control: with a value in its midst, or between two; one with a value at its end is none."""
    assert [*amid("<p>At {{ place }} it is</p>")] == ["At … it is"]
    assert [*broken("{{ one }} of {{ many }}")] == ["of"]
    assert [*amid("<p>At {{ place }}</p><p>It is</p>")] == []


def unsaid(module: Path) -> Iterator[str]:
    """Sentences in a module that nobody looks up."""
    tree = ast.parse(module.read_text("utf-8"))
    exempt = set()
    for node in ast.walk(tree):
        doc = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        marked = isinstance(node, ast.Call) and getattr(node.func, "id", "") in MARKS
        if doc or marked or isinstance(node, ast.Raise):
            exempt |= {id(held) for held in ast.walk(node)}
    for node in ast.walk(tree):
        held = node.value if isinstance(node, ast.Constant) and id(node) not in exempt else None
        if isinstance(held, str) and held not in NAMES and SENTENCE.match(held):
            yield held


SENTENCE = re.compile(r"[A-Z][a-z]+,? [a-z]|[A-Z][a-z]+$|.*[a-z] [a-z]+ [a-z]")
NAMES = ("Window", "Origin", "Strict", "Lax", "access log as ")
"""Names of the code and of HTTP, and what the access log keeps."""
MARKS = ("Words", "later", "say", "count_of")


@pytest.mark.parametrize("module", PAGES, ids=lambda held: held.name)
def test_no_module_speaks_by_itself(module: Path) -> None:
    """What a module says is in a table of words, or marked."""
    assert [*unsaid(module)] == []
