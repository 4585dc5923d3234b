"""Measures as steps, with baseline and target named at their right, where no value is drawn."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime

from markupsafe import Markup

from api.pages import words
from api.pages.charts.svg import EDGE, Window, apart, in_view, percent, tag
from api.pages.language import say
from api.pages.wording import Wording
from service.life import Line, Point

LINE_HEIGHT = 54
NAME_HEIGHT = 12
Down = Callable[[float], float]
"""Where a value lies, in pixels from the drawing's top."""


def value_at(line: Line, at: datetime) -> str:
    """The measure's value at a moment, with its unit; a dash before the first."""
    place = bisect_right(line.points, at, key=lambda point: point.at)
    if not place:
        return "–"
    unit = f" {line.unit}" if line.unit and line.unit.lower() != line.name.lower() else ""
    return f"{words.number(line.points[place - 1].value)}{unit}"


def line_band(line: Line, window: Window, wording: Wording, link: str, top: int) -> Markup:
    """The measure's values as steps in a band that begins at ``top``."""
    seen = in_view(line.points, window)
    lowest, highest = _bounds(line, seen)

    def down(value: float) -> float:
        share = (value - lowest) / (highest - lowest)
        return round(top + LINE_HEIGHT - 6 - share * (LINE_HEIGHT - 12), 1)

    x2 = percent(window.right)
    drawn = tag("rect", x="0", y=top, width=x2, height=LINE_HEIGHT, class_="plot", rx=6)
    if line.baseline is not None:
        y = down(line.baseline)
        drawn += tag("line", x1="0", x2=x2, y1=y, y2=y, class_="level baseline")
    drawn += _targets(line, window, wording, down)
    drawn += _steps(seen, window, down, top)
    for point in seen:
        if window.holds(point.at):
            drawn += _point(point, window, down, link)
    return drawn + _level_names(line, window, wording, down, top)


def _bounds(line: Line, seen: Sequence[Point]) -> tuple[float, float]:
    """The lowest and the highest value there is to draw; never the same."""
    values = [point.value for point in seen] + [value for _, value in line.targets]
    values += [point.was for point in seen if point.was is not None]
    values += [line.baseline] if line.baseline is not None else []
    lowest, highest = (min(values), max(values)) if values else (0.0, 1.0)
    return (lowest, highest) if lowest < highest else (lowest - 1, highest + 1)


def _levels(line: Line, window: Window) -> list[tuple[str, float]]:
    """What is named at the right: the baseline, and the target that is in force at the end."""
    found = [("baseline", line.baseline)] if line.baseline is not None else []
    targets = [value for at, value in line.targets if at <= window.end]
    return [*found, *([("target", targets[-1])] if targets else [])]


def _level_names(line: Line, window: Window, wording: Wording, down: Down, top: int) -> Markup:
    """The names of the levels, apart from each other even where the levels are not."""
    levels = _levels(line, window)
    middles = apart(
        [down(value) for _, value in levels], NAME_HEIGHT, top + 6, top + LINE_HEIGHT - 6
    )
    drawn = Markup()
    for (kind, value), middle in zip(levels, middles, strict=True):
        word = tag("tspan", f"{wording.levels[kind]} ", class_="word")
        x, y = percent(round(window.right + EDGE, 2)), round(middle + 3.5, 1)
        kinds = f"level-name {kind}-name"
        drawn += tag("text", word, words.short_number(value), x=x, y=y, class_=kinds)
    return drawn


def _targets(line: Line, window: Window, wording: Wording, down: Down) -> Markup:
    drawn = Markup()
    ends = [at for at, _ in line.targets[1:]] + [window.end]
    for (start, value), end in zip(line.targets, ends, strict=False):
        if end < window.start or start > window.end:
            continue
        y = down(value)
        x1, x2 = percent(window.x(start)), percent(window.x(end))
        title = tag("title", f"{wording.levels['target']} {words.number(value)}")
        drawn += tag("line", title, x1=x1, x2=x2, y1=y, y2=y, class_="level target")
    return drawn


def _steps(points: Sequence[Point], window: Window, down: Down, top: int) -> Markup:
    """A value holds until the next one: a line of steps, in a drawing that may be stretched."""
    if not points:
        return Markup()
    path = []
    for number, point in enumerate(points):
        x = round(window.x(point.at) * 10, 1)
        y = round(down(point.value) - top, 1)
        path.append(f"M{x} {y}" if number == 0 else f"H{x}V{y}")
    path.append(f"H{round(window.right * 10, 1)}")
    line = tag("path", d="".join(path), class_="steps", vector_effect="non-scaling-stroke")
    return tag(
        "svg",
        line,
        x="0",
        y=top,
        width="100%",
        height=LINE_HEIGHT,
        viewBox=f"0 0 1000 {LINE_HEIGHT}",
        preserveAspectRatio="none",
    )


def _point(point: Point, window: Window, down: Down, link: str) -> Markup:
    x, y = percent(window.x(point.at)), down(point.value)
    drawn = Markup()
    if point.was is not None:
        was = down(point.was)
        drawn += tag("line", x1=x, x2=x, y1=y, y2=was, class_="was-line")
        drawn += tag("circle", cx=x, cy=was, r=3.5, class_="was")
    kind = "point late" if point.late else "point"
    title = tag("title", f"{words.number(point.value)}{notes(point)}")
    dot = tag("circle", title, cx=x, cy=y, r=4 if point.late else 3.5, class_=kind)
    return drawn + tag("a", dot, href=link.format(point.version), tabindex=-1)


def notes(point: Point) -> str:
    """What is special about a value: corrected, late."""
    was = say("corrected, was {}").format(words.number(point.was))
    notes = [was] if point.was is not None else []
    notes += [say("recorded late")] if point.late else []
    return f" ({'; '.join(notes)})" if notes else ""
