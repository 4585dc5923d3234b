"""Interventions as lanes in which swaps are linked, and turning points in rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise

from markupsafe import Markup

from api.pages.charts.svg import Window, percent, room, tag
from api.pages.language import say
from api.pages.wording import Wording
from service.life import Lane, Mark, Span

LANE_HEIGHT, ROW_HEIGHT = 13, 20
GLYPH, DIGIT = 14, 6
"""How wide a glyph is with some air, and a digit beside it, in pixels."""
GLYPHS = {
    "relapse": "M0 -6 L6 5 L-6 5 Z",
    "safety": "M-5 -5 H5 V0 C5 4 0 6 0 6 C0 6 -5 4 -5 0 Z",
    "life": "M0 -6 L6 0 L0 6 L-6 0 Z",
    "review": "M-5 -5 H5 V5 H-5 Z",
    "signature": "M-6 0 L-2 4 L6 -5",
    "amendment": "M-5 5 L-4 1 L3 -6 L6 -3 L-1 4 Z",
    "late": "M0 -5 A5 5 0 1 1 -0.01 -5 M0 -3 V0 H3",
}
"""A shape of its own for each kind: nothing is told by colour alone."""


def in_sight(span: Span, window: Window) -> bool:
    """Whether some of it is in view."""
    return span.start <= window.end and (span.end is None or span.end >= window.start)


def status_at(lane: Lane, wording: Wording, at: datetime) -> str:
    """How a lane stands at a moment; a dash before it begins."""
    begun = [span for span in lane.spans if span.start <= at]
    if not begun:
        return "–"
    runs = begun[-1].end is None or begun[-1].end > at
    return wording.status(begun[-1].status if runs else "ended")


def lane_band(
    lane: Lane, shown: Sequence[Span], window: Window, wording: Wording, top: int
) -> Markup:
    """A lineage of interventions in a band that begins at ``top``."""
    width = percent(window.right)
    drawn = tag("rect", x="0", y=top, width=width, height=LANE_HEIGHT, class_="track", rx=4)
    order = {
        held: number
        for number, held in enumerate(dict.fromkeys(s.intervention_id for s in lane.spans))
    }
    for span in shown:
        title = f"{span.technique} ({wording.status(span.status).lower()})"
        drawn += _bar(span, window, top, title, order[span.intervention_id] % 2)
    for one, other in pairwise(lane.spans):
        if one.intervention_id != other.intervention_id and window.holds(other.start):
            drawn += _swap(window.x(other.start), top + LANE_HEIGHT / 2)
    return drawn


def _bar(span: Span, window: Window, top: int, title: str, odd: int) -> Markup:
    x1, x2 = window.x(span.start), window.x(span.end or window.end)
    if x2 <= x1 and span.end is not None:
        return Markup()
    kind = f"bar {span.status} {'odd' if odd else 'even'}{'' if span.end else ' open'}"
    return tag(
        "rect",
        tag("title", title),
        x=percent(x1),
        y=top + 2,
        width=percent(round(max(x2 - x1, 0.6), 2)),
        height=LANE_HEIGHT - 4,
        rx=3,
        class_=kind,
    )


def _swap(x: float, y: float) -> Markup:
    glyph = tag(
        "path", d="M-3.5 -1.75 H3.5 L1.25 -4 M3.5 1.75 H-3.5 L-1.25 4", class_="swap-arrows"
    )
    ring = tag("circle", cx=0, cy=0, r=7, class_="swap-ring")
    held = tag("g", tag("title", say("Swapped")), ring, glyph)
    return tag("svg", held, x=percent(x), y=y, overflow="visible", class_="swap")


def count_at(marks: Sequence[Mark], at: datetime) -> str:
    """How many of a row's turning points there were at a moment."""
    return say("{} of {}").format(sum(mark.at <= at for mark in marks), len(marks))


def mark_row(kind: str, marks: Sequence[Mark], window: Window, link: str, top: int) -> Markup:
    """Turning points of one kind in a row that begins at ``top``."""
    middle = top + ROW_HEIGHT / 2 - 2
    x2 = percent(window.right)
    drawn = tag("line", x1="0", x2=x2, y1=middle, y2=middle, class_="rail")
    for group in clusters(marks, window):
        drawn += _mark(kind, group, window, middle, link)
    return drawn


def clusters(marks: Iterable[Mark], window: Window) -> list[list[Mark]]:
    """Turning points, those together that would lie upon each other: one glyph with their number."""
    found: list[list[Mark]] = []
    for mark in marks:
        if found and window.x(mark.at) < window.x(found[-1][0].at) + room(_wide(found[-1])):
            found[-1].append(mark)
        else:
            found.append([mark])
    return found


def _wide(group: Sequence[Mark]) -> int:
    """How many pixels a glyph takes, with its number where it stands for several."""
    return GLYPH + (2 + DIGIT * len(str(len(group))) if len(group) > 1 else 0)


def _mark(kind: str, group: list[Mark], window: Window, y: float, link: str) -> Markup:
    title = tag("title", "\n".join(mark.sentence for mark in group[:5]))
    shape = tag("path", d=GLYPHS[kind], class_=f"glyph {kind}")
    many = tag("text", str(len(group)), x=8, y=4, class_="many") if len(group) > 1 else Markup()
    target = tag("rect", x=-9, y=-11, width=18, height=22, class_="hit")
    drawn = tag("a", title, target, shape, many, href=link.format(group[-1].version), tabindex=-1)
    return tag("svg", drawn, x=percent(window.x(group[0].at)), y=y, overflow="visible")
