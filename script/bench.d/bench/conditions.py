"""Under what conditions figures came about."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench.serving import SETTINGS, WORKERS
from bench.stage import Stage

LIBRARIES = ("eventsourcing", "flask", "gunicorn", "marshmallow", "orjson", "psycopg")


def conditions(held: Stage, generator: str) -> dict[str, str]:
    """What a reader has to know to judge the figures."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} cores ({_processor()}), load before the run {os.getloadavg()[0]:.1f}",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "PostgreSQL": f"{held.server.server_version}, embedded, full durability, Unix socket",
        "disk": f"a write and fsync of 8 kB takes {1000 * _fsync(held.home):.2f} ms (median)",
        "libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "service": f"{WORKERS} web workers × {SETTINGS.threads} threads, one projector, as `serve` runs them",
        "load generator": f"{generator}, on the same machine",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _fsync(home: Path) -> float:
    """Seconds a small durable write takes where the database lives."""
    path = home / "fsync-probe"
    with path.open("wb") as file:
        taken = median(_timed(lambda: _write(file.fileno())) for _ in range(50))
    path.unlink()
    return taken


def _write(descriptor: int) -> None:
    os.pwrite(descriptor, b"x" * 8192, 0)
    os.fsync(descriptor)


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
