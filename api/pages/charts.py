"""Drawings: a plan's life as SVG, and small lines for single measures.

Horizontal places are percentages and vertical ones pixels, so one drawing fits a phone and a desk
without its texts being stretched. Nothing carries a style: classes do, and ``pages.css`` says how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from markupsafe import Markup, escape

from api.pages import words
from service.replay import Lane, Life, Line, Mark, Point, Span

EDGE = 1.6
"""Room at both sides, in per cent, so that nothing is cut."""
CAPTION, LINE_HEIGHT, LANE_HEIGHT, ROW_HEIGHT, GAP = 17, 54, 13, 16, 9
MOST_POINTS = 160
"""Points drawn of one line; of more, each stretch shows its lowest, highest and last."""
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


def replay(
    life: Life, window: Window, cursor: datetime, pinned: datetime | None, link: str
) -> Markup:
    """The whole drawing. ``link`` is the address of a version, with ``{}`` for its number."""
    bands: list[Markup] = []
    captions: list[Markup] = []
    y = 4
    for line in life.lines:
        captions.append(_line_caption(line, window, y))
        bands.append(_line_band(line, window, y + CAPTION, link))
        y += CAPTION + LINE_HEIGHT + GAP
    for lane in life.lanes:
        shown = [span for span in lane.spans if _in_view(span, window)]
        if shown:
            captions.append(_lane_caption(shown, y))
            bands.append(_lane_band(lane, shown, window, y + CAPTION))
            y += CAPTION + LANE_HEIGHT + GAP - 2
    for kind, name in words.MARKS.items():
        marks = [mark for mark in life.marks if mark.kind == kind and window.holds(mark.at)]
        if marks:
            captions.append(_caption(name, y, str(len(marks))))
            bands.append(_mark_row(kind, marks, window, y + CAPTION, link))
            y += CAPTION + ROW_HEIGHT
    height = y + 24
    return tag(
        "svg",
        _grid(window, y),
        *bands,
        _veil(window, cursor, y),
        *([_cursor(window, pinned, y, "cursor pinned")] if pinned else ()),
        _cursor(window, cursor, y, "cursor now"),
        *captions,
        class_="chart replay-chart",
        width="100%",
        height=height,
        aria_hidden="true",
        focusable="false",
    )


def _in_view(span: Span, window: Window) -> bool:
    return span.start <= window.end and (span.end is None or span.end >= window.start)


def _percent(x: float) -> str:
    return f"{x}%"


def _caption(text: str, y: int, extra: str = "") -> Markup:
    inner = tag("text", text, x=2, y=12, class_="caption")
    said = tag(
        "svg", inner, x=_percent(EDGE), y=y, width="78%", height=CAPTION
    )  # cut where it ends
    if not extra:
        return said
    return said + tag(
        "text", extra, x=_percent(100 - EDGE), y=y + 12, class_="caption side", text_anchor="end"
    )


# Time


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
        x = _percent(window.x(at))
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
    x = _percent(window.x(at))
    return tag("line", x1=x, x2=x, y1=0, y2=bottom, class_=kind)


def _veil(window: Window, at: datetime, bottom: int) -> Markup:
    """What lies after the moment is still there, but stands back."""
    x = window.x(at)
    return tag(
        "rect", x=_percent(x), y=0, width=_percent(round(100 - x, 2)), height=bottom, class_="veil"
    )


# Measures


def _line_caption(line: Line, window: Window, y: int) -> Markup:
    last = in_view(line.points, window)[-1:]
    unit = f" {line.unit}" if line.unit and line.unit.lower() != line.name.lower() else ""
    return _caption(line.name, y, f"{words.number(last[0].value)}{unit}" if last else "")


def _line_band(line: Line, window: Window, top: int, link: str) -> Markup:
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
    return tag("text", text, x=_percent(x), y=place, class_=kind, text_anchor=anchor)


def _targets(line: Line, window: Window, down: Callable[[float], float], top: int) -> Markup:
    drawn = Markup()
    ends = [at for at, _ in line.targets[1:]] + [window.end]
    for (start, value), end in zip(line.targets, ends, strict=False):
        if end < window.start or start > window.end:
            continue
        y = down(value)
        x1, x2 = window.x(start), window.x(end)
        drawn += tag("line", x1=_percent(x1), x2=_percent(x2), y1=y, y2=y, class_="level target")
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
    x, y = _percent(window.x(point.at)), down(point.value)
    drawn = Markup()
    if point.was is not None:
        was = down(point.was)
        drawn += tag("line", x1=x, x2=x, y1=y, y2=was, class_="was-line")
        drawn += tag("circle", cx=x, cy=was, r=3.5, class_="was")
    kind = "point late" if point.late else "point"
    title = tag("title", f"{words.number(point.value)}{_notes(point)}")
    dot = tag("circle", title, cx=x, cy=y, r=4 if point.late else 3.5, class_=kind)
    return drawn + tag("a", dot, href=link.format(point.version), tabindex=-1)


def _notes(point: Point) -> str:
    notes = [f"corrected, was {words.number(point.was)}"] if point.was is not None else []
    notes += ["recorded late"] if point.late else []
    return f" ({'; '.join(notes)})" if notes else ""


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


# Interventions


def _lane_caption(shown: Sequence[Span], y: int) -> Markup:
    names = dict.fromkeys(span.technique for span in shown)
    return _caption(" → ".join(names), y, words.label(_status(shown[-1])))


def _lane_band(lane: Lane, shown: Sequence[Span], window: Window, top: int) -> Markup:
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
        x=_percent(x1),
        y=top + 2,
        width=_percent(round(max(x2 - x1, 0.6), 2)),
        height=LANE_HEIGHT - 4,
        rx=3,
        class_=kind,
    )


def _swap(x: float, y: float) -> Markup:
    glyph = tag("path", d="M-4 -2 H4 L1.5 -4.5 M4 2 H-4 L-1.5 4.5", class_="swap-arrows")
    ring = tag("circle", cx=0, cy=0, r=8, class_="swap-ring")
    held = tag("g", tag("title", "Swapped"), ring, glyph)
    return tag("svg", held, x=_percent(x), y=y, overflow="visible", class_="swap")


# Turning points


def _mark_row(kind: str, marks: Sequence[Mark], window: Window, top: int, link: str) -> Markup:
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
    return tag("svg", drawn, x=_percent(window.x(group[0].at)), y=y, overflow="visible")


# Tables


def rows(
    life: Life, window: Window, most: int = 200
) -> tuple[list[tuple[datetime, str, str, int]], int]:
    """The drawing as a table – when, what, how, version – newest first; and how many rows there are."""
    found: list[tuple[datetime, str, str, int]] = []
    for line in life.lines:
        unit = f" {line.unit}" if line.unit else ""
        for point in line.points:
            if window.holds(point.at):
                told = f"{words.number(point.value)}{unit}{_notes(point)}"
                found.append((point.at, line.name, told, point.version))
    for lane in life.lanes:
        found += [
            (span.start, span.technique, words.label(span.status), span.version)
            for span in lane.spans
            if window.holds(span.start)
        ]
    for mark in life.marks:
        if window.holds(mark.at):
            found.append((mark.at, words.MARKS[mark.kind], mark.sentence, mark.version))
    found.sort(key=lambda row: (row[0], row[3]), reverse=True)
    return found[:most], len(found)


# One measure by itself


def small(
    values: Sequence[dict[str, object]], baseline: float | None, target: float | None
) -> Markup:
    """A measure's values as a small line, with its target, for beside a goal."""
    known = [
        (datetime.fromisoformat(str(held["at"])), float(str(held["value"]))) for held in values
    ]
    if len(known) < 2:
        return Markup()
    points = [Point(at, value, 0, late=False) for at, value in known]
    window = Window(points[0].at, points[-1].at)
    seen = in_view(points, window, 90)
    every = [point.value for point in seen] + [v for v in (baseline, target) if v is not None]
    lowest, highest = min(every), max(every)
    height = 44

    def down(value: float) -> float:
        share = (value - lowest) / ((highest - lowest) or 1.0)
        return round(height - 5 - share * (height - 10), 1)

    path = ""
    for number, point in enumerate(seen):
        x = round(window.x(point.at) * 10, 1)
        path += f"M{x} {down(point.value)}" if number == 0 else f"H{x}V{down(point.value)}"
    drawn = tag("path", d=path, class_="steps", vector_effect="non-scaling-stroke")
    inner = tag(
        "svg",
        drawn,
        width="100%",
        height=height,
        viewBox=f"0 0 1000 {height}",
        preserveAspectRatio="none",
    )
    level = Markup()
    if target is not None:
        y = down(target)
        level = tag("line", x1="0", x2="100%", y1=y, y2=y, class_="level target")
    end = tag("circle", cx=_percent(100 - EDGE), cy=down(seen[-1].value), r=3.5, class_="point")
    return tag(
        "svg",
        level,
        inner,
        end,
        class_="chart small-chart",
        width="100%",
        height=height,
        aria_hidden="true",
    )


# The clinic


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
                    x=_percent(x),
                    y=y,
                    width=_percent(width),
                    height=tall,
                    rx=2,
                    class_=kind,
                )
                middle = _percent(round(x + width / 2, 2))
                drawn += tag("text", str(count), x=middle, y=y - 5, text_anchor="middle")
        middle = _percent(round(left + wide * 0.48, 2))
        short = name.split(" ")[0]
        drawn += tag("text", short, x=middle, y=height + 16, text_anchor="middle", class_="tick")
    return tag(
        "svg", drawn, class_="chart bars", width="100%", height=height + 24, aria_hidden="true"
    )
