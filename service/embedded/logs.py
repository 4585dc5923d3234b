"""What PostgreSQL said last, for an error message."""

import os
from pathlib import Path

from service.embedded.places import Place

__all__ = ["last_lines"]

LINES = 12
BYTES = 8192


def last_lines(place: Place) -> str:
    """The last lines of the startup log or, once this start went beyond it, of the server log."""
    startup = place.desk.startup_log
    logs = {path: path.lstat().st_mtime_ns for path in (startup, *place.log.glob("*.log"))}
    newest = max(logs, key=lambda path: logs[path])
    return "\n".join(f"  {line}" for line in _tail(newest)[-LINES:])


def _tail(path: Path) -> list[str]:
    try:
        # The folder may belong to another account: as root, do not follow a link it put there.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return []
    with os.fdopen(handle, "rb") as file:
        file.seek(max(0, os.fstat(handle).st_size - BYTES))
        return file.read(BYTES).decode(errors="replace").splitlines()
