"""``clinic`` and ``token``: who there is, and who may come in."""

from __future__ import annotations

from uuid import UUID

import click

from service import clinics, tokens
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


@click.group()
def clinic() -> None:
    """Create and list clinics."""


@clinic.command("create")
@click.argument("name")
@click.option(
    "--rehearsal",
    is_flag=True,
    help="For training: may be told when an entry was recorded. Cannot be changed later.",
)
@json_option
def create(name: str, *, rehearsal: bool, as_json: bool) -> None:
    """Create a clinic called NAME; prints its id."""
    with owner_connection(settings()) as conn:
        clinic_id = clinics.create_clinic(conn, name, rehearsal=rehearsal)
    answer({"clinic_id": clinic_id, "name": name}, as_json=as_json, people=str(clinic_id))


@clinic.command("list")
@json_option
def list_clinics(*, as_json: bool) -> None:
    """List the clinics with the length of their logs."""
    with owner_connection(settings()) as conn:
        found = clinics.clinics(conn)
    columns = ("clinic_id", "name", "rehearsal", "created_at", "position")
    people = table(found, columns) if found else "There are no clinics yet: plan-history clinic create NAME"
    answer(found, as_json=as_json, people=people)


@click.group()
def token() -> None:
    """Issue, list and revoke bearer tokens."""


@token.command("issue")
@click.option("--clinic", "clinic_id", type=click.UUID, required=True)
@click.option("--name", required=True, help="The member's name as entries will show it.")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--member", "member_id", type=click.UUID, help="The member's id; a new one if left out.")
@click.option("--credential", help="For example their licence.")
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True)
@json_option
def issue(
    clinic_id: UUID,
    name: str,
    role: str,
    member_id: UUID | None,
    credential: str | None,
    days: int,
    *,
    as_json: bool,
) -> None:
    """Issue a token; it is shown this once."""
    with owner_connection(settings()) as conn:
        if conn.execute("SELECT 1 FROM clinics WHERE clinic_id = %s", [clinic_id]).fetchone() is None:
            raise UnknownClinicError(f"There is no clinic {clinic_id}: see plan-history clinic list.")
        made = tokens.issue(
            conn,
            clinic_id,
            name=name,
            role=role,
            member_id=member_id,
            credential=credential,
            days=days,
        )
    shown = {"token": made.token, "token_id": made.token_id, "expires_at": made.expires_at}
    answer(shown, as_json=as_json, people=made.token)


@token.command("list")
@click.option("--clinic", "clinic_id", type=click.UUID)
@json_option
def list_tokens(clinic_id: UUID | None, *, as_json: bool) -> None:
    """List tokens (never their text)."""
    columns = ("token_id", "prefix", "name", "role", "expires_at", "revoked_at", "last_used_at")
    with owner_connection(settings()) as conn:
        rows = conn.execute(
            "SELECT token_id, prefix, name, role, expires_at, revoked_at, last_used_at FROM tokens "
            "WHERE %s::uuid IS NULL OR clinic_id = %s ORDER BY created_at",
            [clinic_id, clinic_id],
        ).fetchall()
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    answer(found, as_json=as_json, people=table(found, columns) if found else "There are no tokens.")


@token.command("revoke")
@click.argument("token_id", type=click.UUID)
@json_option
def revoke(token_id: UUID, *, as_json: bool) -> None:
    """Revoke a token; it stops working within a second."""
    with owner_connection(settings()) as conn:
        done = tokens.revoke(conn, token_id)
    if not done:
        raise UsageError("There is no such token that still worked: see plan-history token list.")
    answer({"revoked": token_id}, as_json=as_json, people=f"Revoked {token_id}.")
