"""Where the time of a workload goes: the application in process, under cProfile."""

from __future__ import annotations

import cProfile
import io
import pstats
import sysconfig
import time
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import uuid4

from werkzeug.test import EnvironBuilder

from api.app import create_app
from bench.jobs import Job, Place
from bench.keys import settings
from service.container import build

LINES = 14
PLACES = 16
ROOT = str(Path(__file__).resolve().parents[3])


def profile(url: str, job: Job, seconds: float) -> list[str]:
    """The functions that take most of their own time, as lines of a table."""
    container = build(settings(url, quota_per_minute=0))
    try:
        sender = Sender(create_app(container), job)
        sender.send(0.5)
        profiler = cProfile.Profile()
        profiler.enable()
        count = sender.send(seconds)
        profiler.disable()
    finally:
        container.close()
    return [f"{count} requests", *_lines(profiler, count)]


class Sender:
    """Sends a job to an application in process, following versions as the load generators do."""

    def __init__(self, app: Any, job: Job) -> None:
        self.app = app
        self.job = job
        self.versions = {held: held.version for held in job.places[:PLACES]}

    def send(self, seconds: float) -> int:
        """Send for so long; returns how many requests."""
        until = time.perf_counter() + seconds
        for count, place in enumerate(cycle(self.versions), start=1):
            self._once(place)
            if time.perf_counter() > until:
                return count
        raise AssertionError("a cycle does not end")

    def _once(self, place: Place) -> None:
        unique = str(uuid4())
        headers = self.job.headers_for(place, self.versions[place], unique)
        body = self.job.body_for(unique)
        environ = EnvironBuilder(
            place.path, method=self.job.method, headers=list(headers.items()), data=body
        ).get_environ()
        answers: list[Any] = []
        b"".join(self.app(environ, lambda *told: answers.append(told)))
        status, told = answers[0][:2]
        if not status.startswith(str(self.job.expected)):
            raise RuntimeError(f"{place.path} answered {status}")
        if self.versions[place]:
            self.versions[place] = int(dict(told)["ETag"].strip('"'))


def _lines(profiler: cProfile.Profile, count: int) -> list[str]:
    out = io.StringIO()
    stats: Any = pstats.Stats(profiler, stream=out)
    held = sorted(stats.stats.items(), key=lambda item: -item[1][2])[:LINES]
    lines = [f"{'own µs':>8} {'total µs':>9} {'calls':>7}  function (a request)"]
    for (file, line, name), (_, calls, own, total, _) in held:
        place = f"{_short(file)}:{line} " if line else ""
        lines.append(
            f"{own / count * 1e6:8.0f} {total / count * 1e6:9.0f} {calls / count:7.1f}  {place}{name}"
        )
    return lines


def _short(file: str) -> str:
    """A file without what is this machine's own in its name."""
    for root in (
        f"{ROOT}/",
        f"{sysconfig.get_path('purelib')}/",
        f"{sysconfig.get_path('stdlib')}/",
    ):
        file = file.removeprefix(root)
    return file
