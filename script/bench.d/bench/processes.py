"""What processes use: CPU time and memory of a process and everything below it, from /proc."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")
TICK = os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the state on; the name before it may hold anything."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def tree(root: int) -> list[int]:
    """A process and all below it."""
    below: dict[int, list[int]] = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            try:
                below.setdefault(int(_stat(int(folder.name))[1]), []).append(int(folder.name))
            except OSError:  # it has just ended
                continue
    found = [root]
    for pid in found:
        found.extend(below.get(pid, ()))
    return found


def cpu_seconds(root: int) -> float:
    """CPU time used so far by a process and all below it, ended ones included; 0 where unknown."""
    total = 0
    for pid in tree(root) if PROC.is_dir() else ():
        try:
            total += sum(map(int, _stat(pid)[11:15]))  # utime, stime, and those of ended children
        except OSError:
            continue
    return total / TICK


def megabytes(pid: int) -> float:
    """The resident memory of one process; 0 where unknown."""
    try:
        status = (PROC / str(pid) / "status").read_text()
    except OSError:
        return 0.0
    line = next((held for held in status.splitlines() if held.startswith("VmRSS:")), "VmRSS: 0 kB")
    return int(line.split()[1]) / 1024
