"""What was last seen of logs, kept in a file of one's own: whoever remembers cannot be shown another past.

The sealer keeps one beside its key, a witness one for itself. It holds the text of each checkpoint, with empty
lines between them.
"""

from __future__ import annotations

from pathlib import Path

from service.export.archive import written_whole
from service.ledger.notes import Checkpoint, MalformedNoteError


class SeenFileError(Exception):
    """What was seen cannot be read or kept; says what to do."""


class Seen:
    """The largest checkpoint seen of each log, by its origin."""

    def __init__(self, path: Path) -> None:
        """Read what is kept at ``path``, nothing when there is no such file; raises SeenFileError."""
        self.path = path
        self._held: dict[str, Checkpoint] = {}
        self._changed = False
        try:
            texts = path.read_text("utf-8").split("\n\n") if path.exists() else []
            found = [Checkpoint.parse(text.strip("\n") + "\n") for text in texts if text.strip()]
        except (OSError, UnicodeDecodeError, MalformedNoteError) as wrong:
            raise SeenFileError(
                f"{path} says what was last seen and cannot be read ({wrong}). Restore it; without it nobody "
                "can tell whether history was rewritten."
            ) from wrong
        self._held = {held.origin: held for held in found}

    def get(self, origin: str) -> Checkpoint | None:
        """The largest checkpoint seen of a log."""
        return self._held.get(origin)

    def put(self, seen: Checkpoint) -> None:
        """Remember a checkpoint that was found to continue the one before."""
        if self._held.get(seen.origin) != seen:
            self._held[seen.origin] = seen
            self._changed = True

    def keep(self) -> None:
        """Write it down, if there is anything new; raises SeenFileError."""
        if not self._changed:
            return
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with written_whole(self.path) as file:
                file.write("\n".join(held.text() for held in self._held.values()).encode())
        except OSError as failed:
            raise SeenFileError(
                f"{self.path} cannot be written ({failed.strerror}): what was seen must be kept."
            ) from failed
        self._changed = False
