"""The service over HTTP: each workload beside the no-op, round by round."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import UUID

from bench import material
from bench.clinic import Clinic, clinic
from bench.figures import Figure, Run, middle
from bench.jobs import Generator, Job, Place, json_headers
from bench.processes import cpu_seconds
from bench.report import Section
from bench.stage import Serving, Stage, owner, wait_for_projections
from domain.entry import EntryData
from domain.fields import plain_moment, to_plain
from domain.practice import PracticeAssigned

POOL = 320
"""Plans that entries are added to: twenty for each of sixteen connections."""
SMALL = 2_000
NAMES = (
    "open-plan", "add-one", "add-twenty", "current", "timeline", "as-of", "as-of-amended", "as-of-10000",
    "diff", "worklist",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded: who reads and writes, and which plans."""

    reader: str
    writer: str
    writing: UUID
    plan: UUID
    amended: UUID
    long: UUID
    pool: tuple[UUID, ...]


def load(held: Stage, url: str, told: Callable[[str], None]) -> Loaded:
    """Fill two clinics: one to read in, one to write in."""
    with (
        held.hasty("serving"),
        clinic(url, "Reading", days_ago=700, step=timedelta(hours=36)) as reading,
    ):
        told("loading: two plans of 200 entries, one of 10,000 …")
        plan, amended = reading.live("one", 200, 5), reading.live_amended("amended", 200)
        reading.step = timedelta(hours=12)
        long = reading.live("long", 10_000, 20)
        told(f"loading: {SMALL:,} plans of 12 entries …")
        _small(reading, SMALL)
        with clinic(url, "Writing") as writing:
            pool = _small(writing, POOL)
            return Loaded(
                reading.token,
                writing.token,
                writing.who.clinic_id,
                plan,
                amended,
                long,
                tuple(pool),
            )


def _small(into: Clinic, plans: int) -> list[UUID]:
    into.step, into.now = timedelta(), datetime.now(UTC)
    return [into.open(number, material.life(11)) for number in range(plans)]


def _body(entries: Sequence[EntryData]) -> str:
    shown = [{"type": type(data).__name__, "data": to_plain(data)} for data in entries]
    return json.dumps({"entries": shown}, ensure_ascii=False)


def _session() -> list[EntryData]:
    """Twenty entries that can be recorded again and again."""
    said = (data for data in material.course() if not isinstance(data, PracticeAssigned))
    lasting = (
        data for data in said if getattr(data, "practice_id", None) in (None, material.PRACTICE)
    )
    return list(islice(lasting, 20))


def _versions(url: str, loaded: Loaded) -> dict[UUID, int]:
    query = "SELECT plan_id, max(version) FROM entries WHERE clinic_id = %s GROUP BY plan_id"
    with owner(url) as conn:
        return dict(conn.execute(query, [loaded.writing]).fetchall())


def _moments(url: str, plan: UUID, versions: Sequence[int]) -> list[str]:
    query = (
        "SELECT recorded_at FROM entries WHERE plan_id = %s AND version = ANY(%s) ORDER BY version"
    )
    with owner(url) as conn:
        return [plain_moment(row[0]) for row in conn.execute(query, [plan, list(versions)])]


def job(name: str, url: str, loaded: Loaded) -> Job:
    """The requests of a workload, as things stand now."""
    plan = f"/v1/plans/{loaded.plan}"
    if name == "open-plan":
        opening = {**to_plain(material.opening("x")), "client_ref": "new-@unique@"}
        return Job((Place("/v1/plans"),), json_headers(loaded.writer), json.dumps(opening))
    if name in ("add-one", "add-twenty"):
        known = _versions(url, loaded)
        places = tuple(Place(f"/v1/plans/{held}/entries", known[held]) for held in loaded.pool)
        said = _session()[: 1 if name == "add-one" else 20]
        return Job(places, json_headers(loaded.writer), _body(said))
    many = Random(7).sample(range(100, 10_001), 200)  # noqa: S311 - the same moments every time
    paths = {
        "current": [plan],
        "timeline": [f"{plan}/timeline?limit=100"],
        "as-of": [f"{plan}?as_of={one}" for one in _moments(url, loaded.plan, [100])],
        "as-of-amended": [
            f"/v1/plans/{loaded.amended}?as_of={one}"
            for one in _moments(url, loaded.amended, [100])
        ],
        "as-of-10000": [
            f"/v1/plans/{loaded.long}?as_of={one}" for one in _moments(url, loaded.long, many)
        ],
        "diff": [f"{plan}/diff?from=100&to=200"],
        "worklist": ["/v1/worklist"],
    }[name]
    return Job(tuple(map(Place, paths)), json_headers(loaded.reader))


@dataclass(frozen=True, slots=True)
class Beside:
    """A workload's run and the no-op's just before it. ``cpu``: milliseconds a request by part."""

    noop: Run
    noop_cpu: float
    run: Run
    cpu: dict[str, float]

    @property
    def ratio(self) -> float:
        """The workload's rate as a share of the no-op's."""
        return self.run.rate / self.noop.rate

    @property
    def cpu_ratio(self) -> float:
        """The no-op's CPU time a request as a share of the workload's, all parts together."""
        return self.noop_cpu / (sum(self.cpu.values()) or 1)


