"""Read models: catching up and rebuilding, beside the library's ProjectionRunner; and storage."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median

from psycopg import sql

from bench import stock
from bench.clinic import clinic
from bench.figures import Figure
from bench.keys import keys
from bench.report import Section
from bench.stage import Stage, owner
from projections import ALL
from projections.rebuild import rebuild
from projections.runner import Runner, live
from service.serving.projector import connect

PLAN = 200
EVENTS = 3_000
WORDS = 250
_SIZES = """
SELECT relname, pg_total_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname = 'plan_history' AND relkind = 'r' ORDER BY 2 DESC
"""


@dataclass(slots=True)
class Found:
    """Entries per second, round by round, and bytes by table."""

    entries: int
    library: list[float] = field(default_factory=list)
    catching: list[float] = field(default_factory=list)
    rebuilding: dict[str, list[float]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)


def measure(held: Stage, entries: int, rounds: int, told: Callable[[str], None]) -> Found:
    """Load a clinic, then take it in again and again."""
    found = Found(entries // PLAN * PLAN)
    with held.database("projecting") as url, held.database("library", migrated=False) as plain:
        told(f"loading: {entries // PLAN} plans of {PLAN} entries …")
        with (
            held.hasty("projecting"),
            clinic(url, "Projecting", days_ago=900, step=timedelta(minutes=3)) as into,
        ):
            for number in range(entries // PLAN):
                into.live(number, PLAN, 5)
        _fill(plain)
        for number in range(1, rounds + 1):
            found.library.append(_library(plain))
            found.catching.append(_catch_up(url, found.entries))
            found.sizes = found.sizes or _sizes(url)
            _rebuild(url, found)
            rebuilt = ", ".join(
                f"{name} {rates[-1]:,.0f}/s" for name, rates in found.rebuilding.items()
            )
            told(
                f"round {number}  library {found.library[-1]:,.0f}/s, catch-up {found.catching[-1]:,.0f}/s, "
                f"rebuild: {rebuilt}"
            )
    return found


def _fill(url: str) -> None:
    app = stock.Diaries(stock.environment(url, create=True))
    diary = stock.Diary()
    for _ in range(EVENTS // 50):
        for _ in range(50):
            diary.note(stock.words(WORDS))
        app.save(diary)
    app.close()


def _library(url: str) -> float:
    """Events per second of the library's runner, from nothing."""
    app = stock.Diaries(stock.environment(url))
    last = app.recorder.max_notification_id() or 0
    app.close()
    with owner_of_plain(url):
        started = time.perf_counter()
        with stock.runner(url) as running:
            running.wait(last, timeout=300)
            return last / (time.perf_counter() - started)


@contextlib.contextmanager
def owner_of_plain(url: str) -> Iterator[None]:
    """Without the view's tables, so that it begins anew."""
    import psycopg  # noqa: PLC0415 - only here

    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("DROP TABLE IF EXISTS notes, notes_tracking")
    yield


def _catch_up(url: str, entries: int) -> float:
    with owner(url) as conn:
        for held in ALL:
            conn.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(held.table())))
        conn.execute("DELETE FROM projection_positions")
    with connect(url) as conn:
        started = time.perf_counter()
        runner = Runner(conn, live(ALL), keys())
        runner.enrol()
        taken = runner.catch_up()
        seconds = time.perf_counter() - started
    if taken != entries:
        raise RuntimeError(f"Catching up took in {taken} entries of {entries}.")
    return taken / seconds


def _rebuild(url: str, found: Found) -> None:
    with owner(url) as conn:
        for held in ALL:
            started = time.perf_counter()
            done = rebuild(conn, held, keys())
            found.rebuilding.setdefault(held.name, []).append(
                done / (time.perf_counter() - started)
            )
            conn.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(f"{held.name}_old")))


def _sizes(url: str) -> dict[str, int]:
    with owner(url) as conn:
        conn.execute("VACUUM ANALYZE")
        return {name: size for name, size in conn.execute(_SIZES) if size > 64 * 1024}


def figures(found: Found) -> Iterator[Figure]:
    """The figures for the targets."""
    library = median(found.library)
    catching = median(mine / one for mine, one in zip(found.catching, found.library, strict=True))
    rebuilt = {name: median(rates) for name, rates in found.rebuilding.items()}
    slowest = min(rebuilt, key=lambda name: rebuilt[name])
    ratio = median(
        mine / one for mine, one in zip(found.rebuilding[slowest], found.library, strict=True)
    )
    yield Figure(
        "catch-up",
        catching,
        f"{median(found.catching):,.0f} of {library:,.0f} entries/s, {len(ALL)} projections",
    )
    yield Figure(
        "rebuild", ratio, f"{slowest}: {rebuilt[slowest]:,.0f} of {library:,.0f} entries/s"
    )
    kilobytes = sum(found.sizes.values()) / found.entries / 1000
    yield Figure(
        "storage", kilobytes, f"{found.entries:,} entries in plans of {PLAN}, recorded 5 at a time"
    )


def section(found: Found) -> Section:
    """What each table takes."""
    rows = [(name, f"{size / found.entries:,.0f}") for name, size in found.sizes.items()]
    rows.append(("together", f"{sum(found.sizes.values()) / found.entries:,.0f}"))
    note = "Tables with their indexes, after loading and one catch-up, vacuumed."
    return Section("Storage", ("table", "bytes an entry"), rows, note)
