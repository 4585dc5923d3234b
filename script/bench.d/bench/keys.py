"""The keys of a run: one vault for the served processes and for what is built beside them."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from projections.sealing import Keys
from service.keys import open_keys
from service.settings import Settings

PLACE = "PLAN_HISTORY_KEYS"


def settings(url: str, **more: Any) -> Settings:
    """The settings of a service on a database of this run."""
    return Settings(database_url=url, home=Path("unused"), keys=os.environ[PLACE], **more)


@cache
def keys() -> Keys:
    """The keys, opened once in this process."""
    return open_keys(settings(""))
