"""Who is shown which plan's entries, in the feed and in webhooks: asked here and nowhere else."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from domain.errors import UnknownEntryTypeError
from service.access import Gate, Look, Principal
from service.feed.events import Row

ACTION = "feed.read"
log = logging.getLogger("plan_history.feed")


@dataclass(frozen=True, slots=True)
class Shown:
    """Plans by id: those that may be seen, and those nobody can tell about, as they cannot be read."""

    plans: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Showing:
    """Decides plan by plan, and keeps in the access log what was shown.

    What a clinic records of itself is nobody's here: no relation leads to it.
    """

    gate: Gate

    def present(self, principal: Principal) -> Principal:
        """Somebody as the clinic knows them now; raises NotSignedInError when they have left."""
        return self.gate.rosters(principal.clinic_id).present(principal)

    def shown(
        self, principal: Principal, rows: Iterable[Row], asked: str, action: str = ACTION
    ) -> Shown:
        """Which plans of these entries the principal sees; kept as looked at when this returns."""
        newest: dict[str, int] = {}
        for row in rows:
            newest[row.plan_id] = max(row.version, newest.get(row.plan_id, 0))
        relations: dict[str, str | None] = {}
        unreadable = set()
        for plan_id in newest:
            try:
                relations[plan_id] = self.gate.relation(principal, action, UUID(plan_id))
            except (UnknownEntryTypeError, LookupError, ValueError) as failed:
                log.error("plan %s cannot be read: %s", plan_id, type(failed).__name__)
                unreadable.add(plan_id)
        self._keep(principal, newest, relations, asked, action)
        seen = (plan_id for plan_id, relation in relations.items() if relation is not None)
        return Shown(frozenset(seen), frozenset(unreadable))

    def _keep(
        self,
        principal: Principal,
        newest: Mapping[str, int],
        relations: Mapping[str, str | None],
        asked: str,
        action: str,
    ) -> None:
        grant = principal.grant(action) or {}
        looks = [
            Look(
                action=action,
                plan_id=UUID(plan_id),
                version=newest[plan_id],
                asked=asked,
                why=relation,
                view=grant[relation],
            )
            for plan_id, relation in relations.items()
            if relation is not None
        ]
        if looks:
            self.gate.log.note_all(principal, looks)
