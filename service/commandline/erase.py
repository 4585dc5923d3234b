"""``erase``: asking for a client to be forgotten."""

from __future__ import annotations

from uuid import UUID

import click

from domain.entry import Reason
from service.commandline.shared import answer, json_option, operator, services, settings
from service.recording import Request


@click.command()
@click.option("--clinic", "clinic_id", type=click.UUID, required=True)
@click.option("--client-ref", required=True, help="The client, as their plan was opened with.")
@click.option("--why", required=True)
@click.option(
    "--before-retention-ends",
    "early",
    is_flag=True,
    help="Although the policy keeps records longer.",
)
@json_option
def erase(clinic_id: UUID, client_ref: str, why: str, *, early: bool, as_json: bool) -> None:
    """Ask for everything that is kept of a client to be erased, for good.

    Two privacy officers approve it; then the keys are destroyed. Run plan-history keys rotate
    afterwards, so that older backups of the keys do not open it either.
    """
    with services(settings()) as held:
        done = held.proposals.ask_for_erasure(
            operator(clinic_id),
            client_ref,
            Reason(text=why),
            Request(),
            before_retention_ends=early,
        )
    proposal_id = done.entries[0].data.proposal_id  # type: ignore[attr-defined] # a ChangeProposed
    people = f"Asked for: it happens once two privacy officers approve it ({proposal_id})."
    answer({"proposal_id": proposal_id, "version": done.version}, as_json=as_json, people=people)
