"""The keys of the tests: one vault for each process that tests, gone when it ends."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from service.keys.places import open_ring
from service.keys.ring import Ring
from service.settings import Settings


@cache
def folder() -> str:
    """Where they are kept."""
    made = tempfile.mkdtemp(prefix="ph-keys-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def settings(database_url: str, **more: Any) -> Settings:
    """The settings of a service on a database, with keys."""
    home = Path("unused")
    return Settings(database_url=database_url, home=home, keys=folder(), **more)


@cache
def keys() -> Ring:
    """The keys, as another process of the service would open them."""
    return open_ring(Settings(keys=folder()))
