"""How long `serve` takes until it is ready: in an empty data home, and in one it knows."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from statistics import median

from bench.figures import Figure
from bench.serving import wait_for
from service.serving import supervise


def measure(rounds: int, told: Callable[[str], None]) -> list[Figure]:
    """Start and end `serve` again and again in one data home."""
    with tempfile.TemporaryDirectory(prefix="plan-history-bench-") as home:
        cold, *warm = [_start(home) for _ in range(rounds + 1)]
    told(f"serve: first start {cold:.2f} s, warm {', '.join(f'{one:.2f}' for one in warm)} s")
    return [Figure("start", median(warm), f"first start in an empty data home {cold:.2f} s")]


def _start(home: str) -> float:
    with contextlib.closing(supervise.listen("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {name: held for name, held in os.environ.items() if name != "DATABASE_URL"}
    environment |= {"PLAN_HISTORY_HOME": home, "PLAN_HISTORY_LOG_LEVEL": "WARNING"}
    command = [sys.executable, "-m", "service.commandline", "serve", "--port", str(port)]
    started = time.perf_counter()
    serve = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    try:
        wait_for(f"http://127.0.0.1:{port}/readyz", serve)
        return time.perf_counter() - started
    finally:
        serve.terminate()
        serve.wait(60)
