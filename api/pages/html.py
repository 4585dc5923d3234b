"""What of a template's HTML is read out: its text, and some attributes."""

from __future__ import annotations

import re
from collections.abc import Iterator

SAID = frozenset(
    {
        "alt", "aria-label", "placeholder", "title", "data-here", "data-kept", "data-leaving",
        "data-lost", "data-place", "data-zone-name",
    }
)  # fmt: skip
"""Attributes with words in them."""
_SILENT = frozenset({"code", "script", "style"})
_TEXT = re.compile(r"[^<]+")
_TAG = re.compile(r"</?([a-zA-Z][\w-]*)")
_IN_TAG = re.compile(r"""([\w-]+)=(["'])|>|[^>"']""")


class Html:
    """Reads HTML in parts, as it stands around a template's expressions."""

    def __init__(self) -> None:
        self.inside = False
        self.quote = ""
        self.attribute = ""
        self.silent = ""

    def pieces(self, html: str) -> Iterator[tuple[bool, str]]:
        """The part in pieces: whether it is said, and what it is."""
        place = 0
        while place < len(html):
            read = self._value if self.quote else self._tag if self.inside else self._text
            end, said = read(html, place)
            yield said, html[place:end]
            place = end

    def _text(self, html: str, place: int) -> tuple[int, bool]:
        if found := _TEXT.match(html, place):
            return found.end(), not self.silent
        tag = _TAG.match(html, place)
        self.inside = True
        if tag is None:
            return place + 1, False
        name, closing = tag[1].lower(), html[place + 1] == "/"
        if name in _SILENT:
            self.silent = "" if closing else name
        return tag.end(), False

    def _tag(self, html: str, place: int) -> tuple[int, bool]:
        found = _IN_TAG.match(html, place)
        if found is None:  # a quote on its own: its attribute's name was in an expression
            self.quote = html[place]
            return place + 1, False
        if found[0] == ">":
            self.inside = False
        self.quote = found[2] or ""
        self.attribute = found[1] or ""
        return found.end(), False

    def _value(self, html: str, place: int) -> tuple[int, bool]:
        """An attribute's value; said only if all of it stands here, without an expression inside."""
        whole = html[place - 1 : place] == self.quote
        end = html.find(self.quote, place)
        if end == place:
            self.quote = ""
            return place + 1, False
        if end < 0:
            return len(html), False
        if whole and self.attribute in SAID:
            return end, True  # the quote that ends it comes next
        self.quote = ""
        return end + 1, False
