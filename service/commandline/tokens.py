"""``token``: who may come in, for how long, and who no longer."""

from __future__ import annotations

from uuid import UUID

import click

from service import tokens
from service.access import ROLES
from service.commandline.shared import (
    UsageError,
    answer,
    json_option,
    owner_connection,
    settings,
    table,
)
from service.errors import UnknownClinicError

COLUMNS = ("token_id", "prefix", "name", "role", "expires_at", "revoked_at", "last_used_at")


@click.group()
def token() -> None:
    """Issue, list and revoke bearer tokens."""


@token.command("issue")
@click.option("--clinic", "clinic_id", type=click.UUID, required=True)
@click.option("--name", required=True, help="The member's name as entries will show it.")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option(
    "--member", "member_id", type=click.UUID, help="The member's id; a new one if left out."
)
@click.option("--credential", help="For example their licence.")
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True)
@click.option(
    "--may-record",
    "scopes",
    multiple=True,
    metavar="TYPE",
    help="A type of entry an integration may record, such as SelfReportRecorded; more than once.",
)
@json_option
def issue(
    clinic_id: UUID,
    name: str,
    role: str,
    member_id: UUID | None,
    credential: str | None,
    days: int,
    scopes: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Issue a token; it is shown this once."""
    if scopes and role != "integration":
        raise UsageError("--may-record is for integrations; what people record goes by their role.")
    with owner_connection(settings()) as conn:
        if (
            conn.execute("SELECT 1 FROM clinics WHERE clinic_id = %s", [clinic_id]).fetchone()
            is None
        ):
            raise UnknownClinicError(
                f"There is no clinic {clinic_id}: see plan-history clinic list."
            )
        try:
            made = tokens.issue(
                conn,
                clinic_id,
                name=name,
                role=role,
                member_id=member_id,
                credential=credential,
                days=days,
                scopes=scopes,
            )
        except ValueError as unknown:
            raise UsageError(str(unknown)) from unknown
    shown = {"token": made.token, "token_id": made.token_id, "expires_at": made.expires_at}
    answer(shown, as_json=as_json, people=made.token)


@token.command("list")
@click.option("--clinic", "clinic_id", type=click.UUID)
@json_option
def list_tokens(clinic_id: UUID | None, *, as_json: bool) -> None:
    """List tokens with role, expiry and last use (never their text)."""
    with owner_connection(settings()) as conn:
        found = tokens.listed(conn, clinic_id)
    answer(
        found, as_json=as_json, people=table(found, COLUMNS) if found else "There are no tokens."
    )


@token.command("revoke")
@click.argument("token_id", type=click.UUID, required=False)
@click.option("--clinic", "clinic_id", type=click.UUID, help="With --member.")
@click.option("--member", "member_id", type=click.UUID, help="Instead: all tokens of this member.")
@json_option
def revoke(
    token_id: UUID | None, clinic_id: UUID | None, member_id: UUID | None, *, as_json: bool
) -> None:
    """Revoke a token, or all of a member; they stop working within a second."""
    if token_id is not None and clinic_id is None and member_id is None:
        _revoke_one(token_id, as_json=as_json)
    elif token_id is None and clinic_id is not None and member_id is not None:
        _revoke_all(clinic_id, member_id, as_json=as_json)
    else:
        raise UsageError("Name one token, or --clinic and --member for all of theirs.")


def _revoke_one(token_id: UUID, *, as_json: bool) -> None:
    with owner_connection(settings()) as conn:
        done = tokens.revoke(conn, token_id)
    if not done:
        raise UsageError("There is no such token that still worked: see plan-history token list.")
    answer({"revoked": token_id}, as_json=as_json, people=f"Revoked {token_id}.")


def _revoke_all(clinic_id: UUID, member_id: UUID, *, as_json: bool) -> None:
    with owner_connection(settings()) as conn:
        done = tokens.revoke_all(conn, clinic_id, member_id)
    answer({"revoked": done}, as_json=as_json, people=f"Revoked {done} of the member's tokens.")