@dataclass(slots=True)
class Rounds:
    """All rounds of one workload at one number of connections."""

    name: str
    connections: int
    size: int = 0
    held: list[Beside] = field(default_factory=list)

    @property
    def good(self) -> list[Beside]:
        """The rounds that count."""
        return [one for one in self.held if not (one.run.void or one.noop.void)]

    def row(self) -> dict[str, Any]:
        """Medians for the table."""
        if not self.good:
            return {"name": self.name, "connections": self.connections, "void": len(self.held)}
        return {
            "name": self.name,
            "connections": self.connections,
            "void": len(self.held) - len(self.good),
            "rate": middle(self.good, lambda one: one.run.rate),
            "noop": middle(self.good, lambda one: one.noop.rate),
            "ratio": middle(self.good, lambda one: one.ratio),
            "cpu_ratio": middle(self.good, lambda one: one.cpu_ratio),
            **{
                share: middle(self.good, lambda one, share=share: getattr(one.run, share))  # type: ignore[misc]
                for share in ("p50", "p90", "p99")
            },
            "cpu": {
                part: middle(self.good, lambda one, part=part: one.cpu[part])  # type: ignore[misc]
                for part in self.good[0].cpu
            },
            "bytes": self.size,
            "rounds": [asdict(one) for one in self.held],
        }


@dataclass(slots=True)
class Bench:
    """The running service and what to send it with."""

    running: Serving
    loaded: Loaded
    generator: Generator
    seconds: float

    def size_of_answer(self, name: str) -> int | None:
        """How long the answer to one request is; None where the service does not offer that yet."""
        sent = job(name, self.running.url, self.loaded)
        if sent.body:
            return 0
        request = Request(self.running.address + sent.places[0].path, headers=dict(sent.headers))  # noqa: S310 - our own address
        try:
            with urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
                return len(answer.read())
        except HTTPError as refused:
            if refused.code == 404:
                return None
            raise

    def once(self, name: str, connections: int) -> Beside:
        """The no-op, then the workload; ends when the read models have caught up."""
        noop_pid = self.running.beside.process.pid
        before_noop = cpu_seconds(noop_pid)
        noop = self.generator.run(
            self.running.noop, Job((Place("/"),), {}), connections, self.seconds
        )
        noop_cpu = 1000 * (cpu_seconds(noop_pid) - before_noop) / max(noop.requests, 1)
        sent = job(name, self.running.url, self.loaded)
        before = self._cpu()
        run = self.generator.run(self.running.address, sent, connections, self.seconds)
        self.running.note_memory()
        time.sleep(0.2)
        wait_for_projections(self.running.url)
        used = {part: self._cpu()[part] - held for part, held in before.items()}
        each = {part: 1000 * held / max(run.requests, 1) for part, held in used.items()}
        return Beside(noop, noop_cpu, run, each)

    def _cpu(self) -> dict[str, float]:
        return {part: cpu_seconds(pid) for part, pid in self.running.parts.items()}

    def warm_up(self, name: str) -> None:
        """One short run that does not count."""
        self.generator.run(self.running.address, job(name, self.running.url, self.loaded), 2, 1)


def measure(
    bench: Bench,
    names: Sequence[str],
    connections: Sequence[int],
    rounds: int,
    told: Callable[[str], None],
) -> list[Rounds]:
    """Every workload at every number of connections, interleaved, so many times."""
    sizes = {name: bench.size_of_answer(name) for name in names}
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
        f"CPU ms: {cpu}{void}"
    )


def figures(found: Sequence[Rounds]) -> Iterator[Figure]:
    """The figures for the targets: ratios at the most connections, p99 at the fewest."""
    if not found:
        return
    most, fewest = (pick(one.connections for one in found) for pick in (max, min))
    rows = {(one.name, one.connections): one.row() for one in found if one.good}
    for (name, count), row in rows.items():
        if name == "as-of-10000" and count == fewest:
            yield Figure(name, row["p99"], f"{fewest} connection(s)")
        elif name == "add-twenty" and count == most:
            single = rows.get(("add-one", count))
            value = 20 * row["rate"] / single["rate"] if single else None
            yield Figure(
                name, value, f"{20 * row['rate']:,.0f} entries/s; {row['ratio']:.2f} × no-op"
            )
        elif name not in ("as-of-10000", "add-twenty") and count == most:
            by_cpu = f"by CPU {row['cpu_ratio']:.2f}"
            yield Figure(
                name, row["ratio"], f"{row['rate']:,.0f}/s of {row['noop']:,.0f}/s; {by_cpu}"
            )


def section(found: Sequence[Rounds]) -> Section:
    """The table of every workload at every number of connections."""
    parts = ("web", "projector", "postgres")
    columns = (
        "workload",
        "connections",
        "requests/s",
        "no-op/s",
        "ratio",
        "p50 ms",
        "p90 ms",
        "p99 ms",
    )
    rows = [tuple(_cells(one.row(), parts)) for one in found]
    void = sum(len(one.held) - len(one.good) for one in found)
    note = (
        "CPU: milliseconds a request by part, until the read models had caught up; “by CPU” is the "
        "no-op's CPU time a request as a share of theirs, which other work on the machine disturbs less. "
        f"Void runs (an answer was not as expected): {void}."
    )
    more = ("CPU web", "projector", "postgres", "answer bytes")
    return Section("Over HTTP", (*columns, *more), rows, note)


def _cells(row: dict[str, Any], parts: Sequence[str]) -> Iterator[str]:
    yield from (row["name"], str(row["connections"]))
    if "rate" not in row:
        yield from ("void", *["–"] * 10)
        return
    yield from (f"{row['rate']:,.0f}", f"{row['noop']:,.0f}")
    yield from (f"{row[name]:.2f}" for name in ("ratio", "cpu_ratio"))
    yield from (f"{row[share]:.1f}" for share in ("p50", "p90", "p99"))
    yield from (f"{row['cpu'][part]:.2f}" for part in parts)
    yield f"{row['bytes']:,}" if row["bytes"] else "–"
