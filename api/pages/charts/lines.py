"""Measures as steps, with baseline and target."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from api.pages import words
from api.pages.charts.svg import EDGE, Window, caption, in_view, percent, tag
from service.life import Line, Point

LINE_HEIGHT = 54


def line_caption(line: Line, window: Window, y: int) -> Markup:
    """The measure's name, and its last value in view."""
    last = in_view(line.points, window)[-1:]
    unit = f" {line.unit}" if line.unit and line.unit.lower() != line.name.lower() else ""
    return caption(line.name, y, f"{words.number(last[0].value)}{unit}" if last else "")


def line_band(line: Line, window: Window, top: int, link: str) -> Markup:
    """The measure's values as steps in a band that begins at ``top``."""
    seen = in_view(line.points, window)
    lowest, highest = _bounds(line, seen)

    def down(value: float) -> float:
        share = (value - lowest) / ((highest - lowest) or 1.0)
        return round(top + LINE_HEIGHT - 6 - share * (LINE_HEIGHT - 12), 1)

    drawn = tag("rect", x="0", y=top, width="100%", height=LINE_HEIGHT, class_="plot", rx=6)
    if line.baseline is not None:
        y = down(line.baseline)
        name = f"baseline {words.number(line.baseline)}"
        drawn += tag("line", x1="0", x2="100%", y1=y, y2=y, class_="level baseline")
        drawn += _level_name(name, EDGE, y, top, "level-name baseline-name", "start")
    drawn += _targets(line, window, down, top)
    drawn += _steps(seen, window, down, top)
    for point in seen:
        if window.holds(point.at):
            drawn += _point(point, window, down, link)
    return drawn


def _bounds(line: Line, seen: Sequence[Point]) -> tuple[float, float]:
    values = [point.value for point in seen] + [value for _, value in line.targets]
    values += [point.was for point in seen if point.was is not None]
    values += [line.baseline] if line.baseline is not None else []
    return (min(values), max(values)) if values else (0.0, 1.0)


def _level_name(text: str, x: float, y: float, top: int, kind: str, anchor: str) -> Markup:
    """A level's name: above its line, or below it where there is no room above."""
    place = y + 11 if y - top < 14 else y - 4
    return tag("text", text, x=percent(x), y=place, class_=kind, text_anchor=anchor)


def _targets(line: Line, window: Window, down: Callable[[float], float], top: int) -> Markup:
    drawn = Markup()
    ends = [at for at, _ in line.targets[1:]] + [window.end]
    for (start, value), end in zip(line.targets, ends, strict=False):
        if end < window.start or start > window.end:
            continue
        y = down(value)
        x1, x2 = window.x(start), window.x(end)
        drawn += tag("line", x1=percent(x1), x2=percent(x2), y1=y, y2=y, class_="level target")
        name = f"target {words.number(value)}"
        drawn += _level_name(name, x1, y, top, "level-name target-name", "start")
    return drawn


def _steps(
    points: Sequence[Point], window: Window, down: Callable[[float], float], top: int
) -> Markup:
    """A value holds until the next one: a line of steps, in a drawing that may be stretched."""
    if not points:
        return Markup()
    path, before = [], 0.0
    for number, point in enumerate(points):
        x = round(window.x(point.at) * 10, 1)
        y = round(down(point.value) - top, 1)
        path.append(f"M{x} {y}" if number == 0 else f"H{x}V{y}")
        before = y
    path.append(f"H{round((100 - EDGE) * 10, 1)}")
    assert before >= 0
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


def _point(point: Point, window: Window, down: Callable[[float], float], link: str) -> Markup:
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
    notes = [f"corrected, was {words.number(point.was)}"] if point.was is not None else []
    notes += ["recorded late"] if point.late else []
    return f" ({'; '.join(notes)})" if notes else ""
