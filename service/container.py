"""Wiring: the one place where the service's parts are put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from projections.sealing import Keys
from service.access import AccessLog, Gate, Rosters
from service.access.report import AccessReport
from service.clinic import ClinicService, Policies
from service.database import API_ROLE, Database
from service.door import Door
from service.drafts import Drafts
from service.emergency import EmergencyService
from service.erasure import Eraser
from service.export.plan import PlanExports
from service.feed.reading import FeedService
from service.feed.showing import Showing
from service.feed.wakes import Places, Wakes
from service.fhir.facade import FhirService
from service.figures import FiguresService
from service.identity import Brake, Identity, configured, signing_in
from service.keys import open_keys
from service.ledger.reading import LedgerService
from service.measures import MeasuresService
from service.newer import Newer
from service.plans import PlanService
from service.proposals import ProposalService
from service.quota import Quota
from service.record.plans import Plans
from service.recording import Recording
from service.replay import ReplayService
from service.sessions import Sessions
from service.settings import Settings
from service.shown import Shown
from service.timeline import TimelineService
from service.tokens import Tokens
from service.vouched import VouchedSignIn
from service.wake import Waker
from service.webhooks.management import WebhookService
from service.worklist import WorklistService


@dataclass(frozen=True, slots=True)
class Container:
    """What the API needs, opened once per process."""

    settings: Settings
    database: Database
    keys: Keys
    plans: PlanService
    clinic: ClinicService
    proposals: ProposalService
    gate: Gate
    access: AccessReport
    emergency: EmergencyService
    timeline: TimelineService
    worklist: WorklistService
    measures: MeasuresService
    figures: FiguresService
    replay: ReplayService
    sessions: Sessions
    vouched: VouchedSignIn | None
    door: Door
    drafts: Drafts
    fhir: FhirService
    exports: PlanExports
    ledger: LedgerService
    feed: FeedService
    webhooks: WebhookService
    tokens: Tokens
    identity: Identity
    quota: Quota
    waker: Waker
    clock: Callable[[], datetime]

    def close(self) -> None:
        """Close connections and threads."""
        self.feed.close()
        self.waker.close()
        self.database.close()
        self.keys.close()


def build(
    settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Container:
    """Everything wired for ``settings``; nothing has touched the network yet but the pool's threads.

    Where no keys were begun yet, the database is asked whether new ones may be; raises as ``open_keys``.
    """
    if settings.database_url is None:
        raise ValueError(
            "DATABASE_URL is needed here; `plan-history serve` brings its own database."
        )
    issuer = configured(settings, clock)  # before anything is open: what is set may be wrong
    party = signing_in(settings, clock, issuer)
    keys = open_keys(settings)
    database = Database(
        settings.database_url,
        API_ROLE,
        size=settings.pool_size,
        seconds=settings.request_seconds,
    ).open()
    kept = Plans(database, settings.cached_plans, keys=keys)
    waker = Waker(database)
    recording = Recording(database, kept, Policies(kept), recorded=waker, clock=clock)
    gate = Gate(database, kept, Rosters(kept), AccessLog(database), clock)
    recording.newer, recording.stands = Newer(gate), gate.stands
    tokens, brake = Tokens(database, clock), Brake(settings.failed_sign_ins)
    shown = Shown(gate)
    timeline = TimelineService(database, kept, recording.policy, gate, shown)
    identity = Identity(tokens, gate.rosters, issuer, brake)
    door = Door(gate)
    sessions = Sessions(database, tokens, identity, door)
    fhir = FhirService(database, kept, gate)
    clinic = ClinicService(database, recording, gate)
    showing, wakes = Showing(gate), Wakes(settings.database_url)
    feed = FeedService(database, showing, wakes, Places(settings.feed_readers))
    return Container(
        settings=settings,
        database=database,
        keys=keys,
        gate=gate,
        access=AccessReport(gate),
        emergency=EmergencyService(recording, gate),
        plans=PlanService(recording, gate, shown),
        clinic=clinic,
        proposals=ProposalService(clinic, gate, Eraser(clinic, gate)),
        timeline=timeline,
        worklist=WorklistService(database, kept, recording.policy, clock, gate, shown),
        measures=MeasuresService(kept, gate),
        figures=FiguresService(database, gate, clock),
        replay=ReplayService(kept, recording.policy, gate),
        sessions=sessions,
        vouched=VouchedSignIn(party, sessions, gate.rosters, door, brake) if party else None,
        door=door,
        drafts=Drafts(database, kept),
        tokens=tokens,
        identity=identity,
        quota=Quota(database, settings.quota_per_minute, settings.quota_burst),
        fhir=fhir,
        exports=PlanExports(gate, timeline, fhir, clock),
        ledger=LedgerService(gate),
        feed=feed,
        webhooks=WebhookService(database, feed, settings.webhook_private_targets),
        waker=waker,
        clock=clock,
    )
