"""The service over HTTP: each workload beside the no-op, round by round."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from bench.figures import Figure, Run
from bench.jobs import Generator, Job, Place
from bench.others import Others, wait_until_calm
from bench.report import Section
from bench.rounds import Beside, Rounds
from bench.serving import App, Serving
from bench.stage import wait_for_projections
from bench.targets import TARGETS
from bench.workloads import LIMIT, MANY, Loaded, job


@dataclass(slots=True)
class Bench:
    """The running service and what to send it with."""

    running: Serving
    loaded: Loaded
    generator: Generator
    seconds: float
    patience: float

    def answer(self, name: str) -> bytes | None:
        """The answer to one reading request; None where the service does not offer that yet."""
        sent = job(name, self.running, self.loaded)
        if sent.body:
            return b""
        place = sent.places[0]
        address = self._app(name).address + place.path
        request = Request(address, headers=sent.headers_for(place, 0, ""))  # noqa: S310 - our own address
        try:
            with urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
                told: bytes = answer.read()
                return told
        except HTTPError as refused:
            if refused.code == HTTPStatus.NOT_FOUND:
                return None
            raise

    def once(self, name: str, connections: int) -> Beside:
        """The no-op, then the workload; ends when everything has come to rest."""
        wait_until_calm(self.patience)
        others = Others()
        noop, noop_cpu = self._run(self.running.noop, NOTHING, connections)
        sent = job(name, self.running, self.loaded)
        run, cpu = self._run(self._app(name), sent, connections)
        return Beside(noop, sum(noop_cpu.values()), run, cpu, others.cores())

    def _run(self, app: App, sent: Job, connections: int) -> tuple[Run, dict[str, float]]:
        """A run and the CPU milliseconds a request, with all that it set off."""
        before = app.cpu()
        run = self.generator.run(app.address, sent, connections, self.seconds)
        self.running.note_memory()
        wait_for_projections(self.running.url)
        app.settle()
        answered = run.requests + connections  # each connection leaves one behind at the end
        return run, {
            part: 1000 * (held - before[part]) / answered for part, held in app.cpu().items()
        }

    def _app(self, name: str) -> App:
        return self.running.limit if name.startswith(LIMIT) else self.running.service

    def warm_up(self, name: str) -> None:
        """One short run that does not count."""
        sent = job(name, self.running, self.loaded)
        self.generator.run(self._app(name).address, sent, 2, 1)


NOTHING = Job((Place("/"),))


def measure(
    bench: Bench,
    names: Sequence[str],
    connections: Sequence[int],
    rounds: int,
    told: Callable[[str], None],
) -> list[Rounds]:
    """Every workload at every number of connections, interleaved, so many times."""
    answers = {name: bench.answer(name) for name in names}
    sizes = {name: None if held is None else len(held) for name, held in answers.items()}
    for name in names:
        if sizes[name] is None:
            told(f"{name}: the service does not offer that yet")
    there = [name for name in names if sizes[name] is not None]
    for name in there:
        bench.warm_up(name)
    found = [Rounds(name, count, sizes[name] or 0) for count in connections for name in there]
    for number in range(1, rounds + 1):
        for one in found:
            done = bench.once(one.name, one.connections)
            one.held.append(done)
            told(_line(number, one, done))
    return found


def _line(number: int, one: Rounds, done: Beside) -> str:
    void = f"  VOID: {done.run.refused} refused, {done.run.broken} broken" if done.run.void else ""
    cpu = ", ".join(f"{part} {held:.2f}" for part, held in done.cpu.items())
    return (
        f"round {number}  {one.name:14} × {one.connections:<3} {done.run.rate:8,.0f}/s of {done.noop.rate:6,.0f}/s "
        f"= {done.ratio:.2f} (by CPU {done.cpu_ratio:.2f})   p50 {done.run.p50:.1f}  p99 {done.run.p99:.1f} ms   "
        f"CPU ms: {cpu}, others {done.others:.1f} cores{void}"
    )


def figures(found: Sequence[Rounds]) -> Iterator[Figure]:
    """The figures for the targets: ratios at the most connections, p99 at the fewest."""
    most, fewest = (pick(one.connections for one in found) for pick in (max, min))
    rows = {(one.name, one.connections): one.row() for one in found if one.good}
    for (name, count), row in rows.items():
        if name == "as-of-10000" and count == fewest:
            yield Figure(name, row["p99"], f"with {fewest} connection{'s' * (fewest > 1)}")
        elif name == "add-twenty" and count == most:
            single = rows.get(("add-one", count))
            value = 20 * row["rate"] / single["rate"] if single else None
            yield Figure(
                name, value, f"{20 * row['rate']:,.0f} entries/s; {row['ratio']:.2f} × no-op"
            )
        elif name in TARGETS and name not in ("as-of-10000", "add-twenty") and count == most:
            limit = rows.get((LIMIT + name.removesuffix(MANY), count))
            here = f"; the limit here is {limit['ratio']:.2f}" if limit else ""
            note = (
                f"{row['rate']:,.0f}/s of {row['noop']:,.0f}/s; by CPU {row['cpu_ratio']:.2f}{here}"
            )
            yield Figure(name, row["ratio"], note)


def section(found: Sequence[Rounds]) -> Section:
    """The table of every workload at every number of connections."""
    parts = ("web", "projector", "postgres")
    columns = (
        "workload",
        "connections",
        "requests/s",
        "no-op/s",
        "ratio",
        "by CPU",
        "p50 ms",
        "p90 ms",
        "p99 ms",
    )
    rows = [tuple(_cells(one.row(), parts)) for one in found]
    void = sum(one.void for one in found)
    note = (
        "CPU: milliseconds a request by part, until the read models had caught up; “by CPU” is the "
        "no-op's CPU time a request as a share of theirs, which other work on the machine disturbs less. "
        "“limit-…” is the least Flask and psycopg can do for it here: ready-made JSON, no validation, no "
        "rules, no sign-in. “others”: cores that other work on the machine used meanwhile. "
        f"Void runs (an answer was not as expected): {void}."
    )
    more = ("CPU web", "projector", "postgres", "answer bytes", "others")
    return Section("Over HTTP", (*columns, *more), rows, note)


def _cells(row: dict[str, Any], parts: Sequence[str]) -> Iterator[str]:
    yield from (row["name"], str(row["connections"]))
    if "rate" not in row:
        yield from ("void", *["–"] * 11)
        return
    yield from (f"{row['rate']:,.0f}", f"{row['noop']:,.0f}")
    yield from (f"{row[name]:.2f}" for name in ("ratio", "cpu_ratio"))
    yield from (f"{row[share]:.1f}" for share in ("p50", "p90", "p99"))
    yield from (f"{row['cpu'].get(part, 0):.2f}" for part in parts)
    yield f"{row['bytes']:,}" if row["bytes"] else "–"
    yield f"{row['others']:.1f}"
