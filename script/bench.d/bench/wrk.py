"""wrk, the load generator: finding or installing it, and running it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

from bench.figures import Run
from bench.jobs import Job

SCRIPT = Path(__file__).parent / "load.lua"


class Wrk:
    """wrk with load.lua: one thread a connection, so that each can follow its plans' versions."""

    def __init__(self, program: str) -> None:
        self.program = program
        self.name = "wrk"

    def run(self, address: str, job: Job, connections: int, seconds: float) -> Run:
        """Send ``job``; see Generator."""
        with tempfile.NamedTemporaryFile("w", suffix=".lua", encoding="utf-8") as file:
            file.write(job.lua(connections))
            file.flush()
            command = [
                *(self.program, "--timeout", "10s", "--script", str(SCRIPT)),
                *(f"-t{connections}", f"-c{connections}", f"-d{max(round(seconds), 1)}s", address),
            ]
            environment = {**os.environ, "BENCH_JOB": file.name, "BENCH_SALT": secrets.token_hex(4)}
            told = _finish(command, environment, patience=seconds + 30)
        return Run(**json.loads(told.strip().rpartition("\n")[2]))


def _finish(command: list[str], environment: dict[str, str], *, patience: float) -> str:
    """Run a command to its end; it ends with us, however we end."""
    process = subprocess.Popen(  # noqa: S603 - wrk with our own arguments
        command, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        told, _ = process.communicate(timeout=patience)
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        raise RuntimeError(f"wrk ended with {process.returncode}: {told}")
    return told


def find() -> tuple[Wrk | None, str]:
    """wrk, installed if need be and possible; and a sentence about it."""
    if (program := shutil.which("wrk")) is not None:
        return Wrk(program), f"Load generator: wrk ({program})."
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return (
            None,
            "wrk is missing and cannot be installed from here (it takes root: apt-get install wrk).",
        )
    for step in (["update"], ["install", "--yes", "wrk"]):
        subprocess.run([apt, "--quiet", *step], check=False, stdout=subprocess.DEVNULL)  # noqa: S603 - fixed words
    program = shutil.which("wrk")
    return (
        (Wrk(program), "Load generator: wrk, just installed.")
        if program
        else (None, "wrk could not be installed.")
    )
