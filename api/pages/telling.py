"""Moments, days and voices as the templates show them."""

from __future__ import annotations

from datetime import date, datetime

from markupsafe import Markup, escape

from api.pages import words
from api.pages.blueprint import pages
from api.pages.language import say

_TIME = Markup('<time datetime="{}"{} title="{} UTC">{}</time>')


@pages.app_template_filter("when")
def when(moment: str) -> Markup:
    """A moment with its clock time; the browser puts it in the reader's zone."""
    held = datetime.fromisoformat(moment)
    text = f"{words.spoken(held)}, {held:%H:%M}"
    return _TIME.format(moment, Markup(' data-show="moment"'), text, f"{text} UTC")


@pages.app_template_filter("on")
def on(moment: str) -> Markup:
    """The day of a moment, in the reader's zone."""
    held = datetime.fromisoformat(moment)
    text = words.spoken(held)
    return _TIME.format(moment, Markup(' data-show="day"'), f"{text}, {held:%H:%M}", text)


@pages.app_template_filter("clock")
def clock(moment: str) -> Markup:
    """The time of day of a moment, in the reader's zone."""
    held = datetime.fromisoformat(moment)
    shown = Markup(' data-show="clock"')
    text = f"{words.spoken(held)}, {held:%H:%M}"
    return _TIME.format(moment, shown, text, f"{held:%H:%M} UTC")


@pages.app_template_filter("day")
def day(given: str) -> Markup:
    """A calendar day, the same everywhere."""
    return Markup('<time datetime="{}">{}</time>').format(
        given, words.spoken(date.fromisoformat(given[:10]))
    )


@pages.app_template_filter("weekday")
def weekday(given: str) -> str:
    """A calendar day as a day begins with it."""
    held = date.fromisoformat(given)
    month, weekday = say(f"{held:%B}"), say(f"{held:%A}")
    return say(words.WEEKDAY).format(weekday=weekday, day=held.day, month=month, year=held.year)


@pages.app_template_filter("lines")
def lines(text: str) -> Markup:
    """A text with its own line breaks."""
    return Markup("<br>").join(escape(line) for line in text.splitlines())


pages.add_app_template_filter(words.label, "label")
pages.add_app_template_filter(words.number, "number")
pages.add_app_template_filter(words.type_name, "type_name")
