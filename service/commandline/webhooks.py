"""``webhook``: telling other programs what is recorded, and looking after that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import click

from domain.entry import TYPES
from service.commandline.shared import (
    answer,
    json_option,
    operator,
    settings,
    table,
    webhook_service,
)
from service.webhooks.alerts import CARRIES, CONTENT
from service.webhooks.management import OUTCOMES, OVERLAP, NewWebhook

F = TypeVar("F", bound=Callable[..., Any])
clinic_option = click.option("--clinic", "clinic_id", type=click.UUID, required=True)
_ONCE = "The secret is shown this once; give it to the receiver."


@click.group()
def webhook() -> None:
    """Tell other programs what a clinic records."""


def _command(name: str) -> Callable[[F], click.Command]:
    """A command about one webhook of a clinic."""

    def decorate(function: F) -> click.Command:
        named = click.argument("webhook_id", type=click.UUID)(json_option(function))
        return webhook.command(name)(clinic_option(named))

    return decorate


@webhook.command("create")
@clinic_option
@click.argument("url")
@click.option("--description", default="", help="What it is, for people.")
@click.option(
    "--type", "types", multiple=True, type=click.Choice(tuple(TYPES)), metavar="TYPE",
    help="Only entries of this type of a plan's; may be repeated.",
)  # fmt: skip
@click.option("--plan", "plan_id", type=click.UUID, help="Only this plan's entries.")
@click.option(
    "--after",
    default="latest",
    show_default=True,
    help="Begin behind this entry or position; 0: from the start.",
)
@click.option("--member", "member_id", type=click.UUID, help="The integration it is for.")
@click.option("--recipient", default="", help="By what name clients' consents know it.")
@click.option(
    "--carries",
    type=click.Choice(CARRIES),
    default=CONTENT,
    help="metadata: for the clinic's own alerting – that there was an emergency access, and no word of it.",
)
@json_option
def create(clinic_id: UUID, *, as_json: bool, **given: Any) -> None:
    """Send a clinic's entries to URL; prints the secret to check them with."""
    with webhook_service(settings()) as service:
        made = service.create(operator(clinic_id), NewWebhook(**given))
    people = f"{made['webhook_id']}\n{made['secret']}\n{_ONCE}"
    answer(made, as_json=as_json, people=people)


@webhook.command("list")
@clinic_option
@json_option
def list_webhooks(clinic_id: UUID, *, as_json: bool) -> None:
    """List a clinic's webhooks and how far each is."""
    with webhook_service(settings()) as service:
        found = service.all(operator(clinic_id))
    columns = ("webhook_id", "url", "status", "position", "behind", "waiting", "parked")
    people = table(found, columns) if found else "There are no webhooks."
    answer(found, as_json=as_json, people=people)


@_command("show")
def show(clinic_id: UUID, webhook_id: UUID, *, as_json: bool) -> None:
    """Show one webhook, with the plans that are behind or parked."""
    with webhook_service(settings()) as service:
        found = service.show(operator(clinic_id), webhook_id)
    lanes = found["lanes"]
    lines = [f"{name}: {held}" for name, held in found.items() if not isinstance(held, list)]
    lines.append(f"types: {', '.join(found['types']) or 'all'}")
    if lanes:
        lines.append(table(lanes, ("plan_id", "delivered_up_to", "attempts", "parked_at", "why")))
    answer(found, as_json=as_json, people="\n".join(lines))


@_command("rotate")
@click.option("--overlap-hours", type=click.IntRange(0, 168), default=OVERLAP, show_default=True)
def rotate(clinic_id: UUID, webhook_id: UUID, overlap_hours: int, *, as_json: bool) -> None:
    """Give a webhook a new secret; the old one signs as well for a while."""
    with webhook_service(settings()) as service:
        made = service.rotate(operator(clinic_id), webhook_id, overlap_hours)
    answer(made, as_json=as_json, people=f"{made['secret']}\n{_ONCE}")


@_command("replay")
@click.option("--after", required=True, help="An entry's id or a position; 0: everything.")
def replay(clinic_id: UUID, webhook_id: UUID, after: str, *, as_json: bool) -> None:
    """Deliver everything after a place in the feed once more, under the same ids."""
    with webhook_service(settings()) as service:
        position = service.replay(operator(clinic_id), webhook_id, after)
    shown = {"webhook_id": webhook_id, "after": position}
    answer(shown, as_json=as_json, people=f"Delivering again what comes after {position}.")


@_command("unpark")
@click.option("--plan", "plan_id", type=click.UUID, help="Only this plan.")
def unpark(clinic_id: UUID, webhook_id: UUID, plan_id: UUID | None, *, as_json: bool) -> None:
    """Try again what was parked after too many attempts."""
    with webhook_service(settings()) as service:
        done = service.unpark(operator(clinic_id), webhook_id, plan_id)
    answer({"plans": done}, as_json=as_json, people=f"{done} plan(s) are tried again.")


@_command("disable")
def disable(clinic_id: UUID, webhook_id: UUID, *, as_json: bool) -> None:
    """Send nothing until it is enabled; it keeps its place."""
    with webhook_service(settings()) as service:
        service.disable(operator(clinic_id), webhook_id)
    answer({"disabled": webhook_id}, as_json=as_json, people=f"Disabled {webhook_id}.")


@_command("enable")
def enable(clinic_id: UUID, webhook_id: UUID, *, as_json: bool) -> None:
    """Go on where it was; also after a 410 disabled it."""
    with webhook_service(settings()) as service:
        service.enable(operator(clinic_id), webhook_id)
    answer({"enabled": webhook_id}, as_json=as_json, people=f"Enabled {webhook_id}.")


@_command("delete")
def delete(clinic_id: UUID, webhook_id: UUID, *, as_json: bool) -> None:
    """Send nothing more, and forget its secrets and its log."""
    with webhook_service(settings()) as service:
        service.delete(operator(clinic_id), webhook_id)
    answer({"deleted": webhook_id}, as_json=as_json, people=f"Deleted {webhook_id}.")


@_command("deliveries")
@click.option("--outcome", type=click.Choice(OUTCOMES))
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
def deliveries(
    clinic_id: UUID, webhook_id: UUID, outcome: str | None, limit: int, *, as_json: bool
) -> None:
    """Show the delivery log, newest first; never what was sent."""
    with webhook_service(settings()) as service:
        who = operator(clinic_id)
        found, _ = service.deliveries(who, webhook_id, outcome=outcome, limit=limit)
    columns = ("attempted_at", "position", "plan_id", "outcome", "status", "why", "milliseconds")
    people = table(found, columns) if found else "Nothing was sent yet."
    answer(found, as_json=as_json, people=people)
