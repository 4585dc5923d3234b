"""``clinic`` and ``member``: which clinics there are, and who belongs to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import click

from domain.clinic import PolicySet
from domain.entry import EntryData, Reason
from domain.errors import ApprovalRequiredError
from domain.fields import fields_of
from domain.people import MemberJoined, MemberLeft, MemberRoleChanged, SupervisionAssigned
from domain.policy import Policy
from service import clinics, tokens
from service.access import ROLES
from service.commandline.proposals import clinic_option, proposals, propose
from service.commandline.shared import (
    UsageError,
    answer,
    clinic_service,
    json_option,
    operator,
    owner_connection,
    settings,
    table,
)
from service.identity import member_id_of
from service.recording import Draft, Moment, Recorded, Request, created

F = TypeVar("F", bound=Callable[..., Any])


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
    people = (
        table(found, columns)
        if found
        else "There are no clinics yet: plan-history clinic create NAME"
    )
    answer(found, as_json=as_json, people=people)


clinic.add_command(proposals)
_NUMBERS = {held.name: held for held in fields_of(Policy) if held.type is int}


def _policy_options(command: F) -> F:
    for name in reversed(_NUMBERS):
        option = click.option(f"--{name.replace('_', '-')}", name, type=int)
        command = option(command)
    return command


@clinic.command("policy")
@click.argument("clinic_id", type=click.UUID)
@_policy_options
@click.option("--require-if-match", type=bool)
@click.option(
    "--two-people", type=bool, help="Whether somebody else approves what an admin changes."
)
@click.option("--why", help="The reason, needed when something changes.")
@json_option
def policy(clinic_id: UUID, why: str | None, *, as_json: bool, **numbers: Any) -> None:
    """Show a clinic's policy, or change the numbers given."""
    given = {name: held for name, held in numbers.items() if held is not None}
    if given and _recorded(clinic_id, PolicySet(**given), why, as_json=as_json) is None:
        return
    with clinic_service(settings()) as service:
        _, shown = service.at(operator(clinic_id), Moment())
    rows = [{"rule": name, "number": held} for name, held in shown["policy"].items()]
    answer(shown["policy"], as_json=as_json, people=table(rows, ("rule", "number")))


@click.group()
def member() -> None:
    """The people of a clinic: add them, change roles, assign supervision."""


why_option = click.option("--why", help="The reason, needed where somebody else approves it first.")
client_ref_option = click.option("--client-ref", help="For the role client: who of them it is.")


def _recorded(
    clinic_id: UUID, data: EntryData, why: str | None, *, as_json: bool
) -> Recorded | None:
    """Record it, or propose it (None) where somebody else approves first."""
    draft = Draft(data=data, reason=Reason(text=why) if why else None)
    try:
        with clinic_service(settings()) as service:
            return service.record(operator(clinic_id), [draft], Request())
    except ApprovalRequiredError:
        propose(clinic_id, data, why, as_json=as_json)
        return None


def _record(clinic_id: UUID, data: EntryData, why: str | None, *, as_json: bool) -> bool:
    """Record it and show what came of it; False when it was only proposed."""
    done = _recorded(clinic_id, data, why, as_json=as_json)
    if done is None:
        return False
    entry = done.entries[0]
    ids = created(entry)
    shown = {"version": entry.version, "type": entry.type, **ids}
    answer(shown, as_json=as_json, people=ids.get("member_id", f"{entry.type} recorded."))
    return True


@member.command("add")
@clinic_option
@click.option("--name", required=True)
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--credential")
@client_ref_option
@click.option("--subject", help="What the OIDC issuer calls them (sub), if it signs them in.")
@why_option
@json_option
def add(
    clinic_id: UUID, subject: str | None, why: str | None, *, as_json: bool, **said: Any
) -> None:
    """Somebody joins the clinic; prints their member id (for `token issue --member`)."""
    if subject:
        said["member_id"] = _of_issuer(subject)
    _record(clinic_id, MemberJoined(**said), why, as_json=as_json)


def _of_issuer(subject: str) -> str:
    issuer = settings().oidc_issuer
    if issuer is None:
        raise UsageError("Set PLAN_HISTORY_OIDC_ISSUER first: --subject is what that issuer says.")
    return str(member_id_of(issuer, subject))


@member.command("role")
@clinic_option
@click.argument("member_id", type=click.UUID)
@click.option("--role", type=click.Choice(ROLES))
@click.option("--credential")
@client_ref_option
@click.option("--why", required=True)
@json_option
def change_role(clinic_id: UUID, member_id: UUID, why: str, *, as_json: bool, **said: Any) -> None:
    """A member gets another role or credential."""
    data = MemberRoleChanged(member_id=str(member_id), **said)
    _record(clinic_id, data, why, as_json=as_json)


@member.command("leave")
@clinic_option
@click.argument("member_id", type=click.UUID)
@click.option("--why", required=True)
@json_option
def leave(clinic_id: UUID, member_id: UUID, why: str, *, as_json: bool) -> None:
    """A member leaves the clinic; their tokens are revoked.

    Where that is only proposed, they stop working when it is approved.
    """
    if not _record(clinic_id, MemberLeft(member_id=str(member_id)), why, as_json=as_json):
        return
    with owner_connection(settings()) as conn:
        tokens.revoke_all(conn, clinic_id, member_id)


@member.command("supervise")
@clinic_option
@click.argument("member_id", type=click.UUID)
@click.option("--by", "supervisor_id", type=click.UUID, required=True, help="The supervisor.")
@why_option
@json_option
def supervise(
    clinic_id: UUID, member_id: UUID, supervisor_id: UUID, why: str | None, *, as_json: bool
) -> None:
    """A supervisor answers for a clinician's work from now on."""
    data = SupervisionAssigned(member_id=str(member_id), supervisor_id=str(supervisor_id))
    _record(clinic_id, data, why, as_json=as_json)


@member.command("list")
@clinic_option
@json_option
def list_members(clinic_id: UUID, *, as_json: bool) -> None:
    """List the clinic's people."""
    with clinic_service(settings()) as service:
        found = service.members(operator(clinic_id))
    columns = ("member_id", "name", "role", "credential", "status", "supervisor_id")
    answer(
        found, as_json=as_json, people=table(found, columns) if found else "Nobody has joined yet."
    )
