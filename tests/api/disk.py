"""A house with a database of its own, whose every table and file can be searched for words."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import psycopg

from domain.fields import TextRule, to_plain
from service.embedded import EmbeddedPostgres
from service.migrate import migrate
from tests.api.house import House, open_house
from tests.api.living import Living
from tests.domain.samples import LIFE

MARK = "kanarie"
TABLES = """
SELECT format('%I', relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE nspname = 'plan_history' AND relkind = 'r' ORDER BY relname
"""


def canary(text: str = "", rule: TextRule | None = None) -> str:
    """A word that stands nowhere else.

    But not for what the clinic's own system calls the client: that stays readable, to find plans by.
    """
    if text == to_plain(LIFE[0].data)["client_ref"]:
        return text
    return MARK[: rule.most if rule else None]


@contextmanager
def a_house(**given: object) -> Iterator[tuple[House, Path]]:
    """The service on a PostgreSQL of its own, and where that keeps its files."""
    with tempfile.TemporaryDirectory(prefix="ph-sealed-") as folder:
        Path(folder).chmod(0o711)
        home = Path(folder) / "home"
        with EmbeddedPostgres(home, fast=True) as server:
            migrate(server.dsn())
            with open_house(server.dsn(), **given) as house:
                yield house, home


def lived(house: House) -> Living:
    """A life with a canary in every text, in the read models, too, and a draft of what comes next."""
    living = Living.begin(house, canary).live(len(LIFE) // 2, words=canary)
    house.catch_up()
    living.live(words=canary)
    house.container.drafts.save(
        living.therapist.who, UUID(living.desk.plan_id), {"entries": [canary()]}
    )
    house.catch_up()
    return living


def in_rows(house: House, superuser: psycopg.Connection[tuple[object, ...]]) -> list[str]:
    """The tables in which a canary stands, as text or as bytes."""
    found = []
    for (table,) in superuser.execute(TABLES).fetchall():
        rows = superuser.execute(f"SELECT t::text FROM plan_history.{table} t".encode()).fetchall()
        text = "\n".join(str(row[0]) for row in rows).lower()
        if MARK in text or MARK.encode().hex() in text:
            found.append(str(table))
    return found


def in_files(home: Path) -> list[str]:
    """The files in which a canary stands: tables, indexes, journals, logs."""
    return [
        str(path.relative_to(home))
        for path in home.rglob("*")
        if path.is_file() and MARK.encode() in path.read_bytes().lower()
    ]


def looked_for(house: House, home: Path) -> tuple[list[str], list[str]]:
    """Where canaries are, once everything is written to disk."""
    url = house.database_url
    with psycopg.connect(url, autocommit=True) as superuser:
        superuser.execute("CHECKPOINT")
        return in_rows(house, superuser), in_files(home)
