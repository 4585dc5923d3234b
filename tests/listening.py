"""Over the whole run: no line of any log holds what the tests say in the name of clients.

Every record that passes any logger in this process is looked at, and all that a service started by a
test leaves on standard error and in the logs below its home.
"""

from __future__ import annotations

import logging
import re
import traceback
from functools import cache
from pathlib import Path
from typing import Any

from domain.fields import to_plain
from tests.domain.samples import LIFE

SAID = (
    "kanarie",
    "Leaving the house has become hard",
    "To sit in the park again",
    "I go out without planning",
    "I have stopped leaving the house",
    "Half an hour in the park",
    "A secret goal",
    "A secret reason",
    "Secret Client",
    "Oak Plover",
    "Turned round at the sliproad",
    "A bad night",
    "A bad week",
)
"""What tests record again and again, and a person of the demo clinic."""
CARELESS = "careless"
"""The logger of negative controls, which leaks on purpose."""


@cache
def words() -> re.Pattern[str]:
    """All of it, and every sentence of the sample life."""
    said = {*SAID, *(text for entry in LIFE for text in _sentences(to_plain(entry.data)))}
    return re.compile("|".join(map(re.escape, sorted(said))), re.IGNORECASE)


def _sentences(held: Any) -> list[str]:
    if isinstance(held, str):
        return [held] if len(held) >= 16 and " " in held else []
    inside = held.values() if isinstance(held, dict) else held if isinstance(held, list) else ()
    return [text for part in inside for text in _sentences(part)]


def leaks(text: str) -> list[str]:
    """What of clients a text holds, with a little of what surrounds it."""
    return [text[max(found.start() - 80, 0) : found.end() + 20] for found in words().finditer(text)]


class Listener(logging.Handler):
    """Hears every record, whatever its level, and keeps those that say what clients said."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.heard: list[str] = []
        self.listened = 0
        self._last: logging.LogRecord | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Look at a record as it would be written, its exception included."""
        if record.name.startswith(CARELESS) or record is self._last:
            return
        self.listened, self._last = self.listened + 1, record
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text += "".join(traceback.format_exception(record.exc_info[1]))
        self.heard += [f"{record.name}: {found}" for found in leaks(text)]

    def listen(self) -> None:
        """Begin, or go on when somebody has set the loggers up anew."""
        for name in ("", "plan_history"):
            logger = logging.getLogger(name)
            if self not in logger.handlers:
                logger.addHandler(self)
        logging.getLogger("plan_history").setLevel(logging.DEBUG)


LISTENER = Listener()


def left_by(home: Path, said: str) -> list[str]:
    """What of clients a service left on standard error, or in the logs below its home."""
    logs = (path for path in home.rglob("*.log*") if path.is_file())
    return leaks("\n".join([said, *(path.read_text("utf-8", "replace") for path in logs)]))
