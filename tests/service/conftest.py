"""What the service's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.container import Container, build
from tests.keys import settings
from tests.service.commands import here, run

__all__ = ["here", "other", "run"]


@pytest.fixture
def other(database_url: str) -> Iterator[Container]:
    """A second process's worth of the service on the same database."""
    held = build(settings(database_url))
    yield held
    held.close()
