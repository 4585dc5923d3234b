"""Archives: zip files with a manifest that names every file by its SHA-256, and the SHA-256 of that."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import orjson

MANIFEST, SUM = "manifest.json", "manifest.sha256"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same content is the same file, whenever it is made


class Archive:
    """A zip file while it is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self.files: dict[str, dict[str, Any]] = {}

    def add(self, name: str, content: bytes | Iterable[bytes]) -> None:
        """Write a file, piece by piece."""
        info = zipfile.ZipInfo(name, _EPOCH)
        info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w", force_zip64=True) as out:
            for piece in [content] if isinstance(content, bytes) else content:
                out.write(piece)
                digest.update(piece)
                size += len(piece)
        self.files[name] = {"sha256": digest.hexdigest(), "bytes": size}

    def seal(self, **told: Any) -> None:
        """Write the manifest last: what is here, and what is told about it; and its sum, for sha256sum."""
        manifest = {**told, "files": dict(sorted(self.files.items()))}
        self.add(MANIFEST, orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
        self.add(SUM, f"{self.files[MANIFEST]['sha256']}  {MANIFEST}\n".encode())

    def close(self) -> None:
        """Write what a zip file ends with."""
        self._zip.close()


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name only when it is whole, readable by its owner alone.

    Raises OSError for what cannot be written; nothing but a file is replaced by one, least of all a device.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EEXIST, "it is there and is no file", str(path))
    descriptor, draft = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
