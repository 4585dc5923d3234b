"""``clinic proposals``: changes that wait for somebody's word, read and decided as the operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import click

from domain.entry import EntryData, Reason
from service.commandline.shared import (
    UsageError,
    answer,
    json_option,
    operator,
    services,
    settings,
    table,
)
from service.proposals import STATUSES, Asking
from service.recording import Draft, Recorded, Request

F = TypeVar("F", bound=Callable[..., Any])
MOST = 200
_WORDS = {"approve": "approved", "decline": "declined", "withdraw": "withdrawn"}


@click.group()
def proposals() -> None:
    """Changes of a clinic that wait for somebody's word; here the operator counts as an admin.

    Nobody decides on what they proposed themselves, and what takes privacy officers is theirs alone.
    """


clinic_option = click.option("--clinic", "clinic_id", type=click.UUID, required=True)


@proposals.command("list")
@clinic_option
@click.option("--status", type=click.Choice(STATUSES), help="Only these.")
@json_option
def list_proposals(clinic_id: UUID, status: str | None, *, as_json: bool) -> None:
    """List the newest proposals of a clinic: who proposed what, and what came of it."""
    with services(settings()) as held:
        found, _ = held.proposals.find(operator(clinic_id), Asking(status=status, limit=MOST))
    rows = [
        {
            "proposal_id": one["proposal_id"],
            "status": one["status"],
            "proposed_by": one["proposed"]["by"]["name"],
            "approvals": f"{len(one['approvals'])} of {one['approvals_needed']}",
            "what": " ".join(entry["sentence"] for entry in one["entries"]),
        }
        for one in found
    ]
    columns = ("proposal_id", "status", "proposed_by", "approvals", "what")
    answer(found, as_json=as_json, people=table(rows, columns) if rows else "There are none.")


@proposals.command("show")
@clinic_option
@click.argument("proposal_id", type=click.UUID)
@json_option
def show(clinic_id: UUID, proposal_id: UUID, *, as_json: bool) -> None:
    """Show one proposal: why it was made, what would be recorded, what was said to it."""
    with services(settings()) as held:
        one = held.proposals.show(operator(clinic_id), proposal_id)
    answer(one, as_json=as_json, people="\n".join(_told(one)))


def _told(one: dict[str, Any]) -> list[str]:
    words = [("proposed", one["proposed"]), *(("approved", word) for word in one["approvals"])]
    if one["status"] in ("declined", "withdrawn"):
        words.append((one["status"], one["closed"]))
    return [
        f"{one['status']}; {len(one['approvals'])} of {one['approvals_needed']} approvals",
        *(f"  {held['sentence']}" for held in one["entries"]),
        *(_said(how, word) for how, word in words),
    ]


def _said(how: str, word: dict[str, Any]) -> str:
    why = f": {word['reason']['text']}" if "reason" in word else ""
    return f"{how} by {word['by']['name']} ({word['by']['role']}), {word['at']}{why}"


def _decide(
    doing: str, clinic_id: UUID, proposal_id: UUID, why: str | None, *, as_json: bool
) -> None:
    with services(settings()) as held:
        decide = getattr(held.proposals, doing)
        done = decide(operator(clinic_id), proposal_id, _reason(why), Request())
    _, *brought = [entry.type for entry in done.entries]
    shown = {"proposal_id": proposal_id, "version": done.version, "recorded": brought}
    more = f" Recorded: {', '.join(brought)}." if brought else ""
    answer(shown, as_json=as_json, people=f"{_WORDS[doing].capitalize()}.{more}")


def _reason(why: str | None) -> Reason | None:
    return Reason(text=why) if why else None


@proposals.command("approve")
@clinic_option
@click.argument("proposal_id", type=click.UUID)
@click.option("--why", help="A word on it, if you like.")
@json_option
def approve(clinic_id: UUID, proposal_id: UUID, why: str | None, *, as_json: bool) -> None:
    """Approve what somebody else proposed; with the last approval it needs it is recorded."""
    _decide("approve", clinic_id, proposal_id, why, as_json=as_json)


@proposals.command("decline")
@clinic_option
@click.argument("proposal_id", type=click.UUID)
@click.option("--why", required=True)
@json_option
def decline(clinic_id: UUID, proposal_id: UUID, why: str, *, as_json: bool) -> None:
    """Do not follow a proposal, and say why."""
    _decide("decline", clinic_id, proposal_id, why, as_json=as_json)


@proposals.command("withdraw")
@clinic_option
@click.argument("proposal_id", type=click.UUID)
@click.option("--why", help="A word on it, if you like.")
@json_option
def withdraw(clinic_id: UUID, proposal_id: UUID, why: str | None, *, as_json: bool) -> None:
    """Take back what was proposed from the command line."""
    _decide("withdraw", clinic_id, proposal_id, why, as_json=as_json)


def propose(clinic_id: UUID, data: EntryData, why: str | None, *, as_json: bool) -> Recorded:
    """Propose a change that the clinic does not let one person make, and say so.

    Raises UsageError without a reason.
    """
    if why is None:
        raise UsageError(
            "This clinic's changes are made by two people: say --why, and it is proposed."
        )
    with services(settings()) as held:
        done = held.proposals.propose(
            operator(clinic_id), [Draft(data=data)], Reason(text=why), Request()
        )
    proposal_id = done.entries[0].data.proposal_id  # type: ignore[attr-defined] # a ChangeProposed
    people = f"Proposed: it is recorded once somebody else approves it ({proposal_id})."
    answer({"proposal_id": proposal_id, "version": done.version}, as_json=as_json, people=people)
    return done
