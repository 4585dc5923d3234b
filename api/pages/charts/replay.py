"""A plan's life in one drawing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from markupsafe import Markup

from api.pages import words
from api.pages.charts.lanes import (
    LANE_HEIGHT,
    ROW_HEIGHT,
    in_sight,
    lane_band,
    lane_caption,
    mark_row,
)
from api.pages.charts.lines import LINE_HEIGHT, line_band, line_caption
from api.pages.charts.svg import CAPTION, Window, caption, percent, tag
from service.life import Life

GAP = 9


def replay(
    life: Life, window: Window, cursor: datetime, pinned: datetime | None, link: str
) -> Markup:
    """The whole drawing. ``link`` is the address of a version, with ``{}`` for its number."""
    bands, captions, bottom = _bands(life, window, link)
    return tag(
        "svg",
        _grid(window, bottom),
        *bands,
        _veil(window, cursor, bottom),
        *([_cursor(window, pinned, bottom, "cursor pinned")] if pinned else ()),
        _cursor(window, cursor, bottom, "cursor now"),
        *captions,
        class_="chart replay-chart",
        width="100%",
        height=bottom + 24,
        aria_hidden="true",
        focusable="false",
    )


def _bands(life: Life, window: Window, link: str) -> tuple[list[Markup], list[Markup], int]:
    """The bands one below the other, their captions (drawn above everything), and where they end."""
    bands: list[Markup] = []
    captions: list[Markup] = []
    y = 4
    for line in life.lines:
        captions.append(line_caption(line, window, y))
        bands.append(line_band(line, window, y + CAPTION, link))
        y += CAPTION + LINE_HEIGHT + GAP
    for lane in life.lanes:
        shown = [span for span in lane.spans if in_sight(span, window)]
        if shown:
            captions.append(lane_caption(shown, y))
            bands.append(lane_band(lane, shown, window, y + CAPTION))
            y += CAPTION + LANE_HEIGHT + GAP - 2
    for kind, name in words.MARKS.items():
        marks = [mark for mark in life.marks if mark.kind == kind and window.holds(mark.at)]
        if marks:
            captions.append(caption(name, y, str(len(marks))))
            bands.append(mark_row(kind, marks, window, y + CAPTION, link))
            y += CAPTION + ROW_HEIGHT
    return bands, captions, y


def ticks(window: Window, most: int = 8) -> Iterator[tuple[datetime, str]]:
    """Firsts of months, quarters or years in view, with how they are written."""
    months = max((window.end - window.start).days / 30.4, 0.5)
    step = next((held for held in (1, 2, 3, 6, 12, 24, 60) if months / held <= most), 120)
    year, month = window.start.year, window.start.month
    month0 = year * 12 + month - 1
    month0 += -month0 % step
    while True:
        at = datetime(month0 // 12, month0 % 12 + 1, 1, tzinfo=UTC)
        if at > window.end:
            return
        if at >= window.start:
            new_year = step >= 12 or at.month <= step
            yield at, f"{at:%Y}" if step >= 12 else f"{at:%b %Y}" if new_year else f"{at:%b}"
        month0 += step


def _grid(window: Window, bottom: int) -> Markup:
    drawn = Markup()
    for at, text in ticks(window):
        x = percent(window.x(at))
        drawn += tag("line", x1=x, x2=x, y1=0, y2=bottom, class_="grid")
        near_end = window.x(at) > 92
        drawn += tag(
            "text",
            text,
            x=x,
            y=bottom + 15,
            class_="tick",
            text_anchor="end" if near_end else "middle" if window.x(at) > 6 else "start",
        )
    return drawn


def _cursor(window: Window, at: datetime, bottom: int, kind: str) -> Markup:
    x = percent(window.x(at))
    return tag("line", x1=x, x2=x, y1=0, y2=bottom, class_=kind)


def _veil(window: Window, at: datetime, bottom: int) -> Markup:
    """What lies after the moment is still there, but stands back."""
    x = window.x(at)
    return tag(
        "rect", x=percent(x), y=0, width=percent(round(100 - x, 2)), height=bottom, class_="veil"
    )
