"""A house for each file of tests, and a desk in it for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.embedded import EmbeddedPostgres
from tests.api.house import Desk, House, new_desk, new_house
from tests.api.world import World, new_world


@pytest.fixture(scope="module")
def house(server: EmbeddedPostgres, template: str) -> Iterator[House]:
    """The service on a database that the tests of one file share; each has a clinic of its own."""
    with new_house(server, template) as made:
        yield made


@pytest.fixture
def desk(house: House) -> Desk:
    """A clinician of a new clinic, with a plan."""
    return new_desk(house)


@pytest.fixture(scope="module")
def steady(house: House) -> Desk:
    """A desk for tests that write nothing; they share it."""
    return new_desk(house)


@pytest.fixture
def world(house: House) -> World:
    """A clinic with somebody of every role."""
    return new_world(house)


@pytest.fixture(scope="module")
def steady_world(house: House) -> World:
    """One for tests that leave it as it is, or only try what is refused."""
    return new_world(house)
