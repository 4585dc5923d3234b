"""``doctor``: the effective settings without secrets, and whether everything is in order."""

from __future__ import annotations

import contextlib
import platform
import sys
from importlib.metadata import version
from typing import Any
from uuid import UUID

import click
import psycopg

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
from service.embedded import EmbeddedPostgresError
from service.errors import StoreUnavailableError
from service.health import Health, look
from service.identity.discovery import Discovery
from service.keys import KeysLostError, KeysUnsetError, MasterKeyError
from service.keys.places import OFF, shown_place
from service.keys.use import keys_used, use_of
from service.settings import Settings

_OFF_BUT_SEALED = (
    "PLAN_HISTORY_KEYS is off, but plans are sealed with {} keys: set it to where these are, or nobody "
    "reads them."
)
_MISSING = (
    "{} of the {} keys that plans are sealed with are missing: set PLAN_HISTORY_KEYS to where they are, or put "
    "them back from their backup."
)
_SHUT = (
    "{} of the {} keys that plans are sealed with cannot be unwrapped: check PLAN_HISTORY_MASTER_KEY, or put "
    "master.key back."
)


@click.command()
@json_option
def doctor(*, as_json: bool) -> None:
    """Look at settings, database, migrations, projections, seals and keys; exit 1 if something needs attention.

    It changes and makes nothing.
    """
    held = settings(warn=False)
    shown: dict[str, Any] = {
        "version": version("plan-history"),
        "python": platform.python_version(),
        "settings": held.shown(),
    }
    findings = [*held.slips]
    shown["findings"] = findings
    try:
        used = _about_the_database(held, shown, findings)
        findings += _about_the_keys(held, used, shown)
    except (UsageError, KeysUnsetError, MasterKeyError, EmbeddedPostgresError) as missing:
        findings.append(str(missing))
    except psycopg.Error as failed:
        findings.append(unusable(failed))
    findings += _about_the_issuer(held)
    answer(shown, as_json=as_json, people=_told(shown))
    sys.exit(1 if findings else 0)


def _about_the_database(
    held: Settings, shown: dict[str, Any], findings: list[str]
) -> list[UUID] | None:
    """Look at it; the keys that its entries are sealed with, None where that cannot be asked yet."""
    url = url_of(held)
    with owner_connection(held) as conn:
        row = conn.execute("SHOW server_version").fetchone()
        shown["postgresql"] = row[0] if row else None
        if conn.info.server_version < 150000:
            findings.append("PostgreSQL is older than 15: upgrade it.")
        with contextlib.closing(Database(url, size=1).open()) as database:
            health = look(database)
        shown["health"] = health.document()
        findings += _about_the_record(health)
        return None if health.migrations_pending else keys_used(conn)


def _about_the_record(health: Health) -> list[str]:
    """What keeps read models and seals from going on."""
    found = []
    if health.migrations_pending:
        found.append("Migrations are pending: run plan-history migrate.")
    for name, lag in health.projections.items():
        if lag["stopped"]:
            found.append(
                f"{name} has stopped for {lag['stopped']} clinic(s): see plan-history projections."
            )
    for tree, lag in health.seals.items():
        if lag["stopped"]:
            found.append(
                f"Sealing of {tree} has stopped for {lag['stopped']} clinic(s): see plan-history ledger."
            )
    return found


def _about_the_keys(held: Settings, used: list[UUID] | None, shown: dict[str, Any]) -> list[str]:
    """What keeps plans from being opened: keys that are lost, wrong, or off; raises as ``open_keys``."""
    if not held.keys:
        raise KeysUnsetError
    if held.keys == OFF:
        shown["keys"] = "off"
        return [_OFF_BUT_SEALED.format(len(used))] if used else []
    try:
        found = use_of(held, used or [])
    except StoreUnavailableError:
        return ["The keys cannot be reached: check PLAN_HISTORY_KEYS, and that its database runs."]
    except OSError as failed:
        place = shown_place(held.keys)
        return [f"The keys in {place} cannot be read ({failed.strerror}): check PLAN_HISTORY_KEYS."]
    if found is None:
        shown["keys"] = "none yet"
        return [str(KeysLostError(held.keys))] if used else []
    lost = [
        sentence.format(count, found.in_use)
        for sentence, count in ((_MISSING, found.missing), (_SHUT, found.shut))
        if count
    ]
    shown["keys"] = "not in order" if lost else "in order"
    return lost


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
