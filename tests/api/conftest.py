"""A house for each file of tests, and a desk in it for each test."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from service.embedded import EmbeddedPostgres
from tests.api.house import Desk, House, new_desk, open_house


@pytest.fixture(scope="module")
def house(server: EmbeddedPostgres, template: str) -> Iterator[House]:
    """The service on a database that the tests of one file share; each has a clinic of its own."""
    name = f"house_{uuid4().hex}"
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        conn.execute(make.format(sql.Identifier(name), sql.Identifier(template)))
        with open_house(server.dsn(name)) as opened:
            yield opened
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def desk(house: House) -> Desk:
    """A clinician of a new clinic, with a plan."""
    return new_desk(house)


@pytest.fixture(scope="module")
def steady(house: House) -> Desk:
    """A desk for tests that write nothing; they share it."""
    return new_desk(house)
