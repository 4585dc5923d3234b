"""The load generator for where wrk cannot be had: Python processes, one for each connection.

It takes more CPU than wrk does, so ratios come out flatter; a report made with it says so.
"""

from __future__ import annotations

import http.client
import multiprocessing
import secrets
import time
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

from bench.figures import Run, percentile
from bench.jobs import Job, Place

Told = tuple[list[float], int, int, int]
"""Seconds of each request, refused, broken, bytes."""


class PythonGenerator:
    """Like wrk, slower."""

    name = "Python processes instead of wrk (they take more CPU, ratios come out flatter)"

    def run(self, address: str, job: Job, connections: int, seconds: float) -> Run:
        """Send ``job``; see Generator."""
        context = multiprocessing.get_context("forkserver")
        salt = secrets.token_hex(4)
        pipes, processes = [], []
        until = time.time() + 1 + seconds
        for number in range(connections):
            ours, theirs = context.Pipe(duplex=False)
            given = (theirs, address, job, (number, connections), (salt, until))
            process = context.Process(target=_send, args=given, daemon=True)
            process.start()
            theirs.close()
            pipes.append(ours)
            processes.append(process)
        try:
            told: list[Told] = [pipe.recv() for pipe in pipes]
        finally:
            for process in processes:
                process.kill()
                process.join()
        taken = [one * 1000 for held, *_ in told for one in held]
        half, nine_tenths, most = (percentile(taken or [0.0], share) for share in (0.5, 0.9, 0.99))
        refused, broken, size = map(sum, list(zip(*told, strict=True))[1:])
        return Run(len(taken), seconds, half, nine_tenths, most, refused, broken, size)


def _send(
    pipe: Connection, address: str, job: Job, share: tuple[int, int], run: tuple[str, float]
) -> None:
    (number, connections), (salt, until) = share, run
    own = {
        held: held.version for held in job.spread(connections)[number::connections] or job.places
    }
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    taken: list[float] = []
    refused = broken = size = 0
    while time.time() < until:
        for place, version in list(own.items()):
            unique = f"{salt}-{number:04x}-4000-8000-{len(taken):012x}"
            started = time.perf_counter()
            try:
                status, tag, length = _once(connection, job, place, version, unique)
            except (OSError, http.client.HTTPException):
                broken += 1
                connection.close()
                continue
            if time.time() > until:
                break
            taken.append(time.perf_counter() - started)
            refused += status != job.expected
            size += length
            own[place] = int(tag.strip('"')) if version and tag else version
    pipe.send((taken, refused, broken, size))


def _once(
    connection: http.client.HTTPConnection, job: Job, place: Place, version: int, unique: str
) -> tuple[int, str | None, int]:
    headers, body = job.headers_for(place, version, unique), job.body_for(unique)
    connection.request(job.method, place.path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.getheader("ETag"), len(answer.read())
