"""What the domain's tests share."""

from collections.abc import Iterator

import pytest

from domain import checkpoints


@pytest.fixture(scope="session", autouse=True)
def many_checkpoints() -> Iterator[None]:
    """A checkpoint every third entry, so that the short lives told here have many of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "EVERY", 3)
        yield
