"""``doctor``: the effective settings without secrets, and whether everything is in order."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version
from typing import Any

import click
import psycopg

from projections.sealing import NO_KEYS
from service.commandline.shared import (
    UsageError,
    answer,
    json_option,
    owner_connection,
    settings,
    unusable,
    url_of,
)
from service.database import Database
from service.health import look
from service.identity.discovery import Discovery
from service.keys import KeysUnsetError, MasterKeyError, open_keys
from service.settings import Settings


@click.command()
@json_option
def doctor(*, as_json: bool) -> None:
    """Look at settings, database, migrations, projections and seals; exit 1 if something needs attention."""
    held = settings()
    shown: dict[str, Any] = {
        "version": version("plan-history"),
        "python": platform.python_version(),
        "settings": held.shown(),
    }
    shown["findings"] = findings = []
    try:
        url = url_of(held)
        with owner_connection(held) as conn:
            row = conn.execute("SHOW server_version").fetchone()
            shown["postgresql"] = row[0] if row else None
            if conn.info.server_version < 150000:
                findings.append("PostgreSQL is older than 15: upgrade it.")
        database = Database(url, size=1).open()
        try:
            health = look(database)
        finally:
            database.close()
        shown["health"] = health.document()
        if health.migrations_pending:
            findings.append("Migrations are pending: run plan-history migrate.")
        for name, lag in health.projections.items():
            if lag["stopped"]:
                findings.append(
                    f"{name} has stopped for {lag['stopped']} clinic(s): see plan-history projections."
                )
        for tree, lag in health.seals.items():
            if lag["stopped"]:
                findings.append(
                    f"Sealing of {tree} has stopped for {lag['stopped']} clinic(s): see plan-history ledger."
                )
        shown["keys"] = "off" if open_keys(held) is NO_KEYS else "in order"
    except (UsageError, KeysUnsetError, MasterKeyError) as missing:
        findings.append(str(missing))
    except psycopg.Error as failed:
        findings.append(unusable(failed))
    findings += _about_the_issuer(held)
    answer(shown, as_json=as_json, people=_told(shown))
    sys.exit(1 if findings else 0)


def _about_the_issuer(held: Settings) -> list[str]:
    """What keeps people from signing in at the clinic's issuer just now."""
    if held.oidc_issuer is None or held.oidc_client_id is None:
        return []
    try:
        Discovery(held.oidc_issuer).load()
    except (OSError, ValueError) as failed:
        why = str(failed) if type(failed) is ValueError else type(failed).__name__
        return [
            f"Nobody can sign in at {held.oidc_issuer} ({why}): check PLAN_HISTORY_OIDC_ISSUER and the way there."
        ]
    return []


def _told(shown: dict[str, Any]) -> str:
    lines = [f"Plan History {shown['version']} on Python {shown['python']}"]
    lines += [f"  {name} = {value}" for name, value in shown["settings"].items()]
    if "postgresql" in shown:
        lines.append(f"PostgreSQL {shown['postgresql']}")
    lines += [f"! {finding}" for finding in shown["findings"]] or ["Everything is in order."]
    return "\n".join(lines)
