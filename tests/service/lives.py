"""The random lives of the domain's tests, recorded in a clinic through the use cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from uuid import UUID, uuid4

import orjson

from domain.entry import Entry, from_stored
from domain.errors import PlanHistoryError
from domain.opening import PlanOpened
from service.access import Principal
from service.access.table import CLINIC, FULL, Grant
from service.container import Container
from service.plans import Draft
from tests.conftest import Clinic
from tests.projections.lived import Kept
from tests.service.recording import asked


def record_lives(
    container: Container,
    clinic: Clinic,
    kept: Iterable[Kept],
    plans: dict[UUID, UUID] | None = None,
) -> int:
    """Record what ``kept`` tells, request by request; returns how many entries were.

    ``plans``: which plan each one became, when they are told in parts.

    A correction that only took something away is stored as what remained and cannot be asked for
    again so; it is refused, and what refers to it. No life takes another's place: what they name as
    the plan before them is nowhere.
    """
    recorded = 0
    plans = {} if plans is None else plans
    for (plan_id, moment), group in groupby(kept, lambda held: (held.plan_id, held.recorded_at)):
        entries = [_entry(held) for held in group]
        drafts = [_draft(entry) for entry in entries]
        who, request = _author(clinic, entries[0]), asked(recorded_at=moment, alongside=True)
        container.plans.recording.new_id = _ids(entries).__next__
        try:
            if plan_id in plans:
                done = container.plans.record(who, plans[plan_id], drafts, request)
            else:
                done = container.plans.open_plan(who, drafts[0], drafts[1:], request)
        except PlanHistoryError:
            continue
        plans[plan_id] = done.plan_id
        recorded += len(entries)
    container.plans.recording.new_id = lambda: str(uuid4())
    return recorded


def _ids(entries: Sequence[Entry]) -> Iterator[str]:
    yield from [entry.entry_id for entry in entries]
    while True:
        yield str(uuid4())


def _entry(held: Kept) -> Entry:
    return from_stored(
        held.topic,
        orjson.loads(held.state),
        originator_id=held.plan_id,
        originator_version=held.version,
        timestamp=held.recorded_at,
        entry_id=str(held.entry_id),
    )


def _draft(entry: Entry) -> Draft:
    data = entry.data
    if isinstance(data, PlanOpened):
        data = replace(data, replaces_plan_id=None)
    return Draft(
        data=data,
        occurred_at=entry.occurred_at if entry.dated else None,
        voiced_by=entry.voiced_by,
        reason=entry.reason,
        session_id=entry.session_id,
        causation_id=entry.causation_id,
    )


class Anybody(Principal):
    """Whoever recorded something in a random life: it is not asked whether they might."""

    def grant(self, action: str) -> Grant:
        """Everything, in every plan."""
        return {CLINIC: FULL}


def _author(clinic: Clinic, entry: Entry) -> Principal:
    by = entry.recorded_by
    return Anybody(clinic.clinic_id, UUID(by.member_id), by.name, by.role, None, uuid4())
