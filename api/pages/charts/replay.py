"""A plan's life in one drawing: bands one below the other, and the moment across them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from markupsafe import Markup

from api.pages.charts import lanes, lines
from api.pages.charts.axis import grid
from api.pages.charts.svg import CAPTION, Window, caption, percent, tag
from api.pages.wording import Wording
from service.life import Lane, Life

AXIS = 24


@dataclass(frozen=True, slots=True)
class Band:
    """A measure, a lineage of interventions, or turning points of one kind, under its caption.

    ``draw`` draws it below a place; ``said`` is what its caption says about a moment.
    """

    name: str
    height: int
    gap: int
    draw: Callable[[int], Markup]
    said: Callable[[datetime], str]


def bands(life: Life, window: Window, wording: Wording, link: str = "") -> Iterator[Band]:
    """What is drawn of a life, from top to bottom."""
    for line in life.lines:
        draw = partial(lines.line_band, line, window, wording, link)
        yield Band(line.name, lines.LINE_HEIGHT, 9, draw, partial(lines.value_at, line))
    for lane in life.lanes:
        if any(lanes.in_sight(span, window) for span in lane.spans):
            yield _of_lane(lane, window, wording)
    for kind, name in wording.marks.items():
        marks = [mark for mark in life.marks if mark.kind == kind and window.holds(mark.at)]
        if marks:
            draw = partial(lanes.mark_row, kind, marks, window, link)
            yield Band(name, lanes.ROW_HEIGHT, 0, draw, partial(lanes.count_at, marks))


def _of_lane(lane: Lane, window: Window, wording: Wording) -> Band:
    shown = [span for span in lane.spans if lanes.in_sight(span, window)]
    name = " → ".join(dict.fromkeys(span.technique for span in shown))
    draw = partial(lanes.lane_band, lane, shown, window, wording)
    return Band(name, lanes.LANE_HEIGHT, 6, draw, partial(lanes.status_at, lane, wording))


def replay(
    life: Life,
    window: Window,
    wording: Wording,
    cursor: datetime,
    pinned: datetime | None,
    link: str,
) -> Markup:
    """The whole drawing, nothing where there is nothing to draw.

    ``link`` is the address of a version, with ``{}`` for its number.
    """
    y, drawn, captions = 4, Markup(), Markup()
    for band in bands(life, window, wording, link):
        captions += caption(band.name, y, band.said(cursor))
        drawn += band.draw(y + CAPTION)
        y += CAPTION + band.height + band.gap
    if not drawn:
        return drawn
    return tag(
        "svg",
        grid(window, y),
        drawn,
        _veil(window, cursor, y),
        *([_cursor(window, pinned, y, "cursor pinned")] if pinned else ()),
        _cursor(window, cursor, y, "cursor now"),
        captions,  # above everything: no line runs through a name
        class_="chart replay-chart",
        width="100%",
        height=y + AXIS,
        aria_hidden="true",
        focusable="false",
    )


def said_at(life: Life, window: Window, wording: Wording, at: datetime) -> list[str]:
    """What the captions say about a moment, in their order."""
    return [band.said(at) for band in bands(life, window, wording)]


def _cursor(window: Window, at: datetime, bottom: int, kind: str) -> Markup:
    x = percent(window.x(at))
    return tag("line", x1=x, x2=x, y1=0, y2=bottom, class_=kind)


def _veil(window: Window, at: datetime, bottom: int) -> Markup:
    """What lies after the moment is still there, but stands back."""
    x = window.x(at)
    width = percent(round(window.right - x, 2))
    return tag("rect", x=percent(x), y=0, width=width, height=bottom, class_="veil")
