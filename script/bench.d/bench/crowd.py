"""Many processes doing the same thing at the same time, counted."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

Work = Callable[[], None]
"""One unit of work, done again and again."""
Prepare = Callable[..., Work]
"""Called in each process with its number and what was given; connects, and returns the work."""

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["bench.store"])


def rate(prepare: Prepare, count: int, seconds: float, *given: Any) -> float:
    """How often a second ``count`` processes together get their work done."""
    pipes, processes = [], []
    try:
        for number in range(count):
            ours, theirs = _context.Pipe()
            process = _context.Process(
                target=_member, args=(theirs, prepare, number, given, seconds), daemon=True
            )
            process.start()
            theirs.close()  # so that its end is noticed here
            pipes.append(ours)
            processes.append(process)
        for pipe in pipes:
            pipe.recv()  # it is ready
        for pipe in pipes:
            pipe.send(None)
        return float(sum(pipe.recv() for pipe in pipes))
    finally:
        for process in processes:
            process.join(1)
            process.kill()


def _member(
    pipe: Connection, prepare: Prepare, number: int, given: tuple[Any, ...], seconds: float
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us ends us
    work = prepare(number, *given)
    for _ in range(3):
        work()
    pipe.send(None)
    pipe.recv()
    done, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < seconds:
        work()
        done += 1
    pipe.send(done / passed)
