"""The command ``script/bench``."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from bench import http, wrk
from bench.conditions import conditions
from bench.generator import PythonGenerator
from bench.jobs import Generator
from bench.report import Report
from bench.stage import Stage, serving, stage, wait_for_projections

OTHERS = ()
NAMES = (*http.NAMES, *OTHERS)


def told(line: str) -> None:
    """Say how it goes, on standard error."""
    click.echo(line, err=True)


def _numbers(_context: object, _parameter: object, given: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(part) for part in given.split(",")}))
    except ValueError as wrong:
        raise click.BadParameter("Give numbers with commas between them, such as 1,16.") from wrong


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option("--seconds", default=6.0, show_default=True, help="Length of each run.")
@click.option("--rounds", default=3, show_default=True, help="Rounds; figures are their medians.")
@click.option("--connections", default="1,16", show_default=True, callback=_numbers, help="Callers at a time.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write everything as JSON.")
@click.option("--markdown", "markdown_file", type=click.Path(path_type=Path), help="Write the document.")
def main(
    names: Sequence[str],
    seconds: float,
    rounds: int,
    connections: tuple[int, ...],
    json_file: Path | None,
    markdown_file: Path | None,
) -> None:
    """Measure the service, NAMES of what or everything, and say how it compares with the targets."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wanted = names or NAMES
    generator = _generator()
    with stage() as held:
        report = Report({**conditions(held, generator.name), "rounds": f"{rounds} of {seconds:g} s"})
        over_http = [name for name in http.NAMES if name in wanted]
        if over_http:
            _over_http(held, generator, report, over_http, connections, rounds, seconds)
    click.echo(report.text())
    if json_file:
        json_file.write_text(json.dumps(report.json(), indent=1, default=str) + "\n", "utf-8")
    if markdown_file:
        markdown_file.write_text(report.markdown(), "utf-8")


def _generator() -> Generator:
    found, said = wrk.find()
    told(said)
    return found or PythonGenerator()


def _over_http(
    held: Stage,
    generator: Generator,
    report: Report,
    names: Sequence[str],
    connections: Sequence[int],
    rounds: int,
    seconds: float,
) -> None:
    with held.database("serving") as url:
        loaded = http.load(held, url, told)
        with serving(held, url) as running:
            wait_for_projections(url)
            bench = http.Bench(running, loaded, generator, seconds)
            found = http.measure(bench, names, connections, rounds, told)
    report.figures += http.figures(found)
    report.sections.append(http.section(found))


if __name__ == "__main__":
    main()
