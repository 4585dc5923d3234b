"""The command ``script/bench``."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import click

from bench import (
    access,
    following,
    http,
    limit,
    profile,
    projecting,
    sealing,
    soon,
    starting,
    store,
    visible,
    workloads,
    wrk,
)
from bench.conditions import conditions
from bench.figures import Figure
from bench.generator import PythonGenerator
from bench.jobs import Generator
from bench.report import Report
from bench.serving import Serving, serving
from bench.stage import Stage, stage, wait_for_projections

OTHERS = ("visible", "access", "following", "soon", "sealing", "store", "projections", "start")
NAMES = (*workloads.NAMES, *workloads.LIMITS, *OTHERS)
HTTP = (*workloads.NAMES, *workloads.LIMITS)


def told(line: str) -> None:
    """Say how it goes, on standard error."""
    click.echo(line, err=True)


def _numbers(_context: object, _parameter: object, given: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(part) for part in given.split(",")}))
    except ValueError as wrong:
        raise click.BadParameter("Give numbers with commas between them, such as 1,16.") from wrong


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be measured, and how thoroughly."""

    names: Sequence[str]
    seconds: float
    rounds: int
    connections: tuple[int, ...]
    patience: float
    plans: int
    entries: int

    @property
    def told(self) -> str:
        """How thoroughly, in words."""
        callers = ", ".join(map(str, self.connections))
        return f"{self.rounds} of {self.seconds:g} s with {callers} connections; {self.plans:,} small plans"

    @property
    def wanted(self) -> Sequence[str]:
        """The names of what is measured: all, unless some were given."""
        return self.names or NAMES


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option("--seconds", default=6.0, show_default=True, help="Length of each run.")
@click.option("--rounds", default=3, show_default=True, help="Rounds; figures are their medians.")
@click.option(
    "--connections", default="1,16", show_default=True, callback=_numbers, help="Callers at a time."
)
@click.option(
    "--patience",
    default=5.0,
    show_default=True,
    help="Seconds to wait before each round for a calm machine.",
)
@click.option(
    "--plans", default=2_000, show_default=True, help="Small plans in the clinic that is read."
)
@click.option("--entries", default=50_000, show_default=True, help="Entries for the projections.")
@click.option("--python", is_flag=True, help="Send with Python even where wrk can be had.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write everything as JSON."
)
@click.option(
    "--markdown", "markdown_file", type=click.Path(path_type=Path), help="Write the document."
)
def main(
    *, python: bool, json_file: Path | None, markdown_file: Path | None, **given: object
) -> None:
    """Measure the service, NAMES of what or everything, and say how it compares with the targets."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    asked = Asked(**given)  # type: ignore[arg-type] # click has converted them
    generator = PythonGenerator() if python else _generator()
    with stage() as held:
        report = Report({**conditions(held, generator.name), "rounds": asked.told})
        _measure(held, generator, asked, report)
    click.echo(report.text())
    if json_file:
        json_file.write_text(json.dumps(report.json(), indent=1, default=str) + "\n", "utf-8")
    if markdown_file:
        markdown_file.write_text(report.markdown(), "utf-8")
    if report.void:
        sys.exit(f"{report.void} runs are void: an answer in them was not as expected.")


def _generator() -> Generator:
    found, said = wrk.find()
    told(said)
    return found or PythonGenerator()


def _measure(held: Stage, generator: Generator, asked: Asked, report: Report) -> None:
    wanted = asked.wanted
    if "start" in wanted:
        report.figures += starting.measure(asked.rounds, told)
    if {*HTTP, "visible", "access", "following", "soon", "sealing"} & {*wanted}:
        _serve(held, generator, asked, report)
    if "sealing" in wanted:
        sealed = sealing.from_nothing(held, asked.entries, asked.rounds, told)
        report.sections.append(sealing.section(sealed))
    if "store" in wanted:
        appended = store.measure(held, asked.rounds, asked.seconds, told)
        report.figures += store.figures(appended)
        report.sections.append(store.section(appended))
        report.raw["store"] = [(asdict(case), rates) for case, rates in appended.items()]
    if "projections" in wanted:
        taken = projecting.measure(held, asked.entries, asked.rounds, told)
        report.figures += projecting.figures(taken)
        report.sections.append(projecting.section(taken))
        report.raw["projections"] = asdict(taken)


def _serve(held: Stage, generator: Generator, asked: Asked, report: Report) -> None:
    names = [name for name in HTTP if name in asked.wanted]
    with held.database("serving") as url, held.database("limit", migrated=False) as limit_url:
        loaded = workloads.load(held, url, asked.plans, told)
        with serving(held, url, limit_url) as running:
            wait_for_projections(url)
            sealing.seal(held, url)
            running.note_memory()
            bench = http.Bench(running, loaded, generator, asked.seconds, asked.patience)
            _fill_limit(bench)
            _drive(bench, names, asked, report)
            if "sealing" in asked.wanted:
                beside = sealing.beside(held, bench, asked.rounds, told)
                report.figures += sealing.figures(beside)
            if "following" in asked.wanted:
                told("following: the stream, and a webhook")
                report.sections.append(following.measure(running, url, loaded.reader))
            if "soon" in asked.wanted:
                told("soon: how soon entries arrive, and requests beside those who wait")
                current = workloads.job("current", running, loaded)
                given = (generator, current, loaded.reader, asked.seconds)
                found = soon.measure(held, running, *given)
                report.figures += soon.figures(found)
                report.sections += soon.sections(found)
        if "access" in asked.wanted:
            clinic_token, plan_id = loaded.one.plans[0]
            steps = access.measure(url, clinic_token, plan_id, asked.seconds)
            report.sections.append(access.section(steps))
        for name in [name for name in report.missed() if name in names]:
            told(f"missed, so it is profiled: {name}")
            report.profiles[name] = profile.profile(url, workloads.job(name, running, loaded), 2)


def _fill_limit(bench: http.Bench) -> None:
    shown = json.loads(bench.answer("timeline") or b"")["entries"]
    pool = [str(plan) for _, plan in bench.loaded.one.plans]
    page = [json.dumps(held, ensure_ascii=False).encode() for held in shown]
    limit.fill(bench.running.limit_url, pool, bench.answer("current") or b"", page)


def _drive(bench: http.Bench, names: Sequence[str], asked: Asked, report: Report) -> None:
    if names:
        found = http.measure(bench, names, asked.connections, asked.rounds, told)
        report.figures += http.figures(found)
        report.figures += _memory(bench.running)
        report.sections.append(http.section(found))
        report.others = median([held.others for one in found for held in one.held] or [0.0])
        report.void = sum(one.void for one in found)
        report.raw["http"] = [one.row() for one in found]
    if "visible" in asked.wanted:
        steady = workloads.job("add-one", bench.running, bench.loaded)
        seconds = 2 * asked.seconds
        seen = visible.measure(bench.running, bench.loaded.one.clinic_id, steady, seconds)
        report.figures += visible.figures(seen, seconds)


def _memory(running: Serving) -> list[Figure]:
    return [
        Figure(
            f"memory-{part}", max(seen), f"{seen[0]:.0f} MB when it had caught up, before requests"
        )
        for part, seen in running.memory.items()
    ]


if __name__ == "__main__":
    main()
