"""What every drawing is made with: elements, the stretch of time in view, points to draw, room for words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup, escape

from service.life import Life, Point

EDGE = 1.6
"""Room at both sides, in per cent, so that nothing is cut."""
MARGIN = 13.0
"""Room at the right of a replay, in per cent: what words say about a level stands there, not on the lines."""
CAPTION = 18
"""How much a caption above a band takes, in pixels."""
NARROWEST = 300
"""How wide a drawing is on a small phone, in pixels: what finds room there does so everywhere."""
MOST_POINTS = 160
"""Points drawn of one line; of more, each stretch shows its lowest, highest and last."""


def tag(name: str, *inside: str, **held: object) -> Markup:
    """An SVG element; underscores in names stand for hyphens, ``class_`` for class."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in held.items()
        if value is not None
    )
    within = "".join(escape(held) for held in inside)
    return Markup(f"<{name}{told}>{within}</{name}>")  # noqa: S704 - every part was escaped above


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of time that is in view; ``margin``: the room at its right, in per cent."""

    start: datetime
    end: datetime
    margin: float = EDGE

    def share(self, at: datetime) -> float:
        """Where a moment lies: 0 at the left edge, 1 at the right."""
        whole = (self.end - self.start).total_seconds() or 1.0
        return (at - self.start).total_seconds() / whole

    def x(self, at: datetime) -> float:
        """Its horizontal place in per cent, kept within the drawing."""
        return round(EDGE + (self.right - EDGE) * min(max(self.share(at), 0.0), 1.0), 2)

    @property
    def right(self) -> float:
        """Where the last moment in view lies."""
        return 100 - self.margin

    def holds(self, at: datetime) -> bool:
        """Whether it is in view."""
        return self.start <= at <= self.end


def whole(life: Life, now: datetime) -> Window:
    """From the plan's beginning to now (or to its last entry, should that lie later)."""
    last = max(life.steps[-1].at, min(now, life.steps[-1].at + timedelta(days=60)))
    first = life.steps[0].at
    return Window(first, max(last, first + timedelta(days=1)), MARGIN)


def percent(x: float) -> str:
    """A horizontal place."""
    return f"{x}%"


def room(pixels: float) -> float:
    """How much of the width so many pixels take at most, in per cent."""
    return pixels / NARROWEST * 100


def apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places near the wanted ones, in their order, at least ``gap`` apart and from ``low`` to ``high``.

    Where there is not enough room for all, they share what there is.
    """
    order = sorted(range(len(wanted)), key=lambda number: wanted[number])
    gap = min(gap, (high - low) / max(len(wanted) - 1, 1))
    found = [0.0] * len(wanted)
    least = low
    for number in order:
        found[number] = max(wanted[number], least)
        least = found[number] + gap
    most = high
    for number in reversed(order):
        found[number] = min(found[number], most)
        most = found[number] - gap
    return found


def caption(text: str, y: int, extra: str = "") -> Markup:
    """A band's name at its left, cut with an ellipsis where it must be, and a word at its right.

    That word is what the scrubber keeps up with the moment.
    """
    said = tag("span", text, class_="name") + tag("span", extra, class_="then-said", data_then="")
    held = tag("div", said, xmlns="http://www.w3.org/1999/xhtml", class_="caption")
    width = percent(100 - EDGE)
    return tag("foreignObject", held, x=percent(EDGE), y=y, width=width, height=CAPTION)


def in_view(points: Sequence[Point], window: Window, most: int = MOST_POINTS) -> list[Point]:
    """The points to draw: those in view and the last before them, thinned out when there are many."""
    before = [point for point in points if point.at < window.start][-1:]
    seen = [point for point in points if window.holds(point.at)]
    if len(seen) <= most:
        return [*before, *seen]
    kept: dict[int, Point] = {}
    size = -(-len(seen) // (most // 3))
    for start in range(0, len(seen), size):
        stretch = seen[start : start + size]
        lowest = min(stretch, key=lambda point: point.value)
        highest = max(stretch, key=lambda point: point.value)
        kept.update({id(point): point for point in (lowest, highest, stretch[-1])})
    return [*before, *sorted(kept.values(), key=lambda point: (point.at, point.version))]
