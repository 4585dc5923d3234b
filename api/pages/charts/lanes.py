"""Interventions as lanes in which swaps are linked, and turning points in rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from markupsafe import Markup

from api.pages import words
from api.pages.charts.svg import Window, caption, percent, tag
from service.life import Lane, Mark, Span

LANE_HEIGHT, ROW_HEIGHT = 13, 16
CLOSE = 0.9
"""Marks closer than this, in per cent, are drawn as one with their number."""
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


def lane_caption(shown: Sequence[Span], y: int) -> Markup:
    """The techniques of a lane, and how the last of them stands."""
    names = dict.fromkeys(span.technique for span in shown)
    return caption(" → ".join(names), y, words.label(_status(shown[-1])))


def lane_band(lane: Lane, shown: Sequence[Span], window: Window, top: int) -> Markup:
    """A lineage of interventions in a band that begins at ``top``."""
    drawn = tag("rect", x="0", y=top, width="100%", height=LANE_HEIGHT, class_="track", rx=4)
    order = {
        held: number
        for number, held in enumerate(dict.fromkeys(s.intervention_id for s in lane.spans))
    }
    for span in shown:
        drawn += _bar(span, window, top, order[span.intervention_id] % 2)
    for one, other in pairwise(lane.spans):
        if one.intervention_id != other.intervention_id and window.holds(other.start):
            drawn += _swap(window.x(other.start), top + LANE_HEIGHT / 2)
    return drawn


def _status(span: Span) -> str:
    return span.status if span.end is None else "ended"


def _bar(span: Span, window: Window, top: int, odd: int) -> Markup:
    x1, x2 = window.x(span.start), window.x(span.end or window.end)
    if x2 <= x1 and span.end is not None:
        return Markup()
    title = tag("title", f"{span.technique} ({span.status})")
    kind = f"bar {span.status} {'odd' if odd else 'even'}{'' if span.end else ' open'}"
    return tag(
        "rect",
        title,
        x=percent(x1),
        y=top + 2,
        width=percent(round(max(x2 - x1, 0.6), 2)),
        height=LANE_HEIGHT - 4,
        rx=3,
        class_=kind,
    )


def _swap(x: float, y: float) -> Markup:
    glyph = tag("path", d="M-4 -2 H4 L1.5 -4.5 M4 2 H-4 L-1.5 4.5", class_="swap-arrows")
    ring = tag("circle", cx=0, cy=0, r=8, class_="swap-ring")
    held = tag("g", tag("title", "Swapped"), ring, glyph)
    return tag("svg", held, x=percent(x), y=y, overflow="visible", class_="swap")


def mark_row(kind: str, marks: Sequence[Mark], window: Window, top: int, link: str) -> Markup:
    """Turning points of one kind in a row that begins at ``top``."""
    middle = top + ROW_HEIGHT / 2 - 3
    drawn = tag("line", x1="0", x2="100%", y1=middle, y2=middle, class_="rail")
    for group in _clusters(marks, window):
        drawn += _mark(kind, group, window, middle, link)
    return drawn


def _clusters(marks: Iterable[Mark], window: Window) -> list[list[Mark]]:
    found: list[list[Mark]] = []
    for mark in marks:
        if found and window.x(mark.at) - window.x(found[-1][0].at) < CLOSE:
            found[-1].append(mark)
        else:
            found.append([mark])
    return found


def _mark(kind: str, group: list[Mark], window: Window, y: float, link: str) -> Markup:
    title = tag("title", "\n".join(mark.sentence for mark in group[:5]))
    shape = tag("path", d=GLYPHS[kind], class_=f"glyph {kind}")
    many = tag("text", str(len(group)), x=8, y=4, class_="many") if len(group) > 1 else Markup()
    target = tag("rect", x=-9, y=-11, width=18, height=22, class_="hit")
    drawn = tag("a", title, target, shape, many, href=link.format(group[-1].version), tabindex=-1)
    return tag("svg", drawn, x=percent(window.x(group[0].at)), y=y, overflow="visible")
