"""The axis of time: days, months or years, as many as there is room to name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from api.pages.charts.svg import Window, percent, room, tag
from api.pages.language import later, say

DAY = later("{day} {month}")
LETTER = 6
"""How wide a letter of a tick's name is, in pixels."""
MOST = 8
_DAYS = (1, 2, 7, 14)
_MONTHS = (1, 2, 3, 6, 12, 24, 60)


def ticks(window: Window) -> Iterator[tuple[datetime, str]]:
    """Days, or firsts of months, quarters or years in view, with how they are written."""
    days = (window.end - window.start).total_seconds() / 86_400
    by_days = next((step for step in _DAYS if days / step <= MOST), None) if days < 60 else None
    if by_days:
        yield from _by_days(window, by_days)
    else:
        months = days / 30.4
        yield from _by_months(window, next((s for s in _MONTHS if months / s <= MOST), 120))


def _by_days(window: Window, step: int) -> Iterator[tuple[datetime, str]]:
    at = window.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while (at := at + timedelta(days=step)) <= window.end:
        yield at, say(DAY).format(day=at.day, month=say(f"{at:%b}"))


def _by_months(window: Window, step: int) -> Iterator[tuple[datetime, str]]:
    month0 = window.start.year * 12 + window.start.month - 1
    month0 += -month0 % step
    while (at := datetime(month0 // 12, month0 % 12 + 1, 1, tzinfo=UTC)) <= window.end:
        if at >= window.start:
            month, new_year = say(f"{at:%b}"), at.month <= step
            yield at, f"{at:%Y}" if step >= 12 else f"{month} {at:%Y}" if new_year else month
        month0 += step


def grid(window: Window, bottom: int) -> Markup:
    """A line for each tick, and its name where the name before it leaves room."""
    drawn, taken = Markup(), 0.0
    for at, text in ticks(window):
        x, wide = window.x(at), room(len(text) * LETTER)
        drawn += tag("line", x1=percent(x), x2=percent(x), y1=0, y2=bottom, class_="grid")
        begins = max(x - wide / 2, 0.0)
        if begins < taken or begins + wide > 100:
            continue
        taken = begins + wide + room(LETTER)
        place = {"x": percent(x), "text_anchor": "middle"} if begins else {"x": "0"}
        drawn += tag("text", text, y=bottom + 15, class_="tick", **place)
    return drawn
