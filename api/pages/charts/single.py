"""Small drawings: one measure beside its goal, a clinic's months."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from api.pages.charts.svg import EDGE, Window, in_view, percent, tag
from service.life import Point

HEIGHT = 44


def small(
    values: Sequence[dict[str, object]], baseline: float | None, target: float | None
) -> Markup:
    """A measure's values as a small line, with its target, for beside a goal."""
    points = [_point(held) for held in values]
    if len(points) < 2:
        return Markup()
    window = Window(points[0].at, points[-1].at)
    seen = in_view(points, window, 90)
    every = [point.value for point in seen] + [v for v in (baseline, target) if v is not None]
    lowest, span = min(every), (max(every) - min(every)) or 1.0

    def down(value: float) -> float:
        return round(HEIGHT - 5 - (value - lowest) / span * (HEIGHT - 10), 1)

    path = ""
    for number, point in enumerate(seen):
        x, y = round(window.x(point.at) * 10, 1), down(point.value)
        path += f"H{x}V{y}" if number else f"M{x} {y}"
    level = Markup()
    if target is not None:
        y = down(target)
        level = tag("line", x1="0", x2="100%", y1=y, y2=y, class_="level target")
    end = tag("circle", cx=percent(100 - EDGE), cy=down(seen[-1].value), r=3.5, class_="point")
    return _drawn("small-chart", HEIGHT, level, _stretched(path), end)


def _point(value: dict[str, object]) -> Point:
    at = datetime.fromisoformat(str(value["at"]))
    return Point(at, float(str(value["value"])), 0, late=False)


def _stretched(path: str) -> Markup:
    """A line in a drawing of its own, which takes the width there is."""
    return tag(
        "svg",
        tag("path", d=path, class_="steps", vector_effect="non-scaling-stroke"),
        width="100%",
        height=HEIGHT,
        viewBox=f"0 0 1000 {HEIGHT}",
        preserveAspectRatio="none",
    )


def _drawn(kind: str, height: int, *inside: Markup) -> Markup:
    kind = f"chart {kind}"
    return tag("svg", *inside, class_=kind, width="100%", height=height, aria_hidden="true")


def bars(months: Sequence[tuple[str, int, int]]) -> Markup:
    """Two numbers for each month side by side: filled what began, outlined what ended."""
    height, wide = 130, 100 / max(len(months), 1)
    most = max([1, *(max(began, ended) for _, began, ended in months)])
    drawn = tag("line", x1="0", x2="100%", y1=height, y2=height, class_="rail")
    for number, (name, began, ended) in enumerate(months):
        left = number * wide
        for place, count, kind in ((0.16, began, "bar-in"), (0.5, ended, "bar-out")):
            tall = round(count / most * (height - 24), 1)
            if count:
                x, width = round(left + place * wide, 2), round(wide * 0.3, 2)
                y = height - tall
                drawn += tag(
                    "rect",
                    x=percent(x),
                    y=y,
                    width=percent(width),
                    height=tall,
                    rx=2,
                    class_=kind,
                )
                middle = percent(round(x + width / 2, 2))
                drawn += tag("text", str(count), x=middle, y=y - 5, text_anchor="middle")
        middle = percent(round(left + wide * 0.48, 2))
        short = name.split(" ")[0]
        drawn += tag("text", short, x=middle, y=height + 16, text_anchor="middle", class_="tick")
    return _drawn("bars", height + 24, drawn)
