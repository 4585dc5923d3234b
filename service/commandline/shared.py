"""What several commands need: settings, connections, answers for people and for machines."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import click
import psycopg

from domain.fields import plain_moment
from projections.sealing import Keys, Seals
from service.access import Principal
from service.clinic import ClinicService
from service.container import Container, build
from service.database import OWNER_ROLE, dsn_as
from service.embedded import running
from service.identity.configured import check
from service.keys import open_keys
from service.serving.supervise import SUPERVISOR
from service.settings import Settings
from service.webhooks.management import WebhookService

DATABASE = "plan_history"


class UsageError(Exception):
    """The command cannot do that; the message says what to do instead."""


def settings(*, warn: bool = True) -> Settings:
    """The settings in the environment; raises UsageError for some that do not go together.

    ``warn``: say on standard error which variables look like settings and are none.
    """
    held = Settings.from_environment()
    if warn and SUPERVISOR not in os.environ:  # serve has said it for its processes
        for slip in held.slips:
            click.echo(f"plan-history: {slip}", err=True)
    try:
        check(held)
    except ValueError as wrong:
        raise UsageError(str(wrong)) from wrong
    return held


def url_of(held: Settings, *, owner: bool = False) -> str:
    """The database of this machine's service: DATABASE_URL, or that of a running ``serve``."""
    if owner and held.migration_url:
        return held.migration_url
    if held.database_url:
        return held.database_url
    server = running(held.home)
    if server is None:
        raise UsageError(
            "There is no database: set DATABASE_URL, or start `plan-history serve` first (it runs one "
            f"below {held.home})."
        )
    return server.dsn(DATABASE)


def owner_connection(held: Settings) -> psycopg.Connection[Any]:
    """A connection as the owner, for what only an operator may do."""
    dsn = dsn_as(url_of(held, owner=True), OWNER_ROLE, seconds=600, application="plan-history-cli")
    return psycopg.connect(dsn, autocommit=True)


def keys_of(held: Settings) -> Keys:
    """The keys of this machine's service, and of its database."""
    return open_keys(held, url_of(held, owner=True))


def seals(held: Settings, clinic_id: UUID) -> Seals:
    """What opens and seals the texts of a clinic."""
    return Seals(keys_of(held), clinic_id)


_LACKING = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedColumn,
)


def unusable(error: psycopg.Error) -> str:
    """Why the database cannot be used, and what to do: one sentence each."""
    said = error.diag.message_primary or (str(error).strip() or type(error).__name__)
    said = said.splitlines()[0].rpartition("failed: ")[2].removeprefix("FATAL:").strip()
    if isinstance(error, _LACKING) or 'role "plan_history_' in said:
        return f"The database is not ready for this version ({said}): run plan-history migrate."
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return f"The database user may not do that ({said}): set PLAN_HISTORY_MIGRATION_URL."
    if isinstance(error, psycopg.OperationalError):
        return f"The database is out of reach ({said}). Check that it runs, and DATABASE_URL."
    if error.sqlstate is None:  # its text may hold a password
        return "DATABASE_URL cannot be read: write postgresql://user:password@host:5432/database."
    raise error


OPERATOR = UUID("00000000-0000-4000-8000-00000000000a")


def operator(clinic_id: UUID) -> Principal:
    """The operator of this machine, as entries will show them."""
    return Principal(clinic_id, OPERATOR, "operator (command line)", "admin", None, OPERATOR)


@contextlib.contextmanager
def services(held: Settings) -> Iterator[Container]:
    """The use cases, over the database of this machine's service."""
    container = build(replace(held, database_url=url_of(held), pool_size=1))
    try:
        yield container
    finally:
        container.close()


@contextlib.contextmanager
def clinic_service(held: Settings) -> Iterator[ClinicService]:
    """The use cases of clinics."""
    with services(held) as container:
        yield container.clinic


@contextlib.contextmanager
def webhook_service(held: Settings) -> Iterator[WebhookService]:
    """The use cases of webhooks."""
    with services(held) as container:
        yield container.webhooks


@contextlib.contextmanager
def written(place: object) -> Iterator[None]:
    """Say in a sentence why a place cannot be written; raises UsageError for any OSError but a closed pipe."""
    try:
        yield
    except BrokenPipeError:
        raise  # whoever reads has enough
    except OSError as failed:
        raise UsageError(
            f"{place} cannot be written: {failed.strerror}. Choose another place, or make room there."
        ) from failed


json_option = click.option("--json", "as_json", is_flag=True, help="Answer as JSON, for machines.")


def answer(shown: Any, *, as_json: bool, people: str) -> None:
    """Print ``shown`` as JSON, or the sentence for people."""
    click.echo(json.dumps(shown, default=_plain, ensure_ascii=False) if as_json else people)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return plain_moment(value)
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(type(value).__name__)


def table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> str:
    """Rows as aligned columns."""
    cells = [[*columns], *([_cell(row[name]) for name in columns] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    )
    return "\n".join(line.rstrip() for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return "".join(held if held.isprintable() else "\ufffd" for held in str(value))
