"""What tests of webhooks share: a receiver, a clinic with plans, and somebody who delivers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.consents import ConsentRecorded
from service.access import Principal
from service.container import Container, build
from service.feed.showing import Showing
from service.recording import Draft
from service.serving.deliverer import connect
from service.webhooks.dispatcher import Dispatcher, Terms
from service.webhooks.management import NewWebhook
from tests.conftest import Clinic
from tests.keys import settings
from tests.service.recording import asked, goal, open_plan
from tests.service.servers import soon
from tests.service.webhooks.receiving import Receiver, receiving

RECIPIENT = "The registry"
CONSENT = Draft(data=ConsentRecorded(scope="All of it.", recipient=RECIPIENT))
TERMS = Terms(attempts=4, pause=0.01, seconds=2, private=True)


@pytest.fixture
def container(database_url: str) -> Iterator[Container]:
    """The wired service, which allows targets on this machine."""
    held = build(settings(database_url, webhook_private_targets=True))
    yield held
    held.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody who listens, and takes everything unless told otherwise."""
    with receiving() as held:
        yield held


@dataclass
class Office:
    """A clinic that records and tells: short ways to do both."""

    container: Container
    clinic: Clinic
    url: str
    admin: Principal
    clinician: Principal
    pool: ThreadPoolExecutor
    terms: Terms = TERMS
    kind: type[Dispatcher] = Dispatcher
    plans: list[UUID] = field(default_factory=list)

    def plan(self, goals: int = 0) -> UUID:
        """A new plan with so many goals."""
        drafts = [goal(f"Goal {number}") for number in range(goals)]
        ref = f"c-{len(self.plans)}"
        opened = open_plan(self.container, self.clinician, ref, None, CONSENT, *drafts)
        self.plans.append(opened.plan_id)
        return opened.plan_id

    @property
    def showing(self) -> Showing:
        """Who is shown what."""
        return self.container.feed.showing

    def record(self, plan_id: UUID, goals: int = 1) -> None:
        """Set so many goals in a plan."""
        drafts = [goal(f"Goal {number}") for number in range(goals)]
        self.container.plans.record(self.clinician, plan_id, drafts, asked())

    def webhook(self, receiver: Receiver, **more: Any) -> dict[str, Any]:
        """A webhook to the receiver, from the start unless told otherwise."""
        wanted = NewWebhook(
            **{"url": receiver.address, "after": "0", "recipient": RECIPIENT, **more}
        )
        return self.container.webhooks.create(self.admin, wanted)

    def shown(self, webhook: dict[str, Any]) -> dict[str, Any]:
        """How the webhook does."""
        return self.container.webhooks.show(self.admin, UUID(webhook["webhook_id"]))

    def log(self, webhook: dict[str, Any], **wanted: Any) -> list[dict[str, Any]]:
        """Its delivery log, oldest first."""
        webhook_id = UUID(webhook["webhook_id"])
        found, _ = self.container.webhooks.deliveries(self.admin, webhook_id, limit=200, **wanted)
        return found[::-1]

    def rounds(self, until: Callable[[], object] | None = None, **terms: Any) -> None:
        """Deliver for as long as something is due, or until something holds."""
        with connect(self.url) as conn:
            dispatcher = self.kind(conn, replace(self.terms, **terms), self.showing, self.pool)

            def over() -> bool:
                worked = dispatcher.round()
                return bool(until()) if until else not worked

            assert soon(over, 30), "it does not come to hold"


@pytest.fixture
def office(
    container: Container, database_url: str, clinic: Clinic, owner: psycopg.Connection[Any]
) -> Iterator[Office]:
    """A clinic without plans."""
    with ThreadPoolExecutor(8) as pool:
        admin, clinician = clinic.member("admin"), clinic.member()
        yield Office(container, clinic, database_url, admin, clinician, pool)
