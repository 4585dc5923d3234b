"""What the service's tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.container import Container, build
from service.settings import Settings


@pytest.fixture
def other(database_url: str) -> Iterator[Container]:
    """A second process's worth of the service on the same database."""
    held = build(Settings(database_url=database_url, home=Path("unused")))
    yield held
    held.close()
