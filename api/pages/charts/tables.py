"""A drawing as a table."""

from __future__ import annotations

from datetime import datetime

from api.pages import words
from api.pages.charts.lines import notes
from api.pages.charts.svg import Window
from api.pages.wording import Wording
from service.life import Life


def rows(
    life: Life, window: Window, wording: Wording, most: int = 200
) -> tuple[list[tuple[datetime, str, str, int]], int]:
    """The drawing as a table – when, what, how, version – newest first; and how many rows there are."""
    found: list[tuple[datetime, str, str, int]] = []
    for line in life.lines:
        unit = f" {line.unit}" if line.unit else ""
        for point in line.points:
            if window.holds(point.at):
                told = f"{words.number(point.value)}{unit}{notes(point)}"
                found.append((point.at, line.name, told, point.version))
    for lane in life.lanes:
        found += [
            (span.start, span.technique, wording.status(span.status), span.version)
            for span in lane.spans
            if window.holds(span.start)
        ]
    for mark in life.marks:
        if window.holds(mark.at):
            found.append((mark.at, wording.marks[mark.kind], mark.sentence, mark.version))
    found.sort(key=lambda row: (row[0], row[3]), reverse=True)
    return found[:most], len(found)
