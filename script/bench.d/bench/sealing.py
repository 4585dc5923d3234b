"""The ledger: how fast it seals and is checked, how soon after an append, and what that costs who append."""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any
from uuid import UUID

import psycopg

from bench import visible
from bench.clinic import clinic
from bench.figures import Figure, percentile
from bench.http import Bench
from bench.keys import keys
from bench.processes import cpu_seconds
from bench.report import Section
from bench.stage import Stage, owner
from bench.workloads import job
from service.ledger.books import ENTRIES, head_of
from service.ledger.keys import read_keys
from service.ledger.sealer import Sealer
from service.ledger.seen import Seen
from service.ledger.verify import verify
from service.serving import supervise
from service.serving.sealer import connect, prepare
from service.settings import Settings
from service.transfer import export_lines, whole_log

PLAN, CALLERS = 200, 16
_BEHIND = "SELECT sum(behind) FROM seal_lag()"
VERIFIER = Path(__file__).resolve().parents[3] / "docs" / "examples" / "verify_history.py"


@dataclass(slots=True)
class Found:
    """What was found: entries a second, round by round."""

    entries: int = 0
    sealing: list[float] = field(default_factory=list)
    verifying: list[float] = field(default_factory=list)
    offline: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Beside:
    """Appends a second without and with a sealer, and milliseconds from append to seal."""

    without: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Milliseconds of the sealer's own CPU an entry."""
    delays: list[float] = field(default_factory=list)


def settings(held: Stage) -> Settings:
    """Those of the run's sealer, with a key."""
    made = Settings(home=held.home)
    prepare(made)
    return made


def seal(held: Stage, url: str) -> int:
    """Seal all there is in a database; how many leaves."""
    made = settings(held)
    with connect(url) as conn:
        return Sealer(conn, read_keys(made.sealer_key), Seen(made.sealer_seen)).catch_up()


