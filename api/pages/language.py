"""The language of the pages: English as it stands in the templates, or another one looked up by it.

Whatever a template says – its text, the attributes that are read out, the sentences in its expressions –
is marked for translation while the template is read, so nothing can be forgotten; a sentence with a
value inside is written with ``trans``. Tables of words are ``Words``, single texts ``later``. Looked up
is with the standard library's gettext; the English text is the key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from gettext import NullTranslations

from flask import Flask, current_app, has_app_context
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from api.pages.html import Html

_WORD = re.compile(r"[^\W\d_]{2}")
_CODE = re.compile(r"[A-Z][a-z]+(?:[A-Z][a-z]+)+|[\w.,:/ {}#%-]*\.(?:html|js|css)")
_SENTENCE = re.compile(r"[A-Z][a-z]|.*[^\W\d_] .*[^\W\d_]|I ", re.DOTALL)


def later(text: str) -> str:
    """Mark a text that is looked up when it is shown."""
    return text


def say(text: str) -> str:
    """A text in the language of the pages."""
    return _catalogue().gettext(text) if text else text


def count_of(number: int, one: str, many: str) -> str:
    """So many of something: the right one of two texts, with its number in place of ``{}``."""
    return _catalogue().ngettext(one, many, number).format(f"{number:,}")


def _catalogue() -> NullTranslations:
    held: NullTranslations | None = None
    if has_app_context():
        held = current_app.extensions.get("language")
    return held or _ENGLISH


_ENGLISH = NullTranslations()


class Words(Mapping[str, str]):
    """A table of words, each said in the language of the pages when it is looked up."""

    def __init__(self, english: Mapping[str, str]) -> None:
        self.english = dict(english)

    def __getitem__(self, key: str) -> str:
        return say(self.english[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self.english)

    def __len__(self) -> int:
        return len(self.english)

    def but(self, other: Words) -> Words:
        """This table with other words for some."""
        return Words({**self.english, **other.english})


class Marking(Extension):
    """Puts a call of ``_`` around every text of a template."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """The template's tokens, with its texts marked."""
        html, before, by_hand = Html(), ["", ""], False
        for token in stream:
            if token.type == "name" and before[-1] == "block_begin":
                by_hand = token.value == "trans" or (by_hand and token.value != "endtrans")
            if token.type == "data" and not by_hand:
                yield from _data(token, html)
            elif token.type == "string" and before != ["_", "lparen"] and is_said(token.value):
                yield from _call(token.lineno, token.value)
            else:
                yield token
            before = [before[1], token.value if token.type == "name" else token.type]


def is_said(text: str) -> bool:
    """Whether a text in an expression is for people, rather than a name."""
    return bool(_SENTENCE.match(text)) and not _CODE.fullmatch(text)


def _data(token: Token, html: Html) -> Iterator[Token]:
    for said, piece in html.pieces(token.value):
        if not (said and _WORD.search(piece)):
            yield Token(token.lineno, "data", piece)
            continue
        inner = piece.strip()
        begin, _, end = piece.partition(inner)
        yield Token(token.lineno, "data", begin)
        yield Token(token.lineno, "variable_begin", "{{")
        yield from _call(token.lineno, " ".join(inner.split()))
        yield Token(token.lineno, "variable_end", "}}")
        yield Token(token.lineno, "data", end)


def _call(line: int, text: str) -> Iterator[Token]:
    """``_("text")``; a per cent sign is doubled, for such texts are formats."""
    yield Token(line, "name", "_")
    yield Token(line, "lparen", "(")
    yield Token(line, "string", text.replace("%", "%%"))
    yield Token(line, "rparen", ")")


def install(app: Flask, catalogue: NullTranslations = _ENGLISH) -> None:
    """Let the pages speak the language of a catalogue."""
    app.extensions["language"] = catalogue
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.add_extension(Marking)
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined] # the extension's own
        catalogue.gettext,
        catalogue.ngettext,
        newstyle=True,
    )
