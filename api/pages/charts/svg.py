"""What every drawing is made with: elements, the stretch of time in view, points to draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup, escape

from service.life import Life, Point

EDGE = 1.6
"""Room at both sides, in per cent, so that nothing is cut."""
CAPTION = 17
"""How much a caption above a band takes, in pixels."""
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
    """The stretch of time that is in view."""

    start: datetime
    end: datetime

    def share(self, at: datetime) -> float:
        """Where a moment lies: 0 at the left edge, 1 at the right."""
        whole = (self.end - self.start).total_seconds() or 1.0
        return (at - self.start).total_seconds() / whole

    def x(self, at: datetime) -> float:
        """Its horizontal place in per cent, kept within the drawing."""
        return round(EDGE + (100 - 2 * EDGE) * min(max(self.share(at), 0.0), 1.0), 2)

    def holds(self, at: datetime) -> bool:
        """Whether it is in view."""
        return self.start <= at <= self.end


def whole(life: Life, now: datetime) -> Window:
    """From the plan's beginning to now (or to its last entry, should that lie later)."""
    last = max(life.steps[-1].at, min(now, life.steps[-1].at + timedelta(days=60)))
    first = life.steps[0].at
    return Window(first, max(last, first + timedelta(days=1)))


def percent(x: float) -> str:
    """A horizontal place."""
    return f"{x}%"


def caption(text: str, y: int, extra: str = "") -> Markup:
    """A band's name at its left, and a word at its right."""
    inner = tag("text", text, x=2, y=12, class_="caption")
    said = tag("svg", inner, x=percent(EDGE), y=y, width="78%", height=CAPTION)  # cut where it ends
    if not extra:
        return said
    return said + tag(
        "text", extra, x=percent(100 - EDGE), y=y + 12, class_="caption side", text_anchor="end"
    )


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
