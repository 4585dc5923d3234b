"""Telling what was measured: a table for the terminal, a document, JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.figures import Figure
from bench.others import CALM
from bench.targets import TARGETS

HEAD = """# Measurements

Written by `script/bench --markdown docs/measurements.md`. Every speed is a ratio within one run,
the median of interleaved rounds; absolute figures hold for the machine below and nowhere else.
“No-op” is a bare Flask route that answers 1 kB of JSON under the same gunicorn settings, measured
just before each run with the same load generator and connections. A figure that is missed stays
written down, with where the time goes.
"""


@dataclass(slots=True)
class Section:
    """A table of its own with a sentence on how to read it."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""


CARE = """
**Read these with care.** Other work used {others:.1f} cores of the machine meanwhile (median), so rates,
latencies and ratios come out too low, above all with many connections and where a disk is waited for.
The ratio “by CPU” suffers least. Run it again on a quiet machine before drawing conclusions.
"""


@dataclass(slots=True)
class Report:
    """All of a run."""

    conditions: Mapping[str, str]
    figures: list[Figure] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    profiles: dict[str, list[str]] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict)
    void: int = 0
    others: float = 0.0

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The main table: every target, measured or not."""
        held = {figure.key: figure for figure in self.figures}
        for key, target in TARGETS.items():
            figure = held.get(key)
            value = figure.value if figure else None
            yield (
                target.what,
                target.shown(value),
                target.shown(target.least),
                target.shown(target.aim),
                target.reached(value) if value is not None else "not measured",
                figure.note if figure else "",
            )

    def missed(self) -> list[str]:
        """The keys of the targets that were measured and not reached."""
        return [
            figure.key
            for figure in self.figures
            if figure.value is not None and TARGETS[figure.key].reached(figure.value) == "MISSED"
        ]

    def text(self) -> str:
        """For the terminal."""
        lines = [*_aligned(COLUMNS, list(self.rows()))]
        for section in self.sections:
            lines += ["", section.title, *_aligned(section.columns, section.rows)]
        return "\n".join(lines)

    def markdown(self) -> str:
        """For docs/measurements.md."""
        parts = [HEAD, "## Conditions\n"]
        parts += [f"- {name}: {held}" for name, held in self.conditions.items()]
        parts += [CARE.format(others=self.others).rstrip()] if self.others > CALM else []
        parts += ["\n## Figures\n", *_markdown(COLUMNS, list(self.rows()))]
        for section in self.sections:
            parts += [f"\n## {section.title}\n"]
            parts += [section.note + "\n"] if section.note else []
            parts += _markdown(section.columns, section.rows)
        if self.profiles:
            parts.append("\n## Where the time goes in what was missed\n")
            parts.append(
                "Own time by function (cProfile of the application in process, without gunicorn).\n"
            )
        for name, lines in self.profiles.items():
            parts += [f"### {TARGETS[name].what}\n", "```", *lines, "```\n"]
        return "\n".join(parts).rstrip() + "\n"

    def json(self) -> dict[str, Any]:
        """All of it in JSON types."""
        return asdict(self)


COLUMNS = ("what", "measured", "at least", "aim", "", "how")


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _aligned(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    table = [columns, *rows]
    widths = [max(len(row[place]) for row in table) for place in range(len(columns))]
    for row in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
