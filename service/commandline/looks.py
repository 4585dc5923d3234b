"""``access-log``: who looked at what, for the operator."""

from __future__ import annotations

from datetime import UTC
from typing import Any
from uuid import UUID

import click
from psycopg import sql

from service.access import ACCESS, Asked
from service.access.looks import AccessLog
from service.commandline.shared import answer, json_option, settings, table, url_of
from service.database import API_ROLE, Database

COLUMNS = ("looked_at", "name", "role", "action", "plan_id", "version", "why", "allowed", "address")


@click.command("access-log")
@click.option("--clinic", "clinic_id", type=click.UUID, required=True)
@click.option("--member", "member_id", type=click.UUID, help="Only looks of this member.")
@click.option("--plan", "plan_id", type=click.UUID, help="Only looks at this plan.")
@click.option("--action", type=click.Choice(sorted(ACCESS)))
@click.option("--refused", is_flag=True, help="Only attempts that were refused.")
@click.option("--since", type=click.DateTime(), help="From this moment on (UTC).")
@click.option("--until", type=click.DateTime(), help="Before this moment (UTC).")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@json_option
def access_log(clinic_id: UUID, *, refused: bool, as_json: bool, **given: Any) -> None:
    """Show who looked at what in a clinic, newest first."""
    for name in ("since", "until"):
        given[name] = given[name] and given[name].replace(tzinfo=UTC)
    asked = Asked(**given, allowed=False if refused else None)
    database = Database(url_of(settings()), API_ROLE, size=1).open()
    try:
        looks, _ = AccessLog(database).read(clinic_id, asked, sql.SQL("TRUE"), [])
    finally:
        database.close()
    shown = table(looks, COLUMNS) if looks else "Nobody has looked at anything yet."
    answer(looks, as_json=as_json, people=shown)
