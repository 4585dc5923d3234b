"""Drawings: a plan's life as SVG, small lines for single measures, a clinic's months.

Horizontal places are percentages and vertical ones pixels, so one drawing fits a phone and a desk
without its texts being stretched. Nothing carries a style: classes do, and ``pages.css`` says how.
Words never lie on what is drawn, nor on each other: a band's caption stands above it, the names of
levels in the margin, apart; turning points that would touch are one, with their number.
"""

from __future__ import annotations

from api.pages.charts.lanes import GLYPHS
from api.pages.charts.replay import replay, said_at
from api.pages.charts.single import bars, small
from api.pages.charts.svg import MARGIN, MOST_POINTS, Window, in_view, whole
from api.pages.charts.tables import rows

__all__ = [
    "GLYPHS",
    "MARGIN",
    "MOST_POINTS",
    "Window",
    "bars",
    "in_view",
    "replay",
    "rows",
    "said_at",
    "small",
    "whole",
]