def from_nothing(held: Stage, entries: int, rounds: int, told: Callable[[str], None]) -> Found:
    """Load a clinic; seal it, verify it in the database, and verify its export offline, again and again."""
    found = Found(entries // PLAN * PLAN)
    with held.database("sealing") as url:
        told(f"loading: {entries // PLAN} plans of {PLAN} entries …")
        with (
            held.hasty("sealing"),
            clinic(url, "Sealing", days_ago=900, step=timedelta(minutes=3)) as into,
        ):
            for number in range(entries // PLAN):
                into.live(number, PLAN, 5)
            clinic_id = into.who.clinic_id
        for number in range(1, rounds + 1):
            _once(held, url, clinic_id, found)
            told(
                f"round {number}  sealed {found.sealing[-1]:,.0f}/s, verified {found.verifying[-1]:,.0f}/s, "
                f"offline {found.offline[-1]:,.0f}/s"
            )
    return found


def _once(held: Stage, url: str, clinic_id: UUID, found: Found) -> None:
    with owner(url) as conn:
        for table in (b"log_tiles", b"sealed_looks", b"checkpoints"):
            conn.execute(b"DELETE FROM " + table)
        settings(held).sealer_seen.unlink(missing_ok=True)
        found.sealing.append(found.entries / _seconds(lambda: seal(held, url)))
        verdict = [verify(conn, clinic_id, ENTRIES)]
        found.verifying.append(
            found.entries / _seconds(lambda: verdict.append(verify(conn, clinic_id, ENTRIES)))
        )
        if any(one.damaged for one in verdict):
            raise RuntimeError(f"The clinic is not in order: {verdict[0].why}")
        found.offline.append(found.entries / _offline(held, conn, clinic_id))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _offline(held: Stage, conn: psycopg.Connection[Any], clinic_id: UUID) -> float:
    """Seconds that the stand-alone verifier takes for the clinic's log, its start left out."""
    log, checkpoint = held.home / "log.ndjson", held.home / "checkpoint"
    log.write_bytes(b"".join(whole_log(*export_lines(conn, clinic_id, keys()))))
    head = head_of(conn, clinic_id, ENTRIES)
    if head is None or head.note is None:
        raise RuntimeError("Nothing was sealed.")
    checkpoint.write_text(head.note, "utf-8")
    given = [str(log), "--checkpoint", str(checkpoint), "--vkey", str(head.vkeys[0])]
    _verifier()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        codes: list[int] = []
        seconds = _seconds(lambda: codes.append(_verifier().main(given)))
    if codes != [0]:
        raise RuntimeError(f"The export was not verified: {said.getvalue()}")
    return seconds


@cache
def _verifier() -> ModuleType:
    """The stand-alone verifier, loaded from its file."""
    sys.path.insert(0, str(VERIFIER.parent))
    try:
        return importlib.import_module(VERIFIER.stem)
    finally:
        sys.path.pop(0)


def beside(held: Stage, bench: Bench, rounds: int, told: Callable[[str], None]) -> Beside:
    """Appends with and without a sealer that works; then how soon each is sealed at a steady rate."""
    found, url = Beside(), bench.running.url
    bench.warm_up("add-one")
    for number in range(1, rounds + 1):
        with _sealer(held, url) as child:
            before = cpu_seconds(child.process.pid)
            run = bench.once("add-one", CALLERS).run
            found.beside.append(run.rate)
            found.cpu.append(1000 * (cpu_seconds(child.process.pid) - before) / run.requests)
        # Last, so that the next sealer has something to catch up with: then it is known to be at work.
        found.without.append(bench.once("add-one", CALLERS).run.rate)
        told(
            f"round {number}  add-one: {found.without[-1]:,.0f}/s without a sealer, {found.beside[-1]:,.0f}/s with one"
        )
    with _sealer(held, url):
        pool = bench.loaded.one
        steady = job("add-one", bench.running, bench.loaded)
        seen = visible.measure(bench.running, pool.clinic_id, steady, 2 * bench.seconds, sealed)
        found.delays = list(seen.delays())
    return found


def sealed(conn: psycopg.Connection[Any], clinic_id: UUID) -> int:
    """How many entries of a clinic are sealed."""
    head = head_of(conn, clinic_id, ENTRIES)
    return head.size if head else 0


@contextlib.contextmanager
def _sealer(held: Stage, url: str) -> Iterator[supervise.Child]:
    """The sealer's process as `serve` runs it, once it has caught up."""
    environment = supervise.environment_for(url, held.home)
    environment.setdefault("PLAN_HISTORY_LOG_LEVEL", "WARNING")
    with supervise.sealer(environment) as child, owner(url) as conn:
        while conn.execute(_BEHIND).fetchone() != (0,):
            time.sleep(0.02)
        yield child


def figures(found: Beside) -> Iterator[Figure]:
    """The figures for the targets."""
    half, most = percentile(found.delays, 0.5), max(found.delays)
    note = f"p50 {half:.0f} ms, the slowest {most:.0f} ms; {len(found.delays):,} entries"
    yield Figure("sealed", percentile(found.delays, 0.99), note)
    rates = f"{median(found.beside):,.0f}/s of {median(found.without):,.0f}/s"
    ratio = median(mine / alone for mine, alone in zip(found.beside, found.without, strict=True))
    note = f"{rates}, {CALLERS} connections, on the same cores, of which it takes {median(found.cpu):.2f} ms an entry"
    yield Figure("append-beside", ratio, note)


def section(found: Found) -> Section:
    """The table of what a second brings."""
    rows = [
        ("sealing: every leaf computed from its row", f"{median(found.sealing):,.0f}/s"),
        ("`plan-history verify`: leaves, tiles, root", f"{median(found.verifying):,.0f}/s"),
        ("`verify_history.py`, a log with its words", f"{median(found.offline):,.0f}/s"),
    ]
    note = f"{found.entries:,} entries in plans of {PLAN}, recorded 5 at a time; one process each, warm."
    return Section("The ledger", ("what", "entries"), rows, note)
