"""Drawings: no words upon words, nothing beyond the edge, whatever a life brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages import charts, words
from api.pages.charts.axis import LETTER, ticks
from api.pages.charts.lanes import DIGIT, GLYPH, clusters
from api.pages.charts.lines import NAME_HEIGHT
from api.pages.charts.svg import MARGIN, apart, room
from api.pages.wording import FOR_CLIENTS, FOR_STAFF
from service.life import Lane, Life, Line, Mark, Point, Span, Step

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def at(days: float) -> datetime:
    """A moment of the life."""
    return BEGIN + timedelta(days=days)


def window(days: float) -> charts.Window:
    """So many days in view."""
    return charts.Window(BEGIN, at(days), MARGIN)


def a_life(*lines: Line, lanes: Sequence[Lane] = (), marks: Sequence[Mark] = ()) -> Life:
    """A life of two hundred days with this in it."""
    steps = [Step(1, BEGIN), Step(2, at(200))]
    return Life(2, steps, lines, lanes, marks, [])


def a_line(*values: float, **held: object) -> Line:
    """A measure with a value each week."""
    points = [Point(at(7 * week), value, week + 2, late=False) for week, value in enumerate(values)]
    line = Line("g", "Walks", "Walk more", "walks", 0.0, points, [(BEGIN, 5.0)])
    return replace(line, **held)  # type: ignore[arg-type] # the line's own fields


def drawn(life: Life, days: float = 200) -> ET.Element:
    """The drawing, as a browser reads it."""
    told = charts.replay(life, window(days), FOR_STAFF, at(100), None, "?at={}")
    return ET.fromstring(str(told))  # noqa: S314 - we made it ourselves


def texts(root: ET.Element, kind: str) -> list[ET.Element]:
    """The elements of a class."""
    return [held for held in root.iter() if kind in held.get("class", "").split()]


def words_of(root: ET.Element, kind: str) -> list[str]:
    """What the elements of a class say."""
    return ["".join(held.itertext()) for held in texts(root, kind)]


@given(st.lists(st.floats(0, 54), min_size=1, max_size=12), st.floats(1, 20))
def test_labels_keep_apart(wanted: list[float], gap: float) -> None:
    """In their order, within their room; as far apart as there is room for, and no farther moved than needed."""
    found = apart(wanted, gap, 6, 48)
    assert all(6 - 1e-9 <= place <= 48 + 1e-9 for place in found)
    least = min(gap, 42 / max(len(wanted) - 1, 1))
    assert all(other - one >= least - 1e-6 for one, other in pairwise(sorted(found)))
    for one, other in pairwise(sorted(range(len(wanted)), key=lambda number: wanted[number])):
        assert found[one] <= found[other]


def test_a_label_stays_where_there_is_room() -> None:
    """Nothing is moved without need."""
    assert apart([10, 40], 12, 6, 48) == [10, 40]


@pytest.mark.parametrize(
    "line",
    [
        a_line(3, baseline=5.0, targets=[(BEGIN, 5.0)]),
        a_line(3, 4, 5, baseline=5.0, targets=[(BEGIN, 4.9)]),
        a_line(1e9, -1e9, baseline=0.0, targets=[(BEGIN, 1.0)]),
        a_line(baseline=2.0),
        a_line(7, 7, 7, baseline=7.0, targets=[(BEGIN, 7.0)]),
        a_line(3, targets=[(at(day), float(day)) for day in range(0, 100, 10)]),
    ],
    ids=["equal", "close", "far outside", "no value", "all the same", "many targets"],
)
def test_levels_are_named_beside_the_lines(line: Line) -> None:
    """Baseline and the target in force, never upon each other, in the margin where no value is drawn."""
    root = drawn(a_life(line))
    names = texts(root, "level-name")
    assert len(names) == 2
    assert all(float(name.get("x", "").rstrip("%")) > 100 - MARGIN for name in names)
    places = sorted(float(name.get("y", "")) for name in names)
    assert places[1] - places[0] >= NAME_HEIGHT
    assert all(float(dot.get("cx", "").rstrip("%")) <= 100 - MARGIN for dot in texts(root, "point"))


def test_a_caption_says_the_value_of_the_moment() -> None:
    """With its unit, as the scrubber asks for it; a dash before the first."""
    life = a_life(a_line(1, 2, 3))
    said = [charts.said_at(life, window(200), FOR_STAFF, at(day)) for day in (-1, 0, 8, 150)]
    assert said == [["–"], ["1"], ["2"], ["3"]]
    assert words_of(drawn(a_life(a_line(4, name="Way"))), "then-said") == ["4 walks"]


def marks_at(*days: float) -> list[Mark]:
    """Reviews on these days."""
    return [Mark("review", at(day), 2, "Reviewed.", frozenset()) for day in days]


@given(st.lists(st.floats(0, 200), max_size=60).map(sorted))
def test_turning_points_that_would_touch_are_one(days: list[float]) -> None:
    """With their number, which has room, too; each belongs to one glyph."""
    view = window(200)
    groups = clusters(marks_at(*days), view)
    assert sum(map(len, groups)) == len(days)
    for one, other in pairwise(groups):
        number = 2 + DIGIT * len(str(len(one))) if len(one) > 1 else 0
        assert view.x(other[0].at) - view.x(one[0].at) >= room(GLYPH + number) - 1e-9


@given(st.floats(0.01, 20_000))
def test_ticks_have_names_that_do_not_touch(days: float) -> None:
    """From an afternoon to half a century: not more than there is room for, all within the drawing."""
    view = window(days)
    life = replace(a_life(marks=marks_at(days / 2)), steps=[Step(1, BEGIN)])
    told = charts.replay(life, view, FOR_STAFF, BEGIN, None, "?at={}")
    named = texts(ET.fromstring(str(told)), "tick")  # noqa: S314 - we made it ourselves
    assert len([*ticks(view)]) <= 9
    ends = 0.0
    for tick in named:
        wide, x = room(len(tick.text or "") * LETTER), float(tick.get("x", "").rstrip("%"))
        begins = x - wide / 2 if tick.get("text-anchor") == "middle" else x
        assert begins >= ends
        ends = begins + wide
        assert ends <= 100


def test_a_first_day_has_a_tick() -> None:
    """A plan of a single entry is drawn on an axis of days."""
    assert [name for _, name in ticks(window(1))] == ["3 Mar"]
    assert [name for _, name in ticks(window(40))] == [
        "9 Mar",
        "16 Mar",
        "23 Mar",
        "30 Mar",
        "6 Apr",
    ]


def test_nothing_is_drawn_of_nothing() -> None:
    """Without measures, interventions and turning points there is no empty frame."""
    assert not charts.replay(a_life(), window(200), FOR_STAFF, BEGIN, None, "")


def test_a_lane_says_how_it_stands_at_a_moment() -> None:
    """Before, while it runs, while it rests, and after its end."""
    spans = [
        Span("i", "Walking", "active", at(10), 2, at(20)),
        Span("i", "Walking", "paused", at(20), 3, at(30)),
    ]
    life = a_life(lanes=[Lane(("g",), spans)])
    for wording, resting in ((FOR_STAFF, "Paused"), (FOR_CLIENTS, "Resting")):
        said = [charts.said_at(life, window(200), wording, at(day))[0] for day in (5, 15, 25, 35)]
        assert said == ["–", "Active", resting, "Ended"]


@pytest.mark.parametrize(
    ("value", "short", "plain"),
    [
        (2, "2", "2"),
        (2.5, "2.5", "2.5"),
        (1234, "1234", "1,234"),
        (12_345, "12.3k", "12,345"),
        (-2_500_000, "-2.5M", "-2,500,000"),
        (0.123456, "0.123", "0.123456"),
    ],
)
def test_numbers_are_short_in_the_margin_and_whole_elsewhere(
    value: float, short: str, plain: str
) -> None:
    """No scientific notation where people read."""
    assert (words.short_number(value), words.number(value)) == (short, plain)
